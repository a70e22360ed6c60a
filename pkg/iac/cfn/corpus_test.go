package cfn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// A row of the corpus of pkg/delivery, made into a template of one stack, is judged as the row is: what the
// evaluator makes of a template is the policy that stands there.
func TestCorpusAsTemplates(t *testing.T) {
	n := 0
	for _, c := range buckets.Rows(t, "../../delivery/testdata") {
		trails, err := trail.Parse(c.Trails)
		if err != nil || !c.HasPolicy() || bytes.Contains(c.Policy, []byte("null")) || !ofOneStack(c.Bucket, trails) {
			continue
		}
		doc, err := policy.Parse(c.Policy)
		if err != nil {
			t.Fatal(err)
		}
		in, err := cfn.Read(stackOf(c.Bucket, c.Policy, trails), cfn.Options{Account: trails[0].Account(), Region: trails[0].HomeRegion})
		if err != nil {
			continue // an element that stands twice
		}
		n++
		set := setting
		said := c.Environment(t, set.Now)
		set.Organization, set.EnabledRegions = said.Organization, said.EnabledRegions
		owner, region := trails[0].Account(), trails[0].HomeRegion
		want := delivery.Judge(
			delivery.Bucket{Name: c.Bucket, Owner: owner, Region: region, State: delivery.PolicyRead, Policy: doc, Payer: delivery.PayerOwner}, trails,
			trail.Environment{
				Bucket: c.Bucket, BucketOwner: owner, BucketRegion: region,
				Organization: set.Organization, EnabledRegions: set.EnabledRegions, Now: set.Now,
			})
		reports := iac.Assess(in, set)
		if len(reports) != 1 {
			t.Fatalf("row %s: %d buckets", c.ID, len(reports))
		}
		var got, wanted []string
		for _, f := range reports[0].Findings {
			got = append(got, f.ID+" "+f.Trail)
		}
		for _, f := range want.Findings {
			wanted = append(wanted, f.ID+" "+f.Trail)
		}
		if r := reports[0]; r.After != want.Verdict || !slices.Equal(got, wanted) {
			t.Errorf("row %s: %s with %q; want %s with %q", c.ID, r.After, got, want.Verdict, wanted)
		}
	}
	if n < 100 {
		t.Errorf("%d rows", n)
	}
}

// ofOneStack reports whether one stack can make the trails, with all that is known of them.
func ofOneStack(bucket string, trails []trail.Trail) bool {
	return len(trails) > 0 && !slices.ContainsFunc(trails, func(t trail.Trail) bool {
		return t.Bucket != bucket || t.Account() != trails[0].Account() || t.HomeRegion != trails[0].HomeRegion ||
			t.CustomSelectors || t.NetworkActivity || t.Aggregated
	})
}

// stackOf is the template of a bucket with its policy, and of trails.
func stackOf(bucket string, policy json.RawMessage, trails []trail.Trail) []byte {
	resources := map[string]any{
		"Logs":   map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": bucket}},
		"Policy": map[string]any{"Type": "AWS::S3::BucketPolicy", "Properties": map[string]any{"Bucket": map[string]any{"Ref": "Logs"}, "PolicyDocument": policy}},
	}
	for i, t := range trails {
		properties := map[string]any{
			"TrailName": t.Name, "S3BucketName": map[string]any{"Ref": "Logs"}, "S3KeyPrefix": t.Prefix, "KMSKeyId": t.KMSKeyID, "IsLogging": true,
			"IsMultiRegionTrail": t.MultiRegion, "IsOrganizationTrail": t.Organization, "EnableLogFileValidation": t.LogFileValidation,
		}
		if t.InsightSelectors {
			properties["InsightSelectors"] = []any{map[string]any{"InsightType": "ApiCallRateInsight"}}
		}
		resources[fmt.Sprintf("Trail%03d", i)] = map[string]any{"Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": properties}
	}
	text, _ := json.Marshal(map[string]any{"Resources": resources}) // texts, lists and maps
	return text
}
