package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// estate is what check and audit show: buckets, and how they fare.
type estate struct {
	// Account and Region are where an audit looked; empty for files.
	Account, Region string
	Buckets         []judged
}

func newEstate(account, region string, audited []guardrail.Audited) *estate {
	v := &estate{Account: account, Region: region}
	for _, a := range audited {
		v.Buckets = append(v.Buckets, judged{
			Bucket: a.Bucket, Trails: a.Trails, Statuses: a.Statuses, Report: a.Report, Plan: a.Plan, Err: a.Err,
		})
	}
	return v
}

// judged is one bucket of an estate.
type judged struct {
	Bucket   delivery.Bucket
	Trails   []trail.Trail
	Statuses []trail.Status
	Report   delivery.Report
	Plan     repair.Plan
	Err      error // why it could not be judged
	file     *policyFile
}

// status returns what CloudTrail itself says of a trail, if it was asked.
func (j *judged) status(arn string) (trail.Status, bool) {
	i := slices.IndexFunc(j.Statuses, func(s trail.Status) bool { return s.ARN == arn })
	if i < 0 {
		return trail.Status{}, false
	}
	return j.Statuses[i], true
}

// verdict is the bucket's verdict. A bucket that could not be judged is never
// taken as well.
func (j *judged) verdict() delivery.Verdict {
	if j.Err != nil || j.Report.Verdict == "" {
		return delivery.Undetermined
	}
	return j.Report.Verdict
}

// threshold is the flag of the commands that end with 1 on findings.
type threshold struct {
	Severity string `placeholder:"LEVEL" enum:"critical,high,medium,low,informational" default:"informational" help:"Exit with 1 only on findings of this severity or above: critical, high, medium, low, informational. All findings are printed."`
}

// result is the end of a command that judged the estate: errFindings if
// something in it is of the severity.
func (t threshold) result(v *estate) error {
	least := delivery.Severity(strings.ToUpper(t.Severity)).Rank()
	for i := range v.Buckets {
		j := &v.Buckets[i]
		if j.Err != nil || len(j.Report.Faults) > 0 {
			return errFindings
		}
		for _, f := range j.Report.Findings {
			if f.Severity.Rank() <= least {
				return errFindings
			}
		}
		// A verdict never hides behind its findings.
		if j.verdict() == delivery.Blocked {
			return errFindings
		}
	}
	return nil
}

// printJSON prints a value as indented JSON.
func (e *environment) printJSON(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("cannot write JSON: %w", err)
	}
	return nil
}

// listed returns the report with empty lists in place of missing ones, so that
// programs always find lists in the JSON.
func listed(r delivery.Report) delivery.Report {
	r.Trails = slices.Clone(orEmpty(r.Trails))
	for i, t := range r.Trails {
		t.Requirements = slices.Clone(orEmpty(t.Requirements))
		for k := range t.Requirements {
			t.Requirements[k].Statements = orEmpty(t.Requirements[k].Statements)
		}
		r.Trails[i] = t
	}
	r.Findings = slices.Clone(orEmpty(r.Findings))
	for i := range r.Findings {
		r.Findings[i].Statements = orEmpty(r.Findings[i].Statements)
	}
	return r
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// render prints the estate in a format other than text.
func (e *environment) render(format string, v *estate, asJSON func() any) error {
	switch format {
	case "json":
		return e.printJSON(asJSON())
	case "sarif":
		return e.printJSON(sarifOf(v))
	case "html":
		return writePage(e.stdout, v)
	}
	return errors.New("no such format: " + format)
}
