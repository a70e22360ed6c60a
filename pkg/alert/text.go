package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// text writes the notice as an e-mail: what happened and what to do first, the
// evidence below.
func (v *view) text() string {
	var p page
	p.fixed(v.opening())
	p.WriteByte('\n')
	v.writeFacts(&p)
	v.writeSteps(&p)
	if v.Kind != Reminder { // the first alert of the incident has it all
		v.writeProblems(&p)
		v.writeStatuses(&p)
		v.writeRefusals(&p)
		v.writeDiff(&p)
		v.writeOverwritten(&p)
		v.writeNotes(&p)
		v.writeLast(&p)
	}
	p.WriteString("\n-- \nTrailwarden, " + Project + "\n")
	return p.String()
}

// writeSteps writes what to do. A step that is nothing but a whole document, such as a policy,
// has its command at the end, so that the steps after it are not far down.
func (v *view) writeSteps(p *page) {
	p.heading("What to do now")
	for i, s := range v.next {
		text := s.text
		if s.isLast() {
			where := "at the end of this message."
			if v.Kind == Reminder {
				where = "at the end of the alert that told of it first."
			}
			text = strings.TrimSuffix(text, ":") + ". The command is " + where
		}
		p.item(1, fmt.Sprintf("%d. ", i+1), text)
		if s.isLast() {
			continue
		}
		for _, c := range s.commands {
			p.command(c)
		}
	}
}

// writeLast writes the commands that the steps left for the end.
func (v *view) writeLast(p *page) {
	headed := false
	for i, s := range v.next {
		if !s.isLast() {
			continue
		}
		if !headed {
			p.heading("Commands with a whole policy")
			headed = true
		}
		p.item(1, fmt.Sprintf("%d. ", i+1), "To be copied as it is, down to the last quotation mark:")
		p.command(s.commands[0])
	}
}

// isLast reports whether the step is nothing but a command with a document.
func (s step) isLast() bool { return len(s.commands) == 1 && s.commands[0].document != "" }

func (v *view) writeStatuses(p *page) {
	if len(v.Statuses) == 0 {
		return
	}
	p.heading("What CloudTrail itself reports (it can be minutes behind)")
	for _, s := range v.Statuses {
		p.item(2, "", statusText(s))
	}
	if v.omitted.statuses > 0 {
		p.item(2, "", more(v.omitted.statuses, "trail"))
	}
}

func statusText(s trail.Status) string {
	text := trailName(s.ARN) + ": not logging"
	if s.Logging {
		text = trailName(s.ARN) + ": logging"
	} else if !s.StoppedLoggingAt.IsZero() {
		text += " since " + stamp(s.StoppedLoggingAt)
	}
	if s.DeliveredAt.IsZero() {
		text += "; no delivery so far"
	} else {
		text += "; last delivery " + stamp(s.DeliveredAt)
	}
	if s.DeliveryError != "" {
		text += "; last error " + s.DeliveryError
	}
	if s.DigestError != "" {
		text += "; last error of digest files " + s.DigestError
	}
	if s.NotificationError != "" {
		text += "; last error of notifications " + s.NotificationError
	}
	if s.LogsError != "" {
		text += "; last error of CloudWatch Logs " + s.LogsError
	}
	return text
}

// writeRefusals writes what is left as it is of what is not among the findings any more.
func (v *view) writeRefusals(p *page) {
	if v.Before == nil && !v.OptedIn {
		return
	}
	var texts []string
	for _, r := range v.Plan.Refused {
		if text := r.Reason; !v.has(r.Finding) && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 && v.omitted.refused == 0 {
		return
	}
	p.heading("Not restored")
	for _, text := range texts {
		p.item(2, "", text)
	}
	if v.omitted.refused > 0 {
		p.item(2, "", more(v.omitted.refused, "refusal"))
	}
}

func (v *view) writeDiff(p *page) {
	if len(v.diff) == 0 || v.Kind != Restored && v.bare {
		return
	}
	if v.Kind == Restored {
		p.heading("What was changed in the policy")
	} else {
		p.heading("What restoring would change in the policy")
	}
	p.block("  | ", v.diff)
	if v.omitted.diff > 0 {
		p.item(2, "", more(v.omitted.diff, "line")+": the change is cut here")
	}
}

func (v *view) writeOverwritten(p *page) {
	if len(v.theirs) == 0 {
		return
	}
	p.heading("The policy that was replaced")
	p.block("  | ", v.theirs)
	if v.omitted.theirs > 0 {
		p.item(2, "", more(v.omitted.theirs, "line"))
	}
	p.heading("The policy that Trailwarden wrote")
	p.block("  | ", v.ours)
	if v.omitted.ours > 0 {
		p.item(2, "", more(v.omitted.ours, "line"))
	}
}

func (v *view) writeNotes(p *page) {
	if len(v.Notes) == 0 {
		return
	}
	p.heading("Notes")
	for _, n := range v.Notes {
		p.item(2, "- ", n)
	}
	if v.omitted.notes > 0 {
		p.item(2, "", more(v.omitted.notes, "note"))
	}
}
