package guardrail

import (
	"context"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// reconcileOrganization reconciles the buckets of the organization trails that
// the account sees, and notifies of trails that it saw and sees no more.
//
// CloudTrail takes the trails out of the members a while after the call that
// made it do so. A trail that is still listed is notified of by the event of its
// deletion, or by the sweep.
func (g *Guard) reconcileOrganization(ctx context.Context, r Request, inv survey) ([]Result, error) {
	var buckets []string
	for _, t := range inv.all {
		if t.Organization {
			buckets = append(buckets, t.Bucket)
		}
	}
	records, err := g.records(ctx, r.Account)
	errs := []error{err}
	looking, cancel := g.working(ctx)
	defer cancel()
	state := g.newSweepState(r.Account)
	if g.ports.Members != nil { // whoever has left is not asked
		state.members = append(slices.Clone(inv.known.Organization.Members), r.Account)
	}
	state.left = r.Change != nil && r.Change.Event == "LeaveOrganization"
	others := g.forwarded(looking, inv, records, state)
	for _, err := range others.errs {
		if !Is(err, Denied) { // what may not be read is the sweep's to tell
			errs = append(errs, err)
		}
	}
	var results []Result
	for _, name := range slices.DeleteFunc(inv.missing(records), others.knows) {
		result, err := g.reconcile(ctx, g.eventTarget(r, inv, deletedTrail(inv, name)))
		results, errs = append(results, result), append(errs, err)
		buckets = append(buckets, bucketsWith(records, name)...)
	}
	more, err := g.reconcileBuckets(ctx, r, inv, buckets)
	return append(results, more...), join(append(errs, err))
}

// deletedARN returns the ARN of a deleted trail. CloudTrail's own role deletes an
// organization's trail in a member, where an event may have the name alone: its
// account is not the member's, but that of the trail that was seen, or the
// management account. Where neither is known the ARN has no account: one that
// is made up would be of a trail that never was. The error is why they could not be
// asked for now; the trail is gone whatever its ARN is.
func (g *Guard) deletedARN(ctx context.Context, r Request, inv survey) (string, error) {
	if arn.IsTrail(r.Trail) || !byCloudTrail(r) {
		return arnOf(r), nil
	}
	var errs []error
	records, err := g.memory.List(ctx, r.Account)
	if err != nil {
		errs = append(errs, &LedgerError{Bucket: "account " + r.Account, Err: err})
	}
	for _, name := range inv.missing(records) {
		t, err := arn.ParseTrail(name)
		if err == nil && string(t.Name) == r.Trail && string(t.Region) == r.Region && string(t.Account) != r.Account {
			return name, nil
		}
	}
	account := r.Account
	_, err = g.patient(ctx, wantedTime, func(ctx context.Context) error {
		o, err := g.ports.Organizations.Organization(ctx, account)
		r.Account = o.ManagementAccount
		return err
	})
	if err != nil {
		errs = append(errs, &ObserveError{Subject: "organization of account " + account, Err: err})
	}
	return arnOf(r), join(errs)
}

// byCloudTrail reports whether the call was of CloudTrail's service-linked role,
// which carries an organization's trails into its members and takes them away.
func byCloudTrail(r Request) bool {
	return r.Change != nil && r.Change.LinkedService == "cloudtrail.amazonaws.com"
}

// bucketsWith returns the buckets whose records know the trail.
func bucketsWith(records []ledger.Record, trail string) []string {
	var buckets []string
	for _, r := range records {
		if slices.Contains(r.Trails, trail) {
			buckets = append(buckets, r.Bucket)
		}
	}
	return buckets
}
