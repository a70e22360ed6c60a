package alert

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
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
	Commands []string `json:"commands,omitempty"` // to be pasted into a shell, in order, each on one line
}

// step is a step with its commands in parts.
type step struct {
	text     string
	commands []command
}

// maxSteps is how many steps are given. They come in the order of the table, the
// most urgent first.
const maxSteps = 8

// maxTargets is for how many trails a step's commands are given.
const maxTargets = 5

// NextSteps returns what to do now, the most urgent first.
func NextSteps(n Notice) []Step { return newView(n, widest()).nextSteps() }

func (v *view) nextSteps() []Step {
	var steps []Step
	for _, s := range v.next {
		step := Step{Text: s.text}
		for _, c := range s.commands {
			step.Commands = append(step.Commands, c.line())
		}
		steps = append(steps, step)
	}
	return steps
}

// steps applies the table to the notice.
func (v *view) steps() []step {
	families := make([]string, len(v.Report.Findings))
	for i, f := range v.Report.Findings {
		t, _ := delivery.LookupType(f.ID)
		families[i] = t.Family
	}
	var steps []step
	for _, r := range rules() {
		if len(r.kinds) > 0 && !slices.Contains(r.kinds, v.Kind) {
			continue
		}
		found := v.matching(r, families)
		if !r.about.met(v.isOfOrganization()) || r.beside != always && v.allWrong(r.beside) {
			continue
		}
		if r.finding != "" && len(found) == 0 {
			continue
		}
		if r.held && v.Held == "" || r.sound && v.state.rank() > weak.rank() || r.unmended && len(v.Mended) > 0 {
			continue
		}
		commands, complete := v.commands(r, found)
		again, known := v.again()
		if r.former && !known || r.unremembered && known {
			continue
		}
		if r.former {
			commands = again
		}
		if r.whole && !complete || r.finding != "" && len(commands) > 0 && repeats(steps, commands) {
			continue
		}
		s := step{text: v.stepText(r, found, len(commands) == 0), commands: commands}
		if steps = append(steps, s); len(steps) == maxSteps {
			break
		}
	}
	return steps
}

// again are the commands that make the deleted trail again, if it is known how it was.
func (v *view) again() (commands []command, known bool) {
	if v.Former == nil {
		return nil, false
	}
	return remake(*v.Former)
}

// repeats reports whether earlier steps have all of the commands.
func repeats(steps []step, commands []command) bool {
	var before []command
	for _, s := range steps {
		before = append(before, s.commands...)
	}
	return !slices.ContainsFunc(commands, func(c command) bool { return !slices.Contains(before, c) })
}

// stepText is the rule's text with its values. Without commands, it does not promise any.
func (v *view) stepText(r rule, found []delivery.Finding, bare bool) string {
	var statements []string
	for _, f := range found {
		for _, s := range f.Statements {
			if !slices.Contains(statements, s) {
				statements = append(statements, s)
			}
		}
	}
	named := "the statement that stands in its way"
	if len(statements) > 0 {
		named = "statement " + strings.Join(some(statements, 0, "statement"), ", ")
	}
	read := "the time of this message"
	if !v.At.IsZero() {
		read = stamp(v.At)
	}
	insights := ""
	if v.Former != nil && v.Former.InsightSelectors {
		insights = " Which Insights it had, the call tells that is looked up."
	}
	text := strings.NewReplacer("{statements}", named, "{read}", read, "{insights}", insights).Replace(r.text)
	if bare {
		text = strings.TrimSuffix(text, ":")
		return strings.TrimSuffix(text, ".") + "."
	}
	if others := v.foreign(r, found); others != "" {
		text = strings.TrimSuffix(text, ":") + " (aws cloudtrail with credentials of account " + others + "):"
	}
	return text
}

// foreign names the accounts of the trails that the rule's commands are about, where they are
// other ones than the alert's.
func (v *view) foreign(r rule, found []delivery.Finding) string {
	if r.need == theirs || !slices.ContainsFunc(r.commands, func(c string) bool { return strings.HasPrefix(c, "aws cloudtrail ") && strings.Contains(c, "{trail}") }) {
		return ""
	}
	var accounts []string
	for _, name := range v.concerned(found) {
		if a := string(arn.Split(name).Account); a != "" && a != v.Account && !slices.Contains(accounts, a) {
			accounts = append(accounts, a)
		}
	}
	return strings.Join(some(accounts, 0, "account"), ", ")
}

// matching returns the findings that the rule speaks of, given the family of
// each finding.
func (v *view) matching(r rule, families []string) []delivery.Finding {
	if r.finding == "" {
		return nil
	}
	var found []delivery.Finding
	for i, f := range v.Report.Findings {
		if (r.finding == families[i] || r.finding == anyFinding) && !v.isEcho(f) && r.need.met(f, v.isRefused(f), v.isOurs(f)) {
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
	case settings:
		return delivery.UpdateFlags(f.Lost, "") != ""
	case selectors:
		return slices.Contains(f.Lost, trail.PartManagement)
	case ofRCP:
		known, _ := delivery.LookupType(f.ID)
		return known.Source == delivery.SourceRCP
	case always:
	}
	return true
}

// allWrong reports whether all findings that are no weakness are as the need says, and there are some.
func (v *view) allWrong(n need) bool {
	wrong := false
	for _, f := range v.Report.Findings {
		if f.Kind != delivery.Weakness {
			if !n.met(f, v.isRefused(f), v.isOurs(f)) {
				return false
			}
			wrong = true
		}
	}
	return wrong
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

// concerned are the ARNs of the trails that the findings name, or of those of the bucket where
// they name none.
func (v *view) concerned(found []delivery.Finding) []string {
	var arns []string
	for _, f := range found {
		if f.Trail != "" && !slices.Contains(arns, f.Trail) {
			arns = append(arns, f.Trail)
		}
	}
	if len(arns) == 0 {
		for _, t := range v.trails {
			arns = append(arns, t.arn)
		}
	}
	return arns
}

// commands returns the rule's commands: those that name a trail once for each
// trail of the findings. Complete is false if one of them could not be given.
func (v *view) commands(r rule, found []delivery.Finding) (commands []command, complete bool) {
	arns := v.concerned(found)
	if len(arns) == 0 {
		arns = []string{""}
	}
	complete = len(r.commands) > 0
	for _, name := range arns[:min(len(arns), maxTargets)] {
		values, flags := v.values(name), ""
		for _, f := range found {
			if r.flags && f.Trail == name {
				flags, values["lost-key"] = delivery.UpdateFlags(f.Lost, "{lost-key}"), f.LostKey
			}
		}
		for _, template := range r.commands {
			template += flags
			if values["organization"] == "" && v.hasOrganization() {
				template = strings.Replace(template, ofOrganization, askOrganization, 1)
			}
			words, attached, _ := strings.Cut(template, " @")
			var c command
			var ok bool
			if c.words, ok = expand(words, values); ok && attached != "" {
				c.document, ok = v.document(attached)
			}
			if complete = complete && ok; ok && !slices.Contains(commands, c) {
				commands = append(commands, c)
			}
		}
	}
	return commands, complete
}

// values are what the commands may name. What is not known is empty.
func (v *view) values(trailARN string) map[string]string {
	values := map[string]string{
		"bucket": v.bucket(), "account": v.Account, "region": v.Region, "location": location(v.Region),
		"trail": trailARN, "name": trailName(trailARN), "home": trailRegion(trailARN),
		"stack": cmp.Or(v.Stack.Region, v.Region), "organization": v.Organization.ID,
		"new": v.newBucket(), "seen-from": v.seenFrom(),
	}
	values["global"] = globalRegion(arn.Region(values["stack"]).Partition())
	values["stack-location"] = location(values["stack"])
	if v.Stack.Account == v.Account {
		values["table"] = v.Stack.Table
	}
	if i := slices.IndexFunc(v.Trails, func(t trail.Trail) bool { return t.ARN == trailARN }); i >= 0 {
		values["key"] = v.Trails[i].KMSKeyID
		values["key-region"] = cmp.Or(string(arn.Split(v.Trails[i].KMSKeyID).Region), values["home"])
	}
	return values
}

// globalRegion is where AWS Organizations is asked; empty: it is not known.
// Source: AWS General Reference, ao.html.
func globalRegion(p arn.Partition) string {
	return map[arn.Partition]string{arn.Commercial: "us-east-1", arn.China: "cn-northwest-1", arn.GovCloud: "us-gov-west-1"}[p]
}

// location is how CreateBucket wants a region, which is not at all for us-east-1.
// Source: CreateBucket in the API reference of Amazon S3.
func location(region string) string {
	if region == "us-east-1" {
		return ""
	}
	return region
}

// document is what a command ends in: the policy to put. It is given whole or not at all.
func (v *view) document(name string) (document string, ok bool) {
	text := v.Mended
	switch name {
	case "documented":
		text = v.documented(v.bucket())
	case "documented-new":
		text = v.documented(v.newBucket())
	}
	if document, ok = asciiJSON(text); !ok || len(document) > v.caps.document {
		return "", false
	}
	return document, true
}

// documented is the policy that AWS documents for the bucket's trails, in a bucket of that
// name; nil where it is not known.
func (v *view) documented(bucket string) []byte {
	trails := slices.Clone(v.Trails)
	for i := range trails {
		trails[i].Bucket = bucket
	}
	text, err := trail.DocumentedPolicy(trails, trail.Environment{Bucket: bucket, Organization: v.Organization})
	if bucket == "" || err != nil {
		return nil
	}
	return text
}

// newBucket is a name for a bucket that takes the place of this one: of the form that the console
// of CloudTrail makes, and the same for each alert on the bucket.
func (v *view) newBucket() string {
	if !arn.Account(v.Account).Valid() || v.bucket() == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(v.Account + "/" + v.bucket()))
	return fmt.Sprintf("aws-cloudtrail-logs-%s-%x", v.Account, sum[:4])
}

// seenFrom is a region in which DescribeTrails shows all trails of the bucket to its account:
// one that is home to all but those for all regions. Empty: there is none.
func (v *view) seenFrom() string {
	var region string
	for _, t := range v.Trails {
		if !t.Organization && t.Account() != v.Account {
			return ""
		}
		if !t.MultiRegion && region != "" && region != t.HomeRegion {
			return ""
		}
		if !t.MultiRegion || region == "" {
			region = t.HomeRegion
		}
	}
	for _, t := range v.Trails {
		if !t.MultiRegion && t.HomeRegion != region {
			return ""
		}
	}
	return region
}

// hasOrganization reports whether a trail of the bucket is an organization trail.
func (v *view) hasOrganization() bool {
	return slices.ContainsFunc(v.Trails, func(t trail.Trail) bool { return t.Organization })
}

// bucket returns the name of the bucket, or "" where the notice is about a trail
// that has none any more.
func (v *view) bucket() string {
	if v.isOfTrail() || v.isOfAccount() || v.isOfOrganization() {
		return ""
	}
	return v.Report.Bucket
}
