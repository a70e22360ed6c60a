package guardrail

import (
	"context"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// survey is the trails of an account.
type survey struct {
	account, region string
	listed          []trail.Trail // as CloudTrail lists them
	all             []trail.Trail // with those that are declared
}

// survey lists the trails that the account sees.
func (g *Guard) survey(ctx context.Context, account, region string) (survey, error) {
	listed, err := g.ports.Trails.Trails(ctx, account, region)
	if err != nil {
		return survey{}, &ObserveError{Subject: "trails of account " + account, Err: err}
	}
	all := slices.Clone(listed)
	for _, t := range g.config.Trails {
		if !has(all, t.ARN) {
			all = append(all, t)
		}
	}
	return survey{account: account, region: region, listed: listed, all: all}, nil
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
		return !found || r.Bucket != "" && t.Bucket != r.Bucket || r.Prefix != nil && t.Prefix != *r.Prefix
	case "DeleteTrail":
		return found
	default:
		return false
	}
}

// into returns the trails that deliver into the bucket.
func (v survey) into(bucket string) []trail.Trail {
	var trails []trail.Trail
	for _, t := range v.all {
		if t.Bucket == bucket {
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
	slices.Sort(names)
	return slices.Compact(names)
}

// missing returns the trails that are remembered and not in the inventory,
// sorted.
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
	answers := map[string][]trail.Trail{}
	failures := map[string]error{}
	for _, name := range v.missing(records) {
		home := arn.Split(name)
		account := string(home.Account)
		if account == v.account {
			continue
		}
		if _, asked := answers[account]; !asked {
			asking, cancel := context.WithTimeout(ctx, accountTime)
			answers[account], failures[account] = g.ports.Trails.Trails(asking, account, string(home.Region))
			cancel()
			if err := failures[account]; err != nil && !s.mayRefuse(ctx, account, err) {
				f.errs = append(f.errs, &ObserveError{Subject: "trails of account " + account, Err: err})
			}
		}
		if err := failures[account]; err != nil && !s.mayRefuse(ctx, account, err) {
			f.unread = append(f.unread, name)
		}
		for _, t := range answers[account] {
			if t.ARN == name {
				f.trails = append(f.trails, t)
			}
		}
	}
	return f
}

// knows reports whether the trail is there, or may be.
func (f forwarded) knows(arn string) bool {
	return has(f.trails, arn) || slices.Contains(f.unread, arn)
}

// leavesOpen reports whether the record knows a trail whose account could not be
// read, so that its bucket cannot be judged.
func (f forwarded) leavesOpen(r ledger.Record) bool {
	return slices.ContainsFunc(r.Trails, func(arn string) bool { return slices.Contains(f.unread, arn) })
}

// into returns the trails that deliver into the record's bucket.
func (f forwarded) into(r ledger.Record) []trail.Trail {
	return slices.DeleteFunc(slices.Clone(f.trails), func(t trail.Trail) bool {
		return t.Bucket != r.Bucket || !slices.Contains(r.Trails, t.ARN)
	})
}
