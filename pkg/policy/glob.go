package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenOp is what a token of a pattern stands for.
type tokenOp uint8

const (
	opText tokenOp = iota // this text
	opOne                 // "?": one character
	opStar                // "*": any characters
	opVar                 // a policy variable
)

// token is one element of a pattern.
type token struct {
	op   tokenOp
	text string // of a text, or the lower-case key of a variable
	name string // of a variable: its key as written
	// tight wildcards stay within one field of an ARN: they do not match ":".
	tight bool
	// fallback is the default of a variable, if hasFallback.
	fallback    string
	hasFallback bool
}

// matchTokens reports whether the tokens, none of them a variable, describe
// the whole of s. Only the last star reached is ever extended, so the time is
// at most the product of both lengths. That is enough although tight stars
// cannot pass a ":", because a loose star never stands before a tight one.
func matchTokens(tokens []token, s string) bool {
	t, i := 0, 0
	star, from := -1, 0
	for {
		switch {
		case t == len(tokens):
			if i == len(s) {
				return true
			}
		case tokens[t].op == opStar:
			if t == len(tokens)-1 && !tokens[t].tight {
				return true
			}
			star, from = t, i
			t++
			continue
		default:
			if n := tokens[t].step(s[i:]); n >= 0 {
				i += n
				t++
				continue
			}
		}
		if star < 0 {
			return false
		}
		from = nextStart(tokens[star:], s, from)
		if from < 0 {
			return false
		}
		i, t = from, star+1
	}
}

// step returns how many bytes of s the token takes, or -1 if it takes none.
func (t token) step(s string) int {
	if t.op == opText {
		if strings.HasPrefix(s, t.text) {
			return len(t.text)
		}
		return -1
	}
	if s == "" || t.tight && s[0] == ':' {
		return -1
	}
	return unitLen(s)
}

// nextStart returns the next place after from at which what follows the star
// tokens[0] may begin, or -1.
func nextStart(tokens []token, s string, from int) int {
	if from >= len(s) {
		return -1
	}
	next := from + unitLen(s[from:])
	if len(tokens) > 1 && tokens[1].op == opText {
		skip := strings.Index(s[next:], tokens[1].text)
		if skip < 0 {
			return -1
		}
		next += skip
	}
	if tokens[0].tight && strings.IndexByte(s[from:next], ':') >= 0 {
		return -1
	}
	return next
}

// unitLen is the length in bytes of the first character of s. Strings are in
// the form that units gives, in which a character is one UTF-16 code unit:
// that is what "?" counts.
func unitLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	// A surrogate half in three bytes is not valid UTF-8; the other
	// invalid bytes count one each.
	if s[0] == 0xED && len(s) >= 3 && s[1] >= 0xA0 && s[1]&0xC0 == 0x80 && s[2]&0xC0 == 0x80 {
		return 3
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// units rewrites characters beyond the basic plane as two surrogate halves of
// three bytes each. All other text stays as it is.
func units(s string) string {
	astral := false
	for i := range len(s) {
		if s[i] >= 0xF0 {
			astral = true
			break
		}
	}
	if !astral {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if n == 4 {
			r -= 0x10000
			for _, half := range [2]rune{0xD800 + r>>10, 0xDC00 + r&0x3FF} {
				b.WriteByte(0xE0 | byte(half>>12))
				b.WriteByte(0x80 | byte(half>>6)&0x3F)
				b.WriteByte(0x80 | byte(half)&0x3F)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// lowerASCII lower-cases A to Z only.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// foldCase lower-cases letters, but never turns one beyond ASCII into ASCII
// as the Kelvin sign would be.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, s)
}
