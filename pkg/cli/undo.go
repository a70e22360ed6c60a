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
	liveFlags
	tableFlag
	writeFlags
	At      string `placeholder:"TIME" help:"Which of several policies: its time, as the list shows it."`
	List    bool   `help:"Only list the policies that are kept."`
	Release bool   `help:"Lift the hold that an earlier undo put on repairs of the bucket."`
}

// Run lists, or puts one policy back after showing the diff.
func (c *undoCommand) Run(ctx context.Context, sys *system) error {
	tableName := c.tableName(sys)
	if tableName == "" {
		return errors.New("replaced policies are kept in the guard's table; give it with --table or TRAILWARDEN_TABLE")
	}
	if err := c.checkTarget(); err != nil {
		return err
	}
	conn, err := c.connect(ctx, sys, tableName, guardrail.Config{})
	if err != nil {
		return err
	}
	ref := c.ref(conn)
	key := ledger.Key{Account: ref.Account, Bucket: ref.Name}
	if c.Release {
		if err := conn.Release(ctx, key); err != nil {
			return fmt.Errorf("cannot lift the hold on %s: %w", c.Bucket, err)
		}
		sys.screen.printf("%s may be repaired again.\n", clean(c.Bucket))
		return nil
	}
	kept, err := conn.Snapshots(ctx, key)
	switch {
	case err != nil:
		return fmt.Errorf("cannot read the policies kept of %s: %w", c.Bucket, err)
	case len(kept) == 0:
		return fmt.Errorf("table %s keeps no replaced policy of %s in account %s", tableName, c.Bucket, ref.Account)
	case c.List || c.At == "" && len(kept) > 1:
		writeSnapshots(sys.screen, c.Bucket, kept)
		return nil
	}
	chosen, err := c.choose(kept)
	if err != nil {
		return err
	}
	return c.putBack(ctx, sys, conn, chosen)
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

func (c *undoCommand) putBack(ctx context.Context, sys *system, conn connection, s ledger.Snapshot) error {
	if err := c.checkPrompt(sys); err != nil {
		return err
	}
	wrote := false
	user, _ := sys.lookupEnv("USER")
	by := cmp.Or(user, "someone") + " with credentials of account " + conn.account
	err := conn.Undo(ctx, c.ref(conn), s, by, func(diff string) (bool, error) {
		sys.screen.printf("%s: to put back the policy replaced at %s\n\n", clean(c.Bucket), stamp(s.Time))
		sys.screen.diff(diff)
		var err error
		wrote, err = c.confirm(ctx, sys)
		return wrote, err
	})
	switch {
	case err != nil:
		return fmt.Errorf("cannot undo on %s: %w", c.Bucket, err)
	case !wrote:
		sys.screen.printf("Nothing was written.\n")
	default:
		sys.screen.printf("Put back. The guard does not repair this bucket until its policy changes, or\n")
		sys.screen.printf("until you run: trailwarden undo --bucket %s --release --table %s\n", clean(c.Bucket), clean(c.tableName(sys)))
	}
	return nil
}

func writeSnapshots(s screen, bucket string, kept []ledger.Snapshot) {
	s.printf("Policies of %s that repairs replaced; put one back with --at TIME:\n\n", clean(bucket))
	list := table{header: []string{"TIME", "SIZE", "REPLACED BECAUSE"}}
	for _, snapshot := range kept {
		size := fmt.Sprintf("%d bytes", len(snapshot.Policy))
		if len(snapshot.Policy) == 0 {
			size = "no policy"
		}
		list.add(cell{stamp(snapshot.Time), plain}, cell{size, plain}, cell{clean(snapshot.Reason), plain})
	}
	list.write(s, 0)
}

// stamp is a time as --at takes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
