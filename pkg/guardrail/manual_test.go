package guardrail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func yes(delivery.Report, repair.Plan) (bool, error) { return true, nil }

func TestRestoreByHand(t *testing.T) {
	for name, options := range map[string][]option{"with memory": {listOnly}, "without memory": {listOnly, stateless}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options...)
			w.put(t, readerOnly())
			out, err := w.guard.Restore(t.Context(), ref(), func(r delivery.Report, p repair.Plan) (bool, error) {
				if r.Verdict != delivery.Blocked || !p.Changed {
					t.Errorf("asked about %s, %v", r.Verdict, p.Changes)
				}
				return false, nil
			})
			if err != nil || out.Wrote || w.policy(t) != readerOnly() {
				t.Errorf("written without consent: %+v, %v", out, err)
			}
			out, err = w.guard.Restore(t.Context(), ref(), yes)
			if err != nil || !out.Wrote || out.Before.Verdict != delivery.Blocked || out.After.Verdict != delivery.Delivering {
				t.Errorf("%+v, %v", out, err)
			}
			if !w.healthy(t) || !hasStatement(t, w.policy(t), reader) {
				t.Errorf("policy %s", w.policy(t))
			}
			out, err = w.guard.Restore(t.Context(), ref(), func(delivery.Report, repair.Plan) (bool, error) {
				t.Error("asked though nothing is to be done")
				return true, nil
			})
			if err != nil || out.Wrote {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

func TestRestoreByHandIsRemembered(t *testing.T) {
	w := newWorld(t, listOnly)
	w.reconcile(t, w.put(t, readerOnly()))
	if _, err := w.guard.Restore(t.Context(), ref(), yes); err != nil {
		t.Fatal(err)
	}
	w.wantKinds(t, "opened restored")
	snapshots, err := w.guard.Snapshots(t.Context(), key())
	if err != nil || len(snapshots) != 1 || string(snapshots[0].Policy) != readerOnly() {
		t.Errorf("snapshots %v, %v", snapshots, err)
	}
}

func TestRestoreByHandFails(t *testing.T) {
	w := newWorld(t, listOnly)
	w.put(t, readerOnly())
	w.ports.Buckets = refusing{w.Account, "request 7F3A"}
	w.rebuild()
	var failed *guardrail.WriteError
	if out, err := w.guard.Restore(t.Context(), ref(), yes); !errors.As(err, &failed) || out.After.Verdict != delivery.Blocked {
		t.Errorf("%+v, %v", out, err)
	}
	photos := ref()
	photos.Name = "holiday-photos"
	if _, err := w.guard.Restore(t.Context(), photos, yes); err == nil || !strings.Contains(err.Error(), "no trail") {
		t.Errorf("bucket of no trail: %v", err)
	}
	broken := errors.New("terminal closed")
	_, err := w.guard.Restore(t.Context(), ref(), func(delivery.Report, repair.Plan) (bool, error) { return false, broken })
	if !errors.Is(err, broken) {
		t.Errorf("the question failed: %v", err)
	}
}

// refusing refuses every write for good.
type refusing struct {
	guardrail.Buckets

	words string
}

func (r refusing) PutPolicy(context.Context, guardrail.BucketRef, []byte) error {
	return &guardrail.PortError{Op: "s3:PutBucketPolicy", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New(r.words)}
}

func TestRefusedWriteIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.ports.Buckets = refusing{w.Account, "request 7F3A"}
	w.rebuild()
	r := w.put(t, readerOnly())
	w.reconcile(t, r)
	if tries := len(w.record(t).Repairs); tries != 1 {
		t.Errorf("tried %d times at once", tries)
	}
	for range 5 {
		w.reconcile(t, r)
	}
	w.sweep(t)
	w.wantKinds(t, "restore-failed")
	if !strings.Contains(w.lastAlert(t), "AccessDenied") {
		t.Errorf("no reason is given:\n%s", w.lastAlert(t))
	}
}

func TestUndoIsRespected(t *testing.T) {
	w := newWorld(t)
	w.reconcile(t, w.put(t, readerOnly()))
	restored := w.policy(t)
	snapshots, err := w.guard.Snapshots(t.Context(), key())
	if err != nil || len(snapshots) != 1 {
		t.Fatal(snapshots, err)
	}
	undo := func(ok bool) error {
		return w.guard.Undo(t.Context(), ref(), snapshots[0], "dana", func(diff string) (bool, error) {
			if !strings.Contains(diff, "cloudtrail.amazonaws.com") {
				t.Errorf("diff %q", diff)
			}
			return ok, nil
		})
	}
	if err := undo(false); err != nil || w.policy(t) != restored {
		t.Errorf("written without consent: %v", err)
	}
	if err := undo(true); err != nil {
		t.Fatal(err)
	}
	if ledger.Fingerprint([]byte(w.policy(t))) != ledger.Fingerprint([]byte(readerOnly())) {
		t.Errorf("policy %s", w.policy(t))
	}
	own := w.event("PutBucketPolicy")
	own.Bucket, own.SubmittedPolicy = bucket, snapshots[0].Policy
	w.reconcile(t, own)
	w.sweep(t)
	w.wantKinds(t, "restored opened")
	if !strings.Contains(w.lastAlert(t), "dana") {
		t.Errorf("the alert does not say who holds it:\n%s", w.lastAlert(t))
	}
	if w.healthy(t) {
		t.Error("the undo was undone")
	}
	// Another policy ends the hold.
	w.reconcile(t, w.put(t, policyOf(reader, strings.Replace(reader, "Reader", "Second", 1))))
	if !w.healthy(t) {
		t.Error("held for a policy that nobody put back")
	}
	w.wantKinds(t, "restored opened restored")
	if list, err := w.guard.Snapshots(t.Context(), key()); err != nil || len(list) != 3 {
		t.Errorf("%d snapshots, %v", len(list), err)
	}
}

func TestReleaseLiftsTheHold(t *testing.T) {
	w := newWorld(t)
	w.reconcile(t, w.put(t, readerOnly()))
	snapshots, err := w.guard.Snapshots(t.Context(), key())
	if err != nil {
		t.Fatal(err)
	}
	agree := func(string) (bool, error) { return true, nil }
	if err := w.guard.Undo(t.Context(), ref(), snapshots[0], "dana", agree); err != nil {
		t.Fatal(err)
	}
	w.sweep(t)
	if w.healthy(t) {
		t.Fatal("not held")
	}
	if err := w.guard.Release(t.Context(), key()); err != nil {
		t.Fatal(err)
	}
	w.sweep(t)
	if !w.healthy(t) {
		t.Error("not restored after the release")
	}
	w.wantKinds(t, "restored opened restored")
}

func TestUndoOfAChangedPolicy(t *testing.T) {
	w := newWorld(t)
	w.reconcile(t, w.put(t, readerOnly()))
	snapshots, err := w.guard.Snapshots(t.Context(), key())
	if err != nil {
		t.Fatal(err)
	}
	foreign := policyOf(reader, intrusion)
	err = w.guard.Undo(t.Context(), ref(), snapshots[0], "dana", func(string) (bool, error) {
		w.put(t, foreign)
		return true, nil
	})
	if !errors.Is(err, guardrail.ErrPolicyChanged) || w.policy(t) != foreign {
		t.Errorf("%v, policy %s", err, w.policy(t))
	}
	w = newWorld(t, stateless)
	for _, err := range []error{
		w.guard.Undo(t.Context(), ref(), ledger.Snapshot{}, "dana", nil), w.guard.Release(t.Context(), key()),
	} {
		if !errors.Is(err, guardrail.ErrNoLedger) {
			t.Errorf("without memory: %v", err)
		}
	}
}

func TestAudit(t *testing.T) {
	w := newWorld(t)
	w.put(t, readerOnly())
	second := mainTrail()
	second.Name, second.ARN, second.Bucket = "second", strings.Replace(second.ARN, "main", "second", 1), "gone"
	w.PutTrail(second, trail.Status{Logging: true})
	before := w.Describe()
	progress := 0
	audited, err := w.guard.Audit(t.Context(), account, region, func(done, total int) {
		progress++
		if done != progress || total != 2 {
			t.Errorf("progress %d of %d", done, total)
		}
	})
	if err != nil || len(audited) != 2 || progress != 2 {
		t.Fatal(audited, err)
	}
	first, missing := audited[0], audited[1]
	if first.Report.Verdict != delivery.Blocked || !first.Plan.Changed || len(first.Statuses) != 1 || first.Err != nil {
		t.Errorf("%+v", first)
	}
	if missing.Bucket.State != delivery.BucketMissing || missing.Report.Verdict != delivery.Blocked || !missing.Plan.Empty() {
		t.Errorf("%+v", missing)
	}
	w.wantKinds(t, "")
	if w.policy(t) != readerOnly() || w.record(t).Version != 0 || len(before.Trails) != 2 {
		t.Error("an audit wrote something")
	}
}

// slowAlerts takes its time, as a topic may.
type slowAlerts struct{ guardrail.Alerts }

func (s slowAlerts) Publish(ctx context.Context, m alert.Message) error {
	time.Sleep(3 * time.Millisecond)
	return s.Alerts.Publish(ctx, m)
}

// TestChangeWhileItIsRemembered lets the bucket be set right after it was
// judged and before the outage is stored: whoever looks at that event finds
// nothing to tell.
func TestChangeWhileItIsRemembered(t *testing.T) {
	w := newWorld(t, listOnly)
	healthy := w.policy(t)
	other := newWorld(t, listOnly)
	other.ports, other.clock = w.ports, w.clock
	other.rebuild()
	w.ports.Ledger = &interrupted{Ledger: w.ledger, before: func() {
		r := w.put(t, healthy)
		if _, err := other.guard.Reconcile(t.Context(), r); err != nil {
			t.Error(err)
		}
	}}
	w.rebuild()
	w.reconcile(t, w.put(t, readerOnly()))
	w.wantKinds(t, "opened resolved")
}

// interrupted lets somebody else act just before the first store.
type interrupted struct {
	*inmem.Ledger
	before func()
}

func (i *interrupted) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if act := i.before; act != nil {
		i.before = nil
		act()
	}
	return i.Ledger.Save(ctx, r)
}
