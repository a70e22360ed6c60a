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

// position is one place of a pattern: the character, or the wildcard, that
// stands there and is to be matched next.
type position struct {
	op      Op     // a Literal of one character, One or Star
	char    uint32 // of a Literal
	upper   uint32 // of a letter that stands for both cases, its other number
	inField bool
}

// automaton is a pattern as a deterministic automaton, by the subset
// construction: a state is the set of positions that the text read so far may
// have led to. The states are made when the walk first reaches them, since of
// the 2^n that there may be it reaches few.
//
// Most texts lead to one position, so states of one position need no table:
//
//	0                     dead: no position is left, nothing can match
//	1 ... n               position 0 ... n-1 of the pattern
//	n+1                   the end: what was read matches
//	n+2 ...               sets of positions, at sets[state-n-2]
type automaton struct {
	positions []position
	colon     uint32
	letters   int // size of the alphabet
	start     int32
	sets      [][]uint32 // sorted; the end is len(positions)
	ids       map[string]int32
	steps     [][]int32 // of sets, by character: state+1, or 0 if not yet known
	grown     *int      // counts what the sets of all automata hold
}

const dead int32 = 0

// newAutomaton prepares a pattern whose literals are in the alphabet.
func newAutomaton(p Pattern, a *alphabet, grown *int) *automaton {
	m := &automaton{grown: grown, colon: a.number(":"), letters: a.size, ids: map[string]int32{}}
	for _, t := range p.Tokens {
		if t.Op != Literal {
			m.positions = append(m.positions, position{op: t.Op, inField: t.InField})
			continue
		}
		for text := t.Text; len(text) > 0; {
			n := charLen(text)
			at := position{char: a.number(text[:n])}
			at.upper = at.char
			if p.Fold && n == 1 && 'a' <= text[0] && text[0] <= 'z' {
				at.upper = a.number(Text(text[0] - 'a' + 'A'))
			}
			m.positions = append(m.positions, at)
			text = text[n:]
		}
	}
	m.start = m.state([]uint32{0})
	return m
}

// state returns the state for a set of positions, sorted.
//
// A star may match nothing, so that with its position the next one is reached
// too. Positions before a star that is reached are left out, for the star
// matches all that they can: to get to the end they would have to pass the
// star at some point, and the star can wait for that point. A star in a field
// can wait for no longer than its field lasts. But the positions before it
// stand in the same field, since they were reached by as many ":"; so they
// pass it before the field ends, or never. This keeps the sets small and few.
func (m *automaton) state(positions []uint32) int32 {
	var set []uint32
	for _, p := range positions {
		for ; ; p++ {
			star := int(p) < len(m.positions) && m.positions[p].op == Star
			if star {
				set = set[:0]
			}
			if len(set) == 0 || set[len(set)-1] < p {
				set = append(set, p)
			}
			if !star {
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
	key := make([]byte, 0, 4*len(set))
	for _, p := range set {
		key = binary.LittleEndian.AppendUint32(key, p)
	}
	if id, ok := m.ids[string(key)]; ok {
		return id
	}
	id := int32(len(m.positions) + 2 + len(m.sets))
	m.ids[string(key)] = id
	m.sets = append(m.sets, set)
	m.steps = append(m.steps, make([]int32, m.letters))
	*m.grown += len(set) + m.letters
	return id
}

// next is the state after a character: each position that takes it goes on to
// the one behind, and a star also stays where it is.
func (m *automaton) next(state int32, char uint32) int32 {
	if state == dead {
		return dead
	}
	end := len(m.positions)
	if int(state) <= end+1 {
		p := int(state) - 1
		if p == end || !m.positions[p].takes(char, m.colon) {
			return dead
		}
		p++
		if p == end || m.positions[p].op != Star {
			return int32(p) + 1
		}
		return m.state([]uint32{uint32(p)})
	}
	index := int(state) - end - 2
	if known := m.steps[index][char]; known != 0 {
		return known - 1
	}
	var reached []uint32
	for _, p := range m.sets[index] {
		if int(p) == end || !m.positions[p].takes(char, m.colon) {
			continue
		}
		if m.positions[p].op != Star {
			p++ // a star's next position is in the set already
		}
		reached = append(reached, p)
	}
	slices.Sort(reached)
	to := m.state(reached)
	m.steps[index][char] = to + 1
	return to
}

func (p position) takes(char, colon uint32) bool {
	if p.op == Literal {
		return char == p.char || char == p.upper
	}
	return !p.inField || char != colon
}

// accepts reports whether the pattern matches what was read.
func (m *automaton) accepts(state int32) bool {
	end := len(m.positions)
	if int(state) <= end+1 {
		return int(state) == end+1
	}
	set := m.sets[int(state)-end-2]
	return int(set[len(set)-1]) == end
}

// settled reports whether nothing that follows can change what the state says:
// the pattern is dead, or waits at a last star that matches everything.
func (m *automaton) settled(state int32) bool {
	end := len(m.positions)
	switch {
	case state == dead:
		return true
	case int(state) <= end+1:
		return false
	}
	set := m.sets[int(state)-end-2]
	last := end - 1
	return len(set) == 2 && int(set[0]) == last && !m.positions[last].inField
}
