package guardrail

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Target is what one reconciliation is about, and what led to it. It does not
// change while the reconciliation goes on.
type Target struct {
	Subject
	// Change is the API call of the event, nil if there was none or if it
	// failed: a call that failed changed nothing.
	Change *delivery.Change
	// Submitted is the policy that Change wrote, as its event tells; see
	// [Request.SubmittedPolicy].
	Submitted []byte
	// Earlier are calls before Change; see [Request.Earlier].
	Earlier []Call

	occasion occasion
	survey   survey
	// id begins the id of all that this reconciliation stores, so that it
	// knows its own repairs and claims again.
	id string
}

// Subject is the thing itself: a [TrailBucket], a [GrantingBucket], an [UnusedBucket],
// a [DeletedTrail], an account without trails, or the organization.
type Subject interface {
	// Key is where the subject's record is kept.
	Key() ledger.Key
	// home is the region in which the subject is expected.
	home() string
}

// TrailBucket is a bucket that trails deliver into.
type TrailBucket struct {
	BucketRef
	Trails []trail.Trail // at least one
	// Expected are others of whom deliveries are expected.
	Expected []delivery.Grantee
}

// GrantingBucket is a bucket that no known trail uses, and whose policy lets CloudTrail
// in, or did.
type GrantingBucket struct {
	BucketRef
	Expected []delivery.Grantee
}

// UnusedBucket is a bucket that is remembered, and that no trail delivers into
// any more.
type UnusedBucket struct{ BucketRef }

// DeletedTrail is a trail that was deleted, or is remembered and not listed any
// more. Its record goes by its ARN.
type DeletedTrail struct {
	ARN     string
	Account string // whose guard remembers it: the account that was surveyed
	Region  string // the trail's home region
	// Back says that the trail is listed again.
	Back bool
}

// Key is the bucket's account and name.
func (b BucketRef) Key() ledger.Key { return ledger.Key{Account: b.Account, Bucket: b.Name} }

// Key is the account, and the trail's ARN in the bucket's place.
func (d DeletedTrail) Key() ledger.Key { return ledger.Key{Account: d.Account, Bucket: d.ARN} }

func (b BucketRef) home() string { return b.Region }

func (d DeletedTrail) home() string { return d.Region }

// trails are the trails that deliver into the target.
func (t Target) trails() []trail.Trail {
	if b, ok := t.Subject.(TrailBucket); ok {
		return b.Trails
	}
	return nil
}

// watched is the target's bucket, if it is to be looked at.
func (t Target) watched() (BucketRef, bool) {
	switch s := t.Subject.(type) {
	case TrailBucket:
		return s.BucketRef, true
	case GrantingBucket:
		return s.BucketRef, true
	}
	return BucketRef{}, false
}

// expected are those of whom deliveries into the target are expected, beside the
// trails.
func (t Target) expected() []delivery.Grantee {
	switch s := t.Subject.(type) {
	case TrailBucket:
		return s.Expected
	case GrantingBucket:
		return s.Expected
	}
	return nil
}

// concerns reports whether a call may have changed what the deliveries of a trail depend on: one on
// the bucket, the trail itself, or its key or topic.
func (t Target) concerns(c delivery.Change, arn string) bool {
	if c.Trail == "" && c.Chain == "" {
		return true
	}
	return slices.ContainsFunc(t.trails(), func(tr trail.Trail) bool {
		return tr.ARN == arn && (c.Names(tr) || c.Chain != "" && tr.Uses(c.Chain))
	})
}

// own reports whether something stored is of this reconciliation.
func (t Target) own(id string) bool { return strings.HasPrefix(id, t.id) }

// occasion is what led to a reconciliation, an event or a sweep: how the
// account is asked, and what the record keeps.
type occasion interface {
	// reads returns the account that is asked what CloudTrail reports of a trail; false:
	// there is none that may be asked.
	reads(v survey, t trail.Trail) (account string, ok bool)
	// turn waits until CloudTrail may be asked there of one more trail.
	turn(ctx context.Context, account string) error
	// organization reads the organization of the account.
	organization(ctx context.Context) (trail.Organization, error)
	// status reads what CloudTrail reports of a trail.
	status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error)
	// enabledRegions reads the regions of the account, nil if they may not be
	// read.
	enabledRegions(ctx context.Context) ([]string, error)
	// chain reads keys and topics, nil: nobody does. What others of the occasion have read
	// serves too; chainNow reads them anew.
	chain(v survey) Chain
	chainNow(v survey) Chain
	// served is the organization that the guard serves, with its members; false: it is not known just now.
	served(v survey) (trail.Organization, bool)
	// rcps returns the resource control policies of the organization, as they are known; with a
	// zero time: the guard serves none, or they were never read.
	rcps(ctx context.Context) (inventory.RCPs, error)
	// records returns the records of the account: those that it has, or what list
	// gives.
	records(ctx context.Context, list func(context.Context) ([]ledger.Record, error)) ([]ledger.Record, error)
	// remembered returns the trails that a record is to name, sorted, of those
	// that were seen now and those that it named before. Alone says that a
	// difference is worth a store even if nothing else has changed.
	remembered(seen, before []string) (arns []string, alone bool)
}

// directly asks at once and by itself. It is the occasion of an event, and of a
// person.
type directly struct {
	ports   Ports
	account string
	// known is the account's organization, as the inventory has it; nil: it is asked.
	known *trail.Organization
}

// reads is the account itself, of the trails that it lists. One that is only declared
// belongs to an account that cannot be read.
func (d directly) reads(v survey, t trail.Trail) (account string, ok bool) {
	return d.account, has(v.listed, t.ARN)
}

func (directly) turn(context.Context, string) error { return nil }

// chain reads in all accounts that the guard serves.
func (d directly) chain(v survey) Chain { return d.within(d.ports.Chain, v) }

func (d directly) chainNow(v survey) Chain { return d.chain(v) }

// within keeps a guard that serves an organization within its members.
func (d directly) within(c Chain, v survey) Chain {
	if c == nil || d.ports.Members == nil {
		return c
	}
	o, known := d.served(v)
	if !known {
		return noChain{}
	}
	return memberChain{c, func(account string) bool { return slices.Contains(o.Members, account) }}
}

// served is as the sweep has stored it. An account that is asked names no members but itself.
func (directly) served(v survey) (trail.Organization, bool) {
	return v.known.Organization, !v.known.OrganizationReadAt.IsZero()
}

func (d directly) rcps(ctx context.Context) (inventory.RCPs, error) { return d.ports.rcps(ctx) }

func (d directly) organization(ctx context.Context) (trail.Organization, error) {
	if d.known != nil {
		return *d.known, nil
	}
	return d.ports.Organizations.Organization(ctx, d.account)
}

func (d directly) enabledRegions(ctx context.Context) ([]string, error) {
	if d.ports.Regions == nil {
		return nil, nil
	}
	return d.ports.Regions.EnabledRegions(ctx, d.account)
}

func (d directly) status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	return d.ports.Trails.Status(ctx, account, t)
}

func (directly) records(ctx context.Context, list func(context.Context) ([]ledger.Record, error)) ([]ledger.Record, error) {
	return list(ctx)
}

// remembered keeps all: an event does not make a trail forgotten that is gone,
// since the sweep is still to tell of it.
func (directly) remembered(seen, before []string) (arns []string, alone bool) {
	return union(seen, before), false
}

// target makes a target of a subject.
func (g *Guard) target(inv survey, s Subject, o occasion) Target {
	return Target{Subject: s, occasion: o, survey: inv, id: rand.Text()}
}

// eventTarget makes a target of a subject that an event is about. A call that
// failed changed nothing.
func (g *Guard) eventTarget(r Request, inv survey, s Subject) Target {
	how := directly{ports: g.ports, account: inv.account}
	if !r.Organization {
		how.known = g.organization(inv)
	}
	t := g.target(inv, s, how)
	if s.Key().Bucket == r.Bucket {
		t.Submitted = r.SubmittedPolicy
	}
	if r.Change != nil && r.Change.ErrorCode == "" {
		t.Change = r.Change
	}
	for _, c := range r.Earlier {
		if s.Key().Bucket != r.Bucket {
			c.SubmittedPolicy = nil
		}
		if c.ErrorCode == "" {
			t.Earlier = append(t.Earlier, c)
		}
	}
	return t
}

// calls are the calls that led here, newest first.
func (t Target) calls() []Call {
	if t.Change == nil {
		return t.Earlier
	}
	return append([]Call{{*t.Change, t.Submitted}}, t.Earlier...)
}

// bucket is the target's bucket, where it has one.
func (t Target) bucket() BucketRef {
	if b, ok := t.watched(); ok {
		return b
	}
	key := t.Key()
	return BucketRef{Name: key.Bucket, Account: key.Account, Region: t.home()}
}

// ref returns where a bucket is expected. Events tell the region of a bucket
// only where they come from it; the adapter finds the right one.
func (g *Guard) ref(inv survey, bucket string) BucketRef {
	owner := cmp.Or(g.config.Owners[bucket], inv.known.Buckets[bucket].Owner, inv.account)
	return BucketRef{Name: bucket, Account: owner, Region: inv.region}
}

func deletedTrail(inv survey, name string) DeletedTrail {
	d := DeletedTrail{ARN: name, Account: inv.account, Region: inv.region, Back: has(inv.all, name)}
	if home := arn.Split(name).Region; home != "" {
		d.Region = string(home)
	}
	return d
}

// arnOf returns the ARN of the trail that a request names.
func arnOf(r Request) string {
	if strings.HasPrefix(r.Trail, "arn:") {
		return r.Trail
	}
	return arn.TrailIn(arn.Region(r.Region), arn.Account(r.Account), arn.TrailName(r.Trail)).String()
}

// union returns the texts of both lists, each once, sorted.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
