package cli

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// screen is what text is written for.
type screen struct {
	width  int
	colour bool
}

const (
	defaultWidth = 80
	leastWidth   = 40
)

// newScreen looks at what w is. Colour is for terminals only, and not where
// NO_COLOR is set (no-color.org).
func newScreen(w io.Writer, lookupEnv func(string) (string, bool)) screen {
	s := screen{width: defaultWidth}
	if isTerminal(w) {
		if width, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && width > 0 {
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

// tone is a colour by what it means.
type tone string

// The tones, as numbers of ANSI SGR sequences.
const (
	plain tone = ""
	good  tone = "32"
	bad   tone = "31;1"
	mild  tone = "33"
	faint tone = "2"
	bold  tone = "1"
)

func (s screen) paint(t tone, text string) string {
	if !s.colour || t == plain {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

func verdictTone(v delivery.Verdict) tone {
	switch v {
	case delivery.Delivering:
		return good
	case delivery.Blocked:
		return bad
	case delivery.Undetermined:
		return mild
	}
	return mild
}

func outcomeTone(o policy.Outcome) tone {
	switch o {
	case policy.Allowed:
		return good
	case policy.ExplicitDeny, policy.ImplicitDeny, policy.Invalid:
		return bad
	case policy.Undetermined:
		return mild
	}
	return mild
}

func severityTone(s delivery.Severity) tone {
	switch s {
	case delivery.Critical, delivery.High:
		return bad
	case delivery.Medium, delivery.Low:
		return mild
	case delivery.Informational:
		return plain
	}
	return mild
}

func truthTone(t policy.Truth) tone {
	switch t {
	case policy.Yes:
		return good
	case policy.No:
		return bad
	case policy.Maybe:
		return mild
	}
	return mild
}
