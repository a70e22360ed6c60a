package policy

import "slices"

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
	return d.prepare(r, &Budget{left: DecisionSteps, whole: true}).decideOne(r.Resource)
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

// dependsOn lists the keys of which too little is known for the statements that
// may match: those of the conditions that may hold, and the variables in the
// resources and in the values of those conditions.
func (p *Prepared) dependsOn(matches []Match) []string {
	d, ev := p.document, p.ev
	var out []string
	seen := map[string]bool{}
	add := func(key, name string) {
		if !seen[key] && ev.value(key).unknown() {
			seen[key] = true
			out = append(out, name)
		}
	}
	variables := func(x *pattern) { x.variables(add) }
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
			add(c.key, s.src.Conditions[j].Key)
			for k := range c.operands {
				variables(&c.operands[k].pattern)
			}
		}
	}
	slices.Sort(out)
	return out
}
