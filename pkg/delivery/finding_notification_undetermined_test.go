package delivery_test

import (
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A topic that was not looked at says so, and makes no finding.
func TestTopicNotLookedAt(t *testing.T) {
	tr := mainTrail()
	tr.SNSTopic = "arn:aws:sns:us-east-1:111111111111:trail-notices"
	b, s := documented(t, []trail.Trail{tr}, trail.Environment{}), trail.Environment{}
	budget := delivery.NewBudget(b, []trail.Trail{tr})
	before := delivery.JudgeWithin(budget, b, []trail.Trail{tr}, s)
	for reason, want := range map[string][]string{"": {}, "AccessDenied": {"notification-undetermined"}} {
		chain := delivery.Chain{Topics: []delivery.Topic{{Topic: trail.Topic{ARN: tr.SNSTopic}, Reason: reason}}}
		r := delivery.JudgeChain(budget, before, b, []trail.Trail{tr}, s, chain)
		if got := ids(r.Findings); !slices.Equal(got, want) || r.Trails[0].Notification != delivery.Undetermined || r.Verdict != delivery.Delivering {
			t.Errorf("%q: %v, %+v", reason, got, r.Trails[0])
		}
		if slices.Contains(r.NotLookedAt, "topic") != (reason == "") {
			t.Errorf("%q: not looked at %v", reason, r.NotLookedAt)
		}
		checkReport(t, r)
	}
}
