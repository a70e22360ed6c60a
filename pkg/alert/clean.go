package alert

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks in a row are shown as they are. More of
// them can grow over the lines above and below.
const maxMarks = 2

// Clean makes a text that comes from outside fit to stand in one line: what
// breaks a line or looks as if it did, what turns the reading direction, and what
// cannot be seen is written as an escape ("\n", "\u2028", "\xff"). Clean text
// stays as it is, and cleaning twice is cleaning once.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	marks := 0
	for i, w := 0, 0; i < len(s); i += w {
		r, n := utf8.DecodeRuneInString(s[i:])
		w = n
		if r >= ' ' && r <= '~' {
			b.WriteByte(s[i])
			marks = 0
			continue
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case marks > maxMarks || hidden(r):
			b.WriteString(escape(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII, as nearly all texts are.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// hidden reports whether r is not seen as what it is. [unicode.IsPrint] leaves
// out controls, every space but the plain one, line and paragraph separators,
// and format characters (bidi controls, zero-width ones); the rest are letters
// and marks by their category that draw nothing.
func hidden(r rune) bool {
	switch {
	case !unicode.IsPrint(r):
		return true
	case r == 0x2800: // braille blank
		return true
	case r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0: // Hangul fillers
		return true
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	case unicode.Is(unicode.Variation_Selector, r):
		return true
	}
	return false
}

// escape writes r as Go would in a string.
func escape(r rune) string {
	quoted := strconv.QuoteRuneToASCII(r)
	if len(quoted) == len(`'\x00'`) && quoted[1:3] == `\x` {
		return `\u00` + quoted[3:5]
	}
	return quoted[1 : len(quoted)-1]
}

// cut shortens a clean text to at most limit bytes, and says visibly that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return head(s, limit, len(s))
}

// fit cleans and cuts a text. It does not clean what it cuts off: cleaning
// never makes a text shorter.
func fit(s string, limit int) string {
	if len(s) <= limit {
		return cut(Clean(s), limit)
	}
	start := limit
	for start > 0 && !utf8.RuneStart(s[start]) {
		start--
	}
	return head(Clean(s[:start]), limit, len(s))
}

// head returns the start of a clean text and a mark that says how long it was,
// at most limit bytes together.
func head(s string, limit, length int) string {
	mark := fmt.Sprintf("...(cut, %d bytes)", length)
	keep := min(max(limit-len(mark), 0), len(s))
	for keep > 0 && keep < len(s) && !utf8.RuneStart(s[keep]) {
		keep--
	}
	return s[:keep] + mark
}

// fitEnds cleans a text and cuts it so that both its ends stay, the end more of
// it. Like fit it does not clean what it cuts off.
func fitEnds(s string, limit int) string {
	const mark = "..."
	if len(s) <= limit {
		if s = Clean(s); len(s) <= limit {
			return s
		}
	}
	start, end := (limit-len(mark))/3, 0
	end = limit - len(mark) - start
	first, last := s[:min(start, len(s))], s[max(len(s)-end, 0):]
	for first != "" && !utf8.RuneStart(s[len(first)]) {
		first = first[:len(first)-1]
	}
	for last != "" && !utf8.RuneStart(last[0]) {
		last = last[1:]
	}
	// Cleaning makes a text longer.
	first, last = Clean(first), Clean(last)
	first, last = first[:cutAt(first, start)], last[len(last)-min(len(last), end):]
	for last != "" && !utf8.RuneStart(last[0]) {
		last = last[1:]
	}
	return first + mark + last
}

// cutAt returns where a character ends, at or before n.
func cutAt(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// lines cleans a text of several lines. It keeps at most limit lines of at most
// width bytes and returns how many it left out.
func lines(text string, limit, width int) (kept []string, left int) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil, 0
	}
	all := strings.Split(text, "\n")
	left = max(len(all)-limit, 0)
	for _, line := range all[:len(all)-left] {
		kept = append(kept, fit(strings.TrimRight(line, " \t\r"), width))
	}
	return kept, left
}

// ascii returns s with everything that is not printable ASCII as "?".
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
