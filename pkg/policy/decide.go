package policy

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Outcome is the answer to a request.
type Outcome string

// The answers. Undetermined is an answer: what the policy decides depends on
// something that is not known of the request.
const (
	Allowed      Outcome = "allowed"
	ExplicitDeny Outcome = "explicit_deny"
	ImplicitDeny Outcome = "implicit_deny"
	Undetermined Outcome = "undetermined"
	// Invalid is a document that S3 would not accept. Decide never gives it;
	// see Document.Faults.
	Invalid Outcome = "invalid"
)

// Decision is the answer to one request and the grounds for it.
type Decision struct {
	Outcome Outcome
	// Responsible are the indexes of the statements that decide: the matching
	// Denies of an explicit deny, the matching Allows of an allow, and for
	// an undetermined answer the statements that may match and the Allows
	// that do. Empty for an implicit deny.
	Responsible []int
	// Matches holds how each statement relates to the request, in the
	// document's order.
	Matches []Match
	// DeniedEitherWay is set on an undetermined answer that is a denial
	// whatever the unknown turns out to be: explicit or implicit.
	DeniedEitherWay bool
	// DependsOn are the context keys, as the policy spells them, whose unknown
	// values leave the answer open. Sorted.
	DependsOn []string
	// Assumptions are the open points of IAM that the answer rests on.
	Assumptions []Assumption
	// Bounded is set where telling apart all values of the unknown keys would
	// have taken too many cases, so that the answer is not exact.
	Bounded bool
}

// Match is how one statement relates to a request, part by part.
type Match struct {
	Index                                  int
	Principal, Action, Resource, Condition Truth
}

// Truth is whether the statement applies to the request.
func (m Match) Truth() Truth {
	return min(m.Principal, m.Action, m.Resource, m.Condition)
}

// Decide answers a request. Every statement is evaluated; there is no short
// circuit, since all reasons are wanted.
//
// Where the answer depends on keys that are not known, it is decided by cases:
// their absence, and one value of each class that the policy tells apart.
func (d *Document) Decide(r *Request) Decision {
	ev := newEvaluator(r)
	out := Decision{Matches: make([]Match, len(d.statements))}
	var assumed assumptionSet
	for i := range d.statements {
		m, a := ev.match(&d.statements[i])
		out.Matches[i] = m
		assumed |= a
	}
	v := d.verdict(out.Matches)
	switch {
	case v.outcome == Undetermined:
		v, assumed = d.splitCases(ev, &out, v, assumed)
	case assumed != 0:
		assumed = d.relevant(ev, v.outcome)
	}
	out.Outcome, out.DeniedEitherWay = v.outcome, v.denied
	if d.malformed {
		out.Outcome, out.DeniedEitherWay, out.Responsible = Undetermined, false, nil
	}
	if len(out.Responsible) == 0 {
		out.Responsible = d.responsible(out.Outcome, out.Matches)
	}
	if out.Outcome == Undetermined {
		out.DependsOn = d.dependsOn(ev, out.Matches)
	}
	if assumed != 0 {
		out.Assumptions = assumed.list()
	}
	return out
}

// verdict is an outcome, and of an undetermined one whether it is a denial
// all the same.
type verdict struct {
	outcome Outcome
	denied  bool
}

// verdict applies the order of "Policy evaluation logic": a Deny goes before
// an Allow, and without an Allow the request is denied. A statement whose
// effect is neither may do either.
func (d *Document) verdict(matches []Match) verdict {
	deny, allow := No, No
	for i := range d.statements {
		t := matches[i].Truth()
		switch d.statements[i].effect {
		case Deny:
			deny = max(deny, t)
		case Allow:
			allow = max(allow, t)
		default:
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
			decides = t == Yes && e == Allow
		case ExplicitDeny:
			decides = t == Yes && e == Deny
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

// relevant returns the assumptions without which the outcome might be another.
// Where one of the deciding statements rests on none, the others do not count.
func (d *Document) relevant(ev *evaluator, o Outcome) assumptionSet {
	var out, deciding assumptionSet
	free := false
	for i := range d.statements {
		s := &d.statements[i]
		m, a := ev.match(s)
		decides := o == ExplicitDeny && s.effect == Deny || o == Allowed && s.effect == Allow
		switch {
		case decides && m.Truth() == Yes:
			free = free || a == 0
			deciding |= a
		case o == ImplicitDeny, o == Allowed && s.effect != Allow:
			out |= a
		}
	}
	if free {
		return out
	}
	return out | deciding
}

// dependsOn lists the keys of which too little is known for the statements that
// may match: those of the conditions that may hold, and the variables in the
// resources and in the values of those conditions.
func (d *Document) dependsOn(ev *evaluator, matches []Match) []string {
	var out []string
	add := func(name string) {
		if !slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, name) }) {
			out = append(out, name)
		}
	}
	variables := func(p *pattern) {
		p.variables(func(key, name string) {
			if ev.value(key).unknown() {
				add(name)
			}
		})
	}
	for i := range d.statements {
		if matches[i].Truth() != Maybe {
			continue
		}
		s := &d.statements[i]
		for j := range s.resource.patterns {
			variables(&s.resource.patterns[j])
		}
		for j := range s.conditions {
			c := &s.conditions[j]
			if t, _ := ev.condition(c); t != Maybe {
				continue
			}
			if ev.value(c.key).unknown() {
				add(s.src.Conditions[j].Key)
			}
			for k := range c.operands {
				variables(&c.operands[k].pattern)
			}
		}
	}
	slices.Sort(out)
	return out
}

// evaluator answers one request.
type evaluator struct {
	request  *Request
	action   glob.Text // lower case
	resource glob.Text
	// assigned are the values that the unknown keys have in the case at hand,
	// see splitCases.
	assigned []assignment
	lookup   func(key string) Value // value, as patterns take it
}

func newEvaluator(r *Request) *evaluator {
	ev := &evaluator{request: r, action: glob.Text(glob.LowerASCII(r.Action)), resource: glob.TextOf(r.Resource)}
	ev.lookup = ev.value
	return ev
}

// value is what is known of a key, by its lower-case name.
func (ev *evaluator) value(key string) Value {
	for i := range ev.assigned {
		if ev.assigned[i].key == key {
			return ev.assigned[i].value
		}
	}
	v := ev.request.Context.Lookup(key)
	if !v.Known && v.State != Absent && multivalued(key) {
		v.Multi = true
	}
	return v
}

// Witnesses returns strings of the key set, one for each way in which the
// Resource and NotResource patterns of the document tell its strings apart.
// Deciding the request on each of them decides it on every string of the set.
// The request's own Resource is not used; its context resolves policy
// variables. Statements that do not name the request's caller or action are
// left out. If there is more than can be looked at, complete is false and the
// witnesses cover only a part of the set. Equal inputs give equal witnesses in
// equal order.
func (d *Document) Witnesses(keys glob.KeySet, r *Request) (witnesses []glob.Witness, complete bool) {
	ev := newEvaluator(r)
	var patterns []glob.Pattern
	known := map[string]bool{}
	for i := range d.statements {
		s := &d.statements[i]
		if p, _ := s.principal.match(&r.Caller, s.effect); p == No || s.action.match(ev.action) == No {
			continue
		}
		for j := range s.resource.patterns {
			e := s.resource.patterns[j].expand(ev.lookup)
			if e.matchesNothing {
				continue
			}
			if key := e.Key(); !known[key] {
				known[key] = true
				patterns = append(patterns, e.Pattern)
			}
		}
	}
	classes, complete := glob.Classes(patterns, glob.DefaultLimits(), keys)
	for _, c := range classes {
		witnesses = append(witnesses, c.Witness)
	}
	return witnesses, complete
}
