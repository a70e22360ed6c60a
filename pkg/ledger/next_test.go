package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

const arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"

func start() time.Time { return time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC) }

func settings() ledger.Settings {
	return ledger.Settings{Budget: 3, Window: time.Hour, RemindEvery: 24 * time.Hour}
}

// The findings of the tests, by a short name.
func findings(names string) []delivery.Finding {
	var list []delivery.Finding
	for name := range strings.FieldsSeq(names) {
		f := delivery.Finding{ID: name, Kind: delivery.Outage, Trail: arn}
		switch name {
		case "log-files-denied":
			f.Statements = []string{"Shut"}
		case "elsewhere":
			f.ID, f.Statements = "log-files-denied", []string{"Other"}
		case "undetermined":
			f.Kind = delivery.Unknown
		case "weak":
			f.Kind = delivery.Weakness
		case "requester-pays":
			f.Trail = ""
		}
		list = append(list, f)
	}
	return list
}

// record is the memory that a test begins with: what was told an hour ago.
func record(told string) ledger.Record {
	r := ledger.Record{Key: ledger.Key{Account: "111111111111", Bucket: "logs"}, Version: 1}
	if told == "" {
		return r
	}
	r, _, _ = ledger.Next(r, ledger.Facts{Findings: findings(told)}, start().Add(-time.Hour), settings())
	return r
}

func repairs(done ...bool) func(*ledger.Record) {
	return func(r *ledger.Record) {
		for _, d := range done {
			r.Repairs = append(r.Repairs, ledger.Repair{ID: "r", Read: start().Add(-10 * time.Minute), Done: d})
		}
	}
}

func attempted(r *ledger.Record) {
	r.Attempt = &ledger.Attempt{ID: "r", After: "good"}
	r.Repairs = []ledger.Repair{{ID: "r", Read: start().Add(-time.Minute)}}
}

func TestNext(t *testing.T) {
	for _, test := range []struct {
		name string
		told string
		with func(*ledger.Record)
		look ledger.Facts
		at   time.Duration // after the start
		want alert.Kind
		open bool
	}{
		// Nothing was told, and nothing is wrong.
		{name: "healthy"},
		{name: "weakness only", look: ledger.Facts{Findings: findings("weak")}},
		{name: "healthy, partial", look: ledger.Facts{Partial: true}},
		// Something is wrong that was not.
		{name: "outage", look: ledger.Facts{Findings: findings("log-files-denied")}, want: alert.Opened, open: true},
		{name: "undetermined", look: ledger.Facts{Findings: findings("undetermined")}, want: alert.Opened, open: true},
		{name: "undetermined, partial", look: ledger.Facts{Findings: findings("undetermined"), Partial: true}},
		{name: "outage, partial", look: ledger.Facts{Findings: findings("log-files-denied"), Partial: true}, want: alert.Opened, open: true},
		{name: "no answer", look: ledger.Facts{Findings: findings("undetermined"), Unread: true, Unanswered: true}, want: alert.Opened, open: true},
		{name: "repaired, partial", look: ledger.Facts{Repaired: true, Partial: true}, want: alert.Restored},
		{name: "repair of this look failed", look: ledger.Facts{Findings: findings("log-files-denied"), Failure: "denied"}, want: alert.RestoreFailed, open: true},
		{name: "repair of this look helped", look: ledger.Facts{Repaired: true}, want: alert.Restored},
		{name: "budget spent by repairs that held", with: repairs(true, true, true), look: ledger.Facts{Findings: findings("log-files-denied"), OverBudget: true}, want: alert.BudgetExhausted, open: true},
		{name: "budget spent by repairs that failed", with: repairs(false, false, false), look: ledger.Facts{Findings: findings("log-files-denied"), OverBudget: true}, want: alert.Opened, open: true},
		{name: "fight that was told", with: func(r *ledger.Record) { repairs(true, true, true)(r); r.ExhaustedAt = start().Add(-time.Minute) }, look: ledger.Facts{Findings: findings("log-files-denied"), OverBudget: true}, want: alert.Opened, open: true},
		{name: "fight of an earlier window", with: func(r *ledger.Record) { repairs(true)(r); r.ExhaustedAt = start().Add(-2 * time.Hour) }, look: ledger.Facts{Findings: findings("log-files-denied"), OverBudget: true}, want: alert.BudgetExhausted, open: true},
		// The process of a repair ended before it could tell.
		{name: "attempt helped", with: attempted, look: ledger.Facts{Fingerprint: "good"}, want: alert.Restored},
		{name: "attempt, and somebody else helped", with: attempted, look: ledger.Facts{Fingerprint: "other"}, want: alert.Resolved},
		{name: "attempt did not help", with: attempted, look: ledger.Facts{Findings: findings("log-files-denied")}, want: alert.Opened, open: true},
		// Something was told before.
		{name: "as told", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied")}, open: true},
		{name: "as told, in another order", told: "log-files-denied requester-pays", look: ledger.Facts{Findings: findings("requester-pays log-files-denied")}, open: true},
		{name: "as told, and weak", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied weak")}, open: true},
		{name: "more is wrong", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied requester-pays")}, want: alert.Changed, open: true},
		{name: "less is wrong", told: "log-files-denied requester-pays", look: ledger.Facts{Findings: findings("log-files-denied")}, want: alert.Changed, open: true},
		{name: "another statement", told: "log-files-denied", look: ledger.Facts{Findings: findings("elsewhere")}, want: alert.Changed, open: true},
		{name: "no answer any more", told: "log-files-denied", look: ledger.Facts{Findings: findings("undetermined"), Unread: true, Unanswered: true}, open: true},
		{name: "no answer still", told: "undetermined", look: ledger.Facts{Findings: findings("undetermined"), Unread: true, Unanswered: true}, open: true},
		{name: "right again", told: "log-files-denied", want: alert.Resolved},
		{name: "right again, weak", told: "log-files-denied", look: ledger.Facts{Findings: findings("weak")}, want: alert.Resolved},
		{name: "right again, partial", told: "log-files-denied", look: ledger.Facts{Partial: true}, open: true},
		{name: "repaired", told: "log-files-denied", look: ledger.Facts{Repaired: true}, want: alert.Restored},
		{name: "repair failed", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied"), Failure: "denied"}, want: alert.RestoreFailed, open: true},
		{name: "repair failed as before", told: "log-files-denied", with: func(r *ledger.Record) { r.Failure = "denied" }, look: ledger.Facts{Findings: findings("log-files-denied"), Failure: "denied"}, open: true},
		{name: "repair failed otherwise", told: "log-files-denied", with: func(r *ledger.Record) { r.Failure = "denied" }, look: ledger.Facts{Findings: findings("log-files-denied"), Failure: "rejected"}, want: alert.RestoreFailed, open: true},
		{name: "repair failed as before, with more wrong", told: "log-files-denied", with: func(r *ledger.Record) { r.Failure = "denied" }, look: ledger.Facts{Findings: findings("requester-pays"), Failure: "denied"}, want: alert.RestoreFailed, open: true},
		{name: "fight while it lasts", told: "log-files-denied", with: repairs(true, true, true), look: ledger.Facts{Findings: findings("log-files-denied"), OverBudget: true}, want: alert.BudgetExhausted, open: true},
		// Reminders.
		{name: "not yet due", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied")}, at: 23*time.Hour - time.Second, open: true},
		{name: "due", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied")}, at: 23 * time.Hour, want: alert.Reminder, open: true},
		{name: "due, undetermined only", told: "undetermined", look: ledger.Facts{Findings: findings("undetermined")}, at: 99 * time.Hour, open: true},
		// What CloudTrail says of itself.
		{name: "failing, and explained", told: "log-files-denied", look: ledger.Facts{Findings: findings("log-files-denied delivery-failing")}, open: true},
		{name: "failing, and the bucket explains it", told: "requester-pays", look: ledger.Facts{Findings: findings("requester-pays delivery-failing")}, open: true},
		{name: "failing by itself", look: ledger.Facts{Findings: findings("delivery-failing")}, want: alert.Opened, open: true},
		{name: "failing after the policy is right", told: "log-files-denied", look: ledger.Facts{Findings: findings("delivery-failing")}, want: alert.Changed, open: true},
		{name: "failing before the policy was right", told: "log-files-denied", look: ledger.Facts{Stale: []string{arn}}, want: alert.Resolved},
		{name: "failing, not tried again", told: "delivery-failing", look: ledger.Facts{Stale: []string{arn}}, open: true},
		{name: "stopped, not asked", told: "trail-stopped", look: ledger.Facts{Unasked: []string{arn}}, open: true},
		{name: "stopped, another not asked", told: "trail-stopped", look: ledger.Facts{Unasked: []string{"other"}}, want: alert.Resolved},
		{name: "denied, not asked", told: "log-files-denied", look: ledger.Facts{Unasked: []string{arn}}, want: alert.Resolved},
		// A policy of somebody else was overwritten.
		{name: "overwrote", look: ledger.Facts{Overwrote: true, Change: &delivery.Change{EventID: "1"}}, want: alert.Changed},
		{name: "overwrote, told before", with: func(r *ledger.Record) { r.Changes = []delivery.Change{{EventID: "1"}} }, look: ledger.Facts{Overwrote: true, Change: &delivery.Change{EventID: "1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := record(test.told)
			if test.with != nil {
				test.with(&before)
			}
			now := start().Add(test.at)
			next, tell, changed := ledger.Next(before, test.look, now, settings())
			if tell != test.want {
				t.Errorf("told %q, want %q", tell, test.want)
			}
			if next.Open() != test.open {
				t.Errorf("open is %t, want %t", next.Open(), test.open)
			}
			if changed != !cmp.Equal(before, next) {
				t.Errorf("changed is %t, and the difference is %s", changed, cmp.Diff(before, next))
			}
			// The same look once more tells nothing: an event that comes twice.
			again := test.look
			again.Repaired = false
			if _, tell, changed := ledger.Next(next, again, now, settings()); tell != alert.Nothing || changed {
				t.Errorf("the same look again: told %q, changed %t", tell, changed)
			}
		})
	}
}

func TestSince(t *testing.T) {
	began := start().Add(-time.Minute)
	for _, test := range []struct {
		name   string
		change *delivery.Change
		want   time.Time
	}{
		{"no change", nil, start()},
		{"change", &delivery.Change{Time: began}, began},
		{"failed call", &delivery.Change{Time: began, ErrorCode: "AccessDenied"}, start()},
		{"change of the future", &delivery.Change{Time: start().Add(time.Minute)}, start()},
		{"change without time", &delivery.Change{}, start()},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _, _ := ledger.Next(record(""), ledger.Facts{Findings: findings("log-files-denied"), Change: test.change, Blamed: true}, start(), settings())
			if !r.Since.Equal(test.want) {
				t.Errorf("since %v, want %v", r.Since, test.want)
			}
			later, tell, _ := ledger.Next(r, ledger.Facts{Findings: findings("requester-pays")}, start().Add(time.Hour), settings())
			if tell != alert.Changed || !later.Since.Equal(test.want) {
				t.Errorf("a change within the outage: %q since %v", tell, later.Since)
			}
		})
	}
}

func TestHoldEndsWithThePolicy(t *testing.T) {
	r := record("")
	r.Hold = &ledger.Hold{Policy: "undone"}
	for fingerprint, want := range map[string]bool{"undone": true, "other": false, "": false} {
		next, _, changed := ledger.Next(r, ledger.Facts{Fingerprint: fingerprint, Findings: findings("log-files-denied")}, start(), settings())
		if (next.Hold != nil) != want || !changed {
			t.Errorf("%q: hold %v", fingerprint, next.Hold)
		}
	}
	if next, _, _ := ledger.Next(r, ledger.Facts{Unread: true, Findings: findings("log-files-denied")}, start(), settings()); next.Hold == nil {
		t.Error("the hold ended though the policy could not be read")
	}
}

// TestStories lets looks of any kind follow one another and checks what the
// team is told as a whole.
func TestStories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now := record(""), start()
		open := false
		for range rapid.IntRange(1, 30).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "minutes")) * time.Minute)
			look := ledger.Facts{
				Findings: findings(rapid.SampledFrom([]string{"", "", "weak", "log-files-denied", "elsewhere", "undetermined", "trail-stopped", "log-files-denied delivery-failing"}).Draw(t, "findings")),
				Partial:  rapid.Float64().Draw(t, "partial") < 0.1, Fingerprint: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "fingerprint"),
			}
			if rapid.Bool().Draw(t, "stale") {
				look.Stale = []string{arn}
			}
			before := r
			var tell alert.Kind
			r, tell, _ = ledger.Next(r, look, now, settings())
			r = roundTrip(t, r)
			if !cmp.Equal(before, record("")) && r.Version != before.Version {
				t.Fatal("the version is the store's")
			}
			switch tell {
			case alert.Opened:
				if open {
					t.Fatal("opened twice")
				}
				open = true
			case alert.Resolved:
				if !open {
					t.Fatal("resolved what was not open")
				}
				open = false
			case alert.Changed, alert.Reminder:
				if !open {
					t.Fatalf("%s of what is not open", tell)
				}
			case alert.Nothing:
			default:
				t.Fatalf("told %q without a repair", tell)
			}
			if r.Open() != open {
				t.Fatalf("open is %t, told %t", r.Open(), open)
			}
		}
	})
}

func roundTrip(t rapid.TB, r ledger.Record) ledger.Record {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back ledger.Record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Fatalf("through JSON (-before +after):\n%s", diff)
	}
	return back
}

// An outage of the whole bucket names no trail. A trail more that it concerns is news, and
// one that others are broken beside is not.
func TestOutageConcernsOneTrailMore(t *testing.T) {
	whole := []delivery.Finding{{ID: "policy-missing", Kind: delivery.Outage}}
	one := []delivery.Finding{{ID: "log-files-denied", Kind: delivery.Outage, Trail: "a"}}
	s := ledger.Settings{Budget: 3, Window: time.Hour}
	for name, test := range map[string]struct {
		findings []delivery.Finding
		before   []string
		now      []string
		want     alert.Kind
	}{
		"one more":                       {whole, []string{"a"}, []string{"a", "b"}, alert.Changed},
		"the same":                       {whole, []string{"a", "b"}, []string{"b", "a"}, alert.Nothing},
		"one less":                       {whole, []string{"a", "b"}, []string{"a"}, alert.Nothing},
		"one more beside":                {one, []string{"a"}, []string{"a", "b"}, alert.Nothing},
		"the trails were not remembered": {whole, nil, []string{"a"}, alert.Nothing},
	} {
		r, _, _ := ledger.Next(ledger.Record{}, ledger.Facts{Findings: test.findings, Trails: test.before}, start(), s)
		r.Trails = test.before
		if _, kind, _ := ledger.Next(r, ledger.Facts{Findings: test.findings, Trails: test.now}, start(), s); kind != test.want {
			t.Errorf("%s: %q, want %q", name, kind, test.want)
		}
	}
}
