package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// denied finds out what a denied read means. S3 gives the same answer for a
// bucket of another owner and for a policy that may not be read.
func (b *Buckets) denied(ctx context.Context, ref guardrail.BucketRef, seen delivery.Bucket, cause error) (delivery.Bucket, error) {
	seen.State, seen.Reason = delivery.Unreadable, unreadable(cause)
	state, err := b.belongs(ctx, ref)
	if err != nil {
		return delivery.Bucket{}, err
	}
	switch state {
	case othersBucket:
		seen.State = delivery.OtherOwner
		seen.Reason = fmt.Sprintf("the bucket does not belong to account %s", ref.Account)
	case noBucket:
		seen.State = delivery.BucketMissing
		seen.Reason = "S3 answers NoSuchBucket"
	case ownBucket, notKnown:
	}
	return seen, nil
}

// belonging is what is known of a bucket that may not be read.
type belonging uint8

const (
	notKnown belonging = iota
	ownBucket
	othersBucket
	noBucket
)

// belongs asks S3 in three ways whose bucket it is, and answers only what is
// certain. A failure that may pass is an error.
func (b *Buckets) belongs(ctx context.Context, ref guardrail.BucketRef) (belonging, error) {
	if ref.Account == "" {
		return notKnown, nil
	}
	switch status, err := b.head(ctx, ref, owner(ref)); {
	case err != nil:
		return notKnown, err
	case status == http.StatusOK:
		return ownBucket, nil
	case status == http.StatusNotFound:
		return noBucket, nil
	}
	switch status, err := b.head(ctx, ref, nil); {
	case err != nil:
		return notKnown, err
	case status == http.StatusOK:
		// Only the expected owner was in the way.
		return othersBucket, nil
	case status == http.StatusNotFound:
		return noBucket, nil
	}
	if !b.clients.actsAs(ref.Account) {
		return notKnown, nil
	}
	return b.listed(ctx, ref)
}

// head asks for the bucket and returns the status of the answer.
func (b *Buckets) head(ctx context.Context, ref guardrail.BucketRef, owner *string) (int, error) {
	_, err := b.at(ctx, ref, func(client S3API) error {
		_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(ref.Name), ExpectedBucketOwner: owner})
		return err
	})
	if err == nil {
		return http.StatusOK, nil
	}
	return statusOf(err), passing(failure("s3:HeadBucket", err))
}

// listed looks for the bucket among the account's own: it exists, so if it is
// not there it is someone else's.
func (b *Buckets) listed(ctx context.Context, ref guardrail.BucketRef) (belonging, error) {
	pages := s3.NewListBucketsPaginator(b.clients.S3(ref.Account, ""), &s3.ListBucketsInput{
		Prefix:     aws.String(ref.Name),
		MaxBuckets: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return notKnown, passing(failure("s3:ListBuckets", err))
		}
		for _, bucket := range page.Buckets {
			if aws.ToString(bucket.Name) == ref.Name {
				return ownBucket, nil
			}
		}
	}
	return othersBucket, nil
}

// messageOf returns what the service said about a failure.
func messageOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return ""
}
