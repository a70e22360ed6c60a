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
func apply(before revision, edits []edit) (revision, error) {
	replaced := map[int][]byte{}
	var added [][]byte
	for _, e := range edits {
		if e.index == atEnd {
			added = append(added, e.text)
		} else {
			replaced[e.index] = e.text
		}
	}
	var after revision
	var err error
	if after.doc, err = before.doc.With(replaced, added...); err != nil {
		return revision{}, fmt.Errorf("write the policy: %w", err)
	}
	moved := make([]int, before.doc.Len()) // where each statement is now
	for i := range moved {
		text, edited := replaced[i]
		if edited && text == nil {
			moved[i] = gone
			continue
		}
		at := len(after.origin)
		if at >= after.doc.Len() || !edited && !bytes.Equal(before.doc.StatementText(i), after.doc.StatementText(at)) {
			return revision{}, fmt.Errorf("statement %s of the policy cannot be kept as it is", delivery.Shown(before.doc.Label(i)))
		}
		moved[i] = at
		after.origin = append(after.origin, before.origin[i])
	}
	for _, c := range before.changes {
		if c.at != gone {
			c.at = moved[c.at]
		}
		after.changes = append(after.changes, c)
	}
	for _, e := range edits {
		at := len(after.origin)
		if e.index == atEnd {
			after.origin = append(after.origin, atEnd)
		} else {
			at = moved[e.index]
		}
		if e.change.Action != "" {
			after.changes = append(after.changes, madeChange{e.change, at})
		}
	}
	return after, nil
}

// fit returns the policy as it would be written: without white space if it is
// over S3's limit with it. It reports false if it is over the limit without.
func fit(r revision) (revision, bool) {
	if len(r.doc.Text()) > MaxPolicySize {
		r.doc = r.doc.Compact()
	}
	return r, len(r.doc.Text()) <= MaxPolicySize
}

// revision is a policy, and how it came from the one that the bucket has.
type revision struct {
	doc *policy.Document // nil: no policy
	// origin is, of each statement, the index in the bucket's policy, or atEnd:
	// it was added.
	origin  []int
	changes []madeChange
}

// madeChange is a change and the index of its statement in the revision, or
// gone.
type madeChange struct {
	Change
	at int
}

// gone is the index of a statement that was removed.
const gone = -1

// original is the bucket's policy as it is.
func original(doc *policy.Document) revision {
	r := revision{doc: doc}
	if doc != nil {
		for i := range doc.Len() {
			r.origin = append(r.origin, i)
		}
	}
	return r
}

// edited are the indexes in the bucket's policy of statements.
func (r revision) edited(indexes ...int) []int {
	var out []int
	for _, i := range indexes {
		if at := r.origin[i]; at != atEnd {
			out = append(out, at)
		}
	}
	return out
}

// candidate is a policy with its proof, the judgement on the bucket with it.
type candidate struct {
	revision
	report delivery.Report
	// granted is the judgement as it would be without the Denies that block: it
	// says what the Allows come to. It is the report where none does.
	granted delivery.Report
}

// now is the bucket as it is, which the caller has judged.
func (p *planner) now(report delivery.Report) candidate {
	c := candidate{revision: original(p.bucket.Policy), report: report, granted: report}
	if len(p.blocking) > 0 {
		c.granted = p.judge(p.unblocked(c.revision))
	}
	return c
}

// prove judges the bucket with a policy.
func (p *planner) prove(r revision) candidate {
	c := candidate{revision: r, report: p.judge(r.doc)}
	c.granted = c.report
	if len(p.blocking) > 0 {
		c.granted = p.judge(p.unblocked(r))
	}
	return c
}

func (p *planner) judge(doc *policy.Document) delivery.Report {
	b := p.bucket
	b.State, b.Policy = delivery.PolicyRead, doc
	return delivery.JudgeWithin(p.options.Budget, b, p.known, p.environment)
}

// blockingDenies are the indexes of the Denies that stand in the way of a
// requirement that is denied by some for certain.
func blockingDenies(r delivery.Report) []int {
	var out []int
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if rr.Decision == policy.ExplicitDeny {
				out = append(out, rr.Denying...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unblocked returns the policy without the Denies that block.
func (p *planner) unblocked(r revision) *policy.Document {
	without := map[int][]byte{}
	for i, origin := range r.origin {
		if slices.Contains(p.blocking, origin) {
			without[i] = nil
		}
	}
	doc, err := r.doc.With(without)
	if err != nil {
		return r.doc // it cannot be edited: nothing can be planned for it either
	}
	return doc
}

// better reports whether some requirement is nearer to allowed after than
// before, and none further away.
func better(before, after candidate) bool {
	return !worse(before, after) && slices.ContainsFunc(before.granted.Trails, func(tr delivery.TrailReport) bool {
		return slices.ContainsFunc(tr.Requirements, func(rr delivery.RequirementReport) bool {
			return nearness(requirementOf(after.granted, tr.ARN, rr.ID)) > nearness(rr)
		})
	})
}

// worse reports whether some requirement is further from allowed after than
// before, with the Denies that block or without.
func worse(before, after candidate) bool {
	return further(before.report, after.report) || further(before.granted, after.granted)
}

func further(before, after delivery.Report) bool {
	return slices.ContainsFunc(before.Trails, func(tr delivery.TrailReport) bool {
		return slices.ContainsFunc(tr.Requirements, func(rr delivery.RequirementReport) bool {
			return nearness(requirementOf(after, tr.ARN, rr.ID)) < nearness(rr)
		})
	})
}

// helped reports whether some requirement of the need is nearer to allowed
// after than before.
func (n need) helped(before, after candidate) bool {
	return slices.ContainsFunc(n.unmet, func(id trail.RequirementID) bool {
		return nearness(requirementOf(after.granted, n.trail.ARN, id)) > nearness(requirementOf(before.granted, n.trail.ARN, id))
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

// nearness grows as a requirement comes nearer to allowed, now and later. Of one
// that the budget has left open nothing is known, so that no change is known to
// help it, or to leave it as it was.
func nearness(rr delivery.RequirementReport) int {
	switch {
	case rr.Cut:
		return 0
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
