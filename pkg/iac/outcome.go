package iac

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// admitHoles takes from a judgement on a policy with holes what does not follow from
// the policy whatever they turn out to be. Decisions do, but for those that are
// undetermined by a hole. Faults and weaknesses are read from the text of a statement, and so
// hold of statements without holes only.
func (j *judgement) admitHoles(h holed) {
	if !h.exact() {
		j.dropUnfounded(h)
	}
	for _, gap := range h.gaps {
		if j.undeterminedBy(gap) {
			j.gaps = addGap(j.gaps, gap)
		}
	}
	if len(j.gaps) > 0 && j.Verdict != delivery.Blocked {
		j.addUnknown()
	}
}

// dropUnfounded leaves out what was read from statements with holes.
func (j *judgement) dropUnfounded(h holed) {
	doc := j.Subject.Bucket.Policy
	faults, maybe := doc.Validate(arn.Bucket(j.Subject.Bucket.Name).ARN(j.partition()))
	founded := func(words []string, of []policy.Fault) []string { // they are in the same order
		var out []string
		for i, f := range of[:min(len(of), len(words))] {
			if f.Statement >= 0 && !h.statements[f.Statement] {
				out = append(out, words[i])
			}
		}
		return out
	}
	j.Faults, j.MaybeFaults = founded(j.Faults, faults), founded(j.MaybeFaults, maybe)
	// Of keys and topics nothing is looked at that has a hole.
	withHole := func(label string) bool {
		i := statementLabelled(doc, label)
		return i < 0 || h.statements[i]
	}
	j.Findings = slices.DeleteFunc(j.Findings, func(f delivery.Finding) bool {
		return f.Kind != delivery.Outage && f.Chain == "" && (h.whole || slices.ContainsFunc(f.Statements, withHole))
	})
	for i, f := range j.Findings {
		if f.Chain == "" && slices.ContainsFunc(f.Statements, withHole) {
			j.Findings[i].Edit = ""
		}
	}
}

func (j *judgement) partition() arn.Partition {
	if len(j.Subject.Trails) > 0 {
		return j.Subject.Trails[0].Partition()
	}
	return arn.Commercial
}

// undeterminedBy reports whether some requirement is left open by a gap: by a statement
// that has it.
func (j *judgement) undeterminedBy(gap Gap) bool {
	for _, t := range j.Report.Trails {
		for _, r := range t.Requirements {
			anywhere := gap.Statement == 0 || len(r.Responsible) == 0
			if r.Decision == policy.Undetermined && r.Target == trail.OfBucket && (anywhere || slices.Contains(r.Responsible, gap.Statement-1)) {
				return true
			}
		}
	}
	return false
}

// addUnknown adds the finding that what decides is not known, once.
func (j *judgement) addUnknown() {
	j.Findings = slices.DeleteFunc(j.Findings, func(f delivery.Finding) bool {
		return f.ID == delivery.ValuesUnknownID || f.ID == delivery.PolicyUnreadableID
	})
	sortGaps(j.gaps)
	var values []string
	for _, g := range j.gaps {
		values = append(values, g.String())
	}
	j.Findings = append(j.Findings, delivery.ValuesUnknown(j.label, values))
	j.orderFindings()
}

func (j *judgement) orderFindings() {
	slices.SortStableFunc(j.Findings, func(a, b delivery.Finding) int { return a.Severity.Rank() - b.Severity.Rank() })
}

// merge adds another way in which what is open may turn out. What holds in both is
// certain; a trail that fares differently is undetermined. Tried is what was open.
func (j *judgement) merge(o *judgement, tried []Gap) {
	j.Exact = false
	j.hidden.names, j.hidden.policy = j.hidden.names || o.hidden.names, j.hidden.policy || o.hidden.policy
	for _, g := range o.gaps {
		j.gaps = addGap(j.gaps, g)
	}
	differing := map[string]bool{} // trails that fare differently
	for _, t := range o.Report.Trails {
		id := o.idOf(t.ARN)
		i := slices.IndexFunc(j.Report.Trails, func(m delivery.TrailReport) bool { return j.idOf(m.ARN) == id })
		if i < 0 { // there is no such trail in the other way
			j.take(o, t)
			continue
		}
		mine := &j.Report.Trails[i]
		for _, what := range o.unseen[t.ARN] {
			if !slices.Contains(j.unseen[mine.ARN], what) {
				j.unseen[mine.ARN] = append(slices.Clip(j.unseen[mine.ARN]), what)
			}
		}
		if mine.Verdict != t.Verdict {
			differing[id] = true
			if t.Verdict == delivery.Blocked {
				mine.Requirements = t.Requirements
			}
			mine.Verdict = delivery.Undetermined
		}
		if mine.Notification != t.Notification {
			mine.Notification = delivery.Undetermined
		}
	}
	j.Verdict = worst(j.Report.Trails)
	if len(differing) == 0 {
		return
	}
	for _, g := range tried {
		j.gaps = addGap(j.gaps, g)
	}
	j.Findings = slices.DeleteFunc(j.Findings, func(f delivery.Finding) bool {
		alike := func(g delivery.Finding) bool { return f.ID == g.ID && j.idOf(f.Trail) == o.idOf(g.Trail) }
		return (f.Trail == "" || differing[j.idOf(f.Trail)]) && !slices.ContainsFunc(o.Findings, alike)
	})
	if len(j.gaps) > 0 {
		j.addUnknown()
	}
}

// take adds a trail of another way, with what was found of it.
func (j *judgement) take(o *judgement, t delivery.TrailReport) {
	j.Report.Trails = append(j.Report.Trails, t)
	if address, ok := o.addresses[t.ARN]; ok {
		j.addresses[t.ARN], j.unseen[t.ARN] = address, o.unseen[t.ARN]
	}
	for _, f := range o.Findings {
		if f.Trail == t.ARN {
			j.Findings = append(j.Findings, f)
		}
	}
	for _, r := range o.madeUp {
		if !slices.Contains(j.madeUp, r) {
			j.madeUp = append(j.madeUp, r)
		}
	}
	j.orderFindings()
}

// leaveOpen says that what was judged is not all that there is of the trails. What is wrong with
// the bucket itself stays certain.
func (j *judgement) leaveOpen(gaps []Gap) {
	certain := slices.ContainsFunc(j.Findings, func(f delivery.Finding) bool {
		known, _ := delivery.LookupType(f.ID)
		return f.Kind == delivery.Outage && known.Source == delivery.SourceBucket
	})
	if certain {
		for _, g := range gaps {
			j.gaps = addGap(j.gaps, g)
		}
		j.Exact = false
		return
	}
	j.leaveAllOpen(gaps)
}

// leaveAllOpen says that nothing is certain: what was judged is one of several things that there
// may be.
func (j *judgement) leaveAllOpen(gaps []Gap) {
	for _, g := range gaps {
		j.gaps = addGap(j.gaps, g)
	}
	j.Exact = false
	j.Findings = slices.DeleteFunc(j.Findings, func(f delivery.Finding) bool {
		return f.Kind == delivery.Outage || f.ID == delivery.NotificationFailingID
	})
	for i := range j.Report.Trails {
		t := &j.Report.Trails[i]
		if t.Verdict = delivery.Undetermined; t.Notification != "" {
			t.Notification = delivery.Undetermined
		}
	}
	j.Verdict = delivery.Undetermined
	j.addUnknown()
}

// contest adds that several resources set the policy.
func (j *judgement) contest(g group) {
	var resources []string
	for _, p := range g.policies {
		resources = append(resources, p.Address)
	}
	slices.Sort(resources)
	const most = 10
	if more := len(resources) - most; more > 0 {
		resources = append(resources[:most], fmt.Sprintf("%d more", more))
	}
	j.Findings = append([]delivery.Finding{delivery.PolicyContested(j.label, resources)}, j.Findings...)
	j.orderFindings()
	j.Exact = false
}

// findOrder adds that a trail may be made before the policy that it needs.
func (j *judgement) findOrder(g group) {
	for _, t := range g.trails {
		needed := slices.Clone(g.policies)
		if topic, ok := t.Topic.topicAmong(g.topics); ok {
			needed = append(needed, topic.Policy)
		}
		for _, p := range needed {
			if !t.Made || !t.WaitsKnown || !p.Written || t.Waits[p.Address] {
				continue
			}
			for arn, address := range j.addresses {
				if address == t.Address {
					j.Findings = append(j.Findings, delivery.TrailBeforePolicy(arn, t.Address, p.Address))
				}
			}
		}
	}
	j.orderFindings()
}

// worst is the worst of the trails' verdicts.
func worst(trails []delivery.TrailReport) delivery.Verdict {
	v := delivery.Delivering
	for _, t := range trails {
		switch {
		case t.Verdict == delivery.Blocked:
			return delivery.Blocked
		case t.Verdict != delivery.Delivering:
			v = delivery.Undetermined
		}
	}
	return v
}

// idOf is what tells a trail from others, by its ARN: its address, or the ARN of one that
// was given beside the plan.
func (j *judgement) idOf(arn string) string { return cmp.Or(j.addresses[arn], arn) }
