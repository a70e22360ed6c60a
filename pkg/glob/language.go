package glob

import "strings"

// KeySet is a set of strings, written as a sequence of segments: every way to
// pick one text of each segment and join them.
type KeySet []Segment

// Segment is one place of a KeySet.
type Segment struct {
	// Name is what stands here ("region"), empty for fixed text.
	Name string
	// Words are the texts that may stand here. Where it is empty, Class
	// says what may.
	Words []string
	// Class are the characters that may stand here, each as often as Min and
	// Max allow (Max < 0: no bound).
	Class    string
	Min, Max int
}

// Witness is one string of a KeySet. It stands for all strings of the set that
// the patterns at hand do not tell from it.
type Witness struct {
	Text     string
	Segments map[string]string // what stands in each segment, by Segment.Name
}

// Everything is the set of all strings, as far as the patterns can tell: their
// characters and one that no literal names. ok is false where a literal holds
// half a character, of which no string can be made.
func Everything(unions []Union) (set KeySet, ok bool) {
	named := map[Text]bool{}
	var class strings.Builder
	name := func(s string) {
		for rest := TextOf(s); len(rest) > 0; {
			char := rest[:charLen(rest)]
			rest = rest[len(char):]
			if !named[char] {
				named[char] = true
				class.WriteString(char.String())
			}
		}
	}
	name(":") // ends a field
	for _, u := range unions {
		for _, p := range u {
			for _, t := range p.Tokens {
				s := t.Text.String()
				if strings.Contains(s, "\xED") || s != string(t.Text) {
					return nil, false
				}
				name(s)
				if p.Fold {
					name(strings.ToUpper(s))
				}
			}
		}
	}
	for other := 'x'; ; other++ {
		if !named[Text(other)] {
			return KeySet{{Class: string(other) + class.String(), Max: -1}}, true
		}
	}
}

// Size is how large the set is to walk through: the length of its words, and for
// a class of characters how many there are at each place.
func (s KeySet) Size() int {
	size := 0
	for _, seg := range s {
		for _, word := range seg.Words {
			size += len(word)
		}
		if len(seg.Words) == 0 {
			size += len(seg.Class) * max(seg.Min, seg.Max, 1)
		}
	}
	return size
}

// Simplest is one string of the set: of each segment the first word, or the least
// number of characters. Ok is false if there is none.
func (s KeySet) Simplest() (w Witness, ok bool) {
	if s.empty() {
		return Witness{}, false
	}
	return s.witness(0, nil), true
}

// empty reports whether no string is in the set.
func (s KeySet) empty() bool {
	for _, seg := range s {
		if len(seg.Words) == 0 && (seg.Max >= 0 && seg.Max < seg.Min || seg.Class == "" && seg.Min > 0) {
			return true
		}
	}
	return false
}

// simplest is the text that completes a string whose patterns are settled:
// the first word, or as few characters as may be, of the readable ones.
func (s Segment) simplest() string {
	if len(s.Words) > 0 {
		return s.Words[0]
	}
	if s.Min <= 0 {
		return ""
	}
	best := ""
	for _, r := range s.Class {
		if c := string(r); best == "" || !alphanumeric(best) && alphanumeric(c) {
			best = c
		}
	}
	return strings.Repeat(best, s.Min)
}

func alphanumeric(char string) bool {
	c := char[0] | 0x20
	return len(char) == 1 && ('a' <= c && c <= 'z' || '0' <= char[0] && char[0] <= '9')
}
