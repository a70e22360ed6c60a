package guardrail

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// OrganizationStatus is how well a deployed guard covers an organization: what its table
// knows, held against the accounts that there are.
type OrganizationStatus struct {
	Organization trail.Organization
	// PlannedAt is when the guard's sweep read the accounts of the organization last; zero:
	// it never did.
	PlannedAt time.Time
	// RCPsUnread says why the sweep could not read the resource control policies last; empty: it
	// could, or never tried.
	RCPsUnread string
	// Accounts are all accounts of the organization, by id.
	Accounts []CoveredAccount
	// Left are accounts that the sweep knows as members, and that are none any more or do
	// not work.
	Left []string
	// Buckets are those that the table has trails of, by name.
	Buckets []HeardBucket
	// Shared are the ARNs of trails of the organization, which the management account can change.
	Shared []string
}

// Silent are the places of active accounts of which events came and come no more.
func (s OrganizationStatus) Silent() []delivery.Place {
	var silent []delivery.Place
	for _, a := range s.Accounts {
		for _, h := range a.Heard {
			if a.State == inventory.Active && !h.SilentSince.IsZero() {
				silent = append(silent, delivery.Place{Account: a.ID, Region: h.Region})
			}
		}
	}
	return silent
}

// ManagementUnheard reports whether the organization has trails, and no event of the management
// account ever came.
func (s OrganizationStatus) ManagementUnheard() bool {
	return len(s.Shared) > 0 && slices.ContainsFunc(s.Accounts, func(a CoveredAccount) bool {
		return a.ID == s.Organization.ManagementAccount && a.State == inventory.Active && len(a.Heard) == 0
	})
}

// CoveredAccount is an account as the guard covers it.
type CoveredAccount struct {
	inventory.Member

	// ReadAt is when its trails were read last, FailedAt when that failed last; zero: never.
	ReadAt, FailedAt time.Time
	Trails           int // that it was last seen with
	// Gap is why it is not covered, empty if it is.
	Gap Gap
	// Heard are the regions from which events of the account came.
	Heard []inventory.Heard
	// Stacks are the stacks of its own that it has beside the hub, and StackErr why that is
	// not known. Both are nil where it was not asked.
	Stacks   []Stack
	StackErr error
}

// Gap is why an account is not covered.
type Gap string

// The gaps.
const (
	Covered    Gap = ""
	NeverRead  Gap = "never-read"  // the sweep has never read it
	Unreadable Gap = "unreadable"  // the sweep could not read it when it tried last
	NotReached Gap = "not-reached" // the sweep has not come to it for longer than it may take
)

// HeardBucket is a bucket, and what events told of it and of its trails.
type HeardBucket struct {
	Name   string
	Owner  string // empty: not known
	Trails int
	// Last is the last event that was heard; nil: none is remembered.
	Last *delivery.Change
	// Unheard are the ids of findings that stand since Since and that no call is known to
	// have brought about, though only a call can: its event was not heard.
	Unheard []string
	Since   time.Time
}

// Stack is a stack of this project that has a guard of its own.
type Stack struct {
	Name    string
	Region  string
	Table   string // that it remembers in; empty: none
	Version string // empty: it does not say
}

// StatusOptions say how the status is to be found out.
type StatusOptions struct {
	// Age is how old what is known of an account may be; 0: the guard's InventoryAge.
	Age time.Duration
	// Table is the name of the guard's table: a stack with it is the hub.
	Table string
	// Regions are those in which each active account is asked for its stacks; none: no
	// account is asked.
	Regions []string
}

// OrganizationStatus reads the status of the organization from the table and from the list of
// its accounts. No account is asked, but for its stacks. Without an inventory and a ledger the
// error is ErrNoLedger. Progress, if not nil, is called as accounts are done.
func (g *Guard) OrganizationStatus(
	ctx context.Context, account string, o StatusOptions, progress func(done, total int),
) (OrganizationStatus, error) {
	if g.ports.Inventory == nil || !g.memory.durable() {
		return OrganizationStatus{}, ErrNoLedger
	}
	listed, err := g.membersOf(ctx, account)
	if err != nil {
		return OrganizationStatus{}, err
	}
	known, err := g.everything(ctx)
	if err != nil {
		return OrganizationStatus{}, err
	}
	rcps, err := g.ports.Inventory.RCPs(ctx)
	if err != nil {
		return OrganizationStatus{}, &LedgerError{Bucket: "the inventory", Err: err}
	}
	if o.Age == 0 {
		o.Age = g.config.InventoryAge
	}
	s := OrganizationStatus{Organization: listed.Organization, PlannedAt: known.OrganizationReadAt, RCPsUnread: rcps.Unread}
	for _, id := range known.Organization.Members {
		if !slices.Contains(listed.Organization.Members, id) {
			s.Left = append(s.Left, id)
		}
	}
	for _, a := range listed.Accounts {
		s.Accounts = append(s.Accounts, coveredAccount(a.Member, known.Accounts[a.ID], g.now(), o.Age))
	}
	for _, b := range known.Buckets {
		for _, t := range b.Trails {
			if t.Organization {
				s.Shared = append(s.Shared, t.ARN)
			}
		}
	}
	s.Shared = union(s.Shared, nil)
	if len(o.Regions) > 0 {
		g.askForStacks(ctx, s.Accounts, o, progress)
	}
	if s.Buckets, err = g.heard(ctx, account, known); err != nil {
		return OrganizationStatus{}, err
	}
	return s, nil
}

// coveredAccount says whether an account is covered.
func coveredAccount(m inventory.Member, known inventory.Account, now time.Time, age time.Duration) CoveredAccount {
	a := CoveredAccount{Member: m, ReadAt: known.ReadAt, FailedAt: known.FailedAt, Trails: len(known.Trails), Heard: known.Heard}
	switch {
	case m.State != inventory.Active: // nobody can read it, and CloudTrail records nothing there
	case known.Unreadable():
		a.Gap = Unreadable
	case known.ReadAt.IsZero():
		a.Gap = NeverRead
	case now.Sub(known.ReadAt) > ageOf(known, age):
		a.Gap = NotReached
	}
	return a
}

// askForStacks asks the active accounts for their stacks, several at once.
func (g *Guard) askForStacks(ctx context.Context, accounts []CoveredAccount, o StatusOptions, progress func(done, total int)) {
	view := organizationView{progress: func(_ Stage, done, total int) {
		if progress != nil {
			progress(done, total)
		}
	}}
	did := view.did("", len(accounts))
	g.each(len(accounts), func(i int) {
		defer did()
		a := &accounts[i]
		if a.State != inventory.Active {
			return
		}
		for _, region := range o.Regions {
			found, err := g.ports.Stacks.Stacks(ctx, a.ID, region)
			if err != nil {
				a.StackErr = err
				return
			}
			for _, s := range found {
				if o.Table == "" || s.Table != o.Table {
					a.Stacks = append(a.Stacks, s)
				}
			}
		}
	})
}

// heard says of each bucket of the inventory what events told of it.
func (g *Guard) heard(ctx context.Context, account string, known inventory.Part) ([]HeardBucket, error) {
	inv := survey{account: account, known: known}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(known.Buckets)), func(name string) bool { return len(known.Buckets[name].Trails) == 0 })
	heard, errs := make([]HeardBucket, len(names)), make([]error, len(names))
	g.each(len(names), func(i int) {
		b := known.Buckets[names[i]]
		heard[i] = HeardBucket{Name: b.Name, Owner: b.Owner, Trails: len(b.Trails)}
		rec, err := record{Record: ledger.Record{Key: g.ref(inv, b.Name).Key()}, memory: g.memory}.reload(ctx)
		if err != nil {
			errs[i] = &LedgerError{Bucket: b.Name, Err: err}
			return
		}
		heard[i].Last = newest(rec.Changes)
		if heard[i].Unheard = unheard(rec.Record); heard[i].Unheard != nil {
			heard[i].Since = rec.Since
		}
	})
	return heard, join(errs)
}

func newest(changes []delivery.Change) *delivery.Change {
	var last *delivery.Change
	for i := range changes {
		if last == nil || changes[i].Time.After(last.Time) {
			last = &changes[i]
		}
	}
	return last
}

// unheard are the findings that stand and that only a call can have brought about, where no
// such call is remembered: the sweep has found them. It is so too where the bucket was broken
// when it was first looked at. A record keeps the last calls only ([ledger.MaxChanges]); one with
// so many hears its events.
func unheard(rec ledger.Record) []string {
	if len(rec.Changes) >= ledger.MaxChanges {
		return nil
	}
	var ids []string
	for _, f := range rec.Notified {
		known, ok := delivery.LookupType(f.ID)
		if !ok || len(known.Causes) == 0 || known.Symptom || slices.Contains(ids, f.ID) {
			continue
		}
		if !slices.ContainsFunc(rec.Changes, func(c delivery.Change) bool { return slices.Contains(known.Causes, c.Event) }) {
			ids = append(ids, f.ID)
		}
	}
	slices.SortFunc(ids, strings.Compare)
	return ids
}
