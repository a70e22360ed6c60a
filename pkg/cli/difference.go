package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// difference is what changed from an earlier audit of the account to this one.
type difference struct {
	// Since is when the earlier one was made; absent: it does not say.
	Since   time.Time          `json:"since,omitzero"`
	Buckets []bucketDifference `json:"buckets"` // those that changed
}

// bucketDifference is what changed of one bucket.
type bucketDifference struct {
	Bucket string `json:"bucket"`
	// Before and After are verdicts, or "absent".
	Before string `json:"before"`
	After  string `json:"after"`
	// Trails are ARNs, Findings the ids of findings with their trails.
	NewTrails     []string            `json:"newTrails"`
	GoneTrails    []string            `json:"goneTrails"`
	NewFindings   []findingDifference `json:"newFindings"`
	EndedFindings []findingDifference `json:"endedFindings"`
}

// findingDifference names a finding that is new, or that ended.
type findingDifference struct {
	ID       string            `json:"id"`
	Severity delivery.Severity `json:"severity"`
	Trail    string            `json:"trail"` // ARN; empty: the bucket as a whole
}

// absent stands for the verdict of a bucket that there was not, or is no more.
const absent = "absent"

const expectAudit = `the output of "trailwarden audit --format json"`

// readAudit reads what an earlier audit of the account printed.
func (sys *system) readAudit(path, account string, organization bool) (*overviewJSON, error) {
	s, err := sys.read(path, maxAuditFile, expectAudit)
	if err != nil {
		return nil, err
	}
	var earlier overviewJSON
	switch err := json.Unmarshal(s.text, &earlier); {
	case err != nil:
		return nil, s.errorf("%w; expected %s", err, expectAudit)
	case earlier.Account == "" || earlier.Buckets == nil:
		return nil, s.errorf("no account or no buckets in it; expected %s", expectAudit)
	case earlier.Version > formVersion:
		return nil, s.errorf("written by a newer version, in form %d; this one reads up to %d", earlier.Version, formVersion)
	case organization != (earlier.Organization != nil):
		return nil, s.errorf("one is an audit of an account, and the other of an organization")
	case !organization && earlier.Account != account:
		return nil, s.errorf("an audit of account %s; this one is of %s", earlier.Account, account)
	}
	return &earlier, nil
}

// differenceOf compares two audits.
func differenceOf(before, after *overviewJSON) *difference {
	d := &difference{Since: before.At, Buckets: []bucketDifference{}}
	old := map[string]*bucketJSON{}
	for i := range before.Buckets {
		old[before.Buckets[i].Bucket] = &before.Buckets[i]
	}
	none := &bucketJSON{reportJSON: reportJSON{Report: delivery.Report{Verdict: absent}}}
	for i := range after.Buckets {
		now := &after.Buckets[i]
		then, known := old[now.Bucket]
		if !known {
			then = none
		}
		delete(old, now.Bucket)
		d.add(now.Bucket, then, now)
	}
	unread := after.Organization.unread()
	for i := range before.Buckets {
		gone := &before.Buckets[i]
		switch {
		case old[gone.Bucket] == nil:
		case slices.ContainsFunc(trailsOf(gone), func(arn string) bool { return ofAccounts(arn, unread) }):
			// Who would know whether it is still in use could not be read.
			now := *gone
			now.Verdict = delivery.Undetermined
			d.add(gone.Bucket, gone, &now)
		default:
			d.add(gone.Bucket, gone, none)
		}
	}
	for i := range d.Buckets {
		b := &d.Buckets[i]
		b.GoneTrails = slices.DeleteFunc(b.GoneTrails, func(arn string) bool { return ofAccounts(arn, unread) })
	}
	return d
}

// ofAccounts reports whether a trail is of one of the accounts.
func ofAccounts(arn string, accounts []string) bool {
	return slices.Contains(accounts, trail.Trail{ARN: arn}.Account())
}

func (d *difference) add(bucket string, then, now *bucketJSON) {
	b := bucketDifference{
		Bucket: bucket, Before: string(then.Verdict), After: string(now.Verdict),
		NewTrails: without(trailsOf(now), trailsOf(then)), GoneTrails: without(trailsOf(then), trailsOf(now)),
		NewFindings: without(findingsOf(now), findingsOf(then)), EndedFindings: without(findingsOf(then), findingsOf(now)),
	}
	if b.Before != b.After || len(b.NewTrails)+len(b.GoneTrails)+len(b.NewFindings)+len(b.EndedFindings) > 0 {
		d.Buckets = append(d.Buckets, b)
	}
}

func trailsOf(b *bucketJSON) []string {
	var out []string
	for _, t := range b.Trails {
		out = append(out, t.ARN)
	}
	return out
}

func findingsOf(b *bucketJSON) []findingDifference {
	var out []findingDifference
	for _, f := range b.Findings {
		out = append(out, findingDifference{f.ID, f.Severity, f.Trail})
	}
	for _, f := range b.Accepted { // it is there all the same
		out = append(out, findingDifference{f.ID, f.Severity, f.Trail})
	}
	for range b.Faults {
		out = append(out, findingDifference{invalidRule, delivery.High, ""})
	}
	if b.Error != "" {
		out = append(out, findingDifference{unjudgedRule, delivery.High, ""})
	}
	return out
}

// without returns what is in one list and not in the other, each once.
func without[T comparable](list, other []T) []T {
	out := []T{}
	for _, v := range list {
		if !slices.Contains(other, v) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// When says since when, in words.
func (d *difference) When() string {
	if d.Since.IsZero() {
		return "the earlier audit"
	}
	return d.Since.UTC().Format("2006-01-02 15:04 UTC")
}

// Sentences say what changed of the bucket.
func (b bucketDifference) Sentences() []string {
	var out []string
	switch {
	case b.Before == absent:
		out = append(out, "new: "+b.After)
	case b.After == absent:
		out = append(out, "no trail uses it any more; it was "+b.Before)
	case b.Before != b.After:
		out = append(out, "was "+b.Before+", is "+b.After)
	}
	for _, part := range []struct {
		label  string
		values []string
	}{
		{"new trails: ", namesOf(b.NewTrails)},
		{"trails that are gone: ", namesOf(b.GoneTrails)},
		{"new: ", findingNames(b.NewFindings)},
		{"ended: ", findingNames(b.EndedFindings)},
	} {
		// Of a bucket that is gone all has ended.
		if len(part.values) > 0 && b.After != absent {
			out = append(out, part.label+strings.Join(part.values, ", "))
		}
	}
	return out
}

func namesOf(arns []string) []string {
	var out []string
	for _, a := range arns {
		out = append(out, trailName(a))
	}
	return out
}

// findingNames are findings with their severity, those of several trails once.
func findingNames(findings []findingDifference) []string {
	var out []string
	for _, f := range findings {
		if label := string(f.Severity) + " " + f.ID; !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}

// writeDifference prints what changed.
func writeDifference(s screen, d *difference) {
	if len(d.Buckets) == 0 {
		s.printf("Nothing changed since %s.\n\n", d.When())
		return
	}
	s.printf("%s\n", s.paint(bold, fmt.Sprintf("Changed since %s:", d.When())))
	for _, b := range d.Buckets {
		s.indented(2, clean(b.Bucket))
		for _, sentence := range b.Sentences() {
			s.indented(4, clean(sentence))
		}
	}
	s.printf("\n")
}
