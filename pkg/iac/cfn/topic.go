package cfn

import "github.com/trailwarden/trailwarden/pkg/iac"

// topicARN is the ARN of a topic of the template, with a mark where its name is not known.
func (e *evaluator) topicARN(id string) value {
	place := e.region + ":" + e.ref("AWS::AccountId").text
	return textValue("arn:" + string(e.partition()) + ":sns:" + place + ":" + e.topicName(id).text)
}

func (e *evaluator) topicName(id string) value { return e.nameIn(id, "TopicName", iac.TopicMark) }

// topic is an SNS topic. It has the policy that SNS gives it, unless another resource gives it one.
func (e *evaluator) topic(id string, r resource) iac.Topic {
	e.secret = false
	at, name := e.topicARN(id), e.topicName(id)
	t := iac.Topic{
		Origin: e.origin(id, r), Account: iac.Text(e.ref("AWS::AccountId").text),
		ARN:  iac.Value{State: iac.Known, Text: at.text, Attribute: "TopicName", Sensitive: e.secret},
		Name: iac.Value{State: iac.Known, Text: name.text, Attribute: "TopicName", Sensitive: e.secret},
		Key:  e.attribute(r, "KmsMasterKeyId"),
	}
	if t.Key.Is("") {
		t.Key = iac.Value{}
	}
	return t
}

// topicPolicies are what a resource gives each of its topics.
func (e *evaluator) topicPolicies(id string, r resource) []iac.TopicPolicy {
	p := e.policyText(id, r, "PolicyDocument")
	p.Written, p.Kept = true, r.kept()
	topics := e.evaluate(r.property("Topics"))
	if topics.kind != isList {
		return []iac.TopicPolicy{{Policy: p, Topic: iac.NotKnown(topics.refers...)}}
	}
	var out []iac.TopicPolicy
	for _, v := range topics.list {
		topic := iac.NotKnown(v.refers...)
		if text, ok := v.scalar(); ok && !iac.HasOtherMark(text) {
			topic = iac.Text(text)
		} else if ok {
			topic = iac.NotKnown(iac.References(text)...)
		}
		out = append(out, iac.TopicPolicy{Policy: p, Topic: topic})
	}
	return out
}
