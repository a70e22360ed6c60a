package guardrail

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// discovery is what a sweep finds before it looks at buckets.
type discovery struct {
	// survey is that of the account that is swept, with all that the inventory has.
	// It has no time if nothing is known of the account at all.
	survey  survey
	records []ledger.Record
	// recordsErr is why they could not be listed. It is one of the errs too.
	recordsErr error
	others     forwarded
	errs       []error
}

// discover reads the whole inventory, asks all of its accounts for their trails, and
// stores what they say. Then it lists what is remembered of their buckets. It takes a
// third of the time at most.
func (g *Guard) discover(ctx context.Context, account, region string, state *sweepState) discovery {
	if deadline, ok := ctx.Deadline(); ok {
		third, cancel := context.WithTimeout(ctx, deadline.Sub(g.now())/3)
		defer cancel()
		ctx = third
	}
	var d discovery
	known, err := g.everything(ctx)
	d.errs = append(d.errs, err)
	if d.survey, err = g.surveyOrLast(ctx, account, region, known); err != nil {
		d.errs = append(d.errs, err)
	}
	at := g.now().UTC()
	organization, err := g.keepOrganization(ctx, account, known, state)
	d.errs = append(d.errs, err)
	due := g.due(g.others(account, known, organization), known)
	state.recall(known.Without(due))
	known, errs := g.askOthers(ctx, region, known, due, d.survey.listed, state)
	d.errs = append(d.errs, errs...)
	known.Organization, known.OrganizationReadAt = organization, at
	owners := []string{account}
	for id := range known.Accounts {
		owners = append(owners, id)
	}
	for _, b := range known.Buckets {
		if b.Owner != "" {
			owners = append(owners, b.Owner)
		}
	}
	d.records, d.recordsErr = g.records(ctx, owners...)
	d.errs = append(d.errs, d.recordsErr)
	if !d.survey.at.IsZero() {
		d.survey = d.survey.with(known)
		d.others = g.forwarded(ctx, d.survey, d.records, state)
	}
	return d
}

// surveyOrLast lists the trails of the account that is swept, and stores them. If it
// cannot be read, the survey is what it was last seen with, or has no time.
func (g *Guard) surveyOrLast(ctx context.Context, account, region string, known inventory.Part) (survey, error) {
	at := g.now().UTC()
	v, err := g.survey(ctx, account, region)
	if err == nil {
		said := v.said()
		said.Region = region
		return v, g.learn(ctx, said, inventory.Account{}, 0)
	}
	g.missed(ctx, account, at, time.Time{})
	last := known.Accounts[account]
	if last.ReadAt.IsZero() {
		return survey{}, err
	}
	v = g.surveyed(account, region, at, last.Trails)
	v.failure = err
	return v, err
}

// everything reads the whole inventory.
func (g *Guard) everything(ctx context.Context) (inventory.Part, error) {
	if g.ports.Inventory == nil {
		return inventory.Part{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	accounts, buckets, err := g.ports.Inventory.List(ctx)
	if err != nil {
		return inventory.Part{}, &LedgerError{Bucket: "the inventory", Err: err}
	}
	p, err := g.ports.Inventory.Find(ctx, accounts, buckets)
	if err != nil {
		return inventory.Part{}, &LedgerError{Bucket: "the inventory", Err: err}
	}
	return p, nil
}

// others are the accounts that a sweep asks beside its own: those of the inventory, or
// in an organization its active members.
func (g *Guard) others(account string, known inventory.Part, o trail.Organization) []string {
	ids := o.Members
	if g.ports.Members == nil {
		ids = slices.Sorted(maps.Keys(known.Accounts))
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == account })
}

// askOthers asks other accounts for their trails, several at once, and stores what they say.
// Own are the trails that the account of the sweep sees: what it sees of an organization
// needs no second word. It returns what is known then. One that cannot be read keeps the trails
// that it was last seen with.
func (g *Guard) askOthers(
	ctx context.Context, region string, known inventory.Part, ids []string, own []trail.Trail, s *sweepState,
) (inventory.Part, []error) {
	answers := make([]answer, len(ids))
	g.each(len(ids), func(i int) { answers[i] = s.ask(ctx, g, ids[i], region) })
	var told []string
	if g.ports.Members != nil {
		told = arnsOf(own)
	}
	var errs []error
	for i, a := range answers {
		said := inventory.Survey{Account: ids[i], At: a.at, Trails: a.trails, Told: told, Region: region, Failed: a.err != nil}
		before := known.Accounts[ids[i]]
		if a.err != nil && g.ports.Members != nil && Is(a.err, Denied) { // of all that may not be read one alert tells
			known = known.With(said)
			g.missed(ctx, ids[i], a.at, time.Time{})
			continue
		}
		if a.err != nil {
			errs = append(errs, &ObserveError{Subject: "trails of account " + ids[i], Err: a.err})
			if g.ports.Members == nil { // else it may pass: it is told when it has lasted
				known = known.With(said)
				g.missed(ctx, ids[i], a.at, time.Time{})
			}
			continue
		}
		known = known.With(said)
		age := time.Duration(0)
		if g.ports.Members != nil { // ten thousand stores an hour are for what is new
			age = g.config.InventoryAge / 2
		}
		errs = append(errs, g.learn(ctx, said, before, age))
	}
	return known, errs
}

// keepOrganization stores the organization of the account, for the events that come, with
// all its active members where the guard serves them. Where these cannot be read, they are
// those that were known, and the error says so.
func (g *Guard) keepOrganization(ctx context.Context, account string, known inventory.Part, s *sweepState) (trail.Organization, error) {
	if g.ports.Inventory == nil {
		return trail.Organization{}, nil
	}
	at := g.now().UTC()
	var o trail.Organization
	var accounts []AuditedAccount
	var err error
	if g.ports.Members == nil {
		if o, err = s.organization(ctx); err != nil || !o.Known {
			return o, nil // whoever needs it asks for it
		}
		if len(o.Members) == 0 {
			o.Members = []string{account}
		}
	} else if o, accounts, err = g.membership(ctx, account); err != nil {
		s.serves(known.Organization)
		return known.Organization, err
	} else {
		s.serves(o)
	}
	storing, cancel := context.WithTimeout(ctx, memoryTime)
	defer cancel()
	if err := g.ports.Inventory.SaveOrganization(storing, o, at); err != nil {
		return o, &LedgerError{Bucket: "the inventory", Err: err}
	}
	if g.ports.Members != nil {
		return o, g.keepRCPs(ctx, membersOfAudit(accounts))
	}
	return o, nil
}

// membership reads the organization that the guard serves, with its active members, and all of its
// accounts.
func (g *Guard) membership(ctx context.Context, account string) (trail.Organization, []AuditedAccount, error) {
	listed, err := g.membersOf(ctx, account)
	if err == nil && !slices.Contains(listed.Organization.Members, account) {
		err = &ObserveError{Subject: "accounts of the organization of account " + account, Err: errNotListed}
	}
	return listed.Organization, listed.Accounts, err
}

// errNotListed says that a list of accounts cannot be that of the organization: the account
// itself is missing.
var errNotListed = errors.New("the account itself is not among them")
