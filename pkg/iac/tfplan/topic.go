package tfplan

import (
	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// topic is an SNS topic. Of one that is made the ARN is put together, with marks for what is not
// known; it has the policy that SNS gives it, unless it is made with another.
func (b *builder) topic(o object, f fate) iac.Topic {
	t := iac.Topic{
		Origin: b.origin(o.address), ARN: orAbsent(o.value("arn")), Name: orAbsent(o.value("name")), Key: orAbsent(o.value("kms_master_key_id")),
		Account: b.account(o.address),
	}
	if t.ARN.State != iac.Known {
		name, region := iac.Mark(iac.TopicMark, o.address), b.region(o, "region")
		if text, ok := t.Name.Settled(); ok {
			name = text
		}
		if region.State == iac.Known {
			partition := string(arn.Region(region.Text).Partition())
			t.ARN = iac.Value{State: iac.Known, Attribute: "arn", Text: "arn:" + partition + ":sns:" + region.Text + ":" + t.Account.Text + ":" + name}
		}
	}
	t.Policy.Origin = t.Origin
	t.Policy.Text, t.Policy.Gaps = b.policyText(o)
	switch set := b.resolver.expression(o.address, "policy").set; {
	case t.Policy.Text.Is(""), f.made && !set && t.Policy.Text.State != iac.Known:
		t.Policy = iac.Policy{Origin: t.Origin}
	case t.Policy.Text.State == iac.Absent:
		t.Policy.Text = iac.NotKnown()
	}
	return t
}

func (b *builder) topicPolicy(o object, f fate) iac.TopicPolicy {
	p := iac.TopicPolicy{Topic: o.value("arn"), Policy: iac.Policy{Origin: b.origin(o.address), Written: f.written, Removed: f.removed}}
	p.Text, p.Gaps = b.policyText(o)
	return p
}
