package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// writeFlags are the flags of the commands that write to a bucket.
type writeFlags struct {
	Bucket      string `required:"" placeholder:"NAME" help:"The bucket."`
	BucketOwner string `placeholder:"ACCOUNT" help:"The account that owns the bucket. Default: the account of your credentials."`
	Yes         bool   `short:"y" help:"Do not ask before writing."`
}

// checkPrompt refuses to go on where a person would have to be asked and
// cannot be.
func (f writeFlags) checkPrompt(sys *system) error {
	if !f.Yes && !sys.prompts {
		return errors.New("standard input is no terminal, so nobody can be asked; give --yes to write without asking")
	}
	return nil
}

// confirm asks whether to write to the bucket, unless --yes was given.
func (f writeFlags) confirm(ctx context.Context, sys *system) (bool, error) {
	if f.Yes {
		return true, nil
	}
	return sys.ask(ctx, "Write this to "+clean(f.Bucket)+"?")
}

// ref says which bucket is meant, seen from the account that was reached.
// checkTarget reads the bucket's name and checks its owner.
func (f *writeFlags) checkTarget() (err error) {
	if f.Bucket, err = parseBucket(f.Bucket); err != nil {
		return err
	}
	return checkBucketOwner(f.BucketOwner)
}

func (f writeFlags) ref(conn connection) guardrail.BucketRef {
	return guardrail.BucketRef{Name: f.Bucket, Account: cmp.Or(f.BucketOwner, conn.account), Region: conn.region}
}

// restoreCommand repairs one bucket.
type restoreCommand struct {
	liveFlags
	tableFlag
	writeFlags
	Harden bool `help:"Also bind CloudTrail's grants, to trails or accounts, and replace legacy account principals."`
}

// Run shows the change, asks, writes, and prints the verdict before and after.
func (c *restoreCommand) Run(ctx context.Context, sys *system) error {
	if err := cmp.Or(c.checkTarget(), c.checkPrompt(sys)); err != nil {
		return err
	}
	tableName := c.tableName(sys)
	conn, err := c.connect(ctx, sys, tableName, guardrail.Config{Harden: c.Harden})
	if err != nil {
		return err
	}
	shown := false
	r, err := conn.Restore(ctx, c.ref(conn), func(before delivery.Report, p repair.Plan) (bool, error) {
		shown = true
		writeVerdict(sys.screen, "before", before)
		writeChanges(sys.screen, c.Bucket, p)
		if tableName == "" {
			sys.screen.printf("Without --table the policy as it is now is not kept for undo.\n")
		}
		return c.confirm(ctx, sys)
	})
	switch {
	case err != nil && r.Wrote:
		return fmt.Errorf("%s was written to, but the restoration was not finished: %w", c.Bucket, err)
	case err != nil:
		return fmt.Errorf("cannot restore %s: %w", c.Bucket, err)
	}
	if !shown {
		writeVerdict(sys.screen, "before", r.Before)
		writeChanges(sys.screen, c.Bucket, r.Plan)
	}
	if !r.Wrote {
		sys.screen.printf("Nothing was written.\n")
		if r.Plan.Empty() && len(r.Plan.Refused) == 0 && r.Before.Verdict == delivery.Delivering {
			return nil
		}
		return errFindings
	}
	writeVerdict(sys.screen, "after", r.After)
	if r.After.Verdict != delivery.Delivering {
		writeFindings(sys.screen, r.After)
		return errFindings
	}
	return nil
}

func writeVerdict(s screen, when string, r delivery.Report) {
	s.printf("%s: %s\n", when, s.paint(verdictTone(r.Verdict), string(r.Verdict)))
}
