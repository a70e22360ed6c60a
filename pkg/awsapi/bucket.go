package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// Buckets reads and writes buckets with S3. It names the expected owner in
// every call that could otherwise reach a bucket of someone else. It is safe
// for use by several goroutines.
type Buckets struct {
	clients *Clients

	mu      sync.Mutex
	regions map[string]string // by bucket: where S3 said that it is
}

var _ guardrail.Buckets = (*Buckets)(nil)

// NewBuckets returns a reader and writer of buckets.
func NewBuckets(c *Clients) *Buckets {
	return &Buckets{clients: c, regions: make(map[string]string)}
}

// Observe reads policy and request payer at once.
func (b *Buckets) Observe(ctx context.Context, ref guardrail.BucketRef) (delivery.Bucket, error) {
	seen := delivery.Bucket{Name: ref.Name, Owner: ref.Account}
	var text, payer string
	var policyErr, payerErr error
	err := both(
		func() error {
			text, seen.Region, policyErr = b.policy(ctx, ref)
			return onlyTransient(policyErr)
		},
		func() error {
			payer, payerErr = b.payer(ctx, ref)
			return onlyTransient(payerErr)
		})
	if err != nil {
		return delivery.Bucket{}, err
	}
	if guardrail.Is(policyErr, guardrail.Denied) {
		return b.explainDenied(ctx, ref, seen, policyErr)
	}
	readPolicy(&seen, text, policyErr)
	if seen.State == delivery.PolicyRead || seen.State == delivery.PolicyMissing {
		readPayer(&seen, payer, payerErr)
	}
	return seen, nil
}

// onlyTransient returns the failure if trying again may help, else nil.
func onlyTransient(err error) error {
	if guardrail.Is(err, guardrail.Transient) {
		return err
	}
	return nil
}

// readPolicy sets the state from the answer to GetBucketPolicy.
func readPolicy(seen *delivery.Bucket, text string, err error) {
	if err != nil {
		readPolicyFailure(seen, err)
		return
	}
	document, err := policy.Parse([]byte(text))
	if err != nil {
		seen.Reason = fmt.Sprintf("the policy that S3 returned cannot be read: %v", err)
		return
	}
	seen.State, seen.Policy = delivery.PolicyRead, document
}

func readPolicyFailure(seen *delivery.Bucket, err error) {
	switch codeOf(err) {
	case "NoSuchBucketPolicy":
		seen.State = delivery.PolicyMissing
	case "NoSuchBucket":
		seen.State = delivery.BucketMissing
		seen.Reason = "S3 answers NoSuchBucket"
	default:
		seen.Reason = unreadable(err)
	}
}

// readPayer sets the request payer. One that cannot be read is not known,
// which is never the same as the bucket's owner.
func readPayer(seen *delivery.Bucket, payer string, err error) {
	if err == nil {
		if seen.Payer = payer; payer == "" {
			seen.Reason = "the request payer is not known: S3 did not name it"
		}
		return
	}
	if codeOf(err) == "NoSuchBucket" {
		seen.State, seen.Policy = delivery.BucketMissing, nil
		seen.Reason = "S3 answers NoSuchBucket"
		return
	}
	seen.Reason = "the request payer is not known: " + unreadable(err)
}

// unreadable says in one line why a call failed.
func unreadable(err error) string {
	p, ok := errors.AsType[*guardrail.PortError](err)
	if !ok {
		return err.Error()
	}
	if p.Code == "" {
		return fmt.Sprintf("%s failed: %v", p.Op, p.Err)
	}
	message := messageOf(p.Err)
	if message == "" {
		return fmt.Sprintf("%s answers %s", p.Op, p.Code)
	}
	return fmt.Sprintf("%s answers %s: %s", p.Op, p.Code, message)
}

func (b *Buckets) policy(ctx context.Context, ref guardrail.BucketRef) (text, region string, err error) {
	region, err = b.inRegion(ctx, ref, func(client S3API) error {
		out, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{
			Bucket:              aws.String(ref.Name),
			ExpectedBucketOwner: owner(ref),
		})
		if err == nil {
			text = aws.ToString(out.Policy)
		}
		return err
	})
	return text, region, failure("s3:GetBucketPolicy", err)
}

func (b *Buckets) payer(ctx context.Context, ref guardrail.BucketRef) (payer string, err error) {
	_, err = b.inRegion(ctx, ref, func(client S3API) error {
		out, err := client.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{
			Bucket:              aws.String(ref.Name),
			ExpectedBucketOwner: owner(ref),
		})
		if err == nil {
			payer = string(out.Payer)
		}
		return err
	})
	return payer, failure("s3:GetBucketRequestPayment", err)
}

// owner returns the expected owner, or nil if it is not known.
func owner(ref guardrail.BucketRef) *string {
	if ref.Account == "" {
		return nil
	}
	return aws.String(ref.Account)
}

// withoutRetries switches the SDK's own retries off for a write. A policy is
// written over whatever is there, so only a caller that reads the bucket again
// may repeat a write.
func withoutRetries(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// PutPolicy replaces the policy of a bucket, or deletes it.
func (b *Buckets) PutPolicy(ctx context.Context, ref guardrail.BucketRef, text []byte) error {
	op := "s3:PutBucketPolicy"
	if len(text) == 0 {
		op = "s3:DeleteBucketPolicy"
	}
	return b.write(ctx, op, ref, func(client S3API) error {
		if len(text) == 0 {
			_, err := client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{
				Bucket:              aws.String(ref.Name),
				ExpectedBucketOwner: owner(ref),
			}, withoutRetries)
			return err
		}
		_, err := client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
			Bucket:              aws.String(ref.Name),
			Policy:              aws.String(string(text)),
			ExpectedBucketOwner: owner(ref),
		}, withoutRetries)
		return err
	})
}

// ResetPayer sets the request payer to the bucket's owner.
func (b *Buckets) ResetPayer(ctx context.Context, ref guardrail.BucketRef) error {
	return b.write(ctx, "s3:PutBucketRequestPayment", ref, func(client S3API) error {
		_, err := client.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{
			Bucket:                      aws.String(ref.Name),
			RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: types.PayerBucketOwner},
			ExpectedBucketOwner:         owner(ref),
		}, withoutRetries)
		return err
	})
}

// write makes a call that changes the bucket. It makes none where the owner is
// not known: S3 would write to the bucket of any owner.
func (b *Buckets) write(ctx context.Context, op string, ref guardrail.BucketRef, call func(S3API) error) error {
	if ref.Account == "" {
		return &guardrail.PortError{Op: op, Class: guardrail.Rejected, Err: errNoOwner}
	}
	_, err := b.inRegionBy(ctx, b.clients.RestoringS3, ref, call)
	return failure(op, err)
}

var errNoOwner = errors.New("the account that owns the bucket is not known")
