package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// text writes the notice as an e-mail: what happened and what to do first, the
// evidence below.
func (v *view) text() string {
	var p page
	p.fixed(opening(v.Kind, v.state))
	p.WriteByte('\n')
	v.writeFacts(&p)
	v.writeSteps(&p)
	v.writeFindings(&p)
	v.writeStatuses(&p)
	v.writeRefusals(&p)
	v.writeDiff(&p)
	v.writeOverwritten(&p)
	v.writeNotes(&p)
	v.writeLast(&p)
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
			text = strings.TrimSuffix(text, ":") + ". The command is at the end of this message."
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

func (v *view) writeFindings(p *page) {
	if len(v.Report.Findings) == 0 && len(v.Report.Faults) == 0 {
		return
	}
	p.heading("Findings")
	shown := map[string]string{} // remedy -> id of the finding that it was shown for
	for i, f := range v.Report.Findings {
		if i > 0 {
			p.WriteByte('\n')
		}
		if id, same := shown[f.Remedy]; same {
			f.Remedy = "the same as for " + id
		} else if f.Remedy != "" {
			shown[f.Remedy] = f.ID
		}
		v.writeFinding(p, f)
	}
	if v.omitted.findings > 0 {
		p.item(2, "", more(v.omitted.findings, "finding"))
	}
	for _, fault := range v.Report.Faults {
		p.item(2, "The policy looks faulty: ", fault)
	}
}

func (v *view) writeFinding(p *page, f delivery.Finding) {
	title := string(f.Severity) + "  " + f.ID
	if f.Trail != "" {
		title += "  (trail " + trailName(f.Trail) + ")"
	}
	p.WriteString("  " + title + "\n")
	p.item(4, "", f.Message)
	if f.Remedy != "" {
		p.item(4, "Remedy: ", f.Remedy)
	}
	if f.Edit != "" && !v.shownAsRefusal(f.Edit) {
		p.item(4, "", "The statement would have to read:")
		p.block("      ", strings.Split(f.Edit, "\n"))
	}
	p.WriteString("    " + FindingURL(f.ID) + "\n")
}

// shownAsRefusal reports whether the edit stands under "Not restored" anyway.
func (v *view) shownAsRefusal(edit string) bool {
	for _, r := range v.Plan.Refused {
		if r.Edit == edit {
			return true
		}
	}
	return false
}

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
	return text
}

// writeRefusals writes what is left as it is, with findings that have the same
// reason together.
func (v *view) writeRefusals(p *page) {
	if len(v.Plan.Refused) == 0 {
		return
	}
	p.heading("Not restored")
	shown := map[repair.Refusal]bool{}
	for _, r := range v.Plan.Refused {
		same := repair.Refusal{Reason: r.Reason, Edit: r.Edit}
		if shown[same] {
			continue
		}
		shown[same] = true
		p.item(2, "", v.refusedFor(same)+":")
		p.item(4, "", r.Reason)
		if r.Edit != "" {
			p.item(4, "", "The statement would have to read:")
			p.block("      ", strings.Split(r.Edit, "\n"))
		}
	}
	if v.omitted.refused > 0 {
		p.item(2, "", more(v.omitted.refused, "refusal"))
	}
}

// refusedFor names the findings that are refused for the same reason.
func (v *view) refusedFor(same repair.Refusal) string {
	var ids []string
	for _, r := range v.Plan.Refused {
		id := r.Finding
		if r.Trail != "" {
			id += " (trail " + trailName(r.Trail) + ")"
		}
		if r.Reason == same.Reason && r.Edit == same.Edit && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, ", ")
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
