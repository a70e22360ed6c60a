package guardrail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// survey is what is known of trails where a target is judged.
type survey struct {
	account, region string
	// at is the time before the account was asked for its trails.
	at     time.Time
	listed []trail.Trail // as CloudTrail lists them
	all    []trail.Trail // with those that are declared
	// known is what the inventory has of the accounts and buckets concerned, with
	// what is listed.
	known inventory.Part
	// asked are the names of the buckets, and the ids of the accounts, that the
	// inventory was asked for.
	asked map[string]bool
	// unread is why the inventory could not be read.
	unread error
	// failure is why the account could not be read just now. What is listed is then
	// what was seen last.
	failure error
	// recalled says that what is listed is as the inventory has it: an earlier step of the
	// sweep has read it.
	recalled bool
	// organized says that the members of the organization are known with the inventory, so
	// that a trail of anybody else is from outside.
	organized bool
	// problems are why what was found could not be stored.
	problems []error
}

// survey lists the trails that the account sees.
func (g *Guard) survey(ctx context.Context, account, region string) (survey, error) {
	at := g.now().UTC()
	listed, err := g.ports.Trails.Trails(ctx, account, region)
	if err != nil {
		return survey{}, &ObserveError{Subject: "trails of account " + account, Err: err}
	}
	return g.surveyed(account, region, at, listed), nil
}

// surveyed is a survey that listed these trails.
func (g *Guard) surveyed(account, region string, at time.Time, listed []trail.Trail) survey {
	all := slices.Clone(listed)
	for _, t := range g.config.Trails {
		if !has(all, t.ARN) {
			all = append(all, t)
		}
	}
	v := survey{account: account, region: region, at: at, listed: listed, all: all, organized: g.ports.Members != nil}
	return v.with(inventory.Part{})
}

// with returns the survey with what the inventory has of more accounts and
// buckets. What is listed is newer.
func (v survey) with(more inventory.Part) survey {
	v.asked = maps.Clone(v.asked)
	if v.asked == nil {
		v.asked = map[string]bool{}
	}
	for id := range more.Accounts {
		v.asked[id] = true
	}
	for name := range more.Buckets {
		v.asked[name] = true
	}
	v.known = v.known.And(more).With(v.said())
	return v
}

// lacking are those of the names that the inventory was not asked for.
func (v survey) lacking(names []string) []string {
	return slices.DeleteFunc(union(names, nil), func(name string) bool { return name == "" || v.asked[name] })
}

// said is the survey as the inventory has surveys.
func (v survey) said() inventory.Survey {
	return inventory.Survey{Account: v.account, At: v.at, Trails: v.listed, Failed: v.failure != nil}
}

func has(trails []trail.Trail, arn string) bool {
	return slices.ContainsFunc(trails, func(t trail.Trail) bool { return t.ARN == arn })
}

// find returns the trail of a request. A name is that of a trail of the
// request's account and region, or of an organization trail of that region
// where the call was of CloudTrail's own role.
func (v survey) find(r Request) (found trail.Trail, ok bool) {
	if r.Trail == "" {
		return found, false
	}
	for _, t := range v.all {
		byName := t.Name == r.Trail && t.HomeRegion == r.Region
		switch {
		case t.ARN == r.Trail, byName && t.Account() == r.Account:
			return t, true
		case byName && t.Organization && byCloudTrail(r):
			found, ok = t, true
		}
	}
	return found, ok
}

// lags reports whether the list does not have yet what the event says.
func (v survey) lags(r Request) bool {
	if r.Trail == "" || r.Change == nil || r.Change.ErrorCode != "" {
		return false
	}
	t, found := v.find(r)
	switch r.Change.Event {
	case "CreateTrail", "UpdateTrail":
		return !found || r.Bucket != "" && t.Bucket != r.Bucket || r.Prefix != nil && t.Prefix != *r.Prefix ||
			delivery.StillCovers(*r.Change, t)
	case "DeleteTrail":
		return found
	default:
		return false
	}
}

// withSelectors returns the survey with the trail whose event selectors a call has put
// marked to have some of its own, so that they are read: the list may not know it yet.
func (v survey) withSelectors(r Request) survey {
	if r.Change == nil || r.Change.Event != "PutEventSelectors" {
		return v
	}
	t, _ := v.find(r)
	v.listed, v.all = slices.Clone(v.listed), slices.Clone(v.all)
	for _, trails := range [][]trail.Trail{v.listed, v.all} {
		for i := range trails {
			if trails[i].ARN == t.ARN {
				trails[i].CustomSelectors = true
			}
		}
	}
	return v
}

// into returns the trails that deliver into the bucket: those that are listed or
// declared, and those that other accounts are known to have.
func (v survey) into(bucket string) []trail.Trail {
	var trails []trail.Trail
	for _, t := range slices.Concat(v.all, v.known.Buckets[bucket].Known()) {
		if t.Bucket == bucket && !has(trails, t.ARN) {
			trails = append(trails, t)
		}
	}
	return trails
}

// buckets are the names of the buckets that trails deliver into, sorted.
func (v survey) buckets() []string {
	var names []string
	for _, t := range v.all {
		names = append(names, t.Bucket)
	}
	for name, b := range v.known.Buckets {
		if len(b.Trails) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// without returns the survey without trails that are gone.
func (v survey) without(arns []string) survey {
	buckets := maps.Clone(v.known.Buckets)
	for name, b := range buckets {
		for _, arn := range arns {
			b = b.Without(arn)
		}
		buckets[name] = b
	}
	v.known.Buckets = buckets
	return v
}

// using are the buckets into which trails deliver that use a key or topic. An empty ARN is
// used by none.
func (v survey) using(arn string) []string {
	if arn == "" {
		return nil
	}
	names := v.known.Using(arn)
	for _, t := range v.all {
		if t.Uses(arn) {
			names = append(names, t.Bucket)
		}
	}
	return names
}

// bucketsWith are the buckets that the inventory says a trail uses.
func (v survey) bucketsWith(arn string) []string {
	var names []string
	for name, b := range v.known.Buckets {
		if has(b.Known(), arn) {
			names = append(names, name)
		}
	}
	return names
}

// notes say what is to be known of some of the trails beside what they are: who is from outside
// of the organization, and how old what is known is.
func (v survey) notes(trails []trail.Trail) []string {
	return slices.Concat(v.outsiders(trails), v.folders(trails), v.age(trails))
}

// age says how old what is known of some of the trails is.
func (v survey) age(trails []trail.Trail) []string {
	var accounts []string
	for _, t := range trails {
		seen := slices.IndexFunc(v.known.Buckets[t.Bucket].Trails, func(k inventory.Trail) bool { return k.ARN == t.ARN })
		if seen >= 0 {
			accounts = append(accounts, v.known.Buckets[t.Bucket].Trails[seen].By)
		}
	}
	var old []string
	var oldest time.Time
	for _, id := range union(accounts, nil) {
		if a := v.known.Accounts[id]; a.Unreadable() {
			old = append(old, id)
			if oldest.IsZero() || a.ReadAt.Before(oldest) {
				oldest = a.ReadAt
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	whose := "account " + old[0]
	if len(old) > 1 {
		whose = fmt.Sprintf("%d accounts (%s and others)", len(old), old[0])
	}
	return []string{fmt.Sprintf("The trails of %s could not be read since %s; they are judged as they were then.",
		whose, oldest.UTC().Format(time.RFC3339))}
}

// missing returns the trails that are remembered and not listed, sorted.
func (v survey) missing(records []ledger.Record) []string {
	var arns []string
	for _, r := range records {
		for _, arn := range r.Trails {
			if !has(v.all, arn) {
				arns = append(arns, arn)
			}
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// forwarded are the trails that are remembered and not seen from the account
// that is swept, because events of their own accounts told of them.
type forwarded struct {
	trails []trail.Trail
	unread []string // ARNs of trails whose accounts could not be read
	errs   []error
}

// forwarded asks each account of a trail that is not seen here. The management
// account may refuse: an organization's trail that is seen no more is gone.
func (g *Guard) forwarded(ctx context.Context, v survey, records []ledger.Record, s *sweepState) forwarded {
	var f forwarded
	failed := map[string]bool{}
	for _, name := range v.missing(records) {
		account := accountOf(name)
		if account == v.account {
			continue
		}
		answer := s.ask(ctx, g, account, string(arn.Split(name).Region))
		if answer.err != nil && !s.mayRefuse(ctx, account, answer.err) {
			if _, said := v.known.Accounts[account]; !said && !failed[account] {
				failed[account] = true
				f.errs = append(f.errs, &ObserveError{Subject: "trails of account " + account, Err: answer.err})
			}
			f.unread = append(f.unread, name)
		}
		for _, t := range answer.trails {
			if t.ARN == name {
				f.trails = append(f.trails, t)
			}
		}
	}
	return f
}

// accountOf is the account of a trail, by its ARN.
func accountOf(name string) string { return string(arn.Split(name).Account) }

// knows reports whether the trail is there, or may be.
func (f forwarded) knows(arn string) bool {
	return has(f.trails, arn) || slices.Contains(f.unread, arn)
}

// leavesOpen reports whether the record knows a trail whose account could not be
// read, and of which the inventory knows nothing either, so that its bucket cannot be
// judged.
func (f forwarded) leavesOpen(v survey, r ledger.Record) bool {
	trails := v.into(r.Bucket)
	return slices.ContainsFunc(r.Trails, func(arn string) bool { return slices.Contains(f.unread, arn) && !has(trails, arn) })
}

// into returns the trails that deliver into the record's bucket.
func (f forwarded) into(r ledger.Record) []trail.Trail {
	return slices.DeleteFunc(slices.Clone(f.trails), func(t trail.Trail) bool {
		return t.Bucket != r.Bucket || !slices.Contains(r.Trails, t.ARN)
	})
}
