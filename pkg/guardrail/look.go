package guardrail

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// job is one bucket to look at.
type job struct {
	estate    estate
	bucket    BucketRef
	trails    []trail.Trail // that deliver into it
	change    *delivery.Change
	submitted []byte
	// sweep is what the looks of one sweep share, nil for an event.
	sweep *pass
	// approve asks before a write by hand; nil: the guard is at work.
	approve func(delivery.Report, repair.Plan) (bool, error)
}

func (g *Guard) job(r Request, e estate, bucket string) job {
	j := job{
		estate: e, bucket: g.ref(r.Account, r.Region, bucket), trails: e.into(bucket),
		change: r.Change,
	}
	if bucket == r.Bucket {
		j.submitted = r.SubmittedPolicy
	}
	if j.change != nil && j.change.ErrorCode != "" {
		j.change = nil // it changed nothing
	}
	return j
}

// maxLooks bounds how often one call looks at a bucket that others keep
// changing under its eyes.
const maxLooks = 8

// look is one call's work on one bucket. It is used by one goroutine.
type look struct {
	*Guard
	job
	token  string // begins the ids of all that this look stores
	count  int
	record ledger.Record
	sight  sight
	// deed is the repair of this look, until it is told.
	deed  deed
	wrote []string // ids of the repairs that were written
	// gaveUp says that a repair of this look failed: one try is enough.
	gaveUp bool
	// announced says that the outage was told, where there is no memory.
	announced bool
	// amnesic says that there is a ledger, and that it fails for good.
	amnesic bool
	result  Result
}

func (g *Guard) newLook(j job) *look {
	return &look{Guard: g, job: j, token: rand.Text(), result: Result{Bucket: j.bucket.Name, InUse: len(j.trails) > 0}}
}

// lookAt looks at a bucket until there is nothing left to do. What was told is
// looked at once more: a change that came while it was being told found the
// old record and had nothing to tell.
func (g *Guard) lookAt(ctx context.Context, j job) (Result, error) {
	l := g.newLook(j)
	if len(j.trails) == 0 && j.sweep == nil && !l.gone() {
		return l.result, nil
	}
	for range maxLooks {
		again, err := l.once(ctx)
		if err != nil {
			return l.result, l.give(ctx, err)
		}
		if !again {
			return l.result, join(slices.Clone(l.sight.problems))
		}
	}
	return l.result, l.give(ctx, &BusyError{Bucket: j.bucket.Name})
}

// give gives a failed look up. If its memory fails for good, such as for want
// of a permission, the outage is told without it.
func (l *look) give(ctx context.Context, err error) error {
	var memory *LedgerError
	if errors.As(err, &memory) && !Is(err, Transient) && !Is(err, Conflict) && !l.amnesic {
		l.amnesic = true
		return join([]error{err, l.announce(ctx, true)})
	}
	l.leave(ctx)
	return err
}

// leave leaves an attempt of this look that is not under way any more to
// others. If it was never written it does not count.
func (l *look) leave(ctx context.Context) {
	if a := l.record.Attempt; a != nil && l.mine(a.ID) && l.remembers() {
		next, over := l.record.Abandon(a.ID), *a
		if slices.Contains(l.wrote, a.ID) {
			next = l.record.Written(a.ID, l.deed.read, l.deed.written, false)
		}
		over.Until = l.now()
		next.Attempt = &over
		if _, releaseErr := l.save(ctx, next); releaseErr != nil {
			l.run.Log.InfoContext(ctx, "attempt not released; others wait for its time to be up", "bucket", l.bucket.Name)
		}
	}
}

// once observes, judges, repairs, remembers and tells. Again says that
// something changed meanwhile.
func (l *look) once(ctx context.Context) (again bool, err error) {
	if err := l.observe(ctx); err != nil {
		return false, err
	}
	l.judge()
	if l.remembers() && (amiss(l.sight.report) || l.record.Open() || l.record.Attempt != nil) {
		// The bucket was read while the record was: it may be older, from before
		// a repair that the record already knows. What is acted on is read after
		// the record, so that whatever comes later is a conflict.
		if err := l.observeAfter(ctx, l.record); err != nil {
			return false, err
		}
		l.judge()
	}
	if l.busy() {
		if !l.concerned() {
			return false, nil
		}
		return true, l.wait(ctx)
	}
	if l.wantsRepair() {
		if again, err := l.repair(ctx); again || err != nil {
			return again, err
		}
	}
	return l.remember(ctx)
}

// judge says what is to be said of what was observed.
func (l *look) judge() {
	s := &l.sight
	if l.gone() || len(l.trails) == 0 {
		s.report = l.absent()
		l.result.Report = s.report
		return
	}
	setting := l.setting(s)
	judged := delivery.Judge(s.bucket, s.trails, setting)
	fresh := s.fresh(l.lastChange())
	s.report = delivery.JudgeStatus(judged, s.trails, fresh)
	s.plan = repair.Plan{Policy: policyText(s.bucket)}
	if amiss(s.report) || l.config.Harden {
		s.plan = repair.For(s.bucket, s.trails, setting, judged, repair.Options{Harden: l.config.Harden})
	}
	l.result.Report = s.report
	if l.deed.id == "" && !l.result.Wrote {
		l.result.Plan = s.plan
	}
}

// amiss reports whether there is more to say of a bucket than weaknesses.
func amiss(r delivery.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Kind != delivery.Weakness })
}

// absent is the report on a trail that was deleted, or on a bucket that no
// trail uses any more.
func (l *look) absent() delivery.Report {
	name := l.bucket.Name
	r := delivery.Report{Bucket: name, Verdict: delivery.Delivering}
	if l.gone() && !has(l.estate.all, name) {
		r.Verdict = delivery.Blocked
		r.Trails = []delivery.TrailReport{{ARN: name, Verdict: delivery.Blocked}}
		r.Findings = []delivery.Finding{delivery.TrailDeleted(name)}
	}
	return r
}

func (l *look) setting(s *sight) trail.Environment {
	owner := s.bucket.Owner
	if owner == "" {
		owner = l.bucket.Account
	}
	return trail.Environment{
		Bucket: l.bucket.Name, BucketOwner: owner, BucketRegion: s.bucket.Region,
		Organization: s.organization, Now: s.at,
	}
}

// lastChange is when the bucket is last known to have changed. What CloudTrail
// reports of deliveries before it says nothing of the bucket as it is now.
func (l *look) lastChange() time.Time {
	last := l.deed.written
	latest := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, r := range l.record.Repairs {
		latest(r.Written)
	}
	for _, c := range l.record.Changes {
		latest(c.Time)
	}
	if l.change != nil {
		latest(l.change.Time)
	}
	// An outage that rests on the bucket was there until after it was told.
	blocked := func(f ledger.Finding) bool { return !ledger.Reported(f.ID) }
	if !l.record.Open() || slices.ContainsFunc(l.record.Told, blocked) {
		latest(l.record.ToldAt)
	}
	return last
}

// wantsRepair reports whether the plan is to be carried out now.
func (l *look) wantsRepair() bool {
	switch {
	case l.sight.plan.Empty() || l.sight.partial || l.amnesic || l.gaveUp || l.deed.id != "":
		return false
	case l.approve != nil:
		return true
	case !l.optedIn() || l.held():
		return false
	case len(l.sight.report.Outages()) == 0 && !l.config.Harden:
		return false
	}
	return !l.overBudget()
}

func (l *look) optedIn() bool { return slices.Contains(l.config.Restore, l.bucket.Name) }

func (l *look) held() bool { return l.record.Holds(l.sight.digest()) }

// overBudget reports whether a repair is wanted that the budget does not allow.
func (l *look) overBudget() bool {
	return l.remembers() && l.approve == nil && l.optedIn() && !l.held() && !l.gaveUp && l.deed.id == "" &&
		!l.sight.plan.Empty() && l.record.Spent(l.now(), l.settings())
}

func (l *look) settings() ledger.Settings {
	s := ledger.Settings{Budget: l.config.Budget, Window: l.config.Window, RemindEvery: l.config.RemindEvery}
	if l.gone() {
		s.RemindEvery = 0 // a trail stays deleted; once is enough
	}
	return s
}

// gone reports whether the look is at a deleted trail, not at a bucket.
func (l *look) gone() bool { return isTrail(l.bucket.Name) }

func (l *look) remembers() bool { return l.ports.Ledger != nil && !l.amnesic }

func (l *look) now() time.Time { return l.run.Now() }

func (l *look) newID() string {
	l.count++
	return l.token + "-" + strconv.Itoa(l.count)
}

func (l *look) mine(id string) bool { return strings.HasPrefix(id, l.token) }

func (l *look) key() ledger.Key {
	return ledger.Key{Account: l.bucket.Account, Bucket: l.bucket.Name}
}

// busy reports whether another process may be repairing the bucket.
func (l *look) busy() bool {
	a := l.record.Attempt
	return a != nil && !l.mine(a.ID) && a.Until.After(l.now())
}

// concerned reports whether this look has to wait for the other process: there
// is something that it may have to do or tell itself.
func (l *look) concerned() bool {
	if l.approve != nil || len(l.sight.report.Outages()) > 0 || l.record.Open() {
		return true
	}
	return l.record.Overwritten(l.change, l.submitted, l.sight.digest())
}

// wait waits for the other process to end, or for its time to be up.
func (l *look) wait(ctx context.Context) error {
	for wait := 100 * time.Millisecond; l.busy(); wait = min(2*wait, 2*time.Second) {
		if !l.pause(ctx, wait, 0) {
			return &BusyError{Bucket: l.bucket.Name}
		}
		record, err := l.load(ctx)
		if err != nil {
			return err
		}
		l.record = record
	}
	return nil
}

// pause sleeps, and reports whether there is time left for more than what is
// reserved.
func (l *look) pause(ctx context.Context, d, reserve time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(l.now()) < d+reserve {
		return false
	}
	return l.run.Sleep(ctx, d) == nil
}

// leaseTime is how long one look is taken to be at work at most. A sweep's
// process lives longer than each of its looks.
const leaseTime = 2 * time.Minute

// until is how long this look may be at what it does.
func (l *look) until(ctx context.Context) time.Time {
	until := l.now().Add(leaseTime)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		return deadline
	}
	return until
}
