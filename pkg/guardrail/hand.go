package guardrail

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// Restore repairs one bucket by hand, whether or not it is opted in, held or
// over budget. It calls confirm with the judgement and the plan before it
// writes; false writes nothing. If the bucket changes before the write,
// confirm is called again. An error after a write leaves Wrote set.
func (g *Guard) Restore(ctx context.Context, b BucketRef, confirm func(delivery.Report, repair.Plan) (bool, error)) (Restoration, error) {
	e, err := g.survey(ctx, b.Account, b.Region)
	if err != nil {
		return Restoration{}, err
	}
	j := g.job(Request{Account: b.Account, Region: b.Region}, e, b.Name)
	j.approve = confirm
	if len(j.trails) == 0 {
		return Restoration{}, fmt.Errorf("no trail that account %s sees delivers into bucket %s", b.Account, b.Name)
	}
	l := g.newLook(j)
	defer l.leave(ctx)
	for range maxLooks {
		out, again, err := l.restore(ctx)
		if !again || err != nil {
			return out, err
		}
	}
	return Restoration{}, &BusyError{Bucket: b.Name}
}

func (l *look) restore(ctx context.Context) (out Restoration, again bool, err error) {
	if err := l.observe(ctx); err != nil {
		return out, false, err
	}
	l.judge()
	if l.busy() {
		return out, true, l.wait(ctx)
	}
	before, plan := l.sight.report, l.sight.plan
	out = Restoration{Before: before, After: before, Plan: plan}
	if l.sight.partial || l.amnesic {
		return out, false, join(l.sight.problems)
	}
	if plan.Empty() {
		return out, false, nil
	}
	if ok, err := l.approve(before, plan); !ok || err != nil {
		return out, false, err
	}
	again, err = l.repair(ctx)
	out.Wrote = l.result.Wrote
	if again || err != nil {
		return out, again, err
	}
	out.After = l.sight.report
	return out, false, l.conclude(ctx)
}

// conclude remembers a restoration by hand and says what went wrong with it.
func (l *look) conclude(ctx context.Context) error {
	var failed error
	if l.deed.failure != "" && !l.deed.verified {
		failed = &WriteError{Bucket: l.bucket.Name, Err: errors.New(l.deed.detail)}
	}
	if !l.remembers() {
		return failed
	}
	for range maxLooks {
		again, err := l.remember(ctx)
		if err != nil {
			return join([]error{failed, err})
		}
		if !again || l.deed.id == "" {
			return failed
		}
		if err := l.observe(ctx); err != nil {
			return join([]error{failed, err})
		}
		l.judge()
	}
	return join([]error{failed, &BusyError{Bucket: l.bucket.Name}})
}

// Snapshots returns the policies of the bucket that repairs replaced, newest
// first. Without a ledger the error is ErrNoLedger.
func (g *Guard) Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error) {
	if g.ports.Ledger == nil {
		return nil, ErrNoLedger
	}
	snapshots, err := g.ports.Ledger.Snapshots(ctx, k)
	if err != nil {
		return nil, &LedgerError{Bucket: k.Bucket, Err: err}
	}
	return snapshots, nil
}

// Undo puts a snapshot back and holds repairs of the bucket until its policy
// changes again or Release is called. It calls confirm with the unified diff
// before it writes; false writes nothing. By says who undoes, in words. If the
// policy changes while confirm decides, the error is ErrPolicyChanged; without
// a ledger it is ErrNoLedger.
func (g *Guard) Undo(ctx context.Context, b BucketRef, s ledger.Snapshot, by string, confirm func(diff string) (bool, error)) error {
	if g.ports.Ledger == nil {
		return ErrNoLedger
	}
	l := g.newLook(job{bucket: b})
	current, err := g.readable(ctx, b)
	if err != nil {
		return err
	}
	diff := repair.Diff(policyText(current), s.Policy)
	if ok, err := confirm(diff); !ok || err != nil {
		return err
	}
	l.sight = sight{at: l.now(), bucket: current}
	if err := l.keep(ctx, "Replaced by an undo by "+by+"."); err != nil {
		return err
	}
	hold := &ledger.Hold{Policy: ledger.Fingerprint(s.Policy), By: by, At: l.now()}
	if err := l.amend(ctx, func(r ledger.Record) ledger.Record { r.Hold = hold; return r }); err != nil {
		return err
	}
	again, err := g.readable(ctx, b)
	if err != nil {
		return err
	}
	if !bytes.Equal(policyText(current), policyText(again)) {
		return ErrPolicyChanged
	}
	return l.putBack(ctx, s.Policy)
}

// readable reads a bucket whose policy can be replaced.
func (g *Guard) readable(ctx context.Context, b BucketRef) (delivery.Bucket, error) {
	current, err := g.ports.Buckets.Observe(ctx, b)
	if err != nil {
		return current, &ObserveError{Subject: "bucket " + b.Name, Err: err}
	}
	if current.State != delivery.PolicyRead && current.State != delivery.PolicyMissing {
		return current, &ObserveError{Subject: "policy of bucket " + b.Name, Err: errors.New(current.Reason)}
	}
	return current, nil
}

// putBack writes a policy and waits until it can be read.
func (l *look) putBack(ctx context.Context, policy []byte) error {
	want := ledger.Fingerprint(policy)
	err := l.insist(ctx, func() error {
		return l.ports.Buckets.PutPolicy(ctx, l.bucket, policy)
	}, func(b delivery.Bucket) (bool, error) {
		return ledger.Fingerprint(policyText(b)) == want, nil
	})
	if err != nil {
		return &WriteError{Bucket: l.bucket.Name, Err: err}
	}
	for wait := firstWait; ; wait *= 2 {
		current, err := l.readable(ctx, l.bucket)
		if err == nil && ledger.Fingerprint(policyText(current)) == want {
			return nil
		}
		if wait > maxTries*longestWait || !l.pause(ctx, min(wait, longestWait), 0) {
			return &VerifyError{Bucket: l.bucket.Name, Err: errorOr(err, errors.New("the bucket has another policy"))}
		}
	}
}

// Release lifts the hold that Undo put on a bucket. Without a ledger the error
// is ErrNoLedger.
func (g *Guard) Release(ctx context.Context, k ledger.Key) error {
	if g.ports.Ledger == nil {
		return ErrNoLedger
	}
	l := g.newLook(job{bucket: BucketRef{Name: k.Bucket, Account: k.Account}})
	return l.amend(ctx, func(r ledger.Record) ledger.Record { r.Hold = nil; return r })
}

// amend changes the record whatever others store at the same time.
func (l *look) amend(ctx context.Context, change func(ledger.Record) ledger.Record) error {
	for range maxLooks {
		record, err := l.load(ctx)
		if err != nil {
			return err
		}
		again, err := l.save(ctx, change(record))
		if !again {
			return err
		}
	}
	return &BusyError{Bucket: l.bucket.Name}
}
