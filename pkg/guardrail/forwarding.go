package guardrail

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// No event tells that a rule which forwards events was deleted. What the sweep finds shows it: a
// policy or a trail that was changed, and no event of it, though events came from there before.
// Where none ever came there may be no rule, and nothing follows.

// eventDelay is how long an event may take that a sweep was faster than. EventBridge takes seconds;
// a rule that cannot reach the hub tries again, and is then late.
const eventDelay = 30 * time.Minute

// hear stores from where the events of a batch came. That it cannot be stored is no failure: the
// next event says the same.
func (b *Batch) hear(ctx context.Context, r Request, known inventory.Part) {
	g := b.guard
	if g.ports.Members == nil || r.Change == nil || !arn.Region(r.Region).Valid() {
		return
	}
	at := g.now().UTC()
	was := known.Accounts[r.Account]
	b.mu.Lock()
	place := delivery.Place{Account: r.Account, Region: r.Region}
	done := b.heard[place] || was.Hear(r.Region, at).Same(was)
	if b.heard == nil {
		b.heard = map[delivery.Place]bool{}
	}
	b.heard[place] = true
	b.mu.Unlock()
	if done {
		return
	}
	err := g.change(ctx, []string{r.Account}, nil, func(p inventory.Part) inventory.Part {
		a := p.Accounts[r.Account].Hear(r.Region, at)
		a.ID = r.Account
		return p.And(inventory.Part{Accounts: map[string]inventory.Account{r.Account: a}})
	})
	if err != nil {
		g.run.Log.WarnContext(ctx, "not stored that events come", "account", r.Account, "region", r.Region, "error", err)
	}
}

// seen returns the record with the bucket's policy as the round has seen it, and whether that is
// worth a store by itself: an event of a bucket of which nothing is remembered is not.
func (g *Guard) seen(r round, next ledger.Record, sweep bool) (ledger.Record, bool) {
	if _, bucket := r.target.watched(); g.ports.Members == nil || !bucket || !r.obs.policyKnown() {
		return next, false
	}
	heard := slices.ContainsFunc(r.target.calls(), func(c Call) bool { // a trail's account may have told of it, too
		return c.Account == r.record.Account && c.Region == r.obs.bucket.Region
	})
	look := ledger.Look{
		Policy: ledger.CalledPolicy(policyText(r.obs.bucket)), Exact: r.obs.fingerprint(), Region: r.obs.bucket.Region, At: r.obs.at, Heard: heard,
	}
	if r.done.made() {
		look.Replaced = r.done.replaced
	} else if slices.ContainsFunc(r.target.calls(), func(c Call) bool {
		return (c.Event == "PutBucketPolicy" || c.Event == "DeleteBucketPolicy") && policyLags(c, r.record, r.obs)
	}) {
		look.Unsure = true // S3 may still give the one before
	}
	next = next.See(look)
	was := r.record.Seen
	news := was == nil && sweep || was != nil && *was != *next.Seen
	return next, news
}

// silences finds the places of which no event comes any more, among the records of all buckets, and
// stores them: that a bucket is mended does not mend the rule. Places that have nothing left of
// which events should tell are none.
func (g *Guard) silences(ctx context.Context, v survey, records []ledger.Record) ([]delivery.Place, error) {
	if g.ports.Members == nil {
		return nil, nil
	}
	member := func(id string) bool { return slices.Contains(v.known.Organization.Members, id) }
	accounts := maps.Clone(v.known.Accounts)
	var errs []error
	for _, s := range unheardChanges(v, records, g.now().Add(-eventDelay)) {
		before := accounts[s.Account]
		after := before.Silence(s.Region, s.since)
		if !member(s.Account) || after.Same(before) {
			continue
		}
		accounts[s.Account] = after
		errs = append(errs, g.change(ctx, []string{s.Account}, nil, func(p inventory.Part) inventory.Part {
			a := p.Accounts[s.Account].Silence(s.Region, s.since)
			return p.And(inventory.Part{Accounts: map[string]inventory.Account{s.Account: a}})
		}))
	}
	var silent []delivery.Place
	needed := neededPlaces(v, records)
	for id, a := range accounts {
		for _, h := range a.Heard {
			if place := (delivery.Place{Account: id, Region: h.Region}); !h.SilentSince.IsZero() && member(id) && needed[place] {
				silent = append(silent, place)
			}
		}
	}
	sort.Slice(silent, func(i, j int) bool { return silent[i].Compare(silent[j]) < 0 })
	return silent, join(errs)
}

// unheardChange is a change in a place of which no event has told.
type unheardChange struct {
	delivery.Place

	since time.Time // it was found
}

// unheardChanges are those that were found at the time or before.
func unheardChanges(v survey, records []ledger.Record, latest time.Time) []unheardChange {
	var all []unheardChange
	add := func(account, region string, since time.Time) {
		if !since.After(latest) {
			all = append(all, unheardChange{delivery.Place{Account: account, Region: region}, since})
		}
	}
	for _, r := range records {
		if r.Seen == nil {
			continue
		}
		if r.Seen.Unheard {
			add(r.Account, r.Seen.Region, r.Seen.Since)
		}
		// What was wrong at the first look tells nothing.
		if !r.Since.After(r.Seen.First.Add(eventDelay)) {
			continue
		}
		for _, f := range r.Notified {
			if a := arn.Split(f.Trail); ofTrailAlone(f.ID) && !v.ofOrganization(r.Bucket, f.Trail) && slices.Contains(unheard(r), f.ID) {
				add(string(a.Account), string(a.Region), r.Since)
			}
		}
	}
	return all
}

// ofTrailAlone reports whether a finding comes about by calls on its trail alone, of which
// the trail's own account and home region have the events.
func ofTrailAlone(id string) bool {
	return id == delivery.TrailStoppedID || id == delivery.TrailSilentID || id == delivery.TrailCoversLessID
}

// ofOrganization reports whether a trail is the organization's: calls of AWS Organizations stop it, too, and
// these are told elsewhere.
func (v survey) ofOrganization(bucket, name string) bool {
	return slices.ContainsFunc(v.into(bucket), func(t trail.Trail) bool { return t.ARN == name && t.Organization })
}

// neededPlaces are those of which events should tell: where trails are at home, and their buckets.
func neededPlaces(v survey, records []ledger.Record) map[delivery.Place]bool {
	needed := map[delivery.Place]bool{}
	for _, r := range records {
		if r.Seen != nil && len(r.Trails) > 0 && !strings.Contains(r.Bucket, ":") {
			needed[delivery.Place{Account: r.Account, Region: r.Seen.Region}] = true
		}
	}
	for _, a := range v.known.Accounts {
		for _, t := range a.Trails {
			needed[delivery.Place{Account: t.Account(), Region: t.HomeRegion}] = true
		}
	}
	return needed
}
