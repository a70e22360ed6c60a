package inventory_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// drawSurvey draws what asking one of three accounts came to, one of which is the
// management account. Names and times are few, so that they meet.
func drawSurvey(t *rapid.T) inventory.Survey {
	account := rapid.SampledFrom([]string{own, other, management}).Draw(t, "account")
	s := inventory.Survey{Account: account, At: at(rapid.IntRange(1, 6).Draw(t, "at")), Failed: rapid.IntRange(0, 4).Draw(t, "failed") == 0}
	s.Region = rapid.SampledFrom([]string{"", "us-east-1"}).Draw(t, "region")
	for _, owner := range []string{account, management} {
		for _, name := range []string{"a", "b"} {
			if bucket := rapid.SampledFrom([]string{"", "x-logs", "y-logs"}).Draw(t, "bucket"); bucket != "" && !s.Failed {
				s.Trails = append(s.Trails, trailOf(owner, name, bucket))
			}
		}
	}
	slices.SortFunc(s.Trails, func(x, y trail.Trail) int { return cmp2(x.ARN+x.Bucket, y.ARN+y.Bucket) })
	s.Trails = slices.CompactFunc(s.Trails, func(x, y trail.Trail) bool { return x.ARN == y.ARN })
	return s
}

func cmp2(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// drawSurveys draws surveys of which no two are of one account and time: an account is
// not two things at once.
func drawSurveys(t *rapid.T) []inventory.Survey {
	var all []inventory.Survey
	seen := map[string]bool{}
	for _, s := range rapid.SliceOfN(rapid.Custom(drawSurvey), 0, 8).Draw(t, "surveys") {
		if key := s.Account + s.At.String(); !seen[key] {
			seen[key] = true
			all = append(all, s)
		}
	}
	return all
}

// said is what a part says, without what never matters: buckets of which nothing is
// known.
func said(p inventory.Part) map[string]string {
	says := map[string]string{}
	for id, a := range p.Accounts {
		says[id] = fmt.Sprint(a)
	}
	for name, b := range p.Buckets {
		if !b.Empty() {
			says[name] = delivering(p, name)
		}
	}
	return says
}

// shownGone reports whether a survey proves that a trail, seen in a bucket by another one,
// does not deliver there any more.
func shownGone(x trail.Trail, seen, s inventory.Survey) bool {
	if s.Failed || s.At.Before(seen.At) {
		return false
	}
	i := slices.IndexFunc(s.Trails, func(now trail.Trail) bool { return now.ARN == x.ARN })
	elsewhere := i >= 0 && s.Trails[i].Bucket != x.Bucket
	return s.Account == x.Account() && (i < 0 || elsewhere) || elsewhere && s.At.After(seen.At)
}

// Merging never loses a trail that was not shown to be gone.
func TestNoTrailIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		surveys := drawSurveys(t)
		p := after(surveys...)
		for _, s := range surveys {
			for _, x := range s.Trails {
				gone := slices.ContainsFunc(surveys, func(other inventory.Survey) bool { return shownGone(x, s, other) })
				known := slices.ContainsFunc(p.Buckets[x.Bucket].Trails, func(k inventory.Trail) bool { return k.ARN == x.ARN })
				if !gone && !known {
					t.Fatalf("%s was seen in %s at %s and is not known any more", x.ARN, x.Bucket, s.At)
				}
			}
		}
	})
}

// What an account was last seen to have is what is known of it.
func TestLastSurveyCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		surveys := drawSurveys(t)
		p := after(surveys...)
		for id, a := range p.Accounts {
			for name, b := range p.Buckets {
				for _, x := range b.Trails {
					now, listed := a.Trail(x.ARN)
					if id == x.Account() && !a.ReadAt.Before(x.At) && (!listed || now.Bucket != name) {
						t.Fatalf("%s is said to deliver into %s, and its account was read since", x.ARN, name)
					}
				}
			}
		}
	})
}

func TestSurveyTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := after(drawSurveys(t)...), drawSurvey(t)
		once := p.With(s)
		if diff := cmp.Diff(once, once.With(s)); diff != "" {
			t.Fatalf("(-once +twice):\n%s", diff)
		}
	})
}

func TestOrderOfSurveysDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		surveys := drawSurveys(t)
		shuffled := rapid.Permutation(surveys).Draw(t, "order")
		if diff := cmp.Diff(said(after(surveys...)), said(after(shuffled...))); diff != "" {
			t.Fatalf("(-one order +the other):\n%s", diff)
		}
	})
}

// A part that is given is not changed: whoever is overtaken starts over with it.
func TestWithChangesNothingThatWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := after(drawSurveys(t)...)
		before := inventory.Part{Accounts: maps.Clone(p.Accounts), Buckets: maps.Clone(p.Buckets)}
		p.With(drawSurvey(t))
		if diff := cmp.Diff(before, p); diff != "" {
			t.Fatalf("(-before +after):\n%s", diff)
		}
	})
}
