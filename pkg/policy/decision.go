package policy

// Outcome is the answer to a request.
type Outcome string

// The answers. Undetermined is an answer: what the policy decides hangs on
// something that is not known of the request.
const (
	Allowed      Outcome = "allowed"
	ExplicitDeny Outcome = "explicit_deny"
	ImplicitDeny Outcome = "implicit_deny"
	Undetermined Outcome = "undetermined"
	// Invalid is a document that S3 would not accept. Decide never gives it;
	// see Document.Faults.
	Invalid Outcome = "invalid"
)

// Truth is the result of a test of which not everything need be known.
type Truth uint8

// The results.
const (
	No Truth = iota
	Maybe
	Yes
)

// Decision is the answer to one request and the grounds for it.
type Decision struct {
	Outcome Outcome
	// Responsible are the indexes of the statements that decide: the matching
	// Denies of an explicit deny, the matching Allows of an allow, and for
	// an undetermined answer the statements that may match and the Allows
	// that do. Empty for an implicit deny.
	Responsible []int
	// Matches holds how each statement relates to the request, in the
	// document's order.
	Matches []Match
	// DeniedEitherWay is set on an undetermined answer that is a denial
	// whatever the unknown turns out to be: explicit or implicit.
	DeniedEitherWay bool
	// DependsOn are the context keys, as the policy spells them, whose unknown
	// values leave the answer open. Sorted.
	DependsOn []string
	// Assumptions are the open points of IAM that the answer rests on.
	Assumptions []Assumption
	// Bounded is set where telling apart all values of the unknown keys would
	// have taken too many cases, so that the answer is not exact.
	Bounded bool
}

// Match is how one statement relates to a request, part by part.
type Match struct {
	Index                                  int
	Principal, Action, Resource, Condition Truth
}

// Truth is whether the statement applies to the request.
func (m Match) Truth() Truth {
	return min(m.Principal, m.Action, m.Resource, m.Condition)
}
