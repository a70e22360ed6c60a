package repair_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// realCase is a row of the corpora of pkg/delivery.
type realCase struct{ buckets.Row }

func realCases(t *testing.T) []realCase {
	t.Helper()
	var out []realCase
	for _, row := range buckets.Rows(t, "../delivery/testdata") {
		out = append(out, realCase{row})
	}
	return out
}

func (c realCase) read(t *testing.T) (delivery.Bucket, []trail.Trail, trail.Environment) {
	t.Helper()
	trails, err := trail.Parse(c.Trails)
	if err != nil {
		t.Fatal(err)
	}
	b := delivery.Bucket{Name: c.Bucket, Owner: c.Owner, State: delivery.PolicyMissing, Payer: c.Payer}
	if len(c.Policy) > 0 && string(c.Policy) != "null" {
		if b.Policy, err = policy.Parse(c.Policy); err != nil {
			t.Fatal(err)
		}
		b.State = delivery.PolicyRead
	}
	return b, trails, c.Environment(t, time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
}

// The advice is what the planner does. A finding that a plan mends names the
// statements that it changes and no other, and none where it adds one; its
// remedy tells of the change.
func TestAdviceIsThePlan(t *testing.T) {
	t.Parallel()
	served, added, changed, asked := 0, 0, 0, 0
	for _, c := range realCases(t) {
		b, trails, env := c.read(t)
		report := delivery.Judge(b, trails, env)
		plan := repair.For(b, trails, env, report, repair.Options{})
		hardened := repair.For(b, trails, env, report, repair.Options{Harden: true})
		advised := repair.Advise(b.Policy, report, plan, hardened)
		if len(advised.Findings) != len(report.Findings) {
			t.Fatalf("%s: %d findings, want %d", c.ID, len(advised.Findings), len(report.Findings))
		}
		for i, f := range advised.Findings {
			if before := report.Findings[i]; before.ID != f.ID || before.Kind != f.Kind || before.Severity != f.Severity || before.Restorable != f.Restorable {
				t.Errorf("%s: advice changes more than words: %+v, was %+v", c.ID, f, before)
			}
			known, _ := delivery.LookupType(f.ID)
			if known.Requirement == "" || f.Edit != "" {
				continue
			}
			var want []string
			serves := false
			for _, change := range plan.Changes {
				if !slices.Contains(change.Serves, repair.Purpose{Trail: f.Trail, Requirement: known.Requirement}) {
					continue
				}
				serves = true
				for _, index := range change.Edits {
					want = append(want, b.Policy.Label(index))
				}
				if len(change.Edits) == 0 && !strings.Contains(f.Remedy, "Add statement "+change.Statement) {
					t.Errorf("%s: %s: a statement is added, and the remedy is %s", c.ID, f.ID, f.Remedy)
				}
			}
			for _, r := range plan.Refused {
				if !serves && r.Finding == f.ID && r.Trail == f.Trail && strings.Contains(r.Reason, ": give --") {
					asked++
					if f.Remedy != r.Reason {
						t.Errorf("%s: %s: the plan asks %q, and the remedy is %q", c.ID, f.ID, r.Reason, f.Remedy)
					}
				}
			}
			if !serves {
				continue
			}
			served++
			if len(want) == 0 {
				added++
			} else {
				changed++
			}
			if !slices.Equal(f.Statements, append([]string{}, want...)) {
				t.Errorf("%s: %s names %v, and the plan changes %v", c.ID, f.ID, f.Statements, want)
			}
			for _, name := range want {
				if !strings.Contains(f.Remedy, name) {
					t.Errorf("%s: %s: the plan changes %s, and the remedy is %s", c.ID, f.ID, name, f.Remedy)
				}
			}
			if named, ok := nearest(f.Message); ok && len(want) > 0 && !slices.Contains(want, named) {
				t.Errorf("%s: %s: the message names %s, and the plan changes %v: %s", c.ID, f.ID, named, want, f.Message)
			}
		}
	}
	t.Logf("%d findings that a plan mends: %d by a statement that is added, %d by one that is changed; %d on which it asks", served, added, changed, asked)
	if added == 0 || changed == 0 || asked == 0 {
		t.Error("the corpora hold no case of each")
	}
}

// nearest is the statement that a message names as the nearest.
func nearest(message string) (string, bool) {
	_, rest, ok := strings.Cut(message, "; the nearest, ")
	name, _, _ := strings.Cut(rest, ", does not match")
	return name, ok
}

// What hardening changes is told of the weakness, or why it does not.
func TestAdviceOnWeaknesses(t *testing.T) {
	t.Parallel()
	told := 0
	for _, c := range realCases(t) {
		b, trails, env := c.read(t)
		report := delivery.Judge(b, trails, env)
		if !repair.Hardens(report) {
			continue
		}
		hardened := repair.For(b, trails, env, report, repair.Options{Harden: true})
		for _, f := range repair.Advise(b.Policy, report, repair.Plan{}, hardened).Findings {
			if f.ID != delivery.SourceARNMissingID && f.ID != delivery.LegacyAccountsID {
				continue
			}
			told++
			promises := strings.Contains(f.Remedy, "plan --harden changes") || strings.Contains(f.Remedy, "plan --harden adds")
			changes := slices.ContainsFunc(hardened.Changes, func(c repair.Change) bool {
				return slices.ContainsFunc(c.Serves, func(p repair.Purpose) bool { return p.Finding == f.ID })
			})
			if promises != changes {
				t.Errorf("%s: %s: hardening changes something: %t, and the remedy is %s", c.ID, f.ID, changes, f.Remedy)
			}
			if !changes && strings.Contains(f.Remedy, "plan --harden shows the change") {
				t.Errorf("%s: %s: sent to a plan that does nothing: %s", c.ID, f.ID, f.Remedy)
			}
		}
	}
	if told == 0 {
		t.Error("the corpora hold no weakness")
	}
}
