package policy

import (
	"slices"
	"strings"
)

// Decide answers a request. Every statement is evaluated; there is no short
// circuit, since all reasons are wanted.
//
// Where the answer hangs on keys that are not known, their possible values are
// tried: absence, and one value of each class that the policy tells apart.
func (d *Document) Decide(r *Request) Decision {
	ev := newEvaluator(r)
	out := Decision{Matches: make([]Match, len(d.statements))}
	used := notes(0)
	for i := range d.statements {
		m, n := ev.match(&d.statements[i])
		out.Matches[i] = m
		used |= n
	}
	v := d.verdict(out.Matches)
	switch {
	case v.outcome == Undetermined:
		v, used = d.split(ev, &out, v, used)
	case used != 0:
		used = d.relevant(ev, v.outcome)
	}
	out.Outcome, out.DeniedEitherWay = v.outcome, v.denied
	if d.doubt {
		out.Outcome, out.DeniedEitherWay, out.Responsible = Undetermined, false, nil
	}
	if len(out.Responsible) == 0 {
		out.Responsible = d.responsible(out.Outcome, out.Matches)
	}
	if out.Outcome == Undetermined {
		out.DependsOn = d.hinges(ev, out.Matches)
	}
	if used != 0 {
		out.Assumptions = used.list()
	}
	return out
}

// relevant returns the assumptions without which the outcome might be another.
// Where one of the deciding statements rests on none, the others do not count.
func (d *Document) relevant(ev *evaluator, o Outcome) notes {
	var out, deciding notes
	free := false
	for i := range d.statements {
		s := &d.statements[i]
		m, n := ev.match(s)
		decides := o == ExplicitDeny && s.effect == denyEffect || o == Allowed && s.effect == allowEffect
		switch {
		case decides && m.Truth() == Yes:
			free = free || n == 0
			deciding |= n
		case o == ImplicitDeny, o == Allowed && s.effect != allowEffect:
			out |= n
		}
	}
	if free {
		return out
	}
	return out | deciding
}

// verdict is an outcome, and of an undetermined one whether it is a denial
// all the same.
type verdict struct {
	outcome Outcome
	denied  bool
}

// verdict applies the order of "Policy evaluation logic": a Deny goes before
// an Allow, and without an Allow the request is denied.
func (d *Document) verdict(matches []Match) verdict {
	deny, allow := No, No
	for i := range d.statements {
		t := matches[i].Truth()
		switch d.statements[i].effect {
		case denyEffect:
			deny = max(deny, t)
		case allowEffect:
			allow = max(allow, t)
		case unknownEffect:
			deny, allow = max(deny, min(t, Maybe)), max(allow, min(t, Maybe))
		}
	}
	switch {
	case deny == Yes:
		return verdict{outcome: ExplicitDeny, denied: true}
	case deny == Maybe:
		return verdict{outcome: Undetermined, denied: allow == No}
	case allow == Yes:
		return verdict{outcome: Allowed}
	case allow == Maybe:
		return verdict{outcome: Undetermined}
	}
	return verdict{outcome: ImplicitDeny, denied: true}
}

// responsible lists the statements that decide.
func (d *Document) responsible(o Outcome, matches []Match) []int {
	var out []int
	for i := range d.statements {
		t, e := matches[i].Truth(), d.statements[i].effect
		decides := false
		switch o {
		case Allowed:
			decides = t == Yes && e == allowEffect
		case ExplicitDeny:
			decides = t == Yes && e == denyEffect
		case Undetermined:
			decides = t == Maybe || t == Yes
		case ImplicitDeny, Invalid:
		}
		if decides {
			out = append(out, i)
		}
	}
	return out
}

// hinges lists the keys of which too little is known for the statements that
// may match.
func (d *Document) hinges(ev *evaluator, matches []Match) []string {
	var out []string
	add := func(name string) {
		if !slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, name) }) {
			out = append(out, name)
		}
	}
	for i := range d.statements {
		if matches[i].Truth() != Maybe {
			continue
		}
		s := &d.statements[i]
		ev.openVariables(s.resource.list, add)
		for j := range s.conditions {
			c := &s.conditions[j]
			if t, _ := ev.condition(c, s.effect); t != Maybe {
				continue
			}
			if open(ev.value(c.key)) {
				add(c.text.Key)
			}
			for k := range c.operands {
				ev.openVariables([]pattern{c.operands[k].pattern}, add)
			}
		}
	}
	slices.Sort(out)
	return out
}

// openVariables calls f for each variable of the patterns whose value is not
// known.
func (ev *evaluator) openVariables(list []pattern, f func(name string)) {
	for i := range list {
		list[i].variables(func(key, name string) {
			if open(ev.value(key)) {
				f(name)
			}
		})
	}
}

// open reports whether anything about the key is not known.
func open(v Value) bool {
	return v.State == Either || v.State == Present && !v.Known
}
