package alert

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Project is the address of the project's pages.
const Project = "https://github.com/trailwarden/trailwarden"

// FindingURL returns the address of the page that says what a finding means and
// what to do.
func FindingURL(id string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return -1
	}, id)
	return Project + "/blob/main/docs/findings.md#" + cut(plain, 60)
}

// Step is one thing to do now.
type Step struct {
	Text     string   `json:"text"`               // one or two plain sentences
	Commands []string `json:"commands,omitempty"` // to be pasted into a shell, in order
}

// maxSteps is how many steps are told. They come in the order of the table, the
// most urgent first.
const maxSteps = 8

// maxTargets is for how many trails a step's commands are given.
const maxTargets = 5

// NextSteps returns what to do now, the most urgent first.
func NextSteps(s Notice) []Step { return newView(s, widest()).next }

// steps applies the table to the story.
func (d *view) steps() []Step {
	var steps []Step
	for _, r := range rules() {
		if len(r.kinds) > 0 && !slices.Contains(r.kinds, d.Kind) {
			continue
		}
		found := d.matching(r)
		if r.finding != "" && len(found) == 0 {
			continue
		}
		if r.held && d.Held == "" || r.sound && d.state.rank() > weak.rank() {
			continue
		}
		step := Step{Text: r.text, Commands: d.commands(r, found)}
		if len(r.commands) > 0 && len(step.Commands) == 0 {
			step.Text = strings.TrimSuffix(step.Text, ":") + "."
		}
		if steps = append(steps, step); len(steps) == maxSteps {
			break
		}
	}
	return steps
}

// matching returns the findings that the rule speaks of.
func (d *view) matching(r rule) []delivery.Finding {
	var found []delivery.Finding
	for _, f := range d.Report.Findings {
		if r.speaksOf(f, d.isRefused(f)) {
			found = append(found, f)
		}
	}
	return found
}

func (r rule) speaksOf(f delivery.Finding, isRefused bool) bool {
	t, _ := delivery.Lookup(f.ID)
	switch {
	case r.finding == "", r.finding != anyFinding && r.finding != t.Family:
		return false
	case r.need == restorable:
		return f.Restorable && !isRefused
	case r.need == refused:
		return !f.Restorable || isRefused
	case r.need == denied:
		return !f.Restorable
	case r.need == obstructed:
		return f.Restorable && isRefused
	}
	return true
}

// isRefused reports whether the plan leaves the finding as it is.
func (d *view) isRefused(f delivery.Finding) bool {
	for _, r := range d.Plan.Refused {
		if r.Finding == f.ID && (r.Trail == "" || r.Trail == f.Trail) {
			return true
		}
	}
	return false
}

// commands returns the rule's commands: those that name a trail once for each
// trail of the findings, or of the bucket where the findings name none.
func (d *view) commands(r rule, found []delivery.Finding) []string {
	var arns []string
	for _, f := range found {
		if f.Trail != "" {
			arns = append(arns, f.Trail)
		}
	}
	if len(arns) == 0 {
		for _, t := range d.trails {
			arns = append(arns, t.arn)
		}
	}
	if len(arns) == 0 {
		arns = []string{""}
	}
	var commands []string
	for _, arn := range arns[:min(len(arns), maxTargets)] {
		values := map[string]string{
			"bucket": d.bucket(), "account": d.Account,
			"trail": arn, "name": trailName(arn), "region": trailRegion(arn),
		}
		for _, c := range r.commands {
			line := expand(c, values)
			if strings.HasPrefix(line, "trailwarden required") && d.hasOrganization() {
				line += " --organization-id ORGANIZATION-ID"
			}
			if line != "" && !slices.Contains(commands, line) {
				commands = append(commands, line)
			}
		}
	}
	return commands
}

// hasOrganization reports whether a trail of the bucket is an organization trail.
func (d *view) hasOrganization() bool {
	return slices.ContainsFunc(d.trails, func(h hit) bool { return h.organization })
}

// bucket returns the name of the bucket, or "" where the story is about a trail
// that has none any more.
func (d *view) bucket() string {
	if strings.HasPrefix(d.Report.Bucket, "arn:") {
		return ""
	}
	return d.Report.Bucket
}
