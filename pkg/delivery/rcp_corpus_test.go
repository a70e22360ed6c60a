package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// Over all policies of the corpus, a resource control policy gives what its Denies would give as
// statements of the bucket's own policy: two ways to the same answer. What is open in both may be
// certain together, which the judgement side by side does not find; it never says more than holds.
func TestRCPsAreAsDeniesOfTheBucket(t *testing.T) {
	t.Parallel()
	harmless := rcpOf(t, "p-harmlessrcp", "", []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}},
		{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorg1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`))
	perimeter := rcpOf(t, "p-perimeterrc", "", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":["s3:*","kms:*"],"Resource":"*","Condition":{
		"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-exampleorg1"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}]}`))
	folder := rcpOf(t, "p-folderfolde", "", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
		"Resource":["arn:aws:s3:::*/CloudTrail/eu-west-1/*","arn:aws:s3:::*/CloudTrail/me-south-1/*"]}]}`))
	everything := rcpOf(t, "p-everythinge", "", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`))
	judged, differ := 0, 0
	for _, row := range buckets.Rows(t, "testdata") {
		if !row.HasPolicy() {
			continue
		}
		doc, err := policy.Parse(row.Policy)
		trails, trailsErr := trail.Parse(row.Trails)
		if err != nil || trailsErr != nil {
			continue
		}
		env := row.Environment(t, now())
		b := delivery.Bucket{Name: row.Bucket, Owner: row.Owner, State: delivery.PolicyRead, Policy: doc, Payer: row.Payer}
		before := delivery.Judge(b, trails, env)
		managed := false
		for _, x := range trails {
			managed = managed || x.Organization && x.Account() == row.Owner
		}
		if before.Verdict == "" || len(before.Trails) == 0 || managed || before.TooComplex() {
			continue
		}
		for _, p := range []policy.RCP{harmless, perimeter, folder, everything} {
			judged++
			budget := delivery.NewBudget(b, trails)
			got := delivery.JudgeRCPs(budget, before, b, trails, env, delivery.Chain{}, delivery.RCPs{Account: row.Owner, Policies: []policy.RCP{p}})
			var texts [][]byte
			own := parse(t, string(p.Text()))
			for i := range own.Len() {
				texts = append(texts, own.StatementText(i))
			}
			with, err := doc.With(nil, texts...)
			if err != nil {
				continue
			}
			merged := b
			merged.Policy = with
			want := delivery.Judge(merged, trails, env).Verdict
			switch {
			case got.Verdict == want:
			case got.Verdict == delivery.Undetermined && want == delivery.Blocked:
				differ++
			default:
				t.Errorf("row %s under %s: %s, and %s with its Denies in the policy; %s before", row.ID, p, got.Verdict, want, before.Verdict)
			}
			if p.ID == everything.ID && got.Verdict != delivery.Blocked {
				t.Errorf("row %s: everything is denied, and it is %s", row.ID, got.Verdict)
			}
		}
	}
	if judged < 500 || differ > judged/50 {
		t.Errorf("%d judged, %d less certain", judged, differ)
	}
	t.Logf("%d judged, %d less certain", judged, differ)
}
