package guardrail

import (
	"context"
	"slices"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Audit judges every trail bucket of the account and writes and tells
// nothing. With an inventory, buckets are judged with the trails of other accounts that
// are known, and those that no known trail uses and that have a finding are there too.
// With a ledger, trails are compared with what they covered. An account that sees no
// trail is the last of the buckets, see [delivery.AccountOf]. Progress, if not nil, is
// called as buckets are done. A bucket that could not be judged says so itself; the
// error is that the trails could not be listed, or that the inventory could not be read.
func (g *Guard) Audit(ctx context.Context, account, region string, progress func(done, total int)) ([]Audited, error) {
	inv, err := g.survey(ctx, account, region)
	if err != nil {
		return nil, err
	}
	known, unread := g.everything(ctx)
	inv = inv.with(known)
	occasion := sweepOccasion{sweepState: g.newSweepState(account)}
	names := inv.buckets()
	for name := range known.Buckets {
		names = append(names, name)
	}
	names = union(names, nil)
	audited := make([]Audited, len(names))
	var mu sync.Mutex
	done := 0
	g.each(len(names), func(i int) {
		audited[i] = g.audit(ctx, inv, names[i], occasion)
		if progress == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(done, len(names))
	})
	audited = slices.DeleteFunc(audited, func(a Audited) bool {
		return len(a.Trails) == 0 && len(a.Report.Findings) == 0 && a.Err == nil
	})
	if t := inv.tracked(); !t.back {
		key := t.Key()
		audited = append(audited, Audited{Bucket: delivery.Bucket{Name: key.Bucket, Owner: key.Account, Region: region}, Report: t.report()})
	}
	return audited, unread
}

// audit observes and assesses a bucket as a sweep does, of which nothing is
// remembered but what its trails covered.
func (g *Guard) audit(ctx context.Context, inv survey, name string, o occasion) Audited {
	subject, _ := g.subject(inv, name, true)
	return g.auditTarget(ctx, g.target(inv, subject, o))
}

// auditTarget judges a target.
func (g *Guard) auditTarget(ctx context.Context, t Target) Audited {
	b := t.bucket()
	forgotten := record{Record: g.blank(t).Record, memory: noMemory{}}
	obs, err := g.observe(ctx, t, observation{})
	if b.Account == "" && obs.bucket.State != delivery.BucketMissing {
		// It may be anybody's. That it can be read, and what is in it, says nothing then.
		obs.bucket.State, obs.bucket.Policy, obs.bucket.Payer = delivery.Unreadable, nil, ""
		obs.bucket.Reason = "no account that could be read owns the bucket"
	}
	if g.memory.durable() && err == nil {
		var known record
		known, err = g.blank(t).reload(ctx)
		forgotten.Coverage, forgotten.Accepted = known.Coverage, known.Accepted
	}
	if err != nil {
		return Audited{Bucket: delivery.Bucket{Name: b.Name, Owner: b.Account}, Trails: t.trails(), Err: err}
	}
	obs, out := g.judge(ctx, t, forgotten, obs, attempt{}, outcome{})
	return Audited{
		Bucket: obs.bucket, Trails: obs.trails, Statuses: obs.statuses,
		Report: out.advised(ctx, t, obs), Plan: out.plan, Err: join(obs.failures(out)),
		Notes: slices.Concat(t.survey.notes(t.trails()), t.survey.blindSpots(obs.trails), obs.rcps.notes),
	}
}
