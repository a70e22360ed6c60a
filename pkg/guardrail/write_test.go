package guardrail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// contested are buckets whose first write meets somebody else's.
type contested struct {
	guardrail.Buckets

	made    bool   // the write is made, and only its answer is lost
	code    string // what S3 answers
	foreign func() // nil: nobody writes
	writes  int
}

func (c *contested) PutPolicy(ctx context.Context, b guardrail.BucketRef, policy []byte) error {
	if c.writes++; c.writes > 1 {
		return c.Buckets.PutPolicy(ctx, b, policy)
	}
	if c.made {
		if err := c.Buckets.PutPolicy(ctx, b, policy); err != nil {
			return err
		}
	}
	if c.foreign != nil {
		c.foreign()
	}
	return &guardrail.PortError{Op: "s3:PutBucketPolicy", Class: guardrail.Transient, Code: c.code, Err: errFault}
}

// late are buckets whose first write has no answer, and is made after all.
type late struct {
	guardrail.Buckets

	first func() // makes it
	tries int
}

func (l *late) PutPolicy(ctx context.Context, b guardrail.BucketRef, policy []byte) error {
	if l.tries++; l.tries > 1 {
		return l.Buckets.PutPolicy(ctx, b, policy)
	}
	ctx = context.WithoutCancel(ctx)
	l.first = func() { _ = l.Buckets.PutPolicy(ctx, b, policy) }
	return &guardrail.PortError{Op: "s3:PutBucketPolicy", Class: guardrail.Transient, Err: context.DeadlineExceeded}
}

// TestWriteThatIsMadeLate lets a write have no answer, be made again, and be made by S3
// at last. It is told once; and where somebody else wrote before S3 made it, that is told
// too.
func TestWriteThatIsMadeLate(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		w := newWorld(t)
		r := w.put(t, readerOnly())
		buckets := &late{Buckets: w.Account}
		w.ports.Buckets = buckets
		w.rebuild()
		w.reconcile(t, r)
		if buckets.tries != 2 || !w.healthy(t) {
			t.Fatalf("%d writes, healthy %t", buckets.tries, w.healthy(t))
		}
		restored, want := w.policy(t), "restored"
		w.clock.pass(5 * time.Second)
		var events []guardrail.Request
		if foreign {
			events, want = append(events, w.put(t, withStatement(t, restored, intrusion))), "restored changed"
		}
		buckets.first()
		if w.policy(t) != restored {
			t.Fatalf("the policy is %s", w.policy(t))
		}
		own := w.event("PutBucketPolicy") // of both of our writes
		own.Bucket, own.SubmittedPolicy = bucket, []byte(restored)
		for _, r := range append(events, own, r) {
			w.reconcile(t, r)
		}
		w.sweep(t)
		w.wantKinds(t, want)
		if foreign && !strings.Contains(w.lastAlert(t), "Intruder") {
			t.Errorf("the alert does not show what was overwritten:\n%s", w.lastAlert(t))
		}
		if n := len(w.record(t).Repairs); n != 1 {
			t.Errorf("%d repairs count", n)
		}
	}
}

// TestWritesMeetOthers lets a write fail and somebody else write at the same time. What
// they wrote stays, whoever it is that writes: the guard, restore or undo.
func TestWritesMeetOthers(t *testing.T) {
	for name, c := range map[string]contested{
		"S3 is busy with another write":         {code: "OperationAborted"},
		"S3 fails":                              {code: "InternalError"},
		"no answer, and the write was not made": {},
		"no answer, though the write was made":  {made: true},
		"an error, though the write was made":   {made: true, code: "InternalError"},
	} {
		for _, foreign := range []bool{true, false} {
			title := name + ", nobody else wrote"
			if foreign {
				title = name + ", somebody else wrote"
			}
			t.Run(title, func(t *testing.T) {
				contest := func(w *world) *contested {
					x := c
					x.Buckets = w.Account
					if foreign {
						x.foreign = func() { w.put(t, withStatement(t, w.policy(t), intrusion)) }
					}
					w.ports.Buckets = &x
					w.rebuild()
					return &x
				}
				check := func(t *testing.T, w *world, x *contested, most int) {
					t.Helper()
					if foreign && !hasStatement(t, w.policy(t), intrusion) {
						t.Errorf("what somebody else wrote is lost: %s", w.policy(t))
					}
					if x.writes > most {
						t.Errorf("%d writes", x.writes)
					}
				}
				t.Run("guard", func(t *testing.T) {
					w := newWorld(t)
					r := w.put(t, readerOnly())
					x := contest(w)
					w.reconcile(t, r)
					check(t, w, x, 2)
					want := "restored"
					if x.made && foreign { // whose doing it is that all is well cannot be told any more
						want = "resolved"
					}
					w.wantKinds(t, want)
					if !w.healthy(t) {
						t.Error("not restored")
					}
				})
				t.Run("restore", func(t *testing.T) {
					w := newWorld(t, listOnly)
					w.put(t, readerOnly())
					x := contest(w)
					asked := 0
					_, err := w.guard.Restore(t.Context(), ref(), func(delivery.Report, repair.Plan) (bool, error) {
						asked++
						return true, nil
					})
					check(t, w, x, 2)
					if err != nil || !w.healthy(t) || foreign && !x.made && asked != 2 {
						t.Errorf("asked %d times, healthy %t, %v", asked, w.healthy(t), err)
					}
				})
				t.Run("undo", func(t *testing.T) {
					w := newWorld(t)
					w.reconcile(t, w.put(t, readerOnly()))
					snapshots, err := w.guard.Snapshots(t.Context(), key())
					if err != nil {
						t.Fatal(err)
					}
					x := contest(w)
					err = w.guard.Undo(t.Context(), ref(), snapshots[0], "dana", func(string) (bool, error) { return true, nil })
					check(t, w, x, 2)
					if foreign != errors.Is(err, guardrail.ErrPolicyChanged) || !foreign && err != nil {
						t.Errorf("error %v", err)
					}
					if back := ledger.Fingerprint([]byte(w.policy(t))) == ledger.Fingerprint(snapshots[0].Policy); back == foreign {
						t.Errorf("put back: %t; the policy is %s", back, w.policy(t))
					}
				})
			})
		}
	}
}
