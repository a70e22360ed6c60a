package guardrail_test

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// breakage is one way in which a bucket is broken before the guard is called.
type breakage struct {
	name  string
	cause func(t testing.TB, w *world) guardrail.Request
	// cured says that the guard can set it right.
	cured bool
	// unseen says that there was no event: a sweep finds it.
	unseen bool
}

const shut = `{"Sid":"Shut","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-audit-logs/*"}`

func breakages() []breakage {
	return []breakage{
		{"policy deleted", func(t testing.TB, w *world) guardrail.Request { return w.put(t, "") }, true, false},
		{"statements removed", func(t testing.TB, w *world) guardrail.Request { return w.put(t, readerOnly()) }, true, false},
		{"requester pays and statements removed", func(t testing.TB, w *world) guardrail.Request {
			b, _ := w.Bucket(bucket)
			b.Payer = delivery.PayerRequester
			w.PutBucket(b)
			return w.put(t, readerOnly())
		}, true, false},
		{"denied", func(t testing.TB, w *world) guardrail.Request { return w.put(t, policyOf(reader, shut)) }, false, false},
		{"list only", func(t testing.TB, w *world) guardrail.Request {
			w.config.Restore = nil
			w.rebuild()
			return w.put(t, readerOnly())
		}, false, false},
		{"statements removed without an event", func(t testing.TB, w *world) guardrail.Request { return w.put(t, readerOnly()) }, true, true},
		{"trail deleted", func(t testing.TB, w *world) guardrail.Request {
			w.sweep(t) // so that it is remembered
			w.DeleteTrail(mainTrail().ARN)
			return w.trailEvent("DeleteTrail")
		}, false, false},
		{"trail stopped", func(t testing.TB, w *world) guardrail.Request {
			w.PutStatus(trail.Status{ARN: mainTrail().ARN})
			return w.trailEvent("StopLogging")
		}, false, false},
	}
}

// What the guard has beside the accounts.
const (
	forgetting  = "without memory"
	remembering = "with memory"
	knowing     = "with memory and inventory"
)

// TestFaults makes every call of every port go wrong in every way, lets Lambda
// try again twice and the next sweep run, and looks at what became of it.
func TestFaults(t *testing.T) {
	var cases atomic.Int64
	t.Run("matrix", func(t *testing.T) {
		for _, b := range breakages() {
			for _, memory := range []string{remembering, forgetting, knowing} {
				t.Run(b.name+"/"+memory, func(t *testing.T) {
					t.Parallel()
					for _, f := range faults() {
						for k := 1; runFault(t, b, f, k, memory); k++ {
							cases.Add(1)
						}
					}
				})
			}
		}
	})
	t.Logf("fault matrix: %d cases", cases.Load())
}

// intrusion is a statement that somebody adds at the worst moment.
var intrusion = strings.Replace(reader, `"Reader"`, `"Intruder"`, 1)

// runFault runs one case. It reports false if the run made fewer than k calls.
func runFault(t *testing.T, b breakage, f fault, k int, memory string) bool {
	t.Helper()
	w := newWorld(t)
	switch memory {
	case forgetting:
		w.ports.Ledger = nil
	case knowing:
		w.ports.Inventory = &inmem.Inventory{}
	}
	w.rebuild()
	request := b.cause(t, w)
	var pending []guardrail.Request
	x := wrap(w, f, k, func() {
		pending = append(pending, w.put(t, withStatement(t, w.policy(t), intrusion)))
	})
	look := func() error {
		if b.unseen {
			_, err := w.guard.Sweep(t.Context(), account, region)
			return err
		}
		_, err := w.guard.Reconcile(t.Context(), request)
		return err
	}
	err := look()
	if x.calls < k {
		return false
	}
	retry := err != nil || x.down
	x.heal()
	for range 2 {
		if !retry {
			break
		}
		w.clock.pass(time.Minute)
		retry = look() != nil
	}
	for _, r := range pending {
		if _, err := w.guard.Reconcile(t.Context(), r); err != nil {
			t.Errorf("%s at %d (%s): event of the intruder: %v", f, k, x.op, err)
		}
	}
	w.clock.pass(time.Hour)
	w.sweep(t)
	c := faultCase{b, f, k, x, w, memory != forgetting, len(pending) > 0}
	c.check(t)
	if t.Failed() {
		t.Fatalf("%s at call %d (%s), told %q, record %s", f, k, x.op, w.kinds(), recordText(t, w))
	}
	return true
}

type faultCase struct {
	breakage
	fault    fault
	k        int
	faulty   *faulty
	world    *world
	memory   bool
	intruded bool
}

func (c faultCase) check(t *testing.T) {
	t.Helper()
	w, policy := c.world, c.world.policy(t)
	if c.name != "policy deleted" && !hasStatement(t, policy, reader) {
		t.Errorf("a statement of somebody else is lost: %s", policy)
	}
	if c.fault == overtaken && !hasStatement(t, policy, intrusion) {
		t.Errorf("what was written before the second try is lost: %s", policy)
	}
	if c.intruded && !hasStatement(t, policy, intrusion) && !c.toldOverwritten() {
		t.Errorf("what was written in between is lost and nobody was told: %s", policy)
	}
	if w.kinds() == "" {
		t.Error("the outage was never told")
	}
	if c.cured && !w.healthy(t) {
		t.Errorf("not cured: %s", policy)
	}
	if c.faulty.writes > guardrail.DefaultBudget {
		t.Errorf("%d writes", c.faulty.writes)
	}
	if !c.memory {
		return
	}
	record := w.record(t)
	if len(w.Describe().Trails) == 0 {
		var err error
		record, err = w.ledger.Load(t.Context(), ledger.Key{Account: account, Bucket: mainTrail().ARN})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(record.Outbox) > 0 || record.Attempt != nil {
		t.Error("something is left to be told")
	}
	if record.Open() == c.cured {
		t.Errorf("the team believes %v", record.Notified)
	}
	if c.exact() && doubled(w.kinds(), c.fault == denied) {
		t.Error("told twice")
	}
}

// toldOverwritten reports whether the intruder's statement was shown. Without
// memory nobody knows that a write came in between.
func (c faultCase) toldOverwritten() bool {
	if !c.memory {
		return c.faulty.op == "put" || c.faulty.op == "payer"
	}
	for _, m := range c.world.alerts.Messages() {
		if strings.Contains(m.Body, "Intruder") {
			return true
		}
	}
	return false
}

// exact reports whether every alert must come once: only one that was sent and
// not known to be may come twice.
func (c faultCase) exact() bool {
	switch c.faulty.op {
	case "publish":
		return c.fault != lost && c.fault != lostThenUp && c.fault != killAfter
	case "save", "load":
		// The answer to the store that takes a sent alert out may be missing.
		return c.fault != denied && c.fault != timedOut && c.fault != killBefore && c.fault != failing5xx
	}
	return true
}

// doubled reports whether the same was told twice in a row. A refusal that
// goes away by itself makes for a second failure or change of another kind.
func doubled(kinds string, refused bool) bool {
	last := ""
	for kind := range strings.FieldsSeq(kinds) {
		excused := refused && (kind == "changed" || kind == "restore-failed")
		if kind == last && !excused {
			return true
		}
		last = kind
	}
	return false
}

func withStatement(t testing.TB, policy, statement string) string {
	t.Helper()
	var p struct{ Statement []json.RawMessage }
	if policy != "" {
		if err := json.Unmarshal([]byte(policy), &p); err != nil {
			t.Fatal(err)
		}
	}
	var texts []string
	for _, s := range p.Statement {
		texts = append(texts, string(s))
	}
	return policyOf(append(texts, statement)...)
}

func recordText(t testing.TB, w *world) string {
	t.Helper()
	var r ledger.Record
	if w.ports.Ledger != nil {
		r = w.record(t)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:min(len(text), 3000)])
}
