package delivery_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// edited returns the bucket with the edits of a finding put in.
func edited(t *testing.T, b delivery.Bucket, f delivery.Finding) delivery.Bucket {
	t.Helper()
	texts := []json.RawMessage{json.RawMessage(f.Edit)}
	if strings.HasPrefix(f.Edit, "[") {
		if err := json.Unmarshal([]byte(f.Edit), &texts); err != nil {
			t.Fatal(err)
		}
	}
	replaced := map[int][]byte{}
	for _, text := range texts {
		replaced[originOf(t, b.Policy, text)] = text
	}
	doc, err := b.Policy.With(replaced)
	if err != nil {
		t.Fatal(err)
	}
	b.Policy = doc
	return b
}

// originOf finds the statement that an edited one stems from: the Deny that is
// like it but for its Condition and NotPrincipal.
func originOf(t *testing.T, doc *policy.Document, text []byte) int {
	t.Helper()
	bare := func(text []byte) map[string]any {
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		delete(v, "Condition")
		delete(v, "NotPrincipal")
		return v
	}
	for _, st := range doc.All() {
		if cmp.Equal(bare(doc.StatementText(st.Index)), bare(text)) {
			return st.Index
		}
	}
	t.Fatalf("no statement is like the edit %s", text)
	return -1
}

// Every edit in the corpus does what it says: with it no Deny touches the
// requirement any more.
func TestEditsLetCloudTrailThrough(t *testing.T) {
	edits := 0
	for _, c := range checks(t) {
		b, trails, s := c.inputs(t)
		for _, f := range delivery.Judge(b, trails, s).Findings {
			about, _ := delivery.LookupType(f.ID)
			blocked := about.Family == delivery.DeniedFamily && !f.Restorable
			if blocked && f.Edit == "" {
				t.Errorf("%s: %s has no edit: %s", c.ID, f.ID, f.Remedy)
			}
			if f.Edit == "" {
				continue
			}
			edits++
			for _, tr := range delivery.Judge(edited(t, b, f), trails, s).Trails {
				for _, q := range tr.Requirements {
					if tr.ARN == f.Trail && q.ID == about.Requirement && len(q.Denying) > 0 {
						t.Errorf("%s: %s is still denied by %v with the edit\n%s", c.ID, q.ID, q.Denying, f.Edit)
					}
				}
			}
		}
	}
	if edits < 50 {
		t.Errorf("only %d edits were tried", edits)
	}
}

// What an edit must not do: let anybody else through.
func TestEditsLetNobodyElseThrough(t *testing.T) {
	role := policy.Caller{Principal: policy.Principal{Type: policy.AWS, Value: "arn:aws:iam::111111111111:role/reader"}}
	service := policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "config.amazonaws.com"}}
	absent := policy.NewContext(policy.Value{}).With("aws:PrincipalIsAWSService", policy.Is("false")).
		With("aws:PrincipalArn", policy.Is("arn:aws:iam::111111111111:role/reader")).With("aws:CurrentTime", policy.Is("2026-11-01T00:00:00Z"))
	config := policy.NewContext(policy.Value{}).With("aws:PrincipalIsAWSService", policy.Is("true")).
		With("aws:PrincipalServiceName", policy.Is("config.amazonaws.com")).With("aws:SourceAccount", policy.Is("999999999999")).
		With("aws:CurrentTime", policy.Is("2026-11-01T00:00:00Z"))
	requests := []policy.Request{
		{Caller: role, Action: "s3:PutObject", Resource: "arn:aws:s3:::logs-b/AWSLogs/111111111111/CloudTrail/x", Context: absent},
		{Caller: role, Action: "s3:GetBucketAcl", Resource: "arn:aws:s3:::logs-b", Context: absent},
		{Caller: service, Action: "s3:PutObject", Resource: "arn:aws:s3:::logs-b/AWSLogs/111111111111/Config/x", Context: config},
	}
	for _, c := range checks(t) {
		b, trails, s := c.inputs(t)
		for _, f := range delivery.Judge(b, trails, s).Findings {
			if f.Edit == "" {
				continue
			}
			after := edited(t, b, f)
			for _, q := range requests {
				if want, got := b.Policy.Decide(&q).Outcome, after.Policy.Decide(&q).Outcome; got != want {
					t.Errorf("%s: %s %s by %s is %s, was %s, with\n%s", c.ID, q.Action, q.Resource, q.Caller.Value, got, want, f.Edit)
				}
			}
		}
	}
}

// The edits themselves, where they have to fit into what is there.
func TestEditForms(t *testing.T) {
	const open = `{"StringEquals":{"aws:SourceArn":"` + mainARN + `"}}`
	tests := []struct{ name, deny, want string }{
		{
			"no condition",
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*"}`,
			`{"StringNotEqualsIfExists":{"aws:PrincipalServiceName":"cloudtrail.amazonaws.com"}}`,
		},
		{
			"operator in use for another key",
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-x"}}}`,
			`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-x","aws:PrincipalServiceName":"cloudtrail.amazonaws.com"}}`,
		},
		{
			"key in use with another service",
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEqualsIfExists":{"AWS:principalServiceName":"config.amazonaws.com"}}}`,
			`{"StringNotEqualsIfExists":{"AWS:principalServiceName":["config.amazonaws.com","cloudtrail.amazonaws.com"]}}`,
		},
		{
			"key in use without IfExists",
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEquals":{"aws:PrincipalServiceName":["a.amazonaws.com","b.amazonaws.com"]}}}`,
			`{"StringNotEquals":{"aws:PrincipalServiceName":["a.amazonaws.com","b.amazonaws.com","cloudtrail.amazonaws.com"]}}`,
		},
		{
			"account list",
			`{"Effect":"Deny","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEquals":{"aws:SourceAccount":"222222222222"}}}`,
			`{"StringNotEquals":{"aws:SourceAccount":["222222222222","111111111111"]}}`,
		},
		{
			"strangers' accounts kept off, and a service by its name",
			`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEquals":{"aws:PrincipalServiceName":"config.amazonaws.com","aws:SourceAccount":"222222222222"}}}`,
			`{"StringNotEquals":{"aws:PrincipalServiceName":"config.amazonaws.com","aws:SourceAccount":"222222222222"},"ArnNotEqualsIfExists":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}}`,
		},
		{
			"strangers' organizations kept off, whoever but an account asks",
			`{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*","Condition":{"Null":{"aws:SourceAccount":"false"}}}`,
			`{"Null":{"aws:SourceAccount":"false"},"ArnNotEqualsIfExists":{"aws:SourceArn":"` + mainARN + `"}}`,
		},
		{
			"aimed at CloudTrail",
			`{"Effect":"Deny","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*"}`,
			`{"ArnNotEqualsIfExists":{"aws:SourceArn":"` + mainARN + `"}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],`+
				`"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],"Condition":`+open+`},`+tt.deny+`]}`)
			f := finding(t, judgeMain(doc), "log-files-denied")
			var got struct{ Condition json.RawMessage }
			if err := json.Unmarshal([]byte(f.Edit), &got); err != nil {
				t.Fatalf("%v in %q; %s", err, f.Edit, f.Remedy)
			}
			if compact(t, string(got.Condition)) != tt.want {
				t.Errorf("got %s\nwant %s", compact(t, string(got.Condition)), tt.want)
			}
			if !strings.Contains(f.Remedy, "never edited automatically") || f.Restorable || !slices.Equal(f.Statements, []string{"#1"}) {
				t.Errorf("finding %+v", f)
			}
		})
	}
}

func TestEditOfNotPrincipal(t *testing.T) {
	doc := parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:root","Service":"config.amazonaws.com"},`+
		`"Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]}]}`)
	f := finding(t, judgeMain(doc), "log-files-denied")
	const want = `{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:root","Service":["config.amazonaws.com","cloudtrail.amazonaws.com"]},` +
		`"Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]}`
	if got := compact(t, f.Edit); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// An edit lets no other service through, not even one that acts for the trail's own
// account.
func TestEditsLetNoOtherServiceThrough(t *testing.T) {
	for _, condition := range []string{
		`"StringNotEquals":{"aws:SourceAccount":["222222222222"]},"Bool":{"aws:PrincipalIsAWSService":"true"}`,
		`"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-other","aws:SourceAccount":"222222222222"},"Bool":{"aws:PrincipalIsAWSService":"true"}`,
	} {
		b := delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: parse(t, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","config.amazonaws.com"]},"Action":["s3:PutObject","s3:GetBucketAcl"],
			 "Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]},
			{"Sid":"Guard","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],"Condition":{`+condition+`}}]}`)}
		r := delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{Now: now()})
		after := edited(t, b, finding(t, r, "log-files-denied"))
		config := policy.Request{
			Caller:   policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "config.amazonaws.com"}},
			Action:   "s3:PutObject",
			Resource: "arn:aws:s3:::logs-b/AWSLogs/111111111111/Config/x",
			Context: policy.NewContext(policy.Value{}).WithAll(map[string]policy.Value{
				"aws:PrincipalIsAWSService": policy.Is("true"), "aws:PrincipalServiceName": policy.Is("config.amazonaws.com"),
				"aws:SourceAccount": policy.Is("111111111111"), "aws:SourceArn": policy.Is("arn:aws:config:us-east-1:111111111111:recorder/x"),
			}),
		}
		if was, is := b.Policy.Decide(&config).Outcome, after.Policy.Decide(&config).Outcome; was != policy.ExplicitDeny || is != was {
			t.Errorf("%s: AWS Config was %s and is %s", condition, was, is)
		}
		if got := delivery.Judge(after, []trail.Trail{mainTrail()}, trail.Environment{Now: now()}); got.Verdict != delivery.Delivering {
			t.Errorf("%s: %s", condition, show(got))
		}
	}
}

// A Deny that is mended may have been all that kept strangers' trails out. The remedy
// says so where the grant is bound to nobody.
func TestEditOfADenyBeforeAnOpenGrant(t *testing.T) {
	for condition, open := range map[string]bool{
		`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}`:                                                                        true,
		`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}}`: false,
	} {
		r := judgeMain(parse(t, `{"Version":"2012-10-17","Statement":[`+
			`{"Sid":"AWSCloudTrailAclCheck","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs-b"},`+
			`{"Sid":"AWSCloudTrailWrite","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/*","Condition":`+condition+`},`+
			`{"Sid":"DenyOutside","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"111111111111"}}}]}`))
		f := finding(t, r, "log-files-denied")
		if got := strings.Contains(f.Remedy, "it serves anybody's trails"); got != open || !strings.Contains(f.Remedy, "aws:PrincipalServiceName") {
			t.Errorf("%s: %s", condition, f.Remedy)
		}
	}
}
