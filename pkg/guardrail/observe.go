package guardrail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// observation is what a target is now, as far as it could be read.
type observation struct {
	at     time.Time // before the bucket was read
	bucket delivery.Bucket
	// unanswered is why the bucket could not be read for now, nil if it was. It is
	// then judged as a bucket of which nothing is known.
	unanswered error
	trails     []trail.Trail // that deliver into the bucket, with what their event selectors tell
	chain      chained
	rcps       ruled

	wanted
	around
}

// wanted is what a judgement can do without. It is read once in a round, and what
// of it is slow or fails is not asked for again. It stops neither the telling nor a
// repair that does not need it.
type wanted struct {
	organization trail.Organization
	// organizationErr is why the organization could not be read for now.
	organizationErr error
	// regions are those that the account has enabled, nil where they are not
	// known. They are read only where the judgement hangs on them.
	regions      []string
	askedRegions bool
	regionsErr   error
	statuses     []trail.Status
	// readings are all that was asked of trails, failures among them.
	readings []reading
	// unasked are ARNs of trails of which it is not known what CloudTrail
	// reports.
	unasked []string
	notes   []string
	// problems are failures that may pass: the reconciliation is to be repeated.
	problems []error
	// waited is how long was waited for all of it.
	waited time.Duration
}

// reading is what asking for one trail's status came to.
type reading struct {
	trail   trail.Trail
	status  trail.Status
	account string // that was asked; empty: none was
	asked   bool
	err     error
}

// errTooSlow says that what is only wanted was not asked for, since it took too
// long before.
var errTooSlow = errors.New("it took too long to be waited for")

// patient calls ask, which reads something that is only wanted, for as long as is left
// for that. It returns how long it took.
func (g *Guard) patient(ctx context.Context, left time.Duration, ask func(context.Context) error) (time.Duration, error) {
	if left <= 0 {
		return 0, errTooSlow
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	began := g.now()
	err := ask(ctx)
	return g.now().Sub(began), err
}

// load reads the record and all that the judgement needs, at once. A record that
// cannot be read is no failure: what is wrong is then told without memory, and
// nothing is written. The error is that the bucket could not be read. Before is
// what an earlier round has observed; in the first round, what may be older than the
// event is read once more.
func (g *Guard) load(ctx context.Context, t Target, rec record, before observation) (record, observation, error) {
	var loaded record
	var obs observation
	var recordErr, err error
	var both sync.WaitGroup
	both.Go(func() { loaded, recordErr = rec.reload(ctx) })
	both.Go(func() { obs, err = g.observe(ctx, t, before) })
	both.Wait()
	if recordErr != nil {
		loaded = rec.forget(recordErr)
	}
	if first := before.at.IsZero(); err == nil && first && mayLag(t, loaded, obs, g.now()) && g.pause(ctx, readLag, 0) {
		return g.load(ctx, t, loaded, obs)
	}
	return loaded, g.withRecords(ctx, t, loaded, obs), err
}

// observe reads all that the judgement needs and wants, at once. The error is that
// the bucket could not be read for now, and that nobody is known to have changed it.
// What else could not be read, the observation says.
func (g *Guard) observe(ctx context.Context, t Target, before observation) (observation, error) {
	var obs observation
	b, ok := t.Subject.(TrailBucket)
	if !ok { // nobody delivers there
		return g.observeBucket(ctx, t, obs)
	}
	trails := b.Trails
	readings, waited := slices.Clone(before.readings), make([]time.Duration, len(trails)+3)
	if readings == nil {
		readings = make([]reading, len(trails))
	}
	var organization trail.Organization
	var err error
	organizationErr := before.organizationErr
	var all sync.WaitGroup
	all.Go(func() { obs, err = g.observeBucket(ctx, t, obs) })
	chain := before.chain
	if len(chain.problems) == 0 {
		all.Go(func() {
			waited[len(trails)+1], _ = g.patient(ctx, wantedTime, func(ctx context.Context) error {
				chain = g.chain(ctx, t.occasion.chain(t.survey), t, b.BucketRef, trails)
				return nil // what could not be read says so itself
			})
		})
	}
	var rcps inventory.RCPs
	var rcpsErr error
	if g.ports.RCPs != nil {
		all.Go(func() {
			waited[len(trails)+2], rcpsErr = g.patient(ctx, wantedTime, func(ctx context.Context) (err error) {
				rcps, err = t.occasion.rcps(ctx)
				return err
			})
		})
	}
	if organizationErr == nil {
		all.Go(func() {
			waited[len(trails)], organizationErr = g.patient(ctx, wantedTime, func(ctx context.Context) (err error) {
				organization, err = t.occasion.organization(ctx)
				return err
			})
			if organizationErr != nil {
				organizationErr = &ObserveError{Subject: "organization of account " + t.survey.account, Err: organizationErr}
			}
		})
	}
	for i, tr := range trails {
		if readings[i].err == nil {
			all.Go(func() { readings[i], waited[i] = g.readTrail(ctx, t, wantedTime, tr) })
		}
	}
	all.Wait()
	obs.waited = slices.Max(waited)
	obs.trails, obs.chain, obs.readings, obs.organizationErr = slices.Clone(trails), chain, readings, organizationErr
	for i, r := range readings {
		obs.add(i, r)
	}
	obs.notes = slices.Concat(obs.notes, t.survey.notes(trails), t.survey.blindSpots(obs.trails))
	if organizationErr == nil {
		obs.organization = organization
	}
	if g.ports.RCPs != nil {
		served, isKnown := t.occasion.served(t.survey)
		if rcpsErr == nil && !isKnown {
			rcpsErr = errMembersUnknown
		}
		obs = obs.under(rcps, served, rcpsErr, g.config.InventoryAge)
	}
	return obs, err
}

// observeAgain reads again what is to be acted on: the bucket, and the keys and topics of its
// trails, not as an earlier reading of the same sweep has them.
func (g *Guard) observeAgain(ctx context.Context, t Target, obs observation) (observation, error) {
	var again observation
	var err error
	chain := obs.chain
	var all sync.WaitGroup
	all.Go(func() { again, err = g.observeBucket(ctx, t, obs) })
	if len(chain.problems) == 0 {
		all.Go(func() {
			_, _ = g.patient(ctx, wantedTime, func(ctx context.Context) error {
				chain = g.chain(ctx, t.occasion.chainNow(t.survey), t, t.bucket(), obs.trails)
				return nil
			})
		})
	}
	all.Wait()
	again.chain = chain
	return again, err
}

// observeBucket reads the bucket again, and keeps what else was read. A bucket that
// S3 does not give for now is an error; where a call that may have broken it led here,
// it is told that nothing is known of it.
func (g *Guard) observeBucket(ctx context.Context, t Target, obs observation) (observation, error) {
	obs.at, obs.unanswered = g.now(), nil
	b, ok := t.watched()
	if !ok { // only what is remembered of it matters
		key := t.Key()
		obs.bucket = delivery.Bucket{Name: key.Bucket, Owner: key.Account, Region: t.home()}
		return obs, nil
	}
	read, err := g.readBucket(ctx, b)
	if err == nil {
		obs.bucket = g.withoutGuess(t, read)
		return obs, nil
	}
	if len(t.calls()) == 0 {
		return obs, err
	}
	obs.unanswered = err
	obs.bucket = delivery.Bucket{Name: b.Name, Owner: b.Account, Reason: noAnswer(err), Unanswered: true}
	return obs, nil
}

// readBucket reads a bucket, and tries again what may pass. The error is an
// *ObserveError.
func (g *Guard) readBucket(ctx context.Context, b BucketRef) (delivery.Bucket, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		read, err := g.ports.Buckets.Observe(ctx, b)
		if err == nil {
			return read, nil
		}
		if try == readTries || !Is(err, Transient) || ctx.Err() != nil || !g.pause(ctx, wait, 0) {
			return read, &ObserveError{Subject: "bucket " + b.Name, Err: err}
		}
	}
}

// noAnswer says in words that are the same each time why a bucket could not be
// read for now.
func noAnswer(err error) string {
	var p *PortError
	switch {
	case !errors.As(err, &p):
		return "the call failed"
	case p.Code == "":
		return p.Op + " gave no answer"
	}
	return p.Op + " answered " + p.Code + " each time it was asked"
}

// withRegions adds the regions that the account has enabled.
func (g *Guard) withRegions(ctx context.Context, t Target, o observation) observation {
	waited, err := g.patient(ctx, wantedTime-o.waited, func(ctx context.Context) (err error) {
		o.regions, err = t.occasion.enabledRegions(ctx)
		return err
	})
	o.askedRegions = true
	o.waited += waited
	if err != nil {
		o.regions, o.regionsErr = nil, &ObserveError{Subject: "regions of account " + t.survey.account, Err: err}
	}
	return o
}

// readTrail asks for a trail's status, where an account may be asked.
func (g *Guard) readTrail(ctx context.Context, t Target, left time.Duration, tr trail.Trail) (reading, time.Duration) {
	account, ok := t.occasion.reads(t.survey, tr)
	if !ok {
		return reading{trail: tr}, 0
	}
	if err := t.occasion.turn(ctx, account); err != nil {
		return reading{trail: tr, account: account, asked: true, err: err}, 0
	}
	var full trail.Trail
	var status trail.Status
	waited, err := g.patient(ctx, left, func(ctx context.Context) (err error) {
		full, status, err = t.occasion.status(ctx, account, tr)
		return err
	})
	if full.ARN == "" {
		full = tr
	}
	return reading{trail: full, status: status, account: account, asked: true, err: err}, waited
}

// add adds what was asked of the trail at index i.
func (o *observation) add(i int, r reading) {
	arn := o.trails[i].ARN
	o.trails[i] = r.trail
	switch {
	case !r.asked:
		o.unasked = append(o.unasked, arn)
	case r.err == nil:
		o.statuses = append(o.statuses, r.status)
	case Is(r.err, Denied) && r.status.ARN != "":
		o.statuses = append(o.statuses, r.status)
		o.notes = append(o.notes, fmt.Sprintf(
			"The event selectors of trail %s may not be read, so it is not judged whether it logs management events, "+
				"nor are its files of network activity and aggregated events.", arn))
	case Is(r.err, Denied):
		o.unasked = append(o.unasked, arn)
		o.notes = append(o.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s may not be read.", arn))
	case r.status.ARN != "":
		o.statuses = append(o.statuses, r.status)
		o.notes = append(o.notes, fmt.Sprintf("The event selectors of trail %s could not be read just now.", arn))
		o.problems = append(o.problems, &ObserveError{Subject: "event selectors of trail " + arn, Err: r.err})
	default:
		o.unasked = append(o.unasked, arn)
		o.notes = append(o.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s could not be read just now.", arn))
		o.problems = append(o.problems, &ObserveError{Subject: "status of trail " + arn, Err: r.err})
	}
}

// lacks are the failures to read what the report hangs on: the regions, which are
// read for nothing else, and the organization where a trail is an organization's, or
// where something could not be decided.
func (o observation) lacks(r delivery.Report) []error {
	var errs []error
	if o.organizationErr != nil && (o.ofOrganization() || hasUnknown(r)) {
		errs = append(errs, o.organizationErr)
	}
	if o.regionsErr != nil {
		errs = append(errs, o.regionsErr)
	}
	return errs
}

// planLacks is why a plan for the trails cannot be made just now, nil if it can. What
// else is not known makes a plan smaller, and never wrong.
func (o observation) planLacks() error {
	if o.ofOrganization() {
		return o.organizationErr
	}
	return nil
}

func (o observation) ofOrganization() bool {
	return slices.ContainsFunc(o.trails, func(t trail.Trail) bool { return t.Organization })
}

func hasUnknown(r delivery.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Kind == delivery.Unknown })
}

// failures are why the reconciliation is to be repeated. Some may be nil.
func (o observation) failures(out outcome) []error {
	return slices.Concat([]error{o.unanswered, out.stopped, o.recordsErr}, o.lacks(out.report), o.problems, o.chain.problems)
}

// remarks say what the judgement does without.
func (o observation) remarks() []string {
	var notes []string
	if o.organizationErr != nil {
		notes = append(notes, "The organization could not be read just now, so this judgement does without it.")
	}
	if o.regionsErr != nil {
		notes = append(notes, "The regions that the account has enabled could not be read just now, so this judgement does without them.")
	}
	return append(notes, o.notes...)
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
