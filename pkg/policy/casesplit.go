package policy

import (
	"cmp"
	"iter"
	"slices"
)

// These bound the case split. Each case evaluates the conditions of the open
// statements anew, so 4,096 cases of a policy as large as S3 takes are about a
// tenth of a second.
const (
	maxCases      = 4096 // combinations of values of all keys
	maxValues     = 256  // values of one key
	maxSetClasses = 4    // classes whose subsets are the values of a key with several values
)

// assignment is the value that a key has in a case.
type assignment struct {
	key   string
	value Value
}

// splitKey is an unknown key, and values that stand for all that it may hold.
type splitKey struct {
	name   string
	values []Value
}

// splitCases decides an undetermined request case by case, and puts the results
// together. A case is one value for each unknown key.
//
// What three-valued logic calls undetermined may be certain all the same.
// "Allow if X = a" and "Allow if X ≠ a" are Maybe each, but one of them holds:
//
//	X           Allow if X = a   Allow if X ≠ a   together
//	not known   maybe            maybe            undetermined
//	  absent    no               yes              allowed      ┐
//	  "a"       yes              no               allowed      ├ in each case: allowed
//	  "b"       no               yes              allowed      ┘
//
// The answer is certain if it is the same in each case. For that the cases must
// leave nothing out:
//
//   - Whatever a key may hold is alike to one of its values, for every condition
//     that is evaluated (see equivalence classes, in classes.go). So each request
//     that there may be is decided as one of the cases is. The other way round
//     there may be cases that no request has, where two keys depend on one
//     another. They can make an answer undetermined, but never wrong.
//   - A key that cannot be split stays unknown in each case, and its conditions
//     Maybe. The same is true of one that is too much for the bounds. Then the
//     answer is right, though perhaps undetermined where a closer look would
//     tell more.
//   - Only open statements are evaluated anew. The others match or do not match
//     whatever the unknown keys hold, and stay as they are. Of the open ones,
//     only the conditions can change: a key that stands in a Resource as a
//     variable is not split.
func (d *Document) splitCases(ev *evaluator, out *Decision, whole verdict, assumed assumptionSet) (verdict, assumptionSet) {
	open := d.openStatements(out.Matches)
	keys, bounded := d.splitKeys(ev, open)
	if len(keys) == 0 {
		out.Bounded = bounded
		return whole, assumed
	}
	matches := slices.Clone(out.Matches)
	all := allCases{document: d, open: open}
	for assigned := range cases(keys) {
		ev.assigned = assigned
		for _, i := range open {
			t, a := ev.conditions(&d.statements[i])
			matches[i].Condition = t
			assumed |= a
		}
		all.add(matches)
	}
	ev.assigned = nil
	for k, i := range open {
		out.Matches[i].Condition = all.conditions[k]
	}
	if all.verdict.outcome == Undetermined {
		out.Bounded = bounded
	} else {
		out.Responsible = all.responsible
	}
	return all.verdict, assumed
}

// openStatements lists the statements that may match.
func (d *Document) openStatements(matches []Match) []int {
	var out []int
	for i := range matches {
		if matches[i].Truth() == Maybe {
			out = append(out, i)
		}
	}
	return out
}

// splitKeys returns the unknown keys that the open statements test, with their
// values. bounded says that one was left out because of the number of cases.
//
// A key that is also used as a variable is left out: then its value is compared
// with other keys' values too, and its classes are not those that the literals
// of its own conditions cut out. Keys of few values come first, so that as many
// as possible find room.
func (d *Document) splitKeys(ev *evaluator, open []int) (keys []splitKey, bounded bool) {
	tests := map[string][]*conditionTest{}
	var names []string // of tests, in the order of the document
	variables := map[string]bool{}
	for _, i := range open {
		s := &d.statements[i]
		variable := func(key, _ string) { variables[key] = true }
		for j := range s.resource.patterns {
			s.resource.patterns[j].variables(variable)
		}
		for j := range s.conditions {
			c := &s.conditions[j]
			for k := range c.operands {
				c.operands[k].pattern.variables(variable)
			}
			if !ev.value(c.key).unknown() {
				continue
			}
			if tests[c.key] == nil {
				names = append(names, c.key)
			}
			tests[c.key] = append(tests[c.key], c)
		}
	}
	for _, name := range names {
		if variables[name] {
			continue
		}
		values, tooMany := ev.splitValues(name, tests[name])
		bounded = bounded || tooMany
		if len(values) > 0 {
			keys = append(keys, splitKey{name, values})
		}
	}
	slices.SortStableFunc(keys, func(a, b splitKey) int { return cmp.Compare(len(a.values), len(b.values)) })
	product := 1
	for i := range keys {
		if product *= len(keys[i].values); product > maxCases {
			return keys[:i], true
		}
	}
	return keys, bounded
}

// splitValues returns values that stand for everything a key may hold, as far
// as the conditions can tell: its absence if that is possible, and a value of
// each equivalence class. It returns none where the classes cannot be worked
// out.
func (ev *evaluator) splitValues(key string, tests []*conditionTest) (out []Value, tooMany bool) {
	v := ev.value(key)
	if v.Known { // there with these values, or absent
		return []Value{{}, {State: Present, Known: true, Multi: v.Multi, Values: v.Values}}, false
	}
	texts, ok := ev.classes(key, tests, v)
	if !ok || len(texts) == 0 {
		return nil, false
	}
	if len(texts) > maxValues || v.Multi && len(texts) > maxSetClasses {
		return nil, true
	}
	if v.State == Either {
		out = append(out, Value{})
	}
	if !v.Multi {
		for _, t := range texts {
			out = append(out, Is(t))
		}
		return out, false
	}
	// To ForAllValues and ForAnyValue two sets are alike if they have values of
	// the same classes. So the subsets of the classes stand for all sets.
	for subset := range 1 << len(texts) {
		set := Set(slices.Clone(v.Includes)...)
		for i, t := range texts {
			if subset&(1<<i) != 0 {
				set.Values = append(set.Values, t)
			}
		}
		if len(set.Values) > 0 || !v.AtLeastOne {
			out = append(out, set)
		}
	}
	return out, false
}

// cases yields every combination of the keys' values. The slice is the same
// each time.
func cases(keys []splitKey) iter.Seq[[]assignment] {
	return func(yield func([]assignment) bool) {
		number := make([]int, len(keys)) // the case, a digit for each key
		assigned := make([]assignment, len(keys))
		for {
			for i, k := range keys {
				assigned[i] = assignment{k.name, k.values[number[i]]}
			}
			if !yield(assigned) {
				return
			}
			i := 0
			for ; i < len(keys); i++ {
				if number[i]++; number[i] < len(keys[i].values) {
					break
				}
				number[i] = 0
			}
			if i == len(keys) {
				return
			}
		}
	}
}

// allCases is what is so in all cases, or may be so.
type allCases struct {
	document    *Document
	open        []int // the open statements
	started     bool
	verdict     verdict
	conditions  []Truth // of the open statements
	responsible []int
}

// add takes one more case in.
func (all *allCases) add(matches []Match) {
	v := all.document.verdict(matches)
	if !all.started {
		all.started, all.verdict = true, v
		for _, i := range all.open {
			all.conditions = append(all.conditions, matches[i].Condition)
		}
	}
	if all.verdict.outcome != v.outcome {
		all.verdict.outcome = Undetermined
	}
	all.verdict.denied = all.verdict.denied && v.denied
	for k, i := range all.open {
		all.conditions[k] = join(all.conditions[k], matches[i].Condition)
	}
	if all.verdict.outcome == Undetermined {
		return
	}
	for _, i := range all.document.responsible(v.outcome, matches) {
		if at, found := slices.BinarySearch(all.responsible, i); !found {
			all.responsible = slices.Insert(all.responsible, at, i)
		}
	}
}
