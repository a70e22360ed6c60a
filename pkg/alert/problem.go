package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// problem is one cause of findings, with all that it brings about. A Deny that stops the log
// files stops the digest files too: that is one thing to mend, not two.
type problem struct {
	Severity delivery.Severity `json:"severity"`
	Title    string            `json:"title"`            // a sentence without a full stop
	Stops    []string          `json:"stops,omitempty"`  // what it stops, in words
	Trails   []string          `json:"trails,omitempty"` // ARNs of the trails concerned
	Findings []string          `json:"findings"`         // ids, the worst first
	Message  string            `json:"message"`          // of the worst finding
	Remedy   string            `json:"remedy,omitempty"`
	// Refused says why Trailwarden leaves it as it is, where the remedy does not say it.
	Refused string `json:"refused,omitempty"`
	Link    string `json:"link"`

	edit  string // the statement as it would have to read: JSON, which the findings have too
	cause string
}

// problems returns the findings by what causes them, the worst first.
func (v *view) problems() []problem {
	problems := []problem{}
	for _, f := range v.Report.Findings {
		if v.isEcho(f) {
			continue
		}
		known, _ := delivery.LookupType(f.ID)
		cause := causeOf(f, known)
		i := slices.IndexFunc(problems, func(p problem) bool { return p.cause == cause })
		if i < 0 {
			i = len(problems)
			problems = append(problems, problem{
				Severity: f.Severity, Title: cut(titleOf(f, known), v.caps.field), Message: f.Message, Remedy: f.Remedy,
				edit: f.Edit, Link: FindingURL(f.ID), cause: cause,
			})
		}
		p := &problems[i]
		if words := requirementWords(known.Requirement); words != "" && !slices.Contains(p.Stops, words) {
			p.Stops = append(p.Stops, words)
		}
		if f.Trail != "" && !slices.Contains(p.Trails, f.Trail) {
			p.Trails = append(p.Trails, f.Trail)
		}
		if !slices.Contains(p.Findings, f.ID) {
			p.Findings = append(p.Findings, f.ID)
		}
		if reason := v.refusal(f); p.Refused == "" && (f.Edit == "" || v.Before != nil) && !strings.Contains(reason, f.Remedy) {
			p.Refused = reason
		}
	}
	return problems
}

// isEcho reports whether the finding only shows what another one explains: CloudTrail has met it.
func (v *view) isEcho(f delivery.Finding) bool {
	known, _ := delivery.LookupType(f.ID)
	return known.Symptom && slices.ContainsFunc(v.Report.Findings, func(other delivery.Finding) bool {
		t, _ := delivery.LookupType(other.ID)
		return other.Kind == delivery.Outage && !t.Symptom && (other.Trail == f.Trail || other.Trail == "")
	})
}

// causeOf tells causes apart: a statement, or that there is none; else the finding itself.
func causeOf(f delivery.Finding, known delivery.FindingType) string {
	statements := strings.Join(f.Statements, "\n")
	switch {
	case known.Family == delivery.DeniedFamily && f.Edit != "":
		return "denied by\n" + statements
	case known.Requirement != "":
		return known.Family + "\n" + f.Chain + "\n" + statements
	case f.Chain != "": // one key stops all trails that use it
		return f.ID + "\n" + f.Chain + "\n" + statements
	case known.Source == delivery.SourceRCP:
		return known.Family + "\n" + statements
	}
	return f.ID + "\n" + f.Trail + "\n" + statements
}

// titleOf says what is the matter in a few words.
func titleOf(f delivery.Finding, known delivery.FindingType) string {
	named := "Statement " + strings.Join(f.Statements, ", ")
	if len(f.Statements) > 1 {
		named = "Statements " + strings.Join(f.Statements, ", ")
	}
	letIn := " let CloudTrail in"
	if known.Source == delivery.SourceKey {
		named, letIn = named+" of the key", " let CloudTrail use it"
	}
	switch {
	case known.Title == "":
		return f.ID
	case known.Requirement == "":
		return known.Title
	case known.Family == delivery.UndeterminedFamily && len(f.Statements) > 0:
		return "It is not certain what is decided by " + lowerFirst(named)
	case known.Family == delivery.UndeterminedFamily:
		return "It is not certain that CloudTrail is let in"
	case f.Edit != "" && len(f.Statements) > 1:
		return named + " deny CloudTrail"
	case f.Edit != "":
		return named + " denies CloudTrail"
	case len(f.Statements) > 0:
		return named + " does not" + letIn + ", and no other does"
	}
	if known.Source == delivery.SourceKey {
		return "No statement of the key lets CloudTrail use it"
	}
	return "No statement lets CloudTrail in"
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// refusal is why the plan leaves the finding as it is; empty: it does not, or a plan is not wanted.
func (v *view) refusal(f delivery.Finding) string {
	for _, r := range v.Plan.Refused {
		if (v.OptedIn || v.Before != nil) && r.Finding == f.ID && (r.Trail == "" || r.Trail == f.Trail) {
			return r.Reason
		}
	}
	return ""
}

// requirementWords says what a requirement is about, for people who do not know its id.
func requirementWords(id trail.RequirementID) string {
	switch id {
	case trail.BucketACL:
		return "the check of the bucket's ACL"
	case trail.LogFiles:
		return "log files"
	case trail.DigestFiles:
		return "digest files"
	case trail.InsightsFiles:
		return "Insights files"
	case trail.NetworkActivityFiles:
		return "files of network activity events"
	case trail.AggregatedFiles:
		return "files of aggregated events"
	case trail.ManagementAccountFiles:
		return "the test file of an organization trail that is changed"
	case trail.PreflightMarker:
		return "the test file of a trail that is made or changed"
	case trail.KeyEncrypt:
		return "the encryption of files"
	case trail.KeyDescribe, trail.KeyDecrypt:
		return "the use of the key by a trail that is made or changed"
	case trail.TopicPublish:
		return "notifications"
	case trail.TopicKey:
		return "the encryption of notifications"
	}
	return string(id)
}

// wordsOf are the requirements in words; everything, if they are all that the trail has.
func wordsOf(unmet []delivery.RequirementReport, all bool) string {
	var words []string
	for _, r := range unmet {
		words = append(words, requirementWords(r.ID))
	}
	if all && len(words) > 1 {
		return "everything"
	}
	return strings.Join(words, ", ")
}

// refusedWords are all that trails are refused, in words.
func (v *view) refusedWords() []string {
	var words []string
	for _, t := range v.trails {
		for _, r := range t.unmet {
			if w := requirementWords(r.ID); !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	if len(words) == 0 {
		return []string{"not known"}
	}
	return words
}

// writeProblems writes what is wrong, each cause once.
func (v *view) writeProblems(p *page) {
	problems := v.problems()
	if len(problems) == 0 && len(v.Report.Faults) == 0 {
		return
	}
	p.heading("What is wrong")
	edits := map[string]string{} // edit -> title of the problem that it was shown with
	for i, pr := range problems {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.item(2, "", fmt.Sprintf("%s  %s", pr.Severity, pr.Title))
		p.item(4, "", pr.Message)
		if len(pr.Stops) > 1 {
			p.item(4, "Stops: ", strings.Join(pr.Stops, ", "))
		}
		if names := trailNames(pr.Trails); len(v.trails) > 1 && len(names) > 0 {
			p.item(4, "Trails: ", strings.Join(some(names, 0, "trail"), ", "))
		}
		if pr.Remedy != "" {
			p.item(4, "Remedy: ", pr.Remedy)
		}
		if pr.Refused != "" {
			p.item(4, "Not restored: ", pr.Refused)
		}
		if title, shown := edits[pr.edit]; shown && pr.edit != "" {
			p.item(4, "", "The statement would have to read as for: "+title)
		} else if pr.edit != "" {
			edits[pr.edit] = pr.Title
			p.item(4, "", "The statement would have to read:")
			p.block("      ", strings.Split(pr.edit, "\n"))
		}
		p.WriteString("    " + pr.Link + "\n")
	}
	if v.omitted.findings > 0 {
		p.item(2, "", more(v.omitted.findings, "finding"))
	}
	for _, fault := range v.Report.Faults {
		p.item(2, "The policy looks faulty: ", fault)
	}
}

func trailNames(arns []string) []string {
	var names []string
	for _, name := range arns {
		names = append(names, trailName(name))
	}
	return names
}
