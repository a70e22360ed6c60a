package cli

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// explainCommand shows why a bucket is judged as it is.
type explainCommand struct {
	offlineFlags
	Format string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	severityFlag
}

// Run explains and prints. Its exit code is that of check.
func (c *explainCommand) Run(sys *system) error {
	in, err := c.load(sys)
	if err != nil {
		return err
	}
	report, _ := in.judge()
	why := delivery.ExplainChain(delivery.Explain(in.bucket, in.trails, in.environment), in.bucket, in.trails, in.environment, in.chain)
	why = delivery.ExplainRCPs(why, in.bucket, in.trails, in.environment, in.chain, in.rcps...)
	if c.Format == "json" {
		if err := printJSON(sys.stdout, newExplanationJSON(report, why)); err != nil {
			return err
		}
	} else {
		writeExplanation(sys.screen, report, why)
	}
	return c.exit(&overview{Buckets: []bucketOverview{{Audited: guardrail.Audited{Bucket: in.bucket, Report: report}}}})
}

func writeExplanation(s screen, report delivery.Report, why []delivery.TrailExplanation) {
	if writeFaults(s, report) {
		return
	}
	s.printf("%s: %s\n", clean(report.Bucket), s.paint(verdictTone(report.Verdict), string(report.Verdict)))
	for _, t := range why {
		s.printf("\n%s\n", s.paint(bold, clean(t.ARN)))
		for _, r := range t.Requirements {
			writeRequirement(s, r)
		}
	}
	writeNotLookedAt(s, report.NotLookedAt)
	writeMaybeFaults(s, report.MaybeFaults)
}

func writeRequirement(s screen, r delivery.RequirementExplanation) {
	s.printf("\n  %s: %s\n", s.paint(bold, string(r.ID)), s.paint(outcomeTone(r.Decision), string(r.Decision)))
	s.hanging(4, "asks for ", clean(r.Action+" on "+r.Resource))
	if r.Example != "" && r.Example != r.Resource {
		s.hanging(4, "such as  ", clean(r.Example))
	}
	s.hanging(4, "because  ", clean(r.Why))
	if len(r.Statements) == 0 {
		s.printf("    The policy has no statement to explain.\n")
	}
	for _, statement := range r.Statements {
		s.printf("    %s %s: %s\n", clean(string(statement.Effect)), clean(statement.Label()),
			s.paint(statementTone(statement), appliesWord(statement.Match)))
		for _, p := range statement.Parts {
			mark := s.paint(truthTone(p.Match), fmt.Sprintf("%-5s ", truthWord(p.Match)))
			s.hangingAt("      "+mark, 12, clean(p.Element+": "+p.Why))
		}
	}
}

func appliesWord(t policy.Truth) string {
	switch t {
	case policy.Yes:
		return "applies"
	case policy.No:
		return "does not apply"
	case policy.Maybe:
		return "may apply"
	}
	return "may apply"
}

func truthWord(t policy.Truth) string {
	switch t {
	case policy.Yes:
		return "yes"
	case policy.No:
		return "no"
	case policy.Maybe:
		return "maybe"
	}
	return "maybe"
}
