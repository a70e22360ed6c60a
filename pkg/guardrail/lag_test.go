package guardrail_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// lagging are ports that give what was there before for a while after a change.
type lagging struct {
	*inmem.Account

	clock  *clock
	mu     sync.Mutex
	former *inmem.Account
	until  time.Time
	reads  int
}

// lags lets the world's account lag behind what happens from now on.
func (w *world) lags(lag time.Duration) *lagging {
	x := &lagging{Account: w.Account, clock: w.clock, former: inmem.New(w.Describe()), until: w.clock.Now().Add(6*time.Second + lag)}
	w.ports.Trails, w.ports.Buckets = x, x
	w.rebuild()
	return x
}

func (x *lagging) now() *inmem.Account {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reads++
	if x.clock.Now().Before(x.until) {
		return x.former
	}
	return x.Account
}

func (x *lagging) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	return x.now().Trails(ctx, account, region)
}

func (x *lagging) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	return x.now().Status(ctx, account, t)
}

func (x *lagging) Observe(ctx context.Context, r guardrail.BucketRef) (delivery.Bucket, error) {
	return x.now().Observe(ctx, r)
}

// TestReadingsOlderThanTheEvent lets what an event tells of be readable a moment after
// the event: it is told even so.
func TestReadingsOlderThanTheEvent(t *testing.T) {
	moved, audit := mainTrail(), "audit"
	moved.Prefix = audit
	for name, test := range map[string]struct {
		lag   time.Duration
		event func(t *testing.T, w *world) guardrail.Request
	}{
		"policy deleted":  {time.Second, func(t *testing.T, w *world) guardrail.Request { return w.put(t, "") }},
		"policy replaced": {time.Second, func(t *testing.T, w *world) guardrail.Request { return w.put(t, readerOnly()) }},
		"trail moved": {3 * time.Second, func(_ *testing.T, w *world) guardrail.Request {
			w.PutTrail(moved, trail.Status{Logging: true})
			r := w.trailEvent("UpdateTrail")
			r.Bucket, r.Prefix = bucket, &audit
			return r
		}},
		"trail stopped": {time.Second, func(_ *testing.T, w *world) guardrail.Request {
			w.PutStatus(trail.Status{ARN: mainTrail().ARN, StoppedLoggingAt: w.clock.Now()})
			return w.trailEvent("StopLogging")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, listOnly)
			w.lags(test.lag)
			w.reconcile(t, test.event(t, w))
			w.wantKinds(t, "opened")
		})
	}
}

// TestReadingsThatAreNotOlder lets what is read differ from the event for another
// reason. The bucket is not read more often than needed, and what was read counts.
func TestReadingsThatAreNotOlder(t *testing.T) {
	look := func(w *world, t *testing.T, r guardrail.Request) (reads int) {
		t.Helper()
		x := w.lags(-time.Hour)
		w.reconcile(t, r)
		return x.reads
	}
	const once = 3 // the trails, the bucket and the status
	t.Run("an event that comes late", func(t *testing.T) {
		w := newWorld(t)
		r := w.put(t, "")
		w.put(t, documented(t, mainTrail()))
		w.clock.pass(time.Minute)
		if reads := look(w, t, r); reads != once {
			t.Errorf("%d readings", reads)
		}
		w.wantKinds(t, "")
	})
	t.Run("somebody has put it right since", func(t *testing.T) {
		w := newWorld(t)
		r := w.put(t, "")
		w.put(t, documented(t, mainTrail()))
		if reads := look(w, t, r); reads != once+2 {
			t.Errorf("%d readings", reads)
		}
		w.wantKinds(t, "")
	})
	t.Run("it was restored since", func(t *testing.T) {
		w := newWorld(t)
		r := w.put(t, "")
		w.reconcile(t, r)
		other := r
		change := *r.Change
		change.EventID, other.Change = "another", &change
		if reads := look(w, t, other); reads != once {
			t.Errorf("%d readings", reads)
		}
		w.wantKinds(t, "restored")
	})
	t.Run("started again", func(t *testing.T) {
		w := newWorld(t)
		r := w.trailEvent("StopLogging")
		w.PutStatus(trail.Status{ARN: mainTrail().ARN, Logging: true, StartedLoggingAt: w.clock.Now()})
		if reads := look(w, t, r); reads != once {
			t.Errorf("%d readings", reads)
		}
		w.wantKinds(t, "")
	})
}

// TestRejectedRepairOverwroteNothing lets S3 refuse a repair. A policy that somebody
// writes in the minute after it is not taken for overwritten.
func TestRejectedRepairOverwroteNothing(t *testing.T) {
	w := newWorld(t)
	w.ports.Buckets = refusing{w.Account, "no"}
	w.rebuild()
	w.reconcile(t, w.put(t, readerOnly()))
	w.wantKinds(t, "restore-failed")
	if r := w.record(t).Repairs; len(r) != 1 || !r[0].Rejected {
		t.Errorf("repairs %+v", r)
	}
	foreign := w.put(t, withStatement(t, readerOnly(), intrusion))
	w.put(t, readerOnly()) // by whom, no event told yet
	w.reconcile(t, foreign)
	if strings.Contains(w.lastAlert(t), "overwr") {
		t.Errorf("told %q:\n%s", w.kinds(), w.lastAlert(t))
	}
	if _, overwrote := w.overwrote(t, foreign); overwrote {
		t.Error("the record says that the repair overwrote it")
	}
}

func (w *world) overwrote(t *testing.T, r guardrail.Request) (ledger.Record, bool) {
	t.Helper()
	rec := w.record(t)
	rec.Changes = nil
	return rec, rec.Overwritten(r.Change, r.SubmittedPolicy, ledger.Fingerprint([]byte(w.policy(t))))
}
