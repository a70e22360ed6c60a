package cli

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// screen is where text for people goes. Text is wrapped to its width.
type screen struct {
	out    io.Writer
	width  int // in characters
	colour bool
}

const (
	defaultWidth = 80
	leastWidth   = 40
)

// newScreen returns a screen that writes to out and has the width and colour
// of the stream behind it. Colour is for terminals only, and not where NO_COLOR
// is set (no-color.org).
func newScreen(out io.Writer, stream any, lookupEnv func(string) (string, bool)) screen {
	s := screen{out: out, width: defaultWidth}
	if isTerminal(stream) {
		if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
			s.width = width
		}
		noColour, _ := lookupEnv("NO_COLOR")
		kind, _ := lookupEnv("TERM")
		s.colour = noColour == "" && kind != "dumb"
	}
	if columns, ok := lookupEnv("COLUMNS"); ok {
		if width, err := strconv.Atoi(columns); err == nil && width > 0 {
			s.width = width
		}
	}
	s.width = max(s.width, leastWidth)
	return s
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printf writes text as it is.
func (s screen) printf(format string, args ...any) { printf(s.out, format, args...) }

// paint returns text in a colour, where the screen has colours.
func (s screen) paint(t tone, text string) string {
	if !s.colour || t == plain {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// indented writes text, wrapped, with each line indented.
func (s screen) indented(indent int, text string) { s.hanging(indent, "", text) }

// hanging writes text after a label; further lines are indented below it.
func (s screen) hanging(indent int, label, text string) {
	s.hangingAt(strings.Repeat(" ", indent)+label, length(label)+indent, text)
}

// hangingAt is hanging for a lead that is painted, and width characters wide
// without its colours.
func (s screen) hangingAt(lead string, width int, text string) {
	for _, line := range wrap(text, max(s.width-width, leastWidth/2)) {
		s.printf("%s%s\n", lead, line)
		lead = strings.Repeat(" ", width)
	}
}

// block writes text of several lines as it is, indented.
func (s screen) block(indent int, text string) {
	for line := range strings.Lines(cleanLines(text)) {
		s.printf("%s%s\n", strings.Repeat(" ", indent), strings.TrimRight(line, "\n"))
	}
}

// diff writes a unified diff. Its lines are not wrapped, so that it can be
// applied.
func (s screen) diff(text string) {
	for line := range strings.Lines(cleanLines(text)) {
		line = strings.TrimSuffix(line, "\n")
		s.printf("%s\n", s.paint(diffTone(kindOfLine(line)), line))
	}
}

// diffKind is what a line of a unified diff is.
type diffKind uint8

const (
	diffContext diffKind = iota
	diffFile
	diffHunk
	diffAdded
	diffRemoved
)

func kindOfLine(line string) diffKind {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		return diffFile
	case strings.HasPrefix(line, "+"):
		return diffAdded
	case strings.HasPrefix(line, "-"):
		return diffRemoved
	case strings.HasPrefix(line, "@@"):
		return diffHunk
	}
	return diffContext
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

// length is the number of characters of a text.
func length(text string) int { return utf8.RuneCountInString(text) }
