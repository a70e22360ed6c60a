package guardrail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	buckets   = 50
	workers   = 8
	instances = 4
)

// fleet is many buckets, half of them opted in, behind several guards that
// share nothing but the account, the ledger and the topic.
type fleet struct {
	*inmem.Account
	alerts *inmem.Alerts
	guards []*guardrail.Guard
	writes sync.Map // by bucket: *atomic.Int64
	events int
}

func bucketName(i int) string { return fmt.Sprintf("audit-logs-%02d", i) }

func optedIn(i int) bool { return i%2 == 0 }

// fast sleeps a fiftieth of the time.
func fast(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d / 50):
		return nil
	}
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	d := inmem.Description{Account: account, Region: region, Organization: trail.Organization{Known: true}}
	var config guardrail.Config
	for i := range buckets {
		tr := mainTrail()
		tr.Name, tr.Bucket = fmt.Sprintf("trail-%02d", i), bucketName(i)
		tr.ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/" + tr.Name
		d.Trails = append(d.Trails, tr)
		policy, err := trail.DocumentedPolicy([]trail.Trail{tr}, trail.Environment{Bucket: tr.Bucket, BucketOwner: account})
		if err != nil {
			t.Fatal(err)
		}
		d.Buckets = append(d.Buckets, inmem.Bucket{Name: tr.Bucket, Policy: policy})
		if optedIn(i) {
			config.Restore = append(config.Restore, tr.Bucket)
		}
	}
	e := &fleet{Account: inmem.New(d), alerts: &inmem.Alerts{}}
	ports := guardrail.Ports{Trails: e, Buckets: e, Organizations: e, Alerts: slowAlerts{e.alerts}, Ledger: &inmem.Ledger{}}
	for range instances {
		e.guards = append(e.guards, guardrail.New(ports, config, guardrail.Runtime{Now: time.Now, Sleep: fast, Log: slog.New(slog.DiscardHandler)}))
	}
	return e
}

// PutPolicy counts the guards' writes.
func (e *fleet) PutPolicy(ctx context.Context, ref guardrail.BucketRef, policy []byte) error {
	n, _ := e.writes.LoadOrStore(ref.Name, &atomic.Int64{})
	n.(*atomic.Int64).Add(1)
	return e.Account.PutPolicy(ctx, ref, policy)
}

func (e *fleet) written(name string) int64 {
	n, ok := e.writes.Load(name)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// set changes a bucket's policy and returns the request of its event.
func (e *fleet) set(name string, policy []byte) guardrail.Request {
	b, _ := e.Bucket(name)
	b.Policy = policy
	e.PutBucket(b)
	e.events++
	return guardrail.Request{
		Account: account, Region: region, Bucket: name, SubmittedPolicy: policy,
		Change: &delivery.Change{
			Event: "PutBucketPolicy", Time: time.Now().Add(-5 * time.Second).Truncate(time.Second), Actor: "arn:aws:iam::111111111111:user/dana",
			EventID: fmt.Sprintf("%s-%d", name, e.events), Account: account, Region: region,
		},
	}
}

// deliver gives every request to the guards several times, in any order, from
// several goroutines at once, and again where a guard asks for it.
func (e *fleet) deliver(t *testing.T, requests []guardrail.Request, times int) (delivered int64) {
	t.Helper()
	var queue []guardrail.Request
	for range times {
		queue = append(queue, requests...)
	}
	rand.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	events := make(chan guardrail.Request)
	var count atomic.Int64
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			guard := e.guards[i%instances]
			for r := range events {
				count.Add(1)
				if err := retry(t.Context(), guard, r); err != nil {
					t.Errorf("%s: %v", r.Bucket, err)
				}
			}
		})
	}
	for _, r := range queue {
		events <- r
	}
	close(events)
	all.Wait()
	return count.Load()
}

// retry is Lambda, which calls three times.
func retry(ctx context.Context, guard *guardrail.Guard, r guardrail.Request) error {
	var err error
	for range 3 {
		if _, err = guard.Reconcile(ctx, r); err == nil {
			return nil
		}
	}
	return err
}

// told counts the alerts by kind and bucket.
func (e *fleet) told() map[string]int {
	count := map[string]int{}
	for _, m := range e.alerts.Messages() {
		count[m.Attributes["bucket"]+" "+m.Attributes["kind"]]++
	}
	return count
}

func (e *fleet) wantTold(t *testing.T, kinds func(i int) string) {
	t.Helper()
	got, want := e.told(), map[string]int{}
	for i := range buckets {
		for kind := range strings.FieldsSeq(kinds(i)) {
			want[bucketName(i)+" "+kind]++
		}
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: told %d times, want %d", k, got[k], n)
		}
		delete(got, k)
	}
	for k, n := range got {
		t.Errorf("%s: told %d times, want none", k, n)
	}
}

// TestConcurrentEvents doubles and shuffles events and handles them at once.
func TestConcurrentEvents(t *testing.T) {
	e := newFleet(t)
	healthy := map[string][]byte{}
	var broken []guardrail.Request
	for i := range buckets {
		b, _ := e.Bucket(bucketName(i))
		healthy[b.Name] = b.Policy
		broken = append(broken, e.set(b.Name, []byte(policyOf(strings.ReplaceAll(reader, bucket, b.Name)))))
	}
	handled := e.deliver(t, broken, 10)
	e.wantTold(t, func(i int) string {
		if optedIn(i) {
			return "restored"
		}
		return "opened"
	})
	var mended []guardrail.Request
	for i := range buckets {
		if !optedIn(i) {
			mended = append(mended, e.set(bucketName(i), healthy[bucketName(i)]))
		}
	}
	handled += e.deliver(t, append(mended, broken...), 10)
	e.wantTold(t, func(i int) string {
		if optedIn(i) {
			return "restored"
		}
		return "opened resolved"
	})
	most := int64(0)
	for i := range buckets {
		most = max(most, e.written(bucketName(i)))
	}
	if most > 1 {
		t.Errorf("%d writes for one breakage", most)
	}
	t.Logf("%d events on %d buckets, %d at once on %d guards: %d alerts, at most %d write per bucket",
		handled, buckets, workers, instances, len(e.alerts.Messages()), most)
}

// TestConcurrentFight breaks opted-in buckets again and again while events of
// it are being handled.
func TestConcurrentFight(t *testing.T) {
	e := newFleet(t)
	handled := int64(0)
	for range guardrail.DefaultBudget + 2 {
		var broken []guardrail.Request
		for i := range buckets {
			if optedIn(i) {
				broken = append(broken, e.set(bucketName(i), []byte(policyOf(strings.ReplaceAll(reader, bucket, bucketName(i))))))
			}
		}
		handled += e.deliver(t, broken, 4)
	}
	e.wantTold(t, func(i int) string {
		if !optedIn(i) {
			return ""
		}
		return strings.Repeat("restored ", guardrail.DefaultBudget) + "fight"
	})
	writes := int64(0)
	for i := range buckets {
		n := e.written(bucketName(i))
		writes += n
		if n > guardrail.DefaultBudget {
			t.Errorf("%s: %d writes", bucketName(i), n)
		}
	}
	t.Logf("%d events, %d writes, %d alerts", handled, writes, len(e.alerts.Messages()))
	if _, err := e.guards[0].Sweep(t.Context(), account, region); err != nil {
		var sweep *guardrail.SweepError
		t.Errorf("sweep: %v (SweepError %t)", err, errors.As(err, &sweep))
	}
}
