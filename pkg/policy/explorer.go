package policy

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// These bound the work: how many states of a product are looked at, and how
// many steps the automata take and how much they grow meanwhile.
const (
	maxStates = 50_000
	maxSpent  = 1 << 22
)

// explorer walks the product of a space with the automata of some patterns,
// and keeps one string for each way in which the patterns tell the strings of
// the space apart.
type explorer struct {
	letters  *alphabet
	patterns []*automaton
	visited  int
	spent    int
	found    map[string]bool
	samples  []vectored
	// cut: there was more than could be looked at.
	cut bool
}

// vectored is a sample with the patterns that match it.
type vectored struct {
	Sample

	matches []bool
}

// matcher is a pattern without variables, as an explorer takes it.
type matcher struct {
	tokens []token
	fold   bool
}

func newExplorer(patterns []matcher) *explorer {
	x := &explorer{letters: newAlphabet(), found: map[string]bool{}}
	for _, p := range patterns {
		x.letters.literals(p.tokens, p.fold)
	}
	for _, p := range patterns {
		x.patterns = append(x.patterns, newAutomaton(p.tokens, p.fold, x.letters, &x.spent))
	}
	return x
}

// place is a state of the product: the text before a part of the space, and
// the states of the patterns after it.
type place struct {
	before *place
	text   string // of the part before
	states []int32
}

// explore adds the samples of one space.
func (x *explorer) explore(s Space) {
	if s.empty() {
		return
	}
	first := &place{states: make([]int32, len(x.patterns))}
	for i, m := range x.patterns {
		first.states[i] = m.start
	}
	level := []*place{first}
	for i := range s {
		level = x.through(s, i, level)
		if x.cut {
			return
		}
	}
	for _, p := range level {
		x.sample(s, len(s), p)
	}
}

// through returns the places after part i, given those before it.
func (x *explorer) through(s Space, i int, level []*place) []*place {
	var out []*place
	seen := map[string]bool{}
	add := func(p *place) {
		x.visit()
		if x.settled(p.states) {
			x.sample(s, i+1, p)
			return
		}
		if key := stateKey(p.states); !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	for _, p := range level {
		if x.cut {
			return nil
		}
		if len(s[i].Words) > 0 {
			for _, word := range s[i].Words {
				add(&place{before: p, text: word, states: x.read(p.states, word)})
			}
			continue
		}
		x.class(s[i], p, add)
	}
	return out
}

// visit counts one more state.
func (x *explorer) visit() {
	x.visited++
	x.cut = x.cut || x.visited > maxStates || x.spent > maxSpent
}

// class walks through a part that is a class of characters.
func (x *explorer) class(part Part, from *place, add func(*place)) {
	type step struct {
		count  int
		text   string
		states []int32
	}
	letters := x.representatives(part.Class)
	seen := map[string]bool{}
	queue := []step{{states: from.states}}
	for len(queue) > 0 && !x.cut {
		at := queue[0]
		queue = queue[1:]
		if at.count >= part.Min {
			add(&place{before: from, text: at.text, states: at.states})
		}
		if part.Max >= 0 && at.count >= part.Max {
			continue
		}
		for _, letter := range letters {
			next := step{at.count + 1, at.text + letter, x.read(at.states, letter)}
			// Once nothing bounds the count any more, it does not matter.
			count := next.count
			if part.Max < 0 {
				count = min(count, part.Min)
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

// representatives returns one character for each class of the alphabet that
// has characters in the given ones, letters and digits preferred.
func (x *explorer) representatives(class string) []string {
	var out []string
	index := map[uint32]int{}
	class = units(class)
	for len(class) > 0 {
		n := unitLen(class)
		unit := class[:n]
		class = class[n:]
		c := x.letters.class(unit)
		at, ok := index[c]
		switch {
		case !ok:
			index[c] = len(out)
			out = append(out, unit)
		case !alphanumeric(out[at]) && alphanumeric(unit):
			out[at] = unit
		}
	}
	return out
}

func alphanumeric(unit string) bool {
	c := unit[0] | 0x20
	return len(unit) == 1 && ('a' <= c && c <= 'z' || '0' <= unit[0] && unit[0] <= '9')
}

// read returns the states after a text.
func (x *explorer) read(states []int32, text string) []int32 {
	text = units(text)
	out := slices.Clone(states)
	for i, m := range x.patterns {
		for rest := text; len(rest) > 0 && !m.settled(out[i]); {
			n := 1
			if rest[0] >= utf8.RuneSelf {
				n = unitLen(rest)
			}
			out[i] = m.next(out[i], x.letters.class(rest[:n]))
			x.spent++
			rest = rest[n:]
		}
	}
	return out
}

func (x *explorer) settled(states []int32) bool {
	for i, m := range x.patterns {
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

// sample keeps the string that leads to p, completed from part next on with
// the first words, unless there is one of its kind.
func (x *explorer) sample(s Space, next int, p *place) {
	matches := make([]bool, len(x.patterns))
	key := make([]byte, len(x.patterns))
	for i, m := range x.patterns {
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
		texts[i] = s[i].first()
	}
	for i := next - 1; i >= 0; i-- {
		texts[i] = p.text
		p = p.before
	}
	out := Sample{Text: wellFormed(strings.Join(texts, "")), Parts: map[string]string{}}
	for i, part := range s {
		if part.Name != "" {
			out.Parts[part.Name] = wellFormed(texts[i])
		}
	}
	x.samples = append(x.samples, vectored{out, matches})
}

// empty reports whether no string is in the space.
func (s Space) empty() bool {
	for _, p := range s {
		if len(p.Words) == 0 && (p.Max >= 0 && p.Max < p.Min || p.Class == "" && p.Min > 0) {
			return true
		}
	}
	return false
}

// first is the simplest text of the part.
func (p Part) first() string {
	if len(p.Words) > 0 {
		return p.Words[0]
	}
	if p.Min <= 0 {
		return ""
	}
	best := ""
	for _, r := range p.Class {
		if c := string(r); best == "" || !alphanumeric(best) && alphanumeric(c) {
			best = c
		}
	}
	return strings.Repeat(best, p.Min)
}

// wellFormed undoes units.
func wellFormed(s string) string {
	if !strings.Contains(s, "\xED") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		n := unitLen(s[i:])
		if n == 3 && s[i] == 0xED && s[i+1] >= 0xA0 && s[i+1] < 0xB0 && len(s) >= i+6 && s[i+3] == 0xED && s[i+4] >= 0xB0 {
			high := rune(s[i+1]&0x0F)<<6 | rune(s[i+2]&0x3F)
			low := rune(s[i+4]&0x0F)<<6 | rune(s[i+5]&0x3F)
			b.WriteRune(0x10000 + high<<10 + low)
			i += 6
			continue
		}
		b.WriteString(s[i : i+n])
		i += n
	}
	return b.String()
}
