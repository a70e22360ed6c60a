package guardrail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// readerOnly is a policy that lacks all that CloudTrail needs.
func readerOnly() string { return policyOf(reader) }

func TestHealthyBucketIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	before := w.policy(t)
	results := w.reconcile(t, w.put(t, before))
	if len(results) != 1 || !results[0].InUse || results[0].Wrote {
		t.Errorf("results %+v", results)
	}
	w.wantKinds(t, "")
	if w.record(t).Version != 0 {
		t.Error("a healthy bucket got a record from an event")
	}
}

func TestBucketOfNoTrail(t *testing.T) {
	w := newWorld(t)
	w.PutBucket(inmem.Bucket{Name: "holiday-photos"})
	r := w.event("DeleteBucketPolicy")
	r.Bucket = "holiday-photos"
	results := w.reconcile(t, r)
	if len(results) != 1 || results[0].InUse {
		t.Errorf("results %+v", results)
	}
	w.wantKinds(t, "")
}

func TestOutageIsRestored(t *testing.T) {
	for name, test := range map[string]struct {
		policy  string
		options []option
	}{
		"policy deleted":                {"", nil},
		"statements removed":            {readerOnly(), nil},
		"policy deleted, respelled":     {"", []option{reserializing}},
		"statements removed, respelled": {readerOnly(), []option{reserializing}},
	} {
		t.Run(name, func(t *testing.T) {
			w, policy := newWorld(t, test.options...), test.policy
			r := w.put(t, policy)
			results := w.reconcile(t, r)
			if !results[0].Repaired || !results[0].Wrote {
				t.Errorf("result %+v", results[0])
			}
			if !w.healthy(t) {
				t.Errorf("not restored: %s", w.policy(t))
			}
			if policy != "" && !hasStatement(t, w.policy(t), reader) {
				t.Error("the reader's statement is lost")
			}
			w.wantKinds(t, "restored")
			for _, want := range []string{"user/dana", r.Change.Event} {
				if !strings.Contains(w.lastAlert(t), want) {
					t.Errorf("the alert lacks %q:\n%s", want, w.lastAlert(t))
				}
			}
			// The same event again, and the event of our own write.
			restored := w.policy(t)
			w.reconcile(t, r)
			w.reconcile(t, w.put(t, restored))
			w.wantKinds(t, "restored")
			if n := len(w.record(t).Repairs); n != 1 {
				t.Errorf("%d repairs are counted", n)
			}
		})
	}
}

func TestOutageOfListOnlyBucket(t *testing.T) {
	w := newWorld(t, listOnly)
	healthy := w.policy(t)
	r := w.put(t, readerOnly())
	for range 3 {
		w.reconcile(t, r)
	}
	w.wantKinds(t, "opened")
	if w.policy(t) != readerOnly() {
		t.Error("the policy was touched")
	}
	w.reconcile(t, w.put(t, policyOf(reader, `{"Sid":"Shut","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-audit-logs","arn:aws:s3:::acme-audit-logs/*"]}`)))
	w.clock.pass(23 * time.Hour)
	w.sweep(t)
	w.wantKinds(t, "opened changed")
	w.clock.pass(2 * time.Hour)
	w.sweep(t)
	w.wantKinds(t, "opened changed reminder")
	w.reconcile(t, w.put(t, healthy))
	w.wantKinds(t, "opened changed reminder resolved")
	w.sweep(t)
	w.wantKinds(t, "opened changed reminder resolved")
}

// What a Deny blocks and nothing allows is restored as far as possible: what is
// missing is granted, and the alert shows how the Deny would have to read.
func TestDeniedAndNotAllowed(t *testing.T) {
	for name, options := range map[string][]option{"with memory": nil, "without memory": {stateless}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options...)
			w.reconcile(t, w.put(t, policyOf(reader, shut)))
			w.wantKinds(t, map[string]string{"with memory": "restored", "without memory": "opened restored"}[name])
			last := w.alerts.Messages()[len(w.alerts.Messages())-1]
			for _, say := range []string{"restored in part", "Restored as far as possible", `"Sid": "Shut"`} {
				if !strings.Contains(last.Subject+last.Body, say) {
					t.Errorf("the alert does not say %q:\n%s\n%s", say, last.Subject, last.Body)
				}
			}
			for _, granted := range []string{"AWSCloudTrailAclCheck20150319", "AWSCloudTrailWrite20150319"} {
				if !strings.Contains(w.policy(t), granted) {
					t.Errorf("%s is missing: %s", granted, w.policy(t))
				}
			}
			told, policy := len(w.alerts.Messages()), w.policy(t)
			if name == "with memory" {
				w.sweep(t)
			}
			if len(w.alerts.Messages()) != told || w.policy(t) != policy {
				t.Errorf("told or written again: %s", w.kinds())
			}
			// The edit that is shown lets CloudTrail through.
			w.put(t, strings.Replace(policy, shut, strings.TrimSuffix(shut, "}")+
				`,"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalServiceName":"cloudtrail.amazonaws.com"}}}`, 1))
			if !w.healthy(t) {
				t.Error("not healthy with the Deny as shown")
			}
		})
	}
}

func TestStateless(t *testing.T) {
	w := newWorld(t, stateless)
	w.reconcile(t, w.put(t, readerOnly()))
	w.wantKinds(t, "opened restored")
	if !w.healthy(t) {
		t.Error("not restored")
	}
	w.reconcile(t, w.put(t, w.policy(t)))
	w.wantKinds(t, "opened restored")
	w = newWorld(t, stateless, listOnly)
	r := w.put(t, readerOnly())
	w.reconcile(t, r)
	w.reconcile(t, r)
	w.wantKinds(t, "opened opened")
}

func TestRequesterPaysIsReset(t *testing.T) {
	w := newWorld(t)
	b, _ := w.Bucket(bucket)
	b.Payer = delivery.PayerRequester
	w.PutBucket(b)
	r := w.event("PutBucketRequestPayment")
	r.Bucket = bucket
	w.reconcile(t, r)
	if b, _ := w.Bucket(bucket); b.Payer != delivery.PayerOwner {
		t.Errorf("payer is %s", b.Payer)
	}
	w.wantKinds(t, "restored")
}

func TestTrailEvents(t *testing.T) {
	t.Run("new prefix", func(t *testing.T) {
		w := newWorld(t)
		moved := mainTrail()
		moved.Prefix = "audit"
		w.PutTrail(moved, trail.Status{Logging: true})
		w.reconcile(t, w.trailEvent("UpdateTrail"))
		w.wantKinds(t, "restored")
		if !w.healthy(t) {
			t.Error("the new prefix is not granted")
		}
	})
	t.Run("stopped and started", func(t *testing.T) {
		w := newWorld(t)
		w.PutStatus(trail.Status{ARN: mainTrail().ARN})
		r := w.trailEvent("StopLogging")
		w.reconcile(t, r)
		w.reconcile(t, r)
		w.wantKinds(t, "opened")
		if !strings.Contains(w.lastAlert(t), "Blind") {
			t.Errorf("the alert does not say that events will stop:\n%s", w.lastAlert(t))
		}
		w.PutStatus(trail.Status{ARN: mainTrail().ARN, Logging: true})
		w.reconcile(t, w.trailEvent("StartLogging"))
		w.wantKinds(t, "opened resolved")
	})
	t.Run("deleted", func(t *testing.T) {
		w := newWorld(t)
		w.sweep(t)
		w.DeleteTrail(mainTrail().ARN)
		r := w.trailEvent("DeleteTrail")
		w.reconcile(t, r)
		w.reconcile(t, r)
		w.sweep(t)
		w.clock.pass(48 * time.Hour)
		w.sweep(t)
		w.wantKinds(t, "opened")
		w.PutTrail(mainTrail(), trail.Status{Logging: true})
		w.sweep(t)
		w.wantKinds(t, "opened resolved")
	})
	t.Run("deleted without an event", func(t *testing.T) {
		w := newWorld(t)
		w.sweep(t)
		w.DeleteTrail(mainTrail().ARN)
		w.sweep(t)
		w.sweep(t)
		w.wantKinds(t, "opened")
	})
	t.Run("of a call that failed", func(t *testing.T) {
		w := newWorld(t)
		r := w.trailEvent("DeleteTrail")
		r.Trail, r.Change.ErrorCode = "other", "TrailNotFoundException"
		w.reconcile(t, r)
		w.wantKinds(t, "")
	})
}

func TestFightStopsAtTheBudget(t *testing.T) {
	w := newWorld(t)
	for range 6 {
		w.reconcile(t, w.put(t, readerOnly()))
		w.clock.pass(time.Minute)
	}
	w.wantKinds(t, "restored restored restored fight")
	if w.healthy(t) {
		t.Error("written past the budget")
	}
	if !strings.Contains(w.lastAlert(t), "user/dana") {
		t.Errorf("the alert does not name the actor:\n%s", w.lastAlert(t))
	}
	w.clock.pass(time.Hour)
	w.sweep(t)
	w.wantKinds(t, "restored restored restored fight restored")
	if !w.healthy(t) {
		t.Error("not restored after the window")
	}
}

// Two calls of one second: the second alert names who made the second one.
func TestTwoCallsOfOneSecond(t *testing.T) {
	w := newWorld(t, listOnly)
	first := w.put(t, readerOnly())
	w.reconcile(t, first)
	second := w.put(t, "")
	second.Change.Time, second.Change.Actor = first.Change.Time, "arn:aws:iam::111111111111:user/eli"
	w.reconcile(t, second)
	w.wantKinds(t, "opened changed")
	for i, who := range []string{"policy changed by dana", "policy deleted by eli"} {
		if subject := w.alerts.Messages()[i].Subject; !strings.HasSuffix(subject, who) {
			t.Errorf("alert %d: %q, want %s", i, subject, who)
		}
	}
}

func TestOverwrittenPolicyIsTold(t *testing.T) {
	w := newWorld(t)
	foreign := policyOf(reader, strings.Replace(reader, "Reader", "Another", 1))
	var r guardrail.Request
	buckets := &intruder{Buckets: w.Account, before: func() {
		r = guardrail.Request{}
		r = w.put(t, foreign)
	}}
	w.ports.Buckets = buckets
	w.rebuild()
	w.reconcile(t, w.put(t, readerOnly()))
	w.wantKinds(t, "restored")
	w.reconcile(t, r)
	w.reconcile(t, r)
	w.wantKinds(t, "restored changed")
	if !strings.Contains(w.lastAlert(t), "Another") {
		t.Errorf("the alert lacks the policy that was overwritten:\n%s", w.lastAlert(t))
	}
}

func TestDeliveryErrors(t *testing.T) {
	w := newWorld(t)
	w.clock.pass(time.Hour)
	failing := trail.Status{ARN: mainTrail().ARN, Logging: true, DeliveryError: "AccessDenied", DeliveryAttempt: w.clock.Now()}
	w.PutStatus(failing)
	w.sweep(t)
	w.wantKinds(t, "opened") // although the policy allows it
	w.PutStatus(trail.Status{ARN: mainTrail().ARN, Logging: true, DeliveryAttempt: w.clock.Now(), DeliveredAt: w.clock.Now()})
	w.sweep(t)
	w.wantKinds(t, "opened resolved")

	// An error that the policy explains is no news, and is no failure of the
	// repair while CloudTrail has not tried again.
	w = newWorld(t, listOnly)
	healthy := w.policy(t)
	w.reconcile(t, w.put(t, readerOnly()))
	failing.DeliveryAttempt = w.clock.Now()
	w.PutStatus(failing)
	w.clock.pass(time.Minute)
	w.sweep(t)
	w.wantKinds(t, "opened")
	w.reconcile(t, w.put(t, healthy))
	w.sweep(t)
	w.wantKinds(t, "opened resolved")
	w.clock.pass(time.Minute)
	failing.DeliveryAttempt = w.clock.Now()
	w.PutStatus(failing)
	w.sweep(t)
	w.wantKinds(t, "opened resolved opened")
}

// TestKilledAfterTheWrite lets the process end right after its write. Whoever
// comes next tells what was done.
func TestKilledAfterTheWrite(t *testing.T) {
	w := newWorld(t)
	w.sweep(t)
	r := w.put(t, readerOnly())
	x := wrap(w, killAfter, 0, nil)
	for k := 1; x.op != "put"; k++ {
		w = newWorld(t)
		r = w.put(t, readerOnly())
		x = wrap(w, killAfter, k, nil)
		_, err := w.guard.Reconcile(t.Context(), r)
		if x.op == "put" && err == nil {
			t.Fatal("no error from a look that was cut off")
		}
	}
	x.heal()
	if w.kinds() != "" || !w.healthy(t) {
		t.Fatalf("told %q", w.kinds())
	}
	w.clock.pass(3 * time.Minute)
	w.reconcile(t, r)
	w.wantKinds(t, "restored")
	for _, want := range []string{"user/dana", "blocked before", "AWSCloudTrailWrite"} {
		if !strings.Contains(w.lastAlert(t), want) {
			t.Errorf("the alert lacks %q:\n%s", want, w.lastAlert(t))
		}
	}
	if got := w.record(t).Repairs; len(got) != 1 || !got[0].Done {
		t.Errorf("repairs %+v", got)
	}
}

// TestSweepGoesOn has one bad bucket among good ones.
func TestSweepGoesOn(t *testing.T) {
	w := newWorld(t)
	second := mainTrail()
	second.Name, second.ARN, second.Bucket = "second", strings.Replace(second.ARN, "main", "second", 1), "aaa-first"
	w.PutTrail(second, trail.Status{Logging: true})
	w.put(t, readerOnly())
	w.ports.Buckets = unreachable{w.Account}
	w.rebuild()
	result, err := w.guard.Sweep(t.Context(), account, region)
	var failed *guardrail.SweepError
	var observe *guardrail.ObserveError
	if !errors.As(err, &failed) || failed.Failed != 1 || !errors.As(err, &observe) {
		t.Errorf("error %v", err)
	}
	if result.Trails != 2 || len(result.Results) != 2 || !w.healthy(t) {
		t.Errorf("%+v", result)
	}
	w.wantKinds(t, "restored")
}

// unreachable has one bucket that cannot be reached for now.
type unreachable struct{ guardrail.Buckets }

func (u unreachable) Observe(ctx context.Context, r guardrail.BucketRef) (delivery.Bucket, error) {
	if r.Name == "aaa-first" {
		return delivery.Bucket{}, transient("s3:GetBucketPolicy")
	}
	return u.Buckets.Observe(ctx, r)
}

// TestFailingLedger has a ledger that may not be written: the team is told
// even so, and nothing is written.
func TestFailingLedger(t *testing.T) {
	w := newWorld(t)
	w.ports.Ledger = readOnlyLedger{w.ledger}
	w.rebuild()
	var memory *guardrail.LedgerError
	if _, err := w.guard.Reconcile(t.Context(), w.put(t, readerOnly())); !errors.As(err, &memory) {
		t.Errorf("error %v", err)
	}
	w.wantKinds(t, "opened")
	if w.policy(t) != readerOnly() {
		t.Error("written without memory of it")
	}
}

type readOnlyLedger struct{ *inmem.Ledger }

func (readOnlyLedger) Save(context.Context, ledger.Record) (ledger.Record, error) {
	return ledger.Record{}, &guardrail.PortError{Op: "dynamodb:PutItem", Class: guardrail.Denied, Code: "AccessDeniedException", Err: errFault}
}
