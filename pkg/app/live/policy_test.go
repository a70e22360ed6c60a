package live_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TestPolicyOfAnAuditor: docs/audit-policy.json grants what audits call and nothing else.
// The account has what makes an audit call all that it may call.
func TestPolicyOfAnAuditor(t *testing.T) {
	person(t)
	fake := awsfake.New(t, account, "eu-west-1")
	for i, c := range []struct{ region, policy string }{
		{"eu-west-1", ""},
		{"us-west-2", ""}, // a single-region trail that is at home elsewhere
		// A Deny on a region leaves open whether the account has enabled it.
		{"eu-west-1", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
			"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs-2","arn:aws:s3:::logs-2/*"]},
			{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-2/AWSLogs/*/CloudTrail/me-south-1/*"}]}`},
	} {
		name := fmt.Sprintf("logs-%d", i)
		arn := fmt.Sprintf("arn:aws:cloudtrail:%s:%s:trail/t%d", c.region, account, i)
		fake.PutTrail(awsfake.Trail{Trail: trail.Trail{
			Name: fmt.Sprintf("t%d", i), ARN: arn, HomeRegion: c.region, Bucket: name, CustomSelectors: true, MultiRegion: i != 1,
		}})
		fake.PutBucket(awsfake.Bucket{Name: name, Policy: c.policy})
	}
	// A trail with a key and a topic.
	key, topic := "arn:aws:kms:eu-west-1:"+account+":key/1", "arn:aws:sns:eu-west-1:"+account+":notices"
	fake.PutKey(awsfake.Key{Key: trail.Key{ARN: key, State: "Enabled"}, Policy: "{}"})
	fake.PutTopic(trail.Topic{ARN: topic, Policy: "{}"})
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{
		Name: "whole", ARN: "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/whole", HomeRegion: "eu-west-1", Bucket: "logs-0", KMSKeyID: key, SNSTopic: topic,
	}})
	// A bucket that is gone, and one of another account.
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{
		Name: "gone", ARN: "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/gone", HomeRegion: "eu-west-1", Bucket: "logs-gone", Organization: true,
	}})
	called := map[string]bool{}
	audit := func() {
		guard, who, err := open(app.Session{Region: "eu-west-1", Endpoint: fake.URL}, func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := guard.Audit(t.Context(), who.Account, who.Region, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range fake.Calls() {
			called[c.Operation] = true
		}
	}
	audit()
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "s3:GetBucketPolicy" || c.Operation == "s3:HeadBucket" {
			return &awsfake.Fault{Status: 403, Code: "AccessDenied"}
		}
		return nil
	})
	audit()

	var want []string
	for _, a := range awsapi.Actions() {
		if called[a.Service+":"+a.Operation] && a.IAM != "" {
			want = append(want, a.IAM)
			if a.Write {
				t.Errorf("an audit calls %s", a.Operation)
			}
		}
	}
	text, err := os.ReadFile("../../../docs/audit-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct {
			Effect string
			Action []string
		}
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	var granted []string
	for _, s := range policy.Statement {
		if s.Effect != "Allow" {
			t.Errorf("a statement is a %s", s.Effect)
		}
		granted = append(granted, s.Action...)
	}
	slices.Sort(want)
	slices.Sort(granted)
	if !slices.Equal(granted, want) {
		t.Errorf("docs/audit-policy.json grants %q,\nand audits call %q", granted, want)
	}
}

// TestRoleOfMembersForThePerson: what the command line calls with the role of a member is what that
// role is taken to be for ([awsapi.Action.InMembers]); test/e2e holds deploy/member.yaml to it. The
// member has what makes an audit of the organization, and the hub's status, call all that they may.
func TestRoleOfMembersForThePerson(t *testing.T) {
	person(t)
	const member, home = "222233334444", "eu-west-1"
	fake := awsfake.New(t, account, home)
	fake.Organization = &trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: member}
	fake.Members = [][]inventory.Member{{{ID: account, State: inventory.Active}, {ID: member, State: inventory.Active}}}
	fake.Stacks = map[string][]string{member: {""}, account: {""}}
	key, topic := "arn:aws:kms:eu-west-1:"+member+":key/1", "arn:aws:sns:eu-west-1:"+member+":notices"
	fake.PutKey(awsfake.Key{Key: trail.Key{ARN: key, State: "Enabled"}, Policy: "{}"})
	fake.PutTopic(trail.Topic{ARN: topic, Policy: "{}"})
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:" + home + ":" + member + ":trail/main", HomeRegion: home, Bucket: "logs", MultiRegion: true,
		CustomSelectors: true, KMSKeyID: key, SNSTopic: topic,
	}})
	// A Deny on a region leaves open whether the account has enabled it.
	fake.PutBucket(awsfake.Bucket{Name: "logs", Owner: member, Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]},
		{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/*/CloudTrail/me-south-1/*"}]}`})
	called := map[string]bool{}
	ask := func() {
		t.Helper()
		guard, who, err := open(app.Session{Region: home, Endpoint: fake.URL, Role: "trailwarden/reader", Table: "table", Organization: true},
			func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := guard.AuditOrganization(t.Context(), who.Account, who.Region, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := guard.OrganizationStatus(t.Context(), who.Account, guardrail.StatusOptions{Regions: []string{home}}, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range fake.Calls() {
			if c.Account == member {
				called[c.Operation] = true
			}
		}
	}
	ask()
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "s3:GetBucketPolicy" {
			return &awsfake.Fault{Status: 403, Code: "AccessDenied"}
		}
		return nil
	})
	ask()
	// The functions alone ask for the name of an account, and for its organization.
	ofFunctions := []string{"account:GetAccountInformation", "organizations:DescribeOrganization"}
	for _, a := range awsapi.Actions() {
		switch operation := a.Service + ":" + a.Operation; {
		case called[operation] && !a.InMembers():
			t.Errorf("%s is called in a member, and its role is not for that", operation)
		case !called[operation] && a.InMembers() && !slices.Contains(ofFunctions, operation):
			t.Errorf("%s is not called in a member", operation)
		}
	}
}
