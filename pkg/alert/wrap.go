package alert

import (
	"strings"
	"unicode/utf8"
)

// lineWidth is the width that running text is wrapped to, in characters.
const lineWidth = 78

// labelWidth is how far the labelled facts are indented.
const labelWidth = 12

// Wrap breaks text into lines of at most width characters, at spaces and at its
// own line breaks. A word that is longer than a line stands on one of its own, so
// that a command, an ARN or an address can be copied. Where breakWord is given,
// such a word is cut instead: head has at most width characters, and tail is what
// comes after it.
func Wrap(text string, width int, breakWord func(word string, width int) (head, tail string)) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line, used := "", 0
		for word := range strings.FieldsSeq(paragraph) {
			n := utf8.RuneCountInString(word)
			if line != "" && used+1+n > width {
				lines, line, used = append(lines, line), "", 0
			}
			for line == "" && n > width && breakWord != nil {
				head, tail := breakWord(word, width)
				lines, word, n = append(lines, head), tail, utf8.RuneCountInString(tail)
			}
			if line != "" {
				line += " "
				used++
			}
			line += word
			used += n
		}
		lines = append(lines, line)
	}
	return lines
}

// page is a text under construction. Only labels, headings and fixed sentences
// start in the first column; data is always indented or behind its label, so
// that no data can pass for a line of ours.
type page struct {
	strings.Builder
}

// fixed writes a paragraph that holds no data.
func (p *page) fixed(text string) {
	p.hanging("", text)
}

// heading starts a section. It holds no data.
func (p *page) heading(text string) {
	p.WriteString("\n" + text + "\n")
}

// fact writes a labelled fact, one paragraph per text.
func (p *page) fact(label string, texts ...string) {
	lead := label + strings.Repeat(" ", labelWidth-len(label))
	for _, t := range texts {
		p.hanging(lead, t)
		lead = strings.Repeat(" ", labelWidth)
	}
}

// item writes an indented paragraph.
func (p *page) item(indent int, bullet, text string) {
	p.hanging(strings.Repeat(" ", indent)+bullet, text)
}

// hanging writes text behind a lead in ASCII. Further lines are indented by as
// much.
func (p *page) hanging(lead, text string) {
	for _, line := range Wrap(text, lineWidth-len(lead), nil) {
		p.WriteString(lead + line + "\n")
		lead = strings.Repeat(" ", len(lead))
	}
}

// command writes a command that is to be copied as it is.
func (p *page) command(c command) {
	for _, line := range c.lines() {
		p.WriteString("      " + line + "\n")
	}
}

// block writes lines behind a gutter.
func (p *page) block(gutter string, lines []string) {
	for _, line := range lines {
		p.WriteString(strings.TrimRight(gutter+line, " ") + "\n")
	}
}
