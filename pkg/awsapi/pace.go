package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// CloudTrail takes ten calls a second that describe, get or list, of an account in a
// region, and AWS does not raise that. Whoever else calls it there is to have more
// than half of it. So all processes together make four calls a second at most, and
// eight at once after a pause.
// Source: awscloudtrail userguide, WhatIsCloudTrail-Limits.html.
const (
	allPace  = 4.0
	allBurst = 8
	// slowest is what a process may do however many there are. A survey is two calls,
	// and an invocation has a minute.
	slowest = 0.2
)

// pace is the rate at which a client makes its calls.
type pace struct{ limiter *rate.Limiter }

// newPace returns the pace of one of so many processes.
func newPace(sharing int) pace {
	return pace{rate.NewLimiter(rate.Limit(max(allPace/float64(sharing), slowest)), max(allBurst/sharing, 1))}
}

// each lets every call wait for its turn, and every further attempt of it too.
func (p pace) each(stack *middleware.Stack) error {
	wait := middleware.FinalizeMiddlewareFunc("Pace", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if err := p.limiter.Wait(ctx); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("wait for a turn to call CloudTrail: %w", err)
		}
		return next.HandleFinalize(ctx, in)
	})
	return stack.Finalize.Insert(wait, "Retry", middleware.After)
}
