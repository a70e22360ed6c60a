package guardrail

import (
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
	inv, err := g.survey(ctx, b.Account, b.Region)
	if err != nil {
		return Restoration{}, err
	}
	if inv, err = g.withBuckets(ctx, inv, []string{b.Name}); err != nil {
		return Restoration{}, err
	}
	trails := inv.into(b.Name)
	if len(trails) == 0 {
		return Restoration{}, fmt.Errorf("no trail that account %s sees delivers into bucket %s", b.Account, b.Name)
	}
	t := g.eventTarget(Request{}, inv, TrailBucket{BucketRef: g.ref(inv, b.Name), Trails: trails})
	rec, obs, out, done := g.blank(t), observation{}, outcome{}, attempt{}
	defer func() { g.releaseLease(ctx, t, rec, done) }()
	for range maxRounds {
		if rec, obs, err = g.load(ctx, t, rec, obs); err != nil {
			return Restoration{}, err
		}
		rec = rec.withoutUnwritten(t, done)
		obs, out = g.judge(ctx, t, rec, obs, done, out)
		if rec.leasedToOther(t, g.now()) {
			if err := g.awaitLease(ctx, t, rec); err != nil {
				return Restoration{}, err
			}
			continue
		}
		restored := Restoration{Before: out.report, After: out.report, Plan: out.plan}
		if err := join([]error{rec.cause(), obs.planLacks()}); err != nil {
			return restored, err
		}
		if out.plan.Empty() {
			return restored, nil
		}
		if ok, err := confirm(out.report, out.plan); !ok || err != nil {
			return restored, err
		}
		rec, obs, out, done, err = g.repair(ctx, t, rec, obs, out, g.newAttempt(ctx, t, obs, out))
		if errors.Is(err, errOvertaken) {
			continue
		}
		restored.Wrote = done.wrote
		if err != nil {
			return restored, err
		}
		restored.After = out.report
		rec, err = g.conclude(ctx, round{t, rec, obs, out, done, ordered})
		return restored, err
	}
	return Restoration{}, &BusyError{Bucket: b.Name}
}

// conclude remembers a restoration by hand and says what went wrong with it.
func (g *Guard) conclude(ctx context.Context, r round) (record, error) {
	var failed error
	if r.done.failure != "" && !r.done.verified {
		failed = &WriteError{Bucket: r.record.Bucket, Err: errors.New(r.done.detail)}
	}
	if !r.record.durable() {
		return r.record, failed
	}
	for range maxRounds {
		var err error
		r.record, _, _, err = g.remember(ctx, r)
		if err == nil {
			return r.record, failed
		}
		if errors.Is(err, errOvertaken) {
			r.record, r.obs, err = g.load(ctx, r.target, r.record, r.obs)
		}
		if err != nil {
			return r.record, join([]error{failed, err})
		}
		r.obs, r.out = g.judge(ctx, r.target, r.record, r.obs, r.done, r.out)
	}
	return r.record, join([]error{failed, &BusyError{Bucket: r.record.Bucket}})
}

// Snapshots returns the policies of the bucket that repairs replaced, newest
// first. Without a ledger the error is ErrNoLedger.
func (g *Guard) Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error) {
	snapshots, err := g.memory.Snapshots(ctx, k)
	if errors.Is(err, ErrNoLedger) {
		return nil, err
	}
	if err != nil {
		return nil, &LedgerError{Bucket: k.Bucket, Err: err}
	}
	return snapshots, nil
}

// longestName is how much is kept of the name of who undid a repair, in bytes.
const longestName = 512

// Undo puts a snapshot back and holds repairs of the bucket until its policy
// changes again or Release is called. It calls confirm with the unified diff
// before it writes; false writes nothing. By says who undoes, in words. If the
// policy is not the one of the diff any more when it is written, the error is
// ErrPolicyChanged; without a ledger it is ErrNoLedger.
func (g *Guard) Undo(ctx context.Context, b BucketRef, s ledger.Snapshot, by string, confirm func(diff string) (bool, error)) error {
	if !g.memory.durable() {
		return ErrNoLedger
	}
	rec := record{Record: ledger.Record{Key: b.Key()}, memory: g.memory}
	current, err := g.readable(ctx, b)
	if err != nil {
		return err
	}
	diff := repair.Diff(policyText(current), s.Policy)
	if ok, err := confirm(diff); !ok || err != nil {
		return err
	}
	if err := g.keep(ctx, rec, current, "Replaced by an undo by "+by+"."); err != nil {
		return err
	}
	hold := &ledger.Hold{Policy: ledger.Fingerprint(s.Policy), By: by[:min(len(by), longestName)], At: g.now()}
	if err := rec.amend(ctx, func(r ledger.Record) ledger.Record { r.Hold = hold; return r }); err != nil {
		return err
	}
	err = g.checkUnchanged(ctx, b, current)
	if err == nil {
		_, err = g.putPolicy(ctx, b, current, s.Policy)
	}
	if errors.Is(err, errOvertaken) {
		return ErrPolicyChanged
	}
	if err != nil {
		return &WriteError{Bucket: b.Name, Err: err}
	}
	return g.awaitPolicy(ctx, b, s.Policy)
}

// readable reads a bucket whose policy can be replaced.
func (g *Guard) readable(ctx context.Context, b BucketRef) (delivery.Bucket, error) {
	current, err := g.readBucket(ctx, b)
	if err != nil {
		return current, err
	}
	if current.State != delivery.PolicyRead && current.State != delivery.PolicyMissing {
		return current, &ObserveError{Subject: "policy of bucket " + b.Name, Err: errors.New(current.Reason)}
	}
	return current, nil
}

// awaitPolicy waits until a policy that was written can be read.
func (g *Guard) awaitPolicy(ctx context.Context, b BucketRef, policy []byte) error {
	want := ledger.Fingerprint(policy)
	for wait := firstWait; ; wait *= 2 {
		current, err := g.readable(ctx, b)
		if err == nil && ledger.Fingerprint(policyText(current)) == want {
			return nil
		}
		if wait > maxTries*longestWait || !g.pause(ctx, min(wait, longestWait), 0) {
			if err == nil {
				err = errors.New("the bucket has another policy")
			}
			return &VerifyError{Bucket: b.Name, Err: err}
		}
	}
}

// Release lifts the hold that Undo put on a bucket. Without a ledger the error
// is ErrNoLedger.
func (g *Guard) Release(ctx context.Context, k ledger.Key) error {
	if !g.memory.durable() {
		return ErrNoLedger
	}
	rec := record{Record: ledger.Record{Key: k}, memory: g.memory}
	return rec.amend(ctx, func(r ledger.Record) ledger.Record { r.Hold = nil; return r })
}
