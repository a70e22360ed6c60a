package guardrail

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// observation is what a target is now, as far as it could be read.
type observation struct {
	at           time.Time // before the bucket was read
	bucket       delivery.Bucket
	organization trail.Organization
	// regions are those that the account has enabled, nil where they are not
	// known. They are read only where the judgement hangs on them.
	regions      []string
	askedRegions bool
	trails       []trail.Trail // that deliver into the bucket, with what their event selectors tell
	statuses     []trail.Status
	// readings are all that was asked of trails, failures among them.
	readings []reading
	// unasked are ARNs of trails of which it is not known what CloudTrail
	// reports.
	unasked []string
	notes   []string
	// problems are failures that may pass: the reconciliation is to be repeated.
	problems []error
	// partial says that the organization, or the regions that the judgement hangs
	// on, could not be read for now.
	partial bool
}

// reading is what asking for one trail's status came to.
type reading struct {
	trail  trail.Trail
	status trail.Status
	asked  bool
	err    error
}

// load reads the record and all that the judgement needs, at once. A record that
// cannot be read for good is no failure: what is wrong is then told without
// memory, and nothing is written.
func (g *Guard) load(ctx context.Context, t Target, rec record) (record, observation, error) {
	var loaded record
	var obs observation
	var recordErr, err error
	var both sync.WaitGroup
	both.Go(func() { loaded, recordErr = rec.reload(ctx) })
	both.Go(func() { obs, err = g.observe(ctx, t, rec) })
	both.Wait()
	switch {
	case err != nil:
		return rec, obs, err
	case recordErr != nil && Is(recordErr, Transient):
		return rec, obs, recordErr
	case recordErr != nil:
		loaded = g.blank(t).forget(recordErr)
		obs = obs.withoutMemory(recordErr)
	}
	return loaded, obs, nil
}

// observe reads all that the judgement needs, at once. The error is that the
// bucket could not be read; what else could not be read, the observation says.
func (g *Guard) observe(ctx context.Context, t Target, rec record) (observation, error) {
	obs := observation{at: g.now()}
	if cause := rec.cause(); cause != nil {
		obs = obs.withoutMemory(cause)
	}
	b, ok := t.Subject.(TrailBucket)
	if !ok { // only what is remembered of it matters
		key := t.Key()
		obs.bucket = delivery.Bucket{Name: key.Bucket, Owner: key.Account, Region: t.home()}
		return obs, nil
	}
	obs.trails = slices.Clone(b.Trails)
	obs.readings = make([]reading, len(b.Trails))
	var bucketErr, orgErr error
	var all sync.WaitGroup
	all.Go(func() { obs.bucket, bucketErr = g.ports.Buckets.Observe(ctx, b.BucketRef) })
	all.Go(func() { obs.organization, orgErr = t.occasion.organization(ctx) })
	for i, tr := range b.Trails {
		all.Go(func() { obs.readings[i] = t.read(ctx, tr) })
	}
	all.Wait()
	if bucketErr != nil {
		return obs, &ObserveError{Subject: "bucket " + b.Name, Err: bucketErr}
	}
	if orgErr != nil {
		obs.partial, obs.organization = true, trail.Organization{}
		obs.problems = append(obs.problems, &ObserveError{Subject: "organization of account " + t.inventory.account, Err: orgErr})
		obs.notes = append(obs.notes, "The organization could not be read just now, so this judgement does without it.")
	}
	for i, r := range obs.readings {
		obs.add(i, r)
	}
	return obs, nil
}

// withRegions adds the regions that the account has enabled.
func (o observation) withRegions(ctx context.Context, t Target) observation {
	regions, err := t.occasion.enabledRegions(ctx)
	if err != nil {
		o.partial = true
		o.problems = append(slices.Clone(o.problems), &ObserveError{Subject: "regions of account " + t.inventory.account, Err: err})
		o.notes = append(slices.Clone(o.notes), "The regions that the account has enabled could not be read just now, so this judgement does without them.")
		return o
	}
	o.regions, o.askedRegions = regions, true
	return o
}

// read asks for a trail's status. A trail that is only declared belongs to an
// account that cannot be read, so it is not asked.
func (t Target) read(ctx context.Context, tr trail.Trail) reading {
	if !has(t.inventory.listed, tr.ARN) {
		return reading{trail: tr}
	}
	full, status, err := t.occasion.status(ctx, tr)
	if err != nil {
		full = tr
	}
	return reading{trail: full, status: status, asked: true, err: err}
}

// add adds what was asked of the trail at index i.
func (o *observation) add(i int, r reading) {
	arn := o.trails[i].ARN
	switch {
	case !r.asked:
		o.unasked = append(o.unasked, arn)
	case r.err == nil:
		o.trails[i] = r.trail
		o.statuses = append(o.statuses, r.status)
	case Is(r.err, Denied) && r.status.ARN != "":
		o.statuses = append(o.statuses, r.status)
		o.notes = append(o.notes, fmt.Sprintf(
			"The event selectors of trail %s may not be read, so files of network activity and aggregated events are not judged.", arn))
	case Is(r.err, Denied):
		o.unasked = append(o.unasked, arn)
		o.notes = append(o.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s may not be read.", arn))
	default:
		o.unasked = append(o.unasked, arn)
		o.notes = append(o.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s could not be read just now.", arn))
		o.problems = append(o.problems, &ObserveError{Subject: "status of trail " + arn, Err: r.err})
	}
}

// withoutMemory adds that the ledger fails for good. It comes before all else.
func (o observation) withoutMemory(cause error) observation {
	o.problems = slices.Concat([]error{cause}, o.problems)
	o.notes = slices.Concat([]string{
		"What was told before cannot be read, so nothing is written and this may be told more than once.",
	}, o.notes)
	return o
}

func (o observation) fingerprint() string { return ledger.Fingerprint(policyText(o.bucket)) }

// policyKnown reports whether it is known what policy the bucket has, or that
// it has none.
func (o observation) policyKnown() bool { return policyKnown(o.bucket) }

func policyKnown(b delivery.Bucket) bool {
	return b.State == delivery.PolicyRead || b.State == delivery.PolicyMissing
}

func policyText(b delivery.Bucket) []byte {
	if b.Policy == nil {
		return nil
	}
	return b.Policy.Text()
}

// sameBucket reports whether two readings of a bucket found the same.
func sameBucket(a, b delivery.Bucket) bool {
	return a.State == b.State && a.Owner == b.Owner && a.Payer == b.Payer && bytes.Equal(policyText(a), policyText(b))
}
