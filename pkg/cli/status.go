package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// statusCommand says how well the deployed hub covers the organization.
type statusCommand struct {
	liveFlags
	tableFlag
	Age          time.Duration `placeholder:"DURATION" default:"3h" help:"How old what the sweep has read of an account may be: two of its rounds and more. Default: 3h, for an hourly sweep."`
	StackRegions []string      `placeholder:"REGION" help:"With --role, look for stacks that accounts still have beside the hub, in these regions. Default: the region of the hub."`
	Format       string        `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json."`
}

// Run reads the table and the list of accounts, and prints.
func (c *statusCommand) Run(ctx context.Context, sys *system) error {
	table := c.tableName(sys)
	switch {
	case table == "":
		return errors.New("--table is missing: the hub's table, its output TableName")
	case c.Age <= 0:
		return errors.New("--age: expected more than nothing, such as 3h")
	case c.Role == "" && len(c.StackRegions) > 0:
		return errors.New("--stack-regions needs --role, the role that reads in the accounts")
	}
	for _, region := range c.StackRegions {
		if _, err := arn.ParseRegion(region); err != nil {
			return fmt.Errorf("--stack-regions: %w", err)
		}
	}
	conn, err := c.connectMembers(ctx, sys, table, guardrail.Config{})
	if err != nil {
		return err
	}
	s := status{At: sys.now().UTC(), Account: conn.account, Region: conn.region, Table: table, Age: c.Age}
	options := guardrail.StatusOptions{Age: c.Age, Table: table}
	if c.Role != "" {
		s.StackRegions = c.StackRegions
		if len(s.StackRegions) == 0 {
			s.StackRegions = []string{conn.region}
		}
		options.Regions = s.StackRegions
	}
	s.OrganizationStatus, err = conn.OrganizationStatus(ctx, conn.account, options, sys.progress("accounts asked for their stacks"))
	if err != nil {
		return fmt.Errorf("cannot tell the status of the organization of account %s: %w", conn.account, err)
	}
	if c.Format == "json" {
		if err := printJSON(sys.stdout, s.json()); err != nil {
			return err
		}
	} else {
		s.print(sys.screen)
	}
	if len(s.problems()) > 0 {
		return errFindings
	}
	return nil
}

// status is the status of an organization as it is printed.
type status struct {
	guardrail.OrganizationStatus

	At              time.Time
	Account, Region string // the hub's
	Table           string
	Age             time.Duration
	StackRegions    []string // that were looked at; none: nobody was asked
}

// statusProblem is something that keeps the hub from covering the organization.
type statusProblem struct {
	ID string `json:"id"`
	// Accounts and Buckets are those that are concerned.
	Accounts []string `json:"accounts"`
	Buckets  []string `json:"buckets"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
}

// The ids of the problems.
const (
	problemSweepLate   = "sweep-late"
	problemRCPsUnread  = "rcps-unread"
	problemNotCovered  = "not-covered"
	problemSilent      = "forwarding-silent"
	problemOwnStack    = "own-stack"
	problemStacksBlind = "own-stack-unknown"
)

// problems are what is wrong, each kind once for all that it concerns.
func (s status) problems() []statusProblem {
	var out []statusProblem
	add := func(p statusProblem) {
		p.Accounts, p.Buckets = orEmpty(p.Accounts), orEmpty(p.Buckets)
		out = append(out, p)
	}
	switch late := s.At.Sub(s.PlannedAt); {
	case s.PlannedAt.IsZero():
		add(statusProblem{
			ID: problemSweepLate, Message: "The sweep of this table has never read the accounts of an organization.",
			Remedy: "See whether the stack of this table is a hub, and whether its account is a delegated administrator, so that it may list the accounts.",
		})
	case late > s.Age:
		add(statusProblem{
			ID: problemSweepLate, Message: "The sweep has read the accounts of the organization last at " + instant(s.PlannedAt) + ", and nothing since.",
			Remedy: "See whether the sweep runs, and whether it may list the accounts: an account that joined since is not covered.",
		})
	}
	if s.RCPsUnread != "" {
		add(statusProblem{
			ID: problemRCPsUnread, Message: "The sweep does not know which resource control policies the organization has: " + strings.TrimSuffix(s.RCPsUnread, ".") + ".",
			Remedy: "Let the sweep's role call organizations:ListPolicies, DescribePolicy and ListTargetsForPolicy, as the stack's template has it. " +
				"Until then nobody sees what such a policy denies CloudTrail.",
		})
	}
	for _, g := range s.gaps() {
		add(g)
	}
	if silent := s.Silent(); len(silent) > 0 {
		f := delivery.ForwardingSilent(silent)
		add(statusProblem{ID: problemSilent, Accounts: f.Accounts, Message: f.Message, Remedy: f.Remedy})
	}
	for _, b := range s.Buckets {
		if len(b.Unheard) == 0 {
			continue
		}
		add(statusProblem{
			ID: problemSilent, Accounts: someOf(b.Owner), Buckets: []string{b.Name},
			Message: fmt.Sprintf("The sweep found %s at %s since %s, and no event told of it. Either it was so when the bucket was first looked at, "+
				"or the events of %s do not arrive.", strings.Join(b.Unheard, ", "), b.Name, instant(b.Since), ownerText(b.Owner)),
			Remedy: "Look in the region of the bucket, and in the home regions of its trails, whether the forwarding rule is there and enabled, and into its " +
				"dead-letter queue. trailwarden organization targets says where it belongs.",
		})
	}
	var stacks, blind []string
	var named []string
	for _, a := range s.Accounts {
		if a.StackErr != nil {
			blind = append(blind, a.ID)
		}
		for _, stack := range a.Stacks {
			stacks = append(stacks, a.ID)
			named = append(named, fmt.Sprintf("%s in account %s, %s%s", stack.Name, a.ID, stack.Region, versionText(stack.Version)))
		}
	}
	if len(stacks) > 0 {
		add(statusProblem{
			ID: problemOwnStack, Accounts: slices.Compact(stacks),
			Message: count(len(named), "stack", "stacks") + " of single accounts beside the hub: " + strings.Join(named, "; ") + ". What happens there is told twice.",
			Remedy:  "Remove them: sam delete --stack-name NAME, with credentials of the account. No bucket policy is touched.",
		})
	}
	if len(blind) > 0 {
		add(statusProblem{
			ID: problemStacksBlind, Accounts: blind,
			Message: fmt.Sprintf("Whether %s a stack of %s own is not known.", have(len(blind)), its(len(blind))),
			Remedy:  "Give the role cloudformation:DescribeStacks and cloudformation:ListStacks, or look yourself.",
		})
	}
	return out
}

// gaps are the accounts that are not covered, by why and since when: the day is enough to see
// which of them belong together.
func (s status) gaps() []statusProblem {
	var out []statusProblem
	var keys []string
	for _, a := range s.Accounts {
		if a.Gap == guardrail.Covered {
			continue
		}
		since := "not covered since " + a.ReadAt.UTC().Format(time.DateOnly)
		if a.ReadAt.IsZero() {
			since = "never covered"
		}
		key := string(a.Gap) + since
		i := slices.Index(keys, key)
		if i < 0 {
			i, keys = len(keys), append(keys, key)
			out = append(out, statusProblem{ID: problemNotCovered, Message: since + ": " + gapText(a.Gap), Remedy: remedyUnread, Buckets: []string{}})
		}
		out[i].Accounts = append(out[i].Accounts, a.ID)
	}
	for i := range out {
		out[i].Message = upperFirst(count(len(out[i].Accounts), "account", "accounts") + " " + out[i].Message)
	}
	slices.SortStableFunc(out, func(a, b statusProblem) int { return len(b.Accounts) - len(a.Accounts) })
	return out
}

func gapText(g guardrail.Gap) string {
	switch g {
	case guardrail.NeverRead:
		return "the sweep has not asked for its trails yet."
	case guardrail.Unreadable:
		return "the sweep could not read it when it tried last."
	case guardrail.NotReached:
		return "the sweep has not come to it since."
	case guardrail.Covered:
	}
	return ""
}

func someOf(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

func ownerText(owner string) string {
	if owner == "" {
		return "its account"
	}
	return "account " + owner
}

func versionText(version string) string {
	if version == "" {
		return ""
	}
	return " (version " + version + ")"
}

func have(n int) string {
	if n == 1 {
		return "1 account has"
	}
	return fmt.Sprintf("%d accounts have", n)
}

func its(n int) string {
	if n == 1 {
		return "its"
	}
	return "their"
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

// print prints the status.
func (s status) print(out screen) {
	covered, active := 0, 0
	for _, a := range s.Accounts {
		if a.State == inventory.Active {
			active++
			if a.Gap == guardrail.Covered {
				covered++
			}
		}
	}
	out.indented(0, clean(fmt.Sprintf("Organization %s: of %s %d are active, and %d of them are covered.",
		s.Organization.ID, count(len(s.Accounts), "account", "accounts"), active, covered)))
	if !s.PlannedAt.IsZero() {
		out.indented(0, clean("The sweep has read the accounts last at "+instant(s.PlannedAt)+"."))
	}
	if len(s.StackRegions) == 0 {
		out.indented(0, "Whether accounts have stacks of their own was not looked at: --role NAME does that.")
	}
	if len(s.Left) > 0 {
		out.indented(0, clean(fmt.Sprintf("The table still counts %s that left or do not work: %s.", count(len(s.Left), "account", "accounts"), someAccounts(s.Left))))
	}
	if s.ManagementUnheard() {
		out.indented(0, clean(fmt.Sprintf("No event of the management account %s has come yet: it has no forwarder, or nothing was called there since. "+
			"With its credentials, \"aws cloudtrail start-logging --name %s --region %s\" changes nothing of a trail that logs, and makes one.",
			s.Organization.ManagementAccount, s.Shared[0], arn.Split(s.Shared[0]).Region)))
	}
	for _, p := range s.problems() {
		out.printf("\n%s\n", out.paint(bad, p.ID))
		if len(p.Accounts) > 0 {
			out.hanging(2, "at     ", clean(someAccounts(p.Accounts)))
		}
		out.hanging(2, "what   ", clean(p.Message))
		out.hanging(2, "remedy ", clean(p.Remedy))
	}
	if len(s.Buckets) == 0 {
		return
	}
	out.printf("\n")
	rows := table{header: []string{"BUCKET", "ACCOUNT", "TRAILS", "LAST EVENT HEARD"}}
	buckets := slices.Clone(s.Buckets)
	slices.SortStableFunc(buckets, func(a, b guardrail.HeardBucket) int { return cmp.Compare(len(b.Unheard), len(a.Unheard)) })
	for _, b := range buckets[:min(len(buckets), mostFine)] {
		last := "none is remembered"
		if b.Last != nil {
			last = fmt.Sprintf("%s, %s", instant(b.Last.Time), b.Last.Event)
		}
		rows.add(cell{clean(b.Name), plain}, cell{clean(cmp.Or(b.Owner, "not known")), plain}, cell{fmt.Sprint(b.Trails), plain}, cell{clean(last), plain})
	}
	rows.write(out, 0)
	if more := len(buckets) - mostFine; more > 0 {
		out.indented(0, fmt.Sprintf("and %d buckets more, which --format json lists", more))
	}
}

// The JSON of the status.
type (
	statusJSON struct {
		Version           int                 `json:"version"`
		Tool              toolJSON            `json:"tool"`
		At                time.Time           `json:"at"`
		Organization      string              `json:"organization"`
		ManagementAccount string              `json:"managementAccount"`
		Account           string              `json:"account"` // the hub's
		Region            string              `json:"region"`
		Table             string              `json:"table"`
		PlannedAt         time.Time           `json:"plannedAt,omitzero"`
		Accounts          []statusAccountJSON `json:"accounts"`
		Left              []string            `json:"left"`
		Buckets           []statusBucketJSON  `json:"buckets"`
		// StackRegions are those in which accounts were asked for stacks.
		StackRegions []string        `json:"stackRegions"`
		Problems     []statusProblem `json:"problems"`
	}
	statusAccountJSON struct {
		ID       string          `json:"id"`
		Name     string          `json:"name,omitempty"`
		State    inventory.State `json:"state"`
		Covered  bool            `json:"covered"`
		Gap      guardrail.Gap   `json:"gap,omitempty"`
		ReadAt   time.Time       `json:"readAt,omitzero"`
		FailedAt time.Time       `json:"failedAt,omitzero"`
		Trails   int             `json:"trails"`
		// Heard are the regions from which events of the account came.
		Heard    []heardJSON `json:"heard,omitempty"`
		Stacks   []stackJSON `json:"stacks,omitempty"`
		StackErr string      `json:"stacksUnknown,omitempty"`
	}
	heardJSON struct {
		Region string    `json:"region"`
		At     time.Time `json:"at"`
		// SilentSince is since when something was changed there of which no event told.
		SilentSince time.Time `json:"silentSince,omitzero"`
	}
	stackJSON struct {
		Name    string `json:"name"`
		Region  string `json:"region"`
		Table   string `json:"table,omitempty"`
		Version string `json:"version,omitempty"`
	}
	statusBucketJSON struct {
		Bucket string     `json:"bucket"`
		Owner  string     `json:"owner"` // empty: not known
		Trails int        `json:"trails"`
		Last   *eventSeen `json:"lastEvent"` // null: none is remembered
		// Unheard are findings of which no event told, and Since is since when they stand.
		Unheard []string  `json:"unheard"`
		Since   time.Time `json:"since,omitzero"`
	}
	eventSeen struct {
		Name    string    `json:"name"`
		Time    time.Time `json:"time"`
		Account string    `json:"account"`
		Region  string    `json:"region"`
	}
)

func (s status) json() statusJSON {
	out := statusJSON{
		Version: formVersion, Tool: thisTool(), At: s.At, Organization: s.Organization.ID, ManagementAccount: s.Organization.ManagementAccount,
		Account: s.Account, Region: s.Region, Table: s.Table, PlannedAt: s.PlannedAt, Accounts: []statusAccountJSON{}, Left: orEmpty(s.Left),
		Buckets: []statusBucketJSON{}, StackRegions: orEmpty(s.StackRegions), Problems: orEmpty(s.problems()),
	}
	for _, a := range s.Accounts {
		x := statusAccountJSON{
			ID: a.ID, Name: a.Name, State: a.State, Covered: a.State == inventory.Active && a.Gap == guardrail.Covered, Gap: a.Gap, ReadAt: a.ReadAt,
			FailedAt: a.FailedAt, Trails: a.Trails,
		}
		for _, h := range a.Heard {
			x.Heard = append(x.Heard, heardJSON{h.Region, h.Last, h.SilentSince})
		}
		for _, stack := range a.Stacks {
			x.Stacks = append(x.Stacks, stackJSON(stack))
		}
		if a.StackErr != nil {
			x.StackErr = a.StackErr.Error()
		}
		out.Accounts = append(out.Accounts, x)
	}
	for _, b := range s.Buckets {
		x := statusBucketJSON{Bucket: b.Name, Owner: b.Owner, Trails: b.Trails, Unheard: orEmpty(b.Unheard), Since: b.Since}
		if b.Last != nil {
			x.Last = &eventSeen{b.Last.Event, b.Last.Time, b.Last.Account, b.Last.Region}
		}
		out.Buckets = append(out.Buckets, x)
	}
	return out
}
