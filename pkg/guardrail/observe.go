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
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// sight is what was seen of a bucket, and the judgement on it.
type sight struct {
	at           time.Time // before the bucket was read
	bucket       delivery.Bucket
	organization trail.Organization
	trails       []trail.Trail
	statuses     []trail.Status
	readings     []reading
	unasked      []string // trails whose status could not be read
	stale        []string // trails that report an error from before the last change
	notes        []string
	// problems are failures that may pass; the look is to be repeated.
	problems []error
	partial  bool // the organization could not be read for now
	report   delivery.Report
	plan     repair.Plan
}

func policyText(b delivery.Bucket) []byte {
	if b.Policy == nil {
		return nil
	}
	return b.Policy.Text()
}

func (s *sight) digest() string { return ledger.Fingerprint(policyText(s.bucket)) }

// known reports whether it is known what policy the bucket has, or that it has
// none.
func (s *sight) known() bool {
	return s.bucket.State == delivery.PolicyRead || s.bucket.State == delivery.PolicyMissing
}

// same reports whether two readings of a bucket found the same.
func same(a, b delivery.Bucket) bool {
	return a.State == b.State && a.Owner == b.Owner && a.Payer == b.Payer && bytes.Equal(policyText(a), policyText(b))
}

// fresh returns the statuses without errors of deliveries that were tried
// before the bucket last changed. It notes the trails that had such an error.
func (s *sight) fresh(changed time.Time) []trail.Status {
	s.stale = nil
	statuses := slices.Clone(s.statuses)
	for i := range statuses {
		status := &statuses[i]
		failing := status.DeliveryError != "" || status.DigestError != ""
		if failing && !status.DeliveryAttempt.After(changed) && !changed.IsZero() {
			status.DeliveryError, status.DigestError = "", ""
			s.stale = append(s.stale, status.ARN)
		}
	}
	return statuses
}

// reading is one Status call's outcome.
type reading struct {
	trail  trail.Trail
	status trail.Status
	asked  bool
	err    error
}

// observe reads all that the judgement needs, at once.
func (l *look) observe(ctx context.Context) error {
	return l.read(ctx, l.load)
}

// observeAfter reads it again, but for the record.
func (l *look) observeAfter(ctx context.Context, record ledger.Record) error {
	return l.read(ctx, func(context.Context) (ledger.Record, error) { return record, nil })
}

// read reads all that the judgement needs, and the record with load.
func (l *look) read(ctx context.Context, load func(context.Context) (ledger.Record, error)) error {
	if l.gone() || len(l.trails) == 0 {
		return l.observeAbsent(ctx, load)
	}
	s := sight{at: l.now(), trails: slices.Clone(l.trails)}
	var all sync.WaitGroup
	var bucketErr, orgErr, recordErr error
	var record ledger.Record
	readings := make([]reading, len(l.trails))
	all.Go(func() { s.bucket, bucketErr = l.ports.Buckets.Observe(ctx, l.bucket) })
	all.Go(func() { s.organization, orgErr = l.organization(ctx) })
	all.Go(func() { record, recordErr = load(ctx) })
	for i, t := range l.trails {
		all.Go(func() { readings[i] = l.status(ctx, t) })
	}
	all.Wait()
	if bucketErr != nil {
		return &ObserveError{Subject: "bucket " + l.bucket.Name, Err: bucketErr}
	}
	if recordErr != nil {
		if Is(recordErr, Transient) {
			return recordErr
		}
		l.amnesic, record = true, ledger.Record{Key: l.key()}
		s.problems = append(s.problems, recordErr)
		s.notes = append(s.notes, "What was told before cannot be read, so nothing is written and this may be told more than once.")
	}
	if orgErr != nil {
		s.partial, s.organization = true, trail.Organization{}
		s.problems = append(s.problems, &ObserveError{Subject: "organization of account " + l.estate.account, Err: orgErr})
		s.notes = append(s.notes, "The organization could not be read just now, so this judgement does without it.")
	}
	for i, r := range readings {
		s.take(i, r)
	}
	s.readings = readings
	l.record, l.sight = record, s
	return nil
}

// observeAbsent is for a trail that was deleted, and for a bucket that no
// trail uses any more: only what is remembered of them matters.
func (l *look) observeAbsent(ctx context.Context, load func(context.Context) (ledger.Record, error)) error {
	record, err := load(ctx)
	if err != nil {
		return err
	}
	l.record = record
	l.sight = sight{at: l.now(), bucket: delivery.Bucket{Name: l.bucket.Name, Owner: l.bucket.Account, Region: l.bucket.Region}}
	return nil
}

func (l *look) organization(ctx context.Context) (trail.Organization, error) {
	if l.sweep != nil {
		return l.sweep.organization()
	}
	return l.ports.Organizations.Organization(ctx, l.estate.account)
}

// status asks for a trail's status. A trail that is only declared belongs to
// an account that cannot be read.
func (l *look) status(ctx context.Context, t trail.Trail) reading {
	if !has(l.estate.listed, t.ARN) {
		return reading{trail: t}
	}
	if l.sweep != nil {
		if err := l.sweep.pace(ctx); err != nil {
			return reading{trail: t, asked: true, err: err}
		}
	}
	full, status, err := l.ports.Trails.Status(ctx, l.estate.account, t)
	if err != nil {
		full = t
	}
	return reading{trail: full, status: status, asked: true, err: err}
}

func (s *sight) take(i int, r reading) {
	t := s.trails[i]
	switch {
	case !r.asked:
		s.unasked = append(s.unasked, t.ARN)
	case r.err == nil:
		s.trails[i] = r.trail
		s.statuses = append(s.statuses, r.status)
	case Is(r.err, Denied) && r.status.ARN != "":
		s.statuses = append(s.statuses, r.status)
		s.notes = append(s.notes, fmt.Sprintf("The event selectors of trail %s may not be read, so files of network activity and aggregated events are not judged.", t.ARN))
	case Is(r.err, Denied):
		s.unasked = append(s.unasked, t.ARN)
		s.notes = append(s.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s may not be read.", t.ARN))
	default:
		s.unasked = append(s.unasked, t.ARN)
		s.notes = append(s.notes, fmt.Sprintf("What CloudTrail itself reports of trail %s could not be read just now.", t.ARN))
		s.problems = append(s.problems, &ObserveError{Subject: "status of trail " + t.ARN, Err: r.err})
	}
}

// load reads the record. Repairs of this look that were never written do not
// count.
func (l *look) load(ctx context.Context) (ledger.Record, error) {
	if !l.remembers() {
		return ledger.Record{Key: l.key()}, nil
	}
	record, err := l.ports.Ledger.Load(ctx, l.key())
	if err != nil {
		return ledger.Record{}, &LedgerError{Bucket: l.bucket.Name, Err: err}
	}
	for _, r := range record.Repairs {
		if l.mine(r.ID) && !slices.Contains(l.wrote, r.ID) {
			record = record.Abandon(r.ID)
		}
	}
	return record, nil
}
