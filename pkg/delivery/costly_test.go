package delivery_test

import (
	"fmt"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/costly"
)

// inputsOf are what Judge gets of a family.
func inputsOf(t testing.TB, c costly.Family) (delivery.Bucket, []trail.Trail, trail.Environment) {
	t.Helper()
	var trails []trail.Trail
	for i := range max(1, c.Trails) {
		account := fmt.Sprint(111111111111 + i)
		trails = append(trails, trail.Trail{
			Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:" + account + ":trail/main", HomeRegion: "us-east-1", Bucket: "logs-b",
			MultiRegion: true, LogFileValidation: true, InsightSelectors: true, Organization: c.Organization,
		})
		if c.OneAccount {
			trails[i].Name = fmt.Sprint("main", i)
			trails[i].ARN = "arn:aws:cloudtrail:us-east-1:" + costly.Account + ":trail/" + trails[i].Name
		}
	}
	env := trail.Environment{BucketRegion: "us-east-1", Now: now()}
	if c.Organization {
		env.Organization = trail.Organization{Known: true, ID: costly.Organization}
	}
	return delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: parse(t, string(c.Policy("logs-b", "main")))}, trails, env
}

// BenchmarkCostlyPolicies judges and plans, as the commands do.
func BenchmarkCostlyPolicies(b *testing.B) {
	for _, c := range costly.Families() {
		b.Run(c.Name, func(b *testing.B) {
			bucket, trails, env := inputsOf(b, c)
			var steps int
			for b.Loop() {
				budget := delivery.NewBudget(bucket, trails)
				r := delivery.JudgeWithin(budget, bucket, trails, env)
				repair.For(bucket, trails, env, r, repair.Options{Budget: budget})
				steps = budget.Used()
			}
			b.ReportMetric(float64(steps), "steps/op")
		})
	}
}

// TestCostlyPolicies: what careful owners write is decided in full, within a bound of
// steps, and whatever else anybody writes ends when the budget does. With a small
// part of the work the answers are the same, or open, and said to be.
func TestCostlyPolicies(t *testing.T) {
	for _, c := range costly.Families() {
		t.Run(c.Name, func(t *testing.T) {
			b, trails, env := inputsOf(t, c)
			budget, most := policy.NewBudget(400_000), 1_500_000+5_000*c.Trails
			if c.Honest && !underRace {
				budget, most = delivery.NewBudget(b, trails), 1000*c.Steps
			}
			r := delivery.JudgeWithin(budget, b, trails, env)
			judged := budget.Used()
			repair.For(b, trails, env, r, repair.Options{Budget: budget})
			t.Logf("%d steps, and %d for the plan; %d bytes, verdict %s", judged, budget.Used()-judged, len(b.Policy.Text()), r.Verdict)
			if c.Honest && !underRace && r.TooComplex() {
				t.Errorf("it is too complex: %s", show(r))
			}
			if budget.Used() > most {
				t.Errorf("%d steps, more than %d", budget.Used(), most)
			}
			if !underRace && c.Trails < 100 {
				checkStarved(t, r, b, trails, env, 0, 20_000)
			}
		})
	}
}

// checkStarved judges within small budgets, and compares.
func checkStarved(t *testing.T, full delivery.Report, b delivery.Bucket, trails []trail.Trail, env trail.Environment, budgets ...int) {
	t.Helper()
	for _, steps := range budgets {
		r := delivery.JudgeWithin(policy.NewBudget(steps), b, trails, env)
		differs := false
		for i, tr := range r.Trails {
			for k, q := range tr.Requirements {
				want := full.Trails[i].Requirements[k].Decision
				// A denial that is known may be one of several, and a worse one not be known.
				less := q.Decision == policy.Undetermined || q.Decision == policy.ImplicitDeny && want == policy.ExplicitDeny
				if q.Decision != want && !less && want != policy.Undetermined || want == policy.Undetermined && q.Decision != want && !full.TooComplex() {
					t.Errorf("%d steps: %s is %s, want %s", steps, q.ID, q.Decision, want)
				}
				differs = differs || q.Decision != want
			}
		}
		if (differs || len(r.Findings) < len(full.Findings)) && !r.TooComplex() && !full.TooComplex() {
			t.Errorf("%d steps: not said to be cut\n%s\nin full\n%s", steps, show(r), show(full))
		}
	}
}
