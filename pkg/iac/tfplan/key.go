package tfplan

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// keyPolicy is a resource that gives a key its policy.
type keyPolicy struct {
	to     *iac.Snapshot
	object object
}

// key is a KMS key. One that is made without a policy has the one that KMS gives it, which is for
// the account's root.
func (b *builder) key(o object, f fate) iac.Key {
	k := iac.Key{Origin: b.origin(o.address), ARN: orAbsent(o.value("arn")), Enabled: o.value("is_enabled"), Spec: o.value("customer_master_key_spec"), Usage: o.value("key_usage")}
	k.Policy.Origin = k.Origin
	k.Policy.Text, k.Policy.Gaps = b.policyText(o)
	if f.made && k.Policy.Text.State != iac.Known && !b.resolver.expression(o.address, "policy").set {
		statement := ""
		if account, ok := b.account(o.address).Settled(); ok { // whichever it is, it is no service
			statement = `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"kms:*","Resource":"*"}`
		}
		k.Policy.Text, k.Policy.Gaps = iac.Text(`{"Statement":[`+statement+`]}`), nil
	}
	return k
}

// setKeyPolicies gives keys the policies that are resources of their own.
func (b *builder) setKeyPolicies() {
	for _, p := range b.keyPolicies {
		id := p.object.value("key_id")
		for i := range p.to.Keys {
			k := &p.to.Keys[i]
			named := id.State == iac.Known && id.Text != "" && k.ARN.State == iac.Known &&
				(k.ARN.Text == id.Text || strings.HasSuffix(k.ARN.Text, ":key/"+id.Text))
			refers := id.State == iac.Unknown && slices.ContainsFunc(id.RefersTo, func(to string) bool {
				return to == k.Address || strings.HasPrefix(to, k.Address+".")
			})
			if named || refers {
				k.Policy = iac.Policy{Origin: b.origin(p.object.address)}
				k.Policy.Text, k.Policy.Gaps = b.policyText(p.object)
			}
		}
	}
}

// bucketKeys is whether the rules of a default encryption use S3 Bucket Keys. What is marked as not known in
// the attribute that has them leaves it open.
func bucketKeys(o object, attribute string, values map[string]any) iac.Value {
	v := iac.Value{State: iac.Unknown, Attribute: attribute, RefersTo: o.refersTo(attribute)}
	if anyMarked(child(o.unknown, attribute)) {
		return v
	}
	v.State, v.Text, v.RefersTo = iac.Known, "false", nil
	rules, _ := values["rule"].([]any)
	for _, r := range rules {
		if r, _ := r.(map[string]any); r["bucket_key_enabled"] == true {
			v.Text = "true"
		}
	}
	return v
}
