package guardrail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Sweep reconciles every trail bucket of the account, and every bucket and trail
// that is remembered and no longer there, and sends the alerts that wait. One
// bad bucket does not stop the rest, nor one that is slow: if the context has a
// deadline, each has its share of the time. The failures are joined into a
// *SweepError. If the trails cannot be listed nothing is judged, and the error
// is that too.
func (g *Guard) Sweep(ctx context.Context, account, region string) (SweepResult, error) {
	state := g.newSweepState(account)
	found := g.discover(ctx, account, region, state)
	if found.survey.at.IsZero() {
		results, errs := g.flushAll(ctx, found.records)
		return SweepResult{Results: results}, sweepError(append(errs, found.errs...))
	}
	state.listed, state.listedErr = found.records, found.recordsErr
	all := portion{
		buckets: union(found.survey.buckets(), slices.Collect(maps.Keys(found.survey.known.Buckets))),
		records: found.records, rest: true, all: found.records,
	}
	var silenceErr error
	all.silent, silenceErr = g.silences(ctx, found.survey, found.records)
	inv, ownerErrs := g.withOwners(ctx, found.survey, all.buckets, state)
	inv, folderErrs := g.withFolders(ctx, inv, all.buckets)
	swept, errs := g.settle(ctx, inv, state, found.others, all)
	return swept, sweepError(append(slices.Concat(errs, ownerErrs, folderErrs, found.errs), silenceErr))
}

// portion is what one step of a sweep brings to rest: all of it where there is one step.
type portion struct {
	// buckets are names of buckets, sorted.
	buckets []string
	// records are what is remembered of them, and of the rest.
	records []ledger.Record
	// rest says that it is also about what is remembered of anything but the buckets, and
	// about the account and the organization themselves. All are then the records that there
	// are.
	rest bool
	all  []ledger.Record
	// silent are the places of which no event comes any more.
	silent []delivery.Place
}

// settle brings a portion to rest: the trails that are gone, the buckets, what else is
// remembered, and the alerts that wait.
func (g *Guard) settle(ctx context.Context, inv survey, state *sweepState, others forwarded, p portion) (SweepResult, []error) {
	// Trails that are gone come first: a bucket forgets a trail only after the
	// team was told of it.
	gone := slices.DeleteFunc(inv.missing(p.records), func(arn string) bool {
		return inv.failure != nil || others.knows(arn) || state.sees(arn)
	})
	var targets []Target
	for _, arn := range gone {
		targets = append(targets, g.target(inv, deletedTrail(inv, arn), sweepOccasion{sweepState: state}))
	}
	results, errs := g.reconcileEach(ctx, targets)
	occasion := sweepOccasion{sweepState: state}
	for i, arn := range gone {
		if errs[i] != nil {
			occasion.unnotified = append(occasion.unnotified, arn)
			continue
		}
		errs[i] = g.forget(ctx, inv, arn)
	}
	inv = inv.without(gone)

	more, moreErrs := g.reconcileEach(ctx, g.sweepTargets(inv, p, gone, others, occasion))
	for _, r := range more {
		moreErrs = append(moreErrs, g.learnBucket(ctx, inv, r.bucket))
	}
	hidden := slices.DeleteFunc(slices.Clone(p.records), func(r ledger.Record) bool { return !others.leavesOpen(inv, r) })
	flushed, flushErrs := g.flushAll(ctx, hidden)
	trails := len(inv.all)
	if inv.failure != nil {
		trails = 0 // none was listed
	}
	return SweepResult{Trails: trails, Results: slices.Concat(results, more, flushed)}, slices.Concat(errs, moreErrs, flushErrs, others.errs)
}

// sweepTargets are the buckets of the portion, and what else is remembered: for
// that no trail uses it any more. A bucket is judged with the trails of other
// accounts that it is known or remembered with, and not at all if they cannot be read
// and nothing is known of them. Done are deleted trails that were reconciled already.
func (g *Guard) sweepTargets(inv survey, p portion, done []string, others forwarded, o occasion) []Target {
	var targets, granting []Target
	taken := map[ledger.Key]bool{}
	for _, name := range p.buckets {
		ref := g.ref(inv, name)
		taken[ref.Key()] = true
		trails := inv.into(name)
		if len(trails) == 0 {
			granting = append(granting, g.target(inv, GrantingBucket{BucketRef: ref, Expected: g.expected(inv, name)}, o))
			continue
		}
		b := TrailBucket{BucketRef: ref, Trails: trails, Expected: g.expected(inv, name)}
		i := slices.IndexFunc(p.records, func(r ledger.Record) bool { return r.Key == b.Key() })
		if i >= 0 && others.leavesOpen(inv, p.records[i]) {
			continue
		}
		if i >= 0 {
			b.Trails = append(b.Trails, slices.DeleteFunc(others.into(p.records[i]), func(t trail.Trail) bool { return has(b.Trails, t.ARN) })...)
		}
		targets = append(targets, g.target(inv, b, o))
	}
	if account := inv.tracked(); p.rest && !account.back && !toldOfDeletion(p.all, done) {
		taken[account.Key()] = true
		targets = append(targets, g.target(inv, account, o))
	}
	if whole := g.wholeOrganization(inv, p.silent); p.rest && g.ports.Members != nil && whole.id != "" {
		taken[whole.Key()] = true
		if remembered(p.records, whole.Key()) || whole.amiss() {
			targets = append(targets, g.target(inv, whole, o))
		}
	}
	for _, r := range p.records {
		if taken[r.Key] || !p.rest || slices.Contains(done, r.Bucket) || others.leavesOpen(inv, r) {
			continue
		}
		targets = append(targets, g.target(inv, g.rememberedSubject(inv, r, others), o))
	}
	return append(targets, granting...)
}

func remembered(records []ledger.Record, k ledger.Key) bool {
	return slices.ContainsFunc(records, func(r ledger.Record) bool { return r.Key == k })
}

// toldOfDeletion reports whether the team is told of each trail that is remembered that
// it is gone: that the account has none is told with it. Done are trails that are gone as
// of now.
func toldOfDeletion(records []ledger.Record, done []string) bool {
	told := slices.Clone(done)
	for _, r := range records {
		for _, f := range r.Notified {
			if f.ID == delivery.TrailDeletedID {
				told = append(told, f.Trail)
			}
		}
	}
	return len(told) > 0 && !slices.ContainsFunc(records, func(r ledger.Record) bool {
		return slices.ContainsFunc(r.Coverage, func(c ledger.Covered) bool { return !slices.Contains(told, c.ARN) })
	})
}

// rememberedSubject is what a record is about that no trail of the inventory
// uses.
func (g *Guard) rememberedSubject(inv survey, r ledger.Record, others forwarded) Subject {
	if _, ok := delivery.AccountOf(r.Bucket); ok {
		return inv.tracked()
	}
	if id, ok := delivery.OrganizationOf(r.Bucket); ok { // another than now, or nobody's
		return wholeOrganization{id: id, account: r.Account, region: inv.region}
	}
	if strings.Contains(r.Bucket, ":") { // no bucket has a colon in its name
		d := deletedTrail(inv, r.Bucket)
		d.Account = r.Account
		return d
	}
	ref := g.ref(inv, r.Bucket)
	if owner := inv.known.Buckets[r.Bucket].Owner; owner != "" && owner != r.Account {
		return UnusedBucket{BucketRef{Name: r.Bucket, Account: r.Account, Region: ref.Region}} // it is somebody else's
	}
	ref.Account = r.Account
	if trails := others.into(r); len(trails) > 0 {
		return TrailBucket{BucketRef: ref, Trails: trails}
	}
	return UnusedBucket{ref}
}

func sweepError(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return &SweepError{Failed: len(errs), Err: join(errs)}
}

// records returns what is remembered of the buckets of the accounts, and of those of
// declared owners.
func (g *Guard) records(ctx context.Context, accounts ...string) ([]ledger.Record, error) {
	for _, owner := range g.config.Owners {
		accounts = append(accounts, owner)
	}
	accounts = union(accounts, nil)
	lists, errs := make([][]ledger.Record, len(accounts)), make([]error, len(accounts))
	g.each(len(accounts), func(i int) {
		var err error
		if lists[i], err = g.memory.List(ctx, accounts[i]); err != nil {
			errs[i] = &LedgerError{Bucket: "account " + accounts[i], Err: err}
		}
	})
	return slices.Concat(lists...), join(errs)
}

// reconcileEach reconciles the targets, several at once, each in its share of the
// time, and keeps their order.
func (g *Guard) reconcileEach(ctx context.Context, targets []Target) ([]Result, []error) {
	results, errs := make([]Result, len(targets)), make([]error, len(targets))
	var begun atomic.Int64
	g.each(len(targets), func(i int) {
		left := len(targets) - int(begun.Add(1))
		ctx, cancel := g.share(ctx, left/g.config.Parallel+1)
		defer cancel()
		results[i], errs[i] = g.reconcileInTime(ctx, targets[i])
	})
	return results, errs
}

// errTimeUp says that a reconciliation was left behind.
var errTimeUp = errors.New("it was not finished in its share of the time")

// reconcileInTime comes back soon after its time is up, also from a reconciliation
// that does not end then: nobody waits for that, and what it still does fails for
// want of time. A panic is a failure of its target alone.
func (g *Guard) reconcileInTime(ctx context.Context, t Target) (Result, error) {
	type ending struct {
		result Result
		err    error
	}
	came := make(chan ending, 1)
	go func() {
		end := ending{result: resultOf(t)}
		defer func() { came <- end }()
		defer func() {
			if value := recover(); value != nil {
				end.err = fmt.Errorf("bucket %s: panic: %v\n%s", t.Key().Bucket, value, debug.Stack())
			}
		}()
		end.result, end.err = g.reconcile(ctx, t)
	}()
	late := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		late, cancel = context.WithDeadline(late, deadline.Add(overtime))
		defer cancel()
	}
	select {
	case end := <-came:
		return end.result, end.err
	case <-late.Done():
		return resultOf(t), &ObserveError{Subject: "bucket " + t.Key().Bucket, Err: errTimeUp}
	}
}

// each calls do for 0 to n-1, as many at once as the configuration allows.
func (g *Guard) each(n int, do func(i int)) {
	var all errgroup.Group
	all.SetLimit(g.config.Parallel)
	for i := range n {
		all.Go(func() error { do(i); return nil })
	}
	_ = all.Wait() // do keeps its own errors
}

// flushAll sends the alerts of the records that wait, without looking at
// anything.
func (g *Guard) flushAll(ctx context.Context, records []ledger.Record) ([]Result, []error) {
	var results []Result
	var errs []error
	for i, r := range records {
		if len(r.Outbox) == 0 {
			continue
		}
		ctx, cancel := g.share(ctx, len(records)-i)
		res, err := g.flush(ctx, g.target(survey{}, UnusedBucket{BucketRef{Name: r.Bucket, Account: r.Account}}, nil))
		cancel()
		results, errs = append(results, res), append(errs, err)
	}
	return results, errs
}
