package guardrail_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// An event says that the policy of a trail's bucket was deleted. The bucket is
// opted in, so the guard restores what CloudTrail needs, and says so.
func ExampleGuard() {
	account := inmem.New(inmem.Description{
		Account: "111111111111", Region: "eu-central-1", Organization: trail.Organization{Known: true},
		Trails: []trail.Trail{{
			Name: "management-events", ARN: "arn:aws:cloudtrail:eu-central-1:111111111111:trail/management-events",
			HomeRegion: "eu-central-1", Bucket: "acme-audit-logs", MultiRegion: true,
		}},
		Buckets: []inmem.Bucket{{Name: "acme-audit-logs"}},
	})
	alerts := &inmem.Alerts{}
	now := time.Date(2026, 11, 20, 9, 0, 6, 0, time.UTC)
	guard := guardrail.New(
		guardrail.Ports{Trails: account, Buckets: account, Organizations: account, Alerts: alerts, Ledger: &inmem.Ledger{}},
		guardrail.Config{Restore: []string{"acme-audit-logs"}},
		guardrail.Runtime{
			Now:   func() time.Time { return now },
			Sleep: func(context.Context, time.Duration) error { return nil },
			Log:   slog.New(slog.DiscardHandler),
		})

	results, err := guard.Reconcile(context.Background(), guardrail.Request{
		Account: "111111111111", Region: "eu-central-1", Bucket: "acme-audit-logs",
		Change: &delivery.Change{
			Event: "DeleteBucketPolicy", Time: now.Add(-6 * time.Second),
			Actor: "arn:aws:iam::111111111111:user/dana", EventID: "7b2c1f7e-3a50-4c1b-9b57-0d2f6a1c9e44",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Println(r.Bucket, r.Report.Verdict, "repaired:", r.Repaired, "notified:", r.Notified)
	}
	fmt.Println(alerts.Messages()[0].Subject)
	// Output:
	// acme-audit-logs delivering repaired: true notified: [restored]
	// RESTORED: CloudTrail delivers again to acme-audit-logs - policy deleted by dana
}
