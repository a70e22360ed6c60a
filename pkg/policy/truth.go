package policy

// Truth is the result of a test of which not everything need be known. The
// results are those of Kleene's logic: a conjunction is the least of its parts,
// a disjunction the greatest, and Maybe is what may turn out either way.
type Truth uint8

// The results, in order.
const (
	No Truth = iota
	Maybe
	Yes
)

// truthOf turns a known fact into a Truth.
func truthOf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// not is the negation; Maybe stays Maybe.
func (t Truth) not() Truth { return Yes - t }

// either is what is known of a result that is one of both.
func join(a, b Truth) Truth {
	if a == b {
		return a
	}
	return Maybe
}

// String is the word for t: "no", "maybe" or "yes".
func (t Truth) String() string {
	switch t {
	case No:
		return "no"
	case Yes:
		return "yes"
	case Maybe:
	}
	return "maybe"
}

// verb says that something is or may be so.
func (t Truth) verb() string {
	switch t {
	case No:
		return "is false"
	case Yes:
		return "is true"
	case Maybe:
	}
	return "may be true or false"
}
