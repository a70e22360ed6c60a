package repair

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// diffContext is the number of unchanged lines around a change.
const diffContext = 3

// Diff returns the unified diff between two policies, each indented as JSON
// with its members in their order, or "" if they hold the same JSON text. An
// empty text is no policy; one that is not JSON is taken by its lines.
func Diff(before, after []byte) string {
	edits := compare(lines(before), lines(after))
	var b strings.Builder
	for start := 0; start < len(edits); {
		from, to, ok := hunk(edits, start)
		if !ok {
			break
		}
		if b.Len() == 0 {
			b.WriteString("--- policy (now)\n+++ policy (restored)\n")
		}
		writeHunk(&b, edits, from, to)
		start = to
	}
	return b.String()
}

func lines(text []byte) []string {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		b.Reset()
		b.Write(text)
	}
	trimmed := strings.TrimRight(b.String(), "\n")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "\n")
}

// lineEdit is a line that is kept (' '), removed ('-') or added ('+').
type lineEdit struct {
	op   byte
	line string
}

// compare returns the shortest edits from a to b, by Myers' algorithm: for
// each number of edits d, the furthest that can be reached in a on each
// diagonal k (the place in a less that in b).
//
// No library at hand gives these edits: they anchor on lines that occur once,
// or stop searching after some edits, so that theirs are not the shortest.
// Source: E. Myers, An O(ND) Difference Algorithm and Its Variations (1986).
func compare(a, b []string) []lineEdit {
	limit := len(a) + len(b)
	reach := make([]int, 2*limit+3) // at limit+1+k
	var steps [][]int               // reach before each d, on diagonals -d-1 to d+1
	for d := 0; d <= limit; d++ {
		steps = append(steps, slices.Clone(reach[limit-d:limit+d+3]))
		for k := -d; k <= d; k += 2 {
			x := enter(reach[limit+k], reach[limit+k+2], k, d)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			reach[limit+1+k] = x
			if x >= len(a) && x-k >= len(b) {
				return trace(a, b, steps)
			}
		}
	}
	return nil
}

// enter returns how far in a diagonal k is entered by the d-th edit, from the
// diagonal below it (a line of a removed) or above it (a line of b added).
func enter(below, above, k, d int) int {
	if k == -d || k != d && below < above {
		return above
	}
	return below + 1
}

// trace walks the steps back from the ends of a and b.
func trace(a, b []string, steps [][]int) []lineEdit {
	out := make([]lineEdit, 0, len(a)+len(b))
	x, y := len(a), len(b)
	for d, reach := range slices.Backward(steps) {
		k := x - y
		below, above := reach[d+k], reach[d+k+2]
		entered := 0
		if d > 0 {
			entered = enter(below, above, k, d)
		}
		for ; x > entered; x, y = x-1, y-1 {
			out = append(out, lineEdit{' ', a[x-1]})
		}
		switch {
		case d == 0:
		case k == -d || k != d && below < above:
			y--
			out = append(out, lineEdit{'+', b[y]})
		default:
			x--
			out = append(out, lineEdit{'-', a[x]})
		}
	}
	slices.Reverse(out)
	return out
}

// hunk returns the next run of edits to show, with the lines around it, or
// false if there is no change from start on.
func hunk(edits []lineEdit, start int) (from, to int, ok bool) {
	first := start
	for first < len(edits) && edits[first].op == ' ' {
		first++
	}
	if first == len(edits) {
		return 0, 0, false
	}
	last := first
	for i := first; i < len(edits) && i-last <= 2*diffContext; i++ {
		if edits[i].op != ' ' {
			last = i
		}
	}
	return max(start, first-diffContext), min(len(edits), last+1+diffContext), true
}

func writeHunk(b *strings.Builder, edits []lineEdit, from, to int) {
	count := func(edits []lineEdit, not byte) int {
		n := 0
		for _, e := range edits {
			if e.op != not {
				n++
			}
		}
		return n
	}
	place := func(not byte) string {
		first, n := count(edits[:from], not)+1, count(edits[from:to], not)
		if n == 0 {
			first--
		}
		return fmt.Sprintf("%d,%d", first, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", place('+'), place('-'))
	for _, e := range edits[from:to] {
		b.WriteByte(e.op)
		b.WriteString(e.line)
		b.WriteByte('\n')
	}
}
