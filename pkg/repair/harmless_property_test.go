package repair_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Carrying out a plan harms nobody, whatever it is allowed to rest on.
func TestHarmless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := genWorld(t)
		if w.bucket.Policy != nil {
			w.bucket.Policy = genShared(t, w)
		}
		o := genOptions(t, w)
		w.planned(t, o).harmless(t, o)
	})
}

// genOptions returns what a plan may do and rest on.
func genOptions(t *rapid.T, w world) repair.Options {
	o := repair.Options{Harden: rapid.IntRange(0, 3).Draw(t, "harden") > 0}
	switch rapid.IntRange(0, 3).Draw(t, "complete") {
	case 0:
		o.AllTrails = true
	case 1:
		o.ReadAccounts = []string{w.trails[0].Account()}
	}
	return o
}

// genShared adds statements that CloudTrail shares with others, or that are
// wider than it needs.
func genShared(t *rapid.T, w world) *policy.Document {
	var added [][]byte
	base := w.bucket.Policy
	if rapid.IntRange(0, 2).Draw(t, "alone") == 0 {
		base = parse(t, `{"Version":"2012-10-17","Statement":[]}`)
	}
	for range rapid.IntRange(0, 2).Draw(t, "shared") {
		text := rapid.SampledFrom(sharedStatements()).Draw(t, "shared statement")
		text = strings.ReplaceAll(text, "BUCKET", "arn:"+w.partition()+":s3:::"+testBucket)
		text = strings.ReplaceAll(text, "PARTITION", w.partition())
		text = strings.ReplaceAll(text, "OWN", w.trails[0].Account())
		if condition := rapid.SampledFrom(sharedConditions()).Draw(t, "condition"); condition != "" {
			text = strings.TrimSuffix(text, "}") + `,"Condition":` + strings.ReplaceAll(condition, "OWN", w.trails[0].Account()) + "}"
		}
		added = append(added, []byte(text))
	}
	doc, err := base.With(nil, added...)
	if err != nil {
		t.Fatalf("add %s: %v", added, err)
	}
	return doc
}

func sharedStatements() []string {
	return []string{
		`{"Sid":"Check","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","config.amazonaws.com"]},"Action":"s3:GetBucketAcl","Resource":"BUCKET"}`,
		`{"Sid":"Check","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:ListBucket","s3:GetBucketLocation"],"Resource":"BUCKET"}`,
		`{"Effect":"Allow","Principal":{"Service":["delivery.logs.amazonaws.com","cloudtrail.amazonaws.com","config.amazonaws.com","ssm.amazonaws.com"]},"Action":"s3:PutObject","Resource":"BUCKET/*"}`,
		`{"Sid":"Both","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com","AWS":["OWN","arn:PARTITION:iam::555555555555:role/reader"]},"Action":["s3:PutObject","s3:PutObjectAcl","s3:GetBucketAcl"],"Resource":["BUCKET","BUCKET/AWSLogs/OWN/*"]}`,
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"BUCKET/AWSLogs/*"}`,
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","config.amazonaws.com"]},"Action":"s3:PutObject","Resource":"BUCKET/*"}`,
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"BUCKET/AWSLogs/o-exampleorg1/*"}`,
		`{"Sid":"Wide","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:*","Resource":["BUCKET","BUCKET/*"]}`,
		`{"Sid":"World","Effect":"Allow","Principal":"*","Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["BUCKET","BUCKET/*"]}`,
		`{"Sid":"World","Effect":"Allow","Principal":{"AWS":"*","Service":"cloudtrail.amazonaws.com"},"Action":"s3:Put*","Resource":"BUCKET/AWSLogs/*"}`,
		`{"Sid":"Folders","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com"]},"Action":"s3:PutObject","Resource":["BUCKET/AWSLogs/OWN/*","BUCKET/AWSLogs/999999999999/*","BUCKET/AWSLogs/o-exampleorg1/*"]}`,
		`{"Sid":"Logs","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com"]},"Action":"s3:PutObject","Resource":["BUCKET/*AWSLogs/OWN/*"]}`,
		`{"Sid":"Odd","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com"]},"Action":"s3:PutObject","Resource":["BUCKET/*AWSLogs/9999*/*","BUCKET/other/AWSLogs/OWN/AWSLogs/999999999999/*"]}`,
		`{"Sid":"Old","Effect":"Allow","Principal":{"AWS":["arn:PARTITION:iam::086441151436:root","arn:PARTITION:iam::555555555555:root"]},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["BUCKET","BUCKET/AWSLogs/OWN/*"]}`,
	}
}

func sharedConditions() []string {
	return []string{
		"", "", "", "", "",
		`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}`,
		`{"StringEquals":{"aws:SourceAccount":["OWN","999999999999"]}}`,
		`{"StringLike":{"AWS:SourceArn":"arn:*:cloudtrail:*:*:trail/*"}}`,
		`{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:OWN:trail/*"}}`,
		`{"StringEquals":{"aws:SourceOrgID":"o-exampleorg1"}}`,
		`{"StringEqualsIfExists":{"aws:SourceOrgID":"o-exampleorg1"}}`,
		`{"StringNotEquals":{"aws:SourceAccount":"OWN"}}`,
		`{"Null":{"aws:SourceArn":"false"},"Bool":{"aws:SecureTransport":"true"}}`,
		`{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}`,
	}
}

// Carrying out a plan harms nobody, for every policy of the corpora.
func TestHarmlessInTheField(t *testing.T) {
	t.Parallel()
	changed, cases := 0, 0
	for _, c := range realCases(t) {
		w, ok := c.world(t)
		if !ok {
			continue
		}
		cases++
		if w.harmlessInEveryMode(t, c.ID) {
			changed++
		}
	}
	t.Logf("%d of %d policies are changed by some plan", changed, cases)
	if changed < cases/5 {
		t.Errorf("only %d of %d policies are changed by some plan", changed, cases)
	}
}

// What a plan leaves to a person is enough: with the Denies written as it shows,
// all is allowed that they blocked.
func (p planned) editsSuffice(t *testing.T) {
	t.Helper()
	if p.after == nil {
		return
	}
	report := delivery.Judge(p.with(p.after), p.trails, p.setting)
	for _, f := range report.Findings {
		known, _ := delivery.LookupType(f.ID)
		if f.Edit == "" || f.Kind != delivery.Outage || strings.Contains(f.Remedy, "No small edit") {
			continue
		}
		edited, err := p.after.With(editedStatements(t, p.after, f.Edit))
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range delivery.Judge(p.with(edited), p.trails, p.setting).Trails {
			for _, rr := range tr.Requirements {
				if tr.ARN == f.Trail && rr.ID == known.Requirement && (rr.Decision == policy.ImplicitDeny || rr.Decision == policy.ExplicitDeny) {
					t.Errorf("%s of %s is %s with the Deny as shown: %s\nedit: %s\npolicy: %s", rr.ID, tr.ARN, rr.Decision, rr.Why, f.Edit, p.after.Text())
				}
			}
		}
	}
}

// editedStatements finds the statements that an edit is of: those that are the
// same but for Condition and NotPrincipal.
func editedStatements(t *testing.T, doc *policy.Document, edit string) map[int][]byte {
	t.Helper()
	var texts []json.RawMessage
	if json.Unmarshal([]byte(edit), &texts) != nil {
		texts = []json.RawMessage{json.RawMessage(edit)}
	}
	rest := func(text []byte) string {
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		delete(members, "Condition")
		delete(members, "NotPrincipal")
		out, _ := json.Marshal(members)
		return string(out)
	}
	out := map[int][]byte{}
	for _, text := range texts {
		for i := range doc.Len() {
			if _, taken := out[i]; !taken && rest(doc.StatementText(i)) == rest(text) {
				out[i] = text
				break
			}
		}
	}
	if len(out) != len(texts) {
		t.Fatalf("%d of %d statements found: %s", len(out), len(texts), edit)
	}
	return out
}

// harmlessInEveryMode reports whether some plan changes the policy.
func (w world) harmlessInEveryMode(t *testing.T, id string) (changed bool) {
	own := []string{w.trails[0].Account()}
	for _, o := range []repair.Options{
		{}, {Harden: true}, {Harden: true, AllTrails: true}, {Harden: true, ReadAccounts: own},
	} {
		t.Run(id, func(t *testing.T) {
			p := w.planned(t, o)
			changed = changed || p.plan.Changed
			p.harmless(t, o)
			p.editsSuffice(t)
			if again := judgeAndPlan(p.with(p.after), w.trails, w.setting, o); !again.Empty() {
				t.Errorf("planned again: %+v\n%s", again.Changes, again.Diff)
			}
		})
	}
	return changed
}

// world is what the case is about, and false if it has no policy or no trail.
func (c realCase) world(t *testing.T) (world, bool) {
	t.Helper()
	trails, err := trail.Parse(c.Trails)
	if err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	w := world{
		trails:  slices.DeleteFunc(trails, func(t trail.Trail) bool { return t.Bucket != c.Bucket }),
		setting: trail.Environment{Bucket: c.Bucket, BucketOwner: c.Owner, Now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)},
	}
	if len(c.Policy) == 0 || string(c.Policy) == "null" || len(w.trails) == 0 {
		return w, false
	}
	if !c.Now.IsZero() {
		w.setting.Now = c.Now
	}
	w.setting.Organization.Members = c.Members
	if len(c.Organization) > 0 {
		w.setting.Organization.Known = true
		if err := json.Unmarshal(c.Organization, &w.setting.Organization.ID); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
	}
	doc, err := policy.Parse(c.Policy)
	if err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	w.bucket = delivery.Bucket{Name: c.Bucket, Owner: c.Owner, State: delivery.PolicyRead, Policy: doc}
	return w, true
}
