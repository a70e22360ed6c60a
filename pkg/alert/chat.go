package alert

import (
	"strings"
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

// chat writes the story as a chat notification. Alerts of one bucket share a
// thread.
func (d *view) chat(subject string) string {
	context := d.attributes()
	if v := cut(string(d.Report.Verdict), maxChatWord); v != "" {
		context["verdict"] = v
	}
	return encode(chatNotification{
		Version: "1.0",
		Source:  "custom",
		Content: chatContent{
			TextType:    "client-markdown",
			Title:       cut(escapeMarkup(subject), maxChatTitle),
			Description: d.chatDescription(),
			NextSteps:   d.chatSteps(),
			Keywords:    d.chatKeywords(),
		},
		Metadata: chatMetadata{
			ThreadID:         cut(ascii("trailwarden-"+d.Account+"-"+trailName(d.Report.Bucket)), maxChatWord),
			Summary:          cut(escapeMarkup(subject), maxChatTitle),
			EventType:        "trailwarden-" + d.knownKind(),
			RelatedResources: d.chatResources(),
			Context:          context,
		},
	})
}

// chatDescription is the opening and the facts, as many as fit.
func (d *view) chatDescription() string {
	var b strings.Builder
	b.WriteString(opening(d.Kind, d.state) + "\n")
	fact := func(label string, texts ...string) {
		for _, t := range texts {
			line := "*" + label + ":* " + code(t) + "\n"
			if b.Len()+len(line) <= maxChatDescription {
				b.WriteString(line)
			}
		}
	}
	fact("Bucket", d.place())
	fact("Verdict", d.verdict())
	fact("Since", d.since())
	fact("Changed by", first(d.changeLines(), 4)...)
	fact("Done", first(d.done(), 4)...)
	if len(d.trails) > 0 {
		fact("Accounts", d.accounts())
		fact("Trail", first(d.trailLines(), 5)...)
	}
	fact("Statement", first(reasons(d.trails), 5)...)
	if d.Blind {
		fact("Blind", "no trail of the account is logging: AWS sends no events any more")
	}
	for _, f := range first(d.Report.Findings, 3) {
		if line := FindingURL(f.ID) + "\n"; b.Len()+len(line) <= maxChatDescription {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (d *view) chatSteps() []string {
	var steps []string
	for _, s := range first(d.next, maxChatSteps) {
		text := escapeMarkup(s.Text)
		for _, c := range s.Commands {
			if shown := " " + code(c); len(text)+len(shown) <= maxChatStep {
				text += shown
			}
		}
		steps = append(steps, cut(text, maxChatStep))
	}
	return steps
}

func (d *view) chatKeywords() []string {
	words := []string{"CloudTrail", string(d.severity), d.knownKind()}
	if name := d.target(); name != "" {
		words = append(words, cut(escapeMarkup(ascii(name)), maxChatWord))
	}
	return words
}

func (d *view) chatResources() []string {
	var resources []string
	for _, t := range first(d.trails, maxChatResources) {
		if t.arn != "" {
			resources = append(resources, cut(ascii(t.arn), 2*maxChatWord))
		}
	}
	return resources
}

// knownKind returns the kind, or "unknown" if it is none of the kinds.
func (d *view) knownKind() string {
	switch d.Kind {
	case Opened, Changed, Restored, RestoreFailed, Fight, Resolved, Reminder:
		return string(d.Kind)
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
