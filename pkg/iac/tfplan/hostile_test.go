package tfplan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// A mask of a form that Terraform does not write marks all: what is sensitive is not shown, what is not
// known is not taken as known.
func TestOddMasks(t *testing.T) {
	for name, mask := range map[string]any{
		"text": "x", "number": 3.0, "list": []any{true}, "text within": map[string]any{"policy": "true"},
		"list within": map[string]any{"policy": []any{true}}, "deep": map[string]any{"policy": map[string]any{"a": []any{[]any{1.0}}}},
	} {
		set := func(member string) []byte {
			return edited(t, "deny-added", func(plan map[string]any) {
				changeOf(plan, "aws_s3_bucket_policy.logs")["change"].(map[string]any)[member] = mask
			})
		}
		if _, r := one(t, set("after_sensitive")); !r.Sensitive || strings.Contains(fmt.Sprint(r.Findings), "vpce") {
			t.Errorf("%s: it is shown: %+v", name, r.Findings)
		}
		if _, r := one(t, set("after_unknown")); r.After != delivery.Undetermined || r.Change != iac.Uncertain {
			t.Errorf("%s: %s", name, r.After)
		}
	}
}

// What nobody writes who means well ends with an answer that is not fine, and soon.
func TestHostileValues(t *testing.T) {
	nested := `{"Statement":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"
	for name, policy := range map[string]string{
		"nested": nested, "long": `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"` + strings.Repeat("?*a", 1_000_000) + `"}]}`,
		"many": `{"Statement":[` + strings.Repeat(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},`, 50_000) + `{}]}`,
	} {
		_, r := one(t, edited(t, "deny-added", func(plan map[string]any) {
			changeOf(plan, "aws_s3_bucket_policy.logs")["change"].(map[string]any)["after"].(map[string]any)["policy"] = policy
		}))
		if r.After != delivery.Undetermined || r.Change != iac.Uncertain || len(r.Gaps) == 0 {
			t.Errorf("policy, %s: %s %s", name, r.After, r.Change)
		}
	}
	_, r := one(t, edited(t, "nothing", func(plan map[string]any) {
		changeOf(plan, "aws_cloudtrail.main")["change"].(map[string]any)["after"].(map[string]any)["s3_key_prefix"] = strings.Repeat("a/", 1_000_000)
	}))
	if r.After != delivery.Undetermined || len(r.Gaps) == 0 {
		t.Errorf("a long prefix: %s", r.After)
	}
	_, r = one(t, edited(t, "nothing", func(plan map[string]any) {
		for i := range 20_000 {
			plan["resource_changes"] = append(plan["resource_changes"].([]any), map[string]any{
				"address": fmt.Sprintf("aws_s3_bucket_policy.x%d", i), "mode": "managed", "type": "aws_s3_bucket_policy",
				"change": map[string]any{"actions": []any{"create"}, "after": map[string]any{}, "after_unknown": map[string]any{"bucket": i%2 == 0, "policy": true}},
			})
		}
	}))
	if r.After != delivery.Undetermined {
		t.Errorf("many policies: %s", r.After)
	}
}

// A configuration that refers to itself leads nowhere: the bucket is not known.
func TestConfigurationThatRefersToItself(t *testing.T) {
	refers := func(to ...string) map[string]any { return map[string]any{"references": to} }
	var all []string
	calls := map[string]any{}
	for i := range 100 {
		all = append(all, fmt.Sprintf("module.m%d.x", i))
	}
	for i := range 100 {
		calls[fmt.Sprintf("m%d", i)] = map[string]any{
			"expressions": map[string]any{"v": refers(all...)},
			"module":      map[string]any{"outputs": map[string]any{"x": map[string]any{"expression": refers("var.v")}}},
		}
	}
	_, r := one(t, edited(t, "new-by-name", func(plan map[string]any) {
		root := plan["configuration"].(map[string]any)["root_module"].(map[string]any)
		root["module_calls"] = calls
		for _, c := range root["resources"].([]any) {
			if c := c.(map[string]any); c["type"] == "aws_cloudtrail" {
				c["expressions"] = map[string]any{"s3_bucket_name": refers(all...)}
			}
		}
		trail := changeOf(plan, "aws_cloudtrail.main")["change"].(map[string]any)
		delete(trail["after"].(map[string]any), "s3_bucket_name")
		trail["after_unknown"].(map[string]any)["s3_bucket_name"] = true
	}))
	if r.After != delivery.Undetermined || len(r.Gaps) == 0 {
		t.Errorf("%s %+v", r.After, r.Gaps)
	}
}

// What is not JSON, or no plan, is said in a line.
func TestNoPlans(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "a list": "[]", "half": `{"format_version":"1.2","resource_changes":[{"address":`, "a template": `{"Resources":{}}`,
		"a later form": `{"format_version":"2.0","resource_changes":[]}`, "deep": `{"values":{"root_module":` + strings.Repeat(`{"child_modules":[`, 20_000),
		"no comma": `{"format_version":"1.2" "resource_changes":[]}`, "bracket": `{"values":]}`,
		"a huge resource": `{"resource_changes":[{"x":"` + strings.Repeat("x", 33<<20),
		"two":             string(recorded(t, "nothing")) + string(recorded(t, "deny-added")), "no list": `{"resource_changes":{"a":1}}`,
		"a text": `{"resource_changes":"x"}`, "a long address": `{"resource_changes":[{"type":"aws_cloudtrail","address":"` + strings.Repeat("module.a.", 10_000) + `"}]}`,
	} {
		if _, err := tfplan.Read(strings.NewReader(text), tfplan.Options{}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
