package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Whatever else is known, CloudTrail does not deliver where requesters pay.
func TestRequesterPaysBlocks(t *testing.T) {
	fine := documented(t, []trail.Trail{mainTrail()}, trail.Environment{})
	for _, b := range []delivery.Bucket{fine, {Name: "logs-b"}, {Name: "logs-b", State: delivery.PolicyMissing}} {
		b.Payer = "Requester"
		r := delivery.Judge(b, []trail.Trail{mainTrail(), mainTrail()}, trail.Environment{})
		checkReport(t, r)
		if f := finding(t, r, "requester-pays"); !f.Restorable || f.Severity != delivery.High || r.Verdict != delivery.Blocked {
			t.Errorf("verdict %s, finding %+v", r.Verdict, f)
		}
		if len(r.Trails) != 1 {
			t.Errorf("a trail that is listed twice is judged %d times", len(r.Trails))
		}
	}
}
