package e2e

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/guardrail/porttest"
)

// The ledger on the emulator's DynamoDB, with the table of the template, keeps
// what the one in memory keeps.
func TestLedgerConforms(t *testing.T) {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}, nil
	})
	porttest.Ledger(t, func(t *testing.T) guardrail.Ledger {
		deploy(t)
		clients := awsapi.NewClients(awsapi.Options{
			Config:  aws.Config{Region: region, Credentials: credentials},
			Account: account, Endpoint: shared.aws.proxy.URL,
		})
		return awsapi.NewLedger(clients, "ledger")
	})
}
