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

// target are the flags of the commands that write to a bucket.
type target struct {
	Bucket      string `required:"" placeholder:"NAME" help:"The bucket."`
	BucketOwner string `placeholder:"ACCOUNT" help:"The account that owns the bucket. Default: the account of your credentials."`
	Yes         bool   `short:"y" help:"Do not ask before writing."`
}

func (t target) checkOwner() error {
	return checkBucketOwner(t.BucketOwner)
}

// checkPrompt refuses to go on where a person would have to be asked and
// cannot be.
func (t target) checkPrompt(e *environment) error {
	if !t.Yes && !e.prompts {
		return errors.New("standard input is no terminal, so nobody can be asked; give --yes to write without asking")
	}
	return nil
}

func (t target) ref(c connection) guardrail.BucketRef {
	return guardrail.BucketRef{Name: t.Bucket, Account: cmp.Or(t.BucketOwner, c.account), Region: c.region}
}

// confirm asks, unless --yes was given.
func (t target) confirm(ctx context.Context, e *environment, question string) (bool, error) {
	if t.Yes {
		return true, nil
	}
	return e.ask(ctx, question)
}

// restoreCommand repairs one bucket.
type restoreCommand struct {
	session
	memory
	target
	Harden bool `help:"Also bind CloudTrail's grants to their trails and replace legacy account principals."`
}

// Run shows the change, asks, writes, and prints the verdict before and after.
func (c *restoreCommand) Run(ctx context.Context, e *environment) error {
	if err := cmp.Or(c.checkOwner(), c.checkPrompt(e)); err != nil {
		return err
	}
	table := c.name(e)
	account, err := c.connect(ctx, e, table, guardrail.Config{Harden: c.Harden})
	if err != nil {
		return err
	}
	shown := false
	r, err := account.Restore(ctx, c.ref(account), func(before delivery.Report, p repair.Plan) (bool, error) {
		shown = true
		e.writeVerdict("before", before)
		e.writeChanges(c.Bucket, p)
		if table == "" {
			printf(e.stdout, "Without --table the policy as it is now is not kept for undo.\n")
		}
		return c.confirm(ctx, e, "Write this to "+clean(c.Bucket)+"?")
	})
	switch {
	case err != nil && r.Wrote:
		return fmt.Errorf("%s was written to, but the restoration was not finished: %w", c.Bucket, err)
	case err != nil:
		return fmt.Errorf("cannot restore %s: %w", c.Bucket, err)
	}
	if !shown {
		e.writeVerdict("before", r.Before)
		e.writeChanges(c.Bucket, r.Plan)
	}
	if !r.Wrote {
		return c.untouched(e, r)
	}
	e.writeVerdict("after", r.After)
	if r.After.Verdict != delivery.Delivering {
		e.writeFindings(r.After)
		return errFindings
	}
	return nil
}

// untouched ends a restore that wrote nothing.
func (c *restoreCommand) untouched(e *environment, r guardrail.Restoration) error {
	printf(e.stdout, "Nothing was written.\n")
	if r.Plan.Empty() && len(r.Plan.Refused) == 0 && r.Before.Verdict == delivery.Delivering {
		return nil
	}
	return errFindings
}

func (e *environment) writeVerdict(when string, r delivery.Report) {
	printf(e.stdout, "%s: %s\n", when, e.screen.paint(verdictTone(r.Verdict), string(r.Verdict)))
}
