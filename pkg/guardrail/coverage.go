package guardrail

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// around is what is known beside a bucket and its trails. It is read only where the
// judgement hangs on it, which is seldom.
type around struct {
	// others are the readings of the account's trails that use other buckets.
	others      []reading
	askedOthers bool
	// records are those of other buckets, read where a trail is not known in this
	// one: it may have moved.
	records []ledger.Record
	// recordsErr is why they could not be read for now.
	recordsErr error
}

// withOthers adds the account's trails that use other buckets: one of them may
// log what a trail of this bucket does not.
func (g *Guard) withOthers(ctx context.Context, t Target, o observation) observation {
	if o.askedOthers {
		return o
	}
	o.askedOthers = true
	for _, tr := range t.survey.listed {
		if slices.ContainsFunc(o.readings, func(r reading) bool { return r.trail.ARN == tr.ARN }) {
			continue
		}
		r, waited := g.readTrail(ctx, t, wantedTime-o.waited, tr)
		o.waited += waited
		o.others = append(slices.Clone(o.others), r)
		if r.err != nil && !Is(r.err, Denied) {
			o.problems = append(slices.Clone(o.problems), &ObserveError{Subject: "status of trail " + tr.ARN, Err: r.err})
		}
	}
	return o
}

// hangsOnOthers reports whether a trail leaves out what another one may log.
func (o observation) hangsOnOthers() bool {
	return slices.ContainsFunc(o.trails, func(t trail.Trail) bool {
		unlogged, known := t.ManagementEvents()
		return known && unlogged.Writes
	})
}

// withRecords adds the records of other buckets, where the target's own does not know
// what one of its trails covers: the trail may have moved. An event of a bucket of
// which nothing is remembered does not ask for them, but for one that is of a trail.
func (g *Guard) withRecords(ctx context.Context, t Target, rec record, obs observation) observation {
	if !rec.durable() || !rec.Misses(t.trails()) || rec.Version == 0 && !t.ofTrail() && len(t.calls()) > 0 {
		return obs
	}
	waited, err := g.patient(ctx, wantedTime-obs.waited, func(ctx context.Context) (err error) {
		obs.records, err = t.occasion.records(ctx, func(ctx context.Context) ([]ledger.Record, error) {
			return g.records(ctx, t.survey.account)
		})
		return err
	})
	obs.waited, obs.recordsErr = obs.waited+waited, err
	return obs
}

// ofTrail reports whether a call on a trail led here.
func (t Target) ofTrail() bool {
	return slices.ContainsFunc(t.calls(), func(c Call) bool { return c.Trail != "" })
}

// surroundings are what the trails of the bucket are judged with.
func surroundings(t Target, rec record, obs observation) delivery.Surroundings {
	s := delivery.Surroundings{
		Account: t.survey.account, Trails: slices.Clone(obs.trails), Statuses: slices.Clone(obs.statuses),
		Before: rec.Adopt(obs.trails, obs.records).Expected(obs.at),
	}
	for _, r := range obs.others {
		s.Trails = append(s.Trails, r.trail)
		if r.status.ARN != "" {
			s.Statuses = append(s.Statuses, r.status)
		}
	}
	return s
}

// made is when the calls that led here made trails, by ARN.
func (t Target) made() map[string]time.Time {
	made := map[string]time.Time{}
	for _, c := range t.calls() {
		for _, tr := range t.trails() {
			if c.Event == "CreateTrail" && c.Names(tr) {
				made[tr.ARN] = c.Time
			}
		}
	}
	return made
}

// withNew returns the statuses with what CloudTrail does not report: which of the
// trails were made minutes ago.
func withNew(statuses []trail.Status, t Target, rec record, now time.Time) []trail.Status {
	statuses = slices.Clone(statuses)
	for i := range statuses {
		s := &statuses[i]
		s.New = s.NeverStarted() && rec.New(s.ARN, t.made(), now)
	}
	return statuses
}

// unknownEvents are the ARNs of trails of which it is not known which management
// events they log.
func (o observation) unknownEvents() []string {
	var arns []string
	for _, t := range o.trails {
		if _, known := t.ManagementEvents(); !known {
			arns = append(arns, t.ARN)
		}
	}
	return arns
}

// covered returns the record with what its trails were seen to cover, and whether
// that is worth a store by itself: a healthy bucket of which nothing is remembered
// gets its record from the sweep, which sees all of the trails. What a trail covered in
// another bucket must not be forgotten because it could not be read just now.
// What is only declared is the owner's word, and was not seen.
func (g *Guard) covered(r round, next ledger.Record, all bool) (ledger.Record, bool) {
	switch r.target.Subject.(type) {
	case TrailBucket, UnusedBucket:
	default:
		return next, false
	}
	trails := slices.DeleteFunc(slices.Clone(r.obs.trails), func(t trail.Trail) bool {
		return has(g.config.Trails, t.ARN) && !has(r.target.survey.listed, t.ARN) ||
			r.obs.recordsErr != nil && next.Misses([]trail.Trail{t})
	})
	all = all && r.obs.recordsErr == nil
	made, now := r.target.made(), g.now()
	next = next.Adopt(trails, r.obs.records).Cover(trails, made, all, now)
	return next, (all || r.record.Version > 0 || len(made) > 0) && !reflect.DeepEqual(next.Coverage, r.record.Coverage)
}

// blindness reports whether no trail logs the events any more by which EventBridge tells
// of changes; the note says that it is not known. It asks for the trails of other
// buckets too, where a trail stopped, was narrowed or silenced.
func (g *Guard) blindness(ctx context.Context, t Target, obs observation, out outcome) (blind bool, note string) {
	lost := func(f delivery.Finding) bool {
		known, ok := delivery.LookupType(f.ID)
		return ok && (known.Loss == delivery.LossEvents || known.Loss == delivery.LossWrites ||
			known.Loss == delivery.LossCoverage && f.Kind == delivery.Outage)
	}
	if !slices.ContainsFunc(out.report.Findings, lost) {
		return false, ""
	}
	obs = g.withOthers(ctx, t, obs)
	var known delivery.Surroundings
	failed := false
	for _, r := range slices.Concat(obs.readings, obs.others) {
		switch _, events := r.trail.ManagementEvents(); {
		case !has(t.survey.listed, r.trail.ARN): // of another account
		case r.status.ARN == "", !events:
			failed = true
		default:
			known.Trails, known.Statuses = append(known.Trails, r.trail), append(known.Statuses, r.status)
		}
	}
	switch {
	case !known.Unheard(t.survey.region):
		return false, ""
	case failed:
		return false, "Whether another trail of the account still logs management events could not be read, so EventBridge may see no more events."
	}
	return true, ""
}

// withoutTrail is an account that sees no trail. Its record goes by the account.
type withoutTrail struct {
	account, region string
	// back says that the account sees a trail again.
	back bool
}

// Key is the account, and what stands for it in a bucket's place.
func (w withoutTrail) Key() ledger.Key {
	return ledger.Key{Account: w.account, Bucket: delivery.AccountSubject(w.account)}
}

func (w withoutTrail) home() string { return w.region }

// report is the judgement on the account.
func (w withoutTrail) report() delivery.Report {
	r := delivery.Report{Bucket: w.Key().Bucket, Verdict: delivery.Delivering, Trails: []delivery.TrailReport{}, Findings: []delivery.Finding{}}
	if !w.back {
		r.Verdict = delivery.Blocked
		r.Findings = append(r.Findings, delivery.NoTrail(w.account))
	}
	return r
}

// tracked is the account that was surveyed, as a subject of its own.
func (v survey) tracked() withoutTrail {
	return withoutTrail{account: v.account, region: v.region, back: len(v.listed) > 0}
}

// acceptances say what is accepted of the trails, and which of the weaknesses that the team was
// told of.
func acceptances(rec record, out outcome, obs observation) []string {
	var notes []string
	for _, a := range out.accepted {
		if slices.ContainsFunc(rec.Notified, func(f ledger.Finding) bool { return f.ID == a.ID && f.Trail == a.Trail }) {
			notes = append(notes, fmt.Sprintf("That %s is accepted by %s until %s: %s", a.By, a.By.Owner, a.By.Until, a.By.Reason))
		}
	}
	for _, a := range rec.Accepted {
		there := slices.ContainsFunc(obs.trails, func(t trail.Trail) bool {
			return t.ARN == a.Coverage.ARN && len(rec.Lost(t)) > 0
		})
		if there && obs.at.Before(a.Until) {
			notes = append(notes, fmt.Sprintf("That trail %s covers less (%s) is accepted by %s until %s: %s",
				a.Coverage.ARN, joined(a.Lost), a.By, a.Until.UTC().Format(time.DateOnly), a.Reason))
		}
	}
	return notes
}

// accepts reports whether all that the team was told of are weaknesses that are accepted now.
func accepts(rec record, out outcome) bool {
	return len(rec.Notified) > 0 && !slices.ContainsFunc(rec.Notified, func(f ledger.Finding) bool {
		return !slices.ContainsFunc(out.accepted, func(a delivery.AcceptedFinding) bool { return f.ID == a.ID && f.Trail == a.Trail })
	})
}

// lapsed say which weaknesses were accepted until lately.
func lapsed(out outcome, c Config, obs observation) []string {
	var notes []string
	for _, a := range delivery.Lapsed(out.report, c.Accepted, obs.at) {
		notes = append(notes, fmt.Sprintf("That %s was accepted by %s until %s, which is over: %s", a, a.Owner, a.Until, a.Reason))
	}
	return notes
}

func joined(parts []trail.Part) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, string(p))
	}
	return strings.Join(texts, ", ")
}

// Accept accepts that a trail of the bucket covers less than it did: what is lost now,
// until a time. By says who accepts it, in words. It returns the parts that are
// accepted; none: nothing is lost. The guard tells it as resolved with its next look.
// Without a ledger the error is ErrNoLedger.
func (g *Guard) Accept(ctx context.Context, b BucketRef, name, reason, by string, until time.Time) ([]trail.Part, error) {
	if !g.memory.durable() {
		return nil, ErrNoLedger
	}
	inv, err := g.survey(ctx, b.Account, b.Region)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(inv.all, func(t trail.Trail) bool { return t.Bucket == b.Name && (t.ARN == name || t.Name == name) })
	if i < 0 {
		return nil, fmt.Errorf("no trail %s that account %s sees delivers into bucket %s", name, b.Account, b.Name)
	}
	t := g.target(inv, TrailBucket{BucketRef: g.ref(inv, b.Name), Trails: inv.all[i : i+1]}, directly{ports: g.ports, account: inv.account})
	r, _ := g.readTrail(ctx, t, wantedTime, inv.all[i])
	if r.err != nil {
		return nil, &ObserveError{Subject: "trail " + inv.all[i].ARN, Err: r.err}
	}
	var lost []trail.Part
	err = g.blank(t).amend(ctx, func(rec ledger.Record) ledger.Record {
		if lost = rec.Lost(r.trail); len(lost) == 0 {
			return rec
		}
		return rec.Accept(ledger.Acceptance{
			Coverage: r.trail.Coverage(), Lost: lost, Reason: reason, By: by, At: g.now(), Until: until,
		})
	})
	return lost, err
}

// Withdraw takes back what was accepted of a trail, by its ARN or its name, and
// reports whether there was something. The guard tells of the loss again with its next
// look. Without a ledger the error is ErrNoLedger.
func (g *Guard) Withdraw(ctx context.Context, b BucketRef, name string) (withdrawn bool, err error) {
	if !g.memory.durable() {
		return false, ErrNoLedger
	}
	rec := record{Record: ledger.Record{Key: b.Key()}, memory: g.memory}
	err = rec.amend(ctx, func(r ledger.Record) ledger.Record {
		next := r.Unaccept(name)
		withdrawn = len(next.Accepted) < len(r.Accepted)
		return next
	})
	return withdrawn, err
}

// Accepted returns what is accepted of the bucket's trails. Without a ledger the
// error is ErrNoLedger.
func (g *Guard) Accepted(ctx context.Context, b BucketRef) ([]ledger.Acceptance, error) {
	if !g.memory.durable() {
		return nil, ErrNoLedger
	}
	rec, err := record{Record: ledger.Record{Key: b.Key()}, memory: g.memory}.reload(ctx)
	return rec.Accepted, err
}
