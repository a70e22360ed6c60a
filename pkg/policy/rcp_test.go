package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

const denyOfRCP = `{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","Principal":"*","Action":%ACTION%,"Resource":"*"}]}`

func rcp(t *testing.T, text string) policy.RCP {
	t.Helper()
	p, err := policy.ParseRCP("p-examplercp1", "Perimeter", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What AWS Organizations does not take.
func TestFaultsOfRCP(t *testing.T) {
	statement := func(members string) string {
		return `{"Version":"2012-10-17","Statement":[` + members + `]}`
	}
	for text, want := range map[string]string{
		statement(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`):                         "",
		statement(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`):                          "",
		statement(`{"Effect":"Deny","Principal":"*","Action":["s3:*","sts:AssumeRole"],"NotResource":"*"}`): "",
		statement(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`):                      "allows",
		statement(`{"Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"}`):    `another Principal than "*"`,
		statement(`{"Effect":"Deny","NotPrincipal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}`):            "NotPrincipal",
		statement(`{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}`):                    "NotAction",
		statement(`{"Effect":"Deny","Principal":"*","Resource":"*"}`):                                       "no Action",
		statement(`{"Effect":"Deny","Principal":"*","Action":"s3:*"}`):                                      "no Resource",
		statement(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`):                                       "service control policy",
		statement(`{"Effect":"deny","Principal":"*","Action":"s3:*","Resource":"*"}`):                       "no Effect",
		statement(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Extra":1}`):             "cannot be read",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`:                  "Version",
		strings.Replace(denyOfRCP, "%ACTION%", `"`+strings.Repeat("s3:x", 1300)+`"`, 1):                     "5120",
	} {
		got := strings.Join(rcp(t, text).Faults(), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%.120s: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"", "[]", "{}", `{"Version":"2012-10-17"}`, `{"Version":"2012-10-17","Statement":"no"}`, `{"Version":"1999-01-01","Statement":[]}`} {
		if _, err := policy.ParseRCP("", "", []byte(text)); !errors.Is(err, policy.ErrSyntax) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A policy speaks to the services that it names, and through wildcards to others.
func TestRCPDenies(t *testing.T) {
	for actions, want := range map[string]bool{
		`"s3:GetObject"`: true, `["sqs:*","S3:*"]`: true, `"*"`: true, `"*:Get*"`: true, `"s?:x"`: true,
		`"sqs:*"`: false, `["sts:AssumeRole","kms:*"]`: false, `"s3express:*"`: false,
	} {
		if got := rcp(t, strings.Replace(denyOfRCP, "%ACTION%", actions, 1)).Denies("s3"); got != want {
			t.Errorf("%s: %v", actions, got)
		}
	}
	if rcp(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`).Denies("s3", "kms") {
		t.Error("RCPFullAWSAccess denies")
	}
}

// Together the policies let through what none of them denies, in the dialect of the request.
func TestUnderRCPs(t *testing.T) {
	policies := []policy.RCP{
		rcp(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`),
		rcp(t, strings.Replace(denyOfRCP, "%ACTION%", `["sqs:*","s3:PutObject","kms:Encrypt"]`, 1)),
	}
	for _, d := range []policy.Dialect{policy.S3(), policy.KMS()} {
		doc, err := d.Under(policies)
		if err != nil {
			t.Fatal(err)
		}
		for action, want := range map[string]policy.Outcome{
			"s3:PutObject": policy.ExplicitDeny, "kms:Encrypt": policy.ExplicitDeny, "s3:GetBucketAcl": policy.Allowed, "kms:Decrypt": policy.Allowed,
		} {
			q := &policy.Request{
				Caller: policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}},
				Action: action, Resource: "arn:aws:s3:::logs", Context: policy.NewContext(policy.Value{}),
			}
			if got := doc.Decide(q); got.Outcome != want || want == policy.ExplicitDeny && doc.Label(got.Responsible[0]) != "rcp:p-examplercp1/No" {
				t.Errorf("%s in the dialect of %s: %+v", action, d.Name, got)
			}
		}
	}
}

// A value that is known not to be one, such as an organization that is not this one.
func TestExcludedValue(t *testing.T) {
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs"},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs","Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-exampleorg1"}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketPolicy","Resource":"arn:aws:s3:::logs","Condition":{"StringEquals":{"aws:SourceOrgID":["o-exampleorg1","o-exampleorg2"]}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketTagging","Resource":"arn:aws:s3:::logs","Condition":{"StringLike":{"aws:SourceOrgID":"o-exampleorg?"}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketLogging","Resource":"arn:aws:s3:::logs","Condition":{"StringEquals":{"aws:SourceOrgID":"o-exampleorg1"}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketCORS","Resource":"arn:aws:s3:::logs","Condition":{"StringEqualsIgnoreCase":{"aws:SourceOrgID":"o-exampleorg1"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]policy.Outcome{
		"s3:GetBucketAcl": policy.ExplicitDeny, "s3:GetBucketPolicy": policy.Undetermined, "s3:GetBucketTagging": policy.Undetermined,
		"s3:GetBucketLogging": policy.Allowed, "s3:GetBucketCORS": policy.Undetermined,
	} {
		for _, state := range []policy.State{policy.Either, policy.Present} {
			q := &policy.Request{
				Caller: policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}},
				Action: action, Resource: "arn:aws:s3:::logs",
				Context: policy.NewContext(policy.Value{}).With("aws:SourceOrgID", policy.Value{State: state, Excludes: []string{"o-exampleorg1"}}),
			}
			if got := doc.Decide(q).Outcome; got != want {
				t.Errorf("%s: %s, want %s", action, got, want)
			}
		}
	}
}
