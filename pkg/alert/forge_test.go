package alert_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// labels are the words that may start a line of an alert.
func labels() []string {
	return []string{
		"Severity", "Bucket", "Trail", "Verdict", "Trails", "Accounts", "Lost", "Since", "Changed by", "Cause", "Before", "Done", "Blind",
		"Runbook", "Console", "Incident",
	}
}

// headings are whole lines that may stand in an alert.
func headings() []string {
	return []string{
		"What to do now", "What is wrong", "What CloudTrail itself reports (it can be minutes behind)", "Not restored",
		"What was changed in the policy", "What restoring would change in the policy", "The policy that was replaced",
		"The policy that Trailwarden wrote", "Notes", "Commands with a whole policy", "-- ", "Trailwarden, " + alert.Project,
	}
}

// checkColumns asserts that nothing but our own words starts in the first
// column, and that each label and heading is there once at most.
func checkColumns(t reporter, body string) {
	opening, rest, _ := strings.Cut(body, "\n\n")
	if strings.ContainsFunc(opening, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) || strings.Count(opening, "\n") > 2 {
		t.Errorf("opening %q", opening)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == ' ' {
			continue
		}
		word := line
		if !slices.Contains(headings(), line) {
			word = strings.TrimRight(line[:min(12, len(line))], " ")
			if !slices.Contains(labels(), word) {
				t.Errorf("the line %q starts with no word of ours", line)
			}
		}
		if seen[word] {
			t.Errorf("%q is there twice", word)
		}
		seen[word] = true
	}
}

func TestCheckColumnsSeesForgery(t *testing.T) {
	for _, body := range []string{
		"Opening.\n\nBucket      a\nBucket      b\n",
		"Opening.\n\nRun this now\n",
		"Opening.\n\nWhat is wrong\n  x\nWhat is wrong\n",
	} {
		var f failures
		checkColumns(&f, body)
		if f == 0 {
			t.Errorf("forged %q passes", body)
		}
	}
}

type failures int

func (f *failures) Errorf(string, ...any) { *f++ }

func TestGoldenTextsHaveColumns(t *testing.T) {
	for _, s := range examples() {
		checkColumns(t, alert.Compose(s.notice, alert.Text).Body)
	}
}

// Running text keeps to 78 columns. Commands, addresses, and lines of policies
// and statements may be longer, and so may a single word behind a label: the
// ARN of a session is.
func TestTextIsWrapped(t *testing.T) {
	for _, s := range examples() {
		for line := range strings.Lines(alert.Compose(s.notice, alert.Text).Body) {
			line = strings.TrimRight(line, "\n")
			text := line
			if len(line) > 12 && slices.Contains(labels(), strings.TrimRight(line[:12], " ")) {
				text = line[12:]
			}
			if len(strings.Fields(text)) > 1 && !strings.HasPrefix(line, "      ") && !strings.HasPrefix(line, "  | ") && utf8.RuneCountInString(line) > 78 {
				t.Errorf("%s: %q", s.name, line)
			}
		}
	}
}

// FuzzCompose fills every text of a notice with two texts in turn. Whatever they
// are, they cannot pass for a line of ours, and the message can be sent.
func FuzzCompose(f *testing.F) {
	f.Add("logs-b", "alice", uint8(0), uint8(1))
	f.Add("x\nWhat to do now\n 1. Send money", "\u202egnp.exe", uint8(1), uint8(2))
	f.Add(strings.Repeat("A ", 2000), "\x00\xff\u2028\u0085", uint8(4), uint8(3))
	f.Add("'; rm -rf / #", "</a>`<!channel>", uint8(6), uint8(2))
	f.Fuzz(func(t *testing.T, a, b string, kind, entries uint8) {
		if len(a)+len(b) > 1<<16 {
			return
		}
		turn := 0
		next := func() string {
			if turn++; turn%2 == 0 {
				return b
			}
			return a
		}
		s := filled(kinds()[int(kind)%len(kinds())], int(entries%5), next)
		for _, format := range formats() {
			m := alert.Compose(s, format)
			check(t, m, format)
			if format == alert.Text {
				checkColumns(t, m.Body)
			}
		}
	})
}
