package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// DeniedFamily are the findings that the policy refuses CloudTrail a
// requirement, one type for each requirement.
const DeniedFamily = "denied"

// DeniedID is the id of the finding that a requirement is denied.
func DeniedID(id trail.RequirementID) string { return string(id) + "-denied" }

func deniedType(id trail.RequirementID) FindingType {
	t := FindingType{
		ID: DeniedID(id), Family: DeniedFamily, Requirement: id, Title: "CloudTrail is denied: " + string(id),
		Kind: Outage, Severity: High, Source: SourcePolicy, Loss: LossPart, Restored: RestoredUnlessDenied,
		find:   func(j *judgement) []Finding { return j.deniedTrails(id) },
		Causes: causesOf(id),
	}
	if id == trail.LogFiles {
		t.Severity, t.Loss = Critical, LossLogFiles
	}
	return t
}

// deniedTrails finds the trails for which the requirement is denied. What a Deny
// blocks is not restorable: it is shown how the Deny would have to read.
func (j *judgement) deniedTrails(id trail.RequirementID) []Finding {
	var out []Finding
	for t, e := range j.evaluationsOf(id) {
		if !denied(e.outcome) {
			continue
		}
		report := e.report()
		f := Finding{
			Trail: t.ARN, Statements: report.Statements,
			Message: fmt.Sprintf("CloudTrail cannot %s: %s", j.operation(t, id), lowerFirst(report.Why)) + consequence(id),
		}
		if blocking := e.denying(j.doc, true); len(blocking) > 0 {
			x := j.exempt(e, blocking)
			f.Remedy, f.Edit = x.remedy(j.doc)+j.orKMSKey(t, e, blocking), x.edit()
			f.Statements = statementNames(j.doc, blocking)
		} else {
			f.Restorable = j.part == nil
			f.Remedy = j.grant(t, e)
			if len(report.Near) > 0 && len(f.Statements) == 0 {
				f.Statements = []string{report.Near[0].Label}
			}
		}
		out = append(out, f)
	}
	return out
}

// grant is the remedy where no statement allows a requirement.
func (j *judgement) grant(t trail.Trail, e *evaluation) string {
	if j.part != nil {
		return j.part.addStatement(e)
	}
	const plan = "trailwarden plan shows the exact change, trailwarden required the policy that AWS documents."
	some := slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome == policy.Allowed })
	if near := e.near(j.doc); !some && len(near) > 0 && near[0].Element != "" {
		return fmt.Sprintf("Mend %s of statement %s to fit trail %s, or add the documented statement: %s",
			near[0].Element, Shown(near[0].Label), t.ARN, plan)
	}
	return fmt.Sprintf("Allow %s on %s to %s for aws:SourceArn %s: %s", e.action(), e.Resource, trail.ServicePrincipal, t.ARN, plan)
}

// orKMSKey says so where Denies ask for a KMS key that the trail has not got, and would
// let the requirement through with it.
func (j *judgement) orKMSKey(t trail.Trail, e *evaluation, denies []int) string {
	if t.KMSKeyID != "" || j.part != nil {
		return ""
	}
	key := fmt.Sprintf("arn:%s:kms:%s:%s:key/any", t.Partition(), t.HomeRegion, t.Account())
	which := "a KMS key"
	for _, i := range denies {
		for _, c := range j.doc.At(i).Conditions {
			if strings.EqualFold(c.Key, "s3:x-amz-server-side-encryption-aws-kms-key-id") && len(c.Values) > 0 && strings.Contains(c.Values[0], ":key/") {
				key, which = c.Values[0], "the KMS key "+c.Values[0]
			}
		}
	}
	t.KMSKeyID = key
	for _, q := range trail.ServiceRequirements(t, j.environment) {
		if q.ID != e.ID {
			continue
		}
		for _, i := range denies {
			alone, err := j.doc.Alone(i, j.doc.StatementText(i))
			if err != nil || j.decider(alone).touches(q) {
				return ""
			}
		}
		return " Or give the trail " + which + ", as the Deny asks for."
	}
	return ""
}

// whyExplicit names the Deny and what of it hits.
func (e *evaluation) whyExplicit(doc *policy.Document) string {
	denies := e.example.decision.Responsible
	text := statementsDo(statementNames(doc, denies), "denies", "deny") + " " + e.action()
	if slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome != policy.ExplicitDeny }) {
		text += e.at(e.example)
	}
	if reasons := e.matchReasons(doc, denies); reasons != "" {
		return text + ": " + reasons + "."
	}
	return text + " without a condition."
}

// matchReasons says by which conditions and exceptions the statements match.
func (e *evaluation) matchReasons(doc *policy.Document, statements []int) string {
	var reasons []string
	for _, st := range e.explain() {
		if !slices.Contains(statements, st.Index) {
			continue
		}
		var own []string
		for _, part := range st.Parts {
			if strings.HasPrefix(part.Element, "Condition") || strings.HasPrefix(part.Element, "Not") {
				own = append(own, phrase(part))
			}
		}
		if len(own) == 0 {
			continue
		}
		reason := strings.Join(own, ", and ")
		if len(statements) > 1 {
			reason = Shown(doc.Label(st.Index)) + " since " + reason
		}
		reasons = append(reasons, reason)
	}
	return strings.Join(reasons, "; ")
}

// whyImplicit says what no statement allows.
func (e *evaluation) whyImplicit(doc *policy.Document) string {
	if may := e.denying(doc, false); e.example.decision.Outcome == policy.Undetermined && len(may) > 0 {
		return fmt.Sprintf("Where %s, which may deny it, does not hit, nothing allows %s on %s.",
			statementsNamed(statementNames(doc, may)), e.action(), e.Resource)
	}
	if text, ok := e.whyPartial(doc); ok {
		return text
	}
	near := e.near(doc)
	if len(near) == 0 {
		return fmt.Sprintf("No statement allows %s to CloudTrail.", e.action())
	}
	return fmt.Sprintf("No statement allows %s to CloudTrail on %s%s.", e.action(), e.Resource, near[0].phrase())
}

// Near is an Allow statement that nearly matches a request of CloudTrail.
type Near struct {
	Index  int
	Label  string
	Misses string // what of it does not match, and why: "its Resource is arn:…, and …"
	// Element is the first that could be changed for it to match: "Resource",
	// "StringEquals aws:SourceArn"; empty if only the Principal could.
	Element string
}

// phrase names the statement behind a sentence.
func (n Near) phrase() string {
	return fmt.Sprintf("; the nearest, %s, does not match: %s", Shown(n.Label), n.Misses)
}

// Naming returns a sentence of the requirement's, its Why or a finding's
// Message, in which the statement at an index is the one that is named.
func (rr RequirementReport) Naming(index int, sentence string) string {
	for _, n := range rr.Near {
		if n.Index == index {
			return strings.Replace(sentence, rr.Near[0].phrase(), n.phrase(), 1)
		}
	}
	return sentence
}

// near finds the Allow statements that match the example but for some parts,
// those with the fewest such parts first. They are for CloudTrail; only where
// there is none, one that differs in its Principal alone counts: the name may
// be misspelled.
func (e *evaluation) near(doc *policy.Document) []Near {
	if e.nearby == nil {
		e.nearby = e.findNear(doc)
	}
	return e.nearby
}

func (e *evaluation) findNear(doc *policy.Document) []Near {
	misses := func(m policy.Match) (n int) {
		for _, t := range []policy.Truth{m.Principal, m.Resource, m.Condition} {
			if t == policy.No {
				n++
			}
		}
		return n
	}
	var own, others []policy.Match
	for _, m := range e.example.decision.Matches {
		n := misses(m)
		switch {
		case doc.At(m.Index).Effect != policy.Allow, m.Action == policy.No, n == 0:
		case m.Principal != policy.No:
			own = append(own, m)
		case n == 1:
			others = append(others, m)
		}
	}
	if len(own) == 0 {
		own = others
	}
	if e.ID.Target() != trail.OfBucket {
		own = e.nearOfChain(doc, own)
	}
	if len(own) == 0 {
		return []Near{}
	}
	slices.SortStableFunc(own, func(a, b policy.Match) int { return cmp.Compare(misses(a), misses(b)) })
	explained := e.explain()
	out := make([]Near, len(own))
	for i, m := range own {
		out[i] = e.nearOf(doc, explained[m.Index])
	}
	return out
}

// nearOfChain orders the statements of a key's or topic's policy. Such policies begin with a
// statement for the account's root, which has every action and serves no service. So one that
// lets CloudTrail do something else goes before it.
func (e *evaluation) nearOfChain(doc *policy.Document, near []policy.Match) []policy.Match {
	if slices.ContainsFunc(near, func(m policy.Match) bool { return m.Principal != policy.No }) {
		return near
	}
	isRoot := func(p policy.Principal) bool {
		return strings.HasSuffix(p.Value, ":root") || arn.Account(p.Value).Valid()
	}
	var before, roots []policy.Match
	for _, m := range near {
		if slices.ContainsFunc(doc.At(m.Index).Principals.Entries, func(p policy.Principal) bool { return !isRoot(p) }) {
			before = append(before, m)
		} else {
			roots = append(roots, m)
		}
	}
	if len(before) > 0 {
		return append(before, roots...)
	}
	for _, m := range e.example.decision.Matches {
		names := slices.ContainsFunc(doc.At(m.Index).Principals.Entries, func(p policy.Principal) bool { return p.Value == trail.ServicePrincipal })
		if doc.At(m.Index).Effect == policy.Allow && m.Action == policy.No && m.Principal != policy.No && names {
			before = append(before, m)
		}
	}
	return append(before, roots...)
}

// nearOf says for each failing part of a statement what it wants.
func (e *evaluation) nearOf(doc *policy.Document, explained policy.StatementExplanation) Near {
	n := Near{Index: explained.Index, Label: explained.Label()}
	st := doc.At(n.Index)
	var parts []string
	for _, part := range explained.Parts {
		if part.Match != policy.No {
			continue
		}
		if n.Element == "" && part.Element != "Principal" {
			n.Element = strings.TrimPrefix(part.Element, "Condition ")
		}
		switch part.Element {
		case "Principal":
			var names []string
			for _, p := range st.Principals.Entries {
				names = append(names, p.Value)
			}
			parts = append(parts, fmt.Sprintf("its Principal is %s, not %s", brief(names), e.example.request.Caller.Value))
		case "Action":
			parts = append(parts, "its Action is "+brief(st.Actions.List))
		case "Resource":
			text := "its Resource is " + brief(st.Resources.List)
			if len(st.Resources.List) == 0 {
				text = "it has no Resource, without which a statement has no effect"
			}
			parts = append(parts, text)
		default:
			parts = append(parts, phrase(part))
		}
	}
	n.Misses = strings.Join(parts, ", and ")
	return n
}
