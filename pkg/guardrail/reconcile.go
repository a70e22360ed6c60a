package guardrail

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Reconcile is [Batch.Reconcile] of one request alone.
func (g *Guard) Reconcile(ctx context.Context, r Request) ([]Result, error) {
	return g.Batch([]Request{r}).Reconcile(ctx, r)
}

// reconcileRequest reconciles what a request is about, with what is known of its
// account.
func (g *Guard) reconcileRequest(ctx context.Context, r Request, inv survey) ([]Result, error) {
	inv = inv.withSelectors(r)
	if r.Organization {
		return g.reconcileOrganization(ctx, r, inv)
	}
	buckets := append(inv.using(r.Chain), r.Bucket)
	t, listed := inv.find(r)
	switch {
	case listed:
		buckets = append(buckets, t.Bucket)
	case deletes(r):
		return g.reconcileDeletion(ctx, r, inv)
	}
	return g.reconcileBuckets(ctx, r, inv, buckets)
}

// deletes reports whether the request is about a trail that was deleted.
func deletes(r Request) bool {
	return r.Trail != "" && r.Change != nil && r.Change.Event == "DeleteTrail" && r.Change.ErrorCode == ""
}

// reconcileDeletion notifies of a trail that was deleted, and reconciles what it
// delivered into.
func (g *Guard) reconcileDeletion(ctx context.Context, r Request, inv survey) ([]Result, error) {
	name, err := g.deletedARN(ctx, r, inv)
	errs := []error{err}
	d := deletedTrail(inv, name)
	result, err := g.reconcile(ctx, g.eventTarget(r, inv, d))
	results, errs := []Result{result}, append(errs, err)
	buckets, err := g.bucketsOf(ctx, r.Account, d.ARN)
	errs = append(errs, err)
	more, err := g.reconcileBuckets(ctx, r, inv, append(buckets, r.Bucket))
	return append(results, more...), join(append(errs, err))
}

// reconcileBuckets reconciles each of the buckets once. A name may be empty. A
// bucket that no trail uses is none of the guard's business, unless its policy lets
// CloudTrail in, or did.
func (g *Guard) reconcileBuckets(ctx context.Context, r Request, inv survey, buckets []string) ([]Result, error) {
	buckets = slices.DeleteFunc(union(buckets, nil), func(name string) bool { return name == "" })
	inv, err := g.withBuckets(ctx, inv, buckets)
	// A key may serve many buckets of anybody. Those that are opted in, and those that the owner
	// has declared, are not to wait for them.
	slices.SortStableFunc(buckets, func(a, b string) int { return cmp.Compare(g.prominence(b), g.prominence(a)) })
	results, errs := make([]Result, len(buckets)), make([]error, len(buckets))
	work, cancel := g.working(ctx)
	defer cancel()
	var begun atomic.Int64
	var panicked atomic.Pointer[any]
	g.each(len(buckets), func(i int) {
		name := buckets[i]
		defer func() { // it is the caller's, once the other buckets are done
			if value := recover(); value != nil {
				panicked.Store(&value)
			}
		}()
		subject, ok := g.subject(inv, name, name == r.Bucket && r.namesCloudTrail())
		if results[i] = (Result{Bucket: name}); !ok {
			return
		}
		turn := int(begun.Add(1)) - 1
		if turn > 0 && work.Err() != nil { // it is looked at when the event comes again, and not told of unseen
			errs[i] = &ObserveError{Subject: "bucket " + name, Err: errTimeUp}
			return
		}
		ctx, cancel := g.share(ctx, (len(buckets)-turn)/g.config.Parallel+1)
		defer cancel()
		result, err := g.inTurn(ctx, g.eventTarget(r, inv, subject))
		results[i], errs[i] = result, join([]error{err, g.learnBucket(ctx, inv, result.bucket)})
	})
	if value := panicked.Load(); value != nil {
		panic(*value)
	}
	return results, join(append([]error{err}, errs...))
}

// prominence is how soon a bucket is looked at, of several.
func (g *Guard) prominence(bucket string) int {
	switch _, declared := g.config.Owners[bucket]; {
	case slices.Contains(g.config.Restore, bucket):
		return 2
	case declared:
		return 1
	}
	return 0
}

// inTurn reconciles a bucket when no other event of it is worked on here.
func (g *Guard) inTurn(ctx context.Context, t Target) (Result, error) {
	defer g.turns.take(ctx, t.Key().Bucket)()
	return g.reconcile(ctx, t)
}

// subject is what a bucket is to the guard, and false where it is nothing. Granting
// says that its policy may let CloudTrail in.
func (g *Guard) subject(inv survey, name string, granting bool) (Subject, bool) {
	trails, expected := inv.into(name), g.expected(inv, name)
	switch {
	case len(trails) > 0:
		return TrailBucket{BucketRef: g.ref(inv, name), Trails: trails, Expected: expected}, true
	case len(expected) > 0, granting && g.ports.Inventory != nil:
		return GrantingBucket{BucketRef: g.ref(inv, name), Expected: expected}, true
	}
	return nil, false
}

// expected are those of whom deliveries into a bucket are expected, though no trail of
// theirs is known.
func (g *Guard) expected(inv survey, name string) []delivery.Grantee {
	return inv.known.Buckets[name].Aged(g.now()).Grantees()
}

// bucketsOf returns the buckets whose records know the trail.
func (g *Guard) bucketsOf(ctx context.Context, account, arn string) ([]string, error) {
	records, err := g.memory.List(ctx, account)
	if err != nil {
		return nil, &LedgerError{Bucket: "account " + account, Err: err}
	}
	return bucketsWith(records, arn), nil
}

// maxRounds bounds how often one reconciliation starts over while others keep
// changing the target.
const maxRounds = 8

// errOvertaken says that somebody else was faster: the bucket is not as it was
// judged any more, or another version of the record was stored. Nothing was
// written. The round starts over.
var errOvertaken = errors.New("the bucket or its record was changed while it was being worked on")

// reconcile brings one target to rest, round by round. A round that has nothing
// to notify ends it. After a notification the target is read once more: an event
// that came meanwhile found the old record, and had nothing to notify.
//
// Memory that fails keeps nobody from being told: from then on the reconciliation
// does without it. The errors are those of [Guard.Reconcile].
func (g *Guard) reconcile(ctx context.Context, t Target) (Result, error) {
	work, cancel := g.working(ctx)
	defer cancel()
	var (
		rec, lost = g.blank(t), record{} // lost is the record when memory failed
		obs       observation
		out       outcome
		done      attempt // the repair of this reconciliation, until it is remembered
		err       error
		// One failed write is enough, and without memory the outage is told once
		// before the write.
		gaveUp, notified bool
	)
	res := resultOf(t)
	for range maxRounds {
		if rec, obs, err = g.load(work, t, rec, obs); err != nil { // at once: a healthy bucket costs one round of reads
			return res, g.abandon(ctx, t, rec, done, err)
		}
		rec = rec.withoutUnwritten(t, done)
		obs, out = g.judge(work, t, rec, obs, done, out)

		if rec.durable() && obs.unanswered == nil && (out.amiss() || rec.Pending()) {
			// The bucket was read while the record was: it may be older, from
			// before a repair that the record already knows. What is acted on is
			// read after the record, so that whatever comes later is a conflict.
			if obs, err = g.observeAgain(work, t, obs); err != nil {
				return res, g.abandon(ctx, t, rec, done, err)
			}
			obs, out = g.judge(work, t, rec, obs, done, out)
		}
		res = res.with(out, done)

		if rec.leasedToOther(t, g.now()) {
			if !concerned(t, rec, obs, out) {
				return g.finish(ctx, t, rec, res, obs.failures(out))
			}
			if err = g.awaitLease(work, t, rec); err == nil {
				continue
			}
		}
		may := g.mayRepair(t, rec, obs, out, gaveUp || done.made())
		if may == granted && !rec.durable() && !notified {
			notified = true
			res.Notified, err = g.notifyWithoutMemory(ctx, round{t, rec, obs, out, done, may})
		}
		if may == granted && err == nil {
			rec, obs, out, done, err = g.repair(work, t, rec, obs, out, g.newAttempt(ctx, t, obs, out))
			gaveUp = gaveUp || done.gaveUp
			res = res.with(out, done)
		}
		if failed, ok := errors.AsType[*LedgerError](err); ok {
			rec, lost, err = rec.forget(failed), rec, nil
		}
		again := false
		if err == nil {
			var sent []alert.Kind
			rec, sent, again, err = g.remember(ctx, round{t, rec, obs, out, done, may})
			res.Notified = append(res.Notified, sent...)
		}
		switch {
		case errors.Is(err, errOvertaken):
			continue
		case err != nil:
			return res, g.abandon(ctx, t, rec, done, err)
		}
		g.releaseLease(ctx, t, lost, done)
		problems := slices.Concat([]error{rec.cause()}, obs.failures(out), []error{done.problem})
		done = attempt{} // it is remembered, and notified
		if again && join(problems) == nil {
			continue
		}
		return g.finish(ctx, t, rec, res, problems)
	}
	// Others kept changing the target. What is wrong with it is told even so.
	rec = rec.withoutUnwritten(t, done)
	last, sent, _, err := g.remember(ctx, round{t, rec, obs, out, done, notAgain})
	if res.Notified = append(res.Notified, sent...); err == nil {
		rec = last
	}
	return res, g.abandon(ctx, t, rec, done, &BusyError{Bucket: t.Key().Bucket})
}

// finish ends a reconciliation that has nothing more to tell itself, once what others
// were to tell is told.
func (g *Guard) finish(ctx context.Context, t Target, rec record, res Result, problems []error) (Result, error) {
	sent, err := g.publishWaiting(ctx, t, rec)
	res.Notified = append(res.Notified, sent...)
	return res, join(append(slices.Clone(problems), err))
}

// abandon ends a reconciliation that could not be finished, and returns why. An
// attempt that is not under way any more is left to others.
func (g *Guard) abandon(ctx context.Context, t Target, rec record, done attempt, err error) error {
	g.releaseLease(ctx, t, rec, done)
	return err
}

// join returns a single error as it is, so that its type is seen.
func join(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

func (g *Guard) now() time.Time { return g.run.Now() }
