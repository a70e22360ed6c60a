package guardrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// together is one request for all: the newest, with the others before it, newest
// first.
func together(requests ...guardrail.Request) guardrail.Request {
	newest := requests[len(requests)-1]
	for i := len(requests) - 2; i >= 0; i-- {
		newest.Earlier = append(newest.Earlier, guardrail.Call{Change: *requests[i].Change, SubmittedPolicy: requests[i].SubmittedPolicy})
	}
	return newest
}

// by is the request as somebody else's.
func by(name string, r guardrail.Request) guardrail.Request {
	r.Change.Actor = "arn:aws:iam::111111111111:user/" + name
	return r
}

// Whoever can be to blame is named, in whatever order the calls of a batch were
// made; who cannot is not.
func TestBlameAmongCallsThatComeTogether(t *testing.T) {
	const deny = `{"Sid":"Shut","Effect":"Deny","Principal":"*","Action":"s3:*",` +
		`"Resource":["arn:aws:s3:::acme-audit-logs","arn:aws:s3:::acme-audit-logs/*"]}`
	payer := func(w *world) guardrail.Request {
		r := w.event("PutBucketRequestPayment")
		r.Bucket = bucket
		return r
	}
	for name, test := range map[string]struct {
		calls     func(t *testing.T, w *world) []guardrail.Request
		named     string
		innocents string
	}{
		"the newest": {func(t *testing.T, w *world) []guardrail.Request {
			return []guardrail.Request{by("alice", payer(w)), by("bob", w.put(t, readerOnly()))}
		}, "bob", "alice"},
		"an older one": {func(t *testing.T, w *world) []guardrail.Request {
			return []guardrail.Request{by("alice", w.put(t, readerOnly())), by("bob", payer(w))}
		}, "alice", "bob"},
		"who wrote what is there, not who was overwritten": {func(t *testing.T, w *world) []guardrail.Request {
			return []guardrail.Request{by("alice", w.put(t, readerOnly())), by("bob", w.put(t, policyOf(reader, deny))), by("carol", payer(w))}
		}, "bob", "alice carol"},
		"who deleted, after who wrote": {func(t *testing.T, w *world) []guardrail.Request {
			return []guardrail.Request{by("alice", w.put(t, readerOnly())), by("bob", w.put(t, ""))}
		}, "bob", "alice"},
	} {
		for _, restored := range []bool{false, true} {
			w := newWorld(t)
			if !restored {
				w = newWorld(t, listOnly)
			}
			calls := test.calls(t, w)
			w.reconcile(t, together(calls...))
			want := "opened"
			if restored {
				want = "restored"
			}
			w.wantKinds(t, want)
			alert := w.lastAlert(t)
			changed, _, _ := strings.Cut(alert[strings.Index(alert, "Changed"):], "\n\n")
			if !strings.Contains(changed, "user/"+test.named) {
				t.Errorf("%s, restored %v: %s is not named:\n%s", name, restored, test.named, alert)
			}
			for innocent := range strings.FieldsSeq(test.innocents) {
				if strings.Contains(changed, "user/"+innocent) {
					t.Errorf("%s, restored %v: %s is named:\n%s", name, restored, innocent, alert)
				}
			}
			if restored {
				continue
			}
			// What is open remembers all of them, whoever is named now.
			record := w.record(t)
			if len(record.Changes) != len(calls) || !record.Changes[0].Time.Equal(calls[len(calls)-1].Change.Time) {
				t.Errorf("%s: changes %+v", name, record.Changes)
			}
			// Each of them alone is no news then.
			for _, r := range calls {
				w.reconcile(t, r)
			}
			w.wantKinds(t, want)
		}
	}
}

// The event of our own write comes together with that of somebody who broke the
// bucket again: it is recognized, and the other is named.
func TestOwnWriteAmongCallsThatComeTogether(t *testing.T) {
	w := newWorld(t)
	w.reconcile(t, w.put(t, readerOnly()))
	own := w.event("PutBucketPolicy")
	own.Bucket, own.SubmittedPolicy = bucket, []byte(w.policy(t))
	own.Change.Time = w.record(t).Repairs[0].Read
	own.Change.Actor = "arn:aws:sts::111111111111:assumed-role/trailwarden-GuardRole/guard"
	broken := by("mallory", w.put(t, ""))
	w.reconcile(t, together(own, broken))
	w.wantKinds(t, "restored restored")
	if alert := w.lastAlert(t); !strings.Contains(alert, "user/mallory") || strings.Contains(alert, "GuardRole/guard") {
		t.Errorf("the alert is\n%s", alert)
	}
}

// A policy that a repair overwrote unseen is told, also where its event comes
// together with a later one.
func TestOverwrittenAmongCallsThatComeTogether(t *testing.T) {
	w := newWorld(t)
	foreign := policyOf(reader, strings.Replace(reader, "Reader", "Another", 1))
	var overwritten guardrail.Request
	w.ports.Buckets = &intruder{Buckets: w.Account, before: func() { overwritten = by("erin", w.put(t, foreign)) }}
	w.rebuild()
	w.reconcile(t, w.put(t, readerOnly()))
	w.wantKinds(t, "restored")
	w.clock.pass(time.Second)
	later := by("frank", w.put(t, w.policy(t)))
	for range 2 {
		w.reconcile(t, together(overwritten, later))
		w.wantKinds(t, "restored changed")
	}
	if alert := w.lastAlert(t); !strings.Contains(alert, "Another") || !strings.Contains(alert, "user/erin") {
		t.Errorf("the alert lacks the policy that was overwritten, or whose it was:\n%s", alert)
	}
}
