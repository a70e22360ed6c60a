package repair

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// restore returns the policy with what the trails lack, with hardening also of
// what they will need. Where nothing helps it
// returns the policy as it is, with an error where something stood in the way.
func (p *planner) restore(now candidate, harden bool) (candidate, error) {
	needs := p.needs(now, harden)
	if len(needs) == 0 {
		return now, nil
	}
	if now.doc == nil {
		return p.begin(now)
	}
	if err := unwritable(now.doc); err != nil {
		return now, err
	}
	// The least change first. Statements are patched before any is added, and
	// only where that leaves something unmet is it tried without patches.
	best, obstacle := now, error(nil)
	for _, patches := range []bool{true, false} {
		var got candidate
		got, obstacle = p.attempt(now, needs, patches)
		if better(best, got) {
			best = got
		}
		patched := slices.ContainsFunc(got.changes, func(c madeChange) bool { return c.Action == "mend" })
		if !patched || nothingLacks(best.granted) {
			break
		}
	}
	if len(best.changes) > 0 {
		return best, nil
	}
	return best, obstacle
}

// begin returns the documented policy, for a bucket that has none.
func (p *planner) begin(now candidate) (candidate, error) {
	const frame = "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [%s]\n}"
	var texts [][]byte
	var changes []madeChange
	for i, st := range p.documented.shared {
		texts = append(texts, st.Text())
		changes = append(changes, madeChange{Change{
			Action: "add", Statement: st.Sid, Serves: p.unmet(now, st.Kind),
			Reason: "The bucket had no policy; AWS documents this statement for its trails.",
		}, i})
	}
	doc, err := policy.Parse(fmt.Appendf(nil, frame, bytes.Join(texts, []byte(","))))
	if err != nil {
		return now, err
	}
	first, ok := fit(revision{doc: doc, origin: slices.Repeat([]int{atEnd}, doc.Len()), changes: changes})
	if !ok {
		return now, tooLarge(first.doc)
	}
	return p.prove(first), nil
}

// unmet are the requirements that are not met and fall under the documented
// statements of a kind.
func (p *planner) unmet(c candidate, k trail.StatementKind) []Purpose {
	var out []Purpose
	for _, n := range p.needs(c, false) {
		if n.statement.Kind == k {
			out = append(out, n.purposes()...)
		}
	}
	return out
}

// errTooComplex says that the budget has cut the proof of a change.
var errTooComplex = errors.New("it is too complex to prove that a change of it would help")

// attempt returns the policy drafted for the needs and proved, or the policy as
// it is. Needs that the draft does not help are left out of the second draft,
// so that nothing is changed in vain: what is granted for them a Deny may block.
func (p *planner) attempt(now candidate, needs []need, patches bool) (candidate, error) {
	for range 2 {
		if p.options.Budget.Exhausted() {
			return now, errTooComplex
		}
		draft, err := p.draft(now.revision, needs, patches)
		if err != nil {
			return now, err
		}
		got := p.prove(draft)
		var helped []need
		for _, n := range needs {
			if n.helped(now, got) {
				helped = append(helped, n)
			}
		}
		switch len(helped) {
		case len(needs):
			return got, nil
		case 0:
			if got.report.TooComplex() {
				return now, errTooComplex
			}
			return now, nil
		}
		needs = helped
	}
	return now, nil
}

// draft edits the policy for the needs: a need is met by a patch of a statement
// if there is one and patches are allowed, and else by a documented statement.
// If the policy gets too large, statements of the trails are merged instead.
func (p *planner) draft(before revision, needs []need, patches bool) (revision, error) {
	m := patcher{documented: p.documented, visible: newVisibility(before.doc, p.known, p.environment), budget: p.options.Budget}
	edits, unmet := []edit(nil), needs
	if patches {
		edits, unmet = m.patch(before, needs)
	}
	added, err := p.documented.add(before.doc, unmet)
	if err != nil {
		return revision{}, err
	}
	after, err := apply(before, append(edits, added...))
	if err != nil {
		return revision{}, err
	}
	after, ok := fit(after)
	if ok {
		return after, nil
	}
	if edits, err := m.merge(before, needs); err == nil {
		if merged, err := apply(before, edits); err == nil {
			if merged, ok := fit(merged); ok {
				return merged, nil
			}
		}
	}
	return revision{}, tooLarge(after.doc)
}
