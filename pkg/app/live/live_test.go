package live_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/app/live"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const account = "111122223333"

// person is someone at a command line, with nothing but these credentials.
func person(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIA" + account, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":             filepath.Join(t.TempDir(), "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "credentials"),
	} {
		t.Setenv(name, value)
	}
}

func open(s app.Session, lookup app.LookupEnv) (*guardrail.Guard, live.Caller, error) {
	return live.NewGuard(context.Background(), s, guardrail.Config{Parallel: 1}, lookup, io.Discard)
}

func TestGuardOfAPerson(t *testing.T) {
	person(t)
	fake := awsfake.New(t, account, "eu-west-1")
	arn := "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/main"
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{Name: "main", ARN: arn, HomeRegion: "eu-west-1", Bucket: "logs"}})
	fake.PutBucket(awsfake.Bucket{Name: "logs"})
	endpoint := func(name string) (string, bool) { return fake.URL, name == "AWS_ENDPOINT_URL" }
	guard, who, err := open(app.Session{Region: "eu-west-1"}, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if who.Account != account || who.Region != "eu-west-1" || !strings.HasPrefix(who.ARN, "arn:aws:") {
		t.Errorf("called as %+v", who)
	}
	audited, err := guard.Audit(t.Context(), who.Account, who.Region, nil)
	if err != nil || len(audited) != 1 || audited[0].Report.Verdict != "blocked" {
		t.Errorf("%+v, %v", audited, err)
	}
	for _, c := range fake.Calls() {
		if strings.Contains(c.Operation, "Put") || strings.Contains(c.Operation, "Publish") {
			t.Errorf("an audit called %s", c.Operation)
		}
	}
}

// An organization is read with the role in each active account, and with nothing in others.
func TestGuardOfAnOrganization(t *testing.T) {
	person(t)
	const member, closed, suspended, stranger = "222233334444", "333344445555", "444455556666", "999999999999"
	fake := awsfake.New(t, account, "eu-west-1")
	fake.Organization = &trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: member}
	active := func(id string) inventory.Member { return inventory.Member{ID: id, State: inventory.Active} }
	fake.Members = [][]inventory.Member{{active(account)}, {}, {active(member), active(closed)}, {{ID: suspended, State: "SUSPENDED"}}, {}}
	for _, x := range []struct {
		owner, bucket string
		organization  bool
	}{{member, "central", true}, {member, "own", false}, {stranger, "evil", false}} {
		arn := "arn:aws:cloudtrail:eu-west-1:" + x.owner + ":trail/" + x.bucket
		described := trail.Trail{Name: x.bucket, ARN: arn, HomeRegion: "eu-west-1", Bucket: x.bucket, MultiRegion: true, Organization: x.organization}
		if x.bucket == "own" { // with a key and a topic of somebody else
			described.KMSKeyID = "arn:aws:kms:eu-west-1:" + stranger + ":key/11111111-2222-3333-4444-555555555555"
			described.SNSTopic = "arn:aws:sns:eu-west-1:" + stranger + ":topic"
		}
		fake.PutTrail(awsfake.Trail{Trail: described, Status: trail.Status{Logging: true}})
	}
	fake.PutBucket(awsfake.Bucket{Name: "central", Owner: account})
	fake.PutBucket(awsfake.Bucket{Name: "own", Owner: member, Region: "us-east-1"})
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "sts:AssumeRole" && strings.Contains(string(c.Body), closed) {
			return &awsfake.Fault{Status: 403, Code: "AccessDenied", Message: "User is not authorized to perform: sts:AssumeRole"}
		}
		return nil
	})
	session := app.Session{Region: "eu-west-1", Endpoint: fake.URL, Role: "trailwarden/reader", Organization: true}
	guard, who, err := open(session, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, err := guard.AuditOrganization(t.Context(), who.Account, who.Region, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range a.Accounts {
		if x.Unread() != (x.ID == closed) || x.Unread() && !strings.Contains(x.Err.Error(), "AssumeRole") {
			t.Errorf("account %s: %v", x.ID, x.Err)
		}
	}
	owners := map[string]string{"central": account, "own": member}
	for _, b := range a.Buckets {
		if b.Bucket.Owner != owners[b.Bucket.Name] || b.Report.Verdict != "blocked" || len(b.Statuses) != 1 || b.Err != nil {
			t.Errorf("%+v, %d statuses, %v", b.Bucket, len(b.Statuses), b.Err)
		}
	}
	for _, b := range a.Buckets {
		unread := strings.Contains(fmt.Sprint(b.Report.Findings), "which is none of the organization that could be read")
		if unread != (b.Bucket.Name == "own") {
			t.Errorf("bucket %s: %+v", b.Bucket.Name, b.Report.Findings)
		}
	}
	if len(a.Accounts) != 4 || len(a.Buckets) != 2 {
		t.Errorf("%d accounts, %d buckets", len(a.Accounts), len(a.Buckets))
	}
	for _, c := range fake.Calls() {
		if c.Operation != "sts:AssumeRole" {
			continue
		}
		if text := string(c.Body); strings.Contains(text, suspended) || strings.Contains(text, stranger) || strings.Contains(text, account) {
			t.Errorf("a role is assumed where none may be: %s", text)
		}
	}
}

func TestGuardOfNobody(t *testing.T) {
	person(t)
	nothing := func(string) (string, bool) { return "", false }
	if _, _, err := open(app.Session{}, nothing); err == nil || !strings.Contains(err.Error(), "--region") {
		t.Errorf("without a region: %v", err)
	}
	if _, _, err := open(app.Session{Region: "eu-west-1", Profile: "none"}, nothing); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("with a profile that is not there: %v", err)
	}
}

// TestAuditLooksAtTheWholeChain: the bucket's policy is as AWS documents it, and the verdict is that
// of the key too. Topics have one of their own.
func TestAuditLooksAtTheWholeChain(t *testing.T) {
	person(t)
	const (
		root       = `{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"}`
		cloudtrail = `{"Sid":"CloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:*","Resource":"*"}`
		key        = "arn:aws:kms:eu-west-1:" + account + ":key/1"
		topic      = "arn:aws:sns:eu-west-1:" + account + ":notices"
	)
	tr := trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/main", HomeRegion: "eu-west-1", Bucket: "logs", KMSKeyID: key, SNSTopic: topic,
	}
	documented, err := trail.DocumentedPolicy([]trail.Trail{tr}, trail.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	policyOf := func(statements ...string) string { return `{"Statement":[` + strings.Join(statements, ",") + `]}` }
	for name, c := range map[string]struct {
		state, policy string
		verdict       delivery.Verdict
		finding       string // the first
	}{
		"fine":                      {"Enabled", policyOf(root, cloudtrail), delivery.Delivering, "notification-failing"},
		"the root only":             {"Enabled", policyOf(root), delivery.Blocked, "key-encrypt-denied"},
		"disabled":                  {"Disabled", policyOf(root, cloudtrail), delivery.Blocked, "key-unusable"},
		"denied":                    {"Enabled", policyOf(root, cloudtrail, strings.Replace(cloudtrail, "Allow", "Deny", 1)), delivery.Blocked, "key-encrypt-denied"},
		"a policy that is no JSON":  {"Enabled", "?", delivery.Undetermined, "key-unreadable"},
		"a policy that says little": {"Enabled", "{}", delivery.Blocked, "key-encrypt-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := awsfake.New(t, account, "eu-west-1")
			fake.PutTrail(awsfake.Trail{Trail: tr, Status: trail.Status{Logging: true}})
			fake.PutBucket(awsfake.Bucket{Name: "logs", Policy: string(documented)})
			fake.PutKey(awsfake.Key{Key: trail.Key{ARN: key, State: c.state, Spec: "SYMMETRIC_DEFAULT"}, Policy: c.policy})
			fake.PutTopic(trail.Topic{ARN: topic, Policy: "{}"})
			guard, who, err := open(app.Session{Region: "eu-west-1", Endpoint: fake.URL}, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			audited, err := guard.Audit(t.Context(), who.Account, who.Region, nil)
			if err != nil || len(audited) != 1 {
				t.Fatalf("%+v, %v", audited, err)
			}
			r := audited[0].Report
			if r.Verdict != c.verdict || len(r.Findings) == 0 || r.Findings[0].ID != c.finding || r.Trails[0].Notification != delivery.Blocked || len(r.NotLookedAt) > 0 {
				t.Errorf("verdict %s, notification %s, not looked at %v, findings %+v", r.Verdict, r.Trails[0].Notification, r.NotLookedAt, r.Findings)
			}
		})
	}
}
