package guardrail

import (
	"context"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The inventory is what the guard knows of trails without asking CloudTrail. All of it
// is read fresh from the accounts now and then, so that a store that fails is no loss
// but of time; a read that fails leaves open whether a bucket is used.

// find reads a part of the inventory. Without an inventory nothing is known.
func (g *Guard) find(ctx context.Context, accounts, buckets []string) (inventory.Part, error) {
	if g.ports.Inventory == nil {
		return inventory.Part{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, memoryTime)
	defer cancel()
	p, err := g.ports.Inventory.Find(ctx, accounts, buckets)
	if err != nil {
		return inventory.Part{}, &LedgerError{Bucket: "the inventory", Err: err}
	}
	return p, nil
}

// withBuckets returns the survey with what the inventory has of the buckets and of
// the accounts whose trails use them.
func (g *Guard) withBuckets(ctx context.Context, v survey, buckets []string) (survey, error) {
	if g.ports.Inventory == nil || v.unread != nil {
		return v, v.unread
	}
	if lacking := v.lacking(buckets); len(lacking) > 0 {
		more, err := g.find(ctx, v.lacking([]string{v.account}), lacking)
		if err != nil {
			return v, err
		}
		v = v.with(more)
	}
	var accounts []string
	for _, name := range buckets {
		for _, t := range v.known.Buckets[name].Trails {
			accounts = append(accounts, t.By, t.Account())
		}
	}
	if lacking := v.lacking(accounts); len(lacking) > 0 {
		more, err := g.find(ctx, lacking, nil)
		if err != nil {
			return v, err
		}
		v = v.with(more)
	}
	return v, nil
}

// organization is that of the survey's account, if the inventory has it and it was
// read lately; else nil. Who serves an organization knows it by its sweeps alone: an account
// that is asked names no members but itself.
func (g *Guard) organization(v survey) *trail.Organization {
	o := v.known.Organization
	old := g.ports.Members == nil && g.now().Sub(v.known.OrganizationReadAt) > g.config.InventoryAge
	if old || !slices.Contains(o.Members, v.account) {
		return nil
	}
	return &o
}

// learn stores what a survey says, if that is not stored already.
func (g *Guard) learn(ctx context.Context, s inventory.Survey, stored inventory.Account, age time.Duration) error {
	if g.ports.Inventory == nil || stored.Fresh(g.now(), age) && !stored.Unreadable() && stored.Sees(s.Trails) {
		return nil
	}
	return g.add(ctx, s)
}

// add stores what a survey says.
func (g *Guard) add(ctx context.Context, s inventory.Survey) error {
	return g.change(ctx, s.Accounts(), func(p inventory.Part) []string { return p.Concerned(s) },
		func(p inventory.Part) inventory.Part { return p.With(s) })
}

// missed stores that an account could not be read, after an event that told of a
// change to one of its trails, or in a sweep. What was known of it stays, and is not
// fresh any more. That it cannot be stored is no failure: the event comes again.
func (g *Guard) missed(ctx context.Context, account string, at, event time.Time) {
	err := g.change(ctx, []string{account}, nil, func(p inventory.Part) inventory.Part {
		p = p.With(inventory.Survey{Account: account, At: at, Failed: true})
		p.Accounts[account] = p.Accounts[account].After(event)
		return p
	})
	if err != nil {
		g.run.Log.WarnContext(ctx, "not stored that an account could not be read", "account", account, "error", err)
	}
}

// learnBucket stores what the bucket itself has shown: who owns it, and whom its
// policy expects, if no trail is known that uses it.
func (g *Guard) learnBucket(ctx context.Context, v survey, seen delivery.Bucket) error {
	if g.ports.Inventory == nil || !policyKnown(seen) {
		return nil
	}
	at := g.now().UTC()
	learned := func(p inventory.Part) inventory.Bucket {
		b := p.Buckets[seen.Name]
		b.Name, b.Owner = seen.Name, seen.Owner
		if len(v.into(b.Name)) == 0 {
			b = b.Expecting(v.unknown(seen), at)
		}
		return b.Aged(at)
	}
	was := v.known.Buckets[seen.Name]
	if next := learned(v.known); next.Same(was) && !next.Renews(was) {
		return nil
	}
	return g.change(ctx, nil, func(inventory.Part) []string { return []string{seen.Name} }, func(p inventory.Part) inventory.Part {
		return p.And(inventory.Part{Buckets: map[string]inventory.Bucket{seen.Name: learned(p)}})
	})
}

// unknown are those whom the policy of a bucket names and of whose trails nothing is
// known. Of an account that was read it is known that it has no such trail.
func (v survey) unknown(seen delivery.Bucket) []delivery.Grantee {
	if seen.Policy == nil {
		return nil
	}
	return slices.DeleteFunc(delivery.Grantees(seen.Policy, seen.Name), func(g delivery.Grantee) bool {
		return g.Account == v.account && v.failure == nil
	})
}

// forget takes a trail out of all buckets that was told to be gone, though its own
// account did not say so.
func (g *Guard) forget(ctx context.Context, v survey, arn string) error {
	names := v.bucketsWith(arn)
	if len(names) == 0 {
		return nil
	}
	return g.change(ctx, nil, func(inventory.Part) []string { return names }, func(p inventory.Part) inventory.Part {
		without := inventory.Part{Buckets: map[string]inventory.Bucket{}}
		for name, b := range p.Buckets {
			without.Buckets[name] = b.Without(arn)
		}
		return p.And(without)
	})
}

// inventoryTries is how often a change of the inventory is tried while others change
// the same.
const inventoryTries = 24

// change changes a part of the inventory, whatever others store at the same time.
// Buckets, if not nil, names the ones that are concerned, where the accounts are
// known.
//
// Buckets are stored before accounts. So a process that ends in between leaves the
// account as it was, and whoever reads it next finds the same difference again.
func (g *Guard) change(ctx context.Context, accounts []string, buckets func(inventory.Part) []string, change func(inventory.Part) inventory.Part) error {
	if g.ports.Inventory == nil {
		return nil
	}
	for range inventoryTries {
		before, err := g.find(ctx, accounts, nil)
		if err != nil {
			return err
		}
		if buckets != nil {
			more, err := g.find(ctx, nil, buckets(before))
			if err != nil {
				return err
			}
			before = before.And(more)
		}
		if err = g.store(ctx, before, change(before)); !Is(err, Conflict) {
			return err
		}
		// The events of a batch change one bucket at once, in several processes: each
		// time one of them gets through. The others come back at different times.
		if !g.pause(ctx, firstWait/4+time.Duration(g.now().UnixNano())%(firstWait/2), 0) {
			break
		}
	}
	return &BusyError{Bucket: "the inventory"}
}

// index stores which buckets use which keys and topics, where that is news.
func (g *Guard) index(ctx context.Context, before, after inventory.Part) error {
	type use struct{ arn, bucket string }
	var news []use
	for name, b := range after.Buckets {
		var known []string
		if was := before.Buckets[name]; was.Indexed {
			known = was.Chain()
		}
		for _, arn := range b.Chain() {
			if !slices.Contains(known, arn) {
				news = append(news, use{arn, name})
			}
		}
	}
	errs := make([]error, len(news))
	g.each(len(news), func(i int) {
		ctx, cancel := context.WithTimeout(ctx, memoryTime)
		defer cancel()
		if err := g.ports.Inventory.Use(ctx, news[i].arn, news[i].bucket); err != nil {
			errs[i] = &LedgerError{Bucket: "the inventory", Err: err}
		}
	})
	return join(errs)
}

// using are the names of the buckets whose trails were ever seen to use the keys and topics.
func (g *Guard) using(ctx context.Context, arns []string) ([]string, error) {
	if g.ports.Inventory == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, memoryTime)
	defer cancel()
	lists, errs := make([][]string, len(arns)), make([]error, len(arns))
	g.each(len(arns), func(i int) {
		var err error
		if lists[i], err = g.ports.Inventory.Using(ctx, arns[i]); err != nil {
			errs[i] = &LedgerError{Bucket: "the inventory", Err: err}
		}
	})
	return union(slices.Concat(lists...), nil), join(errs)
}

// store stores what differs. A bucket is first stored to be found by what its trails use: a
// process that ends in between leaves the bucket as it was.
func (g *Guard) store(ctx context.Context, before, after inventory.Part) error {
	if err := g.index(ctx, before, after); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, memoryTime)
	defer cancel()
	for name, b := range after.Buckets {
		if was := before.Buckets[name]; b.Same(was) && !b.Renews(was) {
			continue
		}
		if _, err := g.ports.Inventory.SaveBucket(ctx, b); err != nil {
			return &LedgerError{Bucket: "the inventory", Err: err}
		}
	}
	for id, a := range after.Accounts {
		if a.Same(before.Accounts[id]) {
			continue
		}
		if _, err := g.ports.Inventory.SaveAccount(ctx, a); err != nil {
			return &LedgerError{Bucket: "the inventory", Err: err}
		}
	}
	return nil
}
