package inventory

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Expected is somebody of whom deliveries into a bucket are expected, though no
// trail of theirs is known. If the policy stops to let them in, that is told.
type Expected struct {
	delivery.Grantee

	Source Source
	At     time.Time // when it was last seen to be so
}

const (
	// MaxExpected is how many are kept for a bucket. They are there to be told of
	// if they are let in no more, and a list of so many names says it.
	MaxExpected = 200
	// expectedFor is how long somebody is expected of whom nothing is seen any
	// more. It is as long as CloudTrail tries to deliver a file.
	expectedFor = 30 * 24 * time.Hour
	renewal     = 24 * time.Hour
)

// Expecting returns the bucket with those whom the grants of its policy named at
// that time. Those who were expected before are still expected: that the policy
// does not name them any more is what is to be told.
func (b Bucket) Expecting(named []delivery.Grantee, at time.Time) Bucket {
	last := map[delivery.Grantee]Expected{}
	for _, e := range b.Expected {
		last[e.Grantee] = e
	}
	for _, g := range named {
		if before, ok := last[g]; !ok || before.At.Before(at) {
			last[g] = Expected{Grantee: g, Source: Named, At: at}
		}
	}
	return b.expectingAll(last)
}

// SeenIn returns the bucket with accounts of whose files it had folders at a time. Whom a grant names
// as well stays named. A folder tells that somebody delivered, whenever that was; and whoever may write
// into the bucket can make one.
func (b Bucket) SeenIn(accounts []string, at time.Time) Bucket {
	last := map[delivery.Grantee]Expected{}
	for _, e := range b.Expected {
		last[e.Grantee] = e
	}
	for _, id := range accounts {
		g := delivery.Grantee{Account: id}
		if before, ok := last[g]; !ok || before.Source == Seen {
			last[g] = Expected{Grantee: g, Source: Seen, At: at}
		}
	}
	b.FoldersAt = at
	return b.expectingAll(last)
}

// expectingAll returns the bucket with all of them who are not known to have a trail, up to
// MaxExpected: those that are named first.
func (b Bucket) expectingAll(all map[delivery.Grantee]Expected) Bucket {
	b.Expected = slices.Collect(maps.Values(all))
	b = b.withoutKnown()
	inOrder := func(key func(Expected) int) {
		sort.Slice(b.Expected, func(i, j int) bool {
			x, y := b.Expected[i], b.Expected[j]
			return cmp.Or(cmp.Compare(key(x), key(y)), x.Compare(y.Grantee)) < 0
		})
	}
	if len(b.Expected) > MaxExpected {
		inOrder(func(e Expected) int {
			if e.Source == Seen {
				return 1
			}
			return 0
		})
		b.Expected = b.Expected[:MaxExpected]
	}
	inOrder(func(Expected) int { return 0 })
	return b
}

// Grantees are those who are expected because a grant names them. That they are let in no more
// is told.
func (b Bucket) Grantees() []delivery.Grantee {
	var all []delivery.Grantee
	for _, e := range b.Expected {
		if e.Source != Seen {
			all = append(all, e.Grantee)
		}
	}
	return all
}

// SeenAccounts are those of whose files the bucket has folders, and of whom no trail into it is
// known. It is a hint: nothing is read there, and nothing that they lose is an outage.
func (b Bucket) SeenAccounts() []string {
	var ids []string
	for _, e := range b.Expected {
		if e.Source == Seen {
			ids = append(ids, e.Account)
		}
	}
	return ids
}

// Renews reports whether somebody is expected who was seen to be so a day or more
// after the other bucket says. Until then it need not be stored again.
func (b Bucket) Renews(other Bucket) bool {
	for _, was := range other.Expected {
		for _, e := range b.Expected {
			if e.same(was) && e.At.Sub(was.At) >= renewal {
				return true
			}
		}
	}
	return false
}

// Aged returns the bucket without those who are not expected any more.
func (b Bucket) Aged(now time.Time) Bucket {
	return b.expecting(func(e Expected) bool { return now.Sub(e.At) <= expectedFor })
}

// withoutKnown leaves out of those who are expected the ones whose trails are known.
func (b Bucket) withoutKnown() Bucket {
	return b.expecting(func(e Expected) bool {
		return !slices.ContainsFunc(b.Trails, func(t Trail) bool { return e.Is(t.Trail) })
	})
}

// expecting returns the bucket with those of the expected for whom that holds.
func (b Bucket) expecting(holds func(Expected) bool) Bucket {
	var some []Expected
	for _, e := range b.Expected {
		if holds(e) {
			some = append(some, e)
		}
	}
	b.Expected = some
	return b
}

// same reports whether both are the same, whenever they were seen.
func (e Expected) same(other Expected) bool {
	return e.Grantee == other.Grantee && e.Source == other.Source
}
