package app

import (
	"context"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// telling is how long before the end of an invocation nothing is looked at or
// repaired any more. What is known by then is remembered and told.
const telling = 10 * time.Second

type tellingKey struct{}

// untilTelling sets from when on there is only telling.
func untilTelling(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, tellingKey{}, at)
}

// working returns the context of a call that is not for telling.
func working(ctx context.Context) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Value(tellingKey{}).(time.Time); ok {
		return context.WithDeadline(ctx, at)
	}
	return context.WithCancel(ctx)
}

// The ports below end what is not for telling in time. They also turn a panic
// into an error, since they are called by goroutines of the guard, where a panic
// would end the process and with it the work on all other buckets.

type boundedTrails struct{ next guardrail.Trails }

// Trails calls the next in time.
func (b boundedTrails) Trails(ctx context.Context, account, region string) (_ []trail.Trail, err error) {
	defer recovered(&err)
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.Trails(ctx, account, region)
}

// Status calls the next in time.
func (b boundedTrails) Status(ctx context.Context, account string, t trail.Trail) (_ trail.Trail, _ trail.Status, err error) {
	defer recovered(&err)
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.Status(ctx, account, t)
}

type boundedBuckets struct{ next guardrail.Buckets }

// Observe calls the next in time.
func (b boundedBuckets) Observe(ctx context.Context, ref guardrail.BucketRef) (_ delivery.Bucket, err error) {
	defer recovered(&err)
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.Observe(ctx, ref)
}

// PutPolicy calls the next in time.
func (b boundedBuckets) PutPolicy(ctx context.Context, ref guardrail.BucketRef, policy []byte) error {
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.PutPolicy(ctx, ref, policy)
}

// ResetPayer calls the next in time.
func (b boundedBuckets) ResetPayer(ctx context.Context, ref guardrail.BucketRef) error {
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.ResetPayer(ctx, ref)
}

type boundedOrganizations struct{ next guardrail.Organizations }

// Organization calls the next in time.
func (b boundedOrganizations) Organization(ctx context.Context, account string) (_ trail.Organization, err error) {
	defer recovered(&err)
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.Organization(ctx, account)
}

type boundedRegions struct{ next guardrail.Regions }

// EnabledRegions calls the next in time.
func (b boundedRegions) EnabledRegions(ctx context.Context, account string) (_ []string, err error) {
	defer recovered(&err)
	ctx, cancel := working(ctx)
	defer cancel()
	return b.next.EnabledRegions(ctx, account)
}
