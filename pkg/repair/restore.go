package repair

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// restore returns the policy with what the trails lack, or the policy as it is
// and sets the obstacle.
func (p *planner) restore() state {
	library, err := newLibrary(p.trails, p.setting)
	if err != nil {
		return p.give(err.Error())
	}
	needs, err := library.needs(p.report)
	if err != nil {
		return p.give(err.Error())
	}
	if len(needs) == 0 {
		return p.current()
	}
	if p.bucket.Policy == nil {
		return p.begin(library)
	}
	if reason := unwritable(p.bucket.Policy); reason != "" {
		return p.give(reason)
	}
	w := &writer{planner: p, library: library, visible: newVisibility(p.bucket.Policy, p.known, p.setting)}
	return w.restore(needs)
}

func (p *planner) give(obstacle string) state {
	p.obstacle = obstacle
	return p.current()
}

// begin returns the documented policy, for a bucket that has none.
func (p *planner) begin(l *library) state {
	var texts [][]byte
	for _, st := range l.shared {
		texts = append(texts, st.Text())
	}
	doc, err := policy.Parse([]byte("{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": []\n}"))
	if err == nil {
		doc, err = doc.With(nil, texts...)
	}
	if err != nil {
		return p.give(err.Error())
	}
	out := state{doc: doc}
	for i := range texts {
		out.changes = append(out.changes, Change{"add", doc.Label(i), "The bucket had no policy; AWS documents this statement for its trails."})
	}
	return p.fit(out)
}

// fit makes the policy as small as its size calls for, and judges it.
func (p *planner) fit(s state) state {
	if len(s.doc.Text()) > MaxPolicySize {
		s.doc = s.doc.Compact()
	}
	if n := len(s.doc.Text()); n > MaxPolicySize {
		return p.give(tooLarge(s.doc, n))
	}
	s.report = p.judge(s.doc)
	return s
}

// writer changes the statements of a policy.
type writer struct {
	*planner
	library *library
	visible visibility
}

// restore tries the least change first: mended statements, then added ones,
// each for the needs that it brings nearer to allowed.
func (w *writer) restore(needs []need) state {
	best := w.current()
	for _, mends := range []bool{true, false} {
		got := w.attempt(needs, mends)
		if better(best.report, got.report) {
			best = got
		}
		mended := slices.ContainsFunc(got.changes, func(c Change) bool { return c.Action == "mend" })
		if !mended || allMet(best.report) {
			break
		}
	}
	if len(best.changes) > 0 {
		w.obstacle = ""
	}
	return best
}

// attempt returns the policy changed for those needs for which it helps.
func (w *writer) attempt(needs []need, mends bool) state {
	for range 2 {
		got, err := w.draft(needs, mends)
		if err == nil {
			got = w.sized(got, needs)
		}
		if err != nil || len(got.changes) == 0 {
			if err != nil {
				w.obstacle = err.Error()
			}
			return w.current()
		}
		helped := slices.DeleteFunc(slices.Clone(needs), func(n need) bool { return !n.helped(w.report, got.report) })
		if len(helped) == len(needs) {
			return got
		}
		needs = helped
	}
	return w.current()
}

// sized returns the policy within the limit: as it is, compacted, or with the
// statements of the trails merged.
func (w *writer) sized(s state, needs []need) state {
	if len(s.doc.Compact().Text()) <= MaxPolicySize {
		return w.fit(s)
	}
	if merged, err := w.merge(needs); err == nil {
		if got := w.fit(merged); len(got.changes) > 0 {
			return got
		}
	}
	return w.fit(s)
}

// draft changes the policy for the needs, without judging it.
func (w *writer) draft(needs []need, mends bool) (state, error) {
	before := w.bucket.Policy
	grants := make([]grant, before.Len())
	for i, st := range before.All() {
		grants[i] = grant{index: i, text: before.StatementText(i), st: st}
	}
	m := &mender{w.library, w.visible}
	var left []need
	for _, n := range needs {
		if i, g, ok := m.best(grants, n); mends && ok {
			grants[i] = g
			continue
		}
		left = append(left, n)
	}
	replaced := map[int][]byte{}
	var changes []Change
	for i, g := range grants {
		if len(g.reasons) > 0 {
			replaced[i] = g.text
			changes = append(changes, Change{g.action, before.Label(i), strings.Join(g.reasons, " ")})
		}
	}
	added, err := w.add(left, sidsOf(before, nil))
	if err != nil {
		return state{}, err
	}
	return w.assemble(replaced, added, changes)
}

// assemble writes the changes into the policy and checks that it holds all
// else as it was.
func (w *writer) assemble(replaced map[int][]byte, added []addition, changes []Change) (state, error) {
	var texts [][]byte
	for _, a := range added {
		texts = append(texts, a.text)
		changes = append(changes, Change{a.action, a.sid, a.reason})
	}
	before := w.bucket.Policy
	doc, err := before.With(replaced, texts...)
	if err != nil {
		return state{}, fmt.Errorf("write the policy: %w", err)
	}
	if err := kept(before, doc, replaced); err != nil {
		return state{}, err
	}
	return state{doc: doc, changes: changes}, nil
}

// kept returns an error unless every statement that was not to be changed is
// there as it was.
func kept(before, after *policy.Document, replaced map[int][]byte) error {
	at := 0
	for i := range before.Len() {
		text, touched := replaced[i]
		if touched && text == nil {
			continue
		}
		if at >= after.Len() || !touched && !bytes.Equal(before.StatementText(i), after.StatementText(at)) {
			return fmt.Errorf("statement %s of the policy cannot be kept as it is", before.Label(i))
		}
		at++
	}
	return nil
}

// rank orders outcomes by how near they are to allowed.
func rank(o policy.Outcome) int {
	switch o {
	case policy.Allowed:
		return 3
	case policy.Undetermined:
		return 2
	case policy.ImplicitDeny:
		return 1
	default:
		return 0
	}
}

// helped reports whether any requirement of the need came nearer to allowed.
func (n need) helped(before, after delivery.Report) bool {
	return slices.ContainsFunc(n.requirements, func(id trail.RequirementID) bool {
		return rank(decision(after, n.trail.ARN, id)) > rank(decision(before, n.trail.ARN, id))
	})
}

func decision(r delivery.Report, arn string, id trail.RequirementID) policy.Outcome {
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if tr.ARN == arn && rr.ID == id {
				return rr.Decision
			}
		}
	}
	return policy.ImplicitDeny
}

// better reports whether a policy brings some requirement nearer to allowed
// and takes none away from it.
func better(before, after delivery.Report) bool {
	gained := false
	for _, tr := range before.Trails {
		for _, rr := range tr.Requirements {
			was, is := rank(rr.Decision), rank(decision(after, tr.ARN, rr.ID))
			if is < was {
				return false
			}
			gained = gained || is > was
		}
	}
	return gained
}

// allMet reports whether every requirement is allowed that no Deny blocks.
func allMet(r delivery.Report) bool {
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if rr.Decision != policy.Allowed && len(rr.Denying) == 0 {
				return false
			}
		}
	}
	return true
}
