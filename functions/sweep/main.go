// Command sweep is the Lambda function for the schedule. It reconciles every trail
// bucket of the account.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trailwarden/trailwarden/pkg/app"
)

func main() {
	if err := run(context.Background(), os.LookupEnv); err != nil { //nolint:forbidigo // composition root
		fmt.Fprintln(os.Stderr, "trailwarden sweep:", err)
		os.Exit(1)
	}
}

// run reads the configuration, builds the function and serves it. It returns
// only if the function cannot be built.
func run(ctx context.Context, lookup app.LookupEnv) error {
	config, err := app.ReadConfig(lookup)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	functions, err := app.NewFunctions(ctx, config, lookup, lambdacontext.NewLogger(), os.Stdout)
	if err != nil {
		return err
	}
	lambda.StartHandlerFunc(functions.Sweep, lambda.WithContext(ctx))
	return nil
}
