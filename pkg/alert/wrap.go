package alert

import (
	"strings"
	"unicode/utf8"
)

// lineWidth is the width that running text is wrapped to, in characters.
const lineWidth = 78

// labelWidth is how far the labelled facts are indented.
const labelWidth = 12

// Wrap wraps text to lines of at most width characters. The first line starts
// with first, the others with rest. A word is never broken: a command, an ARN or
// an address that is too long for a line stands on one of its own.
func Wrap(text string, width int, first, rest string) string {
	var b strings.Builder
	b.WriteString(first)
	at, empty := utf8.RuneCountInString(first), true
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case empty:
		case at+1+n > width:
			b.WriteString("\n" + rest)
			at = utf8.RuneCountInString(rest)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at, empty = at+n, false
	}
	b.WriteByte('\n')
	return b.String()
}

// page is a text under construction. Only labels, headings and fixed sentences
// start in the first column; data is always indented or behind its label, so
// that no data can pass for a line of ours.
type page struct {
	strings.Builder
}

// fixed writes a paragraph that holds no data.
func (p *page) fixed(text string) {
	p.WriteString(Wrap(text, lineWidth, "", ""))
}

// heading starts a section. It holds no data.
func (p *page) heading(text string) {
	p.WriteString("\n" + text + "\n")
}

// fact writes a labelled fact, one paragraph per text.
func (p *page) fact(label string, texts ...string) {
	first := label + strings.Repeat(" ", labelWidth-len(label))
	rest := strings.Repeat(" ", labelWidth)
	for _, t := range texts {
		p.WriteString(Wrap(t, lineWidth, first, rest))
		first = rest
	}
}

// item writes an indented paragraph.
func (p *page) item(indent int, bullet, text string) {
	first := strings.Repeat(" ", indent) + bullet
	p.WriteString(Wrap(text, lineWidth, first, strings.Repeat(" ", len(first))))
}

// command writes a line that is to be copied as it is.
func (p *page) command(line string) {
	if line != "" {
		p.WriteString("      " + line + "\n")
	}
}

// block writes lines behind a gutter.
func (p *page) block(gutter string, lines []string) {
	for _, line := range lines {
		p.WriteString(strings.TrimRight(gutter+line, " ") + "\n")
	}
}
