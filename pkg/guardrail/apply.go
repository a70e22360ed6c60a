package guardrail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// attempt is a repair that was carried out, or tried. The zero attempt is none.
type attempt struct {
	id string
	// until is how long the attempt may take.
	until  time.Time
	before delivery.Report
	plan   repair.Plan
	// replaced is the fingerprint of the policy that the plan was made for.
	replaced string
	// read is when the bucket was last read before the write, written when the
	// answer to the write came, or when it may have been made for all that is
	// known.
	read, written time.Time
	// mayBeWritten says that the write was sent, wrote that it was made.
	mayBeWritten, wrote bool
	// verified says that what was written was read back.
	verified bool
	// failure says why it failed, in words that are the same each time, and
	// detail with the service's own words.
	failure, detail string
	// late says that a try of the write had no answer. It may still be made.
	late bool
	// gaveUp says that the write failed, so that it is not tried again, and rejected
	// that S3 did not take it: nothing was overwritten.
	gaveUp, rejected bool
	// refused says of each outage why the caller could not end it.
	refused []repair.Refusal
	// problem is why it is to be tried again by another call, nil if that is of
	// no use.
	problem error
}

// made reports whether there is an attempt.
func (a attempt) made() bool { return a.id != "" }

// succeeded reports whether the bucket is seen to be repaired.
func (a attempt) succeeded() bool { return a.made() && a.verified && a.failure == "" }

// The waits between tries of a call, and between readings of what was
// written. Each is twice the one before, up to the longest.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 3 * time.Second
	maxTries    = 6 // of a write, and of readings of what was written
	readTries   = 4 // of any other reading, and of a call of the ledger
)

// newAttempt is the attempt to carry out the plan.
func (g *Guard) newAttempt(ctx context.Context, t Target, obs observation, out outcome) attempt {
	return attempt{id: newID(t), until: g.leaseEnd(ctx), before: out.report, plan: out.plan, replaced: obs.fingerprint()}
}

// repair carries out an attempt and verifies it: it stores what it is about to do,
// keeps the policy that is replaced, reads the bucket once more, writes, and
// reads back. The error is errOvertaken if somebody else was faster, or a
// *LedgerError; nothing was written then, and there is no attempt. A write that fails
// is no error: the attempt says so.
func (g *Guard) repair(
	ctx context.Context, t Target, rec record, obs observation, out outcome, done attempt,
) (record, observation, outcome, attempt, error) {
	rec, err := g.begin(ctx, rec, obs, out, done)
	if err != nil {
		return rec, obs, out, attempt{}, err
	}
	if done.plan.Changed {
		err := g.keep(ctx, rec, obs.bucket, "Replaced by Trailwarden to let CloudTrail deliver again.")
		if err != nil && Is(err, Transient) {
			return rec, obs, out, attempt{}, err
		}
		if err != nil { // what cannot be undone is not done
			rec.Record = rec.Abandon(done.id)
			return rec, obs, out, g.failed(rec, done, err), nil
		}
	}
	b := t.bucket()
	done.read = g.now()
	switch err := g.checkUnchanged(ctx, b, obs.bucket); {
	case errors.Is(err, errOvertaken):
		return rec, obs, out, attempt{}, err
	case err != nil: // what was not seen is not overwritten
		rec.Record = rec.Abandon(done.id)
		return rec, obs, out, g.failed(rec, done, err), nil
	}
	done.mayBeWritten = true
	done, err = g.write(ctx, b, obs.bucket, done)
	if errors.Is(err, errOvertaken) {
		return rec, obs, out, attempt{}, err
	}
	if err != nil {
		done = g.failed(rec, done, err)
		obs, out = g.assessFailedWrite(ctx, t, rec, obs, done, out)
		return rec, obs, out, done, nil
	}
	if obs.bucket, err = g.readBack(ctx, b, obs.bucket, done.plan); err != nil {
		return rec, obs, out, g.failed(rec, done, err), nil
	}
	obs.at = g.now()
	done.verified = true
	obs, out = g.judge(ctx, t, rec, obs, done, out)
	if left := unforeseen(out.report, done.plan); len(left) > 0 {
		done.failure = fmt.Sprintf("what was written did not help against everything: %s", left[0].Message)
		done.detail = done.failure
	}
	return rec, obs, out, done, nil
}

// unforeseen are the outages that are left of which the plan did not say that it
// leaves them: a Deny may block what the plan could only grant.
func unforeseen(r delivery.Report, plan repair.Plan) []delivery.Finding {
	return slices.DeleteFunc(r.Outages(), func(f delivery.Finding) bool {
		return slices.ContainsFunc(plan.Refused, func(r repair.Refusal) bool { return r.Finding == f.ID && r.Trail == f.Trail })
	})
}

// assessFailedWrite assesses the bucket as a failed write has left it, if that
// can be read.
func (g *Guard) assessFailedWrite(
	ctx context.Context, t Target, rec record, obs observation, done attempt, out outcome,
) (observation, outcome) {
	current, err := g.ports.Buckets.Observe(ctx, t.bucket())
	if err != nil {
		obs.notes = append(slices.Clone(obs.notes), "What the bucket looks like after the failed write could not be read.")
		return obs, out
	}
	obs.bucket, obs.at = current, g.now()
	return g.judge(ctx, t, rec, obs, done, out)
}

// begin stores what is about to be done before it is done: the repair counts,
// and what it is about will be told whatever happens to this process.
func (g *Guard) begin(ctx context.Context, rec record, obs observation, out outcome, done attempt) (record, error) {
	if !rec.durable() {
		return rec, nil
	}
	before := obs.fingerprint()
	after, payer := before, ""
	if out.plan.Changed {
		after = ledger.Fingerprint(out.plan.Policy)
	}
	if out.plan.ResetPayer {
		payer = obs.bucket.Payer
	}
	return rec.save(ctx, rec.Begin(
		ledger.Attempt{ID: done.id, Until: done.until, After: after, Payer: payer},
		ledger.Repair{ID: done.id, Read: g.now(), Before: before, After: after},
	))
}

// keep keeps the policy that is about to be replaced.
func (g *Guard) keep(ctx context.Context, rec record, b delivery.Bucket, reason string) error {
	now := g.now()
	err := rec.memory.Keep(ctx, ledger.Snapshot{
		Key: rec.Key, Time: now, Policy: policyText(b), Region: b.Region,
		Reason: reason, Expires: now.Add(g.config.KeepSnapshots),
	})
	if err != nil {
		return &LedgerError{Bucket: rec.Bucket, Err: err}
	}
	return nil
}

// write carries out the attempt's plan on a bucket that was last read as
// before.
func (g *Guard) write(ctx context.Context, b BucketRef, before delivery.Bucket, done attempt) (attempt, error) {
	if plan := done.plan; plan.Changed {
		late, err := g.putPolicy(ctx, b, before, plan.Policy)
		if done.late = late; err != nil {
			return done, err
		}
		done.written, done.wrote = g.writtenBy(done), true
	}
	if done.plan.ResetPayer {
		err := g.writeWithRetry(ctx, b, func() error {
			return g.ports.Buckets.ResetPayer(ctx, b)
		}, func(now delivery.Bucket) (bool, error) {
			return now.Payer == delivery.PayerOwner, nil
		})
		if err != nil {
			return done, err
		}
		done.written, done.wrote = g.writtenBy(done), true
	}
	return done, nil
}

// checkUnchanged reads a bucket that was judged, or shown to a person, just before it
// is written to. The error is errOvertaken if it is not as it was then.
func (g *Guard) checkUnchanged(ctx context.Context, b BucketRef, before delivery.Bucket) error {
	current, err := g.readBucket(ctx, b)
	if err != nil {
		return err
	}
	if !sameBucket(before, current) {
		return errOvertaken
	}
	return nil
}

// putPolicy replaces the policy of a bucket that was last read as before. It is the
// only way in which a policy is written, by the guard and by hand. A write whose answer
// is a failure is made again only while the bucket is still as before: S3 has no
// conditional write, and refuses one of two that come together. The error is
// errOvertaken if somebody else has written in between.
//
// Late says that a try had no answer, so that it may be made after all the others. It
// writes what they write, and harms nobody but who writes in between.
func (g *Guard) putPolicy(ctx context.Context, b BucketRef, before delivery.Bucket, policy []byte) (late bool, _ error) {
	want := ledger.Fingerprint(policy)
	err := g.writeWithRetry(ctx, b, func() error {
		err := g.ports.Buckets.PutPolicy(ctx, b, policy)
		late = late || unanswered(err)
		return err
	}, func(now delivery.Bucket) (bool, error) {
		switch {
		case ledger.Fingerprint(policyText(now)) == want:
			return true, nil
		case !sameBucket(now, before):
			return false, errOvertaken
		}
		return false, nil
	})
	return late, err
}

// unanswered reports whether the service said nothing, so that it is not known what
// becomes of the call.
func unanswered(err error) bool {
	var p *PortError
	return err != nil && (!errors.As(err, &p) || p.Class == Transient && p.Code == "")
}

// lateTime is how long a write without an answer may still be made.
const lateTime = 30 * time.Second

// writtenBy is until when the attempt's write may be made, or was. What somebody else
// writes until then, and is not there any more, was overwritten unseen.
func (g *Guard) writtenBy(done attempt) time.Time {
	if done.late {
		return g.now().Add(lateTime)
	}
	return g.now()
}

// writeWithRetry tries a write until it succeeds, fails for good, or time is
// short. The answer to a write may be lost: done looks whether it was made
// before it is made again.
func (g *Guard) writeWithRetry(ctx context.Context, b BucketRef, write func() error, done func(delivery.Bucket) (bool, error)) error {
	err := write()
	for try, wait := 1, firstWait; err != nil && (Is(err, Transient) || Is(err, Conflict)); try, wait = try+1, min(2*wait, longestWait) {
		if try == maxTries || !g.pause(ctx, wait, 0) {
			return err
		}
		current, readErr := g.ports.Buckets.Observe(ctx, b)
		if readErr != nil {
			continue
		}
		if ok, over := done(current); ok || over != nil {
			return over
		}
		err = write()
	}
	return err
}

// readBack reads the bucket until what was written can be seen, or what somebody
// else has written since. S3 may give the former policy for a moment.
func (g *Guard) readBack(ctx context.Context, b BucketRef, before delivery.Bucket, plan repair.Plan) (delivery.Bucket, error) {
	for try, wait := 1, firstWait/2; ; try, wait = try+1, min(2*wait, longestWait) {
		current, err := g.ports.Buckets.Observe(ctx, b)
		if err == nil && shows(current, before, plan) {
			return current, nil
		}
		if try < maxTries && g.pause(ctx, wait, 0) {
			continue
		}
		if err == nil {
			err = errors.New("the bucket still gives what it had before")
		}
		return before, &VerifyError{Bucket: b.Name, Err: err}
	}
}

// shows reports whether a reading shows the write. What cannot be read shows
// nothing.
func shows(now, before delivery.Bucket, plan repair.Plan) bool {
	if !policyKnown(now) {
		return false
	}
	if plan.Changed && ledger.Fingerprint(policyText(now)) == ledger.Fingerprint(policyText(before)) {
		return false
	}
	return !plan.ResetPayer || now.Payer == delivery.PayerOwner
}

// failed returns the attempt with why its write failed. A failure that may pass
// is a problem: the whole reconciliation is tried again.
func (g *Guard) failed(rec record, done attempt, err error) attempt {
	done.gaveUp = true
	done.failure, done.detail = reason(err), err.Error()
	if p := (*PortError)(nil); errors.As(err, &p) {
		done.detail = done.failure + ": " + p.Err.Error()
	}
	done.refused = refusals(done.before, err)
	if !Is(err, Transient) && !Is(err, Conflict) {
		done.rejected = !done.wrote
		return done
	}
	_, unread := errors.AsType[*ObserveError](err)
	_, unverified := errors.AsType[*VerifyError](err)
	if done.problem = err; !unread && !unverified {
		done.problem = &WriteError{Bucket: rec.Bucket, Err: err}
	}
	if done.mayBeWritten {
		done.written = g.writtenBy(done) // for all that is known
	}
	return done
}

// refusals says of each outage that was to be ended why it was not, where S3
// did not let the caller write.
func refusals(before delivery.Report, err error) []repair.Refusal {
	var p *PortError
	if !errors.As(err, &p) || p.Class != Denied || !strings.HasPrefix(p.Op, "s3:Put") {
		return nil
	}
	// S3 has one code for both, and says which it is.
	public := strings.Contains(strings.ToLower(p.Err.Error()), "public")
	var out []repair.Refusal
	for _, f := range before.Outages() {
		switch {
		case !f.Restorable:
		case public:
			out = append(out, repair.PublicAccessBlocked(f))
		default:
			out = append(out, repair.WriteDenied(f, p.Code))
		}
	}
	return out
}

// reason is a failure in words that are the same each time, without the ids
// that services put into their messages.
func reason(err error) string {
	var p *PortError
	if !errors.As(err, &p) {
		return err.Error()
	}
	if p.Code == "" {
		return fmt.Sprintf("%s: %s", p.Op, p.Class)
	}
	return fmt.Sprintf("%s: %s (%s)", p.Op, p.Class, p.Code)
}
