package cli

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/trailwarden/trailwarden/docs"
	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// The findings that are no finding of a report: what S3 would refuse in a
// policy, what it may refuse, and a bucket that an audit could not judge.
const (
	invalidRule  = "policy-invalid"
	doubtfulRule = "policy-perhaps-invalid"
	unjudgedRule = "bucket-not-judged"
)

// The types of a rule.
type (
	sarifRule struct {
		ID                   string         `json:"id"`
		Name                 string         `json:"name"`
		ShortDescription     sarifText      `json:"shortDescription"`
		FullDescription      sarifText      `json:"fullDescription"`
		Help                 sarifHelp      `json:"help"`
		HelpURI              string         `json:"helpUri"`
		DefaultConfiguration sarifDefault   `json:"defaultConfiguration"`
		Properties           map[string]any `json:"properties"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
)

// newSARIFRule is the rule of a finding. It is the same for all findings of the
// rule: what differs from case to case stands in the result.
func newSARIFRule(f delivery.Finding) sarifRule {
	severity := f.Severity
	t, known := delivery.LookupType(f.ID)
	if known {
		severity = t.Severity
	}
	help := findingHelp(f.ID)
	properties := map[string]any{"tags": []string{"security", "cloudtrail", string(f.Kind)}}
	if len(t.Controls) > 0 {
		properties["controls"] = t.Controls
	}
	if score := securitySeverity(severity); score != "" {
		properties["security-severity"] = score
	}
	return sarifRule{
		ID: f.ID, Name: ruleName(f.ID),
		ShortDescription: sarifText{ruleSummary(f.ID)},
		FullDescription:  sarifText{cmp.Or(meaning(help), ruleSummary(f.ID))},
		Help: sarifHelp{
			Text:     cmp.Or(strings.ReplaceAll(help, "**", ""), ruleSummary(f.ID)),
			Markdown: cmp.Or(help, ruleSummary(f.ID)),
		},
		HelpURI:              ruleHelp(f.ID),
		DefaultConfiguration: sarifDefault{sarifLevel(severity)},
		Properties:           properties,
	}
}

// findingHelp is what docs/findings.md says of a finding, without its heading and
// with whole addresses in its links. Empty: it has no such heading.
func findingHelp(id string) string {
	_, section, found := strings.Cut(docs.Findings, "\n## "+id+"\n")
	if !found {
		return ""
	}
	if end := regexp.MustCompile(`(?m)^##? `).FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	section = strings.ReplaceAll(section, "](#", "]("+findingsPage+"#")
	page := strings.TrimSuffix(findingsPage, "findings.md")
	section = regexp.MustCompile(`\]\(([a-z-]+\.md)`).ReplaceAllString(section, "]("+page+"$1")
	return strings.TrimSpace(section)
}

// meaning is the sentences of a finding's help that say what it means, on one
// line. GitHub takes 1,024 characters.
func meaning(help string) string {
	_, text, _ := strings.Cut(help, "**What it means.** ")
	text, _, _ = strings.Cut(text, "\n\n")
	text = strings.Join(strings.Fields(text), " ")
	for length(text) > 1024 {
		end := strings.LastIndex(strings.TrimSuffix(text, "."), ". ")
		if end < 0 {
			return ""
		}
		text = text[:end+1]
	}
	return text
}

// ruleName is an id in the form that names of rules have: LogFilesDenied.
func ruleName(id string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		if word != "" {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}

// securitySeverity is the score that code scanning sorts by: over 9 is
// critical, 7 to 8.9 high, 4 to 6.9 medium, below low. Empty: none, which 0.0
// would not say.
func securitySeverity(s delivery.Severity) string {
	switch s {
	case delivery.Critical:
		return "9.5"
	case delivery.High:
		return "8.0"
	case delivery.Medium:
		return "5.5"
	case delivery.Low:
		return "2.0"
	case delivery.Informational:
		return ""
	}
	return "5.5"
}

// ruleSummary says in a few words what a finding id is about.
func ruleSummary(id string) string {
	switch id {
	case invalidRule:
		return "S3 would refuse the policy"
	case doubtfulRule:
		return "S3 may refuse the policy"
	case unjudgedRule:
		return "The bucket could not be judged"
	}
	t, _ := delivery.LookupType(id)
	return cmp.Or(t.Title, id)
}

// ruleHelp is the address of a rule's heading on the page of the findings.
func ruleHelp(id string) string { return alert.FindingURL(id) }

// semanticVersion is a version as https://semver.org has it, or empty: what was
// built has no tag.
func semanticVersion(version string) string {
	bare := strings.TrimPrefix(version, "v")
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`).MatchString(bare) {
		return ""
	}
	return bare
}
