package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// UndeterminedFamily are the findings that it is not certain whether the policy
// allows CloudTrail a requirement, one type for each requirement.
const UndeterminedFamily = "undetermined"

// UndeterminedID is the id of the finding that a requirement is left open.
func UndeterminedID(id trail.RequirementID) string { return string(id) + "-undetermined" }

func undeterminedType(id trail.RequirementID) FindingType {
	return FindingType{
		ID: UndeterminedID(id), Family: UndeterminedFamily, Requirement: id,
		Title: "It is not certain that CloudTrail is allowed: " + string(id),
		Kind:  Unknown, Severity: Medium, Source: SourcePolicy, Loss: LossNone, Restored: RestoredIfNotAllowed,
		find:   func(j *judgement) []Finding { return j.undeterminedTrails(id) },
		Causes: causesOf(id),
	}
}

// undeterminedTrails finds the trails for which the requirement is left open.
func (j *judgement) undeterminedTrails(id trail.RequirementID) []Finding {
	var out []Finding
	for t, e := range j.evaluationsOf(id) {
		if e.outcome == policy.Allowed || denied(e.outcome) {
			continue
		}
		if e.isPerhaps() && j.isDenied(t, trail.LogFiles) {
			continue // one cause, and certain of the log files
		}
		if e.incomplete && e.example.outcome == policy.Allowed {
			continue // nothing but the bound leaves it open, see [PolicyTooComplexID]
		}
		report := e.report()
		f := Finding{
			Trail: t.ARN, Statements: report.Statements,
			Message: fmt.Sprintf("Whether CloudTrail can %s is not certain: %s", j.operation(t, id), lowerFirst(report.Why)),
		}
		f.Remedy, f.Edit = j.clarify(e)
		out = append(out, f)
	}
	return out
}

// isPerhaps reports whether it is open only because it is not known whether
// CloudTrail makes the request.
func (e *evaluation) isPerhaps() bool {
	return e.outcome == policy.Undetermined && len(e.perhaps) > 0 && denied(e.example.outcome)
}

// uncertain is what it hangs on whether CloudTrail makes the request, where that
// alone leaves it open.
func (e *evaluation) uncertain() trail.Uncertainty {
	if !e.isPerhaps() {
		return trail.Certain
	}
	return e.Sets[e.example.set].Uncertain
}

// isDenied reports whether the trail's requirement is denied.
func (j *judgement) isDenied(t trail.Trail, id trail.RequirementID) bool {
	return slices.ContainsFunc(j.evaluations[t.ARN], func(e *evaluation) bool { return e.ID == id && denied(e.outcome) })
}

// clarify is the remedy where a requirement is left open, with the edit of the
// Denies that may hit.
func (j *judgement) clarify(e *evaluation) (remedy, edit string) {
	if e.bucketKeys {
		return "Say whether the bucket uses S3 Bucket Keys (--bucket-key on or off), which may settle it.", ""
	}
	if denies := e.denying(j.doc, true); e.guessed && len(denies) > 0 {
		x := j.exempt(e, denies)
		return "Say what is not known (the organization's id, a prefix without slashes at its ends), which may settle it. " +
			x.remedy(j.doc), x.edit()
	}
	if e.isPerhaps() {
		return j.settle(e)
	}
	if e.guessed {
		return "Say what is not known (the organization's id, a prefix without slashes at its ends), or grant all that CloudTrail may write: " +
			"trailwarden required prints the policy.", ""
	}
	if denies := e.denying(j.doc, false); len(denies) > 0 {
		x := j.exempt(e, denies)
		return x.remedy(j.doc), x.edit()
	}
	if j.part != nil {
		return "Grant it under condition keys whose values are documented for CloudTrail, such as aws:SourceArn. " + j.part.addStatement(e), ""
	}
	return fmt.Sprintf("Grant it to %s, under condition keys whose values are documented for CloudTrail such as aws:SourceArn: "+
		"trailwarden required prints the policy.",
		trail.ServicePrincipal), ""
}

// whyUndetermined says what is not known.
func (e *evaluation) whyUndetermined(doc *policy.Document) string {
	switch {
	case e.guessed && e.example.outcome == policy.ExplicitDeny:
		return fmt.Sprintf("%s, and %s %s%s.", e.whyGuessed(),
			lowerFirst(statementsDo(statementNames(doc, e.example.decision.Responsible), "denies", "deny")), e.action(), e.at(e.example))
	case e.guessed && e.example.outcome == policy.ImplicitDeny:
		return fmt.Sprintf("%s, and nothing allows %s%s.", e.whyGuessed(), e.action(), e.at(e.example))
	case e.isPerhaps():
		return e.whyPerhaps(doc)
	case e.incomplete && e.example.outcome == policy.Allowed:
		return "The policy is too complex: only a part of what it tells apart was looked at, and that is allowed."
	}
	d := e.example.decision
	var open []int
	for _, m := range d.Matches {
		if m.Truth() == policy.Maybe && slices.Contains(d.Responsible, m.Index) {
			open = append(open, m.Index)
		}
	}
	who := statementsDo(statementNames(doc, open), "hangs", "hang")
	switch {
	case d.Bounded:
		return who + " on more values than can be told apart, so the answer is open."
	case len(d.DependsOn) > 0:
		return fmt.Sprintf("%s on %s, of which it is not known what CloudTrail's requests hold.", who, brief(d.DependsOn))
	case len(open) == 0:
		return "What the policy says of it cannot be read for certain."
	default:
		return fmt.Sprintf("%s match CloudTrail's request by %s.",
			statementsDo(statementNames(doc, open), "may or may not", "may or may not"), list(uncertainElements(d.Matches, open)))
	}
}

// uncertainElements are the elements by which the statements may or may not match.
func uncertainElements(matches []policy.Match, statements []int) []string {
	var out []string
	add := func(name string, t policy.Truth) {
		if t == policy.Maybe && !slices.Contains(out, "its "+name) {
			out = append(out, "its "+name)
		}
	}
	for _, m := range matches {
		if slices.Contains(statements, m.Index) {
			add("Principal", m.Principal)
			add("Action", m.Action)
			add("Resource", m.Resource)
			add("Condition", m.Condition)
		}
	}
	return out
}

// whyGuessed says what makes the requests of the requirement a guess.
func (e *evaluation) whyGuessed() string {
	if e.bucketKeys {
		return "Whether the bucket uses S3 Bucket Keys is not known"
	}
	for _, p := range e.Sets {
		for _, part := range p.Resources {
			if part.Name == "organization" && len(part.Words) == 0 {
				return "The organization's id is not known"
			}
		}
	}
	return "How CloudTrail joins a prefix that begins or ends with a slash is not documented"
}

// whyPerhaps says what is denied of the requests that CloudTrail may make, and
// what it hangs on whether it makes them.
func (e *evaluation) whyPerhaps(doc *policy.Document) string {
	text := fmt.Sprintf("Nothing allows %s%s", e.action(), e.at(e.example))
	if e.example.outcome == policy.ExplicitDeny {
		text = fmt.Sprintf("%s %s%s", statementsDo(statementNames(doc, e.example.decision.Responsible), "denies", "deny"),
			e.action(), e.at(e.example))
	} else if partial, ok := e.whyPartial(doc); ok {
		text = strings.TrimSuffix(partial, ".")
	}
	account, region := e.example.sample.Segments["account"], e.example.sample.Segments["region"]
	switch e.uncertain() {
	case trail.UncertainRegion:
		return fmt.Sprintf("%s; CloudTrail writes there if account %s has enabled %s.", text, account, region)
	case trail.UncertainMember:
		return fmt.Sprintf("%s; CloudTrail writes there if account %s is in the organization, of which it is not known.", text, account)
	case trail.UncertainFeature:
		return text + "; CloudTrail writes such files if the trail's event selectors ask for them, and these are not known."
	case trail.Certain:
	}
	return text + "."
}

// settle is the remedy where it is not known whether CloudTrail makes a request
// that is denied: what to say of it, and what to change if it does.
func (j *judgement) settle(e *evaluation) (remedy, edit string) {
	say := ""
	switch e.uncertain() {
	case trail.UncertainRegion:
		say = fmt.Sprintf("Say which regions account %s has enabled (--regions, or let the reading role call account:ListRegions), which may settle it. ",
			e.example.sample.Segments["account"])
	case trail.UncertainMember:
		say = "Let the reading role list the organization's accounts (organizations:ListAccounts), which may settle it. "
	case trail.UncertainFeature:
		say = "Give the trail's event selectors (--event-selectors, or let the reading role call cloudtrail:GetEventSelectors), which may settle it. "
	case trail.Certain:
	}
	if denies := e.denying(j.doc, true); len(denies) > 0 {
		x := j.exempt(e, denies)
		return say + "If CloudTrail writes there: " + lowerFirst(x.remedy(j.doc)), x.edit()
	}
	return say + "Or grant all that CloudTrail may write: trailwarden required prints the policy that AWS documents.", ""
}
