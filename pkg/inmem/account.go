package inmem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Account is an account in memory, with the buckets of other accounts that it
// knows of. It implements guardrail.Trails, guardrail.Buckets,
// guardrail.Organizations, guardrail.Regions and guardrail.Chain. It is safe for use by several goroutines.
type Account struct {
	account, region string
	reserialize     bool

	mu           sync.Mutex
	organization trail.Organization
	regions      []string // that are enabled, nil: they may not be read
	trails       []trail.Trail
	statuses     map[string]trail.Status // by trail ARN
	buckets      map[string]Bucket       // by name
	keys         map[string]Key          // by ARN
	topics       map[string]trail.Topic  // by ARN
	bucketKeys   map[string]bool         // by name of the bucket
}

var (
	_ guardrail.Trails        = (*Account)(nil)
	_ guardrail.Buckets       = (*Account)(nil)
	_ guardrail.Organizations = (*Account)(nil)
	_ guardrail.Regions       = (*Account)(nil)
)

// New returns an account as it is described.
func New(d Description) *Account {
	a := &Account{
		account: d.Account, region: d.Region, reserialize: d.Reserialize,
		organization: d.Organization, regions: d.EnabledRegions, statuses: map[string]trail.Status{}, buckets: map[string]Bucket{},
	}
	for _, t := range d.Trails {
		a.PutTrail(t, trail.Status{Logging: true})
	}
	for _, s := range d.Statuses {
		a.statuses[s.ARN] = s
	}
	for _, b := range d.Buckets {
		a.PutBucket(b)
	}
	return a
}

// PutTrail makes a trail, or replaces it, with what CloudTrail reports of it.
func (a *Account) PutTrail(t trail.Trail, s trail.Status) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ARN = t.ARN
	a.statuses[t.ARN] = s
	if i := a.index(t.ARN); i >= 0 {
		a.trails[i] = t
		return
	}
	a.trails = append(a.trails, t)
}

// PutStatus sets what CloudTrail reports of a trail.
func (a *Account) PutStatus(s trail.Status) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.statuses[s.ARN] = s
}

// DeleteTrail deletes a trail.
func (a *Account) DeleteTrail(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trails = slices.DeleteFunc(a.trails, func(t trail.Trail) bool { return t.ARN == arn })
	delete(a.statuses, arn)
}

// PutBucket makes a bucket, or replaces it. What is empty has its default.
func (a *Account) PutBucket(b Bucket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.putBucket(b)
}

func (a *Account) putBucket(b Bucket) {
	if b.Owner == "" {
		b.Owner = a.account
	}
	if b.Region == "" {
		b.Region = a.region
	}
	if b.Payer == "" {
		b.Payer = delivery.PayerOwner
	}
	a.buckets[b.Name] = b
}

// DeleteBucket deletes a bucket.
func (a *Account) DeleteBucket(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.buckets, name)
}

// Bucket returns a bucket as it is.
func (a *Account) Bucket(name string) (Bucket, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.buckets[name]
	return b, ok
}

// Describe returns the account as it is.
func (a *Account) Describe() Description {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := Description{
		Account: a.account, Region: a.region, Organization: a.organization,
		Trails: slices.Clone(a.trails), Reserialize: a.reserialize,
	}
	for _, t := range a.trails {
		d.Statuses = append(d.Statuses, a.statuses[t.ARN])
	}
	for _, name := range slices.Sorted(maps.Keys(a.buckets)) {
		d.Buckets = append(d.Buckets, a.buckets[name])
	}
	return d
}

func (a *Account) index(arn string) int {
	return slices.IndexFunc(a.trails, func(t trail.Trail) bool { return t.ARN == arn })
}

// Trails returns every trail of the account. As with DescribeTrails, what only the
// event selectors say is not in it.
func (a *Account) Trails(ctx context.Context, _, _ string) ([]trail.Trail, error) {
	return a.seen(ctx, func(trail.Trail) bool { return true })
}

// seen returns those of the trails that somebody sees.
func (a *Account) seen(ctx context.Context, sees func(trail.Trail) bool) ([]trail.Trail, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure("cloudtrail:DescribeTrails", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	trails := []trail.Trail{}
	for i := range a.trails {
		if !sees(a.trails[i]) {
			continue
		}
		t := a.trails[i]
		t.NetworkActivity, t.Aggregated, t.Unlogged, t.SelectorsKnown, t.Selectors = false, false, trail.Unlogged{}, false, ""
		trails = append(trails, t)
	}
	return trails, nil
}

// Status returns what CloudTrail reports of a trail, and the whole trail.
func (a *Account) Status(ctx context.Context, _ string, t trail.Trail) (trail.Trail, trail.Status, error) {
	const op = "cloudtrail:GetTrailStatus"
	if err := ctx.Err(); err != nil {
		return t, trail.Status{}, failure(op, guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.index(t.ARN)
	if i < 0 {
		return t, trail.Status{}, failure(op, guardrail.Missing, "TrailNotFoundException", errors.New("unknown trail: "+t.ARN))
	}
	t.NetworkActivity, t.Aggregated, t.Selectors = a.trails[i].NetworkActivity, a.trails[i].Aggregated, a.trails[i].Selectors
	t.SelectorsKnown, t.ConfigurationKnown = t.CustomSelectors, t.CustomSelectors
	if t.SelectorsKnown {
		t.Unlogged = a.trails[i].Unlogged
	}
	return t, a.statuses[t.ARN], nil
}

// Organization returns the account's organization.
func (a *Account) Organization(ctx context.Context, _ string) (trail.Organization, error) {
	if err := ctx.Err(); err != nil {
		return trail.Organization{}, failure("organizations:DescribeOrganization", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.organization
	o.Members = slices.Clone(o.Members)
	return o, nil
}

// Observe reads a bucket.
func (a *Account) Observe(ctx context.Context, ref guardrail.BucketRef) (delivery.Bucket, error) {
	const op = "s3:GetBucketPolicy"
	if err := ctx.Err(); err != nil {
		return delivery.Bucket{}, failure(op, guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := delivery.Bucket{Name: ref.Name, Owner: ref.Account}
	b, ok := a.buckets[ref.Name]
	switch {
	case !ok:
		seen.State, seen.Reason = delivery.BucketMissing, "S3 answers NoSuchBucket"
		return seen, nil
	case ref.Account != "" && b.Owner != ref.Account:
		seen.State, seen.Reason = delivery.OtherOwner, fmt.Sprintf("it belongs to account %s", b.Owner)
		return seen, nil
	case b.Unreadable:
		seen.Region, seen.Reason = b.Region, op+" answers AccessDenied"
		return seen, nil
	}
	seen.Region, seen.Payer = b.Region, b.Payer
	if len(b.Policy) == 0 {
		seen.State = delivery.PolicyMissing
		return seen, nil
	}
	document, err := policy.Parse(b.Policy)
	if err != nil {
		seen.Reason = fmt.Sprintf("the policy cannot be read: %v", err)
		return seen, nil
	}
	seen.State, seen.Policy = delivery.PolicyRead, document
	return seen, nil
}

// PutPolicy replaces a bucket's policy as S3 does: it refuses what S3 refuses.
func (a *Account) PutPolicy(ctx context.Context, ref guardrail.BucketRef, text []byte) error {
	const op = "s3:PutBucketPolicy"
	stored := text
	if len(text) > 0 {
		var err error
		if stored, err = a.accept(op, ref.Name, text); err != nil {
			return err
		}
	}
	return a.write(ctx, op, ref, func(b *Bucket) { b.Policy = slices.Clone(stored) })
}

// accept returns the policy as S3 would store it.
func (a *Account) accept(op, bucket string, text []byte) ([]byte, error) {
	rejected := func(err error) error { return failure(op, guardrail.Rejected, "MalformedPolicy", err) }
	if len(text) > repair.MaxPolicySize {
		return nil, rejected(fmt.Errorf("policy has %d bytes, more than %d", len(text), repair.MaxPolicySize))
	}
	document, err := policy.Parse(text)
	if err != nil {
		return nil, rejected(err)
	}
	if faults := document.Faults(arn.Bucket(bucket).ARN(arn.Region(a.region).Partition())); len(faults) > 0 {
		return nil, rejected(errors.New(faults[0].Message))
	}
	if a.reserialize {
		return Reserialize(text), nil
	}
	return text, nil
}

// ResetPayer sets the request payer back to the bucket's owner.
func (a *Account) ResetPayer(ctx context.Context, ref guardrail.BucketRef) error {
	return a.write(ctx, "s3:PutBucketRequestPayment", ref, func(b *Bucket) { b.Payer = delivery.PayerOwner })
}

func (a *Account) write(ctx context.Context, op string, ref guardrail.BucketRef, change func(*Bucket)) error {
	if err := ctx.Err(); err != nil {
		return failure(op, guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.buckets[ref.Name]
	switch {
	case ref.Account == "":
		return failure(op, guardrail.Denied, "", errors.New("the expected owner is not given"))
	case !ok:
		return failure(op, guardrail.Missing, "NoSuchBucket", errors.New("the specified bucket does not exist"))
	case b.Owner != ref.Account:
		return failure(op, guardrail.Denied, "AccessDenied", errors.New("the bucket belongs to another account"))
	}
	change(&b)
	a.buckets[ref.Name] = b
	return nil
}

func failure(op string, class guardrail.Class, code string, err error) error {
	return &guardrail.PortError{Op: op, Class: class, Code: code, Err: err}
}

// EnabledRegions returns the regions that the account has enabled.
func (a *Account) EnabledRegions(_ context.Context, account string) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if account != a.account {
		return nil, nil
	}
	return slices.Clone(a.regions), nil
}
