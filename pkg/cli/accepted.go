package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// acceptance is a weakness that somebody has accepted: one entry of the file of
// --accepted. It does not move the exit status until it ends, and is shown with its
// reason all the while.
type acceptance struct {
	Finding string `json:"finding"` // id of a weakness
	Bucket  string `json:"bucket"`
	Trail   string `json:"trail"` // ARN; empty: of any trail, and of the bucket
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Until   string `json:"until"` // the last day, as 2027-03-31, in UTC
}

// acceptedFinding is a finding that an entry accepts.
type acceptedFinding struct {
	delivery.Finding
	by acceptance
}

// acceptedFlag is the flag of the commands that take accepted weaknesses.
type acceptedFlag struct {
	Accepted string `placeholder:"FILE" help:"Weaknesses that are accepted, with reason, owner and last day: they do not move the exit status. An outage cannot be accepted."`
}

const expectAccepted = `a JSON list of objects with finding, bucket, reason, owner and until`

// accept takes what the file accepts out of the findings of an overview, and warns of
// entries that have ended or accept nothing. What is no weakness stays.
func (f acceptedFlag) accept(sys *system, o *overview, now time.Time) error {
	if f.Accepted == "" {
		return nil
	}
	entries, err := sys.readAccepted(f.Accepted)
	if err != nil {
		return err
	}
	matched := make([]bool, len(entries))
	for i := range o.Buckets {
		b := &o.Buckets[i]
		var open []delivery.Finding
		for _, finding := range b.Report.Findings {
			at := slices.IndexFunc(entries, func(e acceptance) bool { return e.accepts(b.Bucket.Name, finding) })
			if at >= 0 {
				matched[at] = true
			}
			if at < 0 || entries[at].ended(now) {
				open = append(open, finding)
				continue
			}
			b.accepted = append(b.accepted, acceptedFinding{finding, entries[at]})
		}
		b.Report.Findings = open
	}
	for i, e := range entries {
		what := fmt.Sprintf("%s: entry %d, %s of %s", f.Accepted, i+1, e.Finding, e.Bucket)
		switch {
		case e.ended(now):
			printf(sys.stderr, "trailwarden: warning: %s\n", oneLine(what+", has ended on "+e.Until+"; ask "+e.Owner))
		case !matched[i]:
			printf(sys.stderr, "trailwarden: warning: %s\n", oneLine(what+", accepts nothing: there is no such finding"))
		}
	}
	return nil
}

// accepts reports whether the entry is about a finding, and may be.
func (e acceptance) accepts(bucket string, f delivery.Finding) bool {
	return f.Kind == delivery.Weakness && f.ID == e.Finding && bucket == e.Bucket && (e.Trail == "" || e.Trail == f.Trail)
}

// ended reports whether the last day is over.
func (e acceptance) ended(now time.Time) bool {
	until, err := time.Parse(time.DateOnly, e.Until)
	return err != nil || !now.UTC().Before(until.AddDate(0, 0, 1))
}

// readAccepted reads the file of accepted weaknesses. An entry with a slip is an error:
// it would accept nothing, or not what was meant.
func (sys *system) readAccepted(path string) ([]acceptance, error) {
	s, err := sys.read(path, maxAcceptedFile, expectAccepted)
	if err != nil {
		return nil, err
	}
	var entries []acceptance
	decoder := json.NewDecoder(bytes.NewReader(s.text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&entries); err != nil {
		return nil, s.errorf("%w; expected %s", err, expectAccepted)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, s.errorf("more than one list; expected %s", expectAccepted)
	}
	for i, e := range entries {
		if err := e.check(); err != nil {
			return nil, s.errorf("entry %d: %w", i+1, err)
		}
	}
	return entries, nil
}

func (e acceptance) check() error {
	t, known := delivery.LookupType(e.Finding)
	_, err := time.Parse(time.DateOnly, e.Until)
	switch {
	case !known:
		return fmt.Errorf("no finding is called %q", e.Finding)
	case slices.Contains(t.OtherKinds, delivery.Weakness):
		// The guard compares and tells it, so that it has to know of it.
		return fmt.Errorf("%s is accepted with trailwarden accept, in the guard's table", e.Finding)
	case t.Kind != delivery.Weakness:
		return fmt.Errorf("%s is no weakness, and cannot be accepted", e.Finding)
	case e.Bucket == "":
		return errors.New("it names no bucket")
	case e.Reason == "" || e.Owner == "":
		return errors.New("it has no reason or no owner")
	case err != nil:
		return errors.New("until: expected the last day, as 2027-03-31")
	}
	return nil
}

// writeAccepted prints what is accepted.
func writeAccepted(s screen, buckets []bucketOverview) {
	for i := range buckets {
		for _, a := range buckets[i].accepted {
			s.printf("\n%s\n", s.paint(faint, clean(fmt.Sprintf("%s %s, accepted until %s", a.Severity, a.ID, a.by.Until))))
			s.hanging(2, "at     ", clean(buckets[i].Bucket.Name))
			s.hanging(2, "what   ", clean(a.Message))
			s.hanging(2, "why    ", clean(a.by.Reason+" ("+a.by.Owner+")"))
		}
	}
}
