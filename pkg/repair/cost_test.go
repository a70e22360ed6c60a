package repair_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// An ordinary plan is proved by one judgement. The policies hold so many Denies
// that to judge one costs more than all else that a plan takes: a second
// judgement would double what it allocates.
func TestOrdinaryPlanIsProvedByOneJudgement(t *testing.T) {
	trails := []trail.Trail{numbered(0), numbered(1)}
	for i := range trails {
		trails[i].MultiRegion, trails[i].LogFileValidation = true, true
	}
	deny := `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/private/*",` +
		`"Condition":{"StringNotLike":{"aws:userId":["AROA1:*","AROA2:*"]}}}`
	denies := strings.Repeat(deny, 30) + "]}"
	documented, err := trail.DocumentedPolicy(trails, trail.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	open := strings.TrimSuffix(string(documented), "\n    ]\n}")
	for name, text := range map[string]string{
		"statements are gone": `{"Version":"2012-10-17","Statement":[` + readers(300) + denies,
		"a path is wrong":     strings.ReplaceAll(open, "/trail-01/", "/elsewhere/") + denies,
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := policy.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			b := delivery.Bucket{Name: testBucket, Owner: "111111111111", State: delivery.PolicyRead, Policy: doc}
			report := delivery.Judge(b, trails, trail.Environment{})
			var plan repair.Plan
			planning := testing.AllocsPerRun(3, func() { plan = repair.For(b, trails, trail.Environment{}, report, repair.Options{}) })
			if b.Policy, err = policy.Parse(plan.Policy); err != nil {
				t.Fatal(err)
			}
			judging := testing.AllocsPerRun(3, func() { report = delivery.Judge(b, trails, trail.Environment{}) })
			if report.Verdict != delivery.Delivering {
				t.Errorf("%s after the plan", report.Verdict)
			}
			if planning >= 2*judging {
				t.Errorf("the plan allocates %.0f times, and its judgement %.0f", planning, judging)
			}
		})
	}
}
