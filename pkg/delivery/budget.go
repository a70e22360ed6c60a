package delivery

import (
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The budget of one judgement on a bucket and of the plans that follow it, in the
// steps of [policy.Budget]. The policies that people write take 500 to 7,000,000
// steps; what takes more was most likely written to take long. At 40 to 100
// nanoseconds a step, the work on any policy ends within two seconds.
//
// Each further layout of keys is as much work again, up to a bound: a bucket of a
// thousand accounts has a policy that names no trail, and takes 2,000 steps for each.
// The whole of the rest is there for any of the trails.
const (
	judgementSteps = 10_000_000
	layoutSteps    = 500_000
	mostSteps      = 16_000_000
)

// NewBudget returns what the judgement on a bucket and the plans to restore it may
// take together. It grows with the number of layouts in which the trails that use
// the bucket write their files, and with the number of those who are expected to.
//
// [policy.Budget.Stop] ends the judgement that is under way, and all that follow:
//
//	budget := delivery.NewBudget(bucket, trails)
//	defer context.AfterFunc(ctx, budget.Stop)()
//	report := delivery.JudgeWithin(budget, bucket, trails, env)
func NewBudget(b Bucket, trails []trail.Trail) *policy.Budget {
	layouts := map[trail.Trail]bool{}
	for _, t := range trails {
		if t.Bucket == b.Name {
			layouts[layoutOf(t)] = true
		}
	}
	return policy.NewBudget(min(judgementSteps+layoutSteps*max(0, len(layouts)+len(b.Expected)-1), mostSteps))
}

// layoutOf is a trail without what does not change its keys, but for its name,
// which stands in the name of its digest files.
func layoutOf(t trail.Trail) trail.Trail {
	t.ARN, t.Name, t.KMSKeyID = t.Account(), "", ""
	if t.MultiRegion {
		t.HomeRegion = ""
	}
	return t
}
