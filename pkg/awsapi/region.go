package awsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// hops is how many regions are asked for a bucket. One redirect is usual; a
// bucket that was made anew elsewhere may need one more.
const hops = 3

// inRegion makes a call in the bucket's region. Where S3 answers that the bucket is
// elsewhere, it remembers that and calls there. It returns the region that
// answered. The SDK follows no such answer, and no write was made by one.
func (b *Buckets) inRegion(ctx context.Context, ref guardrail.BucketRef, call func(S3API) error) (region string, err error) {
	return b.inRegionBy(ctx, b.clients.S3, ref, call)
}

// inRegionBy is inRegion with the clients that are given.
func (b *Buckets) inRegionBy(
	ctx context.Context, client func(account, region string) S3API, ref guardrail.BucketRef, call func(S3API) error,
) (region string, err error) {
	region = b.regionOf(ref)
	for range hops {
		err = call(client(ref.Account, region))
		if !redirected(err) {
			return region, err
		}
		next := regionIn(err)
		if next == "" || next == region {
			next = b.locate(ctx, ref, region)
		}
		if next == "" || next == region {
			// A temporary redirect to where we asked ends by itself.
			if statusOf(err) == http.StatusTemporaryRedirect {
				continue
			}
			return region, err
		}
		region = next
		b.remember(ref.Name, region)
	}
	return region, err
}

// regionOf returns where to ask first.
func (b *Buckets) regionOf(ref guardrail.BucketRef) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if region := b.regions[ref.Name]; region != "" {
		return region
	}
	if ref.Region != "" {
		return ref.Region
	}
	return b.clients.Region()
}

func (b *Buckets) remember(bucket, region string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.regions[bucket] = region
}

// locate asks S3 where the bucket is. The answer names the region also where
// the caller may not read the bucket.
func (b *Buckets) locate(ctx context.Context, ref guardrail.BucketRef, region string) string {
	out, err := b.clients.S3(ref.Account, region).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(ref.Name)})
	if err != nil {
		return regionIn(err)
	}
	return aws.ToString(out.BucketRegion)
}

// redirected reports whether S3 answered that the bucket is in another region.
// Source: "Making requests to S3: request redirection" of the S3 user guide.
func redirected(err error) bool {
	switch statusOf(err) {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return true
	case http.StatusBadRequest:
		code := codeOf(err)
		return code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException" ||
			(regionIn(err) != "" && code == "BadRequest")
	}
	return false
}

// regionIn returns the bucket's region as the header of a failed call gives it.
func regionIn(err error) string {
	r, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || r.HTTPResponse() == nil {
		return ""
	}
	return r.HTTPResponse().Header.Get("x-amz-bucket-region")
}
