package glob

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits bound the work of one question.
type Limits struct {
	// States is how many states of the product may be looked at.
	States int
	// Steps is how many characters the automata may read, and how much their
	// sets of positions may grow meanwhile.
	Steps int
	// Classes is how many classes may be found.
	Classes int
	// Spend, if not nil, is told of the steps that were taken for each union.
	Spend func(union, steps int)
}

// Class is an equivalence class of strings: those that the same unions match.
type Class struct {
	Witness

	Matches []bool // for each union, whether it matches the class's strings
}

// Machine answers questions about the strings of key sets and some patterns. What
// it works out for one question it keeps for the next. A union of patterns is given
// by their indexes. A machine is used by one goroutine at a time.
type Machine struct {
	patterns []Pattern
	alphabet *alphabet
	automata map[string]*automaton // of unions, by their indexes
	kept     int                   // the steps that the automata took
}

// NewMachine prepares patterns.
func NewMachine(patterns []Pattern) *Machine {
	return &Machine{patterns: patterns, alphabet: newAlphabet(patterns), automata: map[string]*automaton{}}
}

// maxKept is how many steps' worth of states a machine keeps. Then it begins anew.
const maxKept = 1 << 18

// automaton returns the automaton of a union.
func (m *Machine) automaton(union []int) *automaton {
	key := make([]byte, 0, 4*len(union))
	for _, i := range union {
		key = binary.LittleEndian.AppendUint32(key, uint32(i))
	}
	if a := m.automata[string(key)]; a != nil {
		return a
	}
	patterns := make([]Pattern, len(union))
	for i, at := range union {
		patterns[i] = m.patterns[at]
	}
	a := newAutomaton(patterns, m.alphabet)
	m.automata[string(key)] = a
	return a
}

// Classes returns each class that has a string in one of the sets, with one
// such string. Without complete the limits have cut the search: there may be
// classes that are not among those returned. Equal questions have equal
// answers, in equal order.
func (m *Machine) Classes(unions [][]int, limits Limits, sets ...KeySet) (classes []Class, complete bool) {
	x := m.product(unions, limits)
	for _, s := range sets {
		x.walk(s)
	}
	x.report()
	return x.classes, !x.cut
}

// Classes is [Machine.Classes] for a question that is asked once.
func Classes(unions []Union, limits Limits, sets ...KeySet) (classes []Class, complete bool) {
	m, indexes := machineOf(unions)
	return m.Classes(indexes, limits, sets...)
}

// machineOf prepares the patterns of unions, and returns their indexes.
func machineOf(unions []Union) (m *Machine, indexes [][]int) {
	var patterns []Pattern
	for _, u := range unions {
		var of []int
		for _, p := range u {
			of = append(of, len(patterns))
			patterns = append(patterns, p)
		}
		indexes = append(indexes, of)
	}
	return NewMachine(patterns), indexes
}

// product walks key sets with the automata of all unions side by side.
type product struct {
	machine  *Machine
	alphabet *alphabet
	automata []*automaton
	before   []int           // the steps that they took before
	found    map[string]bool // the classes, by who matches
	classes  []Class

	// The work so far. All of it is counted: steps by the automata.
	limits Limits
	states int
	steps  int  // beside those of the automata
	cut    bool // the limits were met: what was found is not all
}

func (m *Machine) product(unions [][]int, limits Limits) *product {
	if m.kept > maxKept {
		m.automata, m.kept = map[string]*automaton{}, 0
	}
	x := &product{machine: m, alphabet: m.alphabet, found: map[string]bool{}, limits: limits, steps: 20}
	for _, u := range unions {
		known := len(m.automata)
		a := m.automaton(u)
		x.automata, x.before = append(x.automata, a), append(x.before, a.work)
		if len(m.automata) > known {
			x.before[len(x.before)-1] = 0 // it was made for this question
		}
	}
	return x
}

// visit counts one more state, which takes some steps, and ends the walk at the
// limits.
func (x *product) visit(steps int) {
	x.states++
	x.steps += steps
	sum := x.steps
	for i, m := range x.automata {
		sum += m.work - x.before[i]
	}
	x.cut = x.cut || x.states > x.limits.States || sum > x.limits.Steps
}

// report tells of the work.
func (x *product) report() {
	for i, m := range x.automata {
		steps := m.work - x.before[i] + x.steps/len(x.automata) + 1
		x.machine.kept += steps
		if x.limits.Spend != nil {
			x.limits.Spend(i, steps)
		}
	}
}

// point is a state of the product at a border between two segments, with the
// text of the segment that led to it. The points before give the whole text.
type point struct {
	before *point
	text   string
	states []int32 // of each automaton
}

// walk finds the classes of one set, segment by segment. It holds that every
// string of the set is either of a class that was found already, or has a
// beginning that leads to the states of one of the points; and the texts of
// the points are such beginnings.
func (x *product) walk(s KeySet) {
	if s.empty() {
		return
	}
	first := &point{states: make([]int32, len(x.automata))}
	for i, m := range x.automata {
		first.states[i] = m.start
	}
	points := []*point{first}
	for i := range s {
		points = x.segment(s, i, points)
		if x.cut {
			return
		}
	}
	for _, p := range points {
		x.add(s, len(s), p)
	}
}

// segment returns the points after segment i, given those before it. Of two
// with the same states the first is kept, since the same can follow both. One
// at which all automata are settled is done: the rest decides nothing.
func (x *product) segment(s KeySet, i int, points []*point) []*point {
	var out []*point
	seen := map[string]bool{}
	reach := func(p *point) {
		x.visit(0)
		if x.settled(p.states) {
			x.add(s, i+1, p)
			return
		}
		if key := stateKey(p.states); !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	for _, p := range points {
		if x.cut {
			return nil
		}
		if len(s[i].Words) > 0 {
			for _, word := range s[i].Words {
				reach(&point{before: p, text: word, states: x.read(p.states, word)})
			}
			continue
		}
		x.characters(s[i], p, reach)
	}
	return out
}

// characters walks through a segment of a class of characters, shortest texts
// first. What can still follow depends on the states and on how many
// characters were read, and of those only as far as the bounds of the segment
// can tell numbers apart.
func (x *product) characters(seg Segment, from *point, reach func(*point)) {
	type step struct {
		count  int
		text   string
		states []int32
	}
	letters := x.letters(seg.Class)
	seen := map[string]bool{}
	queue := []step{{states: from.states}}
	for len(queue) > 0 && !x.cut {
		at := queue[0]
		queue = queue[1:]
		if at.count >= seg.Min {
			reach(&point{before: from, text: at.text, states: at.states})
		}
		if seg.Max >= 0 && at.count >= seg.Max {
			continue
		}
		for _, letter := range letters {
			next := step{at.count + 1, at.text + letter, x.read(at.states, letter)}
			count := next.count
			if seg.Max < 0 {
				count = min(count, seg.Min) // once there are enough, more make no difference
			}
			key := string(binary.AppendVarint([]byte(stateKey(next.states)), int64(count)))
			if seen[key] {
				continue
			}
			seen[key] = true
			x.visit(0)
			queue = append(queue, next)
		}
	}
}

// letters returns one character of a class for each number of the alphabet
// that occurs in it, letters and digits preferred: the others of that number
// are alike to every pattern. So are all that no automaton names.
func (x *product) letters(class string) []string {
	var out []string
	index := map[uint32]int{}
	for rest := TextOf(class); len(rest) > 0; {
		n := charLen(rest)
		char := rest[:n]
		rest = rest[n:]
		number := x.alphabet.number(char)
		if !slices.ContainsFunc(x.automata, func(m *automaton) bool { return m.named[number] }) {
			number = 0
		}
		at, ok := index[number]
		switch {
		case !ok:
			index[number] = len(out)
			out = append(out, string(char))
		case !alphanumeric(out[at]) && alphanumeric(string(char)):
			out[at] = string(char)
		}
	}
	return out
}

// read returns the states after a text.
func (x *product) read(states []int32, s string) []int32 {
	text := TextOf(s)
	out := slices.Clone(states)
	for i, m := range x.automata {
		for rest := text; len(rest) > 0 && !m.settled(out[i]); {
			n := 1
			if rest[0] >= utf8.RuneSelf {
				n = charLen(rest)
			}
			out[i] = m.next(out[i], x.alphabet.number(rest[:n]))
			m.work++
			rest = rest[n:]
		}
	}
	return out
}

func (x *product) settled(states []int32) bool {
	for i, m := range x.automata {
		if !m.settled(states[i]) {
			return false
		}
	}
	return true
}

func stateKey(states []int32) string {
	b := make([]byte, 0, 4*len(states))
	for _, s := range states {
		b = binary.LittleEndian.AppendUint32(b, uint32(s))
	}
	return string(b)
}

// add keeps the class of the strings that go through p, unless it was found
// before. At segment next the text is at its end, or the automata are settled.
func (x *product) add(s KeySet, next int, p *point) {
	matches := make([]bool, len(x.automata))
	key := make([]byte, len(x.automata))
	for i, m := range x.automata {
		if m.accepts(p.states[i]) {
			matches[i], key[i] = true, 1
		}
	}
	if x.found[string(key)] {
		return
	}
	x.found[string(key)] = true
	x.cut = x.cut || len(x.found) > x.limits.Classes
	x.classes = append(x.classes, Class{s.witness(next, p), matches})
}

// witness is the string that leads to p, which is a point before segment next.
// From there on it is completed in the simplest way.
func (s KeySet) witness(next int, p *point) Witness {
	texts := make([]string, len(s))
	for i := next; i < len(s); i++ {
		texts[i] = s[i].simplest()
	}
	for i := next - 1; i >= 0; i-- {
		texts[i] = p.text
		p = p.before
	}
	w := Witness{Text: Text(strings.Join(texts, "")).String(), Segments: map[string]string{}}
	for i, seg := range s {
		if seg.Name != "" {
			w.Segments[seg.Name] = Text(texts[i]).String()
		}
	}
	return w
}
