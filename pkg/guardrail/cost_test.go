package guardrail_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TestCost checks what a look costs in calls.
func TestCost(t *testing.T) {
	for _, test := range []struct{ name, bucket, want string }{
		{"bucket of no trail", "holiday-photos", "trails"},
		{"healthy bucket", bucket, "load observe organization status trails"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.PutBucket(inmem.Bucket{Name: "holiday-photos"})
			x := wrap(w, throttled, 0, nil)
			r := w.event("PutBucketPolicy")
			r.Bucket = test.bucket
			w.reconcile(t, r)
			slices.Sort(x.ops)
			if got := strings.Join(x.ops, " "); got != test.want {
				t.Errorf("calls %q, want %q", got, test.want)
			}
		})
	}
}

// meeting holds every call of the second round until all of them have come.
type meeting struct {
	guardrail.Ports
	parties int64
	arrived sync.WaitGroup
	count   atomic.Int64
}

// meetingOf is a meeting of so many calls.
func meetingOf(parties int, p guardrail.Ports) *meeting {
	m := &meeting{Ports: p, parties: int64(parties)}
	m.arrived.Add(parties)
	return m
}

func (m *meeting) join() {
	if m.count.Add(1) > m.parties {
		return
	}
	m.arrived.Done()
	m.arrived.Wait()
}

type meetingTrails struct{ *meeting }

func (m meetingTrails) Trails(ctx context.Context, a, r string) ([]trail.Trail, error) {
	return m.Ports.Trails.Trails(ctx, a, r)
}

func (m meetingTrails) Status(ctx context.Context, a string, t trail.Trail) (trail.Trail, trail.Status, error) {
	m.join()
	return m.Ports.Trails.Status(ctx, a, t)
}

type meetingBuckets struct {
	guardrail.Buckets
	m *meeting
}

func (b meetingBuckets) Observe(ctx context.Context, r guardrail.BucketRef) (delivery.Bucket, error) {
	b.m.join()
	return b.Buckets.Observe(ctx, r)
}

type meetingOrganizations struct{ *meeting }

func (m meetingOrganizations) Organization(ctx context.Context, a string) (trail.Organization, error) {
	m.join()
	return m.Organizations.Organization(ctx, a)
}

type meetingLedger struct {
	guardrail.Ledger
	m *meeting
}

func (l meetingLedger) Load(ctx context.Context, k ledger.Key) (ledger.Record, error) {
	l.m.join()
	return l.Ledger.Load(ctx, k)
}

type meetingChain struct {
	guardrail.Chain
	m *meeting
}

func (c meetingChain) Key(ctx context.Context, arn string) (delivery.Key, error) {
	c.m.join()
	return c.Chain.Key(ctx, arn)
}

func (c meetingChain) Topic(ctx context.Context, arn string) (delivery.Topic, error) {
	c.m.join()
	return c.Chain.Topic(ctx, arn)
}

func (c meetingChain) BucketKeys(ctx context.Context, b guardrail.BucketRef) (trail.Switch, error) {
	c.m.join()
	return c.Chain.BucketKeys(ctx, b)
}

// TestSecondRoundIsOne checks that all calls about a bucket are made at once, and those about the
// keys and topics of its trails with them.
func TestSecondRoundIsOne(t *testing.T) {
	for name, w := range map[string]*world{"bucket": newWorld(t), "key and topic": newKeyed(t).world} {
		t.Run(name, func(t *testing.T) { meetInOneRound(t, w) })
	}
}

func meetInOneRound(t *testing.T, w *world) {
	parties := 4
	if w.ports.Chain != nil {
		parties += 3
	}
	m := meetingOf(parties, w.ports)
	if w.ports.Chain != nil {
		w.ports.Chain = meetingChain{w.ports.Chain, m}
	}
	w.ports.Trails, w.ports.Buckets = meetingTrails{m}, meetingBuckets{w.ports.Buckets, m}
	w.ports.Organizations, w.ports.Ledger = meetingOrganizations{m}, meetingLedger{w.ledger, m}
	w.rebuild()
	request, done := w.put(t, w.policy(t)), make(chan error, 1)
	go func() {
		_, err := w.guard.Reconcile(t.Context(), request)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the calls wait for one another")
	}
}
