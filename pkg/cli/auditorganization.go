package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// organizationOverview is how the accounts of an organization fare. Their buckets are those
// of the overview; accounts that could not be read stand among these, as accounts without a
// trail do, so that none is overlooked in any format.
type organizationOverview struct {
	Organization trail.Organization
	Accounts     []accountOverview // the worst first
}

// accountOverview is how one account fares.
type accountOverview struct {
	guardrail.AuditedAccount

	// Verdict is the worst of the trails that the account sees: undetermined for one that
	// could not be read, empty for one that does not work.
	Verdict delivery.Verdict
	// Bucket is that of the trail with the verdict, unless it is delivering.
	Bucket string
}

// auditOrganization judges all accounts of the organization. Where they could not be listed,
// there is no overview.
func auditOrganization(ctx context.Context, sys *system, conn connection) (*overview, error) {
	audited, err := conn.AuditOrganization(ctx, conn.account, conn.region, func(s guardrail.Stage, done, total int) {
		sys.progress(string(s))(done, total)
	})
	if audited.Accounts == nil {
		return nil, fmt.Errorf("cannot audit the organization of account %s: %w", conn.account, err)
	}
	return newOrganizationOverview(conn.account, conn.region, audited), err
}

func newOrganizationOverview(account, region string, audited guardrail.AuditedOrganization) *overview {
	for _, a := range audited.Accounts {
		if a.Unread() {
			unread := delivery.Bucket{Name: delivery.AccountSubject(a.ID), Owner: a.ID, Region: region}
			audited.Buckets = append(audited.Buckets, guardrail.Audited{Bucket: unread, Err: a.Err})
		}
	}
	o := newOverview(account, region, audited.Buckets)
	o.organization = &organizationOverview{Organization: audited.Organization}
	judged := map[string]judgedTrail{}
	for i := range o.Buckets {
		for _, t := range o.Buckets[i].Trails {
			judged[t.ARN] = judgedTrail{o.Buckets[i].trailVerdict(t.ARN), o.Buckets[i].Bucket.Name}
		}
	}
	for _, a := range audited.Accounts {
		o.organization.Accounts = append(o.organization.Accounts, newAccountOverview(a, judged))
	}
	slices.SortStableFunc(o.organization.Accounts, func(a, b accountOverview) int {
		return cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict))
	})
	return o
}

// judgedTrail is the verdict of a trail, and its bucket.
type judgedTrail struct {
	verdict delivery.Verdict
	bucket  string
}

func newAccountOverview(a guardrail.AuditedAccount, judged map[string]judgedTrail) accountOverview {
	out := accountOverview{AuditedAccount: a}
	switch {
	case a.State != inventory.Active:
		return out
	case a.Unread():
		out.Verdict = delivery.Undetermined
		return out
	case len(a.Trails) == 0:
		out.Verdict = delivery.Blocked
		return out
	}
	out.Verdict = delivery.Delivering
	for _, arn := range a.Trails {
		t, ok := judged[arn]
		if !ok {
			t.verdict = delivery.Undetermined
		}
		if verdictRank(t.verdict) < verdictRank(out.Verdict) {
			out.Verdict, out.Bucket = t.verdict, t.bucket
		}
	}
	return out
}

// verdictRank is 0 for the worst verdict. What has none comes last.
func verdictRank(v delivery.Verdict) int {
	all := []delivery.Verdict{delivery.Blocked, delivery.Undetermined, delivery.Delivering}
	if i := slices.Index(all, v); i >= 0 {
		return i
	}
	return len(all)
}

// Says is what is said of the account beside its verdict.
func (a accountOverview) Says() string {
	switch {
	case a.State != inventory.Active:
		return "not active, so that nobody can read it"
	case a.Unread():
		return "not read: " + unreadReason(a.Err)
	case len(a.Trails) == 0:
		return "no trail records it"
	}
	return ""
}

// Sees says how many trails the account sees.
func (a accountOverview) Sees() string {
	if a.State != inventory.Active || a.Unread() {
		return "not known"
	}
	own := 0
	for _, arn := range a.Trails {
		if (trail.Trail{ARN: arn}).Account() == a.ID {
			own++
		}
	}
	var parts []string
	if own > 0 {
		parts = append(parts, fmt.Sprintf("%d of its own", own))
	}
	if shared := len(a.Trails) - own; shared > 0 {
		parts = append(parts, fmt.Sprintf("%d of the organization", shared))
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// unreadReason says in words that are the same for many accounts why one could not be read.
func unreadReason(err error) string {
	var p *guardrail.PortError
	switch {
	case err == nil:
		return ""
	case strings.Contains(err.Error(), "AssumeRole"):
		return "the role may not be assumed there, or is missing"
	case !errors.As(err, &p):
		return "the call failed"
	case p.Code == "":
		return p.Op + " gave no answer"
	}
	return p.Op + " answered " + p.Code
}

// remedyUnread is what to do about an account that could not be read.
const remedyUnread = "Let the StackSet put the reading role into the account, and see which policy (SCP, RCP) denies sts:AssumeRole there. " +
	"The management account is in no StackSet: its stack is deployed by hand."

// counts are how many accounts there are, work, and could not be read.
func (o *organizationOverview) counts() (all, active, unread int) {
	for _, a := range o.Accounts {
		if a.State == inventory.Active {
			active++
		}
		if a.Unread() {
			unread++
		}
	}
	return len(o.Accounts), active, unread
}

// sentence says which accounts were read.
func (o *organizationOverview) sentence() string {
	all, active, unread := o.counts()
	s := fmt.Sprintf("Of %s %d are active and %d were read.", count(all, "account", "accounts"), active, active-unread)
	if inactive := all - active; inactive > 0 {
		s += " Nobody can read " + count(inactive, "account that is", "accounts that are") + " not active."
	}
	return s
}

// unreadGroup are accounts that could not be read for one reason.
type unreadGroup struct {
	Reason   string
	Accounts []string
	Example  string // what was answered for the first of them
}

// unreadAccounts are the accounts that could not be read, by reason, the most first.
func (o *organizationOverview) unreadAccounts() []unreadGroup {
	var groups []unreadGroup
	for _, a := range o.Accounts {
		if !a.Unread() {
			continue
		}
		reason := unreadReason(a.Err)
		i := slices.IndexFunc(groups, func(g unreadGroup) bool { return g.Reason == reason })
		if i < 0 {
			i, groups = len(groups), append(groups, unreadGroup{Reason: reason, Example: oneLine(a.Err.Error())})
		}
		groups[i].Accounts = append(groups[i].Accounts, a.ID)
	}
	slices.SortStableFunc(groups, func(a, b unreadGroup) int { return len(b.Accounts) - len(a.Accounts) })
	return groups
}

// mostAccounts is how many accounts are named in a sentence of text. The other formats name
// all.
const mostAccounts = 50

func someAccounts(ids []string) string {
	named := strings.Join(ids[:min(len(ids), mostAccounts)], ", ")
	if more := len(ids) - mostAccounts; more > 0 {
		named += fmt.Sprintf(" and %d more, which --format json and html name", more)
	}
	return named
}

// writeAccounts prints which accounts of an organization there are, and those that could not
// be read.
func writeAccounts(s screen, o *overview) {
	if o.organization == nil {
		return
	}
	s.indented(0, clean(o.subject()+": "+lowerFirst(o.organization.sentence())))
	for _, g := range o.organization.unreadAccounts() {
		s.printf("\n%s\n", s.paint(bad, clean(fmt.Sprintf("NOT READ: %s, %s", count(len(g.Accounts), "account", "accounts"), g.Reason))))
		s.hanging(2, "at     ", clean(someAccounts(g.Accounts)))
		s.hanging(2, "what   ", clean("Nothing is known of their trails but what other accounts and the table tell. The first answer: "+g.Example))
		s.hanging(2, "remedy ", remedyUnread)
	}
	s.printf("\n")
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// The JSON of the accounts of an organization.
type (
	organizationJSON struct {
		ID                string        `json:"id"`
		ManagementAccount string        `json:"managementAccount"`
		Accounts          []accountJSON `json:"accounts"`
	}
	accountJSON struct {
		ID      string           `json:"id"`
		Name    string           `json:"name,omitempty"`
		State   inventory.State  `json:"state"`
		Read    bool             `json:"read"`
		Verdict delivery.Verdict `json:"verdict,omitempty"` // absent: it is not active
		Trails  []string         `json:"trails"`            // ARNs of all that it sees
		Error   string           `json:"error,omitempty"`
	}
)

func newOrganizationJSON(o *organizationOverview) *organizationJSON {
	if o == nil {
		return nil
	}
	out := &organizationJSON{ID: o.Organization.ID, ManagementAccount: o.Organization.ManagementAccount, Accounts: []accountJSON{}}
	for _, a := range o.Accounts {
		x := accountJSON{
			ID: a.ID, Name: a.Name, State: a.State, Read: a.State == inventory.Active && !a.Unread(), Verdict: a.Verdict, Trails: orEmpty(a.Trails),
		}
		if a.Err != nil {
			x.Error = a.Err.Error()
		}
		out.Accounts = append(out.Accounts, x)
	}
	slices.SortFunc(out.Accounts, func(a, b accountJSON) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// unread are the accounts that could not be read.
func (o *organizationJSON) unread() []string {
	if o == nil {
		return nil
	}
	var ids []string
	for _, a := range o.Accounts {
		if a.Error != "" {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
