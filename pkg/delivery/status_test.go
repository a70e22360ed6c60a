package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestJudgeStatus(t *testing.T) {
	at := time.Date(2026, 10, 31, 8, 0, 0, 0, time.UTC)
	trails := []trail.Trail{mainTrail()}
	fine := delivery.Judge(documented(t, trails, trail.Environment{}), trails, trail.Environment{Now: now()})
	broken := delivery.Judge(delivery.Bucket{Name: "logs-b", State: delivery.PolicyMissing}, trails, trail.Environment{Now: now()})
	tests := []struct {
		name   string
		report delivery.Report
		status trail.Status
		want   []string
		says   []string
	}{
		{"logging", fine, trail.Status{ARN: mainARN, Logging: true, DeliveredAt: at}, []string{}, nil},
		{"stopped", fine, trail.Status{ARN: mainARN, StoppedLoggingAt: at}, []string{"trail-stopped"}, []string{"2026-10-31T08:00:00Z", "start-logging --name " + mainARN}},
		{
			"denied though the policy allows", fine,
			trail.Status{ARN: mainARN, Logging: true, DeliveryError: "AccessDenied", DeliveredAt: at},
			[]string{"delivery-failing"},
			[]string{"AccessDenied for log files", "resource control polic", "KMS key", "2026-10-31T08:00:00Z"},
		},
		{"denied as the policy says", broken, trail.Status{ARN: mainARN, Logging: true, DeliveryError: "AccessDenied"}, []string{"policy-missing", "delivery-failing"}, []string{"the bucket's policy denies it as well", "no delivery is known to have worked"}},
		{"no bucket", fine, trail.Status{ARN: mainARN, Logging: true, DeliveryError: "NoSuchBucket"}, []string{"delivery-failing"}, []string{"the bucket does not exist"}},
		{"key", fine, trail.Status{ARN: mainARN, Logging: true, DigestError: "KMS.DisabledException"}, []string{"delivery-failing"}, []string{"KMS.DisabledException for digest files", "key policy"}},
		{"both", fine, trail.Status{ARN: mainARN, Logging: true, DeliveryError: "SlowDown", DigestError: "AccessDenied"}, []string{"delivery-failing"}, []string{"SlowDown for log files and AccessDenied for digest files"}},
		{"stopped and failing", fine, trail.Status{ARN: mainARN, DeliveryError: "AccessDenied"}, []string{"trail-stopped", "delivery-failing"}, nil},
		{"another trail", fine, trail.Status{ARN: mainARN + "2"}, []string{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := show(tt.report)
			r := delivery.JudgeStatus(tt.report, trails, []trail.Status{tt.status})
			checkReport(t, r)
			if got := ids(r.Findings); !slices.Equal(got, tt.want) {
				t.Errorf("findings %v, want %v", got, tt.want)
			}
			for _, text := range tt.says {
				if !strings.Contains(show(r), text) {
					t.Errorf("does not say %q:\n%s", text, show(r))
				}
			}
			if show(tt.report) != before {
				t.Error("the report that was given has changed")
			}
			for i, q := range r.Trails[0].Requirements {
				if q.Decision != tt.report.Trails[0].Requirements[i].Decision {
					t.Errorf("%s has changed to %s", q.ID, q.Decision)
				}
			}
		})
	}
}

func TestTrailDeleted(t *testing.T) {
	f := delivery.TrailDeleted(mainARN)
	if f.ID != "trail-deleted" || f.Kind != delivery.Outage || f.Severity != delivery.Critical || f.Trail != mainARN || f.Restorable {
		t.Errorf("got %+v", f)
	}
	if !strings.Contains(f.Message, mainARN) || f.Remedy == "" || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
}
