package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/guardrail/porttest"
)

// The ledger and the inventory on the emulator's DynamoDB, with the table of the
// template, keep what those in memory keep.

func TestLedgerConforms(t *testing.T) {
	porttest.Ledger(t, func(t *testing.T) guardrail.Ledger {
		deploy(t)
		return awsapi.NewLedger(emulatorClients(), "ledger")
	})
}

func TestInventoryConforms(t *testing.T) {
	porttest.Inventory(t, func(t *testing.T) guardrail.Inventory {
		deploy(t)
		return awsapi.NewInventory(emulatorClients(), "ledger", time.Now)
	})
}

func emulatorClients() *awsapi.Clients {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}, nil
	})
	return awsapi.NewClients(awsapi.Options{
		Config:  aws.Config{Region: region, Credentials: credentials},
		Account: account, Endpoint: shared.aws.proxy.URL,
	})
}
