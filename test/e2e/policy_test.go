package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Statements as AWS documents them, in the spelling of a person.

func aclCheck(trails string) string {
	return fmt.Sprintf(`{"Sid": "AWSCloudTrailAclCheck20150319", "Effect": "Allow",
  "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl",
  "Resource": "arn:aws:s3:::%s", "Condition": {"StringEquals": {"aws:SourceArn": %s}}}`, bucket, trails)
}

func write(trails, path string) string {
	return fmt.Sprintf(`{"Sid": "AWSCloudTrailWrite20150319", "Effect": "Allow",
  "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
  "Resource": "arn:aws:s3:::%s/%s", "Condition": {"StringEquals":
  {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": %s}}}`, bucket, path, trails)
}

const (
	quotedTrail = `"` + trailARN + `"`
	ownPath     = "AWSLogs/" + account + "/*"

	// Statements of others, in odd spellings that must be kept.
	tlsOnly = `{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*",
    "Resource":[ "arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*" ],"Condition":{"Bool":{"aws:SecureTransport":false}}}`
	reader = `{ "Effect" : "Allow", "Sid":"SecurityLakeReader", "Principal" : { "AWS" : [ "arn:aws:iam::222222222222:role/log-reader" ] },
      "Action" : [ "s3:GetObject" , "s3:ListBucket" ], "Resource" : ["arn:aws:s3:::` + bucket + `", "arn:aws:s3:::` + bucket + `\/*"] }`
	endpointOnly = `{"Sid":"OnlyFromVpce","Effect":"Deny","Principal":"*","Action":"s3:*",
    "Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"],
    "Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0a1b2c3d"}}}`
)

// policy joins statements to a policy.
func policy(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",\n") + `]}`
}

func documented() string {
	return policy(aclCheck(quotedTrail), write(quotedTrail, ownPath))
}

// account state that most tests begin with: a trail that delivers.
func (w *world) healthy(policyText string) {
	w.t.Helper()
	createBucket(w.t, bucket)
	putPolicy(w.t, bucket, policyText)
	createTrail(w.t, object{"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true, "EnableLogFileValidation": true})
}

// keeps fails unless the policy holds the statements byte for byte.
func (w *world) keeps(statements ...string) {
	w.t.Helper()
	now := policyOf(w.t, bucket)
	for _, s := range statements {
		if !strings.Contains(now, s) {
			w.t.Errorf("the policy does not hold, byte for byte,\n%s\nbut is\n%s", s, now)
		}
	}
}

// is fails unless the policy is byte for byte this one.
func (w *world) is(want string) {
	w.t.Helper()
	if diff := cmp.Diff(want, policyOf(w.t, bucket)); diff != "" {
		w.t.Errorf("the policy was changed (-want +got):\n%s", diff)
	}
}

// delivers fails unless CloudTrail can deliver into the bucket.
func (w *world) delivers() {
	w.t.Helper()
	if got := w.verdict(bucket); got != "delivering" {
		w.t.Errorf("verdict is %s, want delivering, with the policy\n%s", got, policyOf(w.t, bucket))
	}
}

// reads is the calls of a function that only read.
func (w *world) writes(want int) {
	w.t.Helper()
	calls := w.calls()
	got := 0
	for op, n := range calls {
		if strings.HasPrefix(op, "s3:Put") || strings.HasPrefix(op, "s3:Delete") {
			got += n
		}
	}
	if got != want {
		w.t.Errorf("the functions wrote %d times, want %d: %v", got, want, calls)
	}
}

func TestTheAccountIsAsTheTestsThink(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	w.is(documented())
	w.delivers()
	deletePolicy(t, bucket)
	if got := w.verdict(bucket); got != "blocked" {
		t.Errorf("without a policy the verdict is %s", got)
	}
}
