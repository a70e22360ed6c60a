package guardrail

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// statusInterval keeps the reads of a sweep below the ten a second that
// CloudTrail allows an account, with room for others.
// Source: awscloudtrail userguide, WhatIsCloudTrail-Limits.html.
const statusInterval = 125 * time.Millisecond

// pass is what the looks of one sweep share.
type pass struct {
	run          Runtime
	organization func() (trail.Organization, error)
	// untold are trails that are gone, and of which the team could not be told.
	untold []string

	mu   sync.Mutex
	next time.Time
}

func (g *Guard) newPass(ctx context.Context, account string) *pass {
	return &pass{run: g.run, organization: sync.OnceValues(func() (trail.Organization, error) {
		return g.ports.Organizations.Organization(ctx, account)
	})}
}

// pace waits for the caller's turn to ask CloudTrail.
func (p *pass) pace(ctx context.Context) error {
	p.mu.Lock()
	now := p.run.Now()
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	p.next = turn.Add(statusInterval)
	p.mu.Unlock()
	if turn.After(now) {
		return p.run.Sleep(ctx, turn.Sub(now))
	}
	return nil
}

// Sweep looks at every trail bucket of the account, at every bucket and trail
// that is remembered and no longer there, and sends the alerts that wait. One
// bad bucket does not stop the rest; the failures are joined into a
// *SweepError. If the trails cannot be listed nothing is judged, and the error
// is that too.
func (g *Guard) Sweep(ctx context.Context, account, region string) (SweepResult, error) {
	shared := g.newPass(ctx, account)
	records, recordErr := g.records(ctx, account)
	e, err := g.survey(ctx, account, region)
	if err != nil {
		results, errs := g.flush(ctx, records)
		return SweepResult{Results: results}, sweepError(append(errs, recordErr, err))
	}
	request := Request{Account: account, Region: region}
	others := g.forwarded(ctx, e, records, shared)
	known := func(arn string) bool { return has(others.trails, arn) || slices.Contains(others.unread, arn) }
	missing := slices.DeleteFunc(lost(records, e), known)
	gone := make([]job, len(missing))
	for i, arn := range missing {
		gone[i] = g.goneJob(request, e, arn)
	}
	results, errs := g.lookAtEach(ctx, gone, shared)
	for i, err := range errs {
		if err != nil {
			shared.untold = append(shared.untold, missing[i])
		}
	}
	more, moreErrs := g.lookAtEach(ctx, g.sweepJobs(request, e, records, missing, others), shared)
	hidden := slices.DeleteFunc(slices.Clone(records), func(r ledger.Record) bool { return !others.hides(r) })
	flushed, flushErrs := g.flush(ctx, hidden)
	return SweepResult{Trails: len(e.all), Results: slices.Concat(results, more, flushed)},
		sweepError(slices.Concat(errs, moreErrs, flushErrs, others.errs, []error{recordErr}))
}

// sweepJobs are the buckets that trails use, and what else is remembered: for
// that no trail uses it any more. A bucket is judged with the trails of other
// accounts that it is remembered with, and not at all if they cannot be read.
func (g *Guard) sweepJobs(r Request, e estate, records []ledger.Record, done []string, others forwarded) []job {
	var jobs []job
	for _, name := range bucketsIn(e.all) {
		j := g.job(r, e, name)
		i := slices.IndexFunc(records, func(r ledger.Record) bool { return r.Bucket == name && r.Account == j.bucket.Account })
		if i >= 0 && others.hides(records[i]) {
			continue
		}
		if i >= 0 {
			j.trails = append(j.trails, others.of(records[i])...)
		}
		jobs = append(jobs, j)
	}
	for _, record := range records {
		known := func(j job) bool { return j.bucket.Name == record.Bucket && j.bucket.Account == record.Account }
		if slices.ContainsFunc(jobs, known) || slices.Contains(done, record.Bucket) || others.hides(record) {
			continue
		}
		j := g.job(r, e, record.Bucket)
		j.bucket.Account, j.trails = record.Account, others.of(record)
		jobs = append(jobs, j)
	}
	return jobs
}

func sweepError(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return &SweepError{Failed: len(errs), Err: join(errs)}
}

// records returns what is remembered of the account's buckets, and of those of
// declared owners.
func (g *Guard) records(ctx context.Context, account string) ([]ledger.Record, error) {
	if g.ports.Ledger == nil {
		return nil, nil
	}
	accounts := []string{account}
	for _, owner := range g.config.Owners {
		accounts = append(accounts, owner)
	}
	slices.Sort(accounts)
	var records []ledger.Record
	for _, a := range slices.Compact(accounts) {
		list, err := g.ports.Ledger.List(ctx, a)
		if err != nil {
			return records, &LedgerError{Bucket: "account " + a, Err: err}
		}
		records = append(records, list...)
	}
	return records, nil
}

// lost returns the trails that are remembered and no longer there.
func lost(records []ledger.Record, e estate) []string {
	var arns []string
	for _, r := range records {
		for _, arn := range r.Trails {
			if !has(e.all, arn) {
				arns = append(arns, arn)
			}
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

func bucketsIn(trails []trail.Trail) []string {
	var names []string
	for _, t := range trails {
		names = append(names, t.Bucket)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// lookAtEach looks at the jobs, several at once, and keeps their order.
func (g *Guard) lookAtEach(ctx context.Context, jobs []job, shared *pass) ([]Result, []error) {
	results, errs := make([]Result, len(jobs)), make([]error, len(jobs))
	g.each(len(jobs), func(i int) {
		j := jobs[i]
		j.sweep = shared
		results[i], errs[i] = g.lookAt(ctx, j)
	})
	return results, errs
}

// each calls do for 0 to n-1, as many at once as the configuration allows.
func (g *Guard) each(n int, do func(i int)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, g.config.Parallel)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	all.Wait()
}

// flush sends the alerts that wait, without a look at anything.
func (g *Guard) flush(ctx context.Context, records []ledger.Record) ([]Result, []error) {
	var results []Result
	var errs []error
	for _, r := range records {
		if len(r.Outbox) == 0 {
			continue
		}
		l := g.newLook(job{bucket: BucketRef{Name: r.Bucket, Account: r.Account}})
		err := l.flush(ctx)
		results, errs = append(results, l.result), append(errs, err)
	}
	return results, errs
}

func (l *look) flush(ctx context.Context) error {
	record, err := l.load(ctx)
	if err != nil {
		return err
	}
	next, claimed := l.claim(ctx, record)
	if len(claimed) == 0 {
		return nil
	}
	if again, err := l.save(ctx, next); again || err != nil {
		return err // whoever was faster has seen the alerts too
	}
	return l.publish(ctx, claimed)
}

// goneJob is the look at a trail that is gone: its record goes by its ARN.
func (g *Guard) goneJob(r Request, e estate, arn string) job {
	j := g.job(r, e, arn)
	j.bucket = BucketRef{Name: arn, Account: r.Account, Region: r.Region}
	if fields := strings.Split(arn, ":"); len(fields) > 4 && fields[3] != "" {
		j.bucket.Region = fields[3]
	}
	return j
}

func (g *Guard) lookAtGone(ctx context.Context, r Request, e estate, arn string) (Result, error) {
	return g.lookAt(ctx, g.goneJob(r, e, arn))
}

// isTrail reports whether a record's bucket is the ARN of a trail.
func isTrail(name string) bool { return strings.HasPrefix(name, "arn:") }
