package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// found is what samples have to show.
type found struct {
	worst  policy.Outcome
	denies []policy.Truth // of each Deny, the most that it gives for some sample
}

func foundIn(d *policy.Document, samples policy.Samples) found {
	rank := map[policy.Outcome]int{policy.Allowed: 0, policy.Undetermined: 1, policy.ImplicitDeny: 2, policy.ExplicitDeny: 3}
	out := found{policy.Allowed, make([]policy.Truth, d.Len())}
	for _, s := range samples.List {
		outcome := s.Decision.Outcome
		if s.Decision.DeniedEitherWay && outcome == policy.Undetermined {
			outcome = policy.ImplicitDeny
		}
		if rank[outcome] > rank[out.worst] {
			out.worst = outcome
		}
		for i, m := range s.Decision.Matches {
			if d.At(i).Effect == policy.Deny {
				out.denies[i] = max(out.denies[i], m.Truth())
			}
		}
	}
	return out
}

// TestSearchAgainstClasses: what people ask for and how they write policies, decided
// by every class of keys and by the search that is made where these are too many.
func TestSearchAgainstClasses(t *testing.T) {
	compared := 0
	for _, c := range buckets.Rows(t, "../delivery/testdata") {
		d, err := policy.Parse(c.Policy)
		if err != nil {
			continue // there is none
		}
		trails, err := trail.Parse(c.Trails)
		if err != nil {
			t.Fatal(err)
		}
		env := trail.Environment{Now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		if len(c.Organization) > 0 {
			env.Organization.Known = true
			if err := json.Unmarshal(c.Organization, &env.Organization.ID); err != nil {
				t.Fatal(err)
			}
		}
		for _, tr := range trails {
			env.Bucket = tr.Bucket
			for _, q := range trail.ServiceRequirements(tr, env) {
				for i, set := range q.Sets {
					r := policy.Request{Caller: set.Caller, Action: q.Action, Context: set.Context}
					all := d.Prepare(&r, policy.NewBudget(policy.DecisionSteps)).Samples(set.Resources)
					searching := d.Prepare(&r, policy.NewBudget(policy.DecisionSteps))
					searching.SearchOnly()
					some := searching.Samples(set.Resources)
					if !some.Complete || !some.All || some.Exhaustive {
						t.Errorf("%s, %s %d: the search was cut", c.ID, q.ID, i)
					}
					if !all.Exhaustive {
						continue // it has searched too
					}
					compared++
					want, got := foundIn(d, all), foundIn(d, some)
					if got.worst != want.worst {
						t.Errorf("%s, %s %d: %s, want %s", c.ID, q.ID, i, got.worst, want.worst)
					}
					for k := range want.denies {
						if got.denies[k] != want.denies[k] {
							t.Errorf("%s, %s %d: statement %d matches: %s, want %s", c.ID, q.ID, i, k, got.denies[k], want.denies[k])
						}
					}
				}
			}
		}
	}
	if compared < 1_000 {
		t.Errorf("only %d were compared", compared)
	}
}
