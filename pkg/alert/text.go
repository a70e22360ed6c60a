package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// text writes the story as an e-mail: what happened and what to do first, the
// evidence below.
func (d *view) text() string {
	var p page
	p.fixed(opening(d.Kind, d.state))
	p.WriteByte('\n')
	d.writeFacts(&p)
	d.writeSteps(&p)
	d.writeFindings(&p)
	d.writeStatuses(&p)
	d.writeRefusals(&p)
	d.writeDiff(&p)
	d.writeOverwritten(&p)
	d.writeNotes(&p)
	p.WriteString("\n-- \nTrailwarden, " + Project + "\n")
	return p.String()
}

func (d *view) writeSteps(p *page) {
	p.heading("What to do now")
	for i, s := range d.next {
		p.item(1, fmt.Sprintf("%d. ", i+1), s.Text)
		for _, c := range s.Commands {
			p.command(c)
		}
	}
}

func (d *view) writeFindings(p *page) {
	if len(d.Report.Findings) == 0 && len(d.Report.Faults) == 0 {
		return
	}
	p.heading("Findings")
	told := map[string]string{} // remedy -> id of the finding that told it
	for i, f := range d.Report.Findings {
		if i > 0 {
			p.WriteByte('\n')
		}
		if id, same := told[f.Remedy]; same {
			f.Remedy = "the same as for " + id
		} else if f.Remedy != "" {
			told[f.Remedy] = f.ID
		}
		d.writeFinding(p, f)
	}
	if d.left.findings > 0 {
		p.item(2, "", more(d.left.findings, "finding"))
	}
	for _, fault := range d.Report.Faults {
		p.item(2, "The policy looks faulty: ", fault)
	}
}

func (d *view) writeFinding(p *page, f delivery.Finding) {
	title := string(f.Severity) + "  " + f.ID
	if f.Trail != "" {
		title += "  (trail " + trailName(f.Trail) + ")"
	}
	p.WriteString("  " + title + "\n")
	p.item(4, "", f.Message)
	if f.Remedy != "" {
		p.item(4, "Remedy: ", f.Remedy)
	}
	if f.Edit != "" && !d.shownAsRefusal(f.Edit) {
		p.item(4, "", "The statement would have to read:")
		p.block("      ", strings.Split(f.Edit, "\n"))
	}
	p.WriteString("    " + FindingURL(f.ID) + "\n")
}

// shownAsRefusal reports whether the edit stands under "Not restored" anyway.
func (d *view) shownAsRefusal(edit string) bool {
	for _, r := range d.Plan.Refused {
		if r.Edit == edit {
			return true
		}
	}
	return false
}

func (d *view) writeStatuses(p *page) {
	if len(d.Statuses) == 0 {
		return
	}
	p.heading("What CloudTrail itself reports (it can be minutes behind)")
	for _, s := range d.Statuses {
		p.item(2, "", statusText(s))
	}
	if d.left.statuses > 0 {
		p.item(2, "", more(d.left.statuses, "trail"))
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
func (d *view) writeRefusals(p *page) {
	if len(d.Plan.Refused) == 0 {
		return
	}
	p.heading("Not restored")
	told := map[repair.Refusal]bool{}
	for _, r := range d.Plan.Refused {
		same := repair.Refusal{Reason: r.Reason, Edit: r.Edit}
		if told[same] {
			continue
		}
		told[same] = true
		p.item(2, "", d.refusedFor(same)+":")
		p.item(4, "", r.Reason)
		if r.Edit != "" {
			p.item(4, "", "The statement would have to read:")
			p.block("      ", strings.Split(r.Edit, "\n"))
		}
	}
	if d.left.refused > 0 {
		p.item(2, "", more(d.left.refused, "refusal"))
	}
}

// refusedFor names the findings that are refused for the same reason.
func (d *view) refusedFor(same repair.Refusal) string {
	var ids []string
	for _, r := range d.Plan.Refused {
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

func (d *view) writeDiff(p *page) {
	if len(d.diff) == 0 {
		return
	}
	if d.Kind == Restored {
		p.heading("What was changed in the policy")
	} else {
		p.heading("What restoring would change in the policy")
	}
	p.block("  | ", d.diff)
	if d.left.diff > 0 {
		p.item(2, "", more(d.left.diff, "line")+": the change is cut here")
	}
}

func (d *view) writeOverwritten(p *page) {
	if len(d.theirs) == 0 {
		return
	}
	p.heading("The policy that was replaced")
	p.block("  | ", d.theirs)
	if d.left.theirs > 0 {
		p.item(2, "", more(d.left.theirs, "line"))
	}
	p.heading("The policy that Trailwarden wrote")
	p.block("  | ", d.ours)
	if d.left.ours > 0 {
		p.item(2, "", more(d.left.ours, "line"))
	}
}

func (d *view) writeNotes(p *page) {
	if len(d.Notes) == 0 {
		return
	}
	p.heading("Notes")
	for _, n := range d.Notes {
		p.item(2, "- ", n)
	}
	if d.left.notes > 0 {
		p.item(2, "", more(d.left.notes, "note"))
	}
}
