package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

var errNoRegion = errors.New("no region is set: give --region, or set AWS_REGION, or a region in the profile")

// NewGuard returns a guard that works with the caller's own credentials,
// and the account and region that they are for. Credentials are found as the
// AWS CLI finds them.
func NewGuard(
	ctx context.Context, s app.Session, c guardrail.Config, lookup app.LookupEnv, log io.Writer,
) (g *guardrail.Guard, account, region string, err error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(s.Region),
		config.WithSharedConfigProfile(s.Profile),
		config.WithAppID(awsapi.SessionName))
	if err != nil {
		return nil, "", "", fmt.Errorf("read AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, "", "", errNoRegion
	}
	if s.Endpoint == "" {
		s.Endpoint, _ = lookup("AWS_ENDPOINT_URL")
	}
	caller := awsapi.NewClients(awsapi.Options{Config: cfg, Endpoint: s.Endpoint})
	account, _, err = caller.Caller(ctx)
	if err != nil {
		return nil, "", "", fmt.Errorf("find out whose credentials these are: %w", err)
	}
	clients := awsapi.NewClients(awsapi.Options{Config: cfg, Account: account, Role: s.Role, Endpoint: s.Endpoint})
	p, err := app.Ports(clients, s.TopicARN, s.Table)
	if err != nil {
		return nil, "", "", err
	}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return guardrail.New(p, c, app.Runtime(logger)), account, cfg.Region, nil
}
