package ledger_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// most is far below the 400 KB of one item of DynamoDB.
const most = 200 << 10

// A record that is full of the longest things stays small, and what is only
// remembered as a digest still tells a change from none.
func TestRecordsAreBounded(t *testing.T) {
	var sids []string
	for i := range 100 {
		sids = append(sids, fmt.Sprintf("Statement%d", i))
	}
	var many []delivery.Finding
	for n := range 200 {
		for id := range 8 {
			many = append(many, delivery.Finding{
				ID: fmt.Sprintf("finding-%d", id), Kind: delivery.Outage, Statements: sids,
				Trail: fmt.Sprintf("arn:aws:cloudtrail:us-east-1:111111111111:trail/%s%04d", strings.Repeat("t", 100), n),
			})
		}
	}
	other := append([]delivery.Finding(nil), many...)
	other[len(other)-1].Statements = sids[1:]
	for name, test := range map[string]struct{ before, after []delivery.Finding }{
		"one finding":           {many[:1], other[len(other)-1:]},
		"as many as one by one": {many[:ledger.MaxNotified], many[1 : ledger.MaxNotified+1]},
		"more":                  {many, other},
	} {
		r := record("")
		for i := range 2 * ledger.MaxDescribed {
			r.Trails = append(r.Trails, fmt.Sprintf("arn:aws:cloudtrail:us-east-1:111111111111:trail/%s%04d", strings.Repeat("t", 100), i))
			r.Described = append(r.Described, trail.Trail{
				ARN: r.Trails[i], Name: strings.Repeat("t", 104), Bucket: strings.Repeat("b", 63), Prefix: strings.Repeat("p", 200),
				KMSKeyID: strings.Repeat("k", 200), SNSTopic: strings.Repeat("s", 256), LogGroup: strings.Repeat("g", 512), LogRole: strings.Repeat("r", 512),
				CustomSelectors: true, SelectorsKnown: true, Selectors: strings.Repeat("x", trail.MaxSelectors),
			})
		}
		r = r.Describe(r.Described, "111111111111")
		worst := func(kind alert.Kind) {
			t.Helper()
			text, err := r.Encode()
			if err != nil || len(text) > most {
				t.Errorf("%s, %s: %d bytes, %v", name, kind, len(text), err)
			}
		}
		look := func(facts ledger.Facts, at time.Duration, want alert.Kind) {
			t.Helper()
			next, kind, _ := ledger.Next(r, facts, start().Add(at), settings())
			if kind != want {
				t.Errorf("%s: told %q, want %q", name, kind, want)
			}
			r = roundTrip(t, next)
			worst(kind)
		}
		look(ledger.Facts{Findings: test.before}, 0, alert.Opened)
		look(ledger.Facts{Findings: test.before}, time.Minute, alert.Nothing)
		look(ledger.Facts{Findings: test.after}, time.Minute, alert.Changed)
		for i := range 2 * ledger.MaxChanges {
			c := delivery.Change{
				Event: "PutBucketPolicy", EventID: fmt.Sprint(i), Time: start(),
				Actor: strings.Repeat("\x01", 512), Via: strings.Repeat("<", 512), UserAgent: strings.Repeat("\"", 512), OnBehalfOf: strings.Repeat("é", 256),
			}
			r = r.Begin(ledger.Attempt{ID: fmt.Sprint(i)}, ledger.Repair{ID: fmt.Sprint(i), Read: start(), Before: strings.Repeat("a", 64), After: strings.Repeat("b", 64)})
			r, _, _ = ledger.Next(r, ledger.Facts{Findings: test.after, Change: &c, Failure: strings.Repeat("<", 1<<20)}, start(), settings())
			worst("")
		}
		if len(r.Changes) < 5 || r.Changes[0].EventID == "" {
			t.Errorf("%s: %d calls are kept", name, len(r.Changes))
		}
		look(ledger.Facts{}, 2*time.Minute, alert.Resolved)
	}
}

// A record of the first version held statements without a bound, and the report and
// plan of an attempt.
func TestRecordOfTheFirstVersion(t *testing.T) {
	long := strings.Repeat("S", 600)
	text := `{"account":"111111111111","bucket":"logs","version":7,
		"told":[{"id":"log-files-denied","kind":"outage","trail":"` + arn + `","statements":["` + long + `"]}],
		"since":"2026-09-13T17:00:00Z","toldAt":"2026-09-13T17:00:05Z","failure":"` + strings.Repeat("f", 600) + `",
		"repairs":[{"id":"a-1","read":"2026-09-13T17:50:00Z","before":"x","after":"y"}],
		"attempt":{"id":"a-1","until":"2026-09-13T17:51:00Z","report":{"bucket":"logs","verdict":"blocked","trails":[],"findings":[]},
			"plan":{"Changed":true,"Policy":"e30=","Diff":"d","Changes":null,"ResetPayer":true,"Refused":null},"after":"y"},
		"hold":{"policy":"z","by":"dana","at":"2026-09-13T17:59:30Z"},
		"outbox":[{"id":"b-1","kind":"opened","at":"2026-09-13T17:00:05Z","subject":"s","body":"b","attributes":{"kind":"opened"}}]}`
	var r ledger.Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	want := ledger.Attempt{ID: "a-1", Until: time.Date(2026, 9, 13, 17, 51, 0, 0, time.UTC), After: "y", Payer: delivery.PayerRequester}
	if r.Attempt == nil || *r.Attempt != want {
		t.Errorf("attempt %+v", r.Attempt)
	}
	if !r.Holds("z") || len(r.Outbox) != 1 || r.Outbox[0].Body != "b" || r.Outbox[0].Apart {
		t.Errorf("%+v", r)
	}
	same := ledger.Facts{
		Findings:    []delivery.Finding{{ID: "log-files-denied", Kind: delivery.Outage, Trail: arn, Statements: []string{long}}},
		Fingerprint: "z", Failure: strings.Repeat("f", 600),
	}
	next, kind, _ := ledger.Next(r, same, start(), settings())
	if kind != alert.Nothing || !next.Holds("z") {
		t.Errorf("told %q again; hold %v", kind, next.Hold)
	}
}
