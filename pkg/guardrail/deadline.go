package guardrail

import (
	"context"
	"time"
)

// The time of an invocation has three parts. What a judgement only wants is given
// up soon. What it needs, and a repair, may take all but the end of the
// invocation. The end is for remembering and telling what is known by then.
const (
	// tellingTime is kept at the end of an invocation for telling.
	tellingTime = 10 * time.Second
	// wantedTime is how long one reconciliation waits in all for what it can do
	// without: the organization, the status and the selectors of trails, the
	// enabled regions.
	wantedTime = 3 * time.Second
	// bucketTime is how long a bucket is tried to be read.
	bucketTime = 20 * time.Second
	// memoryTime is how long one call of the ledger may take, with its retries.
	// DynamoDB answers within milliseconds.
	memoryTime = 5 * time.Second
	// listTime is the same for all records of an account, which are many pages.
	listTime = 20 * time.Second
	// accountTime is how long another account is asked for its trails.
	accountTime = 10 * time.Second
	// publishTime is how long the alerts that are claimed together may take to be
	// published, and claimTime how long they are claimed: nobody else publishes
	// them as long as this process may still be at it.
	publishTime = 14 * time.Second
	claimTime   = 15 * time.Second
	// A bucket's share of a sweep is at least shortestShare, so that many buckets
	// leave each enough to be restored and told, and no longer than an event of it
	// would have.
	shortestShare = 15 * time.Second
	longestShare  = time.Minute
	// overtime is how long a reconciliation is waited for after its share is up. One
	// that does not listen to its context is left behind then.
	overtime = time.Second / 2
)

// working returns the context of all that is not telling.
func (g *Guard) working(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(tellingTime, deadline.Sub(g.now())/2)))
}

// share returns the context of one of so many turns that are left.
func (g *Guard) share(ctx context.Context, turns int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, min(max(deadline.Sub(g.now())/time.Duration(turns), shortestShare), longestShare))
}
