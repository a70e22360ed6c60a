package guardrail_test

import (
	"context"
	"errors"
	"testing"
)

// called is what accounts are called, or why that cannot be read.
type called struct {
	name string
	err  error
}

// AccountName returns the name.
func (c called) AccountName(context.Context, string) (string, error) { return c.name, c.err }

// An alert says what the account is called, and waits for no name that cannot be read.
func TestAccountIsNamed(t *testing.T) {
	t.Parallel()
	for says, port := range map[string]called{
		`(account 111111111111 "Log Archive", us-east-1)`: {name: "Log Archive"},
		"(account 111111111111, us-east-1)":               {err: errors.New("no answer")},
	} {
		w := newWorld(t, listOnly)
		w.ports.Accounts = port
		w.rebuild()
		w.reconcile(t, w.put(t, policyOf(reader)))
		w.wantKinds(t, "opened")
		w.says(t, says)
	}
}
