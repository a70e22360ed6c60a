package cli

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// checkCommand judges one bucket from files.
type checkCommand struct {
	offline
	Format string `enum:"text,json,sarif,html" default:"text" placeholder:"FORMAT" help:"text, json, sarif (2.1.0) or html."`
	threshold
}

// Run judges and prints.
func (c *checkCommand) Run(e *environment) error {
	in, err := c.load(e)
	if err != nil {
		return err
	}
	report := delivery.Judge(in.bucket, in.trails, in.setting)
	j := judged{
		Bucket: in.bucket,
		Trails: in.trails,
		Report: report,
		Plan:   repair.For(in.bucket, in.trails, in.setting, report, repair.Options{}),
		file:   in.policy,
	}
	v := &estate{Buckets: []judged{j}}
	if c.Format == "text" {
		e.writeJudged(&j)
	} else if err := e.render(c.Format, v, func() any { return listed(j.Report) }); err != nil {
		return err
	}
	return c.result(v)
}

// writeJudged prints one bucket as text.
func (e *environment) writeJudged(j *judged) {
	printf(e.stdout, "%s: %s\n", clean(j.Bucket.Name), e.screen.paint(verdictTone(j.verdict()), string(j.verdict())))
	for _, t := range j.Report.Trails {
		e.writeTrail(t)
	}
	e.writeFindings(j.Report)
}

func (e *environment) writeTrail(t delivery.TrailReport) {
	separator := ": "
	if length(t.ARN+separator+string(t.Verdict)) > e.screen.width {
		separator = ":\n  "
	}
	printf(e.stdout, "\n%s%s%s\n", clean(t.ARN), separator, e.screen.paint(verdictTone(t.Verdict), string(t.Verdict)))
	requirements := table{header: []string{"NEEDS", "DECISION", "BY"}}
	for _, r := range t.Requirements {
		requirements.add(
			cell{string(r.ID), plain},
			cell{string(r.Decision), outcomeTone(r.Decision)},
			cell{statementNames(r.Statements), plain},
		)
	}
	requirements.write(e.stdout, e.screen, 2)
}

// writeFindings prints the findings and faults, or that there are none.
func (e *environment) writeFindings(r delivery.Report) {
	for _, f := range editsOnce(r.Findings) {
		label := string(f.Severity) + " " + f.ID
		printf(e.stdout, "\n%s\n", e.screen.paint(severityTone(f.Severity), label))
		if f.Trail != "" {
			e.screen.hanging(e.stdout, 2, "trail  ", clean(f.Trail))
		}
		if len(f.Statements) > 0 {
			e.screen.hanging(e.stdout, 2, "by     ", statementNames(f.Statements))
		}
		e.screen.hanging(e.stdout, 2, "what   ", clean(f.Message))
		e.screen.hanging(e.stdout, 2, "remedy ", clean(f.Remedy))
		if f.Edit != "" {
			printf(e.stdout, "  the statement as it would have to read:\n")
			e.writeBlock(4, f.Edit)
		}
	}
	for _, fault := range r.Faults {
		printf(e.stdout, "\n%s\n", e.screen.paint(bad, "S3 would refuse this policy"))
		e.screen.indented(e.stdout, 2, clean(fault))
	}
	if len(r.Findings)+len(r.Faults) == 0 {
		printf(e.stdout, "\nNo findings.\n")
	}
}

// writeBlock prints text of several lines as it is, indented.
func (e *environment) writeBlock(indent int, text string) {
	for line := range strings.Lines(cleanLines(text)) {
		printf(e.stdout, "%s%s\n", strings.Repeat(" ", indent), strings.TrimRight(line, "\n"))
	}
}

func statementNames(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return clean(strings.Join(names, ", "))
}
