package alert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// maxMessage is the size that a message may have, in bytes, attributes included.
// SNS takes 256 KiB, but a mail of that length is read by nobody, and a few
// messages that wait have to fit into one item of 400 KB of the ledger.
const maxMessage = 48 << 10

// caps are how much of a notice is shown.
type caps struct {
	field int // bytes of one text
	list  int // entries of one list
	lines int // lines of a policy or a diff
	// document is how long the document of a command may be, in bytes. A longer one is left out
	// with its command.
	document int
}

// widest are the caps that all but monstrous notices stay within.
func widest() caps { return caps{field: 1000, list: 50, lines: 160, document: 20 << 10} }

// half returns narrower caps, down to ones that fit a message for any notice. What a command
// needs gives way last: evidence can be looked up.
func (c caps) half() caps {
	narrow := caps{field: max(c.field/2, 250), list: max(c.list/2, 3), lines: max(c.lines/2, 6), document: c.document}
	if narrow == c {
		narrow.document /= 2
	}
	return narrow
}

// view is a notice made fit to print: every text in it is clean and cut, every
// list short and with the worst first.
type view struct {
	Notice
	caps     caps
	severity delivery.Severity
	state    state
	before   delivery.Verdict
	trails   []affectedTrail
	former   []affectedTrail // the trails as they were before the repair
	diff     []string
	bare     bool     // the bucket has no policy, so that the diff says no more than the whole policy
	theirs   []string // the policy that was overwritten
	ours     []string // the policy that was written over it
	next     []step
	omitted  omitted
}

// affectedTrail is a trail of the bucket and what it is refused.
type affectedTrail struct {
	arn, name, account, region string
	organization               bool
	verdict                    delivery.Verdict
	unmet                      []delivery.RequirementReport
	all                        bool // nothing that it needs is allowed
}

// omitted is how much of a notice was left out, by what it was.
type omitted struct {
	trails, findings, changes, statuses, planned, refused, notes, diff, theirs, ours int
}

// newView copies the notice within the caps. It does not change n.
func newView(n Notice, c caps) *view {
	v := &view{Notice: n, caps: c, severity: worst(n), state: stateOf(n.Report)}
	v.Kind = Kind(v.clean(string(n.Kind)))
	v.At, v.Since = instant(n.At), instant(n.Since)
	v.Account, v.AccountName, v.Region = v.clean(n.Account), v.clean(n.AccountName), v.clean(n.Region)
	v.Failure, v.Held = v.clean(n.Failure), v.clean(n.Held)
	v.Notes, v.omitted.notes = shorten(n.Notes, c, v.clean)
	v.Changes, v.omitted.changes = shorten(effective(n.Changes), c, v.cleanChange)
	if n.Noticed != nil {
		noticed := v.cleanChange(*n.Noticed)
		v.Noticed = &noticed
	}
	v.Statuses, v.omitted.statuses = shorten(n.Statuses, c, v.cleanStatus)
	v.cleanReport()
	v.cleanPlan()
	if n.Before != nil {
		v.before = delivery.Verdict(v.clean(string(n.Before.Verdict)))
		v.former, _ = shorten(byBadness(n.Before.Trails), c, v.cleanTrail)
	}
	v.Incident = cut(ascii(n.Incident), c.field)
	v.Stack = Stack{Account: v.clean(n.Stack.Account), Region: v.clean(n.Stack.Region), Table: v.clean(n.Stack.Table), Runbook: v.clean(n.Stack.Runbook)}
	v.theirs, v.omitted.theirs = lines(indented(n.Overwritten), c.lines/2, c.field)
	if len(n.Overwritten) > 0 {
		v.ours, v.omitted.ours = lines(indented(n.Plan.Policy), c.lines/2, c.field)
	}
	v.next = v.steps()
	v.bare = slices.ContainsFunc(v.next, step.isLast) &&
		slices.ContainsFunc(n.Report.Findings, func(f delivery.Finding) bool { return f.ID == delivery.PolicyMissingID })
	return v
}

// effective are the calls without those that failed, unless there are no others.
func effective(calls []delivery.Change) []delivery.Change {
	failed := func(c delivery.Change) bool { return c.ErrorCode != "" }
	if made := slices.DeleteFunc(slices.Clone(calls), failed); len(made) > 0 {
		return made
	}
	return calls
}

// cleanReport makes the judgement fit to print.
func (v *view) cleanReport() {
	r := v.Report
	v.Report.Bucket = v.clean(r.Bucket)
	v.Report.Verdict = delivery.Verdict(v.clean(string(r.Verdict)))
	v.Report.Faults, _ = shorten(r.Faults, v.caps, v.clean)

	v.trails, v.omitted.trails = shorten(byBadness(r.Trails), v.caps, v.cleanTrail)

	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b delivery.Finding) int {
		return cmp.Compare(a.Severity.Rank(), b.Severity.Rank())
	})
	v.Report.Findings, v.omitted.findings = shorten(findings, v.caps, v.cleanFinding)
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
func (v *view) affected() []affectedTrail {
	troubled := map[string]bool{}
	for _, f := range v.Report.Findings {
		if findingState(f).rank() > weak.rank() {
			troubled[f.Trail] = true
		}
	}
	for _, trails := range [][]affectedTrail{v.trails, v.former} {
		bad := slices.DeleteFunc(slices.Clone(trails), func(t affectedTrail) bool {
			return t.verdict == delivery.Delivering && !troubled[t.arn]
		})
		if len(bad) > 0 {
			return bad
		}
	}
	return v.trails
}

// cleanPlan makes the plan fit to print.
func (v *view) cleanPlan() {
	p := v.Plan
	v.Plan.Changes, v.omitted.planned = shorten(p.Changes, v.caps, func(c repair.Change) repair.Change {
		return repair.Change{Action: v.clean(c.Action), Statement: v.clean(c.Statement), Reason: v.clean(c.Reason)}
	})
	v.Plan.Refused, v.omitted.refused = shorten(p.Refused, v.caps, func(r repair.Refusal) repair.Refusal {
		return repair.Refusal{Finding: v.clean(r.Finding), Trail: v.clean(r.Trail), Reason: v.clean(r.Reason), Edit: v.cleanEdit(r.Edit)}
	})
	v.diff, v.omitted.diff = lines(p.Diff, v.caps.lines, v.caps.field)
}

func (v *view) cleanTrail(t delivery.TrailReport) affectedTrail {
	of := trail.Trail{ARN: t.ARN}
	a := affectedTrail{
		arn:     v.clean(t.ARN),
		name:    v.clean(trailName(t.ARN)),
		account: v.clean(of.Account()),
		region:  v.clean(trailRegion(t.ARN)),
		verdict: delivery.Verdict(v.clean(string(t.Verdict))),
	}
	a.all = len(t.Requirements) > 0
	for _, r := range t.Requirements {
		a.all = a.all && r.Decision != policy.Allowed
		// Only organization trails have this requirement.
		a.organization = a.organization || r.ID == trail.ManagementAccountFiles
		if r.Decision == policy.Allowed || len(a.unmet) == v.caps.list {
			continue
		}
		a.unmet = append(a.unmet, delivery.RequirementReport{
			ID:         trail.RequirementID(v.clean(string(r.ID))),
			Decision:   policy.Outcome(v.clean(string(r.Decision))),
			Statements: v.cleanNames(r.Statements),
			Why:        v.clean(r.Why),
		})
	}
	return a
}

func (v *view) cleanFinding(f delivery.Finding) delivery.Finding {
	return delivery.Finding{
		ID:         v.clean(f.ID),
		Kind:       delivery.Kind(v.clean(string(f.Kind))),
		Severity:   delivery.Severity(v.clean(string(f.Severity))),
		Trail:      v.clean(f.Trail),
		Target:     trail.Target(v.clean(string(f.Target))),
		Chain:      v.clean(f.Chain),
		Statements: v.cleanNames(f.Statements),
		Message:    v.clean(f.Message),
		Remedy:     v.clean(f.Remedy),
		Restorable: f.Restorable,
		Edit:       v.cleanEdit(f.Edit),
		Lost:       f.Lost,
		LostKey:    v.clean(f.LostKey),
	}
}

func (v *view) cleanChange(c delivery.Change) delivery.Change {
	return delivery.Change{
		Event:     v.word(c.Event),
		Time:      instant(c.Time),
		Actor:     v.cleanName(c.Actor, maxActor),
		SourceIP:  v.clean(c.SourceIP),
		UserAgent: cut(v.clean(c.UserAgent), 120),
		EventID:   v.word(c.EventID),
		Account:   v.word(c.Account),
		Region:    v.word(c.Region),
		Chain:     v.clean(c.Chain),
		ErrorCode: v.word(c.ErrorCode),
		Trail:     v.clean(c.Trail),
		Target:    v.clean(c.Target),
		Effect:    v.word(c.Effect),

		AccessKeyID: v.word(c.AccessKeyID),
		MFA:         v.word(c.MFA),

		Via:           v.cleanName(c.Via, maxVia),
		OnBehalfOf:    v.cleanName(c.OnBehalfOf, maxVia),
		LinkedService: v.word(c.LinkedService),
	}
}

// How long the names of a caller may be. Together they fit into one line of a
// chat message.
const (
	maxActor = 440
	maxVia   = 200
)

// cleanName makes a name fit for one line. It keeps its end, which says most.
func (v *view) cleanName(s string, limit int) string { return fitEnds(s, min(limit, v.caps.field)) }

func (v *view) cleanStatus(s trail.Status) trail.Status {
	s.ARN = v.clean(s.ARN)
	s.DeliveryError = v.clean(s.DeliveryError)
	s.DigestError = v.clean(s.DigestError)
	s.NotificationError, s.LogsError = v.clean(s.NotificationError), v.clean(s.LogsError)
	for _, t := range []*time.Time{
		&s.DeliveredAt, &s.DeliveryAttempt, &s.DigestDeliveredAt, &s.StartedLoggingAt, &s.StoppedLoggingAt,
	} {
		*t = instant(*t)
	}
	return s
}

// word makes a text fit that is a short name wherever AWS gave it out.
func (v *view) word(s string) string { return fit(s, min(v.caps.field, 120)) }

// clean makes one text fit for one line.
func (v *view) clean(s string) string { return fit(s, v.caps.field) }

func (v *view) cleanNames(names []string) []string {
	short, n := shorten(names, caps{list: 10}, v.clean)
	if n > 0 {
		short = append(short, more(n, "statement"))
	}
	return short
}

// cleanEdit cleans a statement of several lines.
func (v *view) cleanEdit(text string) string {
	kept, n := lines(text, v.caps.lines, v.caps.field)
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

// isOfTrail reports whether the alert is about a trail, whose ARN then stands
// for the bucket. The ARN has no account where nobody knows whose it was.
func (v *view) isOfTrail() bool {
	named := arn.Split(v.Report.Bucket)
	return named.Service == "cloudtrail" && strings.HasPrefix(named.Resource, "trail/")
}

// isOfAccount reports whether the alert is about an account, which then stands for
// the bucket.
func (v *view) isOfAccount() bool { return aboutAccount(v.Report.Bucket) }

func aboutAccount(bucket string) bool {
	_, ok := delivery.AccountOf(bucket)
	return ok
}

// isOfOrganization reports whether the alert is about an organization, which then stands
// for the bucket.
func (v *view) isOfOrganization() bool { return aboutOrganization(v.Report.Bucket) }

func aboutOrganization(bucket string) bool {
	_, ok := delivery.OrganizationOf(bucket)
	return ok
}

// trailName returns the name in a trail's ARN, or what was given.
func trailName(text string) string {
	if name, ok := strings.CutPrefix(arn.Split(text).Resource, "trail/"); ok && name != "" {
		return name
	}
	return text
}

// trailRegion returns the home region in a trail's ARN, or "".
func trailRegion(text string) string {
	a, _ := arn.Parse(text)
	return string(a.Region)
}

// instant returns t in UTC, or the zero time if its year does not have four
// digits, which neither JSON nor people can read.
func instant(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
