package inventory

import (
	"cmp"
	"slices"
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
)

// Expecting returns the bucket with those whom the grants of its policy named at
// that time. Those who were expected before are still expected: that the policy
// does not name them any more is what is to be told.
func (b Bucket) Expecting(named []delivery.Grantee, at time.Time) Bucket {
	expected := slices.Clone(b.Expected)
	for _, g := range named {
		expected = append(expected, Expected{Grantee: g, Source: Named, At: at})
	}
	slices.SortFunc(expected, func(x, y Expected) int { return cmp.Or(x.compare(y), y.At.Compare(x.At)) })
	b.Expected = slices.CompactFunc(expected, func(x, y Expected) bool { return x.compare(y) == 0 })
	b = b.withoutKnown()
	if len(b.Expected) > MaxExpected {
		b.Expected = b.Expected[:MaxExpected]
	}
	return b
}

// Aged returns the bucket without those who are not expected any more.
func (b Bucket) Aged(now time.Time) Bucket {
	b.Expected = slices.DeleteFunc(slices.Clone(b.Expected), func(e Expected) bool { return now.Sub(e.At) > expectedFor })
	return b
}

// withoutKnown leaves out of those who are expected the ones whose trails are known.
func (b Bucket) withoutKnown() Bucket {
	b.Expected = slices.DeleteFunc(slices.Clone(b.Expected), func(e Expected) bool {
		return slices.ContainsFunc(b.Trails, func(t Trail) bool { return e.Is(t.Trail) })
	})
	return b
}

func (e Expected) compare(other Expected) int {
	return cmp.Or(e.Grantee.Compare(other.Grantee), cmp.Compare(e.Source, other.Source))
}
