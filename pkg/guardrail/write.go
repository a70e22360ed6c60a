package guardrail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// deed is a repair that was carried out, or tried.
type deed struct {
	id            string
	before        delivery.Report
	plan          repair.Plan
	read, written time.Time
	// verified says that what was written was read back.
	verified bool
	// failure says why it failed, in words that are the same each time.
	failure string
	// detail is the failure with the service's own words.
	detail string
	// refused says of each outage why the caller could not end it.
	refused []repair.Refusal
	// problem is why it is to be tried again, nil if that is of no use.
	problem error
}

// reserve is kept of an invocation's time to verify and to tell.
const reserve = 5 * time.Second

// The waits between tries of a write, and between readings of what was
// written. Each is twice the one before, up to the longest.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 3 * time.Second
	maxTries    = 6
)

// errOvertaken says that the bucket is not as it was judged any more.
var errOvertaken = errors.New("the bucket was changed while it was being repaired")

// repair carries out the plan and verifies it. Again says that the bucket was
// not as judged any more, or that somebody else was faster: nothing was
// written.
func (l *look) repair(ctx context.Context) (again bool, err error) {
	id := l.newID()
	if again, err := l.begin(ctx, id); again || err != nil {
		return again, err
	}
	l.deed = deed{id: id, before: l.sight.report, plan: l.sight.plan}
	if err := l.keepReplaced(ctx); err != nil {
		if Is(err, Transient) {
			return false, err
		}
		l.record = l.record.Abandon(id)
		l.fail(err) // what cannot be undone is not done
		return false, nil
	}
	l.deed.read = l.now()
	current, err := l.ports.Buckets.Observe(ctx, l.bucket)
	if err != nil {
		return false, &ObserveError{Subject: "bucket " + l.bucket.Name, Err: err}
	}
	if !same(l.sight.bucket, current) {
		l.deed = deed{}
		return true, nil
	}
	// From here on the write may have been made.
	l.wrote = append(l.wrote, id)
	if err := l.write(ctx); errors.Is(err, errOvertaken) {
		l.wrote, l.deed = l.wrote[:len(l.wrote)-1], deed{}
		return true, nil
	} else if err != nil {
		l.fail(err)
		l.judgeAnew(ctx)
		return false, nil
	}
	return false, l.verify(ctx)
}

// judgeAnew judges the bucket as a failed write has left it, if that can be
// read.
func (l *look) judgeAnew(ctx context.Context) {
	current, err := l.ports.Buckets.Observe(ctx, l.bucket)
	if err != nil {
		l.sight.notes = append(l.sight.notes, "What the bucket looks like after the failed write could not be read.")
		return
	}
	l.sight.bucket, l.sight.at = current, l.now()
	l.judge()
}

// begin remembers what is about to be done before it is done: the repair
// counts, what it is about will be told whatever happens to this process, and
// the policy is kept. Without memory the team is told of the outage first.
func (l *look) begin(ctx context.Context, id string) (again bool, err error) {
	s := &l.sight
	if !l.remembers() {
		if l.approve == nil {
			return false, l.announce(ctx, false)
		}
		return false, nil
	}
	after := s.digest()
	if s.plan.Changed {
		after = ledger.Fingerprint(s.plan.Policy)
	}
	attempt := ledger.Attempt{ID: id, Until: l.until(ctx), Report: brief(s.report), Plan: s.plan, After: after}
	count := ledger.Repair{ID: id, Read: l.now(), Before: s.digest(), After: after}
	next := l.record.Begin(attempt, count)
	return l.save(ctx, next)
}

// keepReplaced keeps the policy that is about to be replaced.
func (l *look) keepReplaced(ctx context.Context) error {
	if !l.remembers() || !l.sight.plan.Changed {
		return nil
	}
	return l.keep(ctx, "Replaced by Trailwarden to let CloudTrail deliver again.")
}

func (l *look) keep(ctx context.Context, reason string) error {
	now := l.now()
	err := l.ports.Ledger.Keep(ctx, ledger.Snapshot{
		Key: l.key(), Time: now, Policy: policyText(l.sight.bucket), Region: l.sight.bucket.Region,
		Reason: reason, Expires: now.Add(l.config.KeepSnapshots),
	})
	if err != nil {
		return &LedgerError{Bucket: l.bucket.Name, Err: err}
	}
	return nil
}

// brief is a report without the details of requirements, to be stored.
func brief(r delivery.Report) delivery.Report {
	trails := make([]delivery.TrailReport, len(r.Trails))
	for i, t := range r.Trails {
		trails[i] = delivery.TrailReport{ARN: t.ARN, Verdict: t.Verdict}
	}
	r.Trails = trails
	return r
}

// write carries out the plan.
func (l *look) write(ctx context.Context) error {
	plan := l.deed.plan
	if plan.Changed {
		want := ledger.Fingerprint(plan.Policy)
		err := l.insist(ctx, func() error {
			return l.ports.Buckets.PutPolicy(ctx, l.bucket, plan.Policy)
		}, func(b delivery.Bucket) (bool, error) {
			switch {
			case ledger.Fingerprint(policyText(b)) == want:
				return true, nil
			case !same(b, l.sight.bucket):
				return false, errOvertaken
			}
			return false, nil
		})
		if err != nil {
			return err
		}
		l.written()
	}
	if !plan.ResetPayer {
		return nil
	}
	err := l.insist(ctx, func() error {
		return l.ports.Buckets.ResetPayer(ctx, l.bucket)
	}, func(b delivery.Bucket) (bool, error) {
		return b.Payer == delivery.PayerOwner, nil
	})
	if err == nil {
		l.written()
	}
	return err
}

func (l *look) written() { l.deed.written, l.result.Wrote = l.now(), true }

// insist tries a write until it succeeds, fails for good, or time is short.
// The answer to a write may be lost: done looks whether it was made before it
// is made again.
func (l *look) insist(ctx context.Context, write func() error, done func(delivery.Bucket) (bool, error)) error {
	err := write()
	for try, wait := 1, firstWait; err != nil && (Is(err, Transient) || Is(err, Conflict)); try, wait = try+1, min(2*wait, longestWait) {
		if try == maxTries || !l.pause(ctx, wait, reserve) {
			return err
		}
		current, readErr := l.ports.Buckets.Observe(ctx, l.bucket)
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

// fail notes why the write failed. A failure that may pass is tried again with
// the whole look.
func (l *look) fail(err error) {
	l.gaveUp = true
	l.deed.failure, l.deed.detail = reason(err), err.Error()
	if p := (*PortError)(nil); errors.As(err, &p) {
		l.deed.detail = l.deed.failure + ": " + p.Err.Error()
	}
	l.deed.refused = refusals(l.deed.before, err)
	if Is(err, Transient) || Is(err, Conflict) {
		l.deed.problem = &WriteError{Bucket: l.bucket.Name, Err: err}
		l.deed.written = l.now() // for all that is known
	}
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

// verify reads the bucket back until what was written can be seen, and judges
// it as it then is.
func (l *look) verify(ctx context.Context) error {
	for try, wait := 1, firstWait/2; ; try, wait = try+1, min(2*wait, longestWait) {
		current, err := l.ports.Buckets.Observe(ctx, l.bucket)
		if err == nil && l.visible(current) {
			l.sight.bucket, l.sight.at = current, l.now()
			break
		}
		if try < maxTries && l.pause(ctx, wait, reserve/2) {
			continue
		}
		if err == nil {
			err = errors.New("the bucket still gives what it had before")
		}
		return &VerifyError{Bucket: l.bucket.Name, Err: err}
	}
	l.judge()
	l.deed.verified = true
	if left := l.sight.report.Outages(); len(left) > 0 {
		l.deed.failure = fmt.Sprintf("what was written did not help against everything: %s", left[0].Message)
		l.deed.detail = l.deed.failure
		return nil
	}
	l.result.Repaired = true
	return nil
}

// visible reports whether a reading shows the write, or what somebody else has
// written since. What cannot be read shows nothing.
func (l *look) visible(b delivery.Bucket) bool {
	if b.State != delivery.PolicyRead && b.State != delivery.PolicyMissing {
		return false
	}
	if l.deed.plan.Changed && ledger.Fingerprint(policyText(b)) == ledger.Fingerprint(policyText(l.sight.bucket)) {
		return false
	}
	return !l.deed.plan.ResetPayer || b.Payer == delivery.PayerOwner
}
