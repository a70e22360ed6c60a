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
	offline
	Harden bool   `help:"Also bind CloudTrail's grants to their trails and replace legacy account principals."`
	Output string `placeholder:"FILE" help:"Write the policy to this file."`
	Format string `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run plans and prints.
func (c *planCommand) Run(e *environment) error {
	in, err := c.load(e)
	if err != nil {
		return err
	}
	report := delivery.Judge(in.bucket, in.trails, in.setting)
	p := repair.For(in.bucket, in.trails, in.setting, report, repair.Options{Harden: c.Harden})
	if c.Output != "" && len(p.Policy) > 0 {
		text := append(bytes.TrimRight(bytes.Clone(p.Policy), "\n"), '\n')
		if err := os.WriteFile(c.Output, text, 0o666); err != nil {
			return fmt.Errorf("cannot write the policy: %w", err)
		}
	}
	if c.Format == "json" {
		if err := e.printJSON(planJSON(p)); err != nil {
			return err
		}
	} else {
		e.writePlan(in.bucket.Name, p, c.Output)
	}
	if !p.Empty() || len(p.Refused) > 0 {
		return errFindings
	}
	return nil
}

// planOut is the JSON of a plan.
type planOut struct {
	Changed bool             `json:"changed"`
	Policy  json.RawMessage  `json:"policy"`
	Diff    string           `json:"diff"`
	Changes []repair.Change  `json:"changes"`
	Refused []repair.Refusal `json:"refused"`
}

func planJSON(p repair.Plan) planOut {
	out := planOut{
		Changed: !p.Empty(), Policy: p.Policy, Diff: p.Diff,
		Changes: orEmpty(p.Changes), Refused: orEmpty(p.Refused),
	}
	if len(out.Policy) == 0 {
		out.Policy = json.RawMessage("null")
	}
	return out
}

// writePlan prints a plan, and the policy too unless it went to a file.
func (e *environment) writePlan(bucket string, p repair.Plan, file string) {
	e.writeChanges(bucket, p)
	switch {
	case len(p.Policy) == 0:
	case file != "":
		printf(e.stdout, "\nThe policy is in %s.\n", clean(file))
	case p.Changed:
		printf(e.stdout, "\n%s\n%s\n", e.screen.paint(bold, "The policy:"), cleanLines(indentJSON(p.Policy)))
	}
}

// writeChanges prints what a plan changes and refuses, and its diff.
func (e *environment) writeChanges(bucket string, p repair.Plan) {
	switch {
	case p.Empty() && len(p.Refused) == 0:
		printf(e.stdout, "%s: nothing to change.\n", clean(bucket))
	case p.Empty():
		printf(e.stdout, "%s: nothing that can be changed automatically.\n", clean(bucket))
	default:
		printf(e.stdout, "%s: to change:\n", clean(bucket))
	}
	for _, c := range p.Changes {
		printf(e.stdout, "  %s\n", e.screen.paint(bold, strings.TrimSpace(c.Action+" "+clean(c.Statement))))
		e.screen.indented(e.stdout, 4, clean(c.Reason))
	}
	edits := map[string]bool{}
	for _, r := range p.Refused {
		printf(e.stdout, "  %s\n", e.screen.paint(mild, "refused "+clean(r.Finding)))
		e.screen.indented(e.stdout, 4, clean(r.Reason))
		// One statement may block several things.
		if r.Edit != "" && !edits[r.Edit] {
			edits[r.Edit] = true
			printf(e.stdout, "    the statement as it would have to read:\n")
			e.writeBlock(6, r.Edit)
		}
	}
	if p.Diff != "" {
		printf(e.stdout, "\n")
		e.screen.diff(e.stdout, p.Diff)
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
