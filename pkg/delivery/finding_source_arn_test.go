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
