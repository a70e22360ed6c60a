package cli

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

//go:embed page.html
var pageText string

// What stands open on the page; what is more is folded. An account may have
// thousands of buckets, and a page that nobody can read to its end hides what is
// on it. The table of buckets has all of them, and scrolls by itself.
const (
	openCauses = 25
	openPlaces = 20
	openMaps   = 10
	openDiffs  = 3
)

// page is what the HTML page shows.
type page struct {
	Account, Region string
	Names           []string // of the buckets of files
	origin
	// Organization is that of an audit of all its accounts; nil: it is of one.
	Organization  *organizationOverview
	AccountCounts []pageCount
	NotActive     int           // accounts
	UnreadGroups  []unreadGroup // accounts that could not be read
	Version       string
	Unread        []unread // buckets
	Counts        []pageCount
	Severities    []pageSeverity
	Rows          []pageRow    // one for each bucket, the worst first
	Covers        []covers     // of an audit
	Causes        []pageCause  // open
	MoreCauses    []pageCause  // and folded
	Open          []pageBucket // blocked and undetermined, open
	MoreOpen      []pageBucket // and folded
	Fine          []pageBucket // delivering, folded
	NotLookedAt   []string     // and the flags that give it
	Linked        bool         // some of the maps have keys or topics
	Changes       *difference  // nil: not asked
	Accepted      []pageAccepted
	Needs         []pageTerm
	Decisions     []pageTerm
	FindingsPage  string
}

type pageCount struct {
	Verdict delivery.Verdict
	Buckets int
}

// pageSeverity is how many findings have a severity.
type pageSeverity struct {
	Severity delivery.Severity
	Findings int
}

// pageRow is a line of the table of buckets.
type pageRow struct {
	Name, Says, Found string
	Verdict           delivery.Verdict
	Trails            []string // names
}

// pageCause is a cause with its places in two parts.
type pageCause struct {
	cause
	Buckets      int
	Places, More []causePlace
}

// pageAccepted is a weakness that is accepted.
type pageAccepted struct {
	delivery.Finding
	Bucket string
	By     delivery.Acceptance
}

// pageTerm is a name and what it means.
type pageTerm struct {
	Name, Class, Meaning string
	Link                 string // heading on the page of findings; empty: none
}

// pageBucket is a bucket on the map.
type pageBucket struct {
	*bucketOverview
	Verdict  delivery.Verdict
	Lanes    []pageLane
	Reasons  []pageReason // why what CloudTrail needs is not allowed
	Findings int
	Refused  []pageReason
	Diff     []pageLine
	ShowDiff bool // open
}

// pageReason is a sentence, and the ids that it is about.
type pageReason struct {
	IDs  []string
	Text string
}

// pageLane is one trail on its way into the bucket, and to its key and topic.
type pageLane struct {
	delivery.TrailReport
	Trail trail.Trail
	Says  string                       // what CloudTrail itself reports; empty: not asked
	Needs []delivery.RequirementReport // of the bucket
	Links []pageLink
}

// pageLine is one line of a diff.
type pageLine struct{ Class, Text string }

// writePage writes the overview as one page that needs nothing else.
func writePage(w io.Writer, o *overview) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"lower":        func(s any) string { return strings.ToLower(fmt.Sprint(s)) },
		"join":         strings.Join,
		"words":        func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
		"count":        count,
		"findings":     func() string { return findingsPage },
		"remedyUnread": func() string { return remedyUnread },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if err := t.Execute(w, newPage(o)); err != nil {
		return fmt.Errorf("cannot write the page: %w", err)
	}
	return nil
}

func newPage(o *overview) page {
	p := page{
		Account: o.Account, Region: o.Region, origin: o.origin, Version: buildVersion(), Changes: o.changes, FindingsPage: findingsPage,
		Unread: slices.DeleteFunc(o.unread(), func(u unread) bool { _, ofAccount := delivery.AccountOf(u.Bucket); return ofAccount }),
	}
	p.addOrganization(o.organization)
	if o.Account == "" {
		for i := range o.Buckets {
			p.Names = append(p.Names, o.Buckets[i].Bucket.Name)
		}
	}
	// What is wrong comes first.
	for _, verdict := range []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering} {
		n := 0
		for i := range o.Buckets {
			b := &o.Buckets[i]
			if b.verdict() != verdict || b.unreadAccount() {
				continue
			}
			n++
			for _, a := range b.accepted {
				p.Accepted = append(p.Accepted, pageAccepted{a.Finding, b.Bucket.Name, a.By})
			}
			p.Rows = append(p.Rows, newPageRow(b))
			shown := newPageBucket(b)
			p.Linked = p.Linked || slices.ContainsFunc(shown.Lanes, func(l pageLane) bool { return len(l.Links) > 0 })
			switch {
			case verdict == delivery.Delivering && len(o.Buckets) > 1:
				p.Fine = append(p.Fine, shown)
			case len(p.Open) < openMaps:
				shown.ShowDiff = len(p.Open) < openDiffs
				p.Open = append(p.Open, shown)
			default:
				p.MoreOpen = append(p.MoreOpen, shown)
			}
		}
		p.Counts = append(p.Counts, pageCount{verdict, n})
	}
	p.Severities = severitiesOf(o)
	for _, c := range causesOf(o.Buckets) {
		split := min(len(c.Places), openPlaces)
		shown := pageCause{c, len(c.Places), c.Places[:split], c.Places[split:]}
		if len(p.Causes) < openCauses {
			p.Causes = append(p.Causes, shown)
		} else {
			p.MoreCauses = append(p.MoreCauses, shown)
		}
	}
	if o.Account != "" {
		p.Covers = coversOf(o)
	} else { // the flags that are named are those of check
		for i := range o.Buckets {
			p.NotLookedAt = append(p.NotLookedAt, notLookedAt(o.Buckets[i].Report.NotLookedAt)...)
		}
	}
	p.Needs, p.Decisions = termsOf(o)
	return p
}

// addOrganization adds the accounts of an organization.
func (p *page) addOrganization(o *organizationOverview) {
	if o == nil {
		return
	}
	p.Organization, p.UnreadGroups = o, o.unreadAccounts()
	all, active, _ := o.counts()
	p.NotActive = all - active
	for _, verdict := range []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering} {
		n := 0
		for _, a := range o.Accounts {
			if a.Verdict == verdict {
				n++
			}
		}
		p.AccountCounts = append(p.AccountCounts, pageCount{verdict, n})
	}
}

func newPageRow(b *bucketOverview) pageRow {
	row := pageRow{Name: b.Bucket.Name, Verdict: b.verdict()}
	var says []string
	for _, t := range b.Trails {
		row.Trails = append(row.Trails, t.Name)
		if text := b.statusText(t.ARN); !slices.Contains(says, text) {
			says = append(says, text)
		}
	}
	row.Says = strings.Join(says, "; ")
	var found []string
	for _, s := range severitiesOf(&overview{Buckets: []bucketOverview{*b}}) {
		found = append(found, fmt.Sprintf("%d %s", s.Findings, s.Severity))
	}
	if b.Err != nil {
		found = append(found, "not judged")
	}
	if len(b.Report.Faults) > 0 {
		found = append(found, "policy invalid")
	}
	row.Found = strings.Join(found, ", ")
	return row
}

// severitiesOf counts findings by severity, from the highest; none are left out.
func severitiesOf(o *overview) []pageSeverity {
	var out []pageSeverity
	for _, s := range []delivery.Severity{delivery.Critical, delivery.High, delivery.Medium, delivery.Low, delivery.Informational} {
		n := 0
		for i := range o.Buckets {
			for _, f := range o.Buckets[i].Report.Findings {
				if f.Severity == s {
					n++
				}
			}
		}
		if n > 0 {
			out = append(out, pageSeverity{s, n})
		}
	}
	return out
}

func newPageBucket(b *bucketOverview) pageBucket {
	return pageBucket{
		bucketOverview: b, Verdict: b.verdict(), Lanes: lanes(b), Reasons: reasons(b), Findings: len(b.Report.Findings),
		Refused: refusals(b.Plan.Refused), Diff: diffLines(b.Plan.Diff),
	}
}

// reasons says why what CloudTrail needs is not allowed, each sentence once.
func reasons(b *bucketOverview) []pageReason {
	var out []pageReason
	for _, t := range b.Report.Trails {
		for _, r := range t.Requirements {
			if r.Decision != policy.Allowed && r.Why != "" {
				out = addReason(out, r.Why, string(r.ID))
			}
		}
	}
	return out
}

// refusals says why findings are not repaired.
func refusals(refused []repair.Refusal) []pageReason {
	var out []pageReason
	for _, r := range refused {
		out = addReason(out, r.Reason, r.Finding)
	}
	return out
}

// addReason adds an id to the sentence about it: one statement may be in the way of
// several things.
func addReason(all []pageReason, text, id string) []pageReason {
	i := slices.IndexFunc(all, func(r pageReason) bool { return r.Text == text })
	if i < 0 {
		return append(all, pageReason{[]string{id}, text})
	}
	if !slices.Contains(all[i].IDs, id) {
		all[i].IDs = append(all[i].IDs, id)
	}
	return all
}

// termsOf explains the names that stand on the page.
func termsOf(o *overview) (needs, decisions []pageTerm) {
	ids, outcomes := map[trail.RequirementID]bool{}, map[policy.Outcome]bool{}
	for i := range o.Buckets {
		for _, t := range o.Buckets[i].Report.Trails {
			for _, r := range t.Requirements {
				ids[r.ID], outcomes[r.Decision] = true, true
			}
		}
	}
	for _, id := range trail.RequirementIDs() {
		if ids[id] {
			needs = append(needs, pageTerm{Name: string(id), Meaning: needMeaning(id), Link: delivery.DeniedID(id)})
		}
	}
	for _, id := range []trail.RequirementID{trail.KeyEncrypt, trail.KeyDescribe, trail.KeyDecrypt, trail.TopicPublish, trail.TopicKey} {
		if !ids[id] {
			continue
		}
		link := delivery.DeniedID(id)
		if _, known := delivery.LookupType(link); !known {
			link = delivery.NotificationFailingID
		}
		needs = append(needs, pageTerm{Name: string(id), Meaning: needMeaning(id), Link: link})
	}
	for _, outcome := range []policy.Outcome{
		policy.Allowed, policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined, policy.Invalid,
	} {
		if outcomes[outcome] {
			decisions = append(decisions, pageTerm{Name: string(outcome), Class: string(outcome), Meaning: decisionMeaning(outcome)})
		}
	}
	return needs, decisions
}

func lanes(b *bucketOverview) []pageLane {
	var out []pageLane
	for _, t := range b.Trails {
		lane := pageLane{TrailReport: delivery.TrailReport{ARN: t.ARN, Verdict: b.verdict()}, Trail: t}
		if report, ok := b.trailReport(t.ARN); ok {
			lane.TrailReport = report
		}
		if _, ok := b.status(t.ARN); ok {
			lane.Says = b.statusText(t.ARN)
		}
		lane.Needs, lane.Links = needsOf(lane.Requirements, trail.OfBucket), linksOf(b, lane)
		out = append(out, lane)
	}
	return out
}

func diffLines(diff string) []pageLine {
	var out []pageLine
	for line := range strings.Lines(cleanLines(diff)) {
		line = strings.TrimSuffix(line, "\n")
		out = append(out, pageLine{diffClass(kindOfLine(line)), line})
	}
	return out
}

// diffClass is the class of a line in the style sheet of the page.
func diffClass(k diffKind) string {
	switch k {
	case diffFile:
		return "file"
	case diffAdded:
		return "added"
	case diffRemoved:
		return "removed"
	case diffHunk:
		return "hunk"
	case diffContext:
		return ""
	}
	return ""
}
