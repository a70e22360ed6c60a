package guardrail

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// unreadAccounts are the members of the organization that cannot be read: one subject, so
// that it is told once when many lose their role together. Its record goes by the
// organization.
type unreadAccounts struct {
	organization    string
	account, region string // where the guard is
	unread          []string
	of              int // members beside the account
}

// Key is the account, and what stands for the organization in a bucket's place.
func (u unreadAccounts) Key() ledger.Key {
	return ledger.Key{Account: u.account, Bucket: delivery.OrganizationSubject(u.organization)}
}

func (u unreadAccounts) home() string { return u.region }

// report is the judgement on the organization.
func (u unreadAccounts) report() delivery.Report {
	r := delivery.Report{Bucket: u.Key().Bucket, Verdict: delivery.Delivering, Trails: []delivery.TrailReport{}, Findings: []delivery.Finding{}}
	if len(u.unread) > 0 {
		r.Verdict = delivery.Undetermined
		r.Findings = append(r.Findings, delivery.AccountsUnread(u.unread, u.of))
	}
	return r
}

// unread are the members of the organization that the survey has not seen: nobody may read
// them, or nobody could for longer than what is known of an account counts.
func (g *Guard) unread(v survey) unreadAccounts {
	o := v.known.Organization
	u := unreadAccounts{organization: o.ID, account: v.account, region: v.region}
	for _, id := range o.Members {
		if id == v.account {
			continue
		}
		u.of++
		member := inventory.Member{ID: id, State: inventory.Active}
		if coveredAccount(member, v.known.Accounts[id], g.now(), g.config.InventoryAge).Gap != Covered {
			u.unread = append(u.unread, id)
		}
	}
	slices.Sort(u.unread)
	return u
}
