package guardrail

import (
	"context"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
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
	known, errs := g.askOthers(ctx, account, region, known, state)
	d.errs = append(append(d.errs, errs...), g.keepOrganization(ctx, account, state))
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
		return v, g.learn(ctx, v, inventory.Account{})
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

// askOthers asks all other accounts of the inventory for their trails, several at
// once, and stores what they say. It returns what is known then. One that cannot be
// read keeps the trails that it was last seen with.
func (g *Guard) askOthers(ctx context.Context, account, region string, known inventory.Part, s *sweepState) (inventory.Part, []error) {
	var ids []string
	for id := range known.Accounts {
		if id != account {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	answers := make([]answer, len(ids))
	g.each(len(ids), func(i int) { answers[i] = s.ask(ctx, g, ids[i], region) })
	var errs []error
	for i, a := range answers {
		said := inventory.Survey{Account: ids[i], At: a.at, Trails: a.trails, Failed: a.err != nil}
		known = known.With(said)
		if a.err != nil {
			g.missed(ctx, ids[i], a.at, time.Time{})
			errs = append(errs, &ObserveError{Subject: "trails of account " + ids[i], Err: a.err})
			continue
		}
		errs = append(errs, g.add(ctx, said))
	}
	return known, errs
}

// keepOrganization stores the organization of the account, for the events that come.
func (g *Guard) keepOrganization(ctx context.Context, account string, s *sweepState) error {
	if g.ports.Inventory == nil {
		return nil
	}
	at := g.now().UTC()
	o, err := s.organization(ctx)
	if err != nil || !o.Known {
		return nil // whoever needs it asks for it
	}
	if len(o.Members) == 0 {
		o.Members = []string{account}
	}
	ctx, cancel := context.WithTimeout(ctx, memoryTime)
	defer cancel()
	if err := g.ports.Inventory.SaveOrganization(ctx, o, at); err != nil {
		return &LedgerError{Bucket: "the inventory", Err: err}
	}
	return nil
}
