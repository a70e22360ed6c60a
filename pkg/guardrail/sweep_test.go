package guardrail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// stuck lets some buckets, whose names begin so, not be read.
type stuck struct {
	guardrail.Buckets

	how func(ctx context.Context) error
}

const stuckPrefix = "aaa-"

func (s stuck) Observe(ctx context.Context, r guardrail.BucketRef) (delivery.Bucket, error) {
	if strings.HasPrefix(r.Name, stuckPrefix) {
		return delivery.Bucket{}, s.how(ctx)
	}
	return s.Buckets.Observe(ctx, r)
}

// TestStuckBucketsKeepNoOtherFromBeingRestored sweeps as many stuck buckets as are
// looked at together, and more, before one that is broken.
func TestStuckBucketsKeepNoOtherFromBeingRestored(t *testing.T) {
	t.Parallel()
	const sweeping = 5 * time.Minute
	for name, how := range map[string]func(ctx context.Context) error{
		"hang":     hangsForever,
		"are deaf": func(context.Context) error { time.Sleep(time.Hour); return errors.New("late") },
		"panic":    func(context.Context) error { panic("crafted") },
	} {
		for _, count := range []int{guardrail.DefaultParallel, 10 * guardrail.DefaultParallel} {
			t.Run(fmt.Sprintf("%d %s", count, name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					for i := range count {
						tr := mainTrail()
						tr.Name, tr.Bucket = fmt.Sprint(i), fmt.Sprintf("%s%d", stuckPrefix, i)
						tr.ARN = strings.Replace(tr.ARN, "trail/main", "trail/"+tr.Name, 1)
						w.PutTrail(tr, trail.Status{Logging: true})
					}
					w.put(t, readerOnly())
					w.ports.Buckets = calm{stuck{w.Account, how}}
					w.inRealTime()
					ctx, cancel := context.WithTimeout(t.Context(), sweeping)
					defer cancel()
					began := time.Now()
					_, err := w.guard.Sweep(ctx, account, region)
					// The function that sweeps keeps a second for its answer.
					if took := time.Since(began); took > sweeping+time.Second {
						t.Errorf("the sweep took %s", took)
					}
					failed, ok := errors.AsType[*guardrail.SweepError](err)
					if !ok || failed.Failed != count {
						t.Errorf("error %v, want one for each of %d", err, count)
					}
					w.wantKinds(t, "restored")
					if !w.healthy(t) {
						t.Error("not restored")
					}
					time.Sleep(2 * time.Hour) // the deaf ones end
				})
			})
		}
	}
}

// TestCostlyBucketsKeepNoOtherFromBeingRestored sweeps as many buckets as are looked at
// together, whose policies take more work than there is for any, and one that is broken.
// All are told; and so they are by the events of their policies.
func TestCostlyBucketsKeepNoOtherFromBeingRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var events []guardrail.Request
	for i := range guardrail.DefaultParallel {
		tr := mainTrail()
		tr.Name, tr.Bucket = fmt.Sprint(i), fmt.Sprintf("%s%d", stuckPrefix, i)
		tr.ARN = strings.Replace(tr.ARN, "trail/main", "trail/"+tr.Name, 1)
		w.PutTrail(tr, trail.Status{Logging: true})
		policy := guardrail.ComplexPolicy(tr.Bucket)
		w.PutBucket(inmem.Bucket{Name: tr.Bucket, Policy: []byte(policy)})
		w.config.Restore = append(w.config.Restore, tr.Bucket)
		r := w.event("PutBucketPolicy")
		r.Bucket, r.SubmittedPolicy = tr.Bucket, []byte(policy)
		events = append(events, r)
	}
	w.rebuild()
	w.put(t, readerOnly())
	w.sweep(t)
	if !w.healthy(t) {
		t.Error("not restored")
	}
	for _, r := range events {
		w.reconcile(t, r)
	}
	told := map[string]string{}
	for _, m := range w.alerts.Messages() {
		told[m.Attributes["bucket"]] += m.Attributes["kind"] + " "
		if m.Attributes["bucket"] != bucket && !strings.Contains(m.Body, "policy-too-complex") {
			t.Errorf("the alert does not say why:\n%s", m.Body)
		}
	}
	want := map[string]string{bucket: "restored "}
	for _, r := range events {
		want[r.Bucket] = "opened "
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// calm turns a panic into an error, as the functions do.
type calm struct{ guardrail.Buckets }

func (c calm) Observe(ctx context.Context, r guardrail.BucketRef) (_ delivery.Bucket, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
		}
	}()
	return c.Buckets.Observe(ctx, r)
}
