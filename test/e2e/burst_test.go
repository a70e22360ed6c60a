package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// The burst: 1,000 events of buckets that no trail uses, at 50 a second, with one trail
// bucket broken in the middle. CloudTrail takes ten calls a second of the account, as
// AWS's does, and somebody else calls it once a second.
const (
	burstEvents  = 1000
	burstRate    = 50 // a second
	cloudTrail   = 10 // calls a second
	toldIn       = 10 * time.Second
	aboutTrails  = 6 // calls of CloudTrail that the broken bucket is worth, two looks at most
	bystanderGap = time.Second
)

// allowance is what CloudTrail allows the account, whoever calls.
type allowance struct {
	limiter   *rate.Limiter
	refused   atomic.Int64
	bystander atomic.Int64 // calls of somebody else that were refused
	asked     atomic.Int64 // calls of somebody else
}

// fault refuses what is too much.
func (a *allowance) fault(c apiCall) *failure {
	if !strings.HasPrefix(c.Op, "cloudtrail:") || a.limiter.Allow() {
		return nil
	}
	a.refused.Add(1)
	return &failure{http.StatusBadRequest, "ThrottlingException"}
}

// callAsBystander calls CloudTrail once a second, as somebody else in the account.
func (a *allowance) callAsBystander(ctx context.Context) {
	for ticker := time.NewTicker(bystanderGap); ; {
		a.asked.Add(1)
		if !a.limiter.Allow() {
			a.bystander.Add(1)
		}
		select {
		case <-ctx.Done():
			ticker.Stop()
			return
		case <-ticker.C:
		}
	}
}

// foreignEvent is the i-th event of a bucket that no trail uses.
func foreignEvent(t *testing.T, i int) object {
	t.Helper()
	name := parameter("bucketName", fmt.Sprintf("web-assets-%03d", i%200))
	if i%3 == 0 {
		return sample(t, "delete-bucket-policy", name)
	}
	var readers object
	decode(t, []byte(policy(reader)), &readers)
	return sample(t, "put-bucket-policy-terraform", name, parameter("bucketPolicy", readers))
}

func TestBurstOfForeignEvents(t *testing.T) {
	w := deploy(t)
	w.env["TRAILWARDEN_CONCURRENCY"] = fmt.Sprint(w.mapping.environments)
	w.healthy(documented())
	if a := w.sweeps(); a.ErrorType != "" {
		t.Fatal(a.ErrorMessage)
	}
	var environments []*function
	for range w.mapping.environments {
		environments = append(environments, startFunction(t, "guard", w.env))
	}
	w.calls()
	limit := &allowance{limiter: rate.NewLimiter(cloudTrail, cloudTrail)}
	w.breaks(limit.fault)
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	others.Go(func() { limit.callAsBystander(ctx) })
	told := make(chan time.Time, 1)
	others.Go(func() { told <- firstAlert(ctx) })

	var filling sync.WaitGroup
	var broken time.Time
	began := time.Now()
	filling.Go(func() {
		for i := 0; i < burstEvents; i += 10 {
			var some [][]byte
			for j := range 10 {
				some = append(some, encode(t, foreignEvent(t, i+j)))
			}
			if i == burstEvents/2 {
				deletePolicy(t, bucket)
				broken = time.Now()
				some[0] = encode(t, sample(t, "delete-bucket-policy"))
			}
			fills(t, some)
			time.Sleep(time.Until(began.Add(time.Duration(i+10) * time.Second / burstRate)))
		}
	})
	busy := w.mapping.works(t, environments, filling.Wait)
	took := time.Since(began)
	var alert time.Time
	select {
	case alert = <-told:
	case <-time.After(toldIn):
		t.Error("the broken bucket was not told")
	}
	stop()
	others.Wait()
	w.breaks(nil)

	asked := 0
	counts := w.calls()
	for op, n := range counts {
		if strings.HasPrefix(op, "cloudtrail:") {
			asked += n
		}
	}
	t.Logf("%d events in %s by %d environments, at most %d busy at once: %d calls of CloudTrail (%d refused), "+
		"%d of S3, %d of DynamoDB; told %s after the call; the bystander called %d times and was refused %d times",
		burstEvents, took.Round(100*time.Millisecond), len(environments), busy, asked, limit.refused.Load(),
		of(counts, "s3:"), of(counts, "dynamodb:"), alert.Sub(broken).Round(10*time.Millisecond), limit.asked.Load(), limit.bystander.Load())
	if asked > aboutTrails {
		t.Errorf("CloudTrail was called %d times: %v", asked, counts)
	}
	if alert.Sub(broken) > toldIn {
		t.Errorf("it was told %s after the call", alert.Sub(broken))
	}
	if limit.bystander.Load() != 0 {
		t.Errorf("somebody else was refused %d times", limit.bystander.Load())
	}
	if left, err := waiting(t.Context(), failedQueue); err != nil || left != 0 {
		t.Errorf("%d events were given up, %v", left, err)
	}
}

// raise sets a number to another one if that is greater.
func raise(most *atomic.Int64, n int64) {
	for {
		old := most.Load()
		if n <= old || most.CompareAndSwap(old, n) {
			return
		}
	}
}

// of sums the calls of a service.
func of(counts map[string]int, service string) int {
	sum := 0
	for op, n := range counts {
		if strings.HasPrefix(op, service) {
			sum += n
		}
	}
	return sum
}

// firstAlert waits for an alert, and says when it came.
func firstAlert(ctx context.Context) time.Time {
	for ctx.Err() == nil {
		var out struct{ Messages []message }
		text, err := call(ctx, "sqs", "ReceiveMessage", object{"QueueUrl": queueURL("alerts"), "MaxNumberOfMessages": 1, "WaitTimeSeconds": 0})
		if err == nil && json.Unmarshal(text, &out) == nil && len(out.Messages) > 0 {
			return time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Time{}
}

// works lets the environments work until all is filled and the queue is empty. It
// returns how many were busy at once.
func (m mapping) works(t *testing.T, environments []*function, filled func()) int64 {
	t.Helper()
	var full atomic.Bool
	var busy, most atomic.Int64
	var all sync.WaitGroup
	for _, f := range environments {
		all.Go(func() {
			for {
				ended := full.Load()
				n := busy.Add(1)
				raise(&most, n)
				taken, _, err := m.poll(t.Context(), f)
				busy.Add(-1)
				if err != nil {
					t.Error(err)
					return
				}
				if len(taken) > 0 {
					continue
				}
				if left, err := waiting(t.Context(), eventsQueue); ended && (err != nil || left == 0) {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	filled()
	full.Store(true)
	all.Wait()
	return most.Load()
}
