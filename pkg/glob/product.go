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
}

// DefaultLimits are generous for patterns that people write: see the package
// comment.
func DefaultLimits() Limits { return Limits{States: 50_000, Steps: 1 << 22} }

// Class is an equivalence class of strings: those that the same patterns
// match.
type Class struct {
	Witness

	Matches []bool // for each pattern, whether it matches the class's strings
}

// Classes returns each class that has a string in one of the sets, with one
// such string. Without complete the limits have cut the search: there may be
// classes that are not among those returned. Equal questions have equal
// answers, in equal order.
func Classes(patterns []Pattern, limits Limits, sets ...KeySet) (classes []Class, complete bool) {
	x := newProduct(patterns, limits)
	for _, s := range sets {
		x.walk(s)
	}
	return x.classes, !x.cut
}

// product walks key sets with the automata of all patterns side by side.
type product struct {
	alphabet *alphabet
	automata []*automaton
	found    map[string]bool // the classes, by who matches
	classes  []Class

	// The work so far. All of it is counted here.
	limits Limits
	states int
	steps  int
	cut    bool // the limits were met: what was found is not all
}

func newProduct(patterns []Pattern, limits Limits) *product {
	x := &product{alphabet: newAlphabet(patterns), found: map[string]bool{}, limits: limits}
	for _, p := range patterns {
		x.automata = append(x.automata, newAutomaton(p, x.alphabet, &x.steps))
	}
	return x
}

// visit counts one more state, and ends the walk at the limits.
func (x *product) visit() {
	x.states++
	x.cut = x.cut || x.states > x.limits.States || x.steps > x.limits.Steps
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
		x.visit()
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
			x.visit()
			queue = append(queue, next)
		}
	}
}

// letters returns one character of a class for each number of the alphabet
// that occurs in it, letters and digits preferred: the others of that number
// are alike to every pattern.
func (x *product) letters(class string) []string {
	var out []string
	index := map[uint32]int{}
	for rest := TextOf(class); len(rest) > 0; {
		n := charLen(rest)
		char := rest[:n]
		rest = rest[n:]
		number := x.alphabet.number(char)
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
			x.steps++
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
// before. From segment next on the witness is completed in the simplest way:
// there the text is at its end, or the automata are settled.
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
	x.classes = append(x.classes, Class{w, matches})
}
