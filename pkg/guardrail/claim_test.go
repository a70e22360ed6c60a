package guardrail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// TestClaimOfADeadProcess ends a process between its claim of an alert and its call of
// the topic. Whoever comes next with time enough waits for the claim to end and tells;
// whoever has not says that the event is to come again. Nobody calls it done.
func TestClaimOfADeadProcess(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after time.Duration // from the death to the next that comes
		time  time.Duration // that it has
		sweep bool
		told  bool
	}{
		{"event at once", time.Second, time.Minute, false, true},
		{"event at once, with little time", time.Second, 10 * time.Second, false, false},
		{"event after the claim", 20 * time.Second, 10 * time.Second, false, true},
		{"sweep at once", time.Second, time.Minute, true, true},
		{"sweep at once, with little time", time.Second, 10 * time.Second, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				end := make(chan struct{})
				w.ports.Alerts = dying{end}
				w.inRealTime()
				r := w.put(t, readerOnly())
				var dead sync.WaitGroup
				dead.Go(func() { _ = w.during(t, r) })
				synctest.Wait()
				defer dead.Wait()
				defer close(end)
				if w.kinds() != "" || !w.healthy(t) {
					t.Fatalf("told %q", w.kinds())
				}
				w.ports.Alerts = w.alerts
				w.inRealTime()
				time.Sleep(test.after)
				ctx, cancel := context.WithTimeout(t.Context(), test.time)
				defer cancel()
				began := time.Now()
				var err error
				if test.sweep {
					_, err = w.guard.Sweep(ctx, account, region)
				} else {
					_, err = w.guard.Reconcile(ctx, r)
				}
				if told := w.kinds() == "restored"; told != test.told || told == (err != nil) {
					t.Errorf("told %q, error %v", w.kinds(), err)
				}
				if _, busy := errors.AsType[*guardrail.BusyError](err); busy == test.told {
					t.Errorf("error %v, want it busy: %t", err, !test.told)
				}
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %s", took)
				}
				time.Sleep(20 * time.Second)
				if err := w.during(t, r); err != nil {
					t.Error(err)
				}
				w.wantKinds(t, "restored")
			})
		})
	}
}

// dying never comes back from its call of the topic, until the end of the test.
type dying struct{ end chan struct{} }

func (d dying) Publish(context.Context, alert.Message) error {
	<-d.end
	return context.Canceled
}
