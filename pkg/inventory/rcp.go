package inventory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// AttachedRCP is a resource control policy as AWS Organizations has it, with what it is attached
// to: ids of the root ("r-…"), of organizational units ("ou-…") and of accounts.
type AttachedRCP struct {
	ID, Name string
	Content  string
	Targets  []string
}

// RCPs are the resource control policies of an organization that may deny something of a bucket
// or a key, and for which accounts each is in effect. It is stored as JSON.
//
// Most are in effect for the whole organization. So accounts are named only where some are in
// effect beside those: 50,000 accounts and ten such policies fit an item of the table.
type RCPs struct {
	// ReadAt is when they were read last; zero: they never were.
	ReadAt time.Time `json:"readAt,omitzero"`
	// Unread says why it is not known which there are by now; empty: it is.
	Unread   string      `json:"unread,omitempty"`
	Policies []StoredRCP `json:"policies,omitempty"`
	// Everywhere are the ids of those that are attached to the root.
	Everywhere []string `json:"everywhere,omitempty"`
	// Groups are the accounts for which others are in effect as well.
	Groups []RCPGroup `json:"groups,omitempty"`
	// Unplaced are accounts of which it is not known below which units they stand, though some
	// policy is attached to a unit.
	Unplaced Packed `json:"unplaced,omitempty"`
}

// StoredRCP is the text of a policy.
type StoredRCP struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Content string `json:"content"`
}

// RCPGroup is a list of accounts for which the same policies are in effect, beside those that
// are in effect everywhere.
type RCPGroup struct {
	Policies []string `json:"policies"` // ids, sorted
	Accounts Packed   `json:"accounts"`
}

// SettleRCPs works out which policies are in effect for which accounts. Those that say nothing to
// S3 and KMS are left out. A policy that cannot be read makes all of it unread: it may deny
// anything.
func SettleRCPs(attached []AttachedRCP, members []Member, at time.Time) RCPs {
	out := RCPs{ReadAt: at}
	targets := map[string][]string{} // ids of policies by target
	ofUnits := false
	for _, a := range attached {
		parsed, err := policy.ParseRCP(a.ID, a.Name, []byte(a.Content))
		if err != nil {
			return RCPs{Unread: fmt.Sprintf("resource control policy %s: %v", a.ID, err)}
		}
		if !parsed.Denies("s3", "kms") || len(a.Targets) == 0 {
			continue
		}
		out.Policies = append(out.Policies, StoredRCP{a.ID, a.Name, a.Content})
		for _, target := range a.Targets {
			targets[target] = append(targets[target], a.ID)
			if strings.HasPrefix(target, "r-") {
				out.Everywhere = append(out.Everywhere, a.ID)
			}
			ofUnits = ofUnits || strings.HasPrefix(target, "ou-")
		}
	}
	slices.Sort(out.Everywhere)
	groups := map[string][]string{} // accounts by the ids of their policies
	var unplaced []string
	for _, m := range members {
		if ofUnits && m.Units == nil {
			unplaced = append(unplaced, m.ID)
		}
		var ids []string
		for _, at := range append([]string{m.ID}, m.Units...) {
			if !strings.HasPrefix(at, "r-") {
				ids = append(ids, targets[at]...)
			}
		}
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) > 0 {
			groups[strings.Join(ids, " ")] = append(groups[strings.Join(ids, " ")], m.ID)
		}
	}
	for ids, accounts := range groups {
		packed, err := Pack(accounts)
		if err != nil {
			return RCPs{Unread: err.Error()}
		}
		out.Groups = append(out.Groups, RCPGroup{strings.Fields(ids), packed})
	}
	slices.SortFunc(out.Groups, func(a, b RCPGroup) int { return slices.Compare(a.Policies, b.Policies) })
	var err error
	if out.Unplaced, err = Pack(unplaced); err != nil {
		return RCPs{Unread: err.Error()}
	}
	return out
}

// noUnits is why the policies of an account are not known.
const noUnits = "AWS Organizations does not say below which units the account stands"

// Of returns the policies that are in effect for an account of the organization. Unread says
// why it is not known which those are; empty: it is. Those that are known are in effect all
// the same.
func (r RCPs) Of(account string) (policies []policy.RCP, unread string) {
	if unread = r.Unread; unread == "" && r.ReadAt.IsZero() {
		unread = "they were not read yet"
	}
	ids := slices.Clone(r.Everywhere)
	for _, g := range r.Groups {
		in, err := g.Accounts.has(account)
		if err != nil {
			unread = err.Error()
		}
		if in {
			ids = append(ids, g.Policies...)
		}
	}
	if in, err := r.Unplaced.has(account); in || err != nil {
		unread = noUnits
	}
	for _, stored := range r.Policies {
		if !slices.Contains(ids, stored.ID) {
			continue
		}
		p, err := policy.ParseRCP(stored.ID, stored.Name, []byte(stored.Content))
		if err != nil {
			unread = fmt.Sprintf("resource control policy %s: %v", stored.ID, err)
			continue
		}
		policies = append(policies, p)
	}
	return policies, unread
}

// has reports whether an account is on the list.
func (p Packed) has(account string) (bool, error) {
	ids, err := p.IDs()
	_, found := slices.BinarySearch(ids, account)
	return found, err
}
