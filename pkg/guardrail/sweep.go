package guardrail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// statusInterval keeps the reads of a sweep below the ten a second that
// CloudTrail allows an account, with room for others.
// Source: awscloudtrail userguide, WhatIsCloudTrail-Limits.html.
const statusInterval = 125 * time.Millisecond

// sweepState is what the reconciliations of one sweep share: the organization is
// read once, and CloudTrail is asked at a bounded rate.
type sweepState struct {
	directly

	run  Runtime
	pace *rate.Limiter
	// listed are the records of the account, or why they could not be listed.
	listed    []ledger.Record
	listedErr error
	// left says that the account is known to have left its organization, so
	// that nobody can say which was its management account.
	left bool

	asking  sync.Mutex
	answers map[string]answer // by account

	readOrganization sync.Once
	read             trail.Organization
	readErr          error
}

// sweepOccasion is a sweep as the occasion of a reconciliation.
type sweepOccasion struct {
	*sweepState

	// unnotified are trails that are gone, and of which the team could not be told.
	// They are known before a bucket is reconciled.
	unnotified []string
}

func (g *Guard) newSweepState(account string) *sweepState {
	return &sweepState{
		directly: directly{ports: g.ports, account: account},
		answers:  map[string]answer{},
		run:      g.run, pace: rate.NewLimiter(rate.Every(statusInterval), 1),
	}
}

func (s *sweepState) organization(ctx context.Context) (trail.Organization, error) {
	s.readOrganization.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, wantedTime)
		defer cancel()
		s.read, s.readErr = s.directly.organization(ctx)
	})
	return s.read, s.readErr
}

// answer is what an account that was asked for its trails came to.
type answer struct {
	at     time.Time // before it was asked
	trails []trail.Trail
	err    error
}

// ask asks another account for its trails, once.
func (s *sweepState) ask(ctx context.Context, g *Guard, account, region string) answer {
	s.asking.Lock()
	a, asked := s.answers[account]
	s.asking.Unlock()
	if asked {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	a.at = s.run.Now().UTC()
	a.trails, a.err = g.ports.Trails.Trails(ctx, account, region)
	s.asking.Lock()
	defer s.asking.Unlock()
	s.answers[account] = a
	return a
}

// sees reports whether another account sees a trail.
func (s *sweepState) sees(arn string) bool {
	s.asking.Lock()
	defer s.asking.Unlock()
	for _, a := range s.answers {
		if has(a.trails, arn) {
			return true
		}
	}
	return false
}

func (s *sweepState) records(context.Context, func(context.Context) ([]ledger.Record, error)) ([]ledger.Record, error) {
	return s.listed, s.listedErr
}

// turn waits until CloudTrail may be asked once more.
func (s *sweepState) turn(ctx context.Context) error {
	now := s.run.Now()
	if wait := s.pace.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		return s.run.Sleep(ctx, wait)
	}
	return nil
}

// remembered keeps what is seen, and what is gone and was not told of. A sweep
// sees everything, so a difference is worth a store.
func (s sweepOccasion) remembered(seen, before []string) (arns []string, alone bool) {
	return union(seen, slices.DeleteFunc(slices.Clone(before), func(arn string) bool {
		return !slices.Contains(s.unnotified, arn)
	})), true
}

// mayRefuse reports whether it is the management account that may not be read.
func (s *sweepState) mayRefuse(ctx context.Context, account string, err error) bool {
	if s.left && Is(err, Denied) {
		return true
	}
	o, orgErr := s.organization(ctx)
	return Is(err, Denied) && orgErr == nil && account == o.ManagementAccount
}

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
	inv, records, others := found.survey, found.records, found.others
	state.listed, state.listedErr = records, found.recordsErr

	// Trails that are gone come first: a bucket forgets a trail only after the
	// team was told of it.
	gone := slices.DeleteFunc(inv.missing(records), func(arn string) bool {
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

	more, moreErrs := g.reconcileEach(ctx, g.sweepTargets(inv, records, gone, others, occasion))
	for _, r := range more {
		moreErrs = append(moreErrs, g.learnBucket(ctx, inv, r.bucket))
	}
	hidden := slices.DeleteFunc(slices.Clone(records), func(r ledger.Record) bool { return !others.leavesOpen(inv, r) })
	flushed, flushErrs := g.flushAll(ctx, hidden)
	trails := len(inv.all)
	if inv.failure != nil {
		trails = 0 // none was listed
	}
	return SweepResult{Trails: trails, Results: slices.Concat(results, more, flushed)},
		sweepError(slices.Concat(errs, moreErrs, flushErrs, others.errs, found.errs))
}

// sweepTargets are the buckets that trails use, and what else is remembered: for
// that no trail uses it any more. A bucket is judged with the trails of other
// accounts that it is known or remembered with, and not at all if they cannot be read
// and nothing is known of them. Done are deleted trails that were reconciled already.
func (g *Guard) sweepTargets(inv survey, records []ledger.Record, done []string, others forwarded, o occasion) []Target {
	var targets, granting []Target
	taken := map[ledger.Key]bool{}
	for _, name := range inv.buckets() {
		b := TrailBucket{BucketRef: g.ref(inv, name), Trails: inv.into(name), Expected: g.expected(inv, name)}
		taken[b.Key()] = true
		i := slices.IndexFunc(records, func(r ledger.Record) bool { return r.Key == b.Key() })
		if i >= 0 && others.leavesOpen(inv, records[i]) {
			continue
		}
		if i >= 0 {
			b.Trails = append(b.Trails, slices.DeleteFunc(others.into(records[i]), func(t trail.Trail) bool { return has(b.Trails, t.ARN) })...)
		}
		targets = append(targets, g.target(inv, b, o))
	}
	for _, name := range slices.Sorted(maps.Keys(inv.known.Buckets)) {
		if len(inv.into(name)) > 0 {
			continue
		}
		b := GrantingBucket{BucketRef: g.ref(inv, name), Expected: g.expected(inv, name)}
		taken[b.Key()] = true
		granting = append(granting, g.target(inv, b, o))
	}
	if account := inv.tracked(); !account.back && !toldOfDeletion(records, done) {
		taken[account.Key()] = true
		targets = append(targets, g.target(inv, account, o))
	}
	for _, r := range records {
		if taken[r.Key] || slices.Contains(done, r.Bucket) || others.leavesOpen(inv, r) {
			continue
		}
		targets = append(targets, g.target(inv, g.rememberedSubject(inv, r, others), o))
	}
	return append(targets, granting...)
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
	var records []ledger.Record
	for _, a := range union(accounts, nil) {
		list, err := g.memory.List(ctx, a)
		if err != nil {
			return records, &LedgerError{Bucket: "account " + a, Err: err}
		}
		records = append(records, list...)
	}
	return records, nil
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
