package delivery

import (
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// RCPDeniedID is the id of the finding that a resource control policy denies what CloudTrail
// asks for, of the bucket or of a trail's key.
const RCPDeniedID = "rcp-denied"

func rcpDeniedType() FindingType {
	return FindingType{
		ID: RCPDeniedID, Title: "A resource control policy of the organization denies CloudTrail",
		Kind: Outage, OtherKinds: []Kind{Weakness}, Severity: Critical, OtherSeverities: []Severity{High, Low},
		Source: SourceRCP, Loss: LossLogFiles, Restored: RestoredNever,
		Causes: append(rcpCalls(), trailCalls()...), refusal: refuseRCP,
	}
}

// refuseRCP says why no plan edits a resource control policy.
func refuseRCP(f Finding) string {
	return "A resource control policy is never edited, and no policy of the bucket can allow what it denies. " + f.Remedy
}

// rcpFindings are one finding for each trail that resource control policies keep from what it
// needs, or may keep.
func (p *chainPart) rcpFindings() []Finding {
	var out []Finding
	for _, t := range p.trails {
		var no, open []*evaluation
		for _, e := range p.evaluations[t.ARN] {
			switch {
			case denied(e.outcome):
				no = append(no, e)
			case e.outcome != policy.Allowed:
				open = append(open, e)
			}
		}
		f, about := Finding{}, rcpDeniedType()
		switch {
		case len(no) > 0:
			f = p.rcpDenied(t, no)
		case len(open) > 0:
			f, about = p.rcpUndetermined(t, open), rcpUndeterminedType()
		default:
			continue
		}
		f.Trail = t.ARN
		if p.target != trail.OfBucket {
			f.Target = p.target
		}
		out = append(out, about.complete(f))
	}
	return out
}

// rcpDenied is the finding of what is denied, told by the worst of it.
func (p *chainPart) rcpDenied(t trail.Trail, no []*evaluation) Finding {
	e := foremost(no)
	x := p.exempt(e, p.blocking(e))
	x.open = false // the policy of the bucket says whom it serves
	f := Finding{
		Statements: p.rcpStatements(no),
		Message:    fmt.Sprintf("CloudTrail cannot %s, whatever the policy of the %s says: %s", p.operation(t, e.ID), p.target, lowerFirst(e.report().Why)),
		Remedy:     p.rcpRemedy(x), Edit: x.edit(),
	}
	f.Message += p.rcpNames(e)
	f.Message += besides(no, e, "Denied besides: ")
	switch e.ID {
	case trail.LogFiles, trail.KeyEncrypt:
	case trail.KeyDescribe, trail.KeyDecrypt:
		f.Kind, f.Severity = Weakness, Low
	default:
		f.Severity = High
	}
	return f
}

// foremost is the requirement by which a finding is told: that of log files goes first.
func foremost(of []*evaluation) *evaluation {
	for _, e := range of {
		if e.ID == trail.LogFiles {
			return e
		}
	}
	return of[0]
}

// blocking are the statements that deny a requirement; if each only may, and always one does, all
// that may.
func (p *chainPart) blocking(e *evaluation) []int {
	if certain := e.denying(p.doc, true); len(certain) > 0 {
		return certain
	}
	return e.denying(p.doc, false)
}

// rcpStatements are the statements that deny, or may deny, some of the requirements.
func (p *chainPart) rcpStatements(of []*evaluation) []string {
	named := make([]bool, p.doc.Len())
	for _, e := range of {
		for _, i := range p.blocking(e) {
			named[i] = true
		}
	}
	var out []string
	for i, is := range named {
		if is {
			out = append(out, p.doc.Label(i))
		}
	}
	return out
}

// rcpNames says in a sentence of which policies the statements of a requirement are, as people
// know them; their labels have the id only.
func (p *chainPart) rcpNames(e *evaluation) string {
	labels := strings.Join(statementNames(p.doc, p.blocking(e)), "\n")
	var names []string
	for _, known := range p.rcps {
		if known.Name != "" && known.ID != "" && strings.Contains(labels, ":"+known.ID+"/") {
			names = append(names, Shown(known.Name)+" ("+known.ID+")")
		}
	}
	where := "a resource control policy"
	switch {
	case len(names) == 1:
		where = "the resource control policy " + names[0]
	case len(names) > 1:
		where = "the resource control policies " + list(names)
	}
	return fmt.Sprintf(" It stands in %s, not in the policy of the %s.", where, p.target)
}

// besides names the requirements that a finding is not told by; empty: it is about one.
func besides(of []*evaluation, but *evaluation, intro string) string {
	var ids []string
	for _, e := range of {
		if e != but {
			ids = append(ids, string(e.ID))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " " + intro + list(ids) + "."
}

// rcpRemedy is the edit of the statements, and where it is made.
func (p *chainPart) rcpRemedy(x exemptions) string {
	return x.remedy(p.doc) + " The organization's management account keeps it (aws organizations describe-policy, update-policy)."
}
