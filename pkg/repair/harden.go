package repair

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// harden binds the grants that anybody's trail can use, and gives those to
// CloudTrail's accounts of old policies to its service principal. What serves
// others as well is split: CloudTrail gets a statement of its own. A statement
// stays as it is where it is not certain whom it serves, or not proved that
// delivery stays as it was.
func (p *planner) harden(now candidate) (candidate, []Refusal) {
	weak := p.weaknesses(now)
	best, refused := p.bindTogether(now, weak)
	if best == nil {
		best, refused = p.bindOneByOne(now, weak)
	}
	if i := slices.IndexFunc(best.changes, isHardening); i >= 0 {
		// Told in the order of the statements.
		slices.SortStableFunc(best.changes[i:], func(a, b madeChange) int { return cmp.Compare(a.Edits[0], b.Edits[0]) })
	}
	for _, f := range best.report.Findings {
		switch f.ID {
		case delivery.BacklogDeniedID, delivery.GrantExpiresID, delivery.NewRegionsNotGrantedID:
			refused = append(refused, Refusal{Finding: f.ID, Trail: f.Trail, Reason: f.Remedy})
		}
	}
	return *best, refused
}

// weakness is a statement that hardening is to bind.
type weakness struct {
	origin   int      // its index in the bucket's policy
	findings []string // ids of the findings that name it; none: it is open by its words only
}

func isHardening(c madeChange) bool { return c.Action == "harden" }

// weaknesses are the statements of the policy that are to be bound. Those that
// let CloudTrail read the ACL come last: whom they serve follows from the others.
func (p *planner) weaknesses(c candidate) []weakness {
	var out, last []weakness
	for i, st := range c.doc.All() {
		w := weakness{origin: c.origin[i]}
		for _, f := range c.report.Findings {
			if (f.ID == delivery.SourceARNMissingID || f.ID == delivery.LegacyAccountsID) && slices.Contains(f.Indexes, i) {
				w.findings = append(w.findings, f.ID)
			}
		}
		switch {
		case w.origin == atEnd || len(w.findings) == 0 && !isOpen(grantAt(c.doc, i)) || p.accepted(w.origin):
		case st.CoversAction(trail.ACLStatement.Action()):
			last = append(last, w)
		default:
			out = append(out, w)
		}
	}
	return append(out, last...)
}

// accepted reports whether the statement of the bucket's policy has a weakness that is accepted.
func (p *planner) accepted(index int) bool {
	return slices.ContainsFunc(p.options.Accepted, func(f delivery.Finding) bool { return slices.Contains(f.Indexes, index) })
}

// isOpen reports whether a grant lets CloudTrail alone write for anybody, by its
// words. No finding names it where no trail that is given writes log files
// there, or where a Deny keeps strangers out.
func isOpen(g grant) bool {
	return g.forCloudTrail() && !g.isBound() && g.st.CoversAction(trail.WriteStatement.Action()) && len(foldersOf(g.st)) > 0
}

// bindTogether binds all weaknesses that can be bound, and proves it once. It
// returns nil if that is not proved.
func (p *planner) bindTogether(now candidate, weak []weakness) (*candidate, []Refusal) {
	draft := now.revision
	var refused []Refusal
	for _, w := range weak {
		next, err := p.bind(draft, w)
		if err != nil {
			refused = append(refused, w.refusals(now.doc.Label(slices.Index(now.origin, w.origin)), err)...)
			continue
		}
		draft = next
	}
	return p.provedHardened(now, draft), refused
}

// bindOneByOne binds each weakness by itself, and leaves those as they are for
// which it is not proved.
func (p *planner) bindOneByOne(now candidate, weak []weakness) (*candidate, []Refusal) {
	best := &now
	var refused []Refusal
	for _, w := range weak {
		next, err := p.bind(best.revision, w)
		if err == nil {
			if got := p.provedHardened(*best, next); got != nil {
				best = got
				continue
			}
			err = errors.New("it is not certain that CloudTrail could deliver as before, or that S3 would take the policy, which may have 20 KB")
		}
		refused = append(refused, w.refusals(now.doc.Label(slices.Index(now.origin, w.origin)), err)...)
	}
	return best, refused
}

// provedHardened returns the draft with its proof, or nil if it is not proved
// that delivery stays as it was.
func (p *planner) provedHardened(now candidate, draft revision) *candidate {
	if len(draft.changes) == len(now.changes) {
		return &now
	}
	draft, ok := fit(withoutTwins(draft))
	if !ok {
		return nil
	}
	got := p.prove(draft)
	if worse(now, got) {
		return nil
	}
	return &got
}

// refusals say why a statement stays as it is.
func (w weakness) refusals(label string, err error) []Refusal {
	var out []Refusal
	for _, id := range w.findings {
		out = append(out, Refusal{Finding: id, Reason: fmt.Sprintf("Statement %s is left as it is: %v.", delivery.Shown(label), err)})
	}
	return out
}

// bind returns the policy with the weak statement bound, and granting to the
// service principal. The error says why it is left as it is, as the end of a
// sentence.
func (p *planner) bind(r revision, w weakness) (revision, error) {
	index := slices.Index(r.origin, w.origin)
	g := grantAt(r.doc, index)
	if err := cmp.Or(unwritable(r.doc), g.bindable()); err != nil {
		return r, err
	}
	b, err := p.binding(r.doc, g)
	if err != nil {
		return r, err
	}
	if err := p.documented.grantsAll(g, b); err != nil {
		return r, err
	}
	own, rest, err := g.split(b, sidsOf(r.doc, nil))
	if err != nil {
		return r, err
	}
	change := Change{Action: "harden", Statement: r.doc.Label(index), Edits: r.edited(index), Serves: w.purposes(b)}
	twin, ok := boundTwin(r, own, index)
	var edits []edit
	switch {
	case ok && rest == nil:
		change.Reason = fmt.Sprintf("%s Bound to %s, it would say no more than statement %s: it is removed.", b.assumed, b.effect, delivery.Shown(r.doc.Label(twin)))
		edits = []edit{{index, nil, change}}
	case ok:
		change.Reason = fmt.Sprintf("%s CloudTrail is taken out of it, since statement %s grants it the same; for everybody else it stays as it is.",
			b.assumed, delivery.Shown(r.doc.Label(twin)))
		edits = []edit{{index, rest, change}}
	case rest == nil:
		change.Reason = fmt.Sprintf("%s It is bound to %s by %s%s.", b.assumed, b.effect, b.key, g.newPrincipal())
		edits = []edit{{index, own, change}}
	default:
		change.Reason = fmt.Sprintf("%s CloudTrail gets a statement of its own, which is bound to %s by %s%s; "+
			"for everybody else it stays as it is.", b.assumed, b.effect, b.key, g.newPrincipal())
		edits = []edit{{index, rest, change}, {index: atEnd, text: own}}
	}
	return apply(r, edits)
}

// purposes are what binding the statement is done for.
func (w weakness) purposes(b binding) []Purpose {
	ids := w.findings
	if len(ids) == 0 {
		ids = []string{delivery.SourceARNMissingID}
	}
	var out []Purpose
	for _, id := range ids {
		for _, t := range b.trails {
			out = append(out, Purpose{Trail: t.ARN, Finding: id})
		}
		if len(b.trails) == 0 {
			out = append(out, Purpose{Finding: id})
		}
	}
	return out
}

// boundTwin returns the statement that is bound and grants all that another
// text would, which is to stand at an index or behind all.
func boundTwin(r revision, text []byte, index int) (twin int, ok bool) {
	one, err := alone(text)
	if err != nil {
		return 0, false
	}
	for i, st := range r.doc.All() {
		// What restoring adds gives way to what is there, see withoutTwins.
		added := slices.ContainsFunc(r.changes, func(c madeChange) bool { return c.Action == "add" && c.at == i })
		if i != index && !added && grantAt(r.doc, i).isBound() && covers(st, one.At(0)) {
			return i, true
		}
	}
	return 0, false
}

// withoutTwins returns the policy without the statements that the plan has added
// and that a hardened one has come to cover.
func withoutTwins(r revision) revision {
	for k, added := range r.changes {
		if added.Action != "add" {
			continue
		}
		for i, other := range r.changes {
			if !isHardening(other) || other.at == gone || !covers(r.doc.At(other.at), r.doc.At(added.at)) {
				continue
			}
			without, err := apply(r, []edit{{index: added.at}})
			if err != nil {
				break
			}
			without.changes[i].Serves = slices.Concat(other.Serves, added.Serves)
			without.changes = slices.Delete(without.changes, k, k+1)
			return withoutTwins(without)
		}
	}
	return r
}
