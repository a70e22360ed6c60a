package test

import (
	"regexp"
	"strings"
	"testing"
)

// TestAssumptionsHaveSources: an auditor can follow each row of docs/assumptions.md to
// where it is documented or was seen.
func TestAssumptionsHaveSources(t *testing.T) {
	page := read(t, "docs/assumptions.md")
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\[([^\]]+)\]: https://\S+$`).FindAllStringSubmatch(page, -1) {
		names[m[1]] = false
	}
	rows := 0
	table := false
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "|---"):
			table = true
		case !strings.HasPrefix(line, "|"):
			table = false
		case table:
			rows++
			cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
			source := cells[len(cells)-1]
			found := strings.Contains(source, "](https://")
			for _, m := range regexp.MustCompile(`\[([^\]]+)\](?:[^(]|$)`).FindAllStringSubmatch(source, -1) {
				if _, known := names[m[1]]; !known {
					t.Errorf("no address for [%s] of %s", m[1], cells[0])
				}
				names[m[1]], found = true, true
			}
			if !found {
				t.Errorf("no source for %s", cells[0])
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d rows", rows)
	}
	for name, used := range names {
		if !used {
			t.Errorf("[%s] is used by no row", name)
		}
	}
}
