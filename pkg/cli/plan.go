package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// planCommand prints what restoring would write.
type planCommand struct {
	offlineFlags
	Harden    bool   `help:"Also bind CloudTrail's grants, to trails or accounts, and replace legacy account principals."`
	AllTrails bool   `help:"The trails file has all trails that deliver into the bucket, of every account and region: hardening binds to them alone."`
	Output    string `placeholder:"FILE" help:"Write the policy to this file."`
	Force     bool   `help:"Show and write the policy even if S3 would refuse it."`
	Format    string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run plans and prints.
func (c *planCommand) Run(sys *system) error {
	in, err := c.load(sys)
	if err != nil {
		return err
	}
	budget := delivery.NewBudget(in.bucket, in.trails)
	report := delivery.JudgeWithin(budget, in.bucket, in.trails, in.environment)
	p := repair.For(in.bucket, in.trails, in.environment, report,
		repair.Options{Harden: c.Harden, AllTrails: c.AllTrails, Budget: budget})
	report = in.judgeRest(budget, report)
	proposals, unmended := repair.Propose(budget, in.bucket, in.trails, in.environment, in.chain, report)
	p.Refused = slices.Concat(p.Refused, unmended, repair.RefuseRCPs(report))
	refused := len(p.Faults) > 0 && !c.Force
	if c.Output != "" && len(p.Policy) > 0 && !refused {
		text := append(bytes.TrimRight(bytes.Clone(p.Policy), "\n"), '\n')
		if err := os.WriteFile(c.Output, text, 0o666); err != nil {
			return fmt.Errorf("cannot write the policy: %w", err)
		}
	}
	if c.Output != "" && refused {
		printf(sys.stderr, "trailwarden: warning: %s is not written: S3 would refuse the policy; --force writes it all the same\n", clean(c.Output))
	}
	switch c.Format {
	case "json":
		out := newPlanJSON(p)
		out.Proposals, out.NotLookedAt = proposals, report.NotLookedAt
		if err := printJSON(sys.stdout, out); err != nil {
			return err
		}
	default:
		writeFaults(sys.screen, delivery.Report{Bucket: in.bucket.Name, Faults: p.Faults})
		if refused {
			sys.screen.printf("With --force the plan is shown all the same.\n")
		} else {
			writePlan(sys.screen, in.bucket.Name, p, c.Output)
			writeProposals(sys.screen, proposals)
			writeNotLookedAt(sys.screen, report.NotLookedAt)
			writeMaybeFaults(sys.screen, p.MaybeFaults)
		}
	}
	if !p.Empty() || len(p.Refused)+len(p.Faults)+len(proposals) > 0 {
		return errFindings
	}
	return nil
}

// writeProposals prints the statements for the policies of keys and topics.
func writeProposals(s screen, proposals []repair.Proposal) {
	for _, p := range proposals {
		s.printf("\n")
		s.indented(0, "Add to the policy of "+string(p.Target)+" "+clean(p.ARN)+"; Trailwarden does not write it:")
		s.block(2, indentJSON(p.Statement))
	}
}

// writePlan prints a plan, and the policy too unless it went to a file.
func writePlan(s screen, bucket string, p repair.Plan, file string) {
	writeChanges(s, bucket, p)
	left := stillRefused(p)
	switch {
	case len(p.Policy) == 0:
	case file != "":
		s.printf("\nThe policy is in %s.\n", clean(file))
		if left != "" {
			s.indented(0, left)
		}
	case p.Changed && left != "":
		// Somebody may paste it.
		s.printf("\n%s\n", s.paint(bad, "The policy, INCOMPLETE:"))
		s.indented(0, left)
		s.printf("%s\n", cleanLines(indentJSON(p.Policy)))
	case p.Changed:
		s.printf("\n%s\n%s\n", s.paint(bold, "The policy:"), cleanLines(indentJSON(p.Policy)))
	}
}

// stillRefused says what CloudTrail is still refused, or may be, with the plan's policy; empty:
// nothing. A weakness that is left does not stop it.
func stillRefused(p repair.Plan) string {
	var ids []string
	for _, r := range p.Refused {
		if t, known := delivery.LookupType(r.Finding); known && t.Kind == delivery.Weakness || slices.Contains(ids, r.Finding) {
			continue
		}
		ids = append(ids, r.Finding)
	}
	if len(ids) == 0 {
		return ""
	}
	return "With it CloudTrail may still not deliver (" + clean(strings.Join(ids, ", ")) + "): see what is refused above."
}

// writeChanges prints what a plan changes and refuses, and its diff.
func writeChanges(s screen, bucket string, p repair.Plan) {
	switch {
	case p.Empty() && len(p.Refused) == 0:
		s.printf("%s: nothing to change.\n", clean(bucket))
	case p.Empty():
		s.printf("%s: nothing that can be changed automatically.\n", clean(bucket))
	default:
		s.printf("%s: to change:\n", clean(bucket))
	}
	for _, c := range p.Changes {
		s.printf("  %s\n", s.paint(bold, strings.TrimSpace(c.Action+" "+clean(c.Statement))))
		s.indented(4, clean(c.Reason))
	}
	writeRefused(s, p.Refused)
	if p.Diff != "" {
		s.printf("\n")
		s.diff(p.Diff)
	}
}

// writeRefused prints each reason once, with all that is refused for it: one
// statement may block several things.
func writeRefused(s screen, refused []repair.Refusal) {
	type reason struct{ text, edit string }
	findings := map[reason][]string{}
	var reasons []reason
	for _, r := range refused {
		why := reason{r.Reason, r.Edit}
		if len(findings[why]) == 0 {
			reasons = append(reasons, why)
		}
		if !slices.Contains(findings[why], r.Finding) {
			findings[why] = append(findings[why], r.Finding)
		}
	}
	shown := map[string]bool{}
	for _, why := range reasons {
		for _, line := range wrap("refused "+clean(strings.Join(findings[why], ", ")), s.width-2) {
			s.printf("  %s\n", s.paint(mild, line))
		}
		s.indented(4, clean(why.text))
		if why.edit != "" && !shown[why.edit] {
			shown[why.edit] = true
			s.printf("    the statement as it would have to read:\n")
			s.block(6, why.edit)
		}
	}
}

// indentJSON indents JSON for people; what is no JSON is shown as it is.
func indentJSON(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, bytes.TrimSpace(text), "", "  ") != nil {
		return string(text)
	}
	return b.String()
}
