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
// refers to nothing else. A plan tells of this[0].arn that it refers to this[0] and to this.
func (v Value) means(address string, names ...Value) bool {
	named := func(name Value) bool { return name.State == Known && name.Text == v.Text }
	if v.State == Known && v.Text != "" {
		return slices.ContainsFunc(names, named)
	}
	refers := false
	for _, to := range v.RefersTo {
		switch {
		case to == address, strings.HasPrefix(to, address+"."):
			refers = true
		case !strings.HasPrefix(address, to+"["):
			return false
		}
	}
	return v.State == Unknown && refers
}

// directory finds resources by what names them: plans have thousands.
type directory struct{ byAddress, byName map[string]int }

func newDirectory() directory { return directory{map[string]int{}, map[string]int{}} }

// add adds the resource at an index. Of two with a name the first is found.
func (d directory) add(i int, address string, names ...Value) {
	d.byAddress[address] = i
	for _, name := range names {
		if _, twice := d.byName[name.Text]; !twice && name.State == Known && name.Text != "" {
			d.byName[name.Text] = i
		}
	}
}

// find returns the index of the resource that a value means, see [Value.means].
func (d directory) find(v Value) (i int, ok bool) {
	if v.State == Known {
		i, ok = d.byName[v.Text]
		return i, ok
	}
	if v.State != Unknown || len(v.RefersTo) == 0 {
		return 0, false
	}
	for address := v.RefersTo[0]; address != ""; {
		if i, ok = d.byAddress[address]; ok {
			return i, v.means(address)
		}
		cut := strings.LastIndexByte(address, '.')
		address = address[:max(cut, 0)]
	}
	return 0, false
}

// topicsWithPolicies are the topics with the policies that resources of their own give them. One
// that is taken away leaves the policy that SNS gives a topic. Where several give one, or it is not
// known to which topic, the policy is not known.
func (s Snapshot) topicsWithPolicies() []Topic {
	topics, known := slices.Clone(s.Topics), newDirectory()
	for i, t := range topics {
		known.add(i, t.Address, t.ARN)
	}
	given, stray := make([]int, len(topics)), ""
	for _, p := range s.TopicPolicies {
		i, found := known.find(p.Topic)
		switch {
		case !found && p.Topic.State == Unknown:
			stray = p.Address
		case !found:
		case p.Removed:
			if given[i] == 0 {
				topics[i].Policy = Policy{Origin: topics[i].Origin}
			}
		default:
			if given[i]++; given[i] == 1 {
				topics[i].Policy = p.Policy
			} else {
				topics[i].Policy.Text = NotKnown(p.Address)
			}
		}
	}
	for i := range topics {
		if stray != "" && topics[i].Policy.Text.State == Absent {
			topics[i].Policy.Text = NotKnown(stray)
		}
	}
	return topics
}

// addChain adds to groups the keys and topics of their trails.
func (s Snapshot) addChain(groups []group) {
	topics := s.topicsWithPolicies()
	keysNamed, topicsNamed := newDirectory(), newDirectory()
	for i, k := range s.Keys {
		keysNamed.add(i, k.Address, k.ARN)
	}
	for i, t := range topics {
		topicsNamed.add(i, t.Address, t.ARN, t.Name)
	}
	for n := range groups {
		g := &groups[n]
		addKey := func(v Value) {
			if i, ok := keysNamed.find(v); ok {
				g.keys = append(g.keys, s.Keys[i])
			}
		}
		for _, t := range g.trails {
			addKey(t.Key)
			if i, ok := topicsNamed.find(t.Topic); ok {
				g.topics = append(g.topics, topics[i])
				addKey(topics[i].Key)
			}
		}
	}
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
