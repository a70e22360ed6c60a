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
	testStatuses(t, []statusTest{
		{"logging", fine, trail.Status{ARN: mainARN, Logging: true, DeliveredAt: deliveredAt()}, []string{}, nil},
		{
			"stopped and failing", fine,
			trail.Status{ARN: mainARN, DeliveryError: "AccessDenied"},
			[]string{"trail-stopped", "delivery-failing"},
			nil,
		},
		{"another trail", fine, trail.Status{ARN: mainARN + "2"}, []string{}, nil},
	})
}

func deliveredAt() time.Time { return time.Date(2026, 10, 31, 8, 0, 0, 0, time.UTC) }

// statusTest is what CloudTrail reports of a trail, after the judgement on its
// bucket, and what is found and said then.
type statusTest struct {
	name   string
	report func(*testing.T) delivery.Report
	status trail.Status
	want   []string
	says   []string
}

// fine is the judgement on a bucket with the policy that AWS documents.
func fine(t *testing.T) delivery.Report {
	trails := []trail.Trail{mainTrail()}
	return delivery.Judge(documented(t, trails, trail.Environment{}), trails, trail.Environment{Now: now()})
}

// broken is the judgement on a bucket without a policy.
func broken(*testing.T) delivery.Report {
	b := delivery.Bucket{Name: "logs-b", State: delivery.PolicyMissing}
	return delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{Now: now()})
}

func testStatuses(t *testing.T, tests []statusTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := tt.report(t)
			before := show(report)
			r := delivery.JudgeStatus(report, []trail.Trail{mainTrail()}, []trail.Status{tt.status}, delivery.Evidence{})
			checkReport(t, r)
			if got := ids(r.Findings); !slices.Equal(got, tt.want) {
				t.Errorf("findings %v, want %v", got, tt.want)
			}
			for _, text := range tt.says {
				if !strings.Contains(show(r), text) {
					t.Errorf("does not say %q:\n%s", text, show(r))
				}
			}
			if show(report) != before {
				t.Error("the report that was given has changed")
			}
			for i, q := range r.Trails[0].Requirements {
				if q.Decision != report.Trails[0].Requirements[i].Decision {
					t.Errorf("%s has changed to %s", q.ID, q.Decision)
				}
			}
		})
	}
}
