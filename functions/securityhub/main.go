// Command securityhub is the Lambda function that takes the alerts of the topic and puts them
// into AWS Security Hub CSPM.
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
		fmt.Fprintln(os.Stderr, "trailwarden securityhub:", err)
		os.Exit(1)
	}
}

// run reads the configuration, builds the function and serves it. It returns
// only if the function cannot be built.
func run(ctx context.Context, lookup app.LookupEnv) error {
	hub, err := app.NewSecurityHub(lookup, lambdacontext.NewLogger())
	if err != nil {
		return err
	}
	lambda.StartWithOptions(hub.Import, lambda.WithContext(ctx))
	return nil
}
