package delivery

import (
	"fmt"
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
		text = e.whyUndetermined(doc)
	}
	for _, a := range e.example.decision.Assumptions {
		text += fmt.Sprintf(" This rests on an open point of IAM: %s.", strings.TrimSuffix(a.Text, "."))
	}
	return text
}

func (e *evaluation) whyAllowed(doc *policy.Document) string {
	return statementsDo(statementNames(doc, e.responsible()), "allows", "allow") + " it."
}

// phrase is the reason of one part, without the full stop.
func phrase(part policy.PartExplanation) string {
	why := strings.TrimSuffix(part.Why, ".")
	if strings.HasPrefix(part.Element, "Condition") || strings.HasPrefix(part.Element, "Not") {
		return why
	}
	return part.Element + ": " + why
}

// why says of a bucket whose policy was not read what that means for every
// requirement.
func (b Bucket) why() string {
	switch b.State {
	case PolicyMissing:
		return "The bucket has no policy, so nothing allows it."
	case BucketMissing:
		return "There is no such bucket."
	case OtherOwner:
		return "The bucket belongs to another account than expected."
	case Unreadable, PolicyRead:
	}
	if b.Reason != "" {
		return "The bucket's policy could not be read: " + strings.TrimSuffix(b.Reason, ".") + "."
	}
	return "The bucket's policy could not be read."
}
