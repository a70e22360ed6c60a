package glob

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reading is a way to read the text of a pattern.
type reading uint8

const (
	exact    reading = iota // no wildcards
	whole                   // wildcards over the whole text
	inFields                // the same, field by field in the first five
)

// read reads a pattern. ok is false if it has too few fields.
func read(text string, r reading) (p Pattern, ok bool) {
	switch r {
	case exact:
		return Exact(text), true
	case whole:
		return Parse(text), true
	case inFields:
	}
	p = Parse(text)
	if p.Any() {
		return p, true
	}
	return p.InFields(5)
}

// asRegexp restates a pattern as a regular expression.
func asRegexp(text string, as reading) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	colons := 0
	for _, r := range text {
		one := "."
		if as == inFields && colons < 5 && strings.Trim(text, "*") != "" {
			one = "[^:]"
		}
		switch {
		case r == '*' && as != exact:
			b.WriteString(one + "*")
		case r == '?' && as != exact:
			b.WriteString(one)
		default:
			if r == ':' {
				colons++
			}
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func TestMatchLikeRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		as := rapid.SampledFrom([]reading{exact, whole, inFields}).Draw(t, "reading")
		letters := []rune("ab*?:é\n/")
		text := rapid.StringOfN(rapid.SampledFrom(letters), 0, 9, -1).Draw(t, "pattern")
		if as == inFields && rapid.Bool().Draw(t, "six fields") {
			text = "a:*:?b:" + text + ":*:" + text
		}
		p, ok := read(text, as)
		if !ok {
			return
		}
		for range 8 {
			s := rapid.StringOfN(rapid.SampledFrom([]rune("ab:é\n/")), 0, 14, -1).Draw(t, "text")
			if rapid.Bool().Draw(t, "from pattern") {
				s = strings.NewReplacer("*", s, "?", "a").Replace(text)
			}
			want := asRegexp(text, as).MatchString(s)
			if got := p.Match(TextOf(s)); got != want {
				t.Fatalf("pattern %q, text %q: match %t, want %t", text, s, got, want)
			}
			if got := automatonMatch(p, s); got != want {
				t.Fatalf("pattern %q, text %q: automaton %t, want %t", text, s, got, want)
			}
			if want && !p.Continues(s[:len(s)/2]) && strings.ToValidUTF8(s[:len(s)/2], "") == s[:len(s)/2] {
				t.Fatalf("pattern %q matches %q, but nothing that begins with %q", text, s, s[:len(s)/2])
			}
		}
	})
}

// automatonMatch matches by the automaton that classes are found with.
func automatonMatch(p Pattern, s string) bool {
	x := NewMachine([]Pattern{p}).product([][]int{{0}}, generous())
	return x.automata[0].accepts(x.read([]int32{x.automata[0].start}, s)[0])
}

func TestCharacters(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"?", "é", true},
		{"?", "𝒂", false}, // two UTF-16 code units
		{"??", "𝒂", true},
		{"*", "𝒂", true},
		{"𝒂?", "𝒂b", true},
		{"?𝒂", "b𝒂", true},
		{"a?b", "a\nb", true},
		{"", "", true},
		{"*", "", true},
		{"**a", "ba", true},
		{"?", "\xff", true},
	}
	for _, test := range tests {
		if got := Parse(test.pattern).Match(TextOf(test.text)); got != test.want {
			t.Errorf("pattern %q, text %q: match %t", test.pattern, test.text, got)
		}
	}
}

func TestFold(t *testing.T) {
	p := Parse("a*bé?")
	p.Fold = true
	for text, want := range map[string]bool{"AxBéY": true, "abéc": true, "abÉc": false, "ABé": false} {
		if got := p.Match(TextOf(text)); got != want {
			t.Errorf("text %q: match %t", text, got)
		}
		if got := automatonMatch(p, text); got != want {
			t.Errorf("text %q: automaton %t", text, got)
		}
	}
}

func TestKey(t *testing.T) {
	field, _ := Parse("a:b:c:d:*:*").InFields(5)
	patterns := []Pattern{{}, Parse("*"), Parse("**a"), Exact("*"), Exact("a"), {Tokens: Exact("a").Tokens, Fold: true}, Parse("a:b:c:d:*:*"), field}
	seen := map[string]int{}
	for i, p := range patterns {
		if other, ok := seen[p.Key()]; ok {
			t.Errorf("patterns %d and %d have the same key", other, i)
		}
		seen[p.Key()] = i
	}
	if Parse("**a").Key() != Parse("*a").Key() {
		t.Error("equal patterns have different keys")
	}
}

func TestMatchTakesNoExponentialTime(t *testing.T) {
	p := Parse(strings.Repeat("a*", 2000) + "b")
	text := strings.Repeat("a", 20000)
	start := time.Now()
	if p.Match(TextOf(text)) {
		t.Error("the pattern ends in b")
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("arn:aws:s3:::b/*", "arn:aws:s3:::b/x", uint8(2))
	f.Add("a*a*a*b", "aaaaaaaaaa", uint8(1))
	f.Fuzz(func(t *testing.T, text, s string, n uint8) {
		as := reading(n % 3)
		p, ok := read(text, as)
		if !ok || len(text) > 200 || len(s) > 200 {
			return
		}
		got := p.Match(TextOf(s))
		if got != automatonMatch(p, s) {
			t.Errorf("pattern %q, text %q: match %t, but not by automaton", text, s, got)
		}
		if oneUnitEach(text) && oneUnitEach(s) && got != asRegexp(text, as).MatchString(s) {
			t.Errorf("pattern %q, text %q: match %t, but not by regexp", text, s, got)
		}
		if back := TextOf(s).String(); strings.ToValidUTF8(s, "") == s && back != s {
			t.Errorf("text %q comes back as %q", s, back)
		}
	})
}

// oneUnitEach reports whether all characters are of one UTF-16 code unit.
func oneUnitEach(s string) bool {
	for _, r := range s {
		if r > 0xFFFF || r == 0xFFFD {
			return false
		}
	}
	return true
}
