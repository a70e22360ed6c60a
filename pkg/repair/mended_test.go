package repair_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// With the policy that a person is shown to put, nothing blocks CloudTrail any more, and every
// statement that neither the plan changes nor a finding edits is as it was.
func TestMendedPolicyDelivers(t *testing.T) {
	t.Parallel()
	mended, edited := 0, 0
	for _, c := range realCases(t) {
		b, trails, env := c.read(t)
		report := delivery.Judge(b, trails, env)
		plan := repair.For(b, trails, env, report, repair.Options{})
		text := repair.Mended(b, trails, env, report, plan, nil)
		if text == nil {
			continue
		}
		mended++
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		after := b
		after.State, after.Policy = delivery.PolicyRead, doc
		for _, f := range delivery.Judge(after, trails, env).Outages() {
			if known, _ := delivery.LookupType(f.ID); known.Source == delivery.SourcePolicy {
				t.Errorf("%s: still %s: %s", c.ID, f.ID, f.Message)
			}
		}
		shown := false
		for _, f := range report.Outages() {
			shown = shown || f.Edit != ""
		}
		if !shown && !bytes.Equal(text, plan.Policy) {
			t.Errorf("%s: no Deny is edited, and yet it is another policy than the plan's", c.ID)
		}
		if !shown {
			continue
		}
		edited++
		for i := range doc.Len() {
			if own := string(doc.StatementText(i)); !strings.Contains(string(plan.Policy), own) && !editOf(t, own, report) {
				t.Errorf("%s: statement %s is neither the plan's nor an edit that is shown: %s", c.ID, doc.Label(i), own)
			}
		}
	}
	t.Logf("%d policies, %d of them with a Deny edited", mended, edited)
	if mended == edited || edited == 0 {
		t.Error("the corpora hold no case of each")
	}
}

// editOf reports whether a statement is the edit of a finding.
func editOf(t *testing.T, statement string, r delivery.Report) bool {
	t.Helper()
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool {
		texts := []json.RawMessage{json.RawMessage(f.Edit)}
		if strings.HasPrefix(f.Edit, "[") {
			if err := json.Unmarshal([]byte(f.Edit), &texts); err != nil {
				t.Fatal(err)
			}
		}
		return slices.ContainsFunc(texts, func(text json.RawMessage) bool { return string(text) == statement })
	})
}

// Nothing is shown to be put where the policy is fine, and where there is none to write.
func TestNothingToPut(t *testing.T) {
	tr := trail.Trail{Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", HomeRegion: "us-east-1", Bucket: "logs", MultiRegion: true}
	env := trail.Environment{Bucket: "logs", BucketOwner: "111111111111"}
	documented, err := trail.DocumentedPolicy([]trail.Trail{tr}, env)
	if err != nil {
		t.Fatal(err)
	}
	everybody := `{"Version":"2012-10-17","Statement":[{"Sid":"Nobody","Effect":"Deny","Principal":{"Service":["cloudtrail.amazonaws.com"]},"Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}`
	for name, text := range map[string]string{"fine": string(documented), "a Deny aimed at CloudTrail": everybody} {
		doc, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b := delivery.Bucket{Name: "logs", Owner: "111111111111", State: delivery.PolicyRead, Policy: doc}
		report := delivery.Judge(b, []trail.Trail{tr}, env)
		got := repair.Mended(b, []trail.Trail{tr}, env, report, repair.For(b, []trail.Trail{tr}, env, report, repair.Options{}), nil)
		if fine := name == "fine"; fine != (got == nil) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, state := range []delivery.BucketState{delivery.Unreadable, delivery.BucketMissing, delivery.OtherOwner} {
		b := delivery.Bucket{Name: "logs", State: state}
		report := delivery.Judge(b, []trail.Trail{tr}, env)
		if got := repair.Mended(b, []trail.Trail{tr}, env, report, repair.Plan{}, nil); got != nil {
			t.Errorf("state %d: %s", state, got)
		}
	}
}

// A policy that there was no time to judge is not shown to be put.
func TestNothingToPutUnjudged(t *testing.T) {
	for _, c := range realCases(t) {
		b, trails, env := c.read(t)
		report := delivery.Judge(b, trails, env)
		plan := repair.For(b, trails, env, report, repair.Options{})
		budget := delivery.NewBudget(b, trails)
		budget.Stop()
		if got := repair.Mended(b, trails, env, report, plan, budget); got != nil {
			t.Fatalf("%s: %s", c.ID, got)
		}
	}
}
