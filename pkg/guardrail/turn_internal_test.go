package guardrail

import (
	"context"
	"sync"
	"testing"
)

// One bucket's turns come one after the other, and those of others do not wait.
func TestTurns(t *testing.T) {
	var turns turns
	var all sync.WaitGroup
	n, most := 0, 0
	other := turns.take(t.Context(), "other")
	for range 50 {
		all.Go(func() {
			defer turns.take(t.Context(), "logs")()
			n++
			most = max(most, n)
			n--
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d at once", most)
	}
	// A turn that does not end is not waited for for ever.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	turns.take(ended, "other")()
	other()
	turns.take(t.Context(), "other")()
}
