package guardrail_test

import (
	"context"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// intruder lets somebody else act just before the first write.
type intruder struct {
	guardrail.Buckets
	before func()
}

func (i *intruder) PutPolicy(ctx context.Context, b guardrail.BucketRef, policy []byte) error {
	if act := i.before; act != nil {
		i.before = nil
		act()
	}
	return i.Buckets.PutPolicy(ctx, b, policy)
}
