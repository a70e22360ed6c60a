package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// A trail's name binds nobody: any account may have a trail of that name.
func TestBoundByNameOnly(t *testing.T) {
	policyFor := func(arn string) *policy.Document {
		return parse(t, `{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},`+
			`"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],`+
			`"Condition":{"ArnLike":{"aws:SourceArn":"`+arn+`"}}}}`)
	}
	r := judgeMain(policyFor("arn:aws:cloudtrail:*:*:trail/main"))
	if f := finding(t, r, "source-arn-missing"); f.Kind != delivery.Weakness || r.Verdict != delivery.Delivering ||
		!strings.HasPrefix(f.Remedy, "What the Condition of statement A says of the source fits any account.") || strings.Contains(f.Remedy, "--harden") {
		t.Errorf("got %s\n%s", show(r), f.Remedy)
	}
	if r := judgeMain(policyFor("arn:aws:cloudtrail:*:111111111111:trail/*")); len(r.Findings) != 0 {
		t.Errorf("bound by its account: %s", show(r))
	}
}

// The Control Tower bucket's statement for the ACL names CloudTrail and nobody's
// trail; writes are bound. Nothing of a stranger's gets into the bucket.
func TestUnboundACLAlone(t *testing.T) {
	policyFor := func(action string) *policy.Document {
		return parse(t, `{"Version":"2012-10-17","Statement":[{"Sid":"AWSBucketPermissionsCheck","Effect":"Allow",`+
			`"Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":`+action+`,"Resource":"arn:aws:s3:::logs-b"},`+
			`{"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject",`+
			`"Resource":"arn:aws:s3:::logs-b/AWSLogs/111111111111/*",`+
			`"Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}}}]}`)
	}
	for action, want := range map[string]struct {
		severity delivery.Severity
		message  string
	}{
		`["s3:GetBucketAcl","s3:ListBucket"]`: {delivery.Low, "lets CloudTrail read the ACL of bucket logs-b for the trails of any account"},
		`"s3:*"`:                              {delivery.Medium, "allows CloudTrail to act on bucket logs-b for the trails of any account"},
	} {
		r := judgeMain(policyFor(action))
		f := finding(t, r, "source-arn-missing")
		if f.Severity != want.severity || !strings.Contains(f.Message, want.message) || r.Verdict != delivery.Delivering {
			t.Errorf("%s: %s\n%s", action, f.Severity, f.Message)
		}
	}
}
