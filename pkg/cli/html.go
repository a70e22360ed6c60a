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

// HasDetails reports whether there is more to show than the map.
func (p page) HasDetails() bool { return slices.ContainsFunc(p.Buckets, pageBucket.HasDetails) }

type pageCount struct {
	Verdict delivery.Verdict
	Buckets int
}

type pageBucket struct {
	*bucketOverview
	Verdict  delivery.Verdict
	Lanes    []pageLane
	Findings []delivery.Finding
	Refused  []pageRefusal
	Diff     []pageLine
}

// HasDetails reports whether there is more to show of the bucket than the map.
func (b pageBucket) HasDetails() bool {
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

// writePage writes the overview as one page that needs nothing else.
func writePage(w io.Writer, o *overview) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"lower": func(s any) string { return strings.ToLower(fmt.Sprint(s)) },
		"join":  strings.Join,
		"words": func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if err := t.Execute(w, newPage(o)); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return nil
}

func newPage(o *overview) page {
	p := page{Account: o.Account, Region: o.Region, FindingsPage: findingsPage}
	// What is wrong comes first.
	for _, verdict := range []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering} {
		count := pageCount{Verdict: verdict}
		for i := range o.Buckets {
			b := &o.Buckets[i]
			if b.verdict() != verdict {
				continue
			}
			count.Buckets++
			p.Buckets = append(p.Buckets, pageBucket{
				bucketOverview: b, Verdict: verdict, Lanes: lanes(b), Findings: editsOnce(b.Report.Findings),
				Refused: refusals(b.Plan.Refused), Diff: diffLines(b.Plan.Diff),
			})
		}
		p.Counts = append(p.Counts, count)
	}
	return p
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

func lanes(b *bucketOverview) []pageLane {
	var out []pageLane
	for _, t := range b.Trails {
		lane := pageLane{TrailReport: delivery.TrailReport{ARN: t.ARN, Verdict: b.verdict()}, Trail: t}
		if report, ok := b.trailReport(t.ARN); ok {
			lane.TrailReport = report
		}
		if _, ok := b.status(t.ARN); ok {
			lane.Says = b.statusText(t.ARN)
		}
		out = append(out, lane)
	}
	return out
}

func diffLines(diff string) []pageLine {
	var out []pageLine
	for line := range strings.Lines(cleanLines(diff)) {
		line = strings.TrimSuffix(line, "\n")
		out = append(out, pageLine{diffClass(kindOfLine(line)), line})
	}
	return out
}

// diffClass is the class of a line in the style sheet of the page.
func diffClass(k diffKind) string {
	switch k {
	case diffFile:
		return "file"
	case diffAdded:
		return "added"
	case diffRemoved:
		return "removed"
	case diffHunk:
		return "hunk"
	case diffContext:
		return ""
	}
	return ""
}
