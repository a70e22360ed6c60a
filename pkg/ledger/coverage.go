package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Covered is the most that a trail of the bucket was seen to cover.
type Covered struct {
	trail.Coverage
	// Made is when the trail was made, or first seen in a bucket that was known
	// before. Zero: the trail is older than what is remembered.
	Made time.Time `json:"made,omitzero"`
	// Gone is since when the trail delivers into the bucket no more. It may come back,
	// made anew with less.
	Gone time.Time `json:"gone,omitzero"`
}

// Acceptance says that the owner accepts that a trail covers less than before.
type Acceptance struct {
	// Coverage is what the trail covered when it was accepted, Lost the parts of which
	// that is less than before. More than that is not accepted.
	Coverage trail.Coverage `json:"coverage"`
	Lost     []trail.Part   `json:"lost"`
	Reason   string         `json:"reason"`
	By       string         `json:"by"` // in words
	At       time.Time      `json:"at"`
	Until    time.Time      `json:"until"` // from then on it is told again
}

const (
	// MaxCovered is of how many trails a record keeps what they cover, which
	// keeps it below the 400 KB that DynamoDB stores in one item.
	MaxCovered = 500
	// goneKept is how long it is kept of a trail that is gone.
	goneKept = 90 * 24 * time.Hour
	// startGrace is how long a new trail may take to be started. CreateTrail makes one
	// that does not log; the console, a stack and a script call StartLogging
	// seconds later.
	startGrace = 10 * time.Minute
)

// covered returns what is remembered of a trail.
func (r Record) covered(arn string) (Covered, bool) {
	i := slices.IndexFunc(r.Coverage, func(c Covered) bool { return c.ARN == arn })
	if i < 0 {
		return Covered{}, false
	}
	return r.Coverage[i], true
}

// Misses reports whether the record does not know what one of the trails covers.
func (r Record) Misses(trails []trail.Trail) bool {
	return slices.ContainsFunc(trails, func(t trail.Trail) bool { _, known := r.covered(t.ARN); return !known })
}

// Adopt returns the record with what other records know of trails that it does not
// know: a trail that delivers into another bucket now is to cover what it did.
func (r Record) Adopt(trails []trail.Trail, others []Record) Record {
	for _, t := range trails {
		if _, known := r.covered(t.ARN); known {
			continue
		}
		for _, other := range others {
			c, known := other.covered(t.ARN)
			if !known || other.Key == r.Key {
				continue
			}
			c.Gone = time.Time{}
			r.Coverage = sortedCoverage(covering(r.Coverage, c))
			for _, a := range other.Accepted {
				if a.Coverage.ARN == t.ARN {
					r = r.Accept(a)
				}
			}
		}
	}
	return r
}

// Expected returns what the bucket's trails are to cover: the most that they
// covered, but for what is accepted.
func (r Record) Expected(now time.Time) []trail.Coverage {
	var list []trail.Coverage
	for _, c := range r.Coverage {
		expected := c.Coverage
		for _, a := range r.Accepted {
			if a.Coverage.ARN == c.ARN && now.Before(a.Until) {
				expected = expected.Without(a.Lost, a.Coverage)
			}
		}
		list = append(list, expected)
	}
	return list
}

// Lost returns the parts of which a trail covers less than it did, those that are
// accepted among them.
func (r Record) Lost(t trail.Trail) []trail.Part {
	before, known := r.covered(t.ARN)
	if !known {
		return nil
	}
	return t.Coverage().Less(before.Coverage)
}

// Accept returns the record with an acceptance, in the place of an earlier one of the
// trail. One that has ended is left out.
func (r Record) Accept(a Acceptance) Record {
	r.Accepted = slices.DeleteFunc(slices.Clone(r.Accepted), func(old Acceptance) bool {
		return old.Coverage.ARN == a.Coverage.ARN || !a.At.Before(old.Until)
	})
	r.Accepted = append(r.Accepted, a)
	return r
}

// Unaccept returns the record without the acceptance of a trail, by its ARN or its
// name.
func (r Record) Unaccept(name string) Record {
	r.Accepted = slices.DeleteFunc(slices.Clone(r.Accepted), func(a Acceptance) bool {
		return a.Coverage.ARN == name || strings.HasSuffix(a.Coverage.ARN, ":trail/"+name)
	})
	if len(r.Accepted) == 0 {
		r.Accepted = nil
	}
	return r
}

// Cover returns the record with the most that each of the trails was seen to cover.
// Made says when a call made a trail. All says that these are all trails of the
// bucket, so that another one is gone.
func (r Record) Cover(trails []trail.Trail, made map[string]time.Time, all bool, now time.Time) Record {
	knew := len(r.Coverage) > 0
	list := slices.Clone(r.Coverage)
	for _, t := range trails {
		c, known := r.covered(t.ARN)
		next := Covered{Coverage: t.Coverage(), Made: made[t.ARN]}
		switch {
		case known:
			next.Made = cmp.Or(next.Made, c.Made)
		case knew:
			next.Made = cmp.Or(next.Made, now)
		}
		list = covering(list, next)
	}
	if all {
		list = gone(list, trails, now)
	}
	r.Coverage = sortedCoverage(list)
	return r
}

// gone marks the trails that are not there any more, and leaves out those that
// have been gone for long.
func gone(list []Covered, trails []trail.Trail, now time.Time) []Covered {
	for i := range list {
		there := slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.ARN == list[i].ARN })
		if !there && list[i].Gone.IsZero() {
			list[i].Gone = now
		}
	}
	return slices.DeleteFunc(list, func(c Covered) bool { return !c.Gone.IsZero() && now.Sub(c.Gone) > goneKept })
}

// covering returns the list with one more, joined with what is known of the same
// trail.
func covering(list []Covered, c Covered) []Covered {
	list = slices.Clone(list)
	if i := slices.IndexFunc(list, func(known Covered) bool { return known.ARN == c.ARN }); i >= 0 {
		c.Coverage, c.Made = list[i].With(c.Coverage), cmp.Or(c.Made, list[i].Made)
		list = slices.Delete(list, i, i+1)
	}
	return append(list, c)
}

// sortedCoverage orders the list by ARN, with the trails that are there first, and cuts it
// to what a record keeps.
func sortedCoverage(list []Covered) []Covered {
	// By their keys: sorting such large values by a function costs each of the
	// functions 20 KB of code.
	byKey := make(map[string]Covered, len(list))
	for _, c := range list {
		key := "0" + c.ARN
		if !c.Gone.IsZero() {
			key = "1" + c.ARN
		}
		byKey[key] = c
	}
	keys := slices.Sorted(maps.Keys(byKey))
	var sorted []Covered
	for _, key := range keys[:min(len(keys), MaxCovered)] {
		sorted = append(sorted, byKey[key])
	}
	return sorted
}

// New reports whether a trail was made minutes ago, so that it need not be started
// yet.
func (r Record) New(arn string, made map[string]time.Time, now time.Time) bool {
	at := made[arn]
	c, known := r.covered(arn)
	switch {
	case at.IsZero() && known:
		at = c.Made
	case at.IsZero() && len(r.Coverage) > 0:
		at = now // the bucket is known, and the trail was not there
	}
	return !at.IsZero() && now.Sub(at) < startGrace
}
