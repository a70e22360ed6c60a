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

// explainDenied finds out what a denied read means. S3 gives the same answer for a
// bucket of another owner and for a policy that may not be read.
func (b *Buckets) explainDenied(ctx context.Context, ref guardrail.BucketRef, seen delivery.Bucket, cause error) (delivery.Bucket, error) {
	seen.State, seen.Reason = delivery.Unreadable, unreadable(cause)
	state, err := b.ownership(ctx, ref)
	if err != nil {
		return delivery.Bucket{}, err
	}
	switch state {
	case ownerIsOther:
		seen.State = delivery.OtherOwner
		seen.Reason = fmt.Sprintf("the bucket does not belong to account %s", ref.Account)
	case bucketMissing:
		seen.State = delivery.BucketMissing
		seen.Reason = "S3 answers NoSuchBucket"
	case ownerAsExpected, ownerUnknown:
	}
	return seen, nil
}

// ownership is what is known of the owner of a bucket that may not be read.
type ownership uint8

const (
	ownerUnknown ownership = iota
	ownerAsExpected
	ownerIsOther
	bucketMissing
)

// ownership asks S3 in three ways whether the bucket belongs to the expected owner,
// and answers only what is certain. A transient failure is an error.
func (b *Buckets) ownership(ctx context.Context, ref guardrail.BucketRef) (ownership, error) {
	if ref.Account == "" {
		return ownerUnknown, nil
	}
	switch status, err := b.head(ctx, ref, owner(ref)); {
	case err != nil:
		return ownerUnknown, err
	case status == http.StatusOK:
		return ownerAsExpected, nil
	case status == http.StatusNotFound:
		return bucketMissing, nil
	}
	switch status, err := b.head(ctx, ref, nil); {
	case err != nil:
		return ownerUnknown, err
	case status == http.StatusOK:
		// Only the expected owner was in the way.
		return ownerIsOther, nil
	case status == http.StatusNotFound:
		return bucketMissing, nil
	}
	if !b.clients.actsAs(ref.Account) {
		return ownerUnknown, nil
	}
	return b.listed(ctx, ref)
}

// head asks for the bucket and returns the status of the answer.
func (b *Buckets) head(ctx context.Context, ref guardrail.BucketRef, owner *string) (int, error) {
	_, err := b.inRegion(ctx, ref, func(client S3API) error {
		_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(ref.Name), ExpectedBucketOwner: owner})
		return err
	})
	if err == nil {
		return http.StatusOK, nil
	}
	return statusOf(err), onlyTransient(failure("s3:HeadBucket", err))
}

// listed searches the list of the account's own buckets. The bucket exists, so if
// it is not in the list it belongs to another account.
func (b *Buckets) listed(ctx context.Context, ref guardrail.BucketRef) (ownership, error) {
	pages := s3.NewListBucketsPaginator(b.clients.S3(ref.Account, ""), &s3.ListBucketsInput{
		Prefix:     aws.String(ref.Name),
		MaxBuckets: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ownerUnknown, onlyTransient(failure("s3:ListBuckets", err))
		}
		for _, bucket := range page.Buckets {
			if aws.ToString(bucket.Name) == ref.Name {
				return ownerAsExpected, nil
			}
		}
	}
	return ownerIsOther, nil
}

var _ guardrail.Owners = (*Buckets)(nil)

// Owned returns the names of all buckets of an account, with one call for each thousand.
func (b *Buckets) Owned(ctx context.Context, account string) ([]string, error) {
	const op = "s3:ListBuckets"
	if !b.clients.actsAs(account) { // the answer would be of the caller's own
		return nil, &guardrail.PortError{Op: op, Class: guardrail.Denied, Err: errNoRole}
	}
	var names []string
	pages := s3.NewListBucketsPaginator(b.clients.S3(account, ""), &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(op, err)
		}
		for _, bucket := range page.Buckets {
			names = append(names, aws.ToString(bucket.Name))
		}
	}
	return names, nil
}

var errNoRole = errors.New("no role is set that could be assumed there")

// messageOf returns what the service said about a failure.
func messageOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return ""
}
