package cli

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                 "plain",
		"grün, 木":               "grün, 木",
		"a\nb":                  `a\nb`,
		"a\u3164b\ufe0f":        `a\u3164b\ufe0f`, // a filler and a variation selector show nothing
		"\x1b[31mred":           `\u001b[31mred`,
		"a\u202eb\u2028c\u0085": `a\u202eb\u2028c\u0085`,
		"bad \xff byte":         `bad \xff byte`,
		"tag \U000e0041":        `tag \U000e0041`,
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) is %q, want %q", in, got, want)
		}
	}
	if got, want := cleanLines("a\r\n\tb\x1b\u2028c"), "a\n\tb\\u001b\\u2028c"; got != want {
		t.Errorf("cleanLines is %q, want %q", got, want)
	}
}

func TestCleanIsPrintable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		for _, r := range clean(text) {
			if !unicode.IsPrint(r) {
				t.Fatalf("clean(%q) has %U", text, r)
			}
		}
	})
}

func TestWrapKeepsEverything(t *testing.T) {
	t.Parallel()
	spaces := regexp.MustCompile(`\s+`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab/:-. ü木\n"))).Draw(t, "text")
		width := rapid.IntRange(5, 40).Draw(t, "width")
		lines := wrap(text, width)
		for _, line := range lines {
			if length(line) > width {
				t.Fatalf("line %q is longer than %d", line, width)
			}
		}
		if got, want := strings.Join(lines, ""), spaces.ReplaceAllString(text, ""); spaces.ReplaceAllString(got, "") != want {
			t.Fatalf("%q became %q", text, lines)
		}
	})
}

func TestTableFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("abc/-")), 1, 60, -1)
		tab := table{header: []string{"ONE", "TWO", "THREE"}}
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			tab.add(cell{word.Draw(t, "a"), good}, cell{word.Draw(t, "b"), plain}, cell{word.Draw(t, "c"), bad})
		}
		width := rapid.IntRange(leastWidth, 120).Draw(t, "width")
		var b strings.Builder
		tab.write(screen{out: &b, width: width}, 2)
		for line := range strings.Lines(b.String()) {
			if n := length(strings.TrimRight(line, "\n")); n > width {
				t.Fatalf("line of %d characters, the screen has %d: %q", n, width, line)
			}
		}
		count := func(text string) (n int) { return len(strings.Join(strings.Fields(text), "")) }
		want := count("ONETWOTHREE")
		for _, row := range tab.rows {
			want += count(row[0].text + row[1].text + row[2].text)
		}
		if got := count(b.String()); got != want {
			t.Fatalf("the table has %d characters, want %d:\n%s", got, want, b.String())
		}
	})
}

func TestColour(t *testing.T) {
	t.Parallel()
	sequence := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, command := range []string{"check", "explain", "plan"} {
		args := append([]string{command}, checkArgs("denied.json", "text")[1:]...)
		_, coloured, _ := runOffline(t, screen{width: 80, colour: true}, args...)
		_, bare, _ := runOffline(t, screen{width: 80}, args...)
		if sequence.MatchString(bare) || !sequence.MatchString(coloured) {
			t.Errorf("%s: colour is not as asked for", command)
		}
		if diff := cmp.Diff(bare, sequence.ReplaceAllString(coloured, "")); diff != "" {
			t.Errorf("%s: colour changes more than the colour:\n%s", command, diff)
		}
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	for columns, want := range map[string]int{"": 80, "120": 120, "wide": 80, "-1": 80, "3": leastWidth} {
		s := newScreen(nil, &strings.Builder{}, func(key string) (string, bool) { return columns, key == "COLUMNS" && columns != "" })
		if s.width != want || s.colour {
			t.Errorf("COLUMNS=%s: %+v", columns, s)
		}
	}
}
