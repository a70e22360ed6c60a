package cli

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// explainCommand shows why a bucket is judged as it is.
type explainCommand struct {
	offline
	Format string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
	threshold
}

// Run explains and prints. Its exit code is that of check.
func (c *explainCommand) Run(e *environment) error {
	in, err := c.load(e)
	if err != nil {
		return err
	}
	report := delivery.Judge(in.bucket, in.trails, in.setting)
	why := delivery.Explain(in.bucket, in.trails, in.setting)
	if c.Format == "json" {
		if err := e.printJSON(explanationJSON(report, why)); err != nil {
			return err
		}
	} else {
		e.writeExplanation(report, why)
	}
	return c.result(&estate{Buckets: []judged{{Bucket: in.bucket, Report: report}}})
}

func (e *environment) writeExplanation(report delivery.Report, why []delivery.TrailExplanation) {
	printf(e.stdout, "%s: %s\n", clean(report.Bucket), e.screen.paint(verdictTone(report.Verdict), string(report.Verdict)))
	for _, t := range why {
		printf(e.stdout, "\n%s\n", e.screen.paint(bold, clean(t.ARN)))
		for _, r := range t.Requirements {
			e.writeRequirement(r)
		}
	}
	for _, fault := range report.Faults {
		printf(e.stdout, "\n%s\n", e.screen.paint(bad, "S3 would refuse this policy"))
		e.screen.indented(e.stdout, 2, clean(fault))
	}
}

func (e *environment) writeRequirement(r delivery.RequirementExplanation) {
	printf(e.stdout, "\n  %s: %s\n", e.screen.paint(bold, string(r.ID)), e.screen.paint(outcomeTone(r.Decision), string(r.Decision)))
	e.screen.hanging(e.stdout, 4, "asks for ", clean(r.Action+" on "+r.Resource))
	if r.Example != "" && r.Example != r.Resource {
		e.screen.hanging(e.stdout, 4, "such as  ", clean(r.Example))
	}
	e.screen.hanging(e.stdout, 4, "because  ", clean(r.Why))
	if len(r.Statements) == 0 {
		printf(e.stdout, "    The policy has no statement to explain.\n")
	}
	for _, s := range r.Statements {
		relation := fmt.Sprintf("%s %s", clean(string(s.Effect)), clean(s.Label()))
		printf(e.stdout, "    %s: %s\n", relation, e.screen.paint(statementTone(s), appliesWord(s.Match)))
		for _, p := range s.Parts {
			mark := e.screen.paint(truthTone(p.Match), fmt.Sprintf("%-5s ", truthWord(p.Match)))
			lines := wrap(clean(p.Element+": "+p.Why), max(e.screen.width-12, leastWidth/2))
			for i, line := range lines {
				if i > 0 {
					mark = "      "
				}
				printf(e.stdout, "      %s%s\n", mark, line)
			}
		}
	}
}

// statementTone colours by what the statement does to CloudTrail: a Deny that
// applies is bad, and one that does not is nothing to look at.
func statementTone(s policy.StatementExplanation) tone {
	switch {
	case s.Match == policy.No:
		return faint
	case s.Match == policy.Maybe:
		return mild
	case s.Effect == policy.Deny:
		return bad
	default:
		return good
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

// The JSON of explain is that of check, with the statements' relations.
type (
	explanationOut struct {
		Bucket  string           `json:"bucket"`
		Verdict delivery.Verdict `json:"verdict"`
		Trails  []explainedTrail `json:"trails"`
		Faults  []string         `json:"faults,omitempty"`
	}
	explainedTrail struct {
		ARN          string                 `json:"arn"`
		Requirements []explainedRequirement `json:"requirements"`
	}
	explainedRequirement struct {
		delivery.RequirementReport
		Example     string               `json:"example"`
		Explanation []explainedStatement `json:"explanation"`
	}
	explainedStatement struct {
		Statement string          `json:"statement"`
		Effect    policy.Effect   `json:"effect"`
		Match     string          `json:"match"`
		Parts     []explainedPart `json:"parts"`
	}
	explainedPart struct {
		Element string `json:"element"`
		Match   string `json:"match"`
		Why     string `json:"why"`
	}
)

func explanationJSON(report delivery.Report, why []delivery.TrailExplanation) explanationOut {
	out := explanationOut{Bucket: report.Bucket, Verdict: report.Verdict, Trails: []explainedTrail{}, Faults: report.Faults}
	for _, t := range why {
		trailOut := explainedTrail{ARN: t.ARN, Requirements: []explainedRequirement{}}
		for _, r := range t.Requirements {
			judged := r.RequirementReport
			judged.Statements = orEmpty(judged.Statements)
			requirement := explainedRequirement{RequirementReport: judged, Example: r.Example, Explanation: []explainedStatement{}}
			for _, s := range r.Statements {
				requirement.Explanation = append(requirement.Explanation, explainStatement(s))
			}
			trailOut.Requirements = append(trailOut.Requirements, requirement)
		}
		out.Trails = append(out.Trails, trailOut)
	}
	return out
}

func explainStatement(s policy.StatementExplanation) explainedStatement {
	out := explainedStatement{Statement: s.Label(), Effect: s.Effect, Match: truthWord(s.Match), Parts: []explainedPart{}}
	for _, p := range s.Parts {
		out.Parts = append(out.Parts, explainedPart{p.Element, truthWord(p.Match), p.Why})
	}
	return out
}
