package cli

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

//go:embed page.html
var pageText string

// page is what the HTML page shows.
type page struct {
	Account, Region string
	Buckets         []pageBucket
	Counts          []pageCount
	FindingsPage    string
}

// Told says whether there is more to tell than the map shows.
func (p page) Told() bool { return slices.ContainsFunc(p.Buckets, pageBucket.Told) }

type pageCount struct {
	Verdict delivery.Verdict
	Buckets int
}

type pageBucket struct {
	*judged
	Verdict  delivery.Verdict
	Lanes    []pageLane
	Findings []delivery.Finding
	Refused  []pageRefusal
	Diff     []pageLine
}

// Told says whether there is more to tell of the bucket than the map shows.
func (b pageBucket) Told() bool {
	return b.Err != nil || len(b.Findings)+len(b.Report.Faults)+len(b.Refused)+len(b.Diff) > 0
}

// pageRefusal is one reason for which findings are not repaired.
type pageRefusal struct {
	Findings []string
	Reason   string
}

// pageLane is one trail on its way into the bucket.
type pageLane struct {
	delivery.TrailReport
	Trail trail.Trail
	Says  string // what CloudTrail itself reports; empty: not asked
}

// pageLine is one line of a diff.
type pageLine struct{ Class, Text string }

// writePage writes the estate as one page that needs nothing else.
func writePage(w io.Writer, v *estate) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"lower": func(s any) string { return strings.ToLower(fmt.Sprint(s)) },
		"join":  strings.Join,
		"words": func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if err := t.Execute(w, newPage(v)); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return nil
}

func newPage(v *estate) page {
	p := page{Account: v.Account, Region: v.Region, FindingsPage: findingsPage}
	// What is wrong comes first.
	for _, verdict := range []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering} {
		count := pageCount{Verdict: verdict}
		for i := range v.Buckets {
			j := &v.Buckets[i]
			if j.verdict() != verdict {
				continue
			}
			count.Buckets++
			p.Buckets = append(p.Buckets, pageBucket{
				judged: j, Verdict: verdict, Lanes: lanes(j), Findings: editsOnce(j.Report.Findings),
				Refused: refusals(j.Plan.Refused), Diff: diffLines(j.Plan.Diff),
			})
		}
		p.Counts = append(p.Counts, count)
	}
	return p
}

// editsOnce returns the findings with each edit only where it is first
// told: one statement may block several things.
func editsOnce(findings []delivery.Finding) []delivery.Finding {
	findings = slices.Clone(findings)
	seen := map[string]bool{}
	for i := range findings {
		if seen[findings[i].Edit] {
			findings[i].Edit = ""
		}
		seen[findings[i].Edit] = true
	}
	return findings
}

// refusals returns each reason once: one statement may be in the way of several
// repairs.
func refusals(refused []repair.Refusal) []pageRefusal {
	var out []pageRefusal
	for _, r := range refused {
		i := slices.IndexFunc(out, func(p pageRefusal) bool { return p.Reason == r.Reason })
		if i < 0 {
			i = len(out)
			out = append(out, pageRefusal{Reason: r.Reason})
		}
		if !slices.Contains(out[i].Findings, r.Finding) {
			out[i].Findings = append(out[i].Findings, r.Finding)
		}
	}
	return out
}

func lanes(j *judged) []pageLane {
	var out []pageLane
	for _, t := range j.Trails {
		lane := pageLane{TrailReport: delivery.TrailReport{ARN: t.ARN, Verdict: j.verdict()}, Trail: t}
		i := slices.IndexFunc(j.Report.Trails, func(r delivery.TrailReport) bool { return r.ARN == t.ARN })
		if i >= 0 && j.Err == nil {
			lane.TrailReport = j.Report.Trails[i]
		}
		if _, ok := j.status(t.ARN); ok {
			lane.Says = statusWords(j, t)
		}
		out = append(out, lane)
	}
	return out
}

func diffLines(diff string) []pageLine {
	var out []pageLine
	for line := range strings.Lines(cleanLines(diff)) {
		line = strings.TrimSuffix(line, "\n")
		class := ""
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
			class = "file"
		case strings.HasPrefix(line, "+"):
			class = "added"
		case strings.HasPrefix(line, "-"):
			class = "removed"
		case strings.HasPrefix(line, "@@"):
			class = "hunk"
		}
		out = append(out, pageLine{class, line})
	}
	return out
}
