package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/asff"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
)

// SecurityHub is the entry point of the function that puts alerts into Security Hub. It is a
// function of its own, so that the guard is neither larger nor slower for it, and so that what
// Security Hub refuses keeps no alert from anybody else.
type SecurityHub struct {
	account  arn.Account
	region   arn.Region
	findings awsapi.Findings
	log      *slog.Logger
}

// NewSecurityHub builds the clients once. The variables are TRAILWARDEN_ACCOUNT, AWS_REGION and
// AWS_ENDPOINT_URL, as in [ReadConfig].
func NewSecurityHub(lookup LookupEnv, log *slog.Logger) (*SecurityHub, error) {
	e := environment{lookup: lookup}
	c := Config{
		Account:  variable(&e, "TRAILWARDEN_ACCOUNT", must, "an account id of 12 digits", spelled(arn.ParseAccount)),
		Region:   variable(&e, "AWS_REGION", must, "a region such as eu-central-1", spelled(arn.ParseRegion)),
		Endpoint: variable(&e, "AWS_ENDPOINT_URL", "", "a URL such as http://localhost:4566", address),
	}
	credentials, err := lambdaCredentials(lookup)
	if err := errors.Join(errors.Join(e.failures...), err); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &SecurityHub{
		account: c.Account, region: c.Region, log: log.With("version", Version),
		findings: awsapi.NewFindings(clientsFor(c, credentials)),
	}, nil
}

// Import handles an event of SNS. A message that is no alert in JSON fails like one that
// Security Hub refuses: Lambda tries again, and keeps it in the end.
// Source: "Process Amazon SNS notifications with Lambda" in the Lambda developer guide.
func (s *SecurityHub) Import(ctx context.Context, payload json.RawMessage) error {
	var event struct {
		Records []struct {
			SNS struct {
				ID      string `json:"MessageId"`
				Message string
			} `json:"Sns"`
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	if len(event.Records) == 0 {
		return errors.New("the event has no message of SNS")
	}
	var failures []error
	for _, r := range event.Records {
		finding, err := asff.FindingOf([]byte(r.SNS.Message), s.account, s.region)
		if err == nil {
			err = s.findings.Put(ctx, finding)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("message %q: %w", r.SNS.ID, err))
			continue
		}
		s.log.InfoContext(ctx, "finding imported", "id", finding.ID, "workflow", finding.Workflow.Status, "updatedAt", finding.UpdatedAt)
	}
	return errors.Join(failures...)
}
