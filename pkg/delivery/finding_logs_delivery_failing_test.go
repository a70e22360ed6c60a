package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// What CloudTrail reports of CloudWatch Logs is told, and changes no verdict.
func TestLogsDeliveryFailing(t *testing.T) {
	tr := mainTrail()
	b := documented(t, []trail.Trail{tr}, trail.Environment{})
	r := delivery.Judge(b, []trail.Trail{tr}, trail.Environment{})
	r = delivery.JudgeStatus(r, []trail.Trail{tr}, []trail.Status{{ARN: tr.ARN, Logging: true, LogsError: "AccessDenied"}}, delivery.Evidence{})
	if f := finding(t, r, "logs-delivery-failing"); !strings.Contains(f.Message, "AccessDenied") || r.Verdict != delivery.Delivering {
		t.Errorf("verdict %s, %+v", r.Verdict, f)
	}
	checkReport(t, r)
}
