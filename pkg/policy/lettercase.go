package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// foldCase lower-cases a text as IAM was seen to compare texts where letter case is to
// be ignored: by Unicode's full mapping. The Kelvin sign becomes a "k", a dotted capital
// I becomes two characters, and a capital sigma the final one at the end of a word. "ß"
// and "SS" stay different, as do "ſ" and "s". What it rests on is assumeLetterCase.
func foldCase(s string) string {
	if asciiText(s) {
		return glob.LowerASCII(s)
	}
	var b strings.Builder
	letters := []rune(s)
	for i, r := range letters {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && endsWord(letters, i):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord reports whether a letter has one before it and none behind it. Accents and
// the like between letters do not count.
// Source: the condition Final_Sigma of the Unicode Standard, section 3.13.
func endsWord(letters []rune, at int) bool {
	beside := func(step int) bool {
		for i := at + step; 0 <= i && i < len(letters); i += step {
			r := letters[i]
			switch {
			case unicode.IsUpper(r), unicode.IsLower(r), unicode.IsTitle(r):
				return true
			case !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) && !strings.ContainsRune("'.:·’", r):
				return false
			}
		}
		return false
	}
	return beside(-1) && !beside(1)
}

// foldsBeyondASCII reports whether it hangs on letters beyond ASCII that two texts are
// equal, or are not, where letter case is ignored.
func foldsBeyondASCII(a, b string, equal bool) bool {
	if asciiText(a) && asciiText(b) {
		return false
	}
	if equal {
		return glob.LowerASCII(a) != glob.LowerASCII(b)
	}
	return strings.EqualFold(a, b)
}

func asciiText(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
