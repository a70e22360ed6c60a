package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// printf writes to a stream of the environment. A failure is reported when the
// command ends: standard output keeps its first one, and where standard error
// cannot be written there is nobody to tell.
func printf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}

// clean makes text that comes from a file or from AWS fit to be shown: what
// could steer a terminal or pass for a line of ours is shown as its escape.
func clean(text string) string { return alert.Clean(text) }

// cleanLines is clean for text of several lines, with tabs.
func cleanLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = alert.Clean(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// oneLine is clean for an error, whose own line breaks become spaces.
func oneLine(text string) string {
	return clean(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
}

// wrap breaks text into lines of at most width characters, at spaces where it
// can and else after a character at which names may be broken.
func wrap(text string, width int) []string { return alert.Wrap(text, width, breakWord) }

// breakWord cuts a word that is longer than width.
func breakWord(word string, width int) (head, tail string) {
	runes := []rune(word)
	for _, after := range []string{"/", ":,.-_"} {
		for i := width; i > width/2; i-- {
			if strings.ContainsRune(after, runes[i-1]) {
				return string(runes[:i]), string(runes[i:])
			}
		}
	}
	return string(runes[:width]), string(runes[width:])
}

func length(text string) int { return utf8.RuneCountInString(text) }

// indented writes text, wrapped, with each line indented.
func (s screen) indented(w io.Writer, indent int, text string) {
	for _, line := range wrap(text, max(s.width-indent, leastWidth/2)) {
		printf(w, "%s%s\n", strings.Repeat(" ", indent), line)
	}
}

// hanging writes text after a label; further lines are indented below it.
func (s screen) hanging(w io.Writer, indent int, label, text string) {
	hang := indent + length(label)
	for i, line := range wrap(text, max(s.width-hang, leastWidth/2)) {
		if i > 0 {
			label = strings.Repeat(" ", length(label))
		}
		printf(w, "%s%s%s\n", strings.Repeat(" ", indent), label, line)
	}
}

// diff writes a unified diff. Its lines are not wrapped, so that it can be
// applied.
func (s screen) diff(w io.Writer, text string) {
	for line := range strings.Lines(cleanLines(text)) {
		line = strings.TrimSuffix(line, "\n")
		t := plain
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			t = bold
		case strings.HasPrefix(line, "+"):
			t = good
		case strings.HasPrefix(line, "-"):
			t = bad
		case strings.HasPrefix(line, "@@"):
			t = faint
		}
		printf(w, "%s\n", s.paint(t, line))
	}
}
