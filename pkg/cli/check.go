package cli

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// checkCommand judges one bucket from files.
type checkCommand struct {
	offlineFlags
	Format string `enum:"text,json,sarif,html,github,markdown" default:"text" placeholder:"FORMAT" help:"text, json, sarif (2.1.0), html, github (annotations) or markdown (a job summary)."`
	sarifLocationFlag
	acceptedFlag
	severityFlag
}

// Run judges and prints.
func (c *checkCommand) Run(sys *system) error {
	in, err := c.load(sys)
	if err != nil {
		return err
	}
	report, plan := in.judge()
	report = delivery.JudgeCoverage(report, in.trails, delivery.Surroundings{Trails: in.all})
	o := &overview{origin: origin{At: in.environment.Now.UTC(), Scope: c.scope()}, Buckets: []bucketOverview{{
		Audited: guardrail.Audited{Bucket: in.bucket, Trails: in.trails, Report: report, Plan: plan},
		file:    in.policy,
	}}}
	if err := c.accept(sys, o, in.environment.Now); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		err = printJSON(sys.stdout, newCheckJSON(&o.Buckets[0]))
	case "sarif":
		err = printJSON(sys.stdout, newSARIF(o, c.places("check", in.bucket.Name, c.Trails)))
	case "html":
		err = writePage(sys.stdout, o)
	case "github":
		writeOverviewAnnotations(sys, o, c.places("check", in.bucket.Name, c.Trails))
	case "markdown":
		writeOverviewMarkdown(sys.stdout, o)
	default:
		writeReport(sys.screen, o.Buckets[0].Report)
		writeAccepted(sys.screen, o.Buckets)
	}
	if err != nil {
		return err
	}
	return c.exit(o)
}

// scope says in sentences what was looked at.
func (c *checkCommand) scope() []string {
	policy := "A bucket without a policy."
	switch {
	case c.Policy == "-":
		policy = "The policy from standard input."
	case !c.NoPolicy:
		policy = "The policy in " + c.Policy + "."
	}
	return []string{policy, "The trails in " + c.Trails + " that deliver into " + c.Bucket + ".", "No account was asked."}
}

// writeReport prints one bucket as text: what is wrong and what to do come first, then what
// each trail needs.
func writeReport(s screen, r delivery.Report) {
	if writeFaults(s, r) {
		return
	}
	s.printf("%s: %s\n", clean(r.Bucket), s.paint(verdictTone(r.Verdict), string(r.Verdict)))
	writeFindings(s, r)
	for _, t := range r.Trails {
		writeTrailReport(s, t)
	}
	writeNotLookedAt(s, r.NotLookedAt)
	writeMaybeFaults(s, r.MaybeFaults)
}

func writeTrailReport(s screen, t delivery.TrailReport) {
	separator := ": "
	if length(t.ARN+separator+string(t.Verdict)) > s.width {
		separator = ":\n  "
	}
	s.printf("\n%s%s%s\n", clean(t.ARN), separator, s.paint(verdictTone(t.Verdict), string(t.Verdict)))
	if t.Notification != "" {
		s.printf("  notifications: %s\n", s.paint(verdictTone(t.Notification), string(t.Notification)))
	}
	requirements := table{header: []string{"NEEDS", "DECISION", "BY"}}
	for _, r := range t.Requirements {
		requirements.add(
			cell{string(r.ID), plain},
			cell{string(r.Decision), outcomeTone(r.Decision)},
			cell{statementNames(r.Statements), plain},
		)
	}
	requirements.write(s, 2)
}

// writeFindings prints the findings, each cause once, or that there are none.
func writeFindings(s screen, r delivery.Report) {
	if len(r.Findings) == 0 {
		s.printf("\nNo findings.\n")
		return
	}
	writeCauses(s, causesOf([]bucketOverview{{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: r.Bucket}, Report: r}}}), false)
}

// writeFaults prints what S3 would refuse of a policy, and reports whether
// there is any. Nothing else is told of a policy that no bucket can have.
func writeFaults(s screen, r delivery.Report) bool {
	if len(r.Faults) == 0 {
		return false
	}
	s.printf("%s: %s\n", clean(r.Bucket), s.paint(bad, "S3 would refuse this policy"))
	for _, fault := range r.Faults {
		s.printf("\n")
		s.indented(2, clean(fault))
	}
	s.printf("\nMend this first. The JSON output holds the judgement on the policy as far as it can be read.\n")
	return true
}

// writeMaybeFaults prints what S3 may refuse of a policy. They are no findings.
func writeMaybeFaults(s screen, faults []string) {
	if len(faults) == 0 {
		return
	}
	heading := "S3 may refuse this policy; it is not known"
	if slices.ContainsFunc(faults, func(text string) bool { return strings.HasPrefix(text, delivery.FaultOfOther) }) {
		heading = "AWS may refuse these policies; it is not known"
	}
	s.printf("\n%s\n", s.paint(bold, heading))
	for _, fault := range faults {
		s.indented(2, clean(fault))
	}
}

func statementNames(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return clean(strings.Join(names, ", "))
}
