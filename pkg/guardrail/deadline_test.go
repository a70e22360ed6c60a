package guardrail_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// invocation is how long one of the guard may take.
const invocation = time.Minute

// troubled are ports of which one operation is in trouble.
type troubled struct {
	ports   guardrail.Ports
	op      string
	trouble func(ctx context.Context) error
}

func (x *troubled) in(ctx context.Context, op string) error {
	if op != x.op {
		return nil
	}
	return x.trouble(ctx)
}

// clientTries is what a client makes of a service that does not answer: three
// attempts of ten seconds, and the waits between them.
func clientTries(ctx context.Context) error {
	timer := time.NewTimer(33 * time.Second)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return transient("no answer")
}

func fails(context.Context) error { return transient("out of order") }

// hangsForever is a client without any limit of its own.
func hangsForever(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (x *troubled) Trails(ctx context.Context, a, r string) ([]trail.Trail, error) {
	return x.ports.Trails.Trails(ctx, a, r)
}

func (x *troubled) Status(ctx context.Context, a string, t trail.Trail) (trail.Trail, trail.Status, error) {
	full, status, err := x.ports.Trails.Status(ctx, a, t)
	if e := x.in(ctx, "status"); e != nil {
		return t, trail.Status{}, e
	}
	if e := x.in(ctx, "selectors"); e != nil {
		return t, status, e
	}
	return full, status, err
}

func (x *troubled) Observe(ctx context.Context, ref guardrail.BucketRef) (delivery.Bucket, error) {
	if err := x.in(ctx, "observe"); err != nil {
		return delivery.Bucket{}, err
	}
	return x.ports.Buckets.Observe(ctx, ref)
}

func (x *troubled) PutPolicy(ctx context.Context, ref guardrail.BucketRef, policy []byte) error {
	if err := x.in(ctx, "put"); err != nil {
		return err
	}
	return x.ports.Buckets.PutPolicy(ctx, ref, policy)
}

func (x *troubled) ResetPayer(ctx context.Context, ref guardrail.BucketRef) error {
	return x.ports.Buckets.ResetPayer(ctx, ref)
}

func (x *troubled) Organization(ctx context.Context, a string) (trail.Organization, error) {
	if err := x.in(ctx, "organization"); err != nil {
		return trail.Organization{}, err
	}
	return x.ports.Organizations.Organization(ctx, a)
}

func (x *troubled) EnabledRegions(ctx context.Context, _ string) ([]string, error) {
	return trail.EnabledByDefault("aws"), x.in(ctx, "regions")
}

func (x *troubled) Publish(ctx context.Context, m alert.Message) error {
	if err := x.in(ctx, "publish"); err != nil {
		return err
	}
	return x.ports.Alerts.Publish(ctx, m)
}

func (x *troubled) Load(ctx context.Context, k ledger.Key) (ledger.Record, error) {
	if err := x.in(ctx, "load"); err != nil {
		return ledger.Record{}, err
	}
	return x.ports.Ledger.Load(ctx, k)
}

func (x *troubled) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if err := x.in(ctx, "save"); err != nil {
		return ledger.Record{}, err
	}
	return x.ports.Ledger.Save(ctx, r)
}

func (x *troubled) List(ctx context.Context, a string) ([]ledger.Record, error) {
	if err := x.in(ctx, "list"); err != nil {
		return nil, err
	}
	return x.ports.Ledger.List(ctx, a)
}

func (x *troubled) Keep(ctx context.Context, s ledger.Snapshot) error {
	if err := x.in(ctx, "keep"); err != nil {
		return err
	}
	return x.ports.Ledger.Keep(ctx, s)
}

func (x *troubled) Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error) {
	return x.ports.Ledger.Snapshots(ctx, k)
}

// withTrouble puts the trouble in front of the world's ports, and gives the world the
// time of the bubble.
func withTrouble(w *world, op string, trouble func(context.Context) error) *troubled {
	x := &troubled{ports: w.ports, op: op, trouble: trouble}
	w.ports = guardrail.Ports{Trails: x, Buckets: x, Organizations: x, Regions: x, Alerts: x, Ledger: x}
	w.inRealTime()
	return x
}

// inRealTime gives the guard the clock of the machine, which a bubble makes stand still.
func (w *world) inRealTime() {
	sleep := func(ctx context.Context, d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
	w.clock.now = time.Now()
	w.guard = guardrail.New(w.ports, w.config, guardrail.Runtime{Now: time.Now, Sleep: sleep, Log: slog.New(slog.DiscardHandler)})
}

// TestEveryCallThatHangsOrFails lets one operation hang or fail for as long as an
// invocation lasts, while the policy of an opted-in bucket is deleted. The outage is
// told in the same invocation, but for a topic that takes nothing, and the bucket is
// restored unless the repair needs what is not there. Once all is well, the same event
// again leads to where it should have led at first.
func TestEveryCallThatHangsOrFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		op       string
		told     string // within the invocation
		says     string
		restored bool
		again    bool          // the event is to be tried again
		within   time.Duration // told at the latest
		in       []option
	}{
		{op: "organization", told: "restored", restored: true},
		{op: "organization", told: "opened", says: "organization could not be read", again: true, in: []option{inOrganization}},
		{op: "status", told: "restored", says: "could not be read just now", restored: true, again: true},
		{op: "selectors", told: "restored", says: "selectors of trail", restored: true, again: true},
		{op: "load", told: "opened", says: "may have been told before", again: true, within: 8 * time.Second},
		{op: "save", told: "opened", says: "may have been told before", again: true, within: 8 * time.Second},
		{op: "keep", told: "opened", says: "may have been told before", again: true, within: 8 * time.Second},
		{op: "list", told: "restored", restored: true},
		{op: "observe", told: "opened", says: "it is not known whether CloudTrail can deliver", again: true, within: 21 * time.Second},
		{op: "put", told: "restore-failed", says: "policy deleted by dana", again: true, within: 51 * time.Second},
		{op: "publish", restored: true, again: true},
	} {
		for how, trouble := range map[string]func(context.Context) error{
			"fails": fails, "is tried for half a minute": clientTries, "hangs": hangsForever,
		} {
			name := test.op + " " + how
			if test.in != nil {
				name += " for an organization trail"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, test.in...)
					x := withTrouble(w, test.op, trouble)
					request := w.put(t, "")
					began := time.Now()
					toldAt := make(chan time.Duration, 1)
					go func() {
						for len(w.alerts.Messages()) == 0 && time.Since(began) < 2*invocation {
							time.Sleep(100 * time.Millisecond)
						}
						toldAt <- time.Since(began)
					}()
					err := w.during(t, request)
					if took := time.Since(began); took >= invocation {
						t.Errorf("it took %s", took)
					}
					if (err != nil) != test.again {
						t.Errorf("tried again: %v, want %t", err, test.again)
					}
					w.wantKinds(t, test.told)
					if w.healthy(t) != test.restored {
						t.Errorf("restored: %t, want %t", w.healthy(t), test.restored)
					}
					if test.told != "" {
						message := w.alerts.Messages()[0]
						if text := strings.Join(strings.Fields(message.Subject+" "+message.Body), " "); !strings.Contains(text, test.says) {
							t.Errorf("the alert does not say %q:\n%s", test.says, message.Body)
						}
					}
					time.Sleep(3 * invocation) // whatever is claimed is free
					if at := <-toldAt; test.told != "" && at > max(test.within, 5*time.Second) {
						t.Errorf("told after %s", at)
					}

					x.op = ""
					if err := w.during(t, request); err != nil {
						t.Errorf("once all is well: %v", err)
					}
					if !w.healthy(t) || w.kinds() == "" {
						t.Errorf("once all is well it is healthy: %t, told %q", w.healthy(t), w.kinds())
					}
					if r := w.record(t); r.Open() || len(r.Outbox) > 0 || r.Attempt != nil {
						t.Errorf("the record is %+v", r)
					}
				})
			})
		}
	}
}

// during is one invocation.
func (w *world) during(t *testing.T, r guardrail.Request) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), invocation)
	defer cancel()
	_, err := w.guard.Reconcile(ctx, r)
	return err
}

// inOrganization makes the trail one of an organization.
func inOrganization(w *world) {
	d := w.Describe()
	d.Organization = trail.Organization{Known: true, ID: "o-abcdefghij", ManagementAccount: account, Members: []string{account}}
	d.Trails[0].Organization = true
	w.Account = inmem.New(d)
	w.ports.Trails, w.ports.Buckets, w.ports.Organizations = w.Account, w.Account, w.Account
}
