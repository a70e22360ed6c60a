package tfplan_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// A row of the corpus of pkg/delivery, made into a plan that gives the bucket its policy, is judged
// as the row is: there is one engine.
func TestCorpusAsPlans(t *testing.T) {
	n := 0
	for _, c := range buckets.Rows(t, "../../delivery/testdata") {
		trails, err := trail.Parse(c.Trails)
		if err != nil || !c.HasPolicy() || !told(trails) {
			continue
		}
		n++
		set := iac.Setting{Now: today}
		said := c.Environment(t, set.Now)
		set.Organization, set.EnabledRegions = said.Organization, said.EnabledRegions
		doc, err := policy.Parse(c.Policy)
		if err != nil {
			t.Fatal(err)
		}
		want := delivery.Judge(delivery.Bucket{Name: c.Bucket, State: delivery.PolicyRead, Policy: doc}, trails,
			trail.Environment{Organization: set.Organization, EnabledRegions: set.EnabledRegions, Now: set.Now})
		in, err := tfplan.Read(bytes.NewReader(planOf(c.Bucket, string(c.Policy), trails)), tfplan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range iac.Assess(in, set) {
			if r.Bucket != c.Bucket {
				continue
			}
			var got, wanted []string
			for _, f := range r.Findings {
				got = append(got, f.ID+" "+f.Trail)
			}
			for _, f := range want.Findings {
				wanted = append(wanted, f.ID+" "+f.Trail)
			}
			if r.After != want.Verdict || !slices.Equal(got, wanted) || r.Before != delivery.Blocked {
				t.Errorf("row %s: %s, then %s with %q; want %s with %q", c.ID, r.Before, r.After, got, want.Verdict, wanted)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d rows", n)
	}
}

// told reports whether a plan tells all of the trails: it always tells of selectors.
func told(trails []trail.Trail) bool {
	return !slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.CustomSelectors || t.NetworkActivity || t.Aggregated })
}

// planOf is a plan that gives a bucket, which has none, its policy. The trails are there.
func planOf(bucket, policy string, trails []trail.Trail) []byte {
	change := func(kind, name string, actions []string, before, after any) map[string]any {
		return map[string]any{
			"address": kind + "." + name, "mode": "managed", "type": kind, "name": name,
			"change": map[string]any{"actions": actions, "before": before, "after": after, "after_unknown": map[string]any{}},
		}
	}
	changes := []any{change("aws_s3_bucket_policy", "logs", []string{"create"}, nil, map[string]any{"bucket": bucket, "policy": policy})}
	changes = append(changes, change("aws_s3_bucket", "logs", []string{"no-op"},
		map[string]any{"bucket": bucket, "policy": ""}, map[string]any{"bucket": bucket, "policy": ""}))
	for i, t := range trails {
		values := map[string]any{
			"name": t.Name, "arn": t.ARN, "s3_bucket_name": t.Bucket, "s3_key_prefix": t.Prefix, "kms_key_id": t.KMSKeyID, "home_region": t.HomeRegion,
			"is_multi_region_trail": t.MultiRegion, "is_organization_trail": t.Organization, "enable_log_file_validation": t.LogFileValidation,
		}
		if t.InsightSelectors {
			values["insight_selector"] = []any{map[string]any{"insight_type": "ApiCallRateInsight"}}
		}
		changes = append(changes, change("aws_cloudtrail", "t"+string(rune('a'+i)), []string{"no-op"}, values, values))
	}
	text, _ := json.Marshal(map[string]any{"format_version": "1.2", "resource_changes": changes})
	return text
}
