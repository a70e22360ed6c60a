package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// What --format json prints. Members are added, never renamed; a list is never
// null. The JSON of check is a [delivery.Report]; that of decide stands in
// decide.go, since it is one line for each line of the input. docs has the
// schemas of check and audit.

// formVersion is the version of the JSON of check and audit. It grows when
// something changes that a program cannot overlook, and not for new members.
const formVersion = 1

// The JSON of a check.
type checkJSON struct {
	Version int      `json:"version"`
	Tool    toolJSON `json:"tool"`
	reportJSON
}

// toolJSON says what wrote the JSON.
type toolJSON struct {
	Name    string `json:"name"`
	Version string `json:"version"` // a tag, or "devel"
}

func thisTool() toolJSON { return toolJSON{"trailwarden", buildVersion()} }

func newCheckJSON(b *bucketOverview) checkJSON {
	return checkJSON{formVersion, thisTool(), newReportJSON(b.Report, b.accepted...)}
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("cannot write JSON: %w", err)
	}
	return nil
}

// orEmpty returns the list, or an empty one in place of nil.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// The JSON of the judgement on one bucket.
type (
	reportJSON struct {
		delivery.Report
		Findings []findingJSON `json:"findings"`
		// Accepted are weaknesses that --accepted has taken out of the findings.
		Accepted []acceptedJSON `json:"accepted,omitempty"`
	}
	acceptedJSON struct {
		delivery.Finding
		Reason string `json:"reason"`
		Owner  string `json:"owner"`
		Until  string `json:"until"` // the last day
	}
	findingJSON struct {
		delivery.Finding
		// Controls are those of standards that the finding touches.
		Controls []string `json:"controls,omitempty"`
	}
)

// newReportJSON returns the report with empty lists in place of nil, and with the
// controls of its findings.
func newReportJSON(r delivery.Report, accepted ...delivery.AcceptedFinding) reportJSON {
	out := reportJSON{Report: r, Findings: []findingJSON{}}
	out.Trails = slices.Clone(orEmpty(r.Trails))
	for i, t := range out.Trails {
		t.Requirements = slices.Clone(orEmpty(t.Requirements))
		for k := range t.Requirements {
			t.Requirements[k].Statements = orEmpty(t.Requirements[k].Statements)
		}
		out.Trails[i] = t
	}
	for _, f := range r.Findings {
		f.Statements = orEmpty(f.Statements)
		t, _ := delivery.LookupType(f.ID)
		if f.Kind == delivery.Weakness {
			t.Controls = nil // where it may be an outage, that touches them
		}
		out.Findings = append(out.Findings, findingJSON{f, t.Controls})
	}
	for _, a := range accepted {
		a.Statements = orEmpty(a.Statements)
		out.Accepted = append(out.Accepted, acceptedJSON{a.Finding, a.By.Reason, a.By.Owner, a.By.Until})
	}
	return out
}

// The JSON of an audit: for each bucket what check prints, and what is known of
// it from AWS alone.
type (
	overviewJSON struct {
		Version int       `json:"version"`
		Tool    toolJSON  `json:"tool"`
		At      time.Time `json:"at,omitzero"`
		Caller  string    `json:"caller,omitempty"` // ARN
		Scope   []string  `json:"scope,omitempty"`  // sentences
		Account string    `json:"account"`
		Region  string    `json:"region"`
		// Organization is that of an audit of all its accounts.
		Organization *organizationJSON `json:"organization,omitempty"`
		Unread       []unread          `json:"unread"`
		Buckets      []bucketJSON      `json:"buckets"`
		// Changes are those since the audit of --diff.
		Changes *difference `json:"changes,omitempty"`
	}
	bucketJSON struct {
		reportJSON
		Owner    string         `json:"owner"`
		Region   string         `json:"region"`
		Statuses []trail.Status `json:"statuses"`
		// Coverage is what each of the trails covers.
		Coverage []coverageJSON `json:"coverage"`
		Plan     *planJSON      `json:"plan"`            // null: not judged
		Notes    []string       `json:"notes,omitempty"` // how old some of what was judged is
		Error    string         `json:"error,omitempty"`
	}
)

func newOverviewJSON(o *overview) overviewJSON {
	out := overviewJSON{
		Version: formVersion, Tool: thisTool(), At: o.At, Caller: o.Caller, Scope: o.Scope,
		Account: o.Account, Region: o.Region, Organization: newOrganizationJSON(o.organization), Unread: orEmpty(o.unread()), Buckets: []bucketJSON{}, Changes: o.changes,
	}
	for i := range o.Buckets {
		from := &o.Buckets[i]
		b := bucketJSON{
			reportJSON: newReportJSON(from.Report, from.accepted...), Owner: from.Bucket.Owner, Region: from.Bucket.Region, Statuses: orEmpty(from.Statuses),
		}
		b.Coverage, b.Notes = []coverageJSON{}, from.Notes
		for _, t := range from.Trails {
			b.Coverage = append(b.Coverage, newCoverageJSON(t))
		}
		b.Bucket, b.Verdict = from.Bucket.Name, from.verdict()
		if from.Err != nil {
			b.Error = from.Err.Error()
		} else {
			plan := newPlanJSON(from.Plan)
			b.Plan = &plan
		}
		out.Buckets = append(out.Buckets, b)
	}
	return out
}

// planJSON is the JSON of a plan.
type planJSON struct {
	Changed bool             `json:"changed"`
	Policy  json.RawMessage  `json:"policy"` // null: there is none, and none is needed
	Diff    string           `json:"diff"`
	Changes []repair.Change  `json:"changes"`
	Refused []repair.Refusal `json:"refused"`
	// Proposals are statements for the policies of the trails' keys and topics.
	Proposals   []repair.Proposal `json:"proposals,omitempty"`
	NotLookedAt []string          `json:"notLookedAt,omitempty"`
	Faults      []string          `json:"faults,omitempty"`
	// MaybeFaults are what S3 may refuse about the policy.
	MaybeFaults []string `json:"maybeFaults,omitempty"`
}

func newPlanJSON(p repair.Plan) planJSON {
	out := planJSON{
		Changed: !p.Empty(), Policy: p.Policy, Diff: p.Diff,
		Changes: orEmpty(p.Changes), Refused: orEmpty(p.Refused),
		Faults: p.Faults, MaybeFaults: p.MaybeFaults,
	}
	if len(out.Policy) == 0 {
		out.Policy = json.RawMessage("null")
	}
	return out
}

// The JSON of explain is that of check, with the statements' relations.
type (
	explanationJSON struct {
		Bucket      string                 `json:"bucket"`
		Verdict     delivery.Verdict       `json:"verdict"`
		Trails      []trailExplanationJSON `json:"trails"`
		NotLookedAt []string               `json:"notLookedAt,omitempty"`
		Faults      []string               `json:"faults,omitempty"`
		MaybeFaults []string               `json:"maybeFaults,omitempty"`
	}
	trailExplanationJSON struct {
		ARN          string                       `json:"arn"`
		Notification delivery.Verdict             `json:"notification,omitempty"`
		Requirements []requirementExplanationJSON `json:"requirements"`
	}
	requirementExplanationJSON struct {
		delivery.RequirementReport
		Example     string                     `json:"example"`
		Explanation []statementExplanationJSON `json:"explanation"`
	}
	statementExplanationJSON struct {
		Statement string                `json:"statement"`
		Effect    policy.Effect         `json:"effect"`
		Match     string                `json:"match"`
		Parts     []partExplanationJSON `json:"parts"`
	}
	partExplanationJSON struct {
		Element string `json:"element"`
		Match   string `json:"match"`
		Why     string `json:"why"`
	}
)

func newExplanationJSON(report delivery.Report, why []delivery.TrailExplanation) explanationJSON {
	out := explanationJSON{
		Bucket: report.Bucket, Verdict: report.Verdict, Trails: []trailExplanationJSON{}, NotLookedAt: report.NotLookedAt,
		Faults: report.Faults, MaybeFaults: report.MaybeFaults,
	}
	for _, from := range why {
		t := trailExplanationJSON{ARN: from.ARN, Requirements: []requirementExplanationJSON{}}
		for _, judged := range report.Trails {
			if judged.ARN == from.ARN {
				t.Notification = judged.Notification
			}
		}
		for _, from := range from.Requirements {
			r := requirementExplanationJSON{
				RequirementReport: from.RequirementReport, Example: from.Example, Explanation: []statementExplanationJSON{},
			}
			r.Statements = orEmpty(r.Statements)
			for _, s := range from.Statements {
				r.Explanation = append(r.Explanation, newStatementExplanationJSON(s))
			}
			t.Requirements = append(t.Requirements, r)
		}
		out.Trails = append(out.Trails, t)
	}
	return out
}

func newStatementExplanationJSON(from policy.StatementExplanation) statementExplanationJSON {
	s := statementExplanationJSON{
		Statement: from.Label(), Effect: from.Effect, Match: truthWord(from.Match), Parts: []partExplanationJSON{},
	}
	for _, p := range from.Parts {
		s.Parts = append(s.Parts, partExplanationJSON{p.Element, truthWord(p.Match), p.Why})
	}
	return s
}

// The JSON of a replay.
type (
	replayJSON struct {
		Events []eventJSON  `json:"events"`
		After  overviewJSON `json:"after"`
	}
	eventJSON struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		Time    time.Time `json:"time"`
		Actor   string    `json:"actor,omitempty"` // by what, and on whose behalf
		Warning string    `json:"warning,omitempty"`
		Skipped string    `json:"skipped,omitempty"`
		// Unapplied says that the event did not change the account, and why.
		Unapplied string          `json:"unapplied,omitempty"`
		Results   []resultJSON    `json:"results"`
		Alerts    []alert.Message `json:"alerts"`
	}
	resultJSON struct {
		Bucket   string           `json:"bucket"`
		InUse    bool             `json:"inUse"`
		Verdict  delivery.Verdict `json:"verdict"`
		Wrote    bool             `json:"wrote"`
		Repaired bool             `json:"repaired"`
		Notified []alert.Kind     `json:"told"`
		Diff     string           `json:"diff"` // of what was written
	}
)

func newEventJSON(from reaction) eventJSON {
	e := eventJSON{
		ID: from.event.ID, Name: from.event.Name, Time: from.at, Warning: from.event.Warning,
		Skipped: cmp.Or(from.event.Skipped, from.skipped), Unapplied: from.unapplied,
		Results: []resultJSON{}, Alerts: orEmpty(from.alerts),
	}
	for _, r := range from.event.Requests {
		if r.Change != nil {
			e.Actor = r.Change.Caller()
		}
	}
	for _, r := range from.results {
		e.Results = append(e.Results, resultJSON{
			Bucket: r.Bucket, InUse: r.InUse, Verdict: r.Report.Verdict,
			Wrote: r.Wrote, Repaired: r.Repaired, Notified: orEmpty(r.Notified), Diff: from.diffs[r.Bucket],
		})
	}
	return e
}
