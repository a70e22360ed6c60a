package porttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// Ledger runs the suite for guardrail.Ledger. Each test gets an empty ledger.
func Ledger(t *testing.T, empty func(t *testing.T) guardrail.Ledger) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, l guardrail.Ledger)
	}{
		{"record that was never stored", loadsNothing},
		{"record is stored and read back", savesRecord},
		{"older version is not stored", refusesOldVersion},
		{"one of many writers wins", oneWriterWins},
		{"alerts that wait", keepsAlerts},
		{"list", listsRecords},
		{"snapshots", keepsSnapshots},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, empty(t)) })
	}
}

const (
	account = "111122223333"
	other   = "444455556666"
)

func key(bucket string) ledger.Key { return ledger.Key{Account: account, Bucket: bucket} }

func load(t *testing.T, l guardrail.Ledger, k ledger.Key) ledger.Record {
	t.Helper()
	r, err := l.Load(t.Context(), k)
	if err != nil {
		t.Fatalf("Load(%v): %v", k, err)
	}
	return r
}

func save(t *testing.T, l guardrail.Ledger, r ledger.Record) ledger.Record {
	t.Helper()
	saved, err := l.Save(t.Context(), r)
	if err != nil {
		t.Fatalf("Save(%v, version %d): %v", r.Key, r.Version, err)
	}
	if saved.Version != r.Version+1 {
		t.Fatalf("saved version %d over %d", saved.Version, r.Version)
	}
	return saved
}

func loadsNothing(t *testing.T, l guardrail.Ledger) {
	if diff := cmp.Diff(ledger.Record{Key: key("a")}, load(t, l, key("a"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	records, err := l.List(t.Context(), account)
	if err != nil || len(records) != 0 {
		t.Errorf("List: %v, %v", records, err)
	}
}

func savesRecord(t *testing.T, l guardrail.Ledger) {
	// A deleted trail has its ARN in place of a bucket.
	for _, k := range []ledger.Key{key("a"), key("arn:aws:cloudtrail:eu-west-1:111122223333:trail/t#1")} {
		r := load(t, l, k)
		for range 3 {
			r = save(t, l, r)
			if diff := cmp.Diff(r, load(t, l, k)); diff != "" {
				t.Errorf("(-saved +loaded):\n%s", diff)
			}
		}
	}
}

func refusesOldVersion(t *testing.T, l guardrail.Ledger) {
	first := save(t, l, load(t, l, key("a")))
	second := save(t, l, first)
	for _, version := range []int64{0, first.Version, second.Version + 1} {
		_, err := l.Save(t.Context(), ledger.Record{Key: key("a"), Version: version})
		if !guardrail.Is(err, guardrail.Conflict) {
			t.Errorf("saved over version %d: %v, want class conflict", version, err)
		}
	}
	if got := load(t, l, key("a")); got.Version != second.Version {
		t.Errorf("version %d is stored, want %d", got.Version, second.Version)
	}
	// What was never stored cannot be stored over a version.
	if _, err := l.Save(t.Context(), ledger.Record{Key: key("b"), Version: 1}); !guardrail.Is(err, guardrail.Conflict) {
		t.Errorf("saved over what is not there: %v, want class conflict", err)
	}
}

func oneWriterWins(t *testing.T, l guardrail.Ledger) {
	for range 3 {
		read := load(t, l, key("a"))
		wantOneWinner(t, func() error { _, err := l.Save(t.Context(), read); return err })
	}
}

// wantOneWinner saves one version by many writers at once: one stores it, and the others
// are in conflict.
func wantOneWinner(t *testing.T, save func() error) {
	t.Helper()
	const writers = 8
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			switch err := save(); {
			case err == nil:
				won.Add(1)
			case guardrail.Is(err, guardrail.Conflict):
				lost.Add(1)
			default:
				t.Errorf("save: %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != writers-1 {
		t.Errorf("%d writers won and %d lost", won.Load(), lost.Load())
	}
}

// keepsAlerts stores as many alerts as may wait, each as large as one may be.
func keepsAlerts(t *testing.T, l guardrail.Ledger) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	message := func(i int) ledger.Message {
		return ledger.Message{ID: fmt.Sprintf("a-%d", i), Kind: alert.Opened, At: at, Message: alert.Message{
			Subject: "s", Body: fmt.Sprint(i) + strings.Repeat("<\n\"", 16<<10), Attributes: map[string]string{"kind": "opened"},
		}}
	}
	same := func(r ledger.Record, want ...int) {
		t.Helper()
		var got, wanted []ledger.Message
		for _, m := range r.Outbox {
			m.Apart = false
			got = append(got, m)
		}
		for _, i := range want {
			wanted = append(wanted, message(i))
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff[:min(len(diff), 1000)])
		}
	}
	r := load(t, l, key("a"))
	for i := range ledger.MaxOutbox {
		r = save(t, l, r.Post(message(i)))
	}
	same(r, 0, 1, 2, 3)
	r = load(t, l, key("a"))
	same(r, 0, 1, 2, 3)
	r = save(t, l, r.Published("a-0").Published("a-2"))
	same(r, 1, 3)
	same(load(t, l, key("a")), 1, 3)
	listed, err := l.List(t.Context(), account)
	if err != nil || len(listed) != 1 || len(listed[0].Outbox) != 2 || listed[0].Outbox[1].ID != "a-3" {
		t.Errorf("listed %d records, %v", len(listed), err)
	}
	if snapshots, err := l.Snapshots(t.Context(), key("a")); err != nil || len(snapshots) != 0 {
		t.Errorf("%d snapshots, %v", len(snapshots), err)
	}
	save(t, l, r.Published("a-1").Published("a-3"))
	same(load(t, l, key("a")))
}

func listsRecords(t *testing.T, l guardrail.Ledger) {
	var want []ledger.Record
	for _, bucket := range []string{"a", "b", "c", "d", "e"} {
		want = append(want, save(t, l, ledger.Record{Key: key(bucket)}))
	}
	save(t, l, ledger.Record{Key: ledger.Key{Account: other, Bucket: "f"}})
	keep(t, l, ledger.Snapshot{Key: key("a"), Time: time.Unix(1, 0).UTC(), Policy: []byte("{}")})
	got, err := l.List(t.Context(), account)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	slices.SortFunc(got, func(a, b ledger.Record) int { return strings.Compare(a.Bucket, b.Bucket) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func keep(t *testing.T, l guardrail.Ledger, s ledger.Snapshot) {
	t.Helper()
	if err := l.Keep(t.Context(), s); err != nil {
		t.Fatalf("Keep: %v", err)
	}
}

func keepsSnapshots(t *testing.T, l guardrail.Ledger) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	// Times of one second, of which one is a whole second, sort as times do.
	want := []ledger.Snapshot{
		{Key: key("a"), Time: at.Add(time.Hour), Region: "eu-west-1", Reason: "the policy was deleted", Expires: at.Add(24 * time.Hour)},
		{Key: key("a"), Time: at.Add(time.Second / 2), Policy: []byte(policyText), Region: "eu-west-1", Reason: "second"},
		{Key: key("a"), Time: at, Policy: []byte("{\"Id\":\"ü\u2028\"}"), Region: "eu-west-1", Reason: "first"},
	}
	for _, i := range []int{2, 0, 1} {
		keep(t, l, want[i])
	}
	keep(t, l, ledger.Snapshot{Key: key("ab"), Time: at, Policy: []byte("{}")})
	keep(t, l, ledger.Snapshot{Key: ledger.Key{Account: other, Bucket: "a"}, Time: at, Policy: []byte("{}")})
	got, err := l.Snapshots(t.Context(), key("a"))
	if err != nil {
		t.Fatalf("Snapshots: %v", err)
	}
	sameBytes := cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })
	if diff := cmp.Diff(want, got, sameBytes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := l.Snapshots(t.Context(), key("none")); err != nil || len(got) != 0 {
		t.Errorf("snapshots of a bucket without: %v, %v", got, err)
	}
	if r := load(t, l, key("a")); r.Version != 0 {
		t.Errorf("a snapshot made a record of version %d", r.Version)
	}
}
