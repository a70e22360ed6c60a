package guardrail

import (
	"context"
	"maps"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// The sweep of an organization is too much for one process. Its steps are what [Guard.Sweep]
// does in one: PlanAccounts, then SweepAccounts for each part of the accounts, PlanBuckets,
// SweepBuckets for each part of the buckets, FinishSweep. What one step finds out the next
// ones read from the inventory, so that each may be repeated, and a part that fails concerns
// no other. A bucket is judged when all accounts have been asked.
//
// A part is a range of names, not a list: an account that joins while the sweep goes on is in
// one of the parts, and the plan of the largest organization stays small.

const (
	// accountsAtOnce and bucketsAtOnce are how many accounts, or buckets, a step takes. An
	// account takes about a second at worst, a bucket has at most a minute.
	accountsAtOnce = 25
	bucketsAtOnce  = 25
)

// PlanAccounts begins the sweep of an organization: it reads and stores its members and what
// the account itself sees, and returns the parts of the accounts, so many in each that are to be
// asked now. With an error they are those of the members that were known.
func (g *Guard) PlanAccounts(ctx context.Context, account, region string) ([]inventory.Range, error) {
	known, err := g.everything(ctx)
	if err != nil {
		return inventory.Ranges(nil, accountsAtOnce), err
	}
	_, surveyErr := g.surveyOrLast(ctx, account, region, known)
	o, err := g.keepOrganization(ctx, account, known, g.newSweepState(account))
	return inventory.Ranges(g.due(g.others(account, known, o), known), accountsAtOnce), join([]error{surveyErr, err})
}

// AccountsSwept is what asking some accounts for their trails came to.
type AccountsSwept struct {
	Asked  int
	Unread []string // accounts that could not be read
}

// SweepAccounts asks those members of a part for their trails that are to be asked now, and stores what
// they say. One that may not be read is no error: FinishSweep tells of all of them together.
func (g *Guard) SweepAccounts(ctx context.Context, account, region string, part inventory.Range) (AccountsSwept, error) {
	own, err := g.find(ctx, []string{account}, nil)
	if err != nil {
		return AccountsSwept{}, err
	}
	// Between two that are asked there may be thousands that are not.
	listing, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	ids := part.Of(g.others(account, own, own.Organization))
	known, err := g.ports.Inventory.Find(listing, ids, nil)
	if err != nil {
		return AccountsSwept{}, &LedgerError{Bucket: "the inventory", Err: err}
	}
	ids = g.due(ids, known)
	state := g.newSweepState(account)
	state.serves(own.Organization)
	_, errs := g.askOthers(ctx, region, known, ids, own.Accounts[account].Trails, state)
	swept := AccountsSwept{Asked: len(ids)}
	for _, id := range ids {
		if state.answers[id].err != nil {
			swept.Unread = append(swept.Unread, id)
		}
	}
	return swept, sweepError(errs)
}

// PlanBuckets returns the parts of the buckets that are known.
func (g *Guard) PlanBuckets(ctx context.Context) ([]inventory.Range, error) {
	names, err := g.knownBuckets(ctx, inventory.Range{})
	return inventory.Ranges(names, bucketsAtOnce), err
}

// knownBuckets are the names of the buckets of a part of the inventory, sorted, with those
// of declared trails.
func (g *Guard) knownBuckets(ctx context.Context, part inventory.Range) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	_, names, err := g.ports.Inventory.List(ctx)
	if err != nil {
		return nil, &LedgerError{Bucket: "the inventory", Err: err}
	}
	for _, t := range g.config.Trails {
		names = append(names, t.Bucket)
	}
	return part.Of(union(names, nil)), nil
}

// SweepBuckets brings the buckets of a part to rest, as [Guard.Sweep] does, with the trails
// that the accounts were seen to have.
func (g *Guard) SweepBuckets(ctx context.Context, account, region string, part inventory.Range) (SweepResult, error) {
	names, err := g.knownBuckets(ctx, part)
	if err != nil {
		return SweepResult{}, err
	}
	inv, err := g.recall(ctx, account, region, names)
	if err != nil {
		return SweepResult{}, err
	}
	state := g.newSweepState(account)
	state.partial = true
	state.serves(inv.known.Organization)
	inv, ownerErrs := g.withOwners(ctx, inv, names, state)
	inv, folderErrs := g.withFolders(ctx, inv, names)
	records, err := g.recordsOf(ctx, inv, names)
	if err != nil {
		return SweepResult{}, err
	}
	var homes []string
	for _, arn := range inv.missing(records) {
		homes = append(homes, accountOf(arn))
	}
	more, err := g.find(ctx, inv.lacking(homes), nil)
	if err != nil {
		return SweepResult{}, err
	}
	inv = inv.with(more)
	state.recall(inv.known)
	swept, errs := g.settle(ctx, inv, state, g.forwarded(ctx, inv, records, state), portion{buckets: names, records: records})
	return swept, sweepError(slices.Concat(errs, ownerErrs, folderErrs))
}

// FinishSweep brings to rest what no part of the buckets has: what is remembered of trails
// that are gone and of buckets that are not known any more, the account itself, and the
// organization, of which it tells which accounts could not be read, and of which no events come
// any more.
func (g *Guard) FinishSweep(ctx context.Context, account, region string) (SweepResult, error) {
	known, err := g.everything(ctx)
	if err != nil {
		return SweepResult{}, err
	}
	inv, err := g.recalled(account, region, known)
	if err != nil {
		return SweepResult{}, err
	}
	state := g.newSweepState(account)
	state.serves(known.Organization)
	state.recall(inv.known)
	owners := append(slices.Collect(maps.Keys(known.Accounts)), account)
	swept := map[ledger.Key]bool{}
	for name, b := range known.Buckets {
		owners = append(owners, b.Owner)
		swept[g.ref(inv, name).Key()] = true
	}
	all, err := g.records(ctx, slices.DeleteFunc(owners, func(id string) bool { return id == "" })...)
	if err != nil {
		return SweepResult{}, err
	}
	state.listed = all
	rest := slices.DeleteFunc(slices.Clone(all), func(r ledger.Record) bool { return swept[r.Key] })
	silent, silenceErr := g.silences(ctx, inv, all)
	done, errs := g.settle(ctx, inv, state, g.forwarded(ctx, inv, rest, state), portion{records: rest, rest: true, all: all, silent: silent})
	return done, sweepError(append(errs, silenceErr))
}

// recall is the survey of the account as an earlier step has stored it, with what is known
// of buckets.
func (g *Guard) recall(ctx context.Context, account, region string, buckets []string) (survey, error) {
	known, err := g.find(ctx, []string{account}, buckets)
	if err != nil {
		return survey{}, err
	}
	v, err := g.recalled(account, region, known)
	if err != nil {
		return survey{}, err
	}
	return g.withBuckets(ctx, v, buckets)
}

// recalled is the survey of the account as the part of the inventory has it.
func (g *Guard) recalled(account, region string, known inventory.Part) (survey, error) {
	a := known.Accounts[account]
	if a.ReadAt.IsZero() {
		return survey{}, &ObserveError{Subject: "trails of account " + account, Err: errNotRead}
	}
	v := g.surveyed(account, region, a.ReadAt, a.Trails)
	v.recalled = true
	if a.Unreadable() {
		v.failure = errNotRead
	}
	return v.with(known), nil
}

// recordsOf returns what is remembered of the buckets.
func (g *Guard) recordsOf(ctx context.Context, inv survey, names []string) ([]ledger.Record, error) {
	records, errs := make([]ledger.Record, len(names)), make([]error, len(names))
	g.each(len(names), func(i int) {
		key := g.ref(inv, names[i]).Key()
		if records[i], errs[i] = g.memory.Load(ctx, key); errs[i] != nil {
			errs[i] = &LedgerError{Bucket: names[i], Err: errs[i]}
		}
	})
	return slices.DeleteFunc(records, func(r ledger.Record) bool { return r.Version == 0 }), join(errs)
}
