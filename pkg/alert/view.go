package alert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// maxMessage is the size that a message may have, in bytes, attributes included.
// SNS takes 256 KiB, but a mail of that length is read by nobody, and a few
// messages that wait have to fit into one item of 400 KB of the ledger.
const maxMessage = 48 << 10

// caps are how much of a story is told.
type caps struct {
	field int // bytes of one text
	list  int // entries of one list
	lines int // lines of a policy or a diff
}

// widest are the caps that all but monstrous stories stay within.
func widest() caps { return caps{field: 1000, list: 50, lines: 160} }

// half returns narrower caps, down to ones that fit a message for any story.
func (c caps) half() caps {
	return caps{field: max(c.field/2, 250), list: max(c.list/2, 3), lines: max(c.lines/2, 10)}
}

// view is a story made fit to print: every text in it is clean and cut, every
// list short and with the worst first.
type view struct {
	Notice
	caps     caps
	severity delivery.Severity
	state    state
	before   delivery.Verdict
	trails   []hit
	former   []hit // the trails as they were before the repair
	diff     []string
	theirs   []string // the policy that was overwritten
	ours     []string // the policy that was written over it
	next     []Step
	left     left
}

// hit is a trail of the bucket and what it is refused.
type hit struct {
	arn, name, account, region string
	organization               bool
	verdict                    delivery.Verdict
	unmet                      []delivery.RequirementReport
}

// left is how much of a story was left out, by what it was.
type left struct {
	trails, findings, changes, statuses, planned, refused, notes, diff, theirs, ours int
}

// newView copies the story within the caps. It does not change s.
func newView(s Notice, c caps) *view {
	d := &view{Notice: s, caps: c, severity: worst(s), state: stateOf(s.Report)}
	d.Kind = Kind(d.clean(string(s.Kind)))
	d.At, d.Since = instant(s.At), instant(s.Since)
	d.Account, d.Region = d.clean(s.Account), d.clean(s.Region)
	d.Failure, d.Held = d.clean(s.Failure), d.clean(s.Held)
	d.Notes, d.left.notes = shorten(s.Notes, c, d.clean)
	d.Changes, d.left.changes = shorten(s.Changes, c, d.change)
	d.Statuses, d.left.statuses = shorten(s.Statuses, c, d.status)
	d.report()
	d.plan()
	if s.Before != nil {
		d.before = delivery.Verdict(d.clean(string(s.Before.Verdict)))
		d.former, _ = shorten(byBadness(s.Before.Trails), c, d.hit)
	}
	d.theirs, d.left.theirs = lines(indented(s.Overwritten), c.lines/2, c.field)
	if len(s.Overwritten) > 0 {
		d.ours, d.left.ours = lines(indented(s.Plan.Policy), c.lines/2, c.field)
	}
	d.next = d.steps()
	return d
}

// report makes the judgement fit to print.
func (d *view) report() {
	r := d.Report
	d.Report.Bucket = d.clean(r.Bucket)
	d.Report.Verdict = delivery.Verdict(d.clean(string(r.Verdict)))
	d.Report.Faults, _ = shorten(r.Faults, d.caps, d.clean)

	d.trails, d.left.trails = shorten(byBadness(r.Trails), d.caps, d.hit)

	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b delivery.Finding) int {
		return cmp.Compare(a.Severity.Rank(), b.Severity.Rank())
	})
	d.Report.Findings, d.left.findings = shorten(findings, d.caps, d.finding)
}

// byBadness returns the trails with the worst first.
func byBadness(trails []delivery.TrailReport) []delivery.TrailReport {
	trails = slices.Clone(trails)
	slices.SortStableFunc(trails, func(a, b delivery.TrailReport) int {
		return cmp.Compare(badness(b.Verdict), badness(a.Verdict))
	})
	return trails
}

// affected returns the trails that something is wrong with: now, or before the
// repair, or all of them where nothing tells them apart.
func (d *view) affected() []hit {
	troubled := map[string]bool{}
	for _, f := range d.Report.Findings {
		if f.Kind != delivery.Weakness {
			troubled[f.Trail] = true
		}
	}
	for _, trails := range [][]hit{d.trails, d.former} {
		bad := slices.DeleteFunc(slices.Clone(trails), func(h hit) bool {
			return h.verdict == delivery.Delivering && !troubled[h.arn]
		})
		if len(bad) > 0 {
			return bad
		}
	}
	return d.trails
}

// plan makes the plan fit to print.
func (d *view) plan() {
	p := d.Plan
	d.Plan.Changes, d.left.planned = shorten(p.Changes, d.caps, func(c repair.Change) repair.Change {
		return repair.Change{Action: d.clean(c.Action), Statement: d.clean(c.Statement), Reason: d.clean(c.Reason)}
	})
	d.Plan.Refused, d.left.refused = shorten(p.Refused, d.caps, func(r repair.Refusal) repair.Refusal {
		return repair.Refusal{Finding: d.clean(r.Finding), Trail: d.clean(r.Trail), Reason: d.clean(r.Reason), Edit: d.edit(r.Edit)}
	})
	d.diff, d.left.diff = lines(p.Diff, d.caps.lines, d.caps.field)
}

func (d *view) hit(t delivery.TrailReport) hit {
	of := trail.Trail{ARN: t.ARN}
	h := hit{
		arn:     d.clean(t.ARN),
		name:    d.clean(trailName(t.ARN)),
		account: d.clean(of.Account()),
		region:  d.clean(trailRegion(t.ARN)),
		verdict: delivery.Verdict(d.clean(string(t.Verdict))),
	}
	for _, r := range t.Requirements {
		// Only organization trails have this requirement.
		h.organization = h.organization || r.ID == trail.ManagementAccountFiles
		if r.Decision == policy.Allowed || len(h.unmet) == d.caps.list {
			continue
		}
		h.unmet = append(h.unmet, delivery.RequirementReport{
			ID:         trail.RequirementID(d.clean(string(r.ID))),
			Decision:   policy.Outcome(d.clean(string(r.Decision))),
			Statements: d.statements(r.Statements),
			Why:        d.clean(r.Why),
		})
	}
	return h
}

func (d *view) finding(f delivery.Finding) delivery.Finding {
	return delivery.Finding{
		ID:         d.clean(f.ID),
		Kind:       delivery.Kind(d.clean(string(f.Kind))),
		Severity:   delivery.Severity(d.clean(string(f.Severity))),
		Trail:      d.clean(f.Trail),
		Statements: d.statements(f.Statements),
		Message:    d.clean(f.Message),
		Remedy:     d.clean(f.Remedy),
		Restorable: f.Restorable,
		Edit:       d.edit(f.Edit),
	}
}

func (d *view) change(c delivery.Change) delivery.Change {
	return delivery.Change{
		Event:     d.clean(c.Event),
		Time:      instant(c.Time),
		Actor:     d.clean(c.Actor),
		SourceIP:  d.clean(c.SourceIP),
		UserAgent: cut(d.clean(c.UserAgent), 120),
		EventID:   d.clean(c.EventID),
		Account:   d.clean(c.Account),
		Region:    d.clean(c.Region),
		ErrorCode: d.clean(c.ErrorCode),
		Trail:     d.clean(c.Trail),
	}
}

func (d *view) status(s trail.Status) trail.Status {
	s.ARN = d.clean(s.ARN)
	s.DeliveryError = d.clean(s.DeliveryError)
	s.DigestError = d.clean(s.DigestError)
	for _, t := range []*time.Time{
		&s.DeliveredAt, &s.DeliveryAttempt, &s.DigestDeliveredAt, &s.StartedLoggingAt, &s.StoppedLoggingAt,
	} {
		*t = instant(*t)
	}
	return s
}

// clean makes one text fit for one line.
func (d *view) clean(s string) string { return fit(s, d.caps.field) }

func (d *view) statements(names []string) []string {
	short, n := shorten(names, caps{list: 10}, d.clean)
	if n > 0 {
		short = append(short, more(n, "statement"))
	}
	return short
}

// edit cleans a statement of several lines.
func (d *view) edit(text string) string {
	kept, n := lines(text, d.caps.lines, d.caps.field)
	if n > 0 {
		kept = append(kept, more(n, "line"))
	}
	return strings.Join(kept, "\n")
}

// shorten returns at most c.list entries, each changed by f, and how many it
// left out.
func shorten[T, U any](all []T, c caps, f func(T) U) (short []U, left int) {
	left = max(len(all)-c.list, 0)
	for _, t := range all[:len(all)-left] {
		short = append(short, f(t))
	}
	return short, left
}

// indented returns a policy as indented JSON, or as it is if it is no JSON.
func indented(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}

// trailName returns the name in a trail's ARN, or what was given.
func trailName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":trail/"); ok && name != "" {
		return name
	}
	return arn
}

// trailRegion returns the home region in a trail's ARN, or "".
func trailRegion(arn string) string {
	if fields := strings.SplitN(arn, ":", 6); len(fields) == 6 {
		return fields[3]
	}
	return ""
}

// instant returns t in UTC, or the zero time if its year does not have four
// digits, which neither JSON nor people can read.
func instant(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
