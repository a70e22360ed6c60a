package app

import (
	"context"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The ports below turn a panic into an error, since they are called by goroutines of
// the guard, where a panic would end the process and with it the work on all other
// buckets.

type calmTrails struct{ next guardrail.Trails }

// Trails calls the next.
func (c calmTrails) Trails(ctx context.Context, account, region string) (_ []trail.Trail, err error) {
	defer recovered(&err)
	return c.next.Trails(ctx, account, region)
}

// Status calls the next.
func (c calmTrails) Status(ctx context.Context, account string, t trail.Trail) (_ trail.Trail, _ trail.Status, err error) {
	defer recovered(&err)
	return c.next.Status(ctx, account, t)
}

type calmBuckets struct{ guardrail.Buckets }

// Observe calls the next.
func (c calmBuckets) Observe(ctx context.Context, ref guardrail.BucketRef) (_ delivery.Bucket, err error) {
	defer recovered(&err)
	return c.Buckets.Observe(ctx, ref)
}

type calmChain struct{ next guardrail.Chain }

// Key calls the next.
func (c calmChain) Key(ctx context.Context, arn string) (_ delivery.Key, err error) {
	defer recovered(&err)
	return c.next.Key(ctx, arn)
}

// Topic calls the next.
func (c calmChain) Topic(ctx context.Context, arn string) (_ delivery.Topic, err error) {
	defer recovered(&err)
	return c.next.Topic(ctx, arn)
}

// TopicKey calls the next.
func (c calmChain) TopicKey(ctx context.Context, t trail.Topic) (_ *delivery.Key, err error) {
	defer recovered(&err)
	return c.next.TopicKey(ctx, t)
}

// BucketKeys calls the next.
func (c calmChain) BucketKeys(ctx context.Context, b guardrail.BucketRef) (_ trail.Switch, err error) {
	defer recovered(&err)
	return c.next.BucketKeys(ctx, b)
}

type calmOrganizations struct{ next guardrail.Organizations }

// Organization calls the next.
func (c calmOrganizations) Organization(ctx context.Context, account string) (_ trail.Organization, err error) {
	defer recovered(&err)
	return c.next.Organization(ctx, account)
}
