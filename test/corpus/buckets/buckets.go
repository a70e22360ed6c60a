// Package buckets has the rows of the corpus of pkg/delivery: buckets with their policies and
// the trails that deliver there.
package buckets

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// Row is what a row says of the bucket, without what is expected.
type Row struct {
	ID           string
	Bucket       string
	Owner        string          `json:"bucket_owner"`
	Payer        string          `json:"request_payer"`
	Organization json.RawMessage `json:"organization_id"` // absent: not known, null: in none
	Members      []string
	Trails       json.RawMessage // as describe-trails prints them
	Policy       json.RawMessage
	Now          time.Time
	Regions      []string // that are enabled, if given
}

// Rows returns the rows of the corpus in a folder.
func Rows(t testing.TB, folder string) []Row {
	t.Helper()
	var rows []Row
	for _, line := range corpus.Lines(t, folder+"/*.jsonl", 3) {
		var row Row
		line.Decode(t, &row)
		rows = append(rows, row)
	}
	return rows
}

// HasPolicy reports whether the row has a policy that is an object.
func (r Row) HasPolicy() bool { return len(r.Policy) > 0 && r.Policy[0] == '{' }

// Environment is what the row says beside the bucket, at a time unless it says another one.
func (r Row) Environment(t testing.TB, at time.Time) trail.Environment {
	t.Helper()
	s := trail.Environment{Now: at}
	if !r.Now.IsZero() {
		s.Now = r.Now
	}
	if r.Regions != nil {
		s.EnabledRegions = map[string][]string{"": r.Regions}
	}
	s.Organization.Members = r.Members
	if len(r.Organization) > 0 {
		s.Organization.Known = true
		if err := json.Unmarshal(r.Organization, &s.Organization.ID); err != nil {
			t.Fatalf("row %s: organization_id: %v; expected an id or null", r.ID, err)
		}
	}
	return s
}
