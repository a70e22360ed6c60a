package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// undoCommand puts back a policy that a repair replaced.
type undoCommand struct {
	session
	memory
	target
	At      string `placeholder:"TIME" help:"Which of several policies: its time, as the list shows it."`
	List    bool   `help:"Only list the policies that are kept."`
	Release bool   `help:"Lift the hold that an earlier undo put on repairs of the bucket."`
}

// Run lists, or puts one policy back after showing the diff.
func (c *undoCommand) Run(ctx context.Context, e *environment) error {
	table := c.name(e)
	if table == "" {
		return errors.New("replaced policies are kept in the guard's table; give it with --table or TRAILWARDEN_TABLE")
	}
	if err := c.checkOwner(); err != nil {
		return err
	}
	account, err := c.connect(ctx, e, table, guardrail.Config{})
	if err != nil {
		return err
	}
	ref := c.ref(account)
	key := ledger.Key{Account: ref.Account, Bucket: ref.Name}
	if c.Release {
		if err := account.Release(ctx, key); err != nil {
			return fmt.Errorf("cannot lift the hold on %s: %w", c.Bucket, err)
		}
		printf(e.stdout, "%s may be repaired again.\n", clean(c.Bucket))
		return nil
	}
	kept, err := account.Snapshots(ctx, key)
	switch {
	case err != nil:
		return fmt.Errorf("cannot read the policies kept of %s: %w", c.Bucket, err)
	case len(kept) == 0:
		return fmt.Errorf("table %s keeps no replaced policy of %s in account %s", table, c.Bucket, ref.Account)
	case c.List || c.At == "" && len(kept) > 1:
		e.writeSnapshots(c.Bucket, kept)
		return nil
	}
	chosen, err := c.choose(kept)
	if err != nil {
		return err
	}
	return c.putBack(ctx, e, account, ref, chosen)
}

// choose finds the snapshot that --at names.
func (c *undoCommand) choose(kept []ledger.Snapshot) (ledger.Snapshot, error) {
	if c.At == "" {
		return kept[0], nil
	}
	at, err := time.Parse(time.RFC3339Nano, c.At)
	if err != nil {
		return ledger.Snapshot{}, errors.New("--at: expected a time such as 2026-09-13T17:50:37Z")
	}
	for _, s := range kept {
		if s.Time.Equal(at) {
			return s, nil
		}
	}
	return ledger.Snapshot{}, fmt.Errorf("no policy of %s is kept from %s; --list shows those that are", c.Bucket, c.At)
}

func (c *undoCommand) putBack(ctx context.Context, e *environment, account connection, ref guardrail.BucketRef, s ledger.Snapshot) error {
	if err := c.checkPrompt(e); err != nil {
		return err
	}
	wrote := false
	user, _ := e.lookupEnv("USER")
	by := cmp.Or(user, "someone") + " with credentials of account " + account.account
	err := account.Undo(ctx, ref, s, by, func(diff string) (bool, error) {
		printf(e.stdout, "%s: to put back the policy replaced at %s\n\n", clean(ref.Name), stamp(s.Time))
		e.screen.diff(e.stdout, diff)
		var err error
		wrote, err = c.confirm(ctx, e, "Write this to "+clean(ref.Name)+"?")
		return wrote, err
	})
	switch {
	case err != nil:
		return fmt.Errorf("cannot undo on %s: %w", c.Bucket, err)
	case !wrote:
		printf(e.stdout, "Nothing was written.\n")
	default:
		printf(e.stdout, "Put back. The guard does not repair this bucket until its policy changes, or\n")
		printf(e.stdout, "until you run: trailwarden undo --bucket %s --release --table %s\n", clean(ref.Name), clean(c.name(e)))
	}
	return nil
}

func (e *environment) writeSnapshots(bucket string, kept []ledger.Snapshot) {
	printf(e.stdout, "Policies of %s that repairs replaced; put one back with --at TIME:\n\n", clean(bucket))
	list := table{header: []string{"TIME", "SIZE", "REPLACED BECAUSE"}}
	for _, s := range kept {
		size := fmt.Sprintf("%d bytes", len(s.Policy))
		if len(s.Policy) == 0 {
			size = "no policy"
		}
		list.add(cell{stamp(s.Time), plain}, cell{size, plain}, cell{clean(s.Reason), plain})
	}
	list.write(e.stdout, e.screen, 0)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
