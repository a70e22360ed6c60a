package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/app/live"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// guard is what the live commands need of a [guardrail.Guard].
type guard interface {
	Audit(ctx context.Context, account, region string, progress func(done, total int)) ([]guardrail.Audited, error)
	Restore(ctx context.Context, b guardrail.BucketRef, confirm func(delivery.Report, repair.Plan) (bool, error)) (guardrail.Restoration, error)
	Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error)
	Undo(ctx context.Context, b guardrail.BucketRef, s ledger.Snapshot, by string, confirm func(diff string) (bool, error)) error
	Release(ctx context.Context, k ledger.Key) error
}

// connection is a guard, and the account and region that it works in.
type connection struct {
	guard
	account, region string
}

// connector reaches an account. Log is where the guard's log goes.
type connector func(ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer) (connection, error)

func connectLive(ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer) (connection, error) {
	g, account, region, err := live.NewGuard(ctx, s, c, lookup, log)
	return connection{g, account, region}, err
}

// session are the flags of the live commands, named as the AWS CLI names them.
type session struct {
	Profile     string `placeholder:"NAME" help:"The profile of the AWS configuration to use."`
	Region      string `placeholder:"REGION" help:"The region to ask first. Trails of every region are found."`
	EndpointURL string `name:"endpoint-url" placeholder:"URL" help:"Use this address for every AWS service. AWS_ENDPOINT_URL does the same."`
	Role        string `placeholder:"NAME" help:"The role to assume in other accounts. Default: none is assumed."`
	Verbose     bool   `help:"Write a log to standard error."`
}

// memory is the flag of the commands that use the guard's memory.
type memory struct {
	Table string `placeholder:"NAME" help:"The DynamoDB table of the deployed guard. Default: TRAILWARDEN_TABLE."`
}

func (m memory) name(e *environment) string {
	if m.Table != "" {
		return m.Table
	}
	name, _ := e.lookupEnv("TRAILWARDEN_TABLE")
	return name
}

// connect reaches the account with the guard's defaults.
func (s session) connect(ctx context.Context, e *environment, table string, c guardrail.Config) (connection, error) {
	c.Format = alert.Text
	log := io.Discard
	if s.Verbose {
		log = e.stderr
	}
	account, err := e.connect(ctx, app.Session{Profile: s.Profile, Region: s.Region, Endpoint: s.EndpointURL, Table: table, Role: s.Role}, c, e.lookupEnv, log)
	if _, ok := errors.AsType[*guardrail.PortError](err); ok {
		err = fmt.Errorf(`%w; "aws sts get-caller-identity" shows whether your credentials work`, err)
	}
	return account, err
}

// ask shows what was printed so far and asks a person. Only "y" and "yes" are
// a yes.
func (e *environment) ask(ctx context.Context, question string) (bool, error) {
	if err := e.stdout.Flush(); err != nil {
		return false, fmt.Errorf("cannot write the output: %w", err)
	}
	printf(e.stderr, "%s [y/N] ", question)
	type line struct {
		text string
		err  error
	}
	// A read cannot be interrupted, and the person must be able to.
	answers := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(e.stdin).ReadString('\n')
		answers <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return false, errors.New("interrupted; nothing was written")
	case answer := <-answers:
		if answer.err != nil && !errors.Is(answer.err, io.EOF) {
			return false, fmt.Errorf("cannot read the answer: %w", answer.err)
		}
		yes := strings.ToLower(strings.TrimSpace(answer.text))
		return yes == "y" || yes == "yes", nil
	}
}
