package alert_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// textOf is the e-mail on one line.
func textOf(n alert.Notice) string {
	return strings.Join(strings.Fields(alert.Compose(n, alert.Text).Body), " ")
}

// An alert says what is lost, what waits, and when the next delivery is due, and promises
// nothing that is not so.
func TestWhatIsLost(t *testing.T) {
	stopped := openedStopped()
	for _, tt := range []struct {
		name      string
		notice    func() alert.Notice
		want, not string
	}{
		{"blocked a minute ago", openedPolicyDeleted, "Lost Nothing yet. CloudTrail keeps what it cannot deliver, and tries again until 2026-10-13 17:50:37 UTC. " +
			"Waiting: what was recorded since the last delivery, 2026-09-13 17:46:37 UTC. Deliveries are due about every 5 minutes, the next at 17:51 UTC.", ""},
		{"the last delivery is not known", func() alert.Notice {
			n := openedPolicyDeleted()
			n.Statuses = nil
			return n
		}, "Deliveries are due about every 5 minutes.", "Waiting:"},
		{"blocked for longer than CloudTrail tries", func() alert.Notice {
			n := openedPolicyDeleted()
			n.At = n.Since.Add(31 * 24 * time.Hour)
			return n
		}, "Lost What was not delivered before 2026-09-14 17:50:37 UTC", "Nothing yet"},
		{"nobody knows since when", func() alert.Notice {
			n := openedPolicyDeleted()
			n.Since = time.Time{}
			return n
		}, "Lost What has waited for 30 days.", "Nothing yet"},
		{"stopped", func() alert.Notice { return stopped }, "Lost Events since 2026-09-13 17:50:37 UTC are recorded in no file of the trail, and cannot be had later.", "Nothing yet"},
		{"deleted", openedTrailDeleted, "cannot be had later", "Nothing yet"},
		{"the bucket is somebody else's", func() alert.Notice {
			n := openedPolicyDeleted()
			n.Report.Findings = []delivery.Finding{{ID: delivery.BucketOwnerChangedID, Kind: delivery.Outage, Severity: delivery.Critical}}
			return n
		}, "Lost Not known. Whoever owns the bucket's name now may", "Nothing yet"},
		{"only digest files", func() alert.Notice {
			n := openedDenied()
			n.Report.Trails[1].Requirements = n.Report.Trails[1].Requirements[2:]
			n.Report.Findings = []delivery.Finding{{ID: delivery.DeniedID(trail.DigestFiles), Kind: delivery.Outage, Severity: delivery.High, Trail: mainTrail}}
			return n
		}, "Lost Log files are not concerned. What is refused: digest files.", "Nothing yet"},
		{"not certain", openedUndetermined, "Lost Not known.", "Nothing yet"},
		{"restored", restored, "Lost Nothing that waited: CloudTrail delivers it now", ""},
		{"restored too late", func() alert.Notice {
			n := restored()
			n.At = n.Since.Add(31 * 24 * time.Hour)
			return n
		}, "Lost What was not delivered within 30 days.", "Nothing that waited"},
		{"a trail that is there again", func() alert.Notice {
			n := openedTrailDeleted()
			n.Kind, n.Report.Findings = alert.Resolved, nil
			return n
		}, "Lost Events of the time between are in no file", "Nothing that waited"},
		{"a weakness", openedWeakness, "", "Lost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := textOf(tt.notice())
			if !strings.Contains(text, tt.want) || tt.not != "" && strings.Contains(text, tt.not) {
				t.Errorf("want %q and not %q in\n%s", tt.want, tt.not, text)
			}
		})
	}
}

// Links go to the console of the partition, and only names that AWS gave out stand in them.
func TestConsoleLinks(t *testing.T) {
	for _, tt := range []struct {
		bucket, region, want string
	}{
		{"logs-b", "us-east-1", "https://us-east-1.console.aws.amazon.com/s3/buckets/logs-b?region=us-east-1&tab=permissions"},
		{"logs-b", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/s3/buckets/logs-b?region=cn-north-1&tab=permissions"},
		{"logs-b", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/s3/buckets/logs-b?region=us-gov-west-1&tab=permissions"},
		{"logs-b", "us-iso-east-1", ""},
		{"logs-b", "evil.example/", ""},
		{"logs-b", "", ""},
		{"logs/../b?x=", "us-east-1", ""},
	} {
		n := openedPolicyDeleted()
		n.Report.Bucket, n.Region = tt.bucket, tt.region
		text := textOf(n)
		if got := strings.Contains(text, "/s3/buckets/"); got != (tt.want != "") || !strings.Contains(text, tt.want) {
			t.Errorf("%s in %q: want %q in\n%s", tt.bucket, tt.region, tt.want, text)
		}
	}
	n := openedPolicyDeleted()
	n.Changes[0].EventID, n.Changes[0].Region = "x&EventId=y", "us-east-1"
	if text := textOf(n); strings.Contains(text, "EventId=") {
		t.Errorf("an id that is none stands in a link:\n%s", text)
	}
}

// Who fights is counted, and a failed call is not told beside one that was made.
func TestActorsAreCounted(t *testing.T) {
	failed := deleted()
	failed.Actor, failed.ErrorCode = "arn:aws:iam::111111111111:user/mallory", "AccessDenied"
	n := fight()
	n.Changes = append([]delivery.Change{failed}, n.Changes...)
	text := textOf(n)
	for _, want := range []string{"assumed-role/Developer/alice 3 times, the last: DeleteBucketPolicy", "assumed-role/Terraform/pipeline PutBucketPolicy"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "mallory") {
		t.Errorf("a call that failed is told:\n%s", text)
	}
	n.Changes = []delivery.Change{failed}
	if text := textOf(n); !strings.Contains(text, "failed call of DeleteBucketPolicy") {
		t.Errorf("the only call is not told:\n%s", text)
	}
}

// One statement that stops four things of two trails is one problem; a symptom is none.
func TestOneProblemPerCause(t *testing.T) {
	n := openedDenied()
	for _, f := range n.Report.Findings {
		f.Trail = orgTrail
		n.Report.Findings = append(n.Report.Findings, f)
	}
	n.Report.Findings = append(n.Report.Findings, delivery.Finding{ID: delivery.DeliveryFailingID, Kind: delivery.Outage, Severity: delivery.Critical, Trail: mainTrail, Message: "CloudTrail reports AccessDenied."})
	text := textOf(n)
	if strings.Count(text, "Statement OnlyFromVpce denies CloudTrail") != 1 || strings.Count(text, "The statement would have to read:") != 1 {
		t.Errorf("the statement is told of more than once, or never:\n%s", text)
	}
	if !strings.Contains(text, "Stops: log files, the check of the bucket's ACL Trails: main, organization") {
		t.Errorf("not all that it stops is told:\n%s", text)
	}
	if strings.Contains(text, "CloudTrail reports AccessDenied") {
		t.Errorf("a symptom is told as a problem of its own:\n%s", text)
	}
	if slices.ContainsFunc(alert.NextSteps(n), func(s alert.Step) bool { return strings.Contains(s.Text, "what the policy does not show") }) {
		t.Error("a symptom has a step of its own")
	}
}
