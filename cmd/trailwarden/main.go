// Command trailwarden says whether CloudTrail can deliver into a bucket, and
// restores the bucket policy that it needs.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/trailwarden/trailwarden/pkg/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	//nolint:forbidigo // composition root
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
	stop()
	os.Exit(code)
}
