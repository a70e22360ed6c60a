package guardrail

import (
	"context"
	"sync"
	"time"
)

// turns lets the reconciliations of one bucket in this process come one after the
// other. They would be in each other's way: trails of thirty accounts may use one
// bucket, and events of all of them come in one batch. Between processes the record
// decides who was first.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// turnTime is how long a turn is waited for. It only saves work: after that time, or
// beside a reconciliation that does not end, the bucket is reconciled even so.
const turnTime = 5 * time.Second

// take waits for the turn of a bucket, and returns how to give it back.
func (t *turns) take(ctx context.Context, bucket string) (release func()) {
	ctx, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	for {
		t.mu.Lock()
		before, taken := t.held[bucket]
		if !taken {
			if t.held == nil {
				t.held = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			t.held[bucket] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.held, bucket)
				close(mine)
			}
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return func() {}
		}
	}
}
