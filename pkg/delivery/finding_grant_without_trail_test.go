package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	theirARN = "arn:aws:cloudtrail:eu-west-1:222222222222:trail/theirs"
	allowed  = `"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"}`
)

// grant is a policy with one statement that lets CloudTrail write.
func grant(action, resource, condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Sid":"Write",` + allowed + `,"Action":"` + action + `","Resource":` + resource +
		`,"Condition":{` + condition + `}}}`
}

// A bucket that no known trail uses is judged by whom its policy serves.
func judgeUnused(t *testing.T, text string, expected ...delivery.Grantee) delivery.Report {
	t.Helper()
	b := delivery.Bucket{Name: "logs-b", Owner: "111111111111", Region: "us-east-1", State: delivery.PolicyMissing, Expected: expected}
	if text != "" {
		b.State, b.Policy = delivery.PolicyRead, parse(t, text)
	}
	return delivery.JudgeUnused(delivery.NewBudget(b, nil), b, trail.Environment{Now: now()})
}

func TestGrantWithoutTrail(t *testing.T) {
	folder := `"arn:aws:s3:::logs-b/AWSLogs/222222222222/*"`
	r := judgeUnused(t, grant("s3:PutObject", folder, ""))
	f := finding(t, r, "grant-without-trail")
	if f.Kind != delivery.Weakness || f.Severity != delivery.Low || f.Restorable || !slices.Equal(f.Statements, []string{"Write"}) {
		t.Errorf("%+v", f)
	}
	if r.Verdict != delivery.Delivering || !strings.Contains(f.Message, "for account 222222222222") {
		t.Errorf("%s: %s", r.Verdict, f.Message)
	}
	for name, text := range map[string]string{
		"no policy":       "",
		"another service": strings.ReplaceAll(grant("s3:PutObject", folder, ""), "cloudtrail.", "config."),
		"a Deny":          strings.ReplaceAll(grant("s3:PutObject", folder, ""), "Allow", "Deny"),
		"the check alone": grant("s3:GetBucketAcl", `"arn:aws:s3:::logs-b"`, ""),
	} {
		if r := judgeUnused(t, text); len(r.Findings) != 0 || r.Verdict != delivery.Delivering {
			t.Errorf("%s: %s", name, show(r))
		}
	}
}

func TestGrantees(t *testing.T) {
	const other = "arn:aws:cloudtrail:us-east-1:333333333333:trail/other"
	account := func(id string) delivery.Grantee { return delivery.Grantee{Account: id} }
	for name, test := range map[string]struct {
		policy string
		want   []delivery.Grantee
	}{
		"folder": {
			grant("s3:PutObject", `["arn:aws:s3:::logs-b/AWSLogs/222222222222/*","arn:aws-cn:s3:::logs-b/audit/AWSLogs/333333333333/*"]`, ""),
			[]delivery.Grantee{account("222222222222"), {Account: "333333333333", Prefix: "audit"}},
		},
		"trail": {
			grant("S3:Put*", `"arn:aws:s3:::logs-b/AWSLogs/222222222222/*"`, `"StringEquals":{"aws:SourceArn":"`+theirARN+`"}`),
			[]delivery.Grantee{{Account: "222222222222", Trail: theirARN}},
		},
		"trails and any folder": {
			grant("s3:*", `"arn:aws:s3:::logs-b/*"`, `"ArnLike":{"AWS:SourceArn":["`+other+`","`+theirARN+`"]}`),
			[]delivery.Grantee{{Account: "222222222222", Trail: theirARN}, {Account: "333333333333", Trail: other}},
		},
		"trail of another folder": {grant("s3:PutObject", `"arn:aws:s3:::logs-b/AWSLogs/222222222222/*"`, `"StringEquals":{"aws:SourceArn":"`+other+`"}`), nil},
		"account": {
			grant("s3:PutObject", `"arn:aws:s3:::logs-b/AWSLogs/*"`, `"StringEquals":{"aws:SourceAccount":["222222222222","x"]}`),
			[]delivery.Grantee{account("222222222222")},
		},
		"any trail of an account": {
			grant("s3:PutObject", `"arn:aws:s3:::logs-b/*"`, `"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:222222222222:trail/*"}`),
			[]delivery.Grantee{account("222222222222")},
		},
		"an organization":        {grant("s3:PutObject", `"arn:aws:s3:::logs-b/AWSLogs/o-exampleorg1/*"`, ""), nil},
		"all but an account":     {grant("s3:PutObject", `"arn:aws:s3:::logs-b/*"`, `"StringNotEquals":{"aws:SourceAccount":"222222222222"}`), nil},
		"another bucket":         {grant("s3:PutObject", `"arn:aws:s3:::logs-c/AWSLogs/222222222222/*"`, ""), nil},
		"a prefix of any length": {grant("s3:PutObject", `"arn:aws:s3:::logs-b/*/AWSLogs/222222222222/*"`, ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := delivery.Grantees(parse(t, test.policy), "logs-b"); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNamesCloudTrail(t *testing.T) {
	for text, want := range map[string]bool{
		grant("s3:PutObject", `"*"`, ""):                                                                                                true,
		strings.ReplaceAll(grant("s3:PutObject", `"*"`, ""), "Allow", "Deny"):                                                           true,
		strings.ReplaceAll(grant("s3:PutObject", `"*"`, ""), "cloudtrail.", "config."):                                                  false,
		strings.ReplaceAll(grant("s3:PutObject", `"*"`, ""), "cloudtrail.", `cloudtr\u0061il.`):                                         true,
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::cloudtrail.amazonaws.com/*"}}`: false,
		`{"Statement":`: true,
		``:              true,
	} {
		if got := delivery.NamesCloudTrail([]byte(text)); got != want {
			t.Errorf("%t for %s", got, text)
		}
	}
}
