package policy

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// alphabet numbers the characters that patterns tell apart. Class 0 is every
// other character.
type alphabet struct {
	ascii [128]uint32
	wide  map[string]uint32
	size  int
}

func newAlphabet() *alphabet {
	a := &alphabet{size: 1}
	a.add(":") // ends a field of an ARN
	return a
}

// add gives the characters of a text classes of their own.
func (a *alphabet) add(text string) {
	for len(text) > 0 {
		n := unitLen(text)
		a.addOne(text[:n])
		text = text[n:]
	}
}

func (a *alphabet) addOne(unit string) {
	switch {
	case a.class(unit) != 0:
	case unit[0] < utf8.RuneSelf:
		a.ascii[unit[0]] = uint32(a.size)
		a.size++
	default:
		if a.wide == nil {
			a.wide = map[string]uint32{}
		}
		a.wide[unit] = uint32(a.size)
		a.size++
	}
}

func (a *alphabet) class(unit string) uint32 {
	if unit[0] < utf8.RuneSelf {
		return a.ascii[unit[0]]
	}
	return a.wide[unit]
}

// cell is one place of a pattern's automaton.
type cell struct {
	op    tokenOp
	class uint32
	upper uint32 // of a letter that stands for both cases, its other class
	tight bool
}

// automaton is a pattern as a deterministic automaton, built as it is walked.
// States 1 to len(cells)+1 mean that one place is reached; further states are
// sets of places, and 0 is the dead state.
type automaton struct {
	cells []cell
	colon uint32
	size  int
	sets  [][]uint32
	ids   map[string]int32
	steps [][]int32 // of sets, by class: state+1, or 0 if not yet known
	start int32
	spent *int // how much the sets hold, of all patterns
}

const dead int32 = 0

// newAutomaton prepares a pattern whose literal characters are in a.
func newAutomaton(tokens []token, fold bool, a *alphabet, spent *int) *automaton {
	m := &automaton{spent: spent, colon: a.class(":"), size: a.size, ids: map[string]int32{}}
	for _, t := range tokens {
		if t.op != opText {
			m.cells = append(m.cells, cell{op: t.op, tight: t.tight})
			continue
		}
		for text := t.text; len(text) > 0; {
			n := unitLen(text)
			c := cell{class: a.class(text[:n])}
			c.upper = c.class
			if fold && n == 1 && 'a' <= text[0] && text[0] <= 'z' {
				c.upper = a.class(string(text[0] - 'a' + 'A'))
			}
			m.cells = append(m.cells, c)
			text = text[n:]
		}
	}
	m.start = m.state([]uint32{0})
	return m
}

// state returns the state for a set of places, sorted. Places before a star
// that is reached are left out: all that they could match, the star matches.
func (m *automaton) state(places []uint32) int32 {
	var set []uint32
	for _, p := range places {
		for ; ; p++ {
			star := int(p) < len(m.cells) && m.cells[p].op == opStar
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
	id := int32(len(m.cells) + 2 + len(m.sets))
	m.ids[string(key)] = id
	m.sets = append(m.sets, set)
	m.steps = append(m.steps, make([]int32, m.size))
	*m.spent += len(set) + m.size
	return id
}

// next is the state after a character of the class.
func (m *automaton) next(state int32, class uint32) int32 {
	if state == dead {
		return dead
	}
	if int(state) <= len(m.cells)+1 {
		p := state - 1
		if int(p) == len(m.cells) || !m.cells[p].takes(class, m.colon) {
			return dead
		}
		p++
		if int(p) == len(m.cells) || m.cells[p].op != opStar {
			return p + 1
		}
		return m.state([]uint32{uint32(p)})
	}
	index := int(state) - len(m.cells) - 2
	if known := m.steps[index][class]; known != 0 {
		return known - 1
	}
	var places []uint32
	for _, p := range m.sets[index] {
		if int(p) == len(m.cells) || !m.cells[p].takes(class, m.colon) {
			continue
		}
		if m.cells[p].op != opStar {
			p++
		}
		places = append(places, p)
	}
	slices.Sort(places)
	to := m.state(places)
	m.steps[index][class] = to + 1
	return to
}

func (c cell) takes(class, colon uint32) bool {
	if c.op == opText {
		return class == c.class || class == c.upper
	}
	return !c.tight || class != colon
}

// accepts reports whether the pattern matches what was read.
func (m *automaton) accepts(state int32) bool {
	if int(state) <= len(m.cells)+1 {
		return int(state) == len(m.cells)+1
	}
	set := m.sets[int(state)-len(m.cells)-2]
	return int(set[len(set)-1]) == len(m.cells)
}

// settled reports whether nothing that follows can change what the state says.
func (m *automaton) settled(state int32) bool {
	if state == dead {
		return true
	}
	if int(state) <= len(m.cells)+1 {
		return false
	}
	set := m.sets[int(state)-len(m.cells)-2]
	last := len(m.cells) - 1
	return len(set) == 2 && int(set[0]) == last && !m.cells[last].tight
}

// literals adds the characters of the tokens to the alphabet.
func (a *alphabet) literals(tokens []token, fold bool) {
	for _, t := range tokens {
		if t.op != opText {
			continue
		}
		a.add(t.text)
		if fold {
			a.add(strings.ToUpper(t.text))
		}
	}
}
