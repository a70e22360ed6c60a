package inmem

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Organization is an organization in memory: an account, with the trails and the buckets of
// all accounts, of which each account sees its own trails and those of the organization. It
// implements guardrail.Members, guardrail.Owners and guardrail.RCPs too. It is safe for use by several
// goroutines.
type Organization struct {
	*Account

	mu      sync.Mutex
	members []inventory.Member
	closed  map[string]bool // accounts that nobody may read
	asked   map[string]int  // how often an account was asked for its trails
	rcps    []inventory.AttachedRCP
	rcpsErr error
}

var (
	_ guardrail.Trails  = (*Organization)(nil)
	_ guardrail.Members = (*Organization)(nil)
	_ guardrail.Owners  = (*Organization)(nil)
	_ guardrail.RCPs    = (*Organization)(nil)
)

var errNoRole = errors.New("the account lets nobody assume its role")

// NewOrganization returns an organization of these accounts.
func NewOrganization(d Description, members ...inventory.Member) *Organization {
	return &Organization{Account: New(d), members: slices.Clone(members), closed: map[string]bool{}, asked: map[string]int{}}
}

// Close lets nobody read an account any more, or again.
func (o *Organization) Close(account string, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed[account] = closed
}

// SetMembers changes which accounts there are, and in what state.
func (o *Organization) SetMembers(members ...inventory.Member) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.members = slices.Clone(members)
}

// SetRCPs changes which resource control policies there are.
func (o *Organization) SetRCPs(policies ...inventory.AttachedRCP) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rcps, o.rcpsErr = slices.Clone(policies), nil
}

// HideRCPs says why the resource control policies cannot be read.
func (o *Organization) HideRCPs(class guardrail.Class) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rcpsErr = failure("organizations:ListPolicies", class, "", errors.New("the resource control policies are hidden"))
}

// RCPs returns the resource control policies that speak of buckets or keys, or why they cannot be
// read.
func (o *Organization) RCPs(context.Context) ([]inventory.AttachedRCP, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rcpsErr != nil {
		return nil, o.rcpsErr
	}
	return slices.DeleteFunc(slices.Clone(o.rcps), func(p inventory.AttachedRCP) bool {
		parsed, err := policy.ParseRCP(p.ID, p.Name, []byte(p.Content))
		return err == nil && !parsed.Denies("s3", "kms")
	}), nil
}

// Asked returns how often each account was asked for its trails.
func (o *Organization) Asked() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.asked)
}

// Members returns all accounts.
func (o *Organization) Members(context.Context) ([]inventory.Member, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.members), nil
}

func (o *Organization) enter(account string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked[account]++
	member := slices.ContainsFunc(o.members, func(m inventory.Member) bool { return m.ID == account && m.State == inventory.Active })
	if !member || o.closed[account] {
		return failure("sts:AssumeRole", guardrail.Denied, "AccessDenied", errNoRole)
	}
	return nil
}

// Trails returns the trails that an account sees.
func (o *Organization) Trails(ctx context.Context, account, _ string) ([]trail.Trail, error) {
	if err := o.enter(account); err != nil {
		return nil, err
	}
	return o.seen(ctx, func(t trail.Trail) bool { return t.Organization || t.Account() == account })
}

// Status returns what CloudTrail reports of a trail to an account that sees it.
func (o *Organization) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	if !t.Organization && t.Account() != account {
		return t, trail.Status{}, failure("cloudtrail:GetTrailStatus", guardrail.Missing, "TrailNotFoundException", errors.New("unknown trail: "+t.ARN))
	}
	return o.Account.Status(ctx, account, t)
}

// Owned returns the names of the buckets that an account owns.
func (o *Organization) Owned(_ context.Context, account string) ([]string, error) {
	o.mu.Lock()
	closed := o.closed[account]
	o.mu.Unlock()
	if closed {
		return nil, failure("sts:AssumeRole", guardrail.Denied, "AccessDenied", errNoRole)
	}
	o.Account.mu.Lock()
	defer o.Account.mu.Unlock()
	var names []string
	for name, b := range o.buckets {
		if b.Owner == account {
			names = append(names, name)
		}
	}
	return names, nil
}
