package alert

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Where the project is, and its page on findings.
const (
	Project      = "https://github.com/trailwarden/trailwarden"
	FindingsPage = Project + "/blob/main/docs/findings.md"
)

// FindingURL returns the address of the page that says what a finding means and
// what to do.
func FindingURL(id string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return -1
	}, id)
	return FindingsPage + "#" + cut(plain, 60)
}

// Step is one thing to do now.
type Step struct {
	Text     string   `json:"text"`               // one or two plain sentences
	Commands []string `json:"commands,omitempty"` // to be pasted into a shell, in order
}

// maxSteps is how many steps are given. They come in the order of the table, the
// most urgent first.
const maxSteps = 8

// maxTargets is for how many trails a step's commands are given.
const maxTargets = 5

// NextSteps returns what to do now, the most urgent first.
func NextSteps(n Notice) []Step { return newView(n, widest()).next }

// steps applies the table to the notice.
func (v *view) steps() []Step {
	families := make([]string, len(v.Report.Findings))
	for i, f := range v.Report.Findings {
		t, _ := delivery.LookupType(f.ID)
		families[i] = t.Family
	}
	var steps []Step
	for _, r := range rules() {
		if len(r.kinds) > 0 && !slices.Contains(r.kinds, v.Kind) {
			continue
		}
		found := v.matching(r, families)
		if r.finding != "" && len(found) == 0 {
			continue
		}
		if r.held && v.Held == "" || r.sound && v.state.rank() > weak.rank() {
			continue
		}
		step := Step{Text: r.text, Commands: v.commands(r, found)}
		if len(r.commands) > 0 && len(step.Commands) == 0 {
			step.Text = strings.TrimSuffix(step.Text, ":") + "."
		}
		if steps = append(steps, step); len(steps) == maxSteps {
			break
		}
	}
	return steps
}

// matching returns the findings that the rule speaks of, given the family of
// each finding.
func (v *view) matching(r rule, families []string) []delivery.Finding {
	if r.finding == "" {
		return nil
	}
	var found []delivery.Finding
	for i, f := range v.Report.Findings {
		if (r.finding == families[i] || r.finding == anyFinding) && r.need.met(f, v.isRefused(f), v.isOurs(f)) {
			found = append(found, f)
		}
	}
	return found
}

// met reports whether a finding is as it needs to be.
func (n need) met(f delivery.Finding, isRefused, isOurs bool) bool {
	switch n {
	case restorable:
		return f.Restorable && !isRefused
	case refused:
		return !f.Restorable || isRefused
	case denied:
		return !f.Restorable
	case obstructed:
		return f.Restorable && isRefused
	case ours:
		return isOurs
	case theirs:
		return !isOurs
	case always:
	}
	return true
}

// isOurs reports whether the finding's trail is of the account that the alert is
// about, as far as that is known. A trail without an account is an
// organization's: see isOfTrail.
func (v *view) isOurs(f delivery.Finding) bool {
	return f.Trail == "" || v.Account == "" || string(arn.Split(f.Trail).Account) == v.Account
}

// isRefused reports whether the plan leaves the finding as it is.
func (v *view) isRefused(f delivery.Finding) bool {
	for _, r := range v.Plan.Refused {
		if r.Finding == f.ID && (r.Trail == "" || r.Trail == f.Trail) {
			return true
		}
	}
	return false
}

// commands returns the rule's commands: those that name a trail once for each
// trail of the findings, or of the bucket where the findings name none.
func (v *view) commands(r rule, found []delivery.Finding) []string {
	var arns []string
	for _, f := range found {
		if f.Trail != "" {
			arns = append(arns, f.Trail)
		}
	}
	if len(arns) == 0 {
		for _, t := range v.trails {
			arns = append(arns, t.arn)
		}
	}
	if len(arns) == 0 {
		arns = []string{""}
	}
	var commands []string
	for _, arn := range arns[:min(len(arns), maxTargets)] {
		values := map[string]string{
			"bucket": v.bucket(), "account": v.Account,
			"trail": arn, "name": trailName(arn), "region": trailRegion(arn),
		}
		for _, c := range r.commands {
			line := expand(c, values)
			if strings.HasPrefix(line, "trailwarden required") && v.hasOrganization() {
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
func (v *view) hasOrganization() bool {
	return slices.ContainsFunc(v.trails, func(t affectedTrail) bool { return t.organization })
}

// bucket returns the name of the bucket, or "" where the notice is about a trail
// that has none any more.
func (v *view) bucket() string {
	if v.isOfTrail() {
		return ""
	}
	return v.Report.Bucket
}
