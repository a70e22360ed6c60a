package iac

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// Topic is an SNS topic.
type Topic struct {
	Origin
	ARN, Name Value
	Key       Value // with which it is encrypted; absent: none
	Account   Value
	// Policy is the topic's policy; its text is absent if it has the one that SNS gives a topic.
	Policy Policy
}

// TopicPolicy is a resource that gives a topic its policy.
type TopicPolicy struct {
	Policy

	Topic Value // by its ARN, or by what the value refers to
}

// means reports whether a value names the resource at an address: by one of its names, or because it
// refers to nothing else.
func (v Value) means(address string, names ...Value) bool {
	named := func(name Value) bool { return name.State == Known && name.Text == v.Text }
	if v.State == Known && v.Text != "" {
		return slices.ContainsFunc(names, named)
	}
	return v.State == Unknown && len(v.RefersTo) > 0 && !slices.ContainsFunc(v.RefersTo, func(to string) bool {
		return to != address && !strings.HasPrefix(to, address+".")
	})
}

// topicsWithPolicies are the topics with the policies that resources of their own give them. One
// that is taken away leaves the policy that SNS gives a topic. Where several give one, or it is not
// known to which topic, the policy is not known.
func (s Snapshot) topicsWithPolicies() []Topic {
	topics := slices.Clone(s.Topics)
	given := make([]int, len(topics))
	for _, p := range s.TopicPolicies {
		found := false
		for i := range topics {
			t := &topics[i]
			if !p.Topic.means(t.Address, t.ARN) {
				continue
			}
			found = true
			if p.Removed {
				if given[i] == 0 {
					t.Policy = Policy{Origin: t.Origin}
				}
				continue
			}
			if given[i]++; given[i] == 1 {
				t.Policy = p.Policy
			} else {
				t.Policy.Text = NotKnown(p.Address)
			}
		}
		if !found && p.Topic.State == Unknown {
			for i := range topics {
				if topics[i].Policy.Text.State == Absent {
					topics[i].Policy.Text = NotKnown(p.Address)
				}
			}
		}
	}
	return topics
}

// topicAmong is the topic that a value names, if it is one of these. Ok is false if it is not known which.
func (v Value) topicAmong(topics []Topic) (Topic, bool) {
	for _, topic := range topics {
		if v.means(topic.Address, topic.ARN, topic.Name) {
			return topic, true
		}
	}
	return Topic{}, false
}

// policy is the topic's policy: that of SNS, if none was given. SNS names the account's own callers by a
// key that CloudTrail's requests do not have.
// Source: sns developer guide, sns-access-policy-use-cases.html, and what SNS gives a new topic.
func (t Topic) policy() Policy {
	if t.Policy.Text.State != Absent {
		return t.Policy
	}
	p, owner := Policy{Origin: t.Origin}, t.Account.Text
	if at, ok := t.ARN.Settled(); ok {
		owner = string(arn.Split(at).Account)
	}
	text, _ := json.Marshal(map[string]any{ // it is made of texts
		"Version": "2008-10-17", "Id": "__default_policy_ID",
		"Statement": []any{map[string]any{
			"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": map[string]string{"AWS": "*"},
			"Action": []string{
				"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
				"SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
			},
			"Resource": t.ARN.Text, "Condition": map[string]any{"StringEquals": map[string]string{"AWS:SourceOwner": owner}},
		}},
	})
	p.Text = Text(string(text))
	return p
}
