package glob

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// alphabet numbers the characters that patterns tell apart. All that no
// literal names are alike and have the number 0. The ":" always has one of its
// own, because wildcards in fields tell it from the others.
type alphabet struct {
	ascii [128]uint32
	wide  map[Text]uint32
	size  int
}

func newAlphabet(patterns []Pattern) *alphabet {
	a := &alphabet{size: 1}
	a.add(":")
	for _, p := range patterns {
		for _, t := range p.Tokens {
			if t.Op != Literal {
				continue
			}
			a.add(t.Text)
			if p.Fold {
				a.add(Text(strings.ToUpper(string(t.Text))))
			}
		}
	}
	return a
}

// add gives the characters of a text numbers of their own.
func (a *alphabet) add(text Text) {
	for len(text) > 0 {
		n := charLen(text)
		char := text[:n]
		text = text[n:]
		switch {
		case a.number(char) != 0:
		case n == 1 && char[0] < utf8.RuneSelf:
			a.ascii[char[0]] = uint32(a.size)
			a.size++
		default:
			if a.wide == nil {
				a.wide = map[Text]uint32{}
			}
			a.wide[char] = uint32(a.size)
			a.size++
		}
	}
}

func (a *alphabet) number(char Text) uint32 {
	if char[0] < utf8.RuneSelf {
		return a.ascii[char[0]]
	}
	return a.wide[char]
}

// end is the Op of the position behind a pattern's last token: what was read
// matches the pattern.
const end Op = Star + 1

// position is one place of a pattern: the character, or the wildcard, that
// stands there and is to be matched next, or the end.
type position struct {
	op      Op     // a Literal of one character, One, Star or end
	inField bool   // of a wildcard
	char    uint32 // of a Literal
	upper   uint32 // of a letter that stands for both cases, its other number
	next    uint32 // the position behind it
	// last: this position and those up to last are the ones that lead to it.
	last uint32
}

// automaton is a union of patterns as a deterministic automaton, by the subset
// construction: a state is the set of positions that the text read so far may
// have led to. The states are made when the walk first reaches them, since of
// the 2^n that there may be it reaches few.
//
// A position is what is left to match. Patterns that end alike share the
// positions of their ends; so the positions are a tree whose root is the end. They
// are numbered from the root, each before those that lead to it.
//
// Most texts lead to one position, so states of one position need no table:
//
//	0                     dead: no position is left, nothing can match
//	1 ... n               position 0 ... n-1
//	n+1 ...               sets of positions, at sets[state-n-1]
type automaton struct {
	positions []position
	colon     uint32
	letters   int    // size of the alphabet
	named     []bool // the characters that a literal of the patterns names, or ":"
	start     int32
	sets      [][]uint32 // sorted
	ids       map[string]int32
	steps     [][]int32         // of sets, by character: state+1, or 0 if not yet known
	parts     map[int32][]int32 // of states, see apart
	// work counts the characters that were read, and what the sets hold, which
	// takes as long to make.
	work int
}

const dead int32 = 0

// newAutomaton prepares patterns whose literals are in the alphabet.
func newAutomaton(patterns []Pattern, a *alphabet) *automaton {
	m := &automaton{colon: a.number(":"), letters: a.size, ids: map[string]int32{}, parts: map[int32][]int32{}}
	tree := suffixTree{positions: []position{{op: end}}, known: map[position]uint32{}}
	var starts []uint32
	for _, p := range patterns {
		at := uint32(0)
		for _, t := range slices.Backward(p.Tokens) {
			if t.Op != Literal {
				at = tree.position(position{op: t.Op, inField: t.InField, next: at})
				continue
			}
			chars := make([]position, 0, len(t.Text))
			for text := t.Text; len(text) > 0; {
				n := charLen(text)
				c := position{char: a.number(text[:n])}
				c.upper = c.char
				if p.Fold && n == 1 && 'a' <= text[0] && text[0] <= 'z' {
					c.upper = a.number(Text(text[0] - 'a' + 'A'))
				}
				chars = append(chars, c)
				text = text[n:]
			}
			for _, c := range slices.Backward(chars) {
				c.next = at
				at = tree.position(c)
			}
		}
		starts = append(starts, at)
	}
	m.positions = tree.numbered(starts)
	m.named = make([]bool, a.size)
	m.named[m.colon] = true
	for _, p := range m.positions {
		if p.op == Literal {
			m.named[p.char], m.named[p.upper] = true, true
		}
	}
	m.work = len(m.positions)
	m.start = m.state(starts)
	return m
}

// suffixTree makes the positions of patterns, from their ends.
type suffixTree struct {
	positions []position
	known     map[position]uint32
}

// position adds a position, unless there is one like it. From a wildcard that is
// tied to its field to the beginning of its pattern the positions are its own:
// only of one pattern the number of ":" that were read tells the field.
func (t *suffixTree) position(p position) uint32 {
	p.last = 0
	if p.inField || t.positions[p.next].last == own {
		p.last = own
	} else if at, ok := t.known[p]; ok {
		return at
	}
	at := uint32(len(t.positions))
	t.positions = append(t.positions, p)
	if p.last != own {
		t.known[p] = at
	}
	return at
}

// own marks, while the tree is built, a position that no patterns share.
const own = 1

// numbered returns the positions, each before those that lead to it, and writes
// the numbers of the starts anew.
func (t *suffixTree) numbered(starts []uint32) []position {
	before := make([][]uint32, len(t.positions)) // those that lead to a position
	for at, p := range t.positions[1:] {
		before[p.next] = append(before[p.next], uint32(at+1))
	}
	out := make([]position, 0, len(t.positions))
	number := make([]uint32, len(t.positions))
	todo := []uint32{0}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		number[at] = uint32(len(out))
		p := t.positions[at]
		p.next, p.last = number[p.next], number[at]
		out = append(out, p)
		todo = append(todo, before[at]...)
	}
	for i := len(out) - 1; i > 0; i-- {
		next := &out[out[i].next]
		next.last = max(next.last, out[i].last)
	}
	for i, at := range starts {
		starts[i] = number[at]
	}
	return out
}

// state returns the state for a set of positions.
//
// A star may match nothing, so that with its position the next one is reached
// too. Positions that lead to a star which is reached are left out, for the star
// matches all that they can: to get to the end they would have to pass the star at
// some point, and the star can wait for that point. A star in a field can wait for
// no longer than its field lasts. But the positions that lead to it stand in the
// same field, since they were reached by as many ":"; so they pass it before the
// field ends, or never. Where a last star is reached that matches everything, all
// other positions are left out too. This keeps the sets small and few.
func (m *automaton) state(positions []uint32) int32 {
	var set []uint32
	for _, p := range positions {
		for ; ; p = m.positions[p].next {
			set = append(set, p)
			if m.lasting(p) {
				return m.setState([]uint32{0, p})
			}
			if m.positions[p].op != Star {
				break
			}
		}
	}
	switch len(set) {
	case 0:
		return dead
	case 1:
		return int32(set[0]) + 1
	}
	slices.Sort(set)
	kept := set[:0]
	through := uint32(0) // what leads to a star of the set ends here
	for i, p := range set {
		if i > 0 && (p <= through || p == kept[len(kept)-1]) {
			continue
		}
		kept = append(kept, p)
		if m.positions[p].op == Star {
			through = m.positions[p].last
		}
	}
	if len(kept) == 1 {
		return int32(kept[0]) + 1
	}
	return m.setState(kept)
}

// lasting reports whether a position is a last star that matches everything.
func (m *automaton) lasting(p uint32) bool {
	at := m.positions[p]
	return at.op == Star && !at.inField && at.next == 0
}

func (m *automaton) setState(set []uint32) int32 {
	key := make([]byte, 0, 4*len(set))
	for _, p := range set {
		key = binary.LittleEndian.AppendUint32(key, p)
	}
	if id, ok := m.ids[string(key)]; ok {
		return id
	}
	id := int32(len(m.positions) + 1 + len(m.sets))
	m.ids[string(key)] = id
	m.sets = append(m.sets, set)
	m.steps = append(m.steps, make([]int32, m.letters))
	m.work += len(set) + m.letters
	return id
}

// set is the positions of a state that is not dead.
func (m *automaton) set(state int32) []uint32 {
	if n := int32(len(m.positions)); state > n {
		return m.sets[state-n-1]
	}
	return []uint32{uint32(state - 1)}
}

// next is the state after a character: each position that takes it goes on to
// the one behind, and a star also stays where it is.
func (m *automaton) next(state int32, char uint32) int32 {
	if state == dead {
		return dead
	}
	n := int32(len(m.positions))
	if state <= n {
		p := m.positions[state-1]
		switch {
		case !p.takes(char, m.colon):
			return dead
		case m.positions[p.next].op == Star:
			return m.state([]uint32{p.next})
		}
		return int32(p.next) + 1
	}
	index := state - n - 1
	if known := m.steps[index][char]; known != 0 {
		return known - 1
	}
	m.work += len(m.sets[index])
	var reached []uint32
	for _, at := range m.sets[index] {
		p := m.positions[at]
		switch {
		case !p.takes(char, m.colon):
		case p.op == Star: // what is behind it is in the set already
			reached = append(reached, at)
		default:
			reached = append(reached, p.next)
		}
	}
	to := m.state(reached)
	m.steps[index][char] = to + 1
	return to
}

func (p position) takes(char, colon uint32) bool {
	if p.op == Literal {
		return char == p.char || char == p.upper
	}
	return p.op != end && (!p.inField || char != colon)
}

// accepts reports whether a pattern matches what was read.
func (m *automaton) accepts(state int32) bool {
	return state != dead && m.set(state)[0] == 0
}

// settled reports whether nothing that follows can change what the state says:
// no pattern is left, or one waits at a last star that matches everything.
func (m *automaton) settled(state int32) bool {
	n := int32(len(m.positions))
	return state == dead || state > n && m.lasting(m.sets[state-n-1][1])
}
