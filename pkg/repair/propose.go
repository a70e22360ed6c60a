package repair

import (
	"encoding/json"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Proposal is a statement to add to the policy of a key or topic. It is never written by
// Trailwarden: a mistake in the policy of a key can lock everybody out.
type Proposal struct {
	Target    trail.Target    `json:"target"` // what has the policy: "key", also of a topic, or "topic"
	ARN       string          `json:"arn"`    // of the key or topic
	Statement json.RawMessage `json:"statement"`
	// Serves are the requirement and the trails, by their ARNs, that it lets through.
	Serves trail.RequirementID `json:"-"`
	Trails []string            `json:"-"`
}

// Propose returns the statements that let CloudTrail use the keys and topics of the trails, and
// nobody else. Each is proved: with it the requirement is allowed, and other callers, CloudTrail
// for a stranger's trail among them, are decided as before. What a Deny denies has no proposal:
// the finding shows how the Deny would have to read. The report is that of [delivery.JudgeChain].
//
// What no statement mends is refused.
func Propose(
	budget *policy.Budget, b delivery.Bucket, trails []trail.Trail, env trail.Environment, c delivery.Chain, report delivery.Report,
) ([]Proposal, []Refusal) {
	p := proposer{budget: budget, bucket: b, environment: env, trails: trails, report: report}
	c.Keys, c.Topics = slices.Clone(c.Keys), slices.Clone(c.Topics)
	for i := range c.Keys {
		k := &c.Keys[i]
		if k.Policy == nil {
			continue
		}
		p.add(subject{trail.OfKey, k.ARN, p.where(func(t trail.Trail) bool { return trail.IsKey(t.KMSKeyID, k.ARN) })}, &k.Policy,
			func(unmet []trail.Trail) []trail.ChainStatement { return trail.KeyStatements(unmet, c.BucketKeys) },
			func() delivery.Chain { return delivery.Chain{BucketKeys: c.BucketKeys, Keys: []delivery.Key{*k}} })
	}
	for i := range c.Topics {
		topic := &c.Topics[i]
		uses := p.where(func(t trail.Trail) bool { return t.SNSTopic == topic.ARN })
		observed := func() delivery.Chain { return delivery.Chain{Topics: []delivery.Topic{*topic}} }
		if topic.Document != nil {
			p.add(subject{trail.OfTopic, topic.ARN, uses}, &topic.Document,
				func(unmet []trail.Trail) []trail.ChainStatement { return trail.TopicStatements(unmet, topic.ARN) }, observed)
		}
		if topic.Key != nil && topic.Key.Policy != nil {
			k := *topic.Key
			topic.Key = &k
			p.add(subject{trail.OfKey, k.ARN, uses}, &k.Policy,
				func(unmet []trail.Trail) []trail.ChainStatement { return trail.TopicKeyStatements(unmet, topic.ARN) }, observed)
		}
	}
	return p.out, p.refuse(c)
}

// refuse is what is still found once all proposals are carried out.
func (p *proposer) refuse(c delivery.Chain) []Refusal {
	var out []Refusal
	for _, f := range p.judge(c, p.trails).Findings {
		if t, ok := delivery.LookupType(f.ID); ok && (t.Source == delivery.SourceKey || t.Source == delivery.SourceTopic) {
			out = append(out, Refusal{Finding: f.ID, Trail: f.Trail, Reason: t.Refusal(f), Edit: f.Edit})
		}
	}
	return out
}

type proposer struct {
	budget      *policy.Budget
	bucket      delivery.Bucket
	trails      []trail.Trail
	environment trail.Environment
	report      delivery.Report
	out         []Proposal
}

// subject is a key or topic and the trails that use it.
type subject struct {
	target trail.Target
	arn    string
	trails []trail.Trail
}

func (p *proposer) where(f func(trail.Trail) bool) []trail.Trail {
	return slices.DeleteFunc(slices.Clone(p.trails), func(t trail.Trail) bool { return t.Bucket != p.bucket.Name || !f(t) })
}

// add proposes a statement for each requirement that is not met for some of the trails, and adds
// it to the policy. Made returns the documented statements for trails, and observed what is
// judged with the policy as it is then.
func (p *proposer) add(of subject, doc **policy.Document,
	made func([]trail.Trail) []trail.ChainStatement, observed func() delivery.Chain,
) {
	if len(of.trails) == 0 {
		return
	}
	before, taken := *doc, sids(*doc)
	for i, st := range made(of.trails) {
		unmet := slices.DeleteFunc(slices.Clone(of.trails), func(t trail.Trail) bool {
			d, asked := decisionOn(p.report, t.ARN, st.For)
			return !asked || d == policy.Allowed
		})
		if len(unmet) == 0 {
			continue
		}
		own := made(unmet)[i]
		own = own.WithSid(freeSid(own.Sid(), taken))
		was := *doc
		with, err := was.With(nil, own.Text())
		if err != nil || len(with.Faults(of.arn)) > len(before.Faults(of.arn)) || !sameForOthers(was, with, of.arn, unmet) {
			continue
		}
		if *doc = with; !p.lets(observed(), unmet, st.For) {
			*doc = was
			continue
		}
		out := Proposal{Target: of.target, ARN: of.arn, Statement: own.Text(), Serves: st.For}
		for _, t := range unmet {
			out.Trails = append(out.Trails, t.ARN)
		}
		p.out = append(p.out, out)
	}
}

// lets reports whether the requirement is allowed for all of the trails.
func (p *proposer) lets(c delivery.Chain, trails []trail.Trail, id trail.RequirementID) bool {
	r := p.judge(c, trails)
	return !slices.ContainsFunc(trails, func(t trail.Trail) bool {
		d, _ := decisionOn(r, t.ARN, id)
		return d != policy.Allowed
	})
}

// judge judges keys and topics alone.
func (p *proposer) judge(c delivery.Chain, trails []trail.Trail) delivery.Report {
	r := delivery.Report{Bucket: p.bucket.Name}
	for _, t := range trails {
		r.Trails = append(r.Trails, delivery.TrailReport{ARN: t.ARN, Verdict: delivery.Delivering})
	}
	return delivery.JudgeChain(p.budget, r, p.bucket, trails, p.environment, c)
}

func decisionOn(r delivery.Report, arn string, id trail.RequirementID) (d policy.Outcome, asked bool) {
	for _, t := range r.Trails {
		for _, q := range t.Requirements {
			if t.ARN == arn && q.ID == id {
				return q.Decision, true
			}
		}
	}
	return "", false
}

// sids are the Sids that the policy has.
func sids(doc *policy.Document) map[string]bool {
	out := map[string]bool{}
	for _, st := range doc.All() {
		out[st.Sid] = true
	}
	return out
}

// sameForOthers reports whether callers that do not act for the trails are decided as before:
// CloudTrail for a trail of the same name in another account, another service for this account,
// and roles.
func sameForOthers(before, after *policy.Document, resource string, trails []trail.Trail) bool {
	const stranger = "000000000000"
	service := func(name string) policy.Caller {
		return policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: name}}
	}
	role := func(account string) policy.Caller {
		return policy.Caller{Principal: policy.Principal{Type: policy.AWS, Value: "arn:aws:iam::" + account + ":role/other"}}
	}
	for _, t := range trails {
		strange := "arn:" + string(t.Partition()) + ":cloudtrail:us-east-1:" + stranger + ":trail/" + t.Name
		for _, other := range []struct {
			caller       policy.Caller
			arn, account string
		}{
			{service(trail.ServicePrincipal), strange, stranger},
			{service("other.amazonaws.com"), t.ARN, t.Account()},
			{role(t.Account()), "", ""},
			{role(stranger), "", ""},
		} {
			context := policy.NewContext(policy.Value{State: policy.Either})
			if other.arn != "" {
				for _, key := range []string{"aws:SourceArn", "kms:EncryptionContext:aws:cloudtrail:arn", "kms:EncryptionContext:aws:sns:sourceArn"} {
					context = context.With(key, policy.Is(other.arn))
				}
				for _, key := range []string{"aws:SourceAccount", "kms:EncryptionContext:aws:sns:sourceAccount"} {
					context = context.With(key, policy.Is(other.account))
				}
			}
			for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey", "sns:Publish"} {
				q := &policy.Request{Caller: other.caller, Action: action, Resource: resource, Context: context}
				if before.Decide(q).Outcome != after.Decide(q).Outcome {
					return false
				}
			}
		}
	}
	return true
}
