package delivery_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
	"github.com/trailwarden/trailwarden/test/corpus/buckets"
)

// now is the time at which the corpus is judged.
func now() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// check is one row of the corpus.
type check struct {
	buckets.Row

	Why      string
	File     string `json:"-"` // that the row is in
	Source   string // where the row is from, if it was not made up
	Expect   map[trail.RequirementID]anyOf
	Verdict  delivery.Verdict
	Findings []string // ids, if given
	// What is known beside the bucket, if given: outputs of get-event-selectors, the
	// trails as they were before, and what CloudTrail reports.
	Selectors []json.RawMessage `json:"event_selectors"`
	Before    json.RawMessage
	Statuses  []trail.Status
}

// judge judges the row, with what is known beside the bucket.
func (c check) judge(t *testing.T) delivery.Report {
	t.Helper()
	b, trails, environment := c.inputs(t)
	r := delivery.Judge(b, trails, environment)
	if len(c.Selectors) == 0 && len(c.Before) == 0 && len(c.Statuses) == 0 {
		return r
	}
	s := delivery.Surroundings{Trails: trails, Statuses: c.Statuses}
	if len(c.Before) > 0 {
		before, err := trail.Parse(c.Before)
		if err != nil {
			t.Fatalf("%s: before: %v", c.ID, err)
		}
		for _, tr := range before {
			s.Before = append(s.Before, tr.Coverage())
		}
	}
	return delivery.JudgeCoverage(delivery.JudgeStatus(r, trails, c.Statuses, delivery.Evidence{}), trails, s)
}

// anyOf are the decisions of which each is right: in JSON one text, or a list.
type anyOf []string

func (a *anyOf) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*a = anyOf{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// inputs are what Judge gets of a row.
func (c check) inputs(t *testing.T) (delivery.Bucket, []trail.Trail, trail.Environment) {
	t.Helper()
	trails, err := trail.Parse(c.Trails)
	if err != nil {
		t.Fatal(err)
	}
	for _, output := range c.Selectors {
		if trails, err = trail.WithSelectors(trails, output); err != nil {
			t.Fatalf("%s: event_selectors: %v", c.ID, err)
		}
	}
	b := delivery.Bucket{Name: c.Bucket, Owner: c.Owner, State: delivery.PolicyMissing, Payer: c.Payer}
	if len(c.Policy) > 0 && string(c.Policy) != "null" {
		b.State, b.Policy = delivery.PolicyRead, parse(t, string(c.Policy))
	}
	return b, trails, c.Environment(t, now())
}

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

func checks(t testing.TB) []check {
	t.Helper()
	var checks []check
	for _, line := range corpus.Lines(t, "testdata/*.jsonl", 3) {
		c := check{File: line.File}
		line.Decode(t, &c)
		checks = append(checks, c)
	}
	return checks
}

// TestCorpus judges every row: each expected requirement has the expected
// decision, and the verdict and the findings follow from the decisions.
func TestCorpus(t *testing.T) {
	for _, c := range checks(t) {
		name := c.ID + " " + c.Why
		if c.Source != "" {
			name += " (" + c.Source + ")"
		}
		t.Run(name, func(t *testing.T) {
			r := c.judge(t)
			for id, want := range c.Expect {
				if got := decision(r, id); !slices.Contains(want, got) {
					t.Errorf("%s is %s, want %s\n%s", id, got, strings.Join(want, " or "), show(r))
				}
			}
			if c.Verdict != "" && r.Verdict != c.Verdict {
				t.Errorf("verdict %s, want %s\n%s", r.Verdict, c.Verdict, show(r))
			}
			if c.Findings != nil {
				if got := ids(r.Findings); !slices.Equal(got, c.Findings) {
					t.Errorf("findings %v, want %v\n%s", got, c.Findings, show(r))
				}
			}
			checkReport(t, r)
			if text := show(r); strings.Contains(text, " .") {
				t.Errorf("a sentence lacks a word:\n%s", text)
			}
		})
	}
}

// decision is the worst decision on a requirement over all trails, in the
// corpus's words.
func decision(r delivery.Report, id trail.RequirementID) string {
	answer := "missing"
	for _, t := range r.Trails {
		for _, q := range t.Requirements {
			if q.ID != id || answer == "denied" {
				continue
			}
			switch q.Decision {
			case policy.ExplicitDeny, policy.ImplicitDeny:
				answer = "denied"
			case policy.Undetermined, policy.Invalid:
				answer = "undetermined"
			case policy.Allowed:
				if answer == "missing" {
					answer = "allowed"
				}
			}
		}
	}
	return answer
}

func ids(findings []delivery.Finding) []string {
	out := []string{}
	for _, f := range findings {
		out = append(out, f.ID)
	}
	return out
}

func show(r delivery.Report) string {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// checkReport checks what holds of every report.
func checkReport(t *testing.T, r delivery.Report) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Message == "" || f.Remedy == "" || f.Statements == nil {
			t.Errorf("finding without message, remedy or statements: %+v", f)
		}
		known, ok := delivery.LookupType(f.ID)
		if !ok || f.Kind != known.Kind && !slices.Contains(known.OtherKinds, f.Kind) || f.Severity != known.Severity && !slices.Contains(known.OtherSeverities, f.Severity) {
			t.Errorf("the catalogue says otherwise: %+v", f)
		}
		if f.Edit != "" && !json.Valid([]byte(f.Edit)) {
			t.Errorf("edit is not JSON: %s", f.Edit)
		}
	}
	blocked := slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Kind == delivery.Outage })
	if blocked != (r.Verdict == delivery.Blocked) {
		t.Errorf("verdict %s with findings %v", r.Verdict, ids(r.Findings))
	}
	for _, tr := range r.Trails {
		for _, q := range tr.Requirements {
			if q.Why == "" || q.Statements == nil || q.Example == "" {
				t.Errorf("requirement without why, statements or example: %+v", q)
			}
		}
	}
}
