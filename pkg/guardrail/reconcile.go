package guardrail

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// listLag is how long CloudTrail is given to list a trail as it was changed.
const listLag = 3 * time.Second

// Reconcile looks at one bucket, or at the buckets of one trail, and does what
// is needed. An error means that the look was not finished and must be tried
// again; everything done before it is remembered. Its type says what failed:
// *ObserveError, *WriteError, *VerifyError, *LedgerError, *PublishError or
// *BusyError.
func (g *Guard) Reconcile(ctx context.Context, r Request) ([]Result, error) {
	e, err := g.survey(ctx, r.Account, r.Region)
	if err != nil {
		return nil, err
	}
	if e.lags(r) {
		if err := g.run.Sleep(ctx, listLag); err != nil {
			return nil, &ObserveError{Subject: "trails of account " + r.Account, Err: err}
		}
		if e, err = g.survey(ctx, r.Account, r.Region); err != nil {
			return nil, err
		}
	}
	buckets := []string{r.Bucket}
	if t, ok := e.find(r); ok {
		buckets = append(buckets, t.Bucket)
	} else if r.Trail != "" {
		return g.reconcileGone(ctx, r, e)
	}
	return g.lookAtAll(ctx, r, e, buckets)
}

// reconcileGone is for a trail that is not listed. If it was deleted, that is
// told, and what it delivered into is looked at.
func (g *Guard) reconcileGone(ctx context.Context, r Request, e estate) ([]Result, error) {
	if !deletes(r) {
		return g.lookAtAll(ctx, r, e, []string{r.Bucket})
	}
	arn := arnOf(r)
	told, err := g.lookAtGone(ctx, r, e, arn)
	results, errs := []Result{told}, []error{err}
	buckets, err := g.bucketsOf(ctx, r.Account, arn)
	errs = append(errs, err)
	more, err := g.lookAtAll(ctx, r, e, append(buckets, r.Bucket))
	return append(results, more...), join(append(errs, err))
}

// lookAtAll looks at each of the buckets once. A name may be empty.
func (g *Guard) lookAtAll(ctx context.Context, r Request, e estate, buckets []string) ([]Result, error) {
	slices.Sort(buckets)
	var results []Result
	var errs []error
	for _, name := range slices.Compact(buckets) {
		if name == "" {
			continue
		}
		result, err := g.lookAt(ctx, g.job(r, e, name))
		results, errs = append(results, result), append(errs, err)
	}
	return results, join(errs)
}

// join returns a single error as it is, so that its type is seen.
func join(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// bucketsOf returns the buckets whose records know the trail.
func (g *Guard) bucketsOf(ctx context.Context, account, arn string) ([]string, error) {
	if g.ports.Ledger == nil {
		return nil, nil
	}
	records, err := g.ports.Ledger.List(ctx, account)
	if err != nil {
		return nil, &LedgerError{Bucket: "account " + account, Err: err}
	}
	var buckets []string
	for _, r := range records {
		if slices.Contains(r.Trails, arn) {
			buckets = append(buckets, r.Bucket)
		}
	}
	return buckets, nil
}

// estate is the trails of an account.
type estate struct {
	account, region string
	listed          []trail.Trail // as CloudTrail lists them
	all             []trail.Trail // with those that are declared
}

// survey lists the trails that the account sees.
func (g *Guard) survey(ctx context.Context, account, region string) (estate, error) {
	listed, err := g.ports.Trails.Trails(ctx, account, region)
	if err != nil {
		return estate{}, &ObserveError{Subject: "trails of account " + account, Err: err}
	}
	all := slices.Clone(listed)
	for _, t := range g.config.Trails {
		if !has(all, t.ARN) {
			all = append(all, t)
		}
	}
	return estate{account: account, region: region, listed: listed, all: all}, nil
}

func has(trails []trail.Trail, arn string) bool {
	return slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.ARN == arn })
}

// find returns the trail of a request. A name is that of a trail of the
// request's account and region.
func (e estate) find(r Request) (trail.Trail, bool) {
	for _, t := range e.all {
		byName := t.Name == r.Trail && t.Account() == r.Account && t.HomeRegion == r.Region
		if r.Trail != "" && (t.ARN == r.Trail || byName) {
			return t, true
		}
	}
	return trail.Trail{}, false
}

// lags reports whether the list does not have yet what the event says.
func (e estate) lags(r Request) bool {
	if r.Trail == "" || r.Change == nil || r.Change.ErrorCode != "" {
		return false
	}
	t, found := e.find(r)
	switch r.Change.Event {
	case "CreateTrail", "UpdateTrail":
		return !found || r.Bucket != "" && t.Bucket != r.Bucket
	case "DeleteTrail":
		return found
	default:
		return false
	}
}

func deletes(r Request) bool {
	return r.Change != nil && r.Change.Event == "DeleteTrail" && r.Change.ErrorCode == ""
}

// arnOf returns the ARN of the trail that a request names.
func arnOf(r Request) string {
	if strings.HasPrefix(r.Trail, "arn:") {
		return r.Trail
	}
	partition := "aws"
	switch {
	case strings.HasPrefix(r.Region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(r.Region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":cloudtrail:" + r.Region + ":" + r.Account + ":trail/" + r.Trail
}

// into returns the trails that deliver into the bucket.
func (e estate) into(bucket string) []trail.Trail {
	var trails []trail.Trail
	for _, t := range e.all {
		if t.Bucket == bucket {
			trails = append(trails, t)
		}
	}
	return trails
}

// ref returns where a bucket is expected. Events tell the region of a bucket
// only where they come from it; the adapter finds the right one.
func (g *Guard) ref(account, region, bucket string) BucketRef {
	owner := g.config.Owners[bucket]
	if owner == "" {
		owner = account
	}
	return BucketRef{Name: bucket, Account: owner, Region: region}
}
