package guardrail

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// wholeOrganization is the organization as a subject: the members that cannot be read, and those
// whose events do not come any more. It is one, so that each is told once when many lose their
// role or their rule together. Its record goes by the organization.
type wholeOrganization struct {
	id              string
	account, region string // where the guard is
	unread          []string
	of              int // members beside the account
	silent          []delivery.Place
}

// Key is the account, and what stands for the organization in a bucket's place.
func (o wholeOrganization) Key() ledger.Key {
	return ledger.Key{Account: o.account, Bucket: delivery.OrganizationSubject(o.id)}
}

func (o wholeOrganization) home() string { return o.region }

// amiss reports whether there is something to tell.
func (o wholeOrganization) amiss() bool { return len(o.unread)+len(o.silent) > 0 }

// report is the judgement on the organization.
func (o wholeOrganization) report() delivery.Report {
	r := delivery.Report{Bucket: o.Key().Bucket, Verdict: delivery.Delivering, Trails: []delivery.TrailReport{}, Findings: []delivery.Finding{}}
	if o.amiss() {
		r.Verdict = delivery.Undetermined
	}
	if len(o.unread) > 0 {
		r.Findings = append(r.Findings, delivery.AccountsUnread(o.unread, o.of))
	}
	if len(o.silent) > 0 {
		r.Findings = append(r.Findings, delivery.ForwardingSilent(o.silent))
	}
	return r
}

// wholeOrganization are the members of the organization that the survey has not seen: nobody may read
// them, or nobody could for longer than what is known of an account counts. Silent are the
// places of which no event comes.
func (g *Guard) wholeOrganization(v survey, silent []delivery.Place) wholeOrganization {
	known := v.known.Organization
	o := wholeOrganization{id: known.ID, account: v.account, region: v.region, silent: silent}
	for _, id := range known.Members {
		if id == v.account {
			continue
		}
		o.of++
		member := inventory.Member{ID: id, State: inventory.Active}
		if coveredAccount(member, v.known.Accounts[id], g.now(), g.config.InventoryAge).Gap != Covered {
			o.unread = append(o.unread, id)
		}
	}
	slices.Sort(o.unread)
	return o
}
