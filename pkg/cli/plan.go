package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// planCommand prints what restoring would write.
type planCommand struct {
	offlineFlags
	Harden bool   `help:"Also bind CloudTrail's grants to their trails and replace legacy account principals."`
	Output string `placeholder:"FILE" help:"Write the policy to this file."`
	Format string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run plans and prints.
func (c *planCommand) Run(sys *system) error {
	in, err := c.load(sys)
	if err != nil {
		return err
	}
	report := delivery.Judge(in.bucket, in.trails, in.environment)
	p := repair.For(in.bucket, in.trails, in.environment, report, repair.Options{Harden: c.Harden})
	if c.Output != "" && len(p.Policy) > 0 {
		text := append(bytes.TrimRight(bytes.Clone(p.Policy), "\n"), '\n')
		if err := os.WriteFile(c.Output, text, 0o666); err != nil {
			return fmt.Errorf("cannot write the policy: %w", err)
		}
	}
	if c.Format == "json" {
		if err := printJSON(sys.stdout, newPlanJSON(p)); err != nil {
			return err
		}
	} else {
		writePlan(sys.screen, in.bucket.Name, p, c.Output)
	}
	if !p.Empty() || len(p.Refused) > 0 {
		return errFindings
	}
	return nil
}

// writePlan prints a plan, and the policy too unless it went to a file.
func writePlan(s screen, bucket string, p repair.Plan, file string) {
	writeChanges(s, bucket, p)
	switch {
	case len(p.Policy) == 0:
	case file != "":
		s.printf("\nThe policy is in %s.\n", clean(file))
	case p.Changed:
		s.printf("\n%s\n%s\n", s.paint(bold, "The policy:"), cleanLines(indentJSON(p.Policy)))
	}
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
	edits := map[string]bool{}
	for _, r := range p.Refused {
		s.printf("  %s\n", s.paint(mild, "refused "+clean(r.Finding)))
		s.indented(4, clean(r.Reason))
		// One statement may block several things.
		if r.Edit != "" && !edits[r.Edit] {
			edits[r.Edit] = true
			s.printf("    the statement as it would have to read:\n")
			s.block(6, r.Edit)
		}
	}
	if p.Diff != "" {
		s.printf("\n")
		s.diff(p.Diff)
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
