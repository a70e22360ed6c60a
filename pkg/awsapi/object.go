package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Object returns the content of an object in a bucket of the caller's account,
// in whichever region. An object that is larger than the limit in bytes is an
// error; it is not read. The error is a [guardrail.PortError], and says in one line why it
// could not be read.
func Object(ctx context.Context, c *Clients, bucket, key string, limit int64) ([]byte, error) {
	ref := guardrail.BucketRef{Name: bucket, Account: c.account}
	var text []byte
	_, err := NewBuckets(c).inRegion(ctx, ref, func(client S3API) error {
		out, err := client.GetObject(ctx, &s3.GetObjectInput{
			Bucket: aws.String(bucket), Key: aws.String(key),
			// A bucket of that name may be somebody else's by now.
			ExpectedBucketOwner: owner(ref),
		})
		if err != nil {
			return err
		}
		defer func() { _ = out.Body.Close() }()
		if text, err = io.ReadAll(io.LimitReader(out.Body, limit+1)); err == nil && int64(len(text)) > limit {
			return &guardrail.PortError{Op: "s3:GetObject", Class: guardrail.Rejected, Err: fmt.Errorf("it has more than %d bytes", limit)}
		}
		return err
	})
	if err == nil {
		return text, nil
	}
	if codeOf(err) == "" {
		return nil, failure("s3:GetObject", err)
	}
	return nil, &guardrail.PortError{
		Op: "read it", Class: classOf(err), Code: codeOf(err), Err: errors.New(unreadable(failure("s3:GetObject", err))),
	}
}
