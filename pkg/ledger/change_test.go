package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

func TestChangesAreKeptOnceNewestFirst(t *testing.T) {
	r := record("")
	look := func(c delivery.Change) {
		r, _, _ = ledger.Next(r, ledger.Facts{Findings: findings("log-files-denied"), Change: &c}, start(), settings())
	}
	for _, i := range []int{2, 1, 3, 2, 1} {
		look(delivery.Change{EventID: strconv.Itoa(i), Time: start().Add(time.Duration(i) * time.Second)})
	}
	look(delivery.Change{EventID: "4", ErrorCode: "AccessDenied"})
	for range 2 {
		look(delivery.Change{Event: "PutBucketPolicy", Actor: "dana", Time: start()}) // of old, without an id
	}
	var got string
	for _, c := range r.Changes {
		got += c.EventID + c.Actor + " "
	}
	if got != "3 2 1 dana " {
		t.Errorf("changes %q", got)
	}
	for i := range 2 * ledger.MaxChanges {
		look(delivery.Change{EventID: "many" + strconv.Itoa(i), Time: start().Add(time.Hour + time.Duration(i))})
	}
	if len(r.Changes) != ledger.MaxChanges || r.Changes[0].EventID != "many39" {
		t.Errorf("%d changes, first %s", len(r.Changes), r.Changes[0].EventID)
	}
}

// Of calls of the same second, the one that led here comes first: it is the one
// that the alert names.
func TestChangesOfOneSecond(t *testing.T) {
	r := record("")
	for i, want := range []string{"a", "ba", "cba", "cdba", "cdba"} {
		c := delivery.Change{EventID: "abcda"[i : i+1], Time: start().Add(time.Second)}
		if c.EventID == "d" { // of the same second as a and b, and older than c
			r.Changes[0].Time = start().Add(2 * time.Second)
		}
		r, _, _ = ledger.Next(r, ledger.Facts{Findings: findings("log-files-denied"), Change: &c}, start(), settings())
		got := ""
		for _, known := range r.Changes {
			got += known.EventID
		}
		if got != want {
			t.Errorf("after %s: %s, want %s", c.EventID, got, want)
		}
	}
}

func TestOverwritten(t *testing.T) {
	read := start().Add(300 * time.Millisecond)
	written := read.Add(2 * time.Second)
	r := record("")
	r.Repairs = []ledger.Repair{{ID: "r", Read: read, Written: written, Before: ledger.Fingerprint([]byte(`{"a":1}`)), After: ledger.Fingerprint([]byte(`{"a":2}`))}}
	put := func(at time.Time) delivery.Change {
		return delivery.Change{Event: "PutBucketPolicy", Time: at, EventID: "e"}
	}
	failed, deleted := put(read), put(read)
	failed.ErrorCode, deleted.Event = "AccessDenied", "DeleteBucketPolicy"
	payer := put(read)
	payer.Event = "PutBucketRequestPayment"
	for _, test := range []struct {
		name      string
		change    delivery.Change
		policy    string
		current   string
		want, own bool
	}{
		{"in between", put(start().Add(time.Second)), `{"a":3}`, `{"a":2}`, true, false},
		{"in the second of the reading", put(start()), `{"a":3}`, `{"a":2}`, true, false},
		{"before", put(start().Add(-time.Second)), `{"a":3}`, `{"a":2}`, false, false},
		{"after", put(written.Add(time.Second)), `{"a":3}`, `{"a":2}`, false, false},
		{"it stands", put(start().Add(time.Second)), `{"a":3}`, `{"a":3}`, false, false},
		{"our own, as S3 gives it back", put(start().Add(time.Second)), ` {"a": [2]}`, `{"a":2}`, false, true},
		{"the one that was replaced", put(start()), `{"a":1}`, `{"a":2}`, false, false},
		{"not known what", put(start().Add(time.Second)), "", `{"a":2}`, false, false},
		{"a call that failed", failed, `{"a":3}`, `{"a":2}`, false, false},
		{"deleted", deleted, "", `{"a":2}`, true, false},
		{"another call", payer, `{"a":3}`, `{"a":2}`, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			current := ledger.Fingerprint([]byte(test.current))
			if got := r.Overwritten(&test.change, []byte(test.policy), current); got != test.want {
				t.Errorf("overwritten is %t", got)
			}
			if got := r.Own(&test.change, []byte(test.policy)); got != test.own {
				t.Errorf("own is %t", got)
			}
			known := r
			known.Changes = []delivery.Change{test.change}
			if known.Overwritten(&test.change, []byte(test.policy), current) {
				t.Error("a known event is told again")
			}
		})
	}
	if r.Overwritten(nil, nil, "") || r.Own(nil, nil) {
		t.Error("no change overwrites nothing")
	}
}

func TestBudget(t *testing.T) {
	r := record("")
	for i := range 3 {
		if r.Spent(start(), settings()) {
			t.Fatalf("spent after %d repairs", i)
		}
		id := strconv.Itoa(i)
		r = r.Begin(ledger.Attempt{ID: id, After: "after"}, ledger.Repair{ID: id, Read: start().Add(time.Duration(i) * time.Minute)})
	}
	now := start().Add(3 * time.Minute)
	if !r.Spent(now, settings()) {
		t.Error("not spent")
	}
	if r.Abandon("1").Spent(now, settings()) {
		t.Error("a repair that was never written counts")
	}
	if !r.Spent(start().Add(time.Hour-time.Second), settings()) || r.Spent(start().Add(time.Hour), settings()) {
		t.Error("the window ends elsewhere")
	}
	roundTrip(t, r.Written("2", now, now, true))
	for i := range 2 * ledger.MaxRepairs {
		r = r.Begin(ledger.Attempt{}, ledger.Repair{ID: "x" + strconv.Itoa(i)})
	}
	if len(r.Repairs) != ledger.MaxRepairs {
		t.Errorf("%d repairs are kept", len(r.Repairs))
	}
}

func TestOutbox(t *testing.T) {
	now, until := start(), start().Add(time.Minute)
	r := record("").Post(ledger.Message{ID: "a-1", Kind: alert.Opened}).Post(ledger.Message{ID: "b-1", Kind: alert.Resolved, Claimed: until})
	mine := func(id string) bool { return id == "a-1" }
	claimed, messages := r.Claim(now, until, mine)
	if len(messages) != 1 || messages[0].ID != "a-1" || r.Outbox[0].Claimed.Equal(until) {
		t.Errorf("claimed %v; before %v", messages, r.Outbox)
	}
	nobody := func(string) bool { return false }
	if _, messages := claimed.Claim(now, until, nobody); len(messages) != 0 {
		t.Errorf("what others claimed: %v", messages)
	}
	if _, messages := claimed.Claim(until, until, nobody); len(messages) != 2 {
		t.Errorf("after the claims: %v", messages)
	}
	if _, messages := claimed.Free("b-1").Claim(now, until, nobody); len(messages) != 1 || messages[0].ID != "b-1" {
		t.Errorf("after it was freed: %v", messages)
	}
	if left := claimed.Published("a-1").Published("b-1").Published("c"); left.Outbox != nil {
		t.Errorf("left %v", left.Outbox)
	}
	for i := range 10 {
		r = r.Post(ledger.Message{ID: strconv.Itoa(i)})
	}
	if n := len(r.Outbox); n != ledger.MaxOutbox || r.Outbox[0].ID != "a-1" || r.Outbox[n-1].ID != "9" {
		t.Errorf("a full outbox holds %v", r.Outbox)
	}
}

func TestDigest(t *testing.T) {
	same := []string{
		`{"Statement":[{"Action":["a"],"Principal":{"AWS":["arn:aws:iam::111111111111:root","2"]},"Sid":"x"}]}`,
		` {"Statement": {"Sid":"x", "Action":"a", "Principal":{"AWS":["2","111111111111"]}}}`,
	}
	if ledger.Fingerprint([]byte(same[0])) != ledger.Fingerprint([]byte(same[1])) {
		t.Error("the same policy has two fingerprints")
	}
	different := []string{
		``, `{}`, `{"a":1}`, `{"a":"1"}`, `{"a":1.0}`, `{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":true}`, `{"a":null}`,
		`{"Statement":[{"Effect":"Deny"},{"Effect":"Allow"}]}`, `{"Statement":[{"Effect":"Allow"},{"Effect":"Deny"}]}`,
		`not json`, `{} {}`, `{"a":"arn:aws:iam::111111111111:user/x"}`, `{"a":"111111111111"}`,
	}
	seen := map[string]string{}
	for _, text := range different {
		d := ledger.Fingerprint([]byte(text))
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have the same fingerprint", text, other)
		}
		seen[d] = text
	}
	if ledger.Fingerprint([]byte(" \n")) != "" {
		t.Error("no policy has a fingerprint")
	}
}
