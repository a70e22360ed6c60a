package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// beyondTrails finds the trails of which files are denied that CloudTrail does
// not write now, in a horizon. All that it writes now is allowed. One finding
// is made for a trail, told by the first of its requirements: kinds of files
// differ in their folder only. Say makes the message and the remedy.
func (j *judgement) beyondTrails(h trail.Horizon, say func(trail.Trail, *evaluation, []sampleDecision) Finding) []Finding {
	var out []Finding
	for _, t := range j.trails {
		if slices.ContainsFunc(j.evaluations[t.ARN], func(e *evaluation) bool { return denied(e.outcome) }) {
			continue // it does not deliver today, which is told instead
		}
		var found *Finding
		for _, e := range j.evaluations[t.ARN] {
			denials := e.beyond[h]
			if len(denials) == 0 {
				continue
			}
			if found == nil {
				f := say(t, e, denials)
				f.Trail = t.ARN
				found = &f
			}
			for _, name := range statementNames(j.doc, j.denyingOf(denials)) {
				if !slices.Contains(found.Statements, name) {
					found.Statements = append(found.Statements, name)
				}
			}
		}
		if found != nil {
			out = append(out, *found)
		}
	}
	return out
}

// denyingOf are the Denies among the decisions' statements.
func (j *judgement) denyingOf(decisions []sampleDecision) []int {
	var out []int
	for _, r := range decisions {
		for _, m := range r.decision.Matches {
			if j.doc.At(m.Index).Effect == policy.Deny && m.Truth() == policy.Yes {
				out = append(out, m.Index)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// whyBeyond says what denies the request, or that nothing allows it.
func (j *judgement) whyBeyond(e *evaluation, r sampleDecision) string {
	r = e.consistent(r)
	if r.outcome == policy.ExplicitDeny {
		return fmt.Sprintf("%s %s%s", lowerFirst(statementsDo(statementNames(j.doc, j.denyingOf([]sampleDecision{r})), "denies", "deny")),
			e.action(), e.at(r))
	}
	return fmt.Sprintf("nothing allows %s%s", e.action(), e.at(r))
}

// date is the date of a key that was decided, "2030-01-01"; empty if it has
// none.
func (r sampleDecision) date() string {
	s := r.sample.Segments
	if d, ok := s["date"]; ok {
		return strings.ReplaceAll(d, "/", "-")
	}
	if s["year"] == "" {
		return ""
	}
	return s["year"] + "-" + s["month"] + "-" + s["day"]
}

// earliest is the decision with the earliest date.
func earliest(decisions []sampleDecision) sampleDecision {
	return slices.MinFunc(decisions, func(a, b sampleDecision) int { return strings.Compare(a.date(), b.date()) })
}

// remedyBeyond is what to do about the first of the denials: to grant without
// naming what the grant names, or by hand where a Deny is in the way.
func (j *judgement) remedyBeyond(denials []sampleDecision, names string) string {
	if names := statementNames(j.doc, j.denyingOf(denials)); len(names) > 0 {
		return fmt.Sprintf("If CloudTrail is to write there, change %s by hand where the policy is maintained: "+
			"a Deny is never edited automatically.", statementsNamed(names))
	}
	if j.part != nil {
		return "Grant the files without naming " + names + " in the policy of " + j.subject() + ": trailwarden required prints the statement that AWS documents."
	}
	return "Grant the folders without naming " + names + ": trailwarden plan --harden shows the change."
}
