package repair

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Mended returns the whole policy with which CloudTrail can deliver, for a person to
// put: what the plan writes, with each Deny that blocks edited as its finding shows. The
// guard writes no such policy, since it never edits a Deny.
//
// The plan is what [For] gives for the report. The result is nil if the policy is fine as it
// is, and if no such policy is known: an edited one is judged again, within the budget, and S3
// has to take it. A nil budget is one of its own.
func Mended(b delivery.Bucket, trails []trail.Trail, env trail.Environment, report delivery.Report, plan Plan, budget *policy.Budget) []byte {
	if !writable(b) || !blocked(report) {
		return nil
	}
	edits, ok := denyEdits(b.Policy, report)
	if !ok || len(edits) == 0 && !plan.Changed {
		return nil
	}
	mended, err := policy.Parse(plan.Policy)
	if err != nil {
		return nil
	}
	replaced := map[int][]byte{}
	for was, text := range edits {
		now := slices.IndexFunc(statementTexts(mended), func(s string) bool { return s == compact(b.Policy.StatementText(was)) })
		if now < 0 {
			return nil // the plan changed the statement that would have to be edited
		}
		replaced[now] = text
	}
	if len(replaced) > 0 {
		if mended, err = mended.With(replaced); err != nil {
			return nil
		}
	}
	if len(mended.Text()) > MaxPolicySize {
		mended = mended.Compact()
	}
	b.State, b.Policy = delivery.PolicyRead, mended
	if budget == nil {
		budget = delivery.NewBudget(b, trails)
	}
	after := delivery.JudgeWithin(budget, b, trails, env)
	tooComplex := slices.ContainsFunc(after.Findings, func(f delivery.Finding) bool { return f.ID == delivery.PolicyTooComplexID })
	if blocked(after) || tooComplex || len(after.Faults) > 0 || len(mended.Text()) > MaxPolicySize {
		return nil
	}
	return mended.Text()
}

// blocked reports whether the policy, or that there is none, stops CloudTrail.
func blocked(r delivery.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool {
		t, _ := delivery.LookupType(f.ID)
		return f.Kind == delivery.Outage && (t.Source == delivery.SourcePolicy || f.ID == delivery.PolicyMissingID)
	})
}

// denyEdits are the statements that block as they would have to read, by their indexes. Ok is
// false if there is none for a statement that blocks.
func denyEdits(doc *policy.Document, report delivery.Report) (edits map[int][]byte, ok bool) {
	edits = map[int][]byte{}
	for _, f := range report.Findings {
		if f.Edit == "" || f.Kind != delivery.Outage {
			continue
		}
		texts := []json.RawMessage{json.RawMessage(f.Edit)}
		if strings.HasPrefix(f.Edit, "[") && json.Unmarshal([]byte(f.Edit), &texts) != nil || len(texts) != len(f.Statements) {
			return nil, false
		}
		for i, label := range f.Statements {
			at := slices.Index(labels(doc, all(doc.Len())), label)
			if at < 0 {
				return nil, false
			}
			if edits[at] == nil { // the worst finding comes first
				edits[at] = texts[i]
			}
		}
	}
	return edits, true
}

// all are the numbers below n.
func all(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// statementTexts are the statements of a policy without insignificant white space.
func statementTexts(doc *policy.Document) []string {
	var texts []string
	for i := range doc.Len() {
		texts = append(texts, compact(doc.StatementText(i)))
	}
	return texts
}

func compact(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}
