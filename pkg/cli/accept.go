package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// acceptCommand accepts that a trail covers less than before, until a day.
type acceptCommand struct {
	liveFlags
	tableFlag
	Bucket      string `required:"" placeholder:"NAME" help:"The bucket that the trail delivers into."`
	BucketOwner string `placeholder:"ACCOUNT" help:"The account that owns the bucket. Default: the account of your credentials."`
	Trail       string `placeholder:"TRAIL" help:"The trail, by its ARN or its name."`
	Reason      string `placeholder:"TEXT" help:"Why it covers less, in a sentence. It stands in the alert that tells of it."`
	Until       string `placeholder:"TIME" help:"The end, as 2027-06-30 or 2027-06-30T12:00:00Z. From then on it is told again."`
	List        bool   `help:"Only list what is accepted."`
	Withdraw    bool   `help:"Take back what is accepted of the trail."`
}

// maxReason is how long a reason may be, in bytes. It stands in a line of an alert.
const maxReason = 300

// Run accepts, lists or takes back.
func (c *acceptCommand) Run(ctx context.Context, sys *system) error {
	tableName := c.tableName(sys)
	if tableName == "" {
		return errors.New("what trails covered is kept in the guard's table; give it with --table or TRAILWARDEN_TABLE")
	}
	until, err := c.check(sys)
	if err != nil {
		return err
	}
	conn, err := c.connect(ctx, sys, tableName, guardrail.Config{})
	if err != nil {
		return err
	}
	ref := guardrail.BucketRef{Name: c.Bucket, Account: cmp.Or(c.BucketOwner, conn.account), Region: conn.region}
	switch {
	case c.List:
		accepted, err := conn.Accepted(ctx, ref)
		if err != nil {
			return fmt.Errorf("cannot read what is accepted of %s: %w", c.Bucket, err)
		}
		writeAcceptances(sys.screen, c.Bucket, accepted, sys.now())
		return nil
	case c.Withdraw:
		withdrawn, err := conn.Withdraw(ctx, ref, c.Trail)
		switch {
		case err != nil:
			return fmt.Errorf("cannot take back what is accepted of %s: %w", c.Trail, err)
		case !withdrawn:
			return fmt.Errorf("nothing is accepted of %s; --list shows what is", c.Trail)
		}
		sys.screen.printf("Taken back. If %s covers less than before, the guard tells it with its next look.\n", clean(c.Trail))
		return nil
	}
	user, _ := sys.lookupEnv("USER")
	by := cmp.Or(user, "someone") + " with credentials of account " + conn.account
	lost, err := conn.Accept(ctx, ref, c.Trail, c.Reason, by, until)
	switch {
	case err != nil:
		return fmt.Errorf("cannot accept it of %s: %w", c.Trail, err)
	case len(lost) == 0:
		return fmt.Errorf("%s is not known to cover less than before, so that there is nothing to accept", c.Trail)
	}
	sys.screen.indented(0, fmt.Sprintf("Accepted until %s that %s covers less than before: %s. The guard tells it as resolved with its next look.",
		until.UTC().Format(time.DateOnly), clean(c.Trail), partsText(lost)))
	return nil
}

// check checks the flags, and returns the end.
func (c *acceptCommand) check(sys *system) (until time.Time, err error) {
	if c.Bucket, err = parseBucket(c.Bucket); err != nil {
		return until, err
	}
	if err := checkBucketOwner(c.BucketOwner); err != nil {
		return until, err
	}
	if c.List {
		return until, nil
	}
	if c.Trail == "" {
		return until, errors.New("--trail: expected a trail, by its ARN or its name")
	}
	if c.Withdraw {
		return until, nil
	}
	c.Reason = strings.Join(strings.Fields(c.Reason), " ")
	if c.Reason == "" || len(c.Reason) > maxReason {
		return until, fmt.Errorf("--reason: expected why the trail covers less, in up to %d bytes", maxReason)
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if until, err = time.Parse(form, c.Until); err == nil {
			break
		}
	}
	if err != nil || !until.After(sys.now()) {
		return until, errors.New("--until: expected a time to come, such as 2027-06-30 or 2027-06-30T12:00:00Z")
	}
	return until, nil
}

func writeAcceptances(s screen, bucket string, accepted []ledger.Acceptance, now time.Time) {
	if len(accepted) == 0 {
		s.printf("Nothing is accepted of the trails of %s.\n", clean(bucket))
		return
	}
	list := table{header: []string{"TRAIL", "COVERS LESS", "UNTIL", "BY", "REASON"}}
	for _, a := range accepted {
		until := a.Until.UTC().Format(time.DateOnly)
		if !now.Before(a.Until) {
			until += ", over"
		}
		list.add(cell{clean(a.Coverage.ARN), plain}, cell{partsText(a.Lost), plain}, cell{until, plain}, cell{clean(a.By), plain}, cell{clean(a.Reason), plain})
	}
	list.write(s, 0)
}

func partsText(parts []trail.Part) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, string(p))
	}
	return strings.Join(texts, ", ")
}
