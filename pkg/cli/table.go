package cli

import (
	"slices"
	"strings"
)

// cell is one field of a table.
type cell struct {
	text string
	tone tone
}

// table is rows below a header. It is made to fit the screen by wrapping
// the widest columns; nothing is cut off.
type table struct {
	header []string
	rows   [][]cell
}

const (
	gap         = 2  // between columns
	leastColumn = 10 // narrower columns are not wrapped
)

func (t *table) add(row ...cell) { t.rows = append(t.rows, row) }

// write prints the table, indented.
func (t *table) write(s screen, indent int) {
	widths := t.fit(s.width - indent)
	head := make([]cell, len(t.header))
	for i, h := range t.header {
		head[i] = cell{h, bold}
	}
	for _, row := range append([][]cell{head}, t.rows...) {
		writeRow(s, indent, widths, row)
	}
}

// fit gives each column its width, and takes from the widest what is too much:
// first where words stay whole.
func (t *table) fit(width int) []int {
	widths, words := make([]int, len(t.header)), make([]int, len(t.header))
	for i, h := range t.header {
		widths[i], words[i] = length(h), longestWord(h)
		for _, row := range t.rows {
			widths[i] = max(widths[i], length(row[i].text))
			words[i] = max(words[i], longestWord(row[i].text))
		}
	}
	width -= gap * (len(widths) - 1)
	narrow(widths, words, width)
	narrow(widths, slices.Repeat([]int{leastColumn}, len(widths)), width)
	return widths
}

// narrow takes from the widest columns until they fit, or are all at their
// least.
func narrow(widths, least []int, width int) {
	total := 0
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i := range widths {
			if widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func longestWord(text string) int {
	longest := 0
	for word := range strings.FieldsSeq(text) {
		longest = max(longest, length(word))
	}
	return longest
}

func writeRow(s screen, indent int, widths []int, row []cell) {
	lines := make([][]string, len(row))
	height := 1
	for i, c := range row {
		lines[i] = wrap(c.text, widths[i])
		height = max(height, len(lines[i]))
	}
	for y := range height {
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", indent))
		blank := 0 // spaces owed before the next text
		for i, c := range row {
			text := ""
			if y < len(lines[i]) {
				text = lines[i][y]
			}
			if text != "" {
				b.WriteString(strings.Repeat(" ", blank))
				b.WriteString(s.paint(c.tone, text))
				blank = 0
			}
			blank += widths[i] - length(text) + gap
		}
		s.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}
