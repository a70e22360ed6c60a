package inmem

import (
	"context"
	"slices"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Alerts collects what is published. It is safe for use by several goroutines.
// The zero Alerts is empty.
type Alerts struct {
	mu       sync.Mutex
	messages []alert.Message
}

var _ guardrail.Alerts = (*Alerts)(nil)

// Publish keeps the message.
func (a *Alerts) Publish(ctx context.Context, m alert.Message) error {
	if err := ctx.Err(); err != nil {
		return failure("alerts:Publish", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.messages = append(a.messages, m)
	return nil
}

// Messages returns what was published, oldest first.
func (a *Alerts) Messages() []alert.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages)
}
