package guardrail

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// outcome is what assessing a target came to.
type outcome struct {
	// report is the judgement on what was observed, with what CloudTrail itself
	// reports of its deliveries.
	report delivery.Report
	// accepted are weaknesses that the owner accepts, and that the report leaves out.
	accepted []delivery.AcceptedFinding
	// plan is what restoring would do.
	plan repair.Plan
	// stale are ARNs of trails that report an error of a delivery from before
	// the bucket last changed.
	stale []string
	// stopped is that there was no time to judge the policy in full, nil if there was.
	// Another time it may be settled, so that the reconciliation is to be repeated.
	stopped error

	judged judgement
}

// amiss reports whether there is more to say than weaknesses.
func (o outcome) amiss() bool { return amiss(o.report) }

func amiss(r delivery.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Kind != delivery.Weakness })
}

// judgement is the report on a bucket's policy and the plan to restore it, and
// what both rest on.
type judgement struct {
	observation

	// report is that on the bucket, and whole what the keys and topics of its trails add;
	// nil: that was not judged yet.
	report delivery.Report
	whole  *delivery.Report
	plan   *repair.Plan // nil: none was asked for yet
}

// judgementAge is how long a judgement holds while nothing that it rests on has
// changed. A condition on the time of day may change it; rounds of one
// reconciliation are closer together than any such condition means.
const judgementAge = time.Minute

// restsOn reports whether the judgement is that of the observation. A bucket
// that was read again and is the same is not judged again.
func (j judgement) restsOn(o observation) bool {
	return !j.at.IsZero() && o.at.Sub(j.at) < judgementAge &&
		sameBucket(j.bucket, o.bucket) && j.bucket.Region == o.bucket.Region && j.bucket.Reason == o.bucket.Reason &&
		slices.Equal(j.trails, o.trails) && j.chain.same(o.chain) && j.rcps.same(o.rcps) && j.askedRegions == o.askedRegions && slices.Equal(j.regions, o.regions) && reflect.DeepEqual(j.organization, o.organization)
}

// judge assesses what was observed, and reads what only matters where the
// outcome hangs on it: the regions that the account has enabled. A policy that
// names no regions costs no call more.
func (g *Guard) judge(ctx context.Context, t Target, rec record, obs observation, done attempt, earlier outcome) (observation, outcome) {
	if earlier.judged.askedRegions {
		obs.regions, obs.askedRegions, obs.regionsErr = earlier.judged.regions, true, earlier.judged.regionsErr
	}
	if earlier.judged.askedOthers {
		obs.others, obs.askedOthers = earlier.judged.others, true
	}
	if obs.hangsOnOthers() {
		obs = g.withOthers(ctx, t, obs)
	}
	out := assess(ctx, t, rec, obs, done, earlier, g.config)
	if obs.askedRegions || !hangsOnRegions(out.report) {
		return obs, out
	}
	obs = g.withRegions(ctx, t, obs)
	return obs, assess(ctx, t, rec, obs, done, out, g.config)
}

// advised is the report with the planner's advice, for people to read. What is
// remembered is the judgement alone: advice may be worded anew.
func (o outcome) advised(ctx context.Context, t Target, obs observation) delivery.Report {
	if o.judged.at.IsZero() || len(t.trails()) == 0 {
		return o.report
	}
	hardened := repair.Plan{}
	if repair.Hardens(o.report) {
		ctx, cancel := context.WithTimeout(ctx, wantedTime)
		defer cancel()
		options := planOptions(t, true)
		options.Budget = delivery.NewBudget(obs.bucket, obs.trails)
		defer context.AfterFunc(ctx, options.Budget.Stop)()
		hardened = repair.For(obs.bucket, obs.trails, environment(t, obs), o.judged.report, options)
	}
	return repair.Advise(obs.bucket.Policy, o.report, o.plan, hardened)
}

// mended is the whole policy for a person to put; see [repair.Mended].
func (o outcome) mended(ctx context.Context, t Target, obs observation) []byte {
	if o.judged.at.IsZero() || len(t.trails()) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, wantedTime)
	defer cancel()
	budget := delivery.NewBudget(obs.bucket, obs.trails)
	defer context.AfterFunc(ctx, budget.Stop)()
	return repair.Mended(obs.bucket, obs.trails, environment(t, obs), o.judged.report, o.plan, budget)
}

// planOptions are what a plan may rest on: the account that was surveyed lists
// its trails of every region.
func planOptions(t Target, harden bool) repair.Options {
	o := repair.Options{Harden: harden}
	if t.survey.failure == nil && t.survey.account != "" {
		o.ReadAccounts = []string{t.survey.account}
	}
	o.Seen = t.survey.known.Buckets[t.Key().Bucket].SeenAccounts()
	return o
}

func findingsOf(accepted []delivery.AcceptedFinding) []delivery.Finding {
	var findings []delivery.Finding
	for _, a := range accepted {
		findings = append(findings, a.Finding)
	}
	return findings
}

func hangsOnRegions(r delivery.Report) bool {
	return slices.ContainsFunc(r.Trails, func(t delivery.TrailReport) bool {
		return slices.ContainsFunc(t.Requirements, func(rr delivery.RequirementReport) bool { return rr.Perhaps == trail.UncertainRegion })
	})
}

// assess says what is to be said of what was observed, and what restoring would
// do. It is pure, but for the context: where that ends, what was not settled by then is
// too complex to judge. Done is the repair that this reconciliation has made, if any;
// earlier is the outcome of a round before, whose judgement is kept where it
// still holds.
func assess(ctx context.Context, t Target, rec record, obs observation, done attempt, earlier outcome, c Config) outcome {
	switch s := t.Subject.(type) {
	case DeletedTrail:
		return outcome{report: absent(s)}
	case withoutTrail:
		return outcome{report: s.report()}
	case wholeOrganization:
		return outcome{report: s.report()}
	case UnusedBucket:
		return outcome{report: delivery.Report{Bucket: s.Name, Verdict: delivery.Delivering}}
	}
	obs.bucket.Expected = t.expected()
	out := outcome{judged: earlier.judged}
	env := environment(t, obs)
	budget := delivery.NewBudget(obs.bucket, obs.trails)
	defer context.AfterFunc(ctx, budget.Stop)()
	if _, granting := t.Subject.(GrantingBucket); granting {
		out.judged = judgement{observation: obs, report: delivery.JudgeUnused(budget, obs.bucket, env)}
		out.report, out.accepted = delivery.Accept(out.judged.report, c.Accepted, obs.at)
		return out
	}
	if !out.judged.restsOn(obs) {
		out.judged = judgement{observation: obs, report: delivery.JudgeWithin(budget, obs.bucket, obs.trails, env)}
	}
	out.judged.around = obs.around
	changed := func(arn string) time.Time { return lastChange(t, rec, done, arn) }
	statuses, stale := freshStatuses(withNew(obs.statuses, t, rec, obs.at), changed, obs.at)
	written, beside := evidence(t, obs, changed), surroundings(t, rec, obs)
	// seen is a report with what CloudTrail says of the trails, and without what is accepted.
	seen := func(r delivery.Report) (delivery.Report, []delivery.AcceptedFinding) {
		r = delivery.JudgeStatus(r, obs.trails, statuses, written)
		r = delivery.JudgeCoverage(r, obs.trails, beside)
		return delivery.Accept(r, c.Accepted, obs.at)
	}
	out.report, out.accepted = seen(out.judged.report)
	out.stale = stale
	out.plan = repair.Plan{Policy: policyText(obs.bucket)}
	if out.amiss() || c.Harden {
		if out.judged.plan == nil {
			options := planOptions(t, c.Harden)
			options.Budget, options.Accepted = budget, findingsOf(out.accepted)
			plan := repair.For(obs.bucket, obs.trails, env, out.judged.report, options)
			out.judged.plan = &plan
		}
		out.plan = *out.judged.plan
	}
	if chained := len(obs.chain.Keys)+len(obs.chain.Topics) > 0; chained || len(obs.rcps.over) > 0 {
		// Last, so that a key's policy, which others may write, takes nothing from the plan.
		if out.judged.whole == nil {
			whole := out.judged.report
			if chained {
				whole = delivery.JudgeChain(budget, whole, obs.bucket, obs.trails, env, obs.chain.Chain)
			}
			whole = delivery.JudgeRCPs(budget, whole, obs.bucket, obs.trails, env, obs.chain.Chain, obs.rcps.over...)
			out.judged.whole = &whole
		}
		out.report, out.accepted = seen(*out.judged.whole)
		out.plan.Refused = slices.Concat(out.plan.Refused, refusedChain(out.report))
	}
	if budget.Stopped() {
		out.stopped = &ObserveError{Subject: "policy of bucket " + obs.bucket.Name, Err: errTimeUp}
		out.judged = judgement{}
	}
	return out
}

// refusedChain says of each outage by a key or a resource control policy why nothing is written.
func refusedChain(r delivery.Report) []repair.Refusal {
	var out []repair.Refusal
	for _, f := range r.Outages() {
		if ofChain(f) {
			known, _ := delivery.LookupType(f.ID)
			out = append(out, repair.Refusal{Finding: f.ID, Trail: f.Trail, Reason: known.Refusal(f), Edit: f.Edit})
		}
	}
	return out
}

// absent is the report on a trail that is not listed any more, unless it is
// again.
func absent(d DeletedTrail) delivery.Report {
	if d.Back {
		return delivery.Report{Bucket: d.ARN, Verdict: delivery.Delivering}
	}
	return delivery.Report{
		Bucket: d.ARN, Verdict: delivery.Blocked,
		Trails:   []delivery.TrailReport{{ARN: d.ARN, Verdict: delivery.Blocked}},
		Findings: []delivery.Finding{delivery.TrailDeleted(d.ARN)},
	}
}

func environment(t Target, obs observation) trail.Environment {
	key := t.Key()
	owner := obs.bucket.Owner
	if owner == "" {
		owner = key.Account
	}
	env := trail.Environment{
		Bucket: key.Bucket, BucketOwner: owner, BucketRegion: obs.bucket.Region,
		Organization: obs.organization, Now: obs.at,
	}
	if obs.regions != nil {
		env.EnabledRegions = map[string][]string{t.survey.account: obs.regions}
	}
	return env
}

// lastChange is when the bucket, or what else the deliveries of a trail depend on, is last known
// to have changed. What CloudTrail reports of deliveries before it says nothing of how it is now. A
// call on another trail, or on its key, changes nothing for this one: whoever makes such calls all the time
// hides no failure of others.
func lastChange(t Target, rec record, done attempt, arn string) time.Time {
	last := done.written
	latest := func(at time.Time) {
		if at.After(last) {
			last = at
		}
	}
	for _, r := range rec.Repairs {
		latest(r.Written)
	}
	for _, c := range rec.Changes {
		if t.concerns(c, arn) {
			latest(c.Time)
		}
	}
	if t.Change != nil && t.concerns(*t.Change, arn) {
		latest(t.Change.Time)
	}
	// An outage that rests on the bucket was there until after it was told.
	blocked := func(f ledger.Finding) bool { return ledger.OfBucket(f.ID) }
	if !rec.Open() || slices.ContainsFunc(rec.Notified, blocked) {
		latest(rec.NotifiedAt)
	}
	return last
}

// freshStatuses returns the statuses without errors of deliveries that were
// tried before the bucket last changed, and the ARNs of trails that had one.
func freshStatuses(statuses []trail.Status, changed func(arn string) time.Time, now time.Time) (fresh []trail.Status, stale []string) {
	fresh = slices.Clone(statuses)
	for i := range fresh {
		if s := &fresh[i]; s.FailedBefore(changed(s.ARN), now) {
			s.DeliveryError, s.DigestError = "", ""
			stale = append(stale, s.ARN)
		}
	}
	return fresh, stale
}

// permission says whether a plan may be carried out, or why not.
type permission uint8

const (
	notNeeded   permission = iota // there is nothing to do
	notOptedIn                    // the owner did not list the bucket
	onHold                        // somebody undid a repair
	budgetSpent                   // it was repaired too often
	notSure                       // the plan is made without something that could not be read
	notAgain                      // it was tried
	granted                       // the owner's configuration allows it
	ordered                       // a person was asked, and agreed
)

// mayRepair says whether the plan is to be carried out now. Tried says that this
// reconciliation has made a repair or failed to: one is enough.
func (g *Guard) mayRepair(t Target, rec record, obs observation, out outcome, tried bool) permission {
	switch {
	case out.plan.Empty():
		return notNeeded
	case tried:
		return notAgain
	case !g.optedIn(t):
		return notOptedIn
	case rec.Holds(obs.fingerprint()):
		return onHold
	case rec.durable() && rec.Spent(g.now(), g.settings(t)):
		return budgetSpent
	case obs.planLacks() != nil, rec.memoryFailed():
		return notSure
	case !slices.ContainsFunc(out.report.Outages(), func(f delivery.Finding) bool { return !ofChain(f) }) && !g.config.Harden:
		return notNeeded
	}
	return granted
}

func (g *Guard) optedIn(t Target) bool { return slices.Contains(g.config.Restore, t.Key().Bucket) }

// settings are those of the target's memory.
func (g *Guard) settings(t Target) ledger.Settings {
	s := ledger.Settings{Budget: g.config.Budget, Window: g.config.Window, RemindEvery: g.config.RemindEvery, Severity: g.config.Severity}
	if _, ok := t.Subject.(DeletedTrail); ok {
		s.RemindEvery = 0 // a trail stays deleted; once is enough
	}
	return s
}
