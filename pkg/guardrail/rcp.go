package guardrail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Resource control policies are read with the members of the organization, when a sweep is
// planned, and kept in the inventory. A bucket is judged by those that its owner's account was
// seen under. What could not be read is said, and stops nothing.

// rcpTime is how long reading them may take: AWS Organizations gives the texts of two a
// second.
const rcpTime = 2 * time.Minute

// keepRCPs reads the resource control policies and stores for which accounts each is in effect.
// Where they cannot be read, those that were read last stay, with the reason for which they may be
// others by now. The error is what may pass: the sweep is then not complete. That they may not be read is
// none.
func (g *Guard) keepRCPs(ctx context.Context, members []inventory.Member) error {
	if g.ports.RCPs == nil || g.ports.Inventory == nil {
		return nil
	}
	read, failure := g.readRCPs(ctx, members)
	ctx, cancel := context.WithTimeout(ctx, 2*memoryTime)
	defer cancel()
	var err error
	if read.Unread != "" {
		g.run.Log.WarnContext(ctx, "resource control policies could not be read", "reason", read.Unread)
		var before inventory.RCPs
		if before, err = g.ports.Inventory.RCPs(ctx); err == nil && !before.ReadAt.IsZero() {
			before.Unread = read.Unread
			read = before
		}
	}
	if err == nil {
		err = g.ports.Inventory.SaveRCPs(ctx, read)
	}
	if err != nil {
		err = &LedgerError{Bucket: "the inventory", Err: err}
	}
	return join([]error{failure, err})
}

// readRCPs reads the resource control policies, or says why they are not known.
func (g *Guard) readRCPs(ctx context.Context, members []inventory.Member) (inventory.RCPs, error) {
	limit := rcpTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, deadline.Sub(g.now())/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	at := g.now().UTC()
	attached, err := g.ports.RCPs.RCPs(ctx)
	if err == nil {
		return inventory.SettleRCPs(attached, members, at), nil
	}
	unread := inventory.RCPs{Unread: noAnswer(err)}
	if Is(err, Denied) {
		return unread, nil
	}
	return unread, &ObserveError{Subject: "resource control policies of the organization", Err: err}
}

// rcps reads the inventory's resource control policies. A guard that serves no organization knows
// of none, and asks nobody.
func (p Ports) rcps(ctx context.Context) (inventory.RCPs, error) {
	if p.RCPs == nil || p.Inventory == nil {
		return inventory.RCPs{}, nil
	}
	return p.Inventory.RCPs(ctx)
}

// ruled are the resource control policies over a bucket and the keys of its trails.
type ruled struct {
	over   []delivery.RCPs
	readAt time.Time
	unread bool     // it is not known which are in effect
	notes  []string // what of it is not known, or how old it is
}

// rule says which policies are over the bucket that was observed and the keys of its trails: those
// of their accounts, as far as these are members. Whose the bucket is, S3 has to have confirmed.
func (o observation) rule(known inventory.RCPs, served trail.Organization, age time.Duration) ruled {
	var accounts []string
	add := func(account string) {
		if slices.Contains(served.Members, account) && !slices.Contains(accounts, account) && account != served.ManagementAccount {
			accounts = append(accounts, account)
		}
	}
	if policyKnown(o.bucket) {
		add(o.bucket.Owner)
	}
	for _, name := range distinct(o.trails, func(t trail.Trail) string { return t.KMSKeyID }) {
		add(string(arn.Split(name).Account))
	}
	out := ruled{readAt: known.ReadAt}
	for _, account := range accounts {
		policies, unread := known.Of(account)
		out.over = append(out.over, delivery.RCPs{Account: account, Policies: policies, Unread: unread})
		if unread != "" {
			out.unread = true
			note := fmt.Sprintf("Which resource control policies are in effect for account %s is not known (%s)", account, strings.TrimSuffix(unread, "."))
			if known.ReadAt.IsZero() {
				out.notes = append(out.notes, note+", so that what they deny is not seen.")
			} else {
				out.notes = append(out.notes, note+"; this judgement is by those that are, which were read last at "+readAt(known)+".")
			}
		}
	}
	if len(out.over) > 0 && len(out.notes) == 0 && o.at.Sub(known.ReadAt) > age {
		out.notes = append(out.notes, "The resource control policies of the organization were read last at "+readAt(known)+".")
	}
	return out
}

func readAt(r inventory.RCPs) string { return r.ReadAt.UTC().Format("2006-01-02 15:04 UTC") }

// under returns the observation with the policies that are over it, and with what of them is not
// known. That they could not be read is a failure that may pass.
func (o observation) under(known inventory.RCPs, served trail.Organization, err error, age time.Duration) observation {
	if err != nil {
		o.problems = append(o.problems, &ObserveError{Subject: "resource control policies of the organization", Err: err})
		o.rcps.unread = true
		o.notes = append(o.notes, "The resource control policies of the organization could not be read just now, so this judgement does without them.")
		return o
	}
	o.rcps = o.rule(known, served, age)
	o.notes = append(o.notes, o.rcps.notes...)
	return o
}

// same reports whether two readings found the same: what is stored is told apart by its time.
func (r ruled) same(other ruled) bool {
	return r.readAt.Equal(other.readAt) && r.unread == other.unread && slices.EqualFunc(r.over, other.over, func(a, b delivery.RCPs) bool { return a.Account == b.Account })
}

// membersOfAudit are the accounts of an organization as they were listed.
func membersOfAudit(accounts []AuditedAccount) []inventory.Member {
	members := make([]inventory.Member, len(accounts))
	for i, a := range accounts {
		members[i] = a.Member
	}
	return members
}
