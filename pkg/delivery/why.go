package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// why is the judgement's reason in one sentence, and in a second one the open
// point of IAM that it rests on, if any.
func (e *evaluation) why(doc *policy.Document) string {
	var text string
	switch e.outcome {
	case policy.Allowed:
		text = e.whyAllowed(doc)
	case policy.ExplicitDeny:
		text = e.whyExplicit(doc)
	case policy.ImplicitDeny:
		text = e.whyImplicit(doc)
	case policy.Undetermined, policy.Invalid:
		text = e.whyOpen(doc)
	}
	for _, a := range e.example.decision.Assumptions {
		text += fmt.Sprintf(" This rests on an open point of IAM: %s.", strings.TrimSuffix(a.Text, "."))
	}
	return text
}

func (e *evaluation) whyAllowed(doc *policy.Document) string {
	return statementsDo(statementNames(doc, e.responsible()), "allows", "allow") + " it."
}

// whyExplicit names the Deny and what of it hits.
func (e *evaluation) whyExplicit(doc *policy.Document) string {
	denies := e.example.decision.Responsible
	text := statementsDo(statementNames(doc, denies), "denies", "deny") + " " + e.Action
	if slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome != policy.ExplicitDeny }) {
		text += " on " + e.example.sample.Text
	}
	if reasons := hits(doc, &e.example.request, denies); reasons != "" {
		return text + ": " + reasons + "."
	}
	return text + " without a condition."
}

// hits says by which conditions and exceptions the statements match.
func hits(doc *policy.Document, request *policy.Request, statements []int) string {
	var reasons []string
	for _, st := range doc.Explain(request) {
		if !slices.Contains(statements, st.Index) {
			continue
		}
		var own []string
		for _, part := range st.Parts {
			if strings.HasPrefix(part.Element, "Condition") || strings.HasPrefix(part.Element, "Not") {
				own = append(own, phrase(part))
			}
		}
		if len(own) == 0 {
			continue
		}
		reason := strings.Join(own, ", and ")
		if len(statements) > 1 {
			reason = shown(doc.Label(st.Index)) + " since " + reason
		}
		reasons = append(reasons, reason)
	}
	return strings.Join(reasons, "; ")
}

// phrase is the reason of one part, without the full stop.
func phrase(part policy.PartExplanation) string {
	why := strings.TrimSuffix(part.Why, ".")
	if strings.HasPrefix(part.Element, "Condition") || strings.HasPrefix(part.Element, "Not") {
		return why
	}
	return part.Element + ": " + why
}

// whyOpen says what is not known.
func (e *evaluation) whyOpen(doc *policy.Document) string {
	switch {
	case e.guessed && e.example.outcome == policy.ExplicitDeny:
		return fmt.Sprintf("%s, and %s %s on %s.", e.unknown(),
			lowerFirst(statementsDo(statementNames(doc, e.example.decision.Responsible), "denies", "deny")), e.Action, e.example.sample.Text)
	case e.guessed && e.example.outcome == policy.ImplicitDeny:
		return fmt.Sprintf("%s, and nothing allows %s on %s.", e.unknown(), e.Action, e.example.sample.Text)
	case e.unlisted && e.example.outcome == policy.ExplicitDeny:
		return fmt.Sprintf("%s %s on %s, of an account that is not known to be in the organization.",
			statementsDo(statementNames(doc, e.example.decision.Responsible), "denies", "deny"), e.Action, e.example.sample.Text)
	case e.incomplete && e.example.outcome == policy.Allowed:
		return "The policy tells apart more keys than can be decided, so only a part of them was."
	}
	d := e.example.decision
	var open []int
	for _, m := range d.Matches {
		if m.Truth() == policy.Maybe && slices.Contains(d.Responsible, m.Index) {
			open = append(open, m.Index)
		}
	}
	who := statementsDo(statementNames(doc, open), "hangs", "hang")
	switch {
	case d.Bounded:
		return who + " on more values than can be told apart, so the answer is open."
	case len(d.DependsOn) > 0:
		return fmt.Sprintf("%s on %s, of which it is not known what CloudTrail's requests hold.", who, brief(d.DependsOn))
	case len(open) == 0:
		return "What the policy says of it cannot be read for certain."
	default:
		return fmt.Sprintf("%s match CloudTrail's request by %s.",
			statementsDo(statementNames(doc, open), "may or may not", "may or may not"), list(doubtful(d.Matches, open)))
	}
}

// doubtful are the elements by which the statements may or may not match.
func doubtful(matches []policy.Match, statements []int) []string {
	var out []string
	add := func(name string, t policy.Truth) {
		if t == policy.Maybe && !slices.Contains(out, "its "+name) {
			out = append(out, "its "+name)
		}
	}
	for _, m := range matches {
		if slices.Contains(statements, m.Index) {
			add("Principal", m.Principal)
			add("Action", m.Action)
			add("Resource", m.Resource)
			add("Condition", m.Condition)
		}
	}
	return out
}

// unknown says what makes the requests of the requirement a guess.
func (e *evaluation) unknown() string {
	for _, p := range e.Places {
		for _, part := range p.Resources {
			if part.Name == "organization" && len(part.Words) == 0 {
				return "The organization's id is not known"
			}
		}
	}
	return "How CloudTrail joins a prefix that begins or ends with a slash is not documented"
}

// whyImplicit says what no statement allows.
func (e *evaluation) whyImplicit(doc *policy.Document) string {
	if may := e.denying(doc, false); e.example.decision.Outcome == policy.Undetermined && len(may) > 0 {
		return fmt.Sprintf("Where %s, which may deny it, does not hit, nothing allows %s on %s.",
			statementsNamed(statementNames(doc, may)), e.Action, e.Resource)
	}
	if text, ok := e.whyPartial(doc); ok {
		return text
	}
	n, ok := e.nearest(doc)
	if !ok {
		return fmt.Sprintf("No statement allows %s to CloudTrail.", e.Action)
	}
	return fmt.Sprintf("No statement allows %s to CloudTrail on %s; the nearest, %s, does not match: %s.",
		e.Action, e.Resource, shown(n.Label()), strings.Join(n.misses(doc, e), ", and "))
}

// near is an Allow statement that nearly matches, and its failing parts.
type near struct {
	policy.StatementExplanation
}

// nearest finds the Allow statement for CloudTrail that matches the example
// but for the fewest parts. A statement for others or for other actions is
// near only if that is all that is wrong with it.
func (e *evaluation) nearest(doc *policy.Document) (near, bool) {
	best, fewest := -1, 0
	for _, m := range e.example.decision.Matches {
		if doc.At(m.Index).Effect != policy.Allow || m.Action == policy.No {
			continue
		}
		misses := 0
		for _, t := range []policy.Truth{m.Principal, m.Resource, m.Condition} {
			if t == policy.No {
				misses++
			}
		}
		if m.Principal == policy.No && misses > 1 {
			continue
		}
		if misses > 0 && (best < 0 || misses < fewest) {
			best, fewest = m.Index, misses
		}
	}
	if best < 0 {
		return near{}, false
	}
	for _, st := range doc.Explain(&e.example.request) {
		if st.Index == best {
			return near{st}, true
		}
	}
	return near{}, false
}

// misses says for each failing part what it wants.
func (n near) misses(doc *policy.Document, e *evaluation) []string {
	st := doc.At(n.Index)
	var out []string
	for _, part := range n.Parts {
		if part.Match != policy.No {
			continue
		}
		switch part.Element {
		case "Principal":
			var names []string
			for _, p := range st.Principals.Entries {
				names = append(names, p.Value)
			}
			out = append(out, fmt.Sprintf("its Principal is %s, not %s", brief(names), e.example.request.Caller.Value))
		case "Resource":
			out = append(out, fmt.Sprintf("its Resource is %s", brief(st.Resources.List)))
		default:
			out = append(out, phrase(part))
		}
	}
	return out
}

// statementsDo begins a sentence about statements.
func statementsDo(names []string, one, many string) string {
	switch len(names) {
	case 0:
		return "Nothing " + one
	case 1:
		return "Statement " + shown(names[0]) + " " + one
	default:
		return "Statements " + brief(names) + " " + many
	}
}

// statementsNamed names statements within a sentence.
func statementsNamed(names []string) string {
	if len(names) == 1 {
		return "statement " + shown(names[0])
	}
	return "statements " + brief(names)
}
