package guardrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// wrongs are ways in which something was wrong before anybody called, each with
// the calls that bring it about.
func wrongs() map[string]struct {
	cause  func(t *testing.T, w *world)
	guilty []string
} {
	type wrong = struct {
		cause  func(t *testing.T, w *world)
		guilty []string
	}
	return map[string]wrong{
		"policy deleted": {
			func(t *testing.T, w *world) { w.put(t, "") },
			[]string{"DeleteBucketPolicy", "DeleteBucket", "CreateBucket", "CreateTrail", "UpdateTrail"},
		},
		"denied": {
			func(t *testing.T, w *world) { w.put(t, policyOf(reader, shut)) },
			[]string{"PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucket", "CreateBucket", "CreateTrail", "UpdateTrail"},
		},
		"requester pays": {
			func(_ *testing.T, w *world) {
				b, _ := w.Bucket(bucket)
				b.Payer = delivery.PayerRequester
				w.PutBucket(b)
			},
			[]string{"PutBucketRequestPayment", "CreateTrail", "UpdateTrail"},
		},
		"trail stopped": {
			func(_ *testing.T, w *world) { w.PutStatus(trail.Status{ARN: mainTrail().ARN}) },
			[]string{"StopLogging", "CreateTrail"},
		},
		"CloudTrail reports an error of the key": {
			func(_ *testing.T, w *world) {
				w.PutStatus(trail.Status{
					ARN: mainTrail().ARN, Logging: true, DeliveryError: "KMS.DisabledException",
					DeliveryAttempt: w.clock.Now().Add(2 * time.Hour), DeliveredAt: w.clock.Now().Add(-time.Hour),
				})
			},
			[]string{"CreateTrail", "UpdateTrail"},
		},
	}
}

// TestInnocentIsNotBlamed lets something be wrong of which no event told, and
// then somebody make each call that the guard hears of. Only who made a call
// that can bring it about is named as the one who changed it.
func TestInnocentIsNotBlamed(t *testing.T) {
	calls := []string{
		"PutBucketPolicy", "DeleteBucketPolicy", "PutBucketRequestPayment", "CreateBucket", "DeleteBucket",
		"CreateTrail", "UpdateTrail", "StopLogging", "StartLogging", "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration",
	}
	callers := map[string]delivery.Change{
		"user":    {Actor: "arn:aws:iam::111111111111:user/dana"},
		"role":    {Actor: "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/dana@acme.example"},
		"service": {Actor: "arn:aws:sts::111111111111:assumed-role/deploy/dana", Via: "cloudformation.amazonaws.com"},
	}
	cases := 0
	for name, wrong := range wrongs() {
		for _, call := range calls {
			for who, caller := range callers {
				cases++
				w := newWorld(t, listOnly)
				wrong.cause(t, w)
				w.clock.pass(time.Hour)
				r := w.event(call)
				r.Bucket = bucket
				r.Change.Actor, r.Change.Via = caller.Actor, caller.Via
				w.reconcile(t, r)
				messages := w.alerts.Messages()
				if len(messages) != 1 {
					t.Fatalf("%s, %s: %d alerts", name, call, len(messages))
				}
				guilty := false
				for _, g := range wrong.guilty {
					guilty = guilty || g == call
				}
				named := strings.Contains(messages[0].Subject, "dana")
				unknown := strings.Contains(messages[0].Body, "not known; noticed at a call that is not to blame")
				if named != guilty || unknown == guilty {
					t.Errorf("%s, then %s by a %s: subject %q, noticed only: %t; to blame: %t", name, call, who, messages[0].Subject, unknown, guilty)
				}
				since := "Since       not known"
				if got := strings.Contains(messages[0].Body, since); got == guilty {
					t.Errorf("%s, then %s: since not known: %t; to blame: %t\n%s", name, call, got, guilty, messages[0].Body)
				}
			}
		}
	}
	t.Logf("%d cases of something wrong, call and caller", cases)
}

// TestWitness lets somebody put the right policy, and somebody else break it
// before the event of the first is handled: who put what is not there any more
// is not named.
func TestWitness(t *testing.T) {
	w := newWorld(t, listOnly)
	first := w.put(t, w.policy(t))
	second := w.put(t, policyOf(reader, shut))
	second.Change.Actor = "arn:aws:iam::111111111111:user/mallory"
	w.reconcile(t, first)
	if m := w.alerts.Messages()[0]; strings.Contains(m.Subject, "dana") {
		t.Errorf("who put the right policy is named: %s", m.Subject)
	}
	// The event of the second tells who it was.
	w.reconcile(t, second)
	w.sweep(t)
}

// TestPayerSetBack checks that who lets the owner pay again is not blamed for
// Requester Pays.
func TestPayerSetBack(t *testing.T) {
	w := newWorld(t, listOnly)
	w.put(t, policyOf(reader, shut))
	w.clock.pass(time.Hour)
	r := w.event("PutBucketRequestPayment")
	r.Bucket, r.Change.Effect = bucket, delivery.PayerOwner
	w.reconcile(t, r)
	if m := w.alerts.Messages()[0]; strings.Contains(m.Subject, "dana") || strings.Contains(m.Subject, "Requester Pays") {
		t.Errorf("%s", m.Subject)
	}
}
