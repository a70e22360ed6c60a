package guardrail

import (
	"context"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// forwarded are the trails that are remembered and not seen from the account
// that is swept, because events of their own accounts told of them.
type forwarded struct {
	trails []trail.Trail
	unread []string // ARNs of trails whose accounts could not be read
	errs   []error
}

// forwarded asks each account of a trail that is not seen here. The management
// account may refuse: an organization's trail that is seen no more is gone.
func (g *Guard) forwarded(ctx context.Context, e estate, records []ledger.Record, shared *pass) forwarded {
	var f forwarded
	answers := map[string][]trail.Trail{}
	failures := map[string]error{}
	for _, arn := range lost(records, e) {
		account, region := homeOf(arn)
		if account == e.account {
			continue
		}
		if _, asked := answers[account]; !asked {
			answers[account], failures[account] = g.ports.Trails.Trails(ctx, account, region)
			if err := failures[account]; err != nil && !g.refuses(shared, account, err) {
				f.errs = append(f.errs, &ObserveError{Subject: "trails of account " + account, Err: err})
			}
		}
		if err := failures[account]; err != nil && !g.refuses(shared, account, err) {
			f.unread = append(f.unread, arn)
		}
		for _, t := range answers[account] {
			if t.ARN == arn {
				f.trails = append(f.trails, t)
			}
		}
	}
	return f
}

// refuses reports whether it is the management account that may not be read.
func (g *Guard) refuses(shared *pass, account string, err error) bool {
	o, orgErr := shared.organization()
	return Is(err, Denied) && orgErr == nil && account == o.ManagementAccount
}

// hides reports whether the record knows a trail whose account could not be
// read, so that its bucket cannot be judged.
func (f forwarded) hides(r ledger.Record) bool {
	return slices.ContainsFunc(r.Trails, func(arn string) bool { return slices.Contains(f.unread, arn) })
}

// of returns the trails that deliver into the record's bucket.
func (f forwarded) of(r ledger.Record) []trail.Trail {
	return slices.DeleteFunc(slices.Clone(f.trails), func(t trail.Trail) bool {
		return t.Bucket != r.Bucket || !slices.Contains(r.Trails, t.ARN)
	})
}

func homeOf(arn string) (account, region string) {
	if fields := strings.Split(arn, ":"); len(fields) > 4 {
		return fields[4], fields[3]
	}
	return "", ""
}
