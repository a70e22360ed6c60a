package alert_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// The first lines of an e-mail say what happened.
func ExampleCompose() {
	m := alert.Compose(alert.Notice{
		Kind:    alert.Opened,
		Account: "111111111111",
		Region:  "us-east-1",
		Report: delivery.Report{
			Bucket:  "logs-b",
			Verdict: delivery.Blocked,
			Findings: []delivery.Finding{{
				ID: "policy-missing", Kind: delivery.Outage, Severity: delivery.Critical, Restorable: true,
				Message: "Bucket logs-b has no policy.",
			}},
		},
		Changes: []delivery.Change{{
			Event:    "DeleteBucketPolicy",
			Time:     time.Date(2026, time.September, 13, 17, 50, 37, 0, time.UTC),
			Actor:    "arn:aws:iam::111111111111:user/alice",
			SourceIP: "203.0.113.7",
		}},
	}, alert.Text)
	first, _, _ := strings.Cut(m.Body, "\n\nWhat is wrong")
	fmt.Println(m.Subject)
	fmt.Println()
	fmt.Println(first)
	// Output:
	// CRITICAL: CloudTrail blocked at logs-b - policy deleted by alice
	//
	// A problem was found: CloudTrail cannot deliver its log files to this bucket.
	//
	// Severity    CRITICAL
	// Bucket      logs-b (account 111111111111, us-east-1)
	// Verdict     blocked
	// Lost        What has waited for 30 days. For as long CloudTrail keeps what it
	//             cannot deliver, and tries again.
	//             Deliveries are due about every 5 minutes.
	// Since       not known
	// Changed by  arn:aws:iam::111111111111:user/alice
	//             DeleteBucketPolicy, 2026-09-13 17:50:37 UTC, from 203.0.113.7
	// Done        Nothing was written: the bucket is not listed for restoring.
	// Console     https://us-east-1.console.aws.amazon.com/s3/buckets/logs-b?region=us-east-1&tab=permissions
	//
	// What to do now
	//  1. Restore it. The command shows the change and asks before it writes:
	//       trailwarden restore --bucket logs-b --bucket-owner 111111111111 --region us-east-1
	//  2. When it is done, check:
	//       trailwarden audit --region us-east-1
}

// Text from outside cannot forge a line.
func ExampleClean() {
	fmt.Println(alert.Clean("bob\nBucket      other\u2028\u202e"))
	// Output: bob\nBucket      other\u2028\u202e
}
