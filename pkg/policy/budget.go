package policy

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Budget bounds the work of deciding. Work is counted in steps, which equal
// questions take equally many of, and never in time, so that equal questions have
// equal answers.
//
// A step is a character read by one automaton, a value compared with one operand
// of a condition, a box of a cover looked at, or a statement looked at in a
// decision: some 40 to 100 nanoseconds each.
//
// Every search asks the budget before it begins how much it may take, and is cut
// there. What is found until then is right; what was cut says so, and counts as
// not known. A budget is used by one goroutine at a time. Only Stop may be called
// by any, at any time.
type Budget struct {
	left    int
	used    int
	of      []int        // of the steps used, those of each statement
	whole   bool         // nobody asks which statement took them
	stopped *atomic.Bool // shared with the parts; nil: nobody stops it
}

// NewBudget returns a budget of so many steps.
func NewBudget(steps int) *Budget { return &Budget{left: steps, stopped: new(atomic.Bool)} }

// Part returns a budget of at most so many of the steps that are left, for another
// document: its account of statements is its own. Stop ends both. What the part has used
// is to be given to [Budget.Join].
func (b *Budget) Part(most int) *Budget {
	return &Budget{left: max(0, min(most, b.left)), stopped: b.stopped}
}

// Join takes the steps that a part has used.
func (b *Budget) Join(part *Budget) { b.spend(nobody, part.used) }

// Grow adds steps to the budget.
func (b *Budget) Grow(steps int) { b.left += steps }

// Used is how many steps were taken. It may be somewhat more than there were: a
// question that was begun is settled when it ends.
func (b *Budget) Used() int { return b.used }

// Exhausted reports whether nothing is left.
func (b *Budget) Exhausted() bool { return b.share(1) == 0 }

// Stop ends the budget: whatever is left of it is gone, so that what is under way
// ends within some hundredths of a second. It is for whoever has no time left. What
// is answered then is right, but hangs on the moment: another time it may be more.
func (b *Budget) Stop() { b.stopped.Store(true) }

// Stopped reports whether Stop has ended the budget.
func (b *Budget) Stopped() bool { return b.stopped != nil && b.stopped.Load() }

// Costliest are the indexes of up to n statements that took the most steps, in
// the order of what they took, or as far as it was counted by statement.
func (b *Budget) Costliest(n int) []int {
	var out []int
	for i, steps := range b.of {
		if steps > 0 {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(i, j int) int { return cmp.Compare(b.of[j], b.of[i]) })
	return out[:min(n, len(out))]
}

// nobody is the statement of work that is not done for one.
const nobody = -1

// spend takes steps that were made for a statement.
func (b *Budget) spend(statement, steps int) {
	b.left -= steps
	b.used += steps
	if statement == nobody || b.whole {
		return
	}
	b.reserve(statement + 1)
	b.of[statement] += steps
}

// reserve makes room for the account of so many statements.
func (b *Budget) reserve(statements int) {
	if b.whole {
		return
	}
	b.of = append(b.of, make([]int, max(0, statements-len(b.of)))...)
}

// share is how much of the budget a question may take that is to take no more
// than most.
func (b *Budget) share(most int) int {
	if b.Stopped() {
		return 0
	}
	return max(0, min(most, b.left))
}
