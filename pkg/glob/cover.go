package glob

import (
	"slices"
)

// Cover is how many of some strings a pattern matches.
type Cover uint8

// The answers. Some is also the answer where there are no strings, or where the
// limits have cut the search: it claims nothing.
const (
	None Cover = iota
	Some
	All
)

// Covers says how many of the strings of the sets the pattern matches.
func (p Pattern) Covers(limits Limits, sets ...KeySet) Cover {
	m, one := NewMachine([]Pattern{p}), [][]int{{0}}
	_, matched, complete := m.Find(one, nil, limits, sets...)
	if !matched {
		if _, some, _ := m.Find(nil, nil, limits, sets...); some && complete {
			return None
		}
		return Some
	}
	if _, other, complete := m.Find(nil, one, limits, sets...); !other && complete {
		return All
	}
	return Some
}

// Continues reports whether the pattern matches some text that begins with the
// prefix. Whatever a pattern has left to match after it, some text matches.
func (p Pattern) Continues(prefix string) bool {
	x := NewMachine([]Pattern{p}).product([][]int{{0}}, Limits{})
	return x.read([]int32{x.automata[0].start}, prefix)[0] != dead
}

// Find returns a string of one of the sets that all unions of match match, and
// none of avoid: the first in the order of the search, which is the same each
// time. Without found there is none if the search is complete, that is, if the
// limits have not cut it.
//
// It asks less than [Machine.Classes] and is done where that has too many classes to
// find. The walk is the same, of states of all automata side by side, but it
// goes for the end first, and two things prune it:
//
//   - To match, one way through the patterns is enough. So where characters are
//     to be chosen, the set of positions is taken apart: its stars are followed
//     together, which no character ends, and each other position by itself. Then
//     there are not many more states than positions.
//   - To avoid, the fewer positions are reached the better: whatever text leads
//     past the larger set leads past the smaller. So of the states at a place of
//     the key set only the least are followed, an antichain. For "*a*", "*b*" and
//     so on that is the one that has met none of the letters, and not 2^n.
//
// What is pruned can find nothing that is not found without it: some point that
// was met earlier at the same place is as good, and has been followed, or will be.
func (m *Machine) Find(match, avoid [][]int, limits Limits, sets ...KeySet) (w Witness, found, complete bool) {
	x := &search{m.product(slices.Concat(match, avoid), limits), len(match)}
	defer x.report()
	for _, s := range sets {
		if w, found = x.find(s); found {
			return w, true, true
		}
	}
	return Witness{}, false, !x.cut
}

// search is a walk that looks for one string.
type search struct {
	*product

	match int // so many of the automata are to match; they come first
}

// step is a point at a place of the key set: before a segment, or, within one that
// is a class, behind so many of its characters. Then its text is what stands there
// so far, and before is the point before the segment.
type step struct {
	*point

	segment int
	within  bool
	count   int
	dropped bool // a better one was met since
}

// frontier is the steps that were met at one place, by the states of the automata
// to match: of those of the automata to avoid only the least.
type frontier map[string][]*step

func (x *search) find(s KeySet) (w Witness, found bool) {
	if s.empty() {
		return Witness{}, false
	}
	met := make([][]frontier, len(s)+1) // by segment: before it, and behind the characters
	var todo []*step                    // the last is the next
	add := func(p *step) {
		at := 0
		if p.within {
			at = 1 + p.count
		}
		for len(met[p.segment]) <= at {
			met[p.segment] = append(met[p.segment], frontier{})
		}
		if x.keep(met[p.segment][at], p) {
			todo = append(todo, p)
		}
	}
	first := make([]int32, len(x.automata))
	for i, m := range x.automata {
		first[i] = m.start
	}
	letters := make([][]string, len(s)) // of the segments that are classes
	add(&step{point: &point{states: first}})
	for len(todo) > 0 && !x.cut {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		ahead := len(todo) // what is added is put in the order of the set
		switch {
		case at.dropped:
		case !at.within && x.assured(at.states):
			return s.witness(at.segment, at.point), true
		case at.segment == len(s):
			if x.accepts(at.states) {
				return s.witness(len(s), at.point), true
			}
		case at.within:
			x.extend(s[at.segment], letters[at.segment], at, add)
		case len(s[at.segment].Words) > 0:
			for _, word := range s[at.segment].Words {
				add(&step{segment: at.segment + 1, point: &point{before: at.point, text: word, states: x.read(at.states, word)}})
			}
		default:
			if letters[at.segment] == nil {
				letters[at.segment] = x.letters(s[at.segment].Class)
			}
			x.apart(slices.Clone(at.states), func(states []int32) {
				add(&step{segment: at.segment, within: true, point: &point{before: at.point, states: states}})
			})
		}
		slices.Reverse(todo[ahead:])
	}
	return Witness{}, false
}

// extend goes on within a class of characters: to its end, or by one more. Behind
// the least number of a class without a bound, more make no difference.
func (x *search) extend(seg Segment, letters []string, at *step, add func(*step)) {
	if at.count >= seg.Min {
		add(&step{segment: at.segment + 1, point: at.point})
	}
	if seg.Max >= 0 && at.count >= seg.Max {
		return
	}
	count := at.count + 1
	if seg.Max < 0 {
		count = min(count, seg.Min)
	}
	for _, letter := range letters {
		states := slices.Clone(at.states)
		number := x.alphabet.number(Text(letter))
		for i, m := range x.automata {
			if !m.settled(states[i]) {
				states[i] = m.next(states[i], number)
				m.work++
			}
		}
		x.apart(states, func(states []int32) {
			add(&step{
				segment: at.segment, within: true, count: count,
				point: &point{before: at.before, text: at.text + letter, states: states},
			})
		})
	}
}

// apart takes the states of the automata to match apart, in every combination.
func (x *search) apart(states []int32, each func([]int32)) { x.apartFrom(0, states, each) }

func (x *search) apartFrom(i int, states []int32, each func([]int32)) {
	for ; i < x.match; i++ {
		parts := x.automata[i].apart(states[i])
		for _, part := range parts[1:] {
			other := slices.Clone(states)
			other[i] = part
			x.apartFrom(i+1, other, each)
		}
		states[i] = parts[0]
	}
	each(states)
}

// keep adds a step to a frontier, and reports whether it is worth following: it
// is neither hopeless, nor is one that was met before as good. Those that are no
// better than the step are dropped.
func (x *search) keep(f frontier, p *step) bool {
	for i, m := range x.automata {
		if s := p.states[i]; i < x.match && s == dead || i >= x.match && m.settled(s) && s != dead {
			return false
		}
	}
	x.visit(4) // it takes as long as to read some characters
	if x.cut {
		return false
	}
	key := stateKey(p.states[:x.match])
	avoid := p.states[x.match:]
	for _, other := range f[key] {
		if !other.dropped && x.within(other.states[x.match:], avoid) {
			return false
		}
	}
	kept := f[key][:0]
	for _, other := range f[key] {
		if other.dropped = x.within(avoid, other.states[x.match:]); !other.dropped {
			kept = append(kept, other)
		}
	}
	f[key] = append(kept, p)
	return true
}

// within reports whether each text that the automata to avoid match from states
// a on, they also match from states b on. It may miss some of which that is so.
func (x *search) within(a, b []int32) bool {
	for i, m := range x.automata[x.match:] {
		if !m.within(a[i], b[i]) {
			return false
		}
	}
	return true
}

// within says so of one automaton: each position of a is one of b's, or leads to
// a star of b, which takes whatever the position takes on the way to the star.
func (m *automaton) within(a, b int32) bool {
	switch {
	case a == b || a == dead:
		return true
	case b == dead:
		return false
	}
	of := m.set(b)
	for _, p := range m.set(a) {
		m.work++
		if !slices.ContainsFunc(of, func(q uint32) bool {
			at := m.positions[q]
			return p == q || at.op == Star && !at.inField && q < p && p <= at.last
		}) {
			return false
		}
	}
	return true
}

// assured reports whether every string that goes on from the states is wanted.
func (x *search) assured(states []int32) bool {
	for i, m := range x.automata {
		if !m.settled(states[i]) || (i < x.match) != m.accepts(states[i]) {
			return false
		}
	}
	return true
}

// accepts reports whether a string that ends in the states is wanted.
func (x *search) accepts(states []int32) bool {
	for i, m := range x.automata {
		if (i < x.match) != m.accepts(states[i]) {
			return false
		}
	}
	return true
}

// apart takes a state apart: into its stars, which stay where they are and so
// stay together, and the other positions one by one.
func (m *automaton) apart(state int32) []int32 {
	if out, known := m.parts[state]; known {
		return out
	}
	if int(state) <= len(m.positions) {
		m.parts[state] = []int32{state}
		return m.parts[state]
	}
	m.work += len(m.set(state))
	var stars, behind []uint32 // behind the stars, which come with them
	for _, p := range m.set(state) {
		if m.positions[p].op == Star {
			stars, behind = append(stars, p), append(behind, m.positions[p].next)
		}
	}
	var out []int32
	for _, p := range m.set(state) {
		if m.positions[p].op != Star && !slices.Contains(behind, p) {
			out = append(out, m.state([]uint32{p}))
		}
	}
	if len(stars) > 0 {
		out = append(out, m.state(stars))
	}
	m.parts[state] = out
	return out
}
