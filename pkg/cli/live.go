package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/app/live"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// guard is what the live commands need of a [guardrail.Guard].
type guard interface {
	Audit(ctx context.Context, account, region string, progress func(done, total int)) ([]guardrail.Audited, error)
	AuditOrganization(
		ctx context.Context, account, region string, progress func(s guardrail.Stage, done, total int),
	) (guardrail.AuditedOrganization, error)
	OrganizationStatus(
		ctx context.Context, account string, o guardrail.StatusOptions, progress func(done, total int),
	) (guardrail.OrganizationStatus, error)
	Restore(
		ctx context.Context, b guardrail.BucketRef, confirm func(delivery.Report, repair.Plan) (bool, error),
	) (guardrail.Restoration, error)
	Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error)
	Undo(ctx context.Context, b guardrail.BucketRef, s ledger.Snapshot, by string, confirm func(diff string) (bool, error)) error
	Release(ctx context.Context, k ledger.Key) error
	Accept(ctx context.Context, b guardrail.BucketRef, name, reason, by string, until time.Time) ([]trail.Part, error)
	Withdraw(ctx context.Context, b guardrail.BucketRef, name string) (bool, error)
	Accepted(ctx context.Context, b guardrail.BucketRef) ([]ledger.Acceptance, error)
}

// connection is a guard, the account and region that it works in, and as whom.
type connection struct {
	guard
	account, region string
	caller          string // ARN
}

// connector reaches an account. Log is where the guard's log goes.
type connector func(ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer) (connection, error)

func connectLive(ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer) (connection, error) {
	g, caller, err := live.NewGuard(ctx, s, c, lookup, log)
	return connection{g, caller.Account, caller.Region, caller.ARN}, err
}

// liveFlags are the flags of the commands that reach an account, named as the AWS
// CLI names them.
type liveFlags struct {
	Profile     string `placeholder:"NAME" help:"The profile of the AWS configuration to use."`
	Region      string `placeholder:"REGION" help:"The region to ask first. Trails of every region are found."`
	EndpointURL string `name:"endpoint-url" placeholder:"URL" help:"Use this address for every AWS service. AWS_ENDPOINT_URL does the same."`
	Role        string `placeholder:"NAME" help:"The role to assume in other accounts. Default: none is assumed."`
	Verbose     bool   `help:"Write a log to standard error."`
}

// tableFlag is the flag of the commands that use the ledger of the deployed guard.
type tableFlag struct {
	Table string `placeholder:"NAME" help:"The DynamoDB table of the deployed guard. Default: TRAILWARDEN_TABLE."`
}

// tableName returns the name of the table; empty: there is none.
func (f tableFlag) tableName(sys *system) string {
	if f.Table != "" {
		return f.Table
	}
	name, _ := sys.lookupEnv("TRAILWARDEN_TABLE")
	return name
}

// connect reaches the account with the guard's defaults.
func (f liveFlags) connect(ctx context.Context, sys *system, table string, c guardrail.Config) (connection, error) {
	return f.connectAs(ctx, sys, app.Session{Table: table}, c)
}

// accountsAtOnce is how many accounts of an organization are read at once. Each has a rate
// of its own at CloudTrail; STS gives out 600 roles a second for all.
const accountsAtOnce = 20

// connectOrganization reaches all accounts of the organization.
func (f liveFlags) connectOrganization(ctx context.Context, sys *system, table string, c guardrail.Config) (connection, error) {
	if f.Role == "" {
		return connection{}, errors.New("--role is missing: the name of the role that reads in the accounts, such as trailwarden/reader")
	}
	return f.connectMembers(ctx, sys, table, c)
}

// connectMembers reaches the organization's list of accounts, and with a role the accounts.
func (f liveFlags) connectMembers(ctx context.Context, sys *system, table string, c guardrail.Config) (connection, error) {
	c.Parallel = accountsAtOnce
	return f.connectAs(ctx, sys, app.Session{Table: table, Organization: true}, c)
}

// connectAs reaches the account with what the flags say of the session.
func (f liveFlags) connectAs(ctx context.Context, sys *system, session app.Session, c guardrail.Config) (connection, error) {
	c.Format = alert.Text
	log := io.Discard
	if f.Verbose {
		log = sys.stderr
	}
	session.Profile, session.Region, session.Endpoint, session.Role = f.Profile, f.Region, f.EndpointURL, f.Role
	conn, err := sys.connect(ctx, session, c, sys.lookupEnv, log)
	if _, ok := errors.AsType[*guardrail.PortError](err); ok {
		err = fmt.Errorf(`%w; "aws sts get-caller-identity" shows whether your credentials work`, err)
	}
	return conn, err
}
