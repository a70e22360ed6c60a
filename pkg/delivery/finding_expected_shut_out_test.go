package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Whoever was named by a grant is told of when the policy lets him in no more,
// and not while it may.
func TestExpectedShutOut(t *testing.T) {
	byName, byAccount := delivery.Grantee{Account: "222222222222", Trail: theirARN}, delivery.Grantee{Account: "222222222222"}
	folder := `"arn:aws:s3:::logs-b/AWSLogs/222222222222/*"`
	deny := `{"Version":"2012-10-17","Statement":[{"Sid":"Write",` + allowed + `,"Action":"s3:PutObject","Resource":` + folder +
		`},{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/*"}]}`
	for name, test := range map[string]struct {
		policy   string
		expected delivery.Grantee
		out      bool
	}{
		"granted by its folder":      {grant("s3:PutObject", folder, ""), byName, false},
		"granted by its name":        {grant("s3:PutObject", folder, `"StringEquals":{"aws:SourceArn":"`+theirARN+`"}`), byName, false},
		"some trail is granted":      {grant("s3:PutObject", folder, `"StringEquals":{"aws:SourceArn":"`+theirARN+`"}`), byAccount, false},
		"granted with encryption":    {grant("s3:PutObject", folder, `"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}`), byName, false},
		"granted for everybody":      {grant("s3:*", `"arn:aws:s3:::logs-b/*"`, ""), byAccount, false},
		"no policy":                  {"", byName, true},
		"another folder":             {grant("s3:PutObject", strings.ReplaceAll(folder, "222222222222", "333333333333"), ""), byAccount, true},
		"another trail":              {grant("s3:PutObject", folder, `"StringEquals":{"aws:SourceArn":"`+theirARN+`2"}`), byName, true},
		"a Deny":                     {deny, byName, true},
		"another prefix":             {grant("s3:PutObject", folder, ""), delivery.Grantee{Account: "222222222222", Prefix: "audit"}, true},
		"granted, and it is foreign": {grant("s3:PutObject", strings.ReplaceAll(folder, "b/", "b/audit/"), ""), delivery.Grantee{Account: "222222222222", Prefix: "audit"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := judgeUnused(t, test.policy, test.expected)
			if !test.out {
				if r.Verdict != delivery.Delivering || strings.Contains(show(r), "expected-shut-out") {
					t.Error(show(r))
				}
				return
			}
			f := finding(t, r, "expected-shut-out")
			if r.Verdict != delivery.Undetermined || f.Kind != delivery.Unknown || f.Severity != delivery.High ||
				!strings.Contains(f.Message, test.expected.String()) {
				t.Errorf("%s: %+v", r.Verdict, f)
			}
		})
	}
}

// What is not known is not fine, and a bucket that is known to have trails says by
// itself that its policy cannot be read.
func TestExpectedOfABucketThatCannotBeRead(t *testing.T) {
	b := delivery.Bucket{
		Name: "logs-b", Owner: "111111111111", Reason: "s3:GetBucketPolicy answers AccessDenied",
		Expected: []delivery.Grantee{{Account: "222222222222"}},
	}
	r := delivery.JudgeUnused(delivery.NewBudget(b, nil), b, trail.Environment{Now: now()})
	if f := finding(t, r, "expected-shut-out"); r.Verdict != delivery.Undetermined || !strings.Contains(f.Message, "(s3:GetBucketPolicy answers AccessDenied)") {
		t.Errorf("%s: %+v", r.Verdict, f)
	}
	r = delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{Now: now()})
	if strings.Contains(show(r), "expected-shut-out") || len(r.Findings) != 1 {
		t.Error(show(r))
	}
	b.State = delivery.PolicyMissing
	r = delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{Now: now()})
	finding(t, r, "policy-missing")
	finding(t, r, "expected-shut-out")
}

// An owner may grant many accounts by name. None of them is left open for want of work.
func TestManyExpected(t *testing.T) {
	var folders []string
	var expected []delivery.Grantee
	for i := range 300 {
		account := fmt.Sprintf("%012d", 200000000000+i)
		folders = append(folders, `"arn:aws:s3:::logs-b/AWSLogs/`+account+`/*"`)
		expected = append(expected, delivery.Grantee{Account: account})
	}
	text := `{"Version":"2012-10-17","Statement":[{"Sid":"Write",` + allowed + `,"Action":"s3:PutObject","Resource":[` + strings.Join(folders, ",") +
		`]},{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	r := judgeUnused(t, text, expected...)
	if r.Verdict != delivery.Delivering || r.TooComplex() {
		t.Error(show(r))
	}
	expected[17].Account = "999999999999"
	finding(t, judgeUnused(t, text, expected...), "expected-shut-out")
}

// A policy that is too complex to say so of those who are expected is not fine.
func TestExpectedOfACostlyPolicy(t *testing.T) {
	folder := `"arn:aws:s3:::logs-b/AWSLogs/222222222222/*"`
	deny := `{"Version":"2012-10-17","Statement":[{"Sid":"Write",` + allowed + `,"Action":"s3:PutObject","Resource":` + folder +
		`},{"Sid":"Costly","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/*a*b*c*d*e*f*"}]}`
	expected := delivery.Grantee{Account: "222222222222"}
	b := delivery.Bucket{
		Name: "logs-b", Owner: "111111111111", Region: "us-east-1", State: delivery.PolicyRead,
		Policy: parse(t, deny), Expected: []delivery.Grantee{expected},
	}
	r := delivery.JudgeUnused(policy.NewBudget(100), b, trail.Environment{Now: now()})
	f := finding(t, r, "policy-too-complex")
	if r.Verdict != delivery.Undetermined || f.Severity != delivery.High || !strings.Contains(f.Message, "write for account 222222222222") {
		t.Errorf("%s: %+v", r.Verdict, f)
	}
	if r = delivery.JudgeUnused(delivery.NewBudget(b, nil), b, trail.Environment{Now: now()}); r.TooComplex() {
		t.Error(show(r))
	}
}
