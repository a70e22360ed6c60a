package glob

import (
	"strings"
	"unicode/utf8"
)

// Text is a string in which every character is one UTF-16 code unit: a
// character beyond the basic plane stands as two surrogate halves of three
// bytes each. All other bytes are as in the string, those that are no valid
// UTF-8 too, which count one each. [TextOf] makes it.
type Text string

// TextOf spells a string as a Text.
func TextOf(s string) Text {
	astral := false
	for i := range len(s) {
		if s[i] >= 0xF0 { // begins four bytes, and nothing else does
			astral = true
			break
		}
	}
	if !astral {
		return Text(s)
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
	return Text(b.String())
}

// String is the string that t spells.
func (t Text) String() string {
	s := string(t)
	if !strings.Contains(s, "\xED") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		n := charLen(t[i:])
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

// charLen is the length in bytes of the first character of t, which is not
// empty.
func charLen(t Text) int {
	if t[0] < utf8.RuneSelf {
		return 1
	}
	// A surrogate half in three bytes is not valid UTF-8; the other
	// invalid bytes count one each.
	if t[0] == 0xED && len(t) >= 3 && t[1] >= 0xA0 && t[1]&0xC0 == 0x80 && t[2]&0xC0 == 0x80 {
		return 3
	}
	_, n := utf8.DecodeRuneInString(string(t))
	return n
}

// LowerASCII lower-cases A to Z and leaves all else.
func LowerASCII(s string) string {
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
