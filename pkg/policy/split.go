package policy

import (
	"cmp"
	"slices"
)

// These bound the cases that are told apart.
const (
	maxAssignments = 4096 // combinations of values of all keys
	maxChoices     = 256  // values of one key
	maxSetClasses  = 4    // classes of which the subsets are tried
)

// choice is a key and the values that stand for all that it may have.
type choice struct {
	key    string
	values []Value
}

// split decides an undetermined request for every combination of values of the
// keys that are not known, and puts the results together. A key that cannot be
// split stays unknown: the answer is then right all the same, though perhaps
// undetermined where a closer look would tell more.
func (d *Document) split(ev *evaluator, out *Decision, whole verdict, used notes) (verdict, notes) {
	unsure := d.unsure(out.Matches)
	choices, bounded := d.choices(ev, unsure)
	if len(choices) == 0 {
		out.Bounded = bounded
		return whole, used
	}
	trial := slices.Clone(out.Matches)
	merged := merger{document: d, unsure: unsure}
	ev.assigned = make([]assignment, len(choices))
	for turn := make([]int, len(choices)); ; {
		for i, c := range choices {
			ev.assigned[i] = assignment{c.key, c.values[turn[i]]}
		}
		for _, i := range unsure {
			s := &d.statements[i]
			t, n := ev.conditions(s)
			trial[i].Condition = t
			used |= n
		}
		merged.add(trial)
		if !advance(turn, choices) {
			break
		}
	}
	ev.assigned = nil
	for k, i := range unsure {
		out.Matches[i].Condition = merged.conditions[k]
	}
	if merged.verdict.outcome == Undetermined {
		out.Bounded = bounded
	} else {
		out.Responsible = merged.responsible
	}
	return merged.verdict, used
}

// advance counts turn up by one, each place by its number of choices.
func advance(turn []int, choices []choice) bool {
	for i := range turn {
		if turn[i]++; turn[i] < len(choices[i].values) {
			return true
		}
		turn[i] = 0
	}
	return false
}

// merger puts the results of the cases together.
type merger struct {
	document    *Document
	unsure      []int
	started     bool
	verdict     verdict
	conditions  []Truth // of the unsure statements
	responsible []int
}

func (m *merger) add(matches []Match) {
	v := m.document.verdict(matches)
	if !m.started {
		m.started, m.verdict = true, v
		for _, i := range m.unsure {
			m.conditions = append(m.conditions, matches[i].Condition)
		}
	}
	if m.verdict.outcome != v.outcome {
		m.verdict.outcome = Undetermined
	}
	m.verdict.denied = m.verdict.denied && v.denied
	for k, i := range m.unsure {
		m.conditions[k] = join(m.conditions[k], matches[i].Condition)
	}
	if m.verdict.outcome == Undetermined {
		return
	}
	for _, i := range m.document.responsible(v.outcome, matches) {
		if at, found := slices.BinarySearch(m.responsible, i); !found {
			m.responsible = slices.Insert(m.responsible, at, i)
		}
	}
}

// unsure lists the statements that may match. What the others do is settled,
// whatever the unknown keys hold.
func (d *Document) unsure(matches []Match) []int {
	var out []int
	for i := range matches {
		if matches[i].Truth() == Maybe {
			out = append(out, i)
		}
	}
	return out
}

// choices returns the keys to split on with their values. bounded says that
// one was left out because of the number of cases.
func (d *Document) choices(ev *evaluator, unsure []int) (out []choice, bounded bool) {
	tests := map[string][]*condition{}
	var keys []string
	fixed := map[string]bool{} // used as a variable
	for _, i := range unsure {
		s := &d.statements[i]
		fix := func(key, _ string) { fixed[key] = true }
		for j := range s.resource.list {
			s.resource.list[j].variables(fix)
		}
		for j := range s.conditions {
			c := &s.conditions[j]
			for k := range c.operands {
				c.operands[k].pattern.variables(fix)
			}
			if !open(ev.value(c.key)) {
				continue
			}
			if tests[c.key] == nil {
				keys = append(keys, c.key)
			}
			tests[c.key] = append(tests[c.key], c)
		}
	}
	for _, key := range keys {
		if fixed[key] {
			continue
		}
		values, tooMany := ev.representatives(key, tests[key])
		bounded = bounded || tooMany
		if len(values) > 0 {
			out = append(out, choice{key, values})
		}
	}
	slices.SortStableFunc(out, func(a, b choice) int { return cmp.Compare(len(a.values), len(b.values)) })
	product := 1
	for i := range out {
		if product *= len(out[i].values); product > maxAssignments {
			return out[:i], true
		}
	}
	return out, bounded
}
