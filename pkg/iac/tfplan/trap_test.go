package tfplan_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// edited is a recorded plan after an edit of its JSON.
func edited(t *testing.T, name string, edit func(plan map[string]any)) []byte {
	t.Helper()
	var plan map[string]any
	if err := json.Unmarshal(recorded(t, name), &plan); err != nil {
		t.Fatal(err)
	}
	edit(plan)
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// changeOf is the change of a resource in a plan.
func changeOf(plan map[string]any, address string) map[string]any {
	for _, c := range plan["resource_changes"].([]any) {
		if c := c.(map[string]any); c["address"] == address {
			return c
		}
	}
	return nil
}

// without leaves changes out of a plan, as -target does.
func without(plan map[string]any, addresses ...string) {
	var rest []any
	for _, c := range plan["resource_changes"].([]any) {
		if !strings.Contains(strings.Join(addresses, " "), c.(map[string]any)["address"].(string)) {
			rest = append(rest, c)
		}
	}
	plan["resource_changes"] = rest
}

func one(t *testing.T, plan []byte) (iac.Input, iac.BucketReport) {
	t.Helper()
	in, err := tfplan.Read(bytes.NewReader(plan), tfplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reports := iac.Assess(in, iac.Setting{Now: today})
	if len(reports) != 1 {
		t.Fatalf("%d buckets", len(reports))
	}
	return in, reports[0]
}

// What a partial plan leaves out stays as the state has it, and the plan says that it is partial.
func TestPartialPlan(t *testing.T) {
	in, r := one(t, edited(t, "deny-added", func(plan map[string]any) {
		plan["complete"] = false
		without(plan, "aws_s3_bucket.logs", "aws_cloudtrail.main")
	}))
	if in.Partial == "" || r.Before != delivery.Delivering || r.After != delivery.Blocked {
		t.Errorf("%q: %s, then %s", in.Partial, r.Before, r.After)
	}
	in, r = one(t, edited(t, "deny-added", func(plan map[string]any) {
		plan["complete"] = false
		plan["deferred_changes"] = []any{map[string]any{"reason": "provider_config_unknown", "resource_change": changeOf(plan, "aws_s3_bucket_policy.logs")}}
		without(plan, "aws_s3_bucket_policy.logs")
	}))
	if in.Partial == "" || r.Change != iac.Unchanged {
		t.Errorf("%q: %s", in.Partial, r.Change)
	}
}

// A plan that failed is never fine: what it does not tell may change too.
func TestFailedPlan(t *testing.T) {
	in, r := one(t, edited(t, "nothing", func(plan map[string]any) { plan["errored"] = true }))
	if in.Partial == "" || r.After != delivery.Undetermined || r.Change != iac.Uncertain {
		t.Errorf("%q: %s, %s", in.Partial, r.After, r.Change)
	}
}

// A replaced bucket has lost the policy that is not written again.
func TestBucketMadeAnew(t *testing.T) {
	replace := func(plan map[string]any) {
		changeOf(plan, "aws_s3_bucket.logs")["change"].(map[string]any)["actions"] = []any{"delete", "create"}
	}
	if _, r := one(t, edited(t, "nothing", replace)); r.Change != iac.Broken || r.Findings[0].ID != delivery.PolicyMissingID {
		t.Errorf("%s %+v", r.Change, r.Findings)
	}
	_, r := one(t, edited(t, "nothing", func(plan map[string]any) {
		replace(plan)
		changeOf(plan, "aws_s3_bucket_policy.logs")["change"].(map[string]any)["actions"] = []any{"delete", "create"}
	}))
	if r.Change != iac.Unchanged {
		t.Errorf("with the policy: %s %+v", r.Change, r.Findings)
	}
	_, r = one(t, edited(t, "nothing", func(plan map[string]any) {
		changeOf(plan, "aws_s3_bucket_policy.logs")["change"].(map[string]any)["actions"] = []any{"create", "delete"}
	}))
	if r.Change != iac.Uncertain || r.Findings[0].ID != delivery.PolicyContestedID {
		t.Errorf("made before it is removed: %s %+v", r.Change, r.Findings)
	}
}

// A bucket that gets another name is gone from where it was, and so is a policy that goes to
// another bucket.
func TestWhatIsLeftBehind(t *testing.T) {
	_, r := one(t, edited(t, "bucket-elsewhere", func(plan map[string]any) {
		plan["resource_changes"] = append(plan["resource_changes"].([]any), map[string]any{
			"address": "aws_s3_bucket.central", "mode": "managed", "type": "aws_s3_bucket", "name": "central",
			"change": map[string]any{
				"actions": []any{"delete", "create"}, "before": map[string]any{"bucket": "example-central", "policy": ""},
				"after": map[string]any{"bucket": "example-new"}, "after_unknown": map[string]any{"policy": true},
			},
		})
	}))
	if r.Bucket != "example-central" || r.After != delivery.Blocked || r.Findings[0].ID != delivery.BucketMissingID {
		t.Errorf("%s: %s %+v", r.Bucket, r.After, r.Findings)
	}
	_, r = one(t, edited(t, "nothing", func(plan map[string]any) {
		bucket := changeOf(plan, "aws_s3_bucket.logs")["change"].(map[string]any)
		policy := changeOf(plan, "aws_s3_bucket_policy.logs")["change"].(map[string]any)
		// What was last read of the bucket is the policy that goes.
		for _, side := range []string{"before", "after"} {
			bucket[side].(map[string]any)["policy"] = policy["before"].(map[string]any)["policy"]
		}
		policy["actions"] = []any{"delete", "create"}
		policy["after"].(map[string]any)["bucket"] = "example-other"
	}))
	if r.Bucket != "example-logs" || r.After != delivery.Blocked || r.Findings[0].ID != delivery.PolicyMissingID {
		t.Errorf("%s: %s %+v", r.Bucket, r.After, r.Findings)
	}
}

// What is left of a failed replacement takes the policy away when it is removed.
func TestDeposedPolicy(t *testing.T) {
	_, r := one(t, edited(t, "nothing", func(plan map[string]any) {
		policy := changeOf(plan, "aws_s3_bucket_policy.logs")
		deposed := maps.Clone(policy)
		deposed["deposed"] = "byebye07"
		deposed["change"] = map[string]any{"actions": []any{"delete"}, "before": policy["change"].(map[string]any)["before"], "after": nil}
		plan["resource_changes"] = append(plan["resource_changes"].([]any), deposed)
	}))
	if r.Change != iac.Uncertain || r.Findings[0].ID != delivery.PolicyContestedID {
		t.Errorf("%s %+v", r.Change, r.Findings)
	}
}

// A policy of which it is not known for which bucket it is may be any bucket's.
func TestStrayPolicy(t *testing.T) {
	_, r := one(t, edited(t, "nothing", func(plan map[string]any) {
		plan["resource_changes"] = append(plan["resource_changes"].([]any), map[string]any{
			"address": "aws_s3_bucket_policy.stray", "mode": "managed", "type": "aws_s3_bucket_policy", "name": "stray",
			"change": map[string]any{"actions": []any{"create"}, "after": map[string]any{}, "after_unknown": map[string]any{"bucket": true, "policy": true}},
		})
	}))
	if r.After != delivery.Undetermined {
		t.Errorf("%s %+v", r.After, r.Findings)
	}
}

// The inline policy of a bucket counts as far as the configuration sets it. Else the attribute is what
// was last read, which is of no use where another resource writes the policy.
func TestInlinePolicy(t *testing.T) {
	setInline := func(text any) func(map[string]any) {
		return func(plan map[string]any) {
			change := changeOf(plan, "aws_s3_bucket.logs")["change"].(map[string]any)
			for _, side := range []string{"before", "after"} {
				change[side].(map[string]any)["policy"] = text
			}
		}
	}
	const other = `{"Version":"2012-10-17","Statement":[]}`
	if _, r := one(t, edited(t, "nothing", setInline(other))); r.Change != iac.Unchanged || r.After != delivery.Delivering {
		t.Errorf("last read: %s %s", r.Change, r.After)
	}
	_, r := one(t, edited(t, "nothing", func(plan map[string]any) {
		setInline(other)(plan)
		for _, c := range plan["configuration"].(map[string]any)["root_module"].(map[string]any)["resources"].([]any) {
			if c := c.(map[string]any); c["address"] == "aws_s3_bucket.logs" {
				c["expressions"].(map[string]any)["policy"] = map[string]any{}
			}
		}
	}))
	if r.After != delivery.Undetermined || r.Findings[0].ID != delivery.PolicyContestedID {
		t.Errorf("set: %s %+v", r.After, r.Findings)
	}
	_, r = one(t, edited(t, "nothing", func(plan map[string]any) {
		setInline("")(plan)
		without(plan, "aws_s3_bucket_policy.logs")
		delete(plan, "prior_state")
	}))
	if r.After != delivery.Blocked {
		t.Errorf("last read as none: %s", r.After)
	}
}

// A state is judged as it is: printed by "show -json", or the file itself.
func TestState(t *testing.T) {
	var plan map[string]any
	if err := json.Unmarshal(recorded(t, "still-broken"), &plan); err != nil {
		t.Fatal(err)
	}
	shown, _ := json.Marshal(plan["prior_state"])
	_, r := one(t, shown)
	if r.Before != iac.NotThere || r.After != delivery.Blocked || r.Change != iac.New {
		t.Errorf("%s, then %s: %s", r.Before, r.After, r.Change)
	}
	var resources []any
	root := plan["prior_state"].(map[string]any)["values"].(map[string]any)["root_module"].(map[string]any)
	for _, res := range root["resources"].([]any) {
		res := res.(map[string]any)
		resources = append(resources, map[string]any{
			"mode": res["mode"], "type": res["type"], "name": res["name"],
			"instances": []any{map[string]any{
				"attributes":           res["values"],
				"sensitive_attributes": []any{[]any{map[string]any{"type": "get_attr", "value": "policy"}}},
			}},
		})
	}
	raw, _ := json.Marshal(map[string]any{"version": 4, "serial": 3, "lineage": "l", "resources": resources})
	_, r = one(t, raw)
	if r.After != delivery.Blocked || !r.Sensitive {
		t.Errorf("terraform.tfstate: %s, sensitive: %v", r.After, r.Sensitive)
	}
}

// The account follows from what is known of the same provider. Where that is nothing, no account is made up.
func TestAccount(t *testing.T) {
	unsaid := edited(t, "new-by-name", func(plan map[string]any) { delete(plan, "prior_state") })
	_, r := one(t, unsaid)
	if r.After != delivery.Undetermined || !strings.Contains(r.Gaps[0].String(), "the account") || strings.Contains(r.Trails[0].ARN, "9900") {
		t.Errorf("not known: %s, %s, unknown %v", r.Trails[0].ARN, r.After, r.Gaps)
	}
	in, err := tfplan.Read(bytes.NewReader(unsaid), tfplan.Options{Account: "111111111111"})
	if err != nil {
		t.Fatal(err)
	}
	if r := iac.Assess(in, iac.Setting{Now: today})[0]; r.After != delivery.Delivering {
		t.Errorf("said: %s %+v", r.After, r.Gaps)
	}
}

// Trails that are given beside the plan are read from the account, where the one that the plan removes still is.
func TestRemovedTrailIsStillListed(t *testing.T) {
	in, err := tfplan.Read(bytes.NewReader(recorded(t, "trail-deleted")), tfplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reports := iac.Assess(in, iac.Setting{Now: today, Trails: []trail.Trail{{
		ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", Name: "main", HomeRegion: "us-east-1", Bucket: "example-logs",
	}}})
	if len(reports) != 1 || reports[0].Change != iac.Removed || reports[0].Findings[0].ID != delivery.TrailRemovedID {
		t.Errorf("%+v", reports)
	}
}

// The resources of the AWSCC provider are the same things by other names.
func TestAWSCC(t *testing.T) {
	plan := recorded(t, "deny-added")
	plan = []byte(strings.NewReplacer(`"aws_cloudtrail`, `"awscc_cloudtrail_trail`, `"aws_s3_bucket_policy`, `"awscc_s3_bucket_policy`).Replace(string(plan)))
	var text map[string]any
	if err := json.Unmarshal(plan, &text); err != nil {
		t.Fatal(err)
	}
	rename := func(address string, names map[string]string) {
		change := changeOf(text, address)["change"].(map[string]any)
		for _, side := range []string{"before", "after"} {
			for from, to := range names {
				values := change[side].(map[string]any)
				values[to] = values[from]
				delete(values, from)
			}
		}
	}
	rename("awscc_cloudtrail_trail.main", map[string]string{"name": "trail_name", "enable_logging": "is_logging"})
	rename("awscc_s3_bucket_policy.logs", map[string]string{"policy": "policy_document"})
	plan, _ = json.Marshal(text)
	if _, r := one(t, plan); r.Change != iac.Broken || r.Address != "awscc_s3_bucket_policy.logs" {
		t.Errorf("%s: %s", r.Address, r.Change)
	}
}

// Up to version 5 of the AWS provider resources have no region: it is that of the provider, also where that
// is a variable.
func TestRegionOfProvider(t *testing.T) {
	plan := edited(t, "nested-modules", func(plan map[string]any) {
		after := changeOf(plan, "aws_cloudtrail.main")["change"].(map[string]any)["after"].(map[string]any)
		delete(after, "region")
	})
	if _, r := one(t, plan); r.Trails[0].ARN != "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main" {
		t.Errorf("got %s", r.Trails[0].ARN)
	}
	unsaid := edited(t, "nested-modules", func(plan map[string]any) {
		delete(changeOf(plan, "aws_cloudtrail.main")["change"].(map[string]any)["after"].(map[string]any), "region")
		delete(plan, "variables")
	})
	if _, r := one(t, unsaid); r.After != delivery.Undetermined || r.Trails[0].ARN != "<aws_cloudtrail.main>" {
		t.Errorf("not known: %s %s", r.Trails[0].ARN, r.After)
	}
}

// The organization is known where the state has it.
func TestOrganization(t *testing.T) {
	in, err := tfplan.Read(strings.NewReader(`{"format_version":"1.2","resource_changes":[],"prior_state":{"values":{"root_module":{"child_modules":[{"resources":[
		{"address":"module.a.data.aws_organizations_organization.this","mode":"data","type":"aws_organizations_organization","name":"this","values":{"id":"o-exampleorg1"}}]}]}}}}`),
		tfplan.Options{})
	if err != nil || in.Organization != "o-exampleorg1" {
		t.Errorf("%q, %v", in.Organization, err)
	}
}
