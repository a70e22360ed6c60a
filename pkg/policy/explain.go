package policy

import (
	"fmt"
	"strings"
)

// StatementExplanation is how one statement relates to a request, with words.
type StatementExplanation struct {
	Index  int
	Sid    string
	Effect Effect
	Match  Truth
	// Parts are the principal, action, resource and each condition, in order.
	Parts []PartExplanation

	label string
}

// Label is what people call the statement, see [Statement.Label].
func (e StatementExplanation) Label() string { return e.label }

// PartExplanation is the result of one part of a statement.
type PartExplanation struct {
	Element string // "Principal", "NotAction", "Condition StringEquals aws:SourceArn"
	Match   Truth
	// Why is one plain phrase: what was asked, and the key's value or state.
	Why string
}

// Explain says in detail how each statement relates to the request. A
// statement's Match is that of [Document.Decide], which looks at its conditions
// together: it may be No although each of them may hold.
func (d *Document) Explain(r *Request) []StatementExplanation {
	return d.Prepare(r, NewBudget(DecisionSteps)).Explain(r.Resource)
}

// Explain is [Document.Explain] for a resource.
func (p *Prepared) Explain(resource string) []StatementExplanation {
	d, ev, decision := p.document, p.ev, p.Decide(resource)
	out := make([]StatementExplanation, len(d.statements))
	for i := range d.statements {
		s := &d.statements[i]
		m := decision.Matches[i]
		action := s.action.match(ev.action) // as it reads: m.Action is Maybe too where the statement is malformed
		e := StatementExplanation{Index: i, Sid: s.src.Sid, Effect: s.src.Effect, Match: m.Truth(), label: s.src.label}
		add := func(element string, t Truth, why string) {
			e.Parts = append(e.Parts, PartExplanation{element, t, why})
		}
		add(elementName("Principal", s.principal.not), m.Principal, ev.whyPrincipal(&s.principal, m.Principal))
		add(elementName("Action", s.action.not), action, whyElement(ev.request.Action, s.src.Actions, s.action.malformed, action))
		add(elementName("Resource", s.resource.not), m.Resource, whyElement(resource, s.src.Resources, s.resource.malformed, m.Resource))
		for j := range s.conditions {
			e.Parts = append(e.Parts, ev.explainCondition(s, j))
		}
		if s.emptyOperator {
			add("Condition", Maybe, "an operator that is none stands there without a key, so it may be true or false")
		}
		if s.malformedCondition {
			add("Condition", Maybe, "the Condition element cannot be read for certain")
		}
		if s.malformed {
			add("Statement", Maybe, "the statement cannot be read for certain")
		}
		out[i] = e
	}
	return out
}

func elementName(name string, not bool) string {
	if not {
		return "Not" + name
	}
	return name
}

func (ev *evaluator) whyPrincipal(p *principalMatcher, t Truth) string {
	if p.malformed && t == Maybe {
		return "the element cannot be read for certain"
	}
	texts := make([]string, len(p.entries))
	for i, entry := range p.entries {
		texts[i] = entry.Value
	}
	return covers(callerName(ev.request.Caller.Principal), texts, p.not, t)
}

func callerName(p Principal) string {
	if p.Type == Anyone {
		return "an anonymous caller"
	}
	return p.Value
}

func whyElement(asked string, p PatternList, malformed bool, t Truth) string {
	if malformed && t == Maybe {
		return "the element cannot be read for certain"
	}
	return covers(asked, p.List, p.Not, t)
}

// covers is the phrase for whether what is asked is among the entries.
func covers(asked string, entries []string, not bool, t Truth) string {
	among := listed(entries)
	if not {
		t = t.not()
	}
	switch {
	case len(entries) == 0:
		return "it lists nothing, so " + asked + " is not covered"
	case t == Maybe:
		return asked + " is perhaps covered by " + among
	case t == No && not:
		return asked + " is not among the exceptions: " + among
	case t == No:
		return asked + " is not covered by " + among
	case not:
		return asked + " is among the exceptions: " + among
	}
	return asked + " is covered by " + among
}

// maxListed is how many values of a list a phrase gives.
const maxListed = 4

func listed(values []string) string {
	if len(values) > maxListed {
		return strings.Join(values[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(values)-maxListed)
	}
	return strings.Join(values, ", ")
}

func (ev *evaluator) explainCondition(s *compiledStatement, i int) PartExplanation {
	c := &s.conditions[i]
	t, _ := ev.condition(c)
	src := s.src.Conditions[i]
	out := PartExplanation{Element: "Condition " + src.Operator + " " + src.Key, Match: t}
	result := t.verb()
	switch {
	case c.operator.kind == unknownOperator:
		out.Why = src.Operator + " is no condition operator, so it may be true or false"
	case c.malformed:
		out.Why = "the values cannot be read, so " + src.Operator + " may be true or false"
	case c.operator.kind == nullOperator:
		out.Why = whyNull(src, ev.value(c.key), t)
	default:
		out.Why = fmt.Sprintf("%s %s, so %s %s", src.Key, knownOf(ev.value(c.key)), src.Operator, result)
		if ev.value(c.key).State != Absent {
			out.Why += " for " + quotedList(src.Values)
		}
	}
	return out
}

// whyNull says whether the key's presence is as the condition asks. Null "true"
// asks for a key that is absent, Null "false" for one that is there.
func whyNull(src Condition, v Value, t Truth) string {
	state := "may be absent or there"
	switch v.State {
	case Absent:
		state = "is absent"
	case Present:
		state = "is there"
	case Either:
	}
	asked := "as " + src.Operator + " " + quotedList(src.Values) + " asks"
	switch t {
	case Yes:
		return fmt.Sprintf("%s %s, %s", src.Key, state, asked)
	case No:
		return fmt.Sprintf("%s %s, not %s", src.Key, state, asked)
	case Maybe:
	}
	return fmt.Sprintf("%s %s, which decides whether it is %s", src.Key, state, asked)
}

func quotedList(values []string) string {
	if len(values) == 0 {
		return "an empty list"
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = `"` + v + `"`
	}
	return listed(quoted)
}

// knownOf is the phrase for what is known of a key.
func knownOf(v Value) string {
	switch {
	case v.State == Absent:
		return "is absent"
	case v.Known && len(v.Values) == 0:
		return "is an empty set"
	case v.Known && v.State == Either:
		return "is absent or " + quotedList(v.Values)
	case v.Known:
		return "is " + quotedList(v.Values)
	case v.State == Either && len(v.OneOf) > 0:
		return "may be absent or " + quotedList(v.OneOf)
	case v.State == Either && v.AWSOwned:
		return "may be absent or a value of AWS's own"
	case v.State == Either:
		return "may be absent or have any value"
	case len(v.OneOf) > 0:
		return "is one of " + quotedList(v.OneOf)
	case len(v.Includes) > 0:
		return "holds " + quotedList(v.Includes) + " and perhaps others"
	case v.AWSOwned:
		return "is present with a value of AWS's own"
	}
	return "is present with a value that is not known"
}
