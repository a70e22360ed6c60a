package delivery

import (
	"fmt"
	"slices"
	"strings"

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
		find: func(j *judgement) []Finding { return j.deniedTrails(id) },
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
		report := e.report(j.doc)
		f := Finding{
			Trail: t.ARN, Statements: report.Statements,
			Message: fmt.Sprintf("CloudTrail cannot %s: %s", j.operation(t, id), lowerFirst(report.Why)),
		}
		if blocking := e.denying(j.doc, true); len(blocking) > 0 {
			x := j.exempt(e, blocking)
			f.Remedy, f.Edit = x.remedy(j.doc), x.edit()
			f.Statements = statementNames(j.doc, blocking)
		} else {
			f.Restorable = true
			f.Remedy = j.grant(t, e)
			if n, ok := e.nearest(j.doc); ok && len(f.Statements) == 0 {
				f.Statements = []string{n.Label()}
			}
		}
		out = append(out, f)
	}
	return out
}

// grant is the remedy where no statement allows a requirement.
func (j *judgement) grant(t trail.Trail, e *evaluation) string {
	const plan = "trailwarden plan shows the exact change, trailwarden required the policy that AWS documents."
	if n, ok := e.nearest(j.doc); ok && !slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome == policy.Allowed }) {
		for _, part := range n.Parts {
			if part.Match == policy.No && part.Element != "Principal" {
				return fmt.Sprintf("Mend %s of statement %s to fit trail %s, or add the documented statement: %s",
					strings.TrimPrefix(part.Element, "Condition "), shown(n.Label()), t.ARN, plan)
			}
		}
	}
	return fmt.Sprintf("Allow %s on %s to %s for aws:SourceArn %s: %s", e.Action, e.Resource, trail.ServicePrincipal, t.ARN, plan)
}

// whyExplicit names the Deny and what of it hits.
func (e *evaluation) whyExplicit(doc *policy.Document) string {
	denies := e.example.decision.Responsible
	text := statementsDo(statementNames(doc, denies), "denies", "deny") + " " + e.Action
	if slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome != policy.ExplicitDeny }) {
		text += " on " + e.example.sample.Text
	}
	if reasons := matchReasons(doc, &e.example.request, denies); reasons != "" {
		return text + ": " + reasons + "."
	}
	return text + " without a condition."
}

// matchReasons says by which conditions and exceptions the statements match.
func matchReasons(doc *policy.Document, request *policy.Request, statements []int) string {
	var reasons []string
	for _, st := range doc.Explain(request) {
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
			reason = shown(doc.Label(st.Index)) + " since " + reason
		}
		reasons = append(reasons, reason)
	}
	return strings.Join(reasons, "; ")
}

// whyImplicit says what no statement allows.
func (e *evaluation) whyImplicit(doc *policy.Document) string {
	if may := e.denying(doc, false); e.example.decision.Outcome == policy.Undetermined && len(may) > 0 {
		return fmt.Sprintf("Where %s, which may deny it, does not hit, nothing allows %s on %s.",
			statementsNamed(statementNames(doc, may)), e.Action, e.Resource)
	}
	if text, ok := e.whyPartial(doc); ok {
		return text
	}
	n, ok := e.nearest(doc)
	if !ok {
		return fmt.Sprintf("No statement allows %s to CloudTrail.", e.Action)
	}
	return fmt.Sprintf("No statement allows %s to CloudTrail on %s; the nearest, %s, does not match: %s.",
		e.Action, e.Resource, shown(n.Label()), strings.Join(n.misses(doc, e), ", and "))
}

// near is an Allow statement that nearly matches, and its failing parts.
type near struct {
	policy.StatementExplanation
}

// nearest finds the Allow statement for CloudTrail that matches the example
// but for the fewest parts. A statement for others or for other actions is
// near only if that is all that is wrong with it.
func (e *evaluation) nearest(doc *policy.Document) (near, bool) {
	best, fewest := -1, 0
	for _, m := range e.example.decision.Matches {
		if doc.At(m.Index).Effect != policy.Allow || m.Action == policy.No {
			continue
		}
		misses := 0
		for _, t := range []policy.Truth{m.Principal, m.Resource, m.Condition} {
			if t == policy.No {
				misses++
			}
		}
		if m.Principal == policy.No && misses > 1 {
			continue
		}
		if misses > 0 && (best < 0 || misses < fewest) {
			best, fewest = m.Index, misses
		}
	}
	if best < 0 {
		return near{}, false
	}
	for _, st := range doc.Explain(&e.example.request) {
		if st.Index == best {
			return near{st}, true
		}
	}
	return near{}, false
}

// misses says for each failing part what it wants.
func (n near) misses(doc *policy.Document, e *evaluation) []string {
	st := doc.At(n.Index)
	var out []string
	for _, part := range n.Parts {
		if part.Match != policy.No {
			continue
		}
		switch part.Element {
		case "Principal":
			var names []string
			for _, p := range st.Principals.Entries {
				names = append(names, p.Value)
			}
			out = append(out, fmt.Sprintf("its Principal is %s, not %s", brief(names), e.example.request.Caller.Value))
		case "Resource":
			out = append(out, fmt.Sprintf("its Resource is %s", brief(st.Resources.List)))
		default:
			out = append(out, phrase(part))
		}
	}
	return out
}
