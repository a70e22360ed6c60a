package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

var errNoRegion = errors.New("no region is set: give --region, or set AWS_REGION, or a region in the profile")

// Caller is whose credentials are used, and where.
type Caller struct {
	ARN     string // of the user, or of the role's session
	Account string
	Region  string // that is asked first
}

// NewGuard returns a guard that works with the caller's own credentials, and
// whose they are. Credentials are found as the AWS CLI finds them.
func NewGuard(
	ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer,
) (*guardrail.Guard, Caller, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(s.Region),
		config.WithSharedConfigProfile(s.Profile),
		config.WithAppID(awsapi.SessionName))
	if err != nil {
		return nil, Caller{}, fmt.Errorf("read AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, Caller{}, errNoRegion
	}
	if s.Endpoint == "" {
		s.Endpoint, _ = lookup("AWS_ENDPOINT_URL")
	}
	own := awsapi.NewClients(awsapi.Options{Config: cfg, Endpoint: s.Endpoint})
	account, principal, err := own.Caller(ctx)
	if err != nil {
		return nil, Caller{}, fmt.Errorf("find out whose credentials these are: %w", err)
	}
	options := awsapi.Options{Config: cfg, Account: account, Role: s.Role, Endpoint: s.Endpoint}
	if s.Organization {
		options.Sharing = 1
	}
	clients := awsapi.NewClients(options)
	p, err := app.Ports(clients, s.TopicARN, "", s.Table)
	if err != nil {
		return nil, Caller{}, err
	}
	if s.Organization {
		members, buckets := awsapi.NewMembers(clients), awsapi.NewBuckets(clients)
		p.Members, p.RCPs, p.Owners, p.Folders, p.Stacks = members, members, buckets, buckets, awsapi.NewStacks(clients)
	}
	c.Stack = alert.Stack{Account: account, Region: cfg.Region, Table: s.Table}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return guardrail.New(p, c, app.Runtime(logger)), Caller{ARN: principal, Account: account, Region: cfg.Region}, nil
}
