package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Chain is what was observed of the keys with which a bucket's trails encrypt their files,
// and of the topics that they tell of them.
type Chain struct {
	// BucketKeys is the setting of S3 Bucket Keys in the bucket's default encryption.
	BucketKeys trail.Switch
	Keys       []Key
	Topics     []Topic
}

// Key is a KMS key as it was observed.
type Key struct {
	trail.Key

	// Policy is the key's policy, in the dialect of KMS; nil: not known.
	Policy *policy.Document
	// Reason says why the key or its policy could not be read; empty: it was read, or
	// nobody tried.
	Reason string
}

// Topic is an SNS topic as it was observed.
type Topic struct {
	trail.Topic

	// Document is the topic's policy, in the dialect of SNS; nil: not known.
	Document *policy.Document
	// Key is the key with which the topic is encrypted, nil: it has none, or nobody looked.
	Key *Key
	// Reason says why the topic could not be read, as in Key.
	Reason string
}

// What was not looked at, see [Report.NotLookedAt].
const (
	NotKey       = "key"
	NotKeyPolicy = "key-policy"
	NotBucketKey = "bucket-key"
	NotTopic     = "topic"
	NotTopicKey  = "topic-key"
)

// FaultOfOther begins a fault that is not of the bucket's policy.
const FaultOfOther = "the policy of "

// chainSteps is what the judgement on one key or topic may take of the budget.
const chainSteps = 2_000_000

// JudgeChain adds to the report what the trails' keys and topics say, and what of them was
// not looked at. It returns the new report.
//
// A key that does not let CloudTrail encrypt, or cannot, makes the verdict blocked: no file
// arrives. A topic that does not let CloudTrail publish changes no verdict, since files
// arrive all the same: that is the trail's Notification.
func JudgeChain(budget *policy.Budget, r Report, b Bucket, trails []trail.Trail, s trail.Environment, c Chain) Report {
	r.Trails, r.Findings, r.NotLookedAt = slices.Clone(r.Trails), slices.Clone(r.Findings), slices.Clone(r.NotLookedAt)
	r.MaybeFaults = slices.Clip(r.MaybeFaults)
	all := newJudgement(budget, Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region}, trails, s)
	all.chain = c
	hanging := map[string]bool{} // trails of which the answer hangs on S3 Bucket Keys, by ARN
	for _, of := range all.parts() {
		part := budget.Part(chainSteps)
		of.judge(part)
		for _, t := range of.trails {
			hanging[t.ARN] = hanging[t.ARN] || of.hangsOnBucketKeys(t)
		}
		budget.Join(part)
		r.MaybeFaults = append(r.MaybeFaults, of.faults()...)
		for _, f := range of.findings() {
			r.Findings = addFinding(r.Findings, f)
		}
		for i := range r.Trails {
			of.addTo(&r.Trails[i])
		}
	}
	for _, t := range all.trails {
		for _, what := range all.notLookedAt(t, hanging[t.ARN]) {
			if !slices.Contains(r.NotLookedAt, what) {
				r.NotLookedAt = append(r.NotLookedAt, what)
			}
		}
		i := slices.IndexFunc(r.Trails, func(r TrailReport) bool { return r.ARN == t.ARN })
		if i < 0 {
			continue
		}
		if t.SNSTopic != "" && r.Trails[i].Notification == "" {
			r.Trails[i].Notification = Undetermined // nobody looked
		}
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		right := func(t TrailReport) bool { return t.ARN == f.Trail && t.Notification == Delivering }
		return f.ID == NotificationFailingID && slices.ContainsFunc(r.Trails, right) // CloudTrail reports it until its next file
	})
	order(r.Findings, trails)
	r.Verdict = worst(r.Trails)
	return r
}

// addFinding adds a finding. That CloudTrail cannot notify may be told of a topic and of its
// key, which is one finding with two causes.
func addFinding(findings []Finding, f Finding) []Finding {
	i := slices.IndexFunc(findings, func(other Finding) bool { return other.ID == f.ID && other.Trail == f.Trail })
	if i < 0 || f.ID != NotificationFailingID && f.ID != NotificationUndeterminedID {
		return append(findings, f)
	}
	was := &findings[i]
	was.Message += " " + f.Message
	was.Remedy += " " + f.Remedy
	was.Statements = append(slices.Clone(was.Statements), f.Statements...)
	return findings
}

// chainPart is the judgement on one key or topic, for the trails that use it; by resource control
// policies also that on the bucket.
type chainPart struct {
	judgement

	target       trail.Target
	topic        string // ARN, of a topic and of its key
	requirements func(trail.Trail) []trail.Requirement
	key          *Key
	unread       string // why it is not known what the policy says; empty: it is, or nobody looked
	rcps         []policy.RCP
}

// parts are the keys, topics and keys of topics to judge, each with its trails.
func (j *judgement) parts() []*chainPart {
	var out []*chainPart
	for i := range j.chain.Keys {
		k := &j.chain.Keys[i]
		p := &chainPart{judgement: j.of(func(t trail.Trail) bool { return trail.IsKey(t.KMSKeyID, k.ARN) }), target: trail.OfKey, key: k}
		p.doc, p.unread = k.Policy, k.Reason
		p.requirements = func(t trail.Trail) []trail.Requirement {
			return trail.KeyRequirements(t, j.environment, k.Key, j.chain.BucketKeys)
		}
		out = append(out, p)
	}
	for i := range j.chain.Topics {
		topic := &j.chain.Topics[i]
		uses := func(t trail.Trail) bool { return t.SNSTopic == topic.ARN }
		p := &chainPart{judgement: j.of(uses), target: trail.OfTopic, topic: topic.ARN}
		p.doc, p.unread = topic.Document, topic.Reason
		p.requirements = func(t trail.Trail) []trail.Requirement {
			return trail.TopicRequirements(t, j.environment, topic.ARN, trail.Key{})
		}
		out = append(out, p)
		if topic.KMSKeyID == "" {
			continue
		}
		k := topic.Key
		if k == nil {
			if !trail.IsManagedAlias(topic.KMSKeyID) {
				continue
			}
			k = &Key{Key: trail.Key{ARN: topic.KMSKeyID, Manager: managerAWS}}
		}
		p = &chainPart{judgement: j.of(uses), target: trail.OfTopic, topic: topic.ARN, key: k}
		p.doc, p.unread = k.Policy, k.Reason
		p.requirements = func(t trail.Trail) []trail.Requirement {
			return trail.TopicRequirements(t, j.environment, topic.ARN, k.Key)[1:]
		}
		out = append(out, p)
	}
	return slices.DeleteFunc(out, func(p *chainPart) bool { return len(p.trails) == 0 })
}

// managerAWS is the manager of keys whose policy cannot be changed.
const managerAWS = "AWS"

// of is the judgement for some of the trails, without decisions.
func (j *judgement) of(uses func(trail.Trail) bool) judgement {
	out := *j
	out.trails = slices.DeleteFunc(slices.Clone(j.trails), func(t trail.Trail) bool { return !uses(t) })
	out.evaluations = map[string][]*evaluation{}
	return out
}

// judge decides every request.
func (p *chainPart) judge(budget *policy.Budget) {
	p.budget, p.part = budget, p
	if p.doc == nil {
		return
	}
	p.by = p.decider(p.doc)
	p.evaluate(p.requirements)
}

// findings are all findings about the key or topic, in the order of the catalogue.
func (p *chainPart) findings() []Finding {
	denied := func(id trail.RequirementID) func() []Finding {
		return func() []Finding { return p.deniedTrails(id) }
	}
	var out []Finding
	add := func(t FindingType, find func() []Finding) {
		for _, f := range find() {
			f.Target, f.Chain = p.target, p.resource()
			out = append(out, t.complete(f))
		}
	}
	if p.doc != nil {
		for _, t := range []FindingType{policyTooComplexType(), backlogDeniedType(), grantExpiresType(), newRegionsNotGrantedType()} {
			add(t, func() []Finding { return t.find(&p.judgement) })
		}
	}
	add(keyUnusableType(), p.keyUnusable)
	add(keyUnreadableType(), p.keyUnreadable)
	add(keyEncryptDeniedType(), denied(trail.KeyEncrypt))
	add(keyEncryptUndeterminedType(), func() []Finding { return p.undeterminedTrails(trail.KeyEncrypt) })
	add(keyDescribeDeniedType(), denied(trail.KeyDescribe))
	add(keyDecryptDeniedType(), denied(trail.KeyDecrypt))
	add(notificationFailingType(), p.notificationFailing)
	add(notificationUndeterminedType(), p.notificationUndetermined)
	return out
}

// resource is the ARN of what has the policy.
func (p *chainPart) resource() string {
	if p.key != nil {
		return p.key.ARN
	}
	return p.topic
}

// subject is what has the policy, in a sentence.
func (p *chainPart) subject() string {
	switch {
	case p.target == trail.OfBucket:
		return "bucket " + p.bucket.Name
	case p.key == nil:
		return "topic " + p.topic
	case p.target == trail.OfTopic:
		return "key " + p.key.ARN + " of topic " + p.topic
	}
	return "key " + p.key.ARN
}

// unusable says why the key cannot encrypt, whatever its policy says, or is empty. That of
// a trail is in the region of the bucket, that of a topic in the region of the topic.
func (p *chainPart) unusable() string {
	switch {
	case p.key == nil:
		return ""
	case p.target == trail.OfKey:
		return p.key.Unusable(p.environment.BucketRegion)
	case p.key.Manager == managerAWS:
		return "it is managed by AWS: its policy lets no service publish, and cannot be changed"
	}
	return p.key.Unusable("")
}

// faults are what the service would refuse, or may refuse, about the policy. It is stored, so
// that none is certain.
func (p *chainPart) faults() []string {
	if p.doc == nil {
		return nil
	}
	faults, maybe := p.doc.Validate(p.resource())
	var out []string
	for _, text := range p.inWords(append(faults, maybe...)) {
		out = append(out, FaultOfOther+p.subject()+": "+text)
	}
	return out
}

// addTo adds the requirements to the report on a trail, and what comes of them.
func (p *chainPart) addTo(r *TrailReport) {
	if !slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.ARN == r.ARN }) {
		return
	}
	r.Requirements = slices.Clone(r.Requirements)
	v := Delivering
	for _, e := range p.evaluations[r.ARN] {
		r.Requirements = append(r.Requirements, e.report())
		switch {
		case e.ID == trail.KeyDescribe || e.ID == trail.KeyDecrypt: // weaknesses
		case denied(e.outcome):
			v = Blocked
		case e.outcome != policy.Allowed && v == Delivering:
			v = Undetermined
		}
	}
	switch {
	case p.unusable() != "":
		v = Blocked
	case p.unread != "" && p.doc == nil && v == Delivering:
		v = Undetermined
	}
	if p.target == trail.OfTopic {
		if p.key == nil && p.doc == nil {
			v = Undetermined
		}
		r.Notification = worseVerdict(r.Notification, v)
		return
	}
	r.Verdict = worseVerdict(r.Verdict, v)
}

func worseVerdict(a, b Verdict) Verdict {
	rank := func(v Verdict) int { return slices.Index([]Verdict{"", Delivering, Undetermined, Blocked}, v) }
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// hangsOnBucketKeys reports whether more would be found with S3 Bucket Keys on, or off, where it is not known
// which: that the key cannot encrypt, or lacks what CloudTrail asks for with them.
func (p *chainPart) hangsOnBucketKeys(t trail.Trail) bool {
	if p.target != trail.OfKey || p.doc == nil || p.chain.BucketKeys != "" || p.unusable() != "" {
		return false
	}
	for _, e := range p.evaluations[t.ARN] {
		if e.ID == trail.KeyEncrypt && (e.bucketKeys || denied(e.outcome)) {
			return e.bucketKeys
		}
	}
	return slices.ContainsFunc(trail.KeyRequirements(t, p.environment, p.key.Key, trail.On), func(q trail.Requirement) bool {
		return q.ID == trail.KeyDecrypt && p.by.evaluate(q).outcome != policy.Allowed
	})
}

// notLookedAt is what a trail has and of which nothing is known. Hanging says that the answer hangs on
// whether the bucket has S3 Bucket Keys.
func (j *judgement) notLookedAt(t trail.Trail, hanging bool) []string {
	var out []string
	if t.KMSKeyID != "" {
		i := slices.IndexFunc(j.chain.Keys, func(k Key) bool { return trail.IsKey(t.KMSKeyID, k.ARN) })
		switch {
		case i < 0:
			out = append(out, NotKey)
		case j.chain.Keys[i].Policy == nil && j.chain.Keys[i].Reason == "":
			out = append(out, NotKeyPolicy)
		case hanging:
			out = append(out, NotBucketKey)
		}
	}
	if t.SNSTopic != "" {
		i := slices.IndexFunc(j.chain.Topics, func(topic Topic) bool { return topic.ARN == t.SNSTopic })
		switch {
		case i < 0, j.chain.Topics[i].Document == nil && j.chain.Topics[i].Reason == "":
			out = append(out, NotTopic)
		case j.chain.Topics[i].KMSKeyID == "" || trail.IsManagedAlias(j.chain.Topics[i].KMSKeyID):
		case j.chain.Topics[i].Key == nil, j.chain.Topics[i].Key.Policy == nil && j.chain.Topics[i].Key.Reason == "":
			out = append(out, NotTopicKey)
		}
	}
	return out
}
