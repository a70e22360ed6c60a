package guardrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// surveying is a guard that keeps an inventory, and is told of weaknesses from HIGH on.
func surveying(w *world) { w.ports.Inventory = &inmem.Inventory{} }

// deliver lets files of the trail arrive, up to a time.
func (w *world) deliver(files, digests time.Time) {
	w.PutStatus(trail.Status{
		ARN: mainTrail().ARN, Logging: true, StartedLoggingAt: w.clock.Now().Add(-400 * 24 * time.Hour), DeliveredAt: files, DigestDeliveredAt: digests,
	})
}

// hours sweeps each hour. Files that are delivered come a few minutes before.
func (w *world) hours(t testing.TB, n int, every time.Duration, files func(time.Time)) {
	t.Helper()
	for range n {
		w.clock.pass(every)
		files(w.clock.Now())
		w.sweep(t)
	}
}

// A trail whose files stop with everything permitted is told once, and resolved once when they come
// again, whatever else happens meanwhile.
func TestFilesThatStopAreToldOnce(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]struct {
		every      time.Duration // sweeps
		validation bool
		writesOnly bool
		forgets    bool // there is no inventory
		sweeps     int  // until it is told, at most
	}{
		"by the calls of sweeps":                {every: time.Hour, sweeps: 2},
		"by the calls of sweeps of a day":       {every: 24 * time.Hour, sweeps: 2},
		"by digest files":                       {every: time.Hour, validation: true, writesOnly: true, sweeps: 4},
		"by digest files, without an inventory": {every: time.Hour, validation: true, forgets: true, sweeps: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, surveying)
			if set.forgets {
				w.ports.Inventory = nil
				w.rebuild()
			}
			tr := mainTrail()
			tr.LogFileValidation = set.validation
			if set.writesOnly {
				tr.CustomSelectors, tr.SelectorsKnown, tr.Unlogged = true, true, trail.Unlogged{Reads: true}
			}
			w.PutTrail(tr, trail.Status{Logging: true})
			arrive := func(now time.Time) { w.deliver(now.Add(-4*time.Minute), now.Add(-20*time.Minute)) }
			w.hours(t, 5, set.every, arrive)
			w.wantKinds(t, "")

			last := w.clock.Now().Add(time.Minute)
			w.hours(t, set.sweeps, set.every, func(time.Time) { w.deliver(last, last) })
			w.wantKinds(t, "opened")
			if told := w.lastAlert(t); !strings.Contains(told, "delivery-stale") || !strings.Contains(told, "HIGH") {
				t.Error(told)
			}
			if w.policy(t) != documented(t, mainTrail()) {
				t.Error("the policy was changed")
			}
			w.hours(t, 3, set.every, func(time.Time) { w.deliver(last, last) })
			w.hours(t, 4, 10*time.Minute, func(time.Time) { w.deliver(last, last) }) // what it was concluded from is not known any more
			w.reconcile(t, w.put(t, documented(t, mainTrail())))                     // an event of a bucket that stays as it is
			w.wantKinds(t, "opened")

			w.hours(t, 1, set.every, arrive)
			w.wantKinds(t, "opened resolved")
			w.hours(t, 3, set.every, arrive)
			w.wantKinds(t, "opened resolved")
		})
	}
}

// A quiet trail, and one that could not be delivered and can again, are not told to be stale.
func TestFilesThatNeedNotComeAreNotMissed(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*world, *trail.Trail){
		"nothing is recorded":   func(_ *world, tr *trail.Trail) { tr.Unlogged = trail.Unlogged{Reads: true} },
		"its home is elsewhere": func(_ *world, tr *trail.Trail) { tr.HomeRegion = "eu-west-1" },
		"no inventory":          func(w *world, _ *trail.Trail) { w.ports.Inventory = nil; w.rebuild() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, surveying)
			tr := mainTrail()
			tr.LogFileValidation, tr.CustomSelectors, tr.SelectorsKnown = false, true, true
			set(w, &tr)
			tr.ARN = strings.Replace(tr.ARN, "us-east-1", tr.HomeRegion, 1)
			w.DeleteTrail(mainTrail().ARN)
			w.PutTrail(tr, trail.Status{Logging: true, StartedLoggingAt: w.clock.Now().Add(-time.Hour), DeliveredAt: w.clock.Now()})
			w.put(t, documented(t, tr))
			w.hours(t, 6, time.Hour, func(time.Time) {})
			w.wantKinds(t, "")
		})
	}
	t.Run("it was blocked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, surveying)
		w.config.Restore = nil
		w.rebuild()
		w.hours(t, 3, time.Hour, func(now time.Time) { w.deliver(now, now) })
		last := w.clock.Now()
		stays := func(time.Time) { w.deliver(last, last) }
		w.reconcile(t, w.put(t, readerOnly()))
		w.hours(t, 5, time.Hour, stays)
		w.wantKinds(t, "opened")
		w.reconcile(t, w.put(t, documented(t, mainTrail())))
		w.wantKinds(t, "opened resolved")
		w.hours(t, 3, 10*time.Minute, stays)
		w.wantKinds(t, "opened resolved")
		// Hours later nothing has come all the same.
		w.hours(t, 2, time.Hour, stays)
		w.wantKinds(t, "opened resolved opened")
	})
}

// A status that another account was asked for says nothing.
func TestStatusOfAMemberIsNoEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, surveying)
	tr := mainTrail()
	tr.Organization, tr.ARN = true, strings.Replace(tr.ARN, account, "999999999999", 1)
	w.DeleteTrail(mainTrail().ARN)
	w.PutTrail(tr, trail.Status{Logging: true, StartedLoggingAt: w.clock.Now().Add(-100 * time.Hour), DeliveredAt: w.clock.Now(), DigestDeliveredAt: w.clock.Now()})
	b, _ := w.Bucket(bucket)
	d := w.Describe()
	policy, err := trail.DocumentedPolicy([]trail.Trail{tr}, trail.Environment{Bucket: bucket, Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}})
	if err != nil {
		t.Fatal(err)
	}
	b.Policy = policy
	d.Buckets = []inmem.Bucket{b}
	d.Organization = trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "999999999999", Members: []string{account, "999999999999"}}
	w.Account = inmem.New(d)
	w.ports.Trails, w.ports.Buckets, w.ports.Organizations = w.Account, w.Account, w.Account
	w.rebuild()
	w.hours(t, 6, time.Hour, func(time.Time) {})
	w.wantKinds(t, "")
}

// An audit has no memory, and tells of digest files that have stopped.
func TestAuditTellsOfDigestFilesThatStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(w.clock.Now().Add(-5*time.Hour), w.clock.Now().Add(-4*time.Hour))
	for _, want := range []bool{true, false} {
		audited, err := w.guard.Audit(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, f := range audited[0].Report.Findings {
			got = got || f.ID == "delivery-stale"
		}
		if got != want {
			t.Errorf("found: %v, want %v", got, want)
		}
		w.deliver(w.clock.Now(), w.clock.Now())
	}
}
