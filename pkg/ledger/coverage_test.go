package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func wide() trail.Trail {
	return trail.Trail{
		Name: "main", ARN: arn, HomeRegion: "us-east-1", Bucket: "logs",
		Organization: true, MultiRegion: true, GlobalEvents: true, LogFileValidation: true,
	}
}

func narrow() trail.Trail {
	t := wide()
	t.Organization = false
	return t
}

func covers(r ledger.Record, trails ...trail.Trail) ledger.Record {
	return r.Cover(trails, nil, true, start())
}

// lost is what a trail covers less than the record expects.
func lost(r ledger.Record, t trail.Trail, now time.Time) []trail.Part {
	for _, c := range r.Expected(now) {
		if c.ARN == t.ARN {
			return t.Coverage().Less(c)
		}
	}
	return nil
}

func TestCoverKeepsTheMost(t *testing.T) {
	r := record("")
	if got := lost(r, narrow(), start()); len(got) > 0 {
		t.Errorf("nothing is known, and yet lost: %v", got)
	}
	r = covers(r, narrow())
	if got := lost(r, narrow(), start()); len(got) > 0 {
		t.Errorf("as before, and yet lost: %v", got)
	}
	r = covers(r, wide())
	for range 3 { // however often it is seen
		r = covers(r, narrow())
	}
	if got := lost(r, narrow(), start()); !slices.Equal(got, []trail.Part{trail.PartMembers}) {
		t.Errorf("lost %v, want the members", got)
	}
	if again := covers(r, narrow()); !cmp.Equal(again, r) {
		t.Errorf("the same changes the record:\n%s", cmp.Diff(r, again))
	}
}

// A trail that was deleted and is made anew is to cover what it did.
func TestCoverageOfTrailMadeAnew(t *testing.T) {
	other := wide()
	other.ARN += "2"
	r := covers(record(""), wide(), other)
	r = r.Cover([]trail.Trail{other}, nil, true, start())
	if got := lost(r, narrow(), start()); !slices.Equal(got, []trail.Part{trail.PartMembers}) {
		t.Errorf("lost %v, want the members", got)
	}
	later := start().Add(89 * 24 * time.Hour)
	if r = r.Cover([]trail.Trail{other}, nil, true, later); len(r.Coverage) != 2 {
		t.Errorf("%d trails are remembered after 89 days, want 2", len(r.Coverage))
	}
	if r = r.Cover([]trail.Trail{other}, nil, true, later.Add(48*time.Hour)); len(r.Coverage) != 1 {
		t.Errorf("%d trails are remembered after 91 days, want 1", len(r.Coverage))
	}
	// An event does not tell that another trail is gone.
	r = covers(record(""), wide(), other).Cover([]trail.Trail{other}, nil, false, start())
	if len(r.Coverage) != 2 || !r.Coverage[0].Gone.IsZero() {
		t.Errorf("an event marks a trail as gone: %+v", r.Coverage)
	}
}

// With another bucket a trail is still to cover what it did, and what was accepted
// is accepted.
func TestCoverageMovesWithTheTrail(t *testing.T) {
	old := covers(record(""), wide())
	moved := ledger.Record{Key: ledger.Key{Account: "111111111111", Bucket: "elsewhere"}}
	if !moved.Misses([]trail.Trail{narrow()}) {
		t.Error("an empty record misses nothing")
	}
	adopted := moved.Adopt([]trail.Trail{narrow()}, []ledger.Record{old, moved}).Cover([]trail.Trail{narrow()}, nil, true, start())
	if got := lost(adopted, narrow(), start()); !slices.Equal(got, []trail.Part{trail.PartMembers}) {
		t.Errorf("lost %v, want the members", got)
	}
	if adopted.Misses([]trail.Trail{narrow()}) {
		t.Error("it still misses what it has adopted")
	}
	old = old.Accept(accepted(old, narrow()))
	adopted = moved.Adopt([]trail.Trail{narrow()}, []ledger.Record{old})
	if got := lost(adopted, narrow(), start()); len(got) != 0 {
		t.Errorf("accepted, and yet lost: %v", got)
	}
}

func accepted(r ledger.Record, t trail.Trail) ledger.Acceptance {
	return ledger.Acceptance{
		Coverage: t.Coverage(), Lost: r.Lost(t), Reason: "one account only", By: "dana",
		At: start(), Until: start().Add(24 * time.Hour),
	}
}

func TestAcceptance(t *testing.T) {
	r := covers(record(""), wide())
	r = r.Accept(accepted(r, narrow()))
	if got := lost(r, narrow(), start().Add(24*time.Hour-time.Second)); len(got) != 0 {
		t.Errorf("accepted, and yet lost: %v", got)
	}
	if got := lost(r, narrow(), start().Add(24*time.Hour)); !slices.Equal(got, []trail.Part{trail.PartMembers}) {
		t.Errorf("at its end lost %v, want the members", got)
	}
	// What was not accepted is still told.
	less := narrow()
	less.LogFileValidation = false
	if got := lost(r, less, start()); !slices.Equal(got, []trail.Part{trail.PartValidation}) {
		t.Errorf("lost %v, want the validation", got)
	}
	if got := lost(r.Unaccept(arn), narrow(), start()); len(got) != 1 {
		t.Errorf("not accepted any more, and lost %v", got)
	}
	// One of a trail, and none that has ended.
	again := accepted(r, narrow())
	if r = r.Accept(again); len(r.Accepted) != 1 {
		t.Errorf("%d acceptances of one trail", len(r.Accepted))
	}
	other := accepted(r, narrow())
	other.Coverage.ARN, other.At = arn+"2", start().Add(48*time.Hour)
	if r = r.Accept(other); len(r.Accepted) != 1 {
		t.Errorf("one that has ended is kept: %+v", r.Accepted)
	}
}

func TestNew(t *testing.T) {
	r, later := covers(record(""), wide()), wide()
	later.ARN += "2"
	made := map[string]time.Time{later.ARN: start()}
	for name, tt := range map[string]struct {
		record ledger.Record
		arn    string
		made   map[string]time.Time
		after  time.Duration
		want   bool
	}{
		"known for long":                {r, arn, nil, 0, false},
		"nothing is known":              {record(""), later.ARN, nil, 0, false},
		"made, an event tells":          {record(""), later.ARN, made, 9 * time.Minute, true},
		"made some time ago":            {record(""), later.ARN, made, 10 * time.Minute, false},
		"not there before":              {r, later.ARN, nil, 0, true},
		"first seen minutes ago":        {covers(r, wide(), later), later.ARN, nil, 9 * time.Minute, true},
		"first seen some time ago":      {covers(r, wide(), later), later.ARN, nil, 10 * time.Minute, false},
		"made by the event before":      {r.Cover([]trail.Trail{later}, made, false, start().Add(time.Minute)), later.ARN, nil, 9 * time.Minute, true},
		"made by the event an hour ago": {r.Cover([]trail.Trail{later}, made, false, start().Add(time.Minute)), later.ARN, nil, time.Hour, false},
	} {
		if got := tt.record.New(tt.arn, tt.made, start().Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func coversLess(parts ...trail.Part) delivery.Finding {
	f := delivery.Finding{ID: delivery.TrailCoversLessID, Kind: delivery.Outage, Trail: arn, Lost: parts}
	if !slices.ContainsFunc(parts, trail.Part.Records) {
		f.Kind = delivery.Weakness
	}
	return f
}

// What a trail covers less is told once for each thing that is lost, a weakness among
// them, and resolved once.
func TestNextOfCoverage(t *testing.T) {
	var r ledger.Record
	silent := delivery.Finding{ID: delivery.TrailSilentID, Kind: delivery.Outage, Trail: arn}
	failing := delivery.Finding{ID: delivery.DeliveryFailingID, Kind: delivery.Outage, Trail: arn}
	for i, step := range []struct {
		facts ledger.Facts
		want  alert.Kind
	}{
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartKey)}}, alert.Opened},
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartKey)}}, alert.Nothing},
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartRegions, trail.PartKey)}}, alert.Changed},
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartRegions, trail.PartKey)}}, alert.Nothing},
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartRegions, trail.PartManagement)}}, alert.Changed},
		// Which events it logs cannot be read: that part stays as it was.
		{ledger.Facts{Findings: []delivery.Finding{coversLess(trail.PartRegions)}, UnknownEvents: []string{arn}}, alert.Nothing},
		{ledger.Facts{UnknownEvents: []string{arn}}, alert.Changed}, // the regions are back
		{ledger.Facts{UnknownEvents: []string{arn}}, alert.Nothing},
		{ledger.Facts{}, alert.Resolved},
		{ledger.Facts{}, alert.Nothing},
		{ledger.Facts{Findings: []delivery.Finding{silent}}, alert.Opened},
		{ledger.Facts{UnknownEvents: []string{arn}}, alert.Nothing},
		// That CloudTrail reports an error is explained by the bucket, and not by this.
		{ledger.Facts{Findings: []delivery.Finding{silent, failing}}, alert.Changed},
		{ledger.Facts{}, alert.Resolved},
		{ledger.Facts{Findings: []delivery.Finding{{ID: delivery.TrailNotStartedID, Kind: delivery.Weakness, Trail: arn}}}, alert.Nothing},
	} {
		var kind alert.Kind
		var changed bool
		r, kind, changed = ledger.Next(r, step.facts, start(), settings())
		if kind != step.want || changed != (kind != alert.Nothing) {
			t.Fatalf("step %d: %q, want %q; changed %v; told %+v", i+1, kind, step.want, changed, r.Notified)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		r = ledger.Record{}
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
	}
}

// A record fits into an item of DynamoDB with as many trails as it keeps, of the
// longest names that AWS gives out.
func TestCoverageFitsIntoAnItem(t *testing.T) {
	var trails []trail.Trail
	for i := range 2 * ledger.MaxCovered {
		trails = append(trails, trail.Trail{
			ARN:          fmt.Sprintf("arn:aws-us-gov:cloudtrail:us-gov-west-1:111111111111:trail/%s%04d", strings.Repeat("n", 124), i),
			KMSKeyID:     "arn:aws-us-gov:kms:us-gov-west-1:111111111111:key/mrk-0123456789abcdef0123456789abcdef",
			Organization: true, MultiRegion: true, LogFileValidation: true, CustomSelectors: true, SelectorsKnown: true,
			Unlogged: trail.Unlogged{Reads: true, Sources: "kms.amazonaws.com, rdsdata.amazonaws.com"},
		})
	}
	r := record("").Cover(trails, nil, false, start()).Cover(nil, nil, true, start())
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Coverage) != ledger.MaxCovered || len(text) > 300<<10 {
		t.Errorf("%d trails take %d bytes", len(r.Coverage), len(text))
	}
}
