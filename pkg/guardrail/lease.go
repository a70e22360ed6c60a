package guardrail

import (
	"context"
	"time"
)

// An attempt that is stored in the record is a lease on the target until its
// time is up: whoever else has something to do there waits.

// leaseTime is how long one reconciliation is taken to be at work at most. A
// sweep's process lives longer than each of its reconciliations.
const leaseTime = 2 * time.Minute

// leaseEnd is until when a repair that is begun now may take.
func (g *Guard) leaseEnd(ctx context.Context) time.Time { return g.end(ctx, leaseTime) }

// claimEnd is until when alerts that are claimed now may be being published.
func (g *Guard) claimEnd(ctx context.Context) time.Time { return g.end(ctx, claimTime) }

func (g *Guard) end(ctx context.Context, longest time.Duration) time.Time {
	end := g.now().Add(longest)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		return deadline
	}
	return end
}

// leasedToOther reports whether another process may be repairing the target.
func (r record) leasedToOther(t Target, now time.Time) bool {
	return r.Attempt != nil && !t.own(r.Attempt.ID) && r.Attempt.Until.After(now)
}

// concerned reports whether there is something that this reconciliation may have
// to do or tell itself, so that it waits for the other process.
func concerned(t Target, rec record, obs observation, out outcome) bool {
	if _, overwrote := overwritten(t, rec, obs); overwrote {
		return true
	}
	return len(out.report.Outages()) > 0 || rec.Open()
}

// awaitLease waits for the other process to end, or for its time to be up.
func (g *Guard) awaitLease(ctx context.Context, t Target, rec record) error {
	for wait := 100 * time.Millisecond; rec.leasedToOther(t, g.now()); wait = min(2*wait, 2*time.Second) {
		if !g.pause(ctx, wait, 0) {
			return &BusyError{Bucket: rec.Bucket}
		}
		var err error
		if rec, err = rec.reload(ctx); err != nil {
			return err
		}
	}
	return nil
}

// releaseLease leaves an attempt that is not under way any more to others. If it
// was never written it does not count.
func (g *Guard) releaseLease(ctx context.Context, t Target, rec record, done attempt) {
	a := rec.Attempt
	if a == nil || !t.own(a.ID) || !rec.durable() {
		return
	}
	next := rec.Abandon(a.ID)
	if done.id == a.ID && done.mayBeWritten {
		next = rec.Written(a.ID, done.read, done.written, false)
	}
	over := *a
	over.Until = g.now()
	next.Attempt = &over
	if _, err := rec.save(ctx, next); err != nil {
		g.run.Log.InfoContext(ctx, "attempt not released; others wait for its time to be up", "bucket", rec.Bucket)
	}
}

// withoutUnwritten returns the record without the count of a repair that this
// reconciliation began and did not write, because it was overtaken.
func (r record) withoutUnwritten(t Target, done attempt) record {
	if a := r.Attempt; a != nil && t.own(a.ID) && a.ID != done.id {
		r.Record = r.Abandon(a.ID)
	}
	return r
}

// pause sleeps, and reports whether there is time left for more than what is
// reserved.
func (g *Guard) pause(ctx context.Context, d, reserve time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(g.now()) < d+reserve {
		return false
	}
	return g.run.Sleep(ctx, d) == nil
}
