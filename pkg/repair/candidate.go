package repair

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// edit is what becomes of one statement.
type edit struct {
	index  int    // of the statement in the policy as it is, or atEnd
	text   []byte // nil: it is removed, since another says what it said
	change Change // zero: it is not worth telling
}

// atEnd is the index of a statement that is added.
const atEnd = -1

// apply makes the edits in a policy, and fails unless every other statement is
// still there as it was.
func apply(before *policy.Document, edits []edit) (*policy.Document, []Change, error) {
	replaced := map[int][]byte{}
	var added [][]byte
	var changes []Change
	for _, e := range edits {
		if e.index == atEnd {
			added = append(added, e.text)
		} else {
			replaced[e.index] = e.text
		}
		if e.change != (Change{}) {
			changes = append(changes, e.change)
		}
	}
	after, err := before.With(replaced, added...)
	if err != nil {
		return nil, nil, fmt.Errorf("write the policy: %w", err)
	}
	at := 0 // in after
	for i := range before.Len() {
		text, edited := replaced[i]
		if edited && text == nil {
			continue
		}
		if at >= after.Len() || !edited && !bytes.Equal(before.StatementText(i), after.StatementText(at)) {
			return nil, nil, fmt.Errorf("statement %s of the policy cannot be kept as it is", before.Label(i))
		}
		at++
	}
	return after, changes, nil
}

// fit returns the policy as it would be written: without white space if it is
// over S3's limit with it. It reports false if it is over the limit without.
func fit(doc *policy.Document) (*policy.Document, bool) {
	if len(doc.Text()) > MaxPolicySize {
		doc = doc.Compact()
	}
	return doc, len(doc.Text()) <= MaxPolicySize
}

// candidate is a policy with its proof: the changes that lead to it, and the
// judgement on the bucket with it.
type candidate struct {
	doc     *policy.Document // nil: no policy
	changes []Change
	report  delivery.Report
}

// prove judges the bucket with a policy.
func (p *planner) prove(doc *policy.Document, changes []Change) candidate {
	b := p.bucket
	b.State, b.Policy = delivery.PolicyRead, doc
	return candidate{doc: doc, changes: changes, report: delivery.Judge(b, p.known, p.environment)}
}

// better reports whether some requirement is nearer to allowed after than
// before, and none further away.
func better(before, after delivery.Report) bool {
	return !worse(before, after) && slices.ContainsFunc(before.Trails, func(tr delivery.TrailReport) bool {
		return slices.ContainsFunc(tr.Requirements, func(rr delivery.RequirementReport) bool {
			return nearness(requirementOf(after, tr.ARN, rr.ID)) > nearness(rr)
		})
	})
}

// worse reports whether some requirement is further from allowed after than
// before.
func worse(before, after delivery.Report) bool {
	return slices.ContainsFunc(before.Trails, func(tr delivery.TrailReport) bool {
		return slices.ContainsFunc(tr.Requirements, func(rr delivery.RequirementReport) bool {
			return nearness(requirementOf(after, tr.ARN, rr.ID)) < nearness(rr)
		})
	})
}

// helped reports whether some requirement of the need is nearer to allowed
// after than before.
func (n need) helped(before, after delivery.Report) bool {
	return slices.ContainsFunc(n.unmet, func(id trail.RequirementID) bool {
		return nearness(requirementOf(after, n.trail.ARN, id)) > nearness(requirementOf(before, n.trail.ARN, id))
	})
}

// nothingLacks reports whether every requirement is allowed that no Deny
// blocks, or may block, and that CloudTrail is known to have.
func nothingLacks(r delivery.Report) bool {
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if rr.Decision != policy.Allowed && rr.Perhaps == trail.Certain && len(rr.Denying) == 0 {
				return false
			}
		}
	}
	return true
}

// nearness grows as a requirement comes nearer to allowed, now and later.
func nearness(rr delivery.RequirementReport) int {
	switch {
	case rr.Decision == policy.Allowed && !rr.Beyond:
		return 4
	case rr.Decision == policy.Allowed:
		return 3
	case rr.Decision == policy.Undetermined:
		return 2
	case rr.Decision == policy.ImplicitDeny:
		return 1
	default:
		return 0
	}
}

// requirementOf is what the report says of a requirement. One that it does not
// hold is denied by nobody and allowed by nobody.
func requirementOf(r delivery.Report, arn string, id trail.RequirementID) delivery.RequirementReport {
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if tr.ARN == arn && rr.ID == id {
				return rr
			}
		}
	}
	return delivery.RequirementReport{Decision: policy.ImplicitDeny}
}
