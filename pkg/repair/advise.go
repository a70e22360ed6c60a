package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Advise returns the report with what the planner does as the advice: a finding
// names the statement that a plan mends, or none where it adds one, and its
// remedy is the plan's change, or the reason for which there is none. Plan is
// what [For] gives for the report, and hardened what it gives with
// [Options.Harden]; it may be empty where nothing in the report [Hardens].
//
// A Deny that blocks keeps its own remedy: the edit, which a plan never makes.
func Advise(doc *policy.Document, report delivery.Report, plan, hardened Plan) delivery.Report {
	report.Trails = slices.Clone(report.Trails)
	for i, t := range report.Trails {
		t.Requirements = slices.Clone(t.Requirements)
		for k, rr := range t.Requirements {
			if index, ok := mends(plan, t.ARN, rr.ID); ok {
				t.Requirements[k].Why = rr.Naming(index, rr.Why)
			}
		}
		report.Trails[i] = t
	}
	report.Findings = slices.Clone(report.Findings)
	for i, f := range report.Findings {
		known, _ := delivery.LookupType(f.ID)
		switch rr, open := requirement(report, f); {
		case known.Restored == delivery.RestoredByHardening:
			report.Findings[i] = adviseHardening(doc, f, hardened)
		case open && (f.Edit == "" || f.Restorable):
			report.Findings[i] = adviseRestoring(doc, f, rr, plan)
		}
	}
	return report
}

// Hardens reports whether a report holds a weakness that hardening may mend, so
// that [Advise] needs a hardened plan.
func Hardens(r delivery.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool {
		known, _ := delivery.LookupType(f.ID)
		return known.Restored == delivery.RestoredByHardening
	})
}

// mends returns the statement that a plan patches for a requirement, by its
// index in the bucket's policy.
func mends(p Plan, arn string, id trail.RequirementID) (index int, ok bool) {
	for _, c := range p.Changes {
		if len(c.Edits) == 1 && c.serves(Purpose{Trail: arn, Requirement: id}) {
			return c.Edits[0], true
		}
	}
	return 0, false
}

func (c Change) serves(p Purpose) bool { return slices.Contains(c.Serves, p) }

// adviseRestoring is the advice on a requirement that is not met.
func adviseRestoring(doc *policy.Document, f delivery.Finding, rr delivery.RequirementReport, plan Plan) delivery.Finding {
	var steps []string
	var statements []string
	for _, c := range plan.Changes {
		if !c.serves(Purpose{Trail: f.Trail, Requirement: rr.ID}) {
			continue
		}
		if len(c.Edits) == 0 {
			steps = append(steps, fmt.Sprintf("Add statement %s, as AWS documents it.", c.Statement))
			continue
		}
		names := labels(doc, c.Edits)
		statements = append(statements, names...)
		steps = append(steps, fmt.Sprintf("Change statement %s: %s", named(names), lowerFirst(c.Reason)))
		f.Message = rr.Naming(c.Edits[0], f.Message)
	}
	if len(steps) > 0 {
		f.Statements = append([]string{}, statements...)
		f.Remedy = strings.Join(steps, " ") + " trailwarden plan shows the policy with it."
		return f
	}
	if r, ok := refusedFor(plan, f); ok && (f.Restorable || r.asks) {
		f.Remedy = r.Reason
	}
	return f
}

// mostAdvised is how many changes a remedy tells.
const mostAdvised = 3

// adviseHardening is the advice on a weakness: what hardening changes, and what
// it leaves as it is, with the reason.
func adviseHardening(doc *policy.Document, f delivery.Finding, hardened Plan) delivery.Finding {
	var steps []string
	for _, c := range hardened.Changes {
		if !slices.ContainsFunc(c.Serves, func(p Purpose) bool { return p.isFor(f) }) {
			continue
		}
		if len(c.Edits) == 0 {
			steps = append(steps, fmt.Sprintf("trailwarden plan --harden adds statement %s: %s", c.Statement, lowerFirst(c.Reason)))
			continue
		}
		steps = append(steps, fmt.Sprintf("trailwarden plan --harden changes statement %s: %s",
			named(labels(doc, c.Edits)), lowerFirst(c.Reason)))
	}
	for _, r := range hardened.Refused {
		if r.Finding == f.ID && (r.Trail == "" || f.Trail == "" || r.Trail == f.Trail) && !slices.Contains(steps, r.Reason) {
			steps = append(steps, r.Reason)
		}
	}
	if len(steps) == 0 {
		f.Remedy = "Hardening leaves it as it is. Bind the grant by hand, to your trails with aws:SourceArn or to your accounts " +
			"with aws:SourceAccount, under StringEquals."
		return f
	}
	if more := len(steps) - mostAdvised; more > 0 {
		steps = append(steps[:mostAdvised], fmt.Sprintf("And %d more: trailwarden plan --harden shows all of it.", more))
	}
	f.Remedy = strings.Join(steps, " ")
	return f
}

// isFor reports whether hardening for the purpose is about the weakness. What a
// trail lacks of later dates and regions is a requirement of it.
func (p Purpose) isFor(f delivery.Finding) bool {
	if f.Trail != "" && p.Trail != f.Trail {
		return false
	}
	switch f.ID {
	case delivery.BacklogDeniedID, delivery.GrantExpiresID, delivery.NewRegionsNotGrantedID:
		return p.Requirement != ""
	}
	return p.Finding == f.ID
}

func refusedFor(p Plan, f delivery.Finding) (Refusal, bool) {
	for _, r := range p.Refused {
		if r.Finding == f.ID && r.Trail == f.Trail {
			return r, true
		}
	}
	return Refusal{}, false
}

func labels(doc *policy.Document, indexes []int) []string {
	var out []string
	for _, i := range indexes {
		if doc != nil && i < doc.Len() {
			out = append(out, doc.Label(i))
		}
	}
	return out
}

// named are statements as a sentence names them.
func named(labels []string) string {
	var out []string
	for _, label := range labels {
		out = append(out, delivery.Shown(label))
	}
	return strings.Join(out, ", ")
}

func lowerFirst(s string) string {
	if s == "" || strings.HasPrefix(s, "CloudTrail ") {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
