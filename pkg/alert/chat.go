package alert

import (
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// The bounds of a chat notification. AWS publishes the names of the fields and
// their meaning, and no lengths that could be verified; these keep within a section block
// of Slack (3,000 characters), the narrowest of the clients.
const (
	maxChatTitle       = 200
	maxChatDescription = 2500
	maxChatStep        = 450
	maxChatSteps       = 5
	maxChatResources   = 10
	maxChatWord        = 120
)

// chatNotification is the custom notification of Amazon Q Developer in chat
// applications. Source: its administrator guide, custom-notifs.html.
type chatNotification struct {
	Version  string       `json:"version"`
	Source   string       `json:"source"`
	ID       string       `json:"id,omitempty"`
	Content  chatContent  `json:"content"`
	Metadata chatMetadata `json:"metadata"`
}

type chatContent struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type chatMetadata struct {
	ThreadID         string            `json:"threadId"`
	Summary          string            `json:"summary"`
	EventType        string            `json:"eventType"`
	RelatedResources []string          `json:"relatedResources,omitempty"`
	Context          map[string]string `json:"additionalContext"`
}

// chat writes the notice as a chat notification. Alerts of one bucket share a
// thread.
func (v *view) chat(subject string) string {
	context := v.attributes()
	// What the buttons of a chat go by: docs/operations.md, "Buttons in a chat".
	for name, value := range map[string]string{
		"verdict": string(v.Report.Verdict), "state": string(v.state), "action": v.action(), "incident": v.Incident,
	} {
		if value != "" {
			context[name] = cut(ascii(value), maxChatWord)
		}
	}
	for _, t := range first(v.affected(), 1) {
		if arn.IsTrail(t.arn) {
			context["trail"], context["trailRegion"] = t.arn, trailRegion(t.arn)
		}
	}
	id := ""
	if v.Incident != "" && v.Revision > 0 {
		id = cut(ascii(fmt.Sprintf("%s-%d", v.Incident, v.Revision)), maxChatWord)
	}
	return encode(chatNotification{
		Version: "1.0",
		Source:  "custom",
		ID:      id,
		Content: chatContent{
			TextType:    "client-markdown",
			Title:       cut(escapeMarkup(subject), maxChatTitle),
			Description: v.chatDescription(),
			NextSteps:   v.chatSteps(),
			Keywords:    v.chatKeywords(),
		},
		Metadata: chatMetadata{
			ThreadID:         cut(ascii("trailwarden-"+v.Account+"-"+trailName(v.Report.Bucket)), maxChatWord),
			Summary:          cut(escapeMarkup(subject), maxChatTitle),
			EventType:        "trailwarden-" + v.knownKind(),
			RelatedResources: v.chatResources(),
			Context:          context,
		},
	})
}

// chatDescription is the opening and the facts, as many as fit.
func (v *view) chatDescription() string {
	var b strings.Builder
	b.WriteString(v.opening() + "\n")
	fact := func(label string, texts ...string) {
		for _, t := range texts {
			line := "*" + label + ":* " + code(t) + "\n"
			if b.Len()+len(line) <= maxChatDescription {
				b.WriteString(line)
			}
		}
	}
	fact(v.about())
	if !v.isOfOrganization() {
		fact("Verdict", v.verdict())
	}
	fact("Lost", given(strings.Join(v.lost(), " "))...)
	fact("Since", v.since())
	fact("Changed by", first(v.changeLines(), 4)...)
	fact("Cause", first(reasons(v.trails), 5)...)
	fact("Done", first(v.done(), 4)...)
	if len(v.trails) > 0 {
		fact("Accounts", v.accounts())
		fact("Trail", first(v.trailLines(), 5)...)
	}
	if v.Blind {
		fact("Blind", "no trail of the account is logging: AWS sends no events any more")
	}
	l := v.links()
	addresses := given(l.Runbook, l.Bucket, l.Trail, l.Event)
	for _, p := range first(v.problems(), 3) {
		addresses = append(addresses, p.Link)
	}
	for _, address := range addresses {
		if line := escapeMarkup(address) + "\n"; b.Len()+len(line) <= maxChatDescription {
			b.WriteString(line)
		}
	}
	return b.String()
}

// chatSteps are the steps, each command on a line of its own. One that is too long, such as a whole
// policy, is left out, and the step says so.
func (v *view) chatSteps() []string {
	const left = " (too long for a chat)"
	var steps []string
	for _, s := range first(v.next, maxChatSteps) {
		text, complete := escapeMarkup(s.text), true
		for _, c := range s.commands {
			if shown := "\n" + code(c.line()); len(text)+len(shown) <= maxChatStep-len(left) {
				text += shown
			} else {
				complete = false
			}
		}
		if !complete {
			text = cut(text, maxChatStep-len(left)) + left
		}
		steps = append(steps, cut(text, maxChatStep))
	}
	return steps
}

func (v *view) chatKeywords() []string {
	words := []string{"CloudTrail", string(v.severity), v.knownKind()}
	if name := v.target(); name != "" {
		words = append(words, cut(escapeMarkup(ascii(name)), maxChatWord))
	}
	return words
}

func (v *view) chatResources() []string {
	var resources []string
	for _, t := range first(v.trails, maxChatResources) {
		if t.arn != "" {
			resources = append(resources, cut(ascii(t.arn), 2*maxChatWord))
		}
	}
	return resources
}

// knownKind returns the kind, or "unknown" if it is none of the kinds.
func (v *view) knownKind() string {
	switch v.Kind {
	case Opened, Changed, Restored, RestoreFailed, BudgetExhausted, Resolved, Reminder:
		return string(v.Kind)
	case Nothing:
	}
	return "unknown"
}

// code shows data as it is: nothing in it is markup, a link or a mention.
func code(s string) string {
	return "`" + escapeMarkup(strings.ReplaceAll(cut(s, 2*maxChatStep), "`", "'")) + "`"
}

// escapeMarkup takes the meaning from what chat clients read as links, mentions
// or tags. Source: Slack API, "Formatting text".
func escapeMarkup(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func first[T any](all []T, n int) []T { return all[:min(len(all), n)] }
