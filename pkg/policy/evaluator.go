package policy

import "github.com/trailwarden/trailwarden/pkg/glob"

// evaluator tests the conditions of statements on one request.
type evaluator struct {
	request *Request
	action  glob.Text // lower case
	// assigned is the value that an unknown key has in the case at hand, if any;
	// see caseTable.
	assigned assignment
	budget   *Budget
	lookup   func(key string) Value // value, as patterns take it
}

// assignment is the value that a key has in a case.
type assignment struct {
	key   string
	value Value
}

func newEvaluator(r *Request, b *Budget) *evaluator {
	ev := &evaluator{request: r, action: glob.Text(glob.LowerASCII(r.Action)), budget: b}
	ev.lookup = ev.value
	return ev
}

// value is what is known of a key, by its lower-case name.
func (ev *evaluator) value(key string) Value {
	if ev.assigned.key == key && key != "" {
		return ev.assigned.value
	}
	v := ev.request.Context.Lookup(key)
	if !v.Known && v.State != Absent && multivalued(key) {
		v.Multi = true
	}
	return v
}

// limits are those of a question about the values of one key. Whoever it is
// asked for pays.
func (ev *evaluator) limits(statement int) glob.Limits {
	const most = 200_000
	return glob.Limits{
		States: most / 10, Steps: ev.budget.share(most), Classes: maxValues,
		Spend: func(_, steps int) { ev.budget.spend(statement, steps) },
	}
}
