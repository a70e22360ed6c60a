package iac

import (
	"slices"
	"strconv"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// links are the keys and topics of the trails of a judgement. Only what is known throughout is
// looked at: a policy with a hole is not.
type links struct {
	*judgement
	standIns

	group group
	chain delivery.Chain
	keys  map[string]delivery.Key // by address
}

// judgeChain adds what the keys and topics of the plan say of the trails that they are for. The
// trails are judged by the bucket's policy before.
func (j *judgement) judgeChain(g group, s standIns, budget *policy.Budget) {
	l := links{judgement: j, standIns: s, group: g, keys: map[string]delivery.Key{}, chain: delivery.Chain{BucketKeys: g.bucketKeys()}}
	judged := slices.Clone(j.Subject.Trails)
	made := map[string]bool{} // trails, by ARN
	for i := range judged {
		t, ok := j.planned(g.trails, judged[i].ARN)
		if judged[i].KMSKeyID, judged[i].SNSTopic = "", ""; ok {
			made[judged[i].ARN] = t.Made
			judged[i].KMSKeyID, judged[i].SNSTopic = l.keyOf(t, judged[i]), l.topicOf(t, judged[i])
		}
	}
	if len(l.chain.Keys)+len(l.chain.Topics) > 0 {
		j.chained += string(l.chain.BucketKeys)
		j.Report = delivery.JudgeChain(budget, j.Report, j.Subject.Bucket, judged, j.Environment, l.chain)
		j.NotLookedAt = nil // it is told of each trail
		j.Chain, j.Linked = l.chain, judged
	}
	for i, t := range j.Report.Trails {
		if t.Notification == "" && slices.Contains(j.unseen[t.ARN], "topic") {
			j.Report.Trails[i].Notification = delivery.Undetermined
		}
	}
	for i, f := range j.Findings {
		switch {
		case !made[f.Trail]:
		case f.Target == trail.OfKey && f.Kind == delivery.Outage:
			j.Findings[i].Message += " The trail cannot be made so: CloudTrail tries the key when it makes a trail."
		case f.ID == delivery.NotificationFailingID:
			j.Findings[i].Message += " The trail cannot be made so: CloudTrail tells the topic when it makes a trail."
		}
	}
}

// bucketKeys is whether the bucket's default encryption uses S3 Bucket Keys. A bucket that is made, and of
// which nothing says so, does not. Of two resources that set it the last counts, which is not known.
func (g group) bucketKeys() trail.Switch {
	set := Value{}
	switch {
	case len(g.encryptions) > 1:
	case len(g.encryptions) == 1:
		set = g.encryptions[0].BucketKeys
	case g.bucket != nil && g.bucket.BucketKeys.State != Absent:
		set = g.bucket.BucketKeys
	case g.bucket != nil && g.bucket.Made:
		return trail.Off
	}
	switch {
	case set.Is("true"):
		return trail.On
	case set.Is("false"):
		return trail.Off
	}
	return ""
}

// keyOf looks at the key of a trail, and returns its ARN; empty: it is not looked at.
func (l *links) keyOf(t Trail, of trail.Trail) string {
	k, ok := t.Key.keyAmong(l.group.keys)
	if !ok {
		return ""
	}
	region := l.Subject.Bucket.Region
	if region == "" {
		region = of.HomeRegion
	}
	key, ok := l.key(k, region, of)
	if !ok {
		return ""
	}
	l.seen(of.ARN, "key")
	if !slices.ContainsFunc(l.chain.Keys, func(other delivery.Key) bool { return other.ARN == key.ARN }) {
		l.chain.Keys = append(l.chain.Keys, key)
	}
	return key.ARN
}

// topicOf looks at the topic of a trail, and at the topic's key, and returns the topic's ARN; empty: it
// is not looked at.
func (l *links) topicOf(t Trail, of trail.Trail) string {
	topic, ok := t.Topic.topicAmong(l.group.topics)
	if !ok || topic.ARN.State != Known || t.Topic.Sensitive || topic.ARN.Sensitive || topic.Key.Sensitive {
		return ""
	}
	at, ok := replaceMarks(topic.ARN.Text, l.of)
	if !ok {
		return ""
	}
	own := l.standIns
	own.resource, own.resourceARN = topic.ARN.Text, at
	p := topic.policy()
	document, ok := readPolicy(policy.SNS(), p, own)
	if !ok {
		return ""
	}
	seen := delivery.Topic{Topic: trail.Topic{ARN: at}, Document: document}
	l.seen(of.ARN, "topic")
	l.looked(at, p, "")
	if topic.Key.State != Absent {
		seen.KMSKeyID, seen.Key = l.keyOfTopic(topic, of)
		if seen.Key == nil && !trail.IsManagedAlias(seen.KMSKeyID) {
			l.unseen[of.ARN] = append(slices.Clip(l.unseen[of.ARN]), "topic-key")
		}
	}
	if !slices.ContainsFunc(l.chain.Topics, func(other delivery.Topic) bool { return other.ARN == at }) {
		l.chain.Topics = append(l.chain.Topics, seen)
	}
	return at
}

// keyOfTopic is what is known of the key of a topic: its name, and if it is looked at, the key.
func (l *links) keyOfTopic(topic Topic, of trail.Trail) (name string, key *delivery.Key) {
	if k, ok := topic.Key.keyAmong(l.group.keys); ok {
		if key, ok := l.key(k, string(arn.Split(topic.ARN.Text).Region), of); ok {
			return key.ARN, &key
		}
	}
	if name, ok := topic.Key.Settled(); ok {
		return name, nil
	}
	return anyKey, nil
}

// key is a key with its policy, if all of that is known. A key that has no ARN yet has a made-up one.
func (l *links) key(k Key, region string, of trail.Trail) (delivery.Key, bool) {
	if known, ok := l.keys[k.Address]; ok {
		return known, true
	}
	document, ok := readPolicy(policy.KMS(), k.Policy, l.standIns)
	if !ok {
		return delivery.Key{}, false
	}
	key := delivery.Key{Key: trail.Key{ARN: l.arnOfKey(k, region, of)}, Policy: document}
	if k.Enabled.Is("false") {
		key.State = "Disabled"
	}
	key.Spec, _ = k.Spec.Settled()
	key.Usage, _ = k.Usage.Settled()
	l.keys[k.Address] = key
	l.looked(key.ARN, k.Policy, key.State+key.Spec+key.Usage)
	return key, true
}

// arnOfKey is the key's ARN, or a made-up one in a region and the account of its trail.
func (l *links) arnOfKey(k Key, region string, of trail.Trail) string {
	if text, ok := k.ARN.Settled(); ok && text != "" {
		return text
	}
	a := arn.Split(of.ARN)
	a.Service, a.Resource = "kms", "key/trailwarden-stand-in-"+strconv.Itoa(len(l.keys)+1)
	a.Region = arn.Region(region)
	l.madeUp = append([]replacement{{a.String(), "<" + k.Address + ">"}}, l.madeUp...)
	return a.String()
}

// readPolicy reads the policy of a key or topic, if all of it is known.
func readPolicy(of policy.Dialect, p Policy, s standIns) (*policy.Document, bool) {
	if p.Text.State != Known || p.Text.Sensitive || len(p.Gaps) > 0 {
		return nil, false
	}
	h, err := punch(p, s)
	if err != nil || !h.exact() {
		return nil, false
	}
	document, err := of.Parse(h.text)
	return document, err == nil
}

// seen says that something of a trail is looked at.
func (j *judgement) seen(arn, what string) {
	j.unseen[arn] = slices.DeleteFunc(slices.Clone(j.unseen[arn]), func(other string) bool { return other == what })
}

// looked notes what was judged of a key or topic, and where its policy is written.
func (j *judgement) looked(arn string, p Policy, state string) {
	j.chainPlaces[arn] = p.Origin
	j.chained += arn + state + p.Text.Text
}

// planned is the trail of the plan that has an ARN.
func (j *judgement) planned(trails []Trail, arn string) (Trail, bool) {
	for _, t := range trails {
		if j.addresses[arn] == t.Address {
			return t, true
		}
	}
	return Trail{}, false
}
