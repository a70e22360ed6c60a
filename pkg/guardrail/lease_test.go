package guardrail_test

import (
	"context"
	"errors"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// wantLeft checks that nothing was left behind that keeps others from a repair.
func (w *world) wantLeft(t *testing.T) {
	t.Helper()
	r := w.record(t)
	if len(r.Repairs) != 0 {
		t.Errorf("%d repairs count that were never written", len(r.Repairs))
	}
	if a := r.Attempt; a != nil && a.Until.After(w.clock.Now()) {
		t.Errorf("an attempt is under way until %s, now %s", a.Until, w.clock.Now())
	}
}

// TestOvertakenByHandIsDeclined lets somebody write between the consent and
// the repair, and the caller say no when asked again.
func TestOvertakenByHandIsDeclined(t *testing.T) {
	w := newWorld(t, listOnly)
	w.put(t, readerOnly())
	asked := 0
	out, err := w.guard.Restore(t.Context(), ref(), func(delivery.Report, repair.Plan) (bool, error) {
		if asked++; asked > 1 {
			return false, nil
		}
		w.put(t, policyOf(reader, intrusion))
		return true, nil
	})
	if err != nil || out.Wrote || asked != 2 {
		t.Fatalf("asked %d times: %+v, %v", asked, out, err)
	}
	w.wantLeft(t)
}

// TestOvertakenEveryTime lets somebody write before each repair.
func TestOvertakenEveryTime(t *testing.T) {
	w := newWorld(t)
	r := w.put(t, readerOnly())
	policies := []string{policyOf(reader, intrusion), readerOnly()}
	n := 0
	w.ports.Ledger = keeping{w.ledger, func() { w.put(t, policies[n%2]); n++ }}
	w.rebuild()
	var busy *guardrail.BusyError
	if _, err := w.guard.Reconcile(t.Context(), r); !errors.As(err, &busy) {
		t.Fatalf("err %v after %d writes", err, n)
	}
	w.wantLeft(t)
	n = 0
	if _, err := w.guard.Restore(t.Context(), ref(), yes); !errors.As(err, &busy) {
		t.Fatalf("by hand: err %v after %d writes", err, n)
	}
	w.wantLeft(t)
}

// TestByHandWithoutATopic leaves the alerts to those who can send them.
func TestByHandWithoutATopic(t *testing.T) {
	w := newWorld(t, listOnly)
	r := w.put(t, readerOnly())
	topic := w.ports.Alerts
	w.ports.Alerts = unsent{}
	w.rebuild()
	if _, err := w.guard.Reconcile(t.Context(), r); err == nil {
		t.Fatal("sent")
	}
	w.ports.Alerts = nil
	w.rebuild()
	if out, err := w.guard.Restore(t.Context(), ref(), yes); err != nil || !out.Wrote {
		t.Fatalf("%+v, %v", out, err)
	}
	w.ports.Alerts = topic
	w.rebuild()
	w.sweep(t)
	w.wantKinds(t, "opened restored")
}

// keeping lets somebody else act after each snapshot.
type keeping struct {
	guardrail.Ledger

	after func()
}

func (k keeping) Keep(ctx context.Context, s ledger.Snapshot) error {
	err := k.Ledger.Keep(ctx, s)
	k.after()
	return err
}

// unsent refuses every alert for a moment.
type unsent struct{}

func (unsent) Publish(context.Context, alert.Message) error { return transient("sns:Publish") }

// TestUndoIsLookedAtBeforeItsWrite lets the guard look at the bucket after the
// hold was stored and before the policy is put back.
func TestUndoIsLookedAtBeforeItsWrite(t *testing.T) {
	w := newWorld(t)
	w.reconcile(t, w.put(t, readerOnly()))
	snapshots, err := w.guard.Snapshots(t.Context(), key())
	if err != nil || len(snapshots) != 1 {
		t.Fatal(snapshots, err)
	}
	other := newWorld(t)
	other.ports, other.clock = w.ports, w.clock
	other.rebuild()
	w.ports.Buckets = &intruder{w.Account, func() { other.sweep(t) }}
	w.rebuild()
	agree := func(string) (bool, error) { return true, nil }
	if err := w.guard.Undo(t.Context(), ref(), snapshots[0], "dana", agree); err != nil {
		t.Fatal(err)
	}
	other.sweep(t)
	if w.healthy(t) {
		t.Error("the undo was undone")
	}
}
