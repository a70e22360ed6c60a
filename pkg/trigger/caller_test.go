package trigger_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trigger"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// changeBy is the change that an event of the caller leads to.
func changeBy(t *testing.T, identity string) delivery.Change {
	t.Helper()
	text := strings.Replace(event("aws.s3", "DeleteBucketPolicy", `"requestParameters":{"bucketName":"acme-audit-logs"}`), `{"arn":"arn:aws:iam::111111111111:user/dana"}`, identity, 1)
	got, err := trigger.Parse([]byte(text))
	if err != nil || len(got.Requests) != 1 {
		t.Fatal(identity, got, err)
	}
	return *got.Requests[0].Change
}

// row is a record's userIdentity and what an alert has to say of it.
type row struct {
	ID         string          `json:"id"`
	Identity   json.RawMessage `json:"identity"`
	Says       []string        `json:"says"`
	SubjectNot []string        `json:"subject_not"`
	Why        string          `json:"why"`
}

// rows reads a corpus of callers.
func rows(t *testing.T, file string) []row {
	t.Helper()
	var all []row
	for _, line := range corpus.Lines(t, file, 1) {
		var r row
		if err := json.Unmarshal(line.Text, &r); err != nil || r.ID == "" || len(r.Identity) == 0 || len(r.Says) == 0 {
			t.Fatalf("%s, line %d (%q): %v; expected an object with id, identity and says", file, line.Number, r.ID, err)
		}
		all = append(all, r)
	}
	return all
}

// blocked is the alert on a bucket whose policy the change deleted.
func blocked(bucket string, c delivery.Change) alert.Message {
	return alert.Compose(alert.Notice{
		Kind: alert.Opened, Account: account, Region: region, At: c.Time.Add(time.Minute), Changes: []delivery.Change{c},
		Report: delivery.Report{Bucket: bucket, Verdict: delivery.Blocked, Findings: []delivery.Finding{
			{ID: delivery.PolicyMissingID, Kind: delivery.Outage, Severity: delivery.Critical},
		}},
	}, alert.Text)
}

// What a record says of its caller is in the alert, and in its subject where the
// bucket's name leaves room for it. The golden file has the subjects for buckets as
// short as a name can be, as the console makes them, and as long as can be.
func TestCallersInAlerts(t *testing.T) {
	const corpus, lastActor = "testdata/actors.jsonl", 10
	buckets := []string{
		"logs", "aws-cloudtrail-logs-111111111111-0123abcd", "aws-controltower-logs-222222222222-us-east-1",
		"acme-production-organization-cloudtrail-log-archive-eu-central1",
	}
	var subjects strings.Builder
	for i, r := range append(rows(t, corpus), rows(t, "testdata/callers.jsonl")...) {
		fmt.Fprintf(&subjects, "# %s: %s\n", r.ID, r.Why)
		c := changeBy(t, string(r.Identity))
		for _, bucket := range buckets {
			m := blocked(bucket, c)
			subjects.WriteString(m.Subject + "\n")
			for _, says := range r.Says {
				if i <= lastActor && bucket == "logs" && !strings.Contains(m.Subject, says) {
					t.Errorf("%s (%s): the subject %q does not say %q", r.ID, r.Why, m.Subject, says)
				}
				if !strings.Contains(c.Caller(), says) || !strings.Contains(strings.Join(strings.Fields(m.Body), " "), c.Caller()) {
					t.Errorf("%s (%s): the alert does not say %q:\n%s", r.ID, r.Why, says, m.Body)
				}
			}
			for _, not := range append(r.SubjectNot, "(cut", "?", "signin.amazonaws.com", "AWS Internal") {
				if strings.Contains(m.Subject, not) {
					t.Errorf("%s (%s): the subject %q says %q", r.ID, r.Why, m.Subject, not)
				}
			}
		}
		if i == lastActor && r.ID != "other-account" {
			t.Errorf("%s has other rows than 11", corpus)
		}
	}
	const golden = "testdata/subjects.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(subjects.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(subjects.String(), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", golden, diff)
	}
}

// update writes the golden file anew: go test ./pkg/trigger -update.
var update = flag.Bool("update", false, "write the golden files anew")

// CloudTrail's service-linked role only follows the organization. The alert says
// where the cause is.
func TestCloudTrailsOwnRole(t *testing.T) {
	for _, r := range rows(t, "testdata/callers.jsonl") {
		body := blocked("logs", changeBy(t, string(r.Identity))).Body
		if got := strings.Contains(body, "trusted access"); got != (r.ID == "service-linked-cloudtrail") {
			t.Errorf("%s: speaks of trusted access: %t\n%s", r.ID, got, body)
		}
	}
}

// session is the userIdentity of a role's session with more members.
func session(context, more string) string {
	return fmt.Sprintf(`{"type":"AssumedRole","principalId":"AROAEXAMPLE:x","arn":"arn:aws:sts::111111111111:assumed-role/ci/x","accountId":"111111111111",
"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111111111111:role/path/ci","userName":"ci"}%s}%s}`, context, more)
}

// TestCaller goes through the types of callers and the members that CloudTrail
// documents.
func TestCaller(t *testing.T) {
	const ci = "arn:aws:sts::111111111111:assumed-role/ci/x"
	for identity, want := range map[string]delivery.Change{
		`{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/dana","userName":"dana"}`: {Actor: "arn:aws:iam::111111111111:user/dana"},
		`{"type":"Root","arn":"arn:aws:iam::111111111111:root"}`:                           {Actor: "arn:aws:iam::111111111111:root"},
		`{"type":"Root","arn":"r","sessionContext":{"assumedRoot":"true"}}`:                {Actor: "r", Via: "AssumeRoot"},
		`{"type":"Root","arn":"r","sessionContext":{"assumedRoot":true}}`:                  {Actor: "r", Via: "AssumeRoot"},
		`{"type":"Root","arn":"r","sessionContext":{"assumedRoot":"false"}}`:               {Actor: "r"},
		`{"type":"Root","arn":"r","sessionContext":{"assumedRoot":""}}`:                    {Actor: "r"},
		session("", ""): {Actor: ci},
		session("", `,"invokedBy":"cloudformation.amazonaws.com"`): {Actor: ci, Via: "cloudformation.amazonaws.com"},
		session("", `,"invokedBy":"signin.amazonaws.com"`):         {Actor: ci},
		session("", `,"invokedBy":"AWS Internal"`):                 {Actor: ci},
		session(`,"sourceIdentity":"dana"`, ""):                    {Actor: ci, OnBehalfOf: "dana"},
		session(`,"sourceIdentity":""`, ""):                        {Actor: ci},
		session(`,"sourceIdentity":{"x":1}`, ""):                   {Actor: ci},
		session(`,"webIdFederationData":{"federatedProvider":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com","attributes":{}}`, ""): {
			Actor: ci, Via: "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com",
		},
		session("", `,"onBehalfOf":{"userId":"544894e8","identityStoreArn":"arn:x"}`):            {Actor: ci, OnBehalfOf: "Identity Center user 544894e8"},
		session(`,"sourceIdentity":"dana"`, `,"invokedByDelegate":{"accountId":"222222222222"}`): {Actor: ci, OnBehalfOf: "dana, account 222222222222 (temporary delegation)"},
		session("", `,"inScopeOf":{"issuerType":"AWS::EC2::Instance","credentialsIssuedTo":"arn:aws:ec2:us-east-1:111111111111:instance/i-0a1b2c3d4e5f67890"}`): {
			Actor: ci, Via: "arn:aws:ec2:us-east-1:111111111111:instance/i-0a1b2c3d4e5f67890",
		},
		session("", `,"invokedBy":"athena.amazonaws.com","inScopeOf":{"sourceArn":"arn:aws:x","sourceAccount":"111111111111"}`):              {Actor: ci, Via: "athena.amazonaws.com, arn:aws:x"},
		`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/ci"}}}`:                              {Actor: "arn:aws:iam::111111111111:role/ci"},
		`{"type":"AssumedRole","principalId":"AROAX:x","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/path/ci"}}}`: {Actor: ci},
		`{"type":"AssumedRole","principalId":"AROAX:CloudTrail","arn":"arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/CloudTrail","invokedBy":"cloudtrail.amazonaws.com",
"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"}}}`: {
			Actor: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/CloudTrail", LinkedService: "cloudtrail.amazonaws.com",
		},
		// A role of that name that somebody made is not AWS's.
		`{"type":"AssumedRole","arn":"arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/x",
"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:role/AWSServiceRoleForCloudTrail"}}}`: {Actor: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/x"},
		`{"type":"FederatedUser","arn":"arn:aws:sts::111111111111:federated-user/help","sessionContext":{"sessionIssuer":{"type":"Root","arn":"arn:aws:iam::111111111111:root"}}}`: {
			Actor: "arn:aws:sts::111111111111:federated-user/help", OnBehalfOf: "arn:aws:iam::111111111111:root",
		},
		`{"type":"FederatedUser","principalId":"111111111111:help","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111111111111:user/ci"}}}`: {
			Actor: "arn:aws:sts::111111111111:federated-user/help", OnBehalfOf: "arn:aws:iam::111111111111:user/ci",
		},
		`{"type":"FederatedUser","arn":"arn:aws:sts::111111111111:federated-user/help"}`:              {Actor: "arn:aws:sts::111111111111:federated-user/help"},
		`{"type":"IdentityCenterUser","accountId":"111111111111","onBehalfOf":{"userId":"544894e8"}}`: {Actor: "Identity Center user 544894e8"},
		`{"type":"IdentityCenterUser","accountId":"111111111111","onBehalfOf":"x"}`:                   {Actor: "account 111111111111"},
		`{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"}`:                                {Actor: "cloudtrail.amazonaws.com"},
		`{"type":"AWSService","invokedBy":"AWS Internal"}`:                                            {Actor: "AWS Internal"},
		`{"accountId":"111111111111","invokedBy":"organizations.amazonaws.com"}`:                      {Actor: "organizations.amazonaws.com"},
		`{"accountId":"111111111111","invokedBy":"AWS Internal"}`:                                     {Actor: "account 111111111111"},
		`{"type":"AWSAccount","principalId":"AROAX:session","accountId":"222222222222"}`:              {Actor: "account 222222222222 (AROAX:session)"},
		`{"type":"AWSAccount","principalId":"AIDAX","accountId":"222222222222"}`:                      {Actor: "account 222222222222 (AIDAX)"},
		`{"type":"AWSAccount","accountId":"222222222222"}`:                                            {Actor: "account 222222222222"},
		`{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`:                    {Actor: "anonymous"},
		`{"type":"AWSAccount","accountId":"anonymous"}`:                                               {Actor: "anonymous"},
		`{"type":"IAMUser","principalId":"AIDAX","accountId":"111111111111","userName":"dana"}`:       {Actor: "account 111111111111 (dana)"},
		`{"type":"AWSAccount","principalId":"AROAX:deploy","accountId":"222222222222","invokedBy":"cloudformation.amazonaws.com"}`: {
			Actor: "account 222222222222 (AROAX:deploy)", Via: "cloudformation.amazonaws.com",
		},
		`{"type":"AWSService","principalId":"x","accountId":"222222222222","invokedBy":"s3.amazonaws.com"}`: {Actor: "s3.amazonaws.com"},
		`{"type":"Root","principalId":"111111111111","accountId":"111111111111"}`:                           {Actor: "account 111111111111 (root)"},
		`{"type":"AssumedRole","principalId":"AROAX:dana","accountId":"111111111111","sessionContext":{"sessionIssuer":{"type":"Role","userName":"Admin"}}}`: {
			Actor: "account 111111111111 (Admin/dana)",
		},
		`{"type":"Unknown","principalId":"AIDAX"}`:                                                                                 {Actor: "AIDAX"},
		`{"type":"SAMLUser","userName":"dana"}`:                                                                                    {Actor: "dana"},
		`{"type":"SAMLUser","principalId":"abc:dana","userName":"dana","identityProvider":"abc"}`:                                  {Actor: "dana", Via: "abc"},
		`{"type":"WebIdentityUser","principalId":"www.amazon.com:app:user","userName":"user","identityProvider":"www.amazon.com"}`: {Actor: "user", Via: "www.amazon.com"},
		`{"type":"Unknown"}`: {Actor: "Unknown"},
		`null`:               {},
		`"dana"`:             {},
		`{"arn":["arn:aws:iam::111111111111:user/dana"],"sessionContext":[],"inScopeOf":7}`: {Actor: "arn:aws:iam::111111111111:user/dana"},
	} {
		c := changeBy(t, identity)
		got := delivery.Change{Actor: c.Actor, Via: c.Via, OnBehalfOf: c.OnBehalfOf, LinkedService: c.LinkedService}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", identity, diff)
		}
	}
}

// The end of a name is what tells who it was: a user's ARN may have a path of
// 512 characters before it.
func TestLongCallerKeepsEnd(t *testing.T) {
	path := strings.Repeat("division/", 56)
	c := changeBy(t, `{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/`+path+`dana.of.accounting"}`)
	if len(c.Actor) > 512 || !strings.HasPrefix(c.Actor, "arn:aws:iam::111111111111:user/division/") || !strings.HasSuffix(c.Actor, "/dana.of.accounting") {
		t.Errorf("actor %q", c.Actor)
	}
	c = changeBy(t, `{"arn":"`+strings.Repeat("ü", 1000)+`"}`)
	if want := strings.Repeat("ü", 126) + "..." + strings.Repeat("ü", 128); c.Actor != want {
		t.Errorf("actor %q, want %q", c.Actor, want)
	}
}
