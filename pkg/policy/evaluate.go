package policy

import "github.com/trailwarden/trailwarden/pkg/glob"

// evaluator answers one request.
type evaluator struct {
	request  *Request
	action   glob.Text // lower case
	resource glob.Text
	// assigned are values tried for keys whose value is not known.
	assigned []assignment
	lookup   func(key string) Value
}

// assignment is a value tried for a key.
type assignment struct {
	key   string
	value Value
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

// match evaluates a statement, and names the assumptions that its result
// rests on.
func (ev *evaluator) match(s *compiled) (Match, notes) {
	m := Match{Index: s.Index}
	var used [4]notes
	m.Principal, used[0] = ev.principal(s)
	m.Action = ev.actionOf(s)
	m.Resource, used[2] = ev.resourceOf(s)
	m.Condition, used[3] = ev.conditions(s)
	if s.doubt {
		m.Action = min(m.Action, Maybe)
	}
	no, last := 0, 0
	for i, t := range [4]Truth{m.Principal, m.Action, m.Resource, m.Condition} {
		if t == No {
			no++
			last = i
		}
	}
	switch no {
	case 0:
		return m, used[0] | used[2] | used[3]
	case 1:
		return m, used[last]
	}
	return m, 0
}

func (ev *evaluator) actionOf(s *compiled) Truth {
	result := No
	for i := range s.action.list {
		if s.action.list[i].compiled.Match(ev.action) {
			result = Yes
			break
		}
	}
	return s.Actions.truth(result, s.action.doubt)
}

// truth is the result of an element, from that of its entries.
func (p Patterns) truth(entries Truth, doubt bool) Truth {
	switch {
	case doubt && entries == No:
		return Maybe
	case doubt && p.Not:
		return Maybe
	case p.Not:
		return entries.not()
	}
	return entries
}

func (ev *evaluator) resourceOf(s *compiled) (Truth, notes) {
	result, used := No, notes(0)
	for i := range s.resource.list {
		t, n := ev.resourceMatch(&s.resource.list[i])
		result = max(result, t)
		if s.Resources.Not || n != noteNotResourceVariable {
			used |= n
		}
	}
	return s.Resources.truth(result, s.resource.doubt), used
}

// resourceMatch compares the request's resource with an entry. An entry whose
// variable has no value matches nothing, see "IAM policy elements: Variables
// and tags".
func (ev *evaluator) resourceMatch(p *pattern) (Truth, notes) {
	if p.pieces == nil && !p.compiled.notARN {
		return truthOf(p.compiled.Match(ev.resource)), 0
	}
	e := p.expand(ev.lookup)
	if e.empty {
		return No, noteNotResourceVariable
	}
	switch {
	case !e.Match(ev.resource):
		return No, 0
	case e.notARN:
		return Maybe, noteShortResource
	case e.guess:
		return Maybe, 0
	}
	return Yes, 0
}

// conditions is the conjunction of a statement's conditions.
func (ev *evaluator) conditions(s *compiled) (Truth, notes) {
	result, used, sure := Yes, notes(0), false
	var noUsed notes
	for i := range s.conditions {
		t, n := ev.condition(&s.conditions[i], s.effect)
		result = min(result, t)
		switch {
		case t != No:
			used |= n
		case n == 0:
			sure = true
		default:
			noUsed |= n
		}
	}
	switch {
	case s.conditionDoubt:
		return Maybe, 0
	case sure:
		return No, 0
	case result == No:
		return No, noUsed
	}
	return result, used
}
