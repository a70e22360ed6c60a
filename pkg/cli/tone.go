package cli

import (
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

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

// statementTone colours by what the statement does to CloudTrail: a Deny that
// applies is bad, and a statement that does not apply needs no attention.
func statementTone(s policy.StatementExplanation) tone {
	switch {
	case s.Match == policy.No:
		return faint
	case s.Match == policy.Maybe:
		return mild
	case s.Effect == policy.Deny:
		return bad
	default:
		return good
	}
}

func diffTone(k diffKind) tone {
	switch k {
	case diffFile:
		return bold
	case diffAdded:
		return good
	case diffRemoved:
		return bad
	case diffHunk:
		return faint
	case diffContext:
		return plain
	}
	return plain
}
