package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Acceptance is a weakness that its owner accepts: one entry of the file that the command
// line and the guard read. Until it ends, the weakness counts for nothing, and is shown with
// the reason where all is shown.
type Acceptance struct {
	Finding string `json:"finding"` // id of a weakness
	Bucket  string `json:"bucket"`
	Trail   string `json:"trail"` // ARN; empty: of any trail, and of the bucket
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Until   string `json:"until"` // the last day, as 2027-03-31, in UTC
}

// AcceptedFinding is a finding that an entry accepts.
type AcceptedFinding struct {
	Finding

	By Acceptance
}

// ExpectAcceptances says what such a file is to hold.
const ExpectAcceptances = "a JSON list of objects with finding, bucket, reason, owner and until"

// ParseAcceptances reads the file. An entry with a slip is an error: it would accept nothing,
// or not what was meant.
func ParseAcceptances(text []byte) ([]Acceptance, error) {
	var entries []Acceptance
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&entries); err != nil {
		return nil, fmt.Errorf("%w; expected %s", err, ExpectAcceptances)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one list; expected " + ExpectAcceptances)
	}
	for i, e := range entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return entries, nil
}

func (a *Acceptance) check() error {
	t, known := LookupType(a.Finding)
	_, err := time.Parse(time.DateOnly, a.Until)
	switch {
	case !known:
		return fmt.Errorf("no finding is called %q", a.Finding)
	case slices.Contains(t.OtherKinds, Weakness):
		// The guard compares and tells it, so that it has to know of it.
		return fmt.Errorf("%s is accepted with trailwarden accept, in the guard's table", a.Finding)
	case t.Kind != Weakness:
		return fmt.Errorf("%s is no weakness, and cannot be accepted", a.Finding)
	case a.Bucket == "":
		return errors.New("it names no bucket")
	case a.Reason == "" || a.Owner == "":
		return errors.New("it has no reason or no owner")
	case err != nil:
		return errors.New("until: expected the last day, as 2027-03-31")
	}
	return nil
}

// String is what the entry is about.
func (a Acceptance) String() string {
	if a.Trail != "" {
		return a.Finding + " of " + a.Bucket + " and trail " + a.Trail
	}
	return a.Finding + " of " + a.Bucket
}

// Ended reports whether the last day is over.
func (a *Acceptance) Ended(now time.Time) bool {
	until, err := time.Parse(time.DateOnly, a.Until)
	return err != nil || !now.UTC().Before(until.AddDate(0, 0, 1))
}

// OfPlan reports whether the entry is about a finding on a change that is only planned.
func (a Acceptance) OfPlan() bool {
	t, _ := LookupType(a.Finding)
	return t.OfPlan
}

// about reports whether the entry is about a finding, and may be: nothing but a weakness can be
// accepted.
func (a *Acceptance) about(bucket string, f *Finding) bool {
	return f.Kind == Weakness && f.ID == a.Finding && bucket == a.Bucket && (a.Trail == "" || a.Trail == f.Trail)
}

// Accept takes out of a report what entries accept now.
func Accept(r Report, entries []Acceptance, now time.Time) (Report, []AcceptedFinding) {
	if len(entries) == 0 {
		return r, nil
	}
	open := []Finding{}
	var accepted []AcceptedFinding
next:
	for _, f := range r.Findings {
		for i := range entries {
			if a := &entries[i]; a.about(r.Bucket, &f) && !a.Ended(now) {
				accepted = append(accepted, AcceptedFinding{f, *a})
				continue next
			}
		}
		open = append(open, f)
	}
	r.Findings = open
	return r, accepted
}

// Lapsed returns the entries that have ended and would accept a finding of the report.
func Lapsed(r Report, entries []Acceptance, now time.Time) []Acceptance {
	var lapsed []Acceptance
	for i := range r.Findings {
		for _, a := range entries {
			if a.about(r.Bucket, &r.Findings[i]) && a.Ended(now) {
				lapsed = append(lapsed, a)
			}
		}
	}
	return lapsed
}

// Idle says in sentences which entries have ended, and which of the others accepted nothing of
// what was judged. The entries are numbered from 1 on. One file serves many who see a part each:
// an entry about what was not judged is left out.
func Idle(entries []Acceptance, accepted []AcceptedFinding, judged func(Acceptance) bool, now time.Time) []string {
	var out []string
	for i, a := range entries {
		what := fmt.Sprintf("entry %d, %s, ", i+1, a)
		switch {
		case !judged(a):
		case a.Ended(now):
			out = append(out, what+"has ended on "+a.Until+"; ask "+a.Owner)
		case !slices.ContainsFunc(accepted, func(f AcceptedFinding) bool { return f.By == a }):
			out = append(out, what+"accepts nothing: there is no such finding")
		}
	}
	return out
}
