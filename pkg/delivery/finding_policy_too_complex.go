package delivery

import (
	"fmt"
	"slices"
)

// PolicyTooComplexID is the id of the finding that the policy could not be judged
// in full within the bound of the work.
const PolicyTooComplexID = "policy-too-complex"

// mostNamed is how many of the statements that take the most are named.
const mostNamed = 5

func policyTooComplexType() FindingType {
	return FindingType{
		ID: PolicyTooComplexID, Title: "The policy is too complex to judge",
		Kind: Unknown, Severity: High, Source: SourcePolicy, Loss: LossNone, Restored: RestoredNever,
		Causes: append(policyCalls(), trailCalls()...),
		refusal: func(f Finding) string {
			return "A policy that could not be judged in full is not changed for what was not judged. " + f.Remedy
		},
		find: (*judgement).policyTooComplex, findUnused: (*judgement).policyTooComplex,
	}
}

// policyTooComplex finds that something was not settled, or not looked at. What
// was settled before stands beside it.
func (j *judgement) policyTooComplex() []Finding {
	var open []string
	cut := false
	for _, t := range j.trails {
		for _, e := range j.evaluations[t.ARN] {
			cut = cut || e.cut
			if e.incomplete && !denied(e.outcome) {
				open = append(open, j.operation(t, e.ID))
			}
		}
	}
	for i, e := range j.expected {
		cut = cut || e.cut
		if e.incomplete && !denied(e.outcome) {
			open = append(open, "write for "+j.bucket.Expected[i].String())
		}
	}
	if !cut {
		return nil
	}
	what := "what the policy says of all that CloudTrail may ask for, now and later"
	if len(open) > 0 {
		what = "whether CloudTrail can " + list(open[:min(2, len(open))])
		if len(open) > 2 {
			what += fmt.Sprintf(" (and %d more)", len(open)-2)
		}
	}
	costly := slices.DeleteFunc(j.budget.Costliest(mostNamed), func(i int) bool { return i >= j.doc.Len() })
	names := statementNames(j.doc, costly)
	f := Finding{
		Statements: names,
		Message: fmt.Sprintf("The policy of %s is too complex to be judged in full: it was not settled %s.",
			j.subject(), what),
		Remedy: "Make the policy simpler: name folders instead of writing * or ? within a key, and test fewer condition keys. " +
			"Until then look at what CloudTrail itself reports: aws cloudtrail get-trail-status --name TRAIL-ARN.",
	}
	if len(names) > 0 {
		f.Message += fmt.Sprintf(" Most of the work went into %s.", statementsNamed(names))
	}
	return []Finding{f}
}

// TooComplex reports whether the budget has cut the judgement, so that what it
// leaves open may be certain all the same.
func (r Report) TooComplex() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == PolicyTooComplexID })
}
