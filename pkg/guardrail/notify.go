package guardrail

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// round is what a round of a reconciliation has come to: all that is to be
// remembered of it and told.
type round struct {
	target Target
	record record // as it was before
	obs    observation
	out    outcome
	done   attempt
	may    permission
}

// newID names something that a reconciliation stores.
func newID(t Target) string { return t.id + "-" + rand.Text() }

// remember stores what the round came to, with the notification that it calls
// for, and sends what waits. It returns the record as it is stored then, and the
// kinds of the alerts that were sent. Again says that a change of state was
// notified, so that the target is to be looked at once more. The error is
// errOvertaken if somebody else stored the record first.
func (g *Guard) remember(ctx context.Context, r round) (_ record, sent []alert.Kind, again bool, _ error) {
	if !r.record.durable() {
		sent, err := g.notifyWithoutMemory(ctx, r)
		return r.record, sent, false, err
	}
	loaded := r.record
	if r.done.made() {
		r.record.Record = r.record.Written(r.done.id, r.done.read, r.done.written, r.done.verified)
		if r.done.rejected {
			r.record.Record = r.record.Reject(r.done.id)
		}
	}
	facts := r.facts()
	next, kind, changed := ledger.Next(r.record.Record, facts, g.now(), g.settings(r.target))
	arns, alone := r.target.occasion.remembered(arnsOf(r.target.trails()), r.record.Trails)
	seen, news := g.covered(r, next, alone)
	seen.Trails = arns
	seen, changedUnheard := g.seen(r, seen, alone)
	described := r.obs.trails
	if r.target.survey.failure != nil || r.target.survey.recalled { // the inventory does not have all their settings
		described = nil
	}
	seen = seen.Describe(described, r.target.survey.account)
	changed = changed || news || changedUnheard || r.done.made() || alone && (!slices.Equal(arns, next.Trails) || !slices.Equal(seen.Described, next.Described))
	if changed {
		next = seen
	}
	if kind != alert.Nothing {
		next = next.Post(g.message(ctx, r, facts, next, kind))
	}
	next, claimed := g.claim(ctx, r.target, next)
	if !changed && len(claimed) == 0 {
		return loaded, nil, false, nil
	}
	saved, err := r.record.save(ctx, next)
	if failed, ok := errors.AsType[*LedgerError](err); ok {
		r.record = loaded.forget(failed)
		sent, err := g.notifyWithoutMemory(ctx, r)
		return r.record, sent, false, join([]error{failed, err})
	}
	if err != nil {
		return loaded, nil, false, err
	}
	saved, sent, err = g.publish(ctx, saved, claimed)
	return saved, sent, kind != alert.Nothing, err
}

// notifyWithoutMemory sends what is wrong, as often as it is seen: what was told
// before is not known, or is what was last read of a memory that fails. Alerts that
// wait there are sent too, since nobody could send them otherwise.
// Before a repair it tells of the outage, because nobody would know of it if
// this process ended between the repair and its report.
func (g *Guard) notifyWithoutMemory(ctx context.Context, r round) (sent []alert.Kind, _ error) {
	if g.ports.Alerts == nil {
		return nil, nil
	}
	facts := r.facts()
	next, kind, _ := ledger.Next(r.record.Record, facts, g.now(), g.settings(r.target))
	_, waiting := r.record.Claim(g.now(), g.now(), r.target.own)
	if kind != alert.Nothing {
		waiting = append(waiting, g.message(ctx, r, facts, next, kind))
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	var errs []error
	for _, m := range waiting {
		if err := g.send(ctx, next.Bucket, m); err != nil {
			errs = append(errs, err)
			continue
		}
		sent = append(sent, m.Kind)
	}
	return sent, join(errs)
}

// facts are what the round came to, for the ledger.
func (r round) facts() ledger.Facts {
	t, rec, obs, out, done := r.target, r.record, r.obs, r.out, r.done
	facts := ledger.Facts{
		Findings: out.report.Findings, Trails: arnsOf(t.trails()), Fingerprint: obs.fingerprint(), Unread: !obs.policyKnown(),
		Repaired: done.succeeded(), Failure: done.failure, OverBudget: r.may == budgetSpent,
		Partial: len(obs.lacks(out.report)) > 0, Unanswered: obs.unanswered != nil, Unasked: obs.unasked, Stale: out.stale,
		UnknownEvents: obs.unknownEvents(), UnreadKeys: obs.chain.unreadKeys, UnreadTopics: obs.chain.unreadTopics, UnreadRCPs: obs.rcps.unread,
		Incomplete: t.survey.unread != nil, Looked: obs.looked(),
		Delivering:  obs.delivering(t, rec),
		WithoutFile: withoutFile(rec, obs),
	}
	_, facts.Overwrote = overwritten(t, rec, obs)
	// The newest that can be to blame has led here; where none can, the newest.
	for _, c := range t.calls() {
		if rec.Own(&c.Change, c.SubmittedPolicy) {
			continue // it was our own write
		}
		switch blamed := r.blames(c.Change); {
		case facts.Change == nil:
			facts.Change, facts.Blamed = &c.Change, blamed
		case blamed && !facts.Blamed:
			facts.Earlier = append(facts.Earlier, *facts.Change)
			facts.Change, facts.Blamed = &c.Change, true
		default:
			facts.Earlier = append(facts.Earlier, c.Change)
		}
	}
	return facts
}

// overwritten returns the newest call whose write a repair overwrote unseen.
func overwritten(t Target, rec record, obs observation) (Call, bool) {
	for _, c := range t.calls() {
		if rec.Overwritten(&c.Change, c.SubmittedPolicy, obs.fingerprint()) {
			return c, true
		}
	}
	return Call{}, false
}

// blames reports whether a call can have brought about what is wrong, or was
// before a repair. The policy that the call which led here wrote is a witness:
// if the bucket has another one now, somebody else wrote since.
func (r round) blames(c delivery.Change) bool {
	if len(delivery.Culprits([]delivery.Change{c}, r.wrong())) == 0 {
		return false
	}
	calls := r.target.calls()
	i := slices.IndexFunc(calls, func(called Call) bool { return called.EventID == c.EventID })
	witness := i >= 0 && c.Event == "PutBucketPolicy" && len(calls[i].SubmittedPolicy) > 0
	return !witness || !r.obs.policyKnown() || ledger.Fingerprint(calls[i].SubmittedPolicy) == r.judgedPolicy()
}

// wrong are the findings to be explained: those before a repair that helped.
func (r round) wrong() []delivery.Finding {
	if r.done.made() {
		return r.done.before.Findings
	}
	return r.out.report.Findings
}

// judgedPolicy is the fingerprint of the policy that the findings are about.
func (r round) judgedPolicy() string {
	if r.done.made() {
		return r.done.replaced
	}
	return r.obs.fingerprint()
}

func arnsOf(trails []trail.Trail) []string {
	var arns []string
	for _, t := range trails {
		arns = append(arns, t.ARN)
	}
	return arns
}

// message composes the alert on a change of state. Next is the record after it.
func (g *Guard) message(ctx context.Context, r round, facts ledger.Facts, next ledger.Record, kind alert.Kind) ledger.Message {
	t, rec, obs, out, done := r.target, r.record, r.obs, r.out, r.done
	key := t.Key()
	changes, noticed := r.culprits(g.changes(rec, next, facts), facts)
	began := since(rec, next, facts)
	if kind == alert.Opened && noticed != nil {
		began = time.Time{} // it was there before it was noticed
	}
	n := alert.Notice{
		Kind: kind, Account: key.Account, AccountName: g.accountName(ctx, key.Account), Region: obs.bucket.Region, At: g.now(),
		Since: began, Noticed: noticed, Report: out.advised(ctx, t, obs), Changes: changes, Statuses: obs.statuses,
		OptedIn: g.optedIn(t), Plan: out.plan, Failure: done.detail,
		Repairs: len(rec.Recent(g.now(), g.config.Window)), Window: g.config.Window,
		Notes:  obs.remarks(),
		Mended: out.mended(ctx, t, obs), Trails: obs.trails, Organization: obs.organization, Stack: g.config.Stack,
	}
	if rec.memoryFailed() {
		n.Notes = slices.Insert(n.Notes, 0, "The memory of what was told cannot be used just now, so this may have been told before. "+
			"Until it can be, nothing more is written.")
	}
	n.Incident = incidentOf(key, time.Time{})
	if rec.durable() {
		n.Incident, n.Revision = incidentOf(key, since(rec, next, facts)), rec.Revision+1
	}
	if n.Region == "" {
		n.Region = t.home()
	}
	if d, deleted := t.Subject.(DeletedTrail); deleted {
		n.Former = g.former(ctx, d)
	}
	if done.made() {
		n.Before, n.Plan = &done.before, done.plan
		n.Plan.Refused = slices.Concat(done.plan.Refused, done.refused)
	} else if before, plan, ok := g.repairOfOther(ctx, r); ok {
		n.Before, n.Plan = &before, plan
	}
	if r.may == ordered {
		n.Notes = append(n.Notes, "The repair was made by hand.")
	}
	if rec.Holds(obs.fingerprint()) {
		n.Held = fmt.Sprintf("undone by %s at %s", rec.Hold.By, rec.Hold.At.UTC().Format(time.RFC3339))
	}
	if call, overwrote := overwritten(t, rec, obs); overwrote {
		n.Overwritten = call.SubmittedPolicy
		n.Notes = append(n.Notes, "Events tell times in whole seconds, so somebody else may have replaced this policy just before the repair.")
		if len(call.SubmittedPolicy) == 0 {
			n.Notes = append(n.Notes,
				"The bucket's policy was deleted while a repair was being written, and the repair put it back unseen.")
		}
	}
	if facts.OverBudget {
		n.Notes = append(n.Notes, fmt.Sprintf("The repair budget of %d in %s is spent, so nothing is written for now.",
			g.config.Budget, g.config.Window))
	}
	settled := acceptances(rec, out, obs)
	if kind == alert.Resolved || kind == alert.Changed {
		n.Notes = append(n.Notes, settled...)
	}
	n.Notes = append(n.Notes, lapsed(out, g.config, obs)...)
	if kind == alert.Resolved {
		for _, f := range rec.Notified {
			n.Settled = append(n.Settled, f.ID)
		}
		n.Accepted = accepts(rec, out) || len(acceptances(rec, outcome{}, obs)) > 0
		n.Notes = append(n.Notes, resolution(t, rec, obs, func(arn string) time.Time { return lastChange(t, rec, done, arn) })...)
	}
	if d, ok := t.Subject.(DeletedTrail); ok && !d.Back && len(t.survey.listed) == 0 {
		n.Notes = append(n.Notes, "The account sees no trail any more, neither of its own nor of an organization.")
	}
	blind, note := g.blindness(ctx, t, obs, out)
	n.Blind = blind
	if note != "" {
		n.Notes = append(n.Notes, note)
	}
	m := alert.Compose(n, g.config.Format)
	if g.config.Chat {
		m.Chat = alert.Compose(n, alert.Chat).Body
	}
	if g.config.JSON && g.config.Format != alert.JSON {
		m.JSON = alert.Compose(n, alert.JSON).Body
	}
	return ledger.Message{ID: newID(t), Kind: kind, At: g.now(), Message: m}
}

// repairOfOther is the repair of a process that ended before it could tell of it: what
// it found, and what it did. Both follow from the policy that it replaced, which is kept.
func (g *Guard) repairOfOther(ctx context.Context, r round) (before delivery.Report, plan repair.Plan, ok bool) {
	a, obs := r.record.Attempt, r.obs
	if a == nil || !obs.policyKnown() || a.After != obs.fingerprint() {
		return before, plan, false
	}
	i := slices.IndexFunc(r.record.Repairs, func(p ledger.Repair) bool { return p.ID == a.ID })
	if i < 0 {
		return before, plan, false
	}
	was := obs.bucket
	if a.Payer != "" {
		was.Payer = a.Payer
	}
	if replaced := r.record.Repairs[i].Before; replaced != a.After {
		kept, err := r.record.memory.Snapshots(ctx, r.record.Key)
		j := slices.IndexFunc(kept, func(s ledger.Snapshot) bool { return ledger.Fingerprint(s.Policy) == replaced })
		if err != nil || j < 0 {
			return before, plan, false
		}
		if was.State, was.Policy = delivery.PolicyMissing, nil; len(kept[j].Policy) > 0 {
			if was.Policy, err = policy.Parse(kept[j].Policy); err != nil {
				return before, plan, false
			}
			was.State = delivery.PolicyRead
		}
	}
	env := environment(r.target, obs)
	before = delivery.Judge(was, obs.trails, env)
	options := planOptions(r.target, g.config.Harden)
	_, accepted := delivery.Accept(before, g.config.Accepted, obs.at)
	options.Accepted = findingsOf(accepted)
	plan = repair.For(was, obs.trails, env, before, options)
	if ledger.Fingerprint(plan.Policy) != a.After { // it was made by another version, or for other trails
		plan = repair.Plan{
			Changed: true, Policy: policyText(obs.bucket), Diff: repair.Diff(policyText(was), policyText(obs.bucket)),
			ResetPayer: a.Payer != "",
		}
	}
	return before, plan, true
}

// nameTime is how long an alert waits for the name of its account.
const nameTime = time.Second

// accountName is what the account is called, or empty. It only helps to read, so that it is not
// waited for.
func (g *Guard) accountName(ctx context.Context, account string) string {
	if g.ports.Accounts == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	name, err := g.ports.Accounts.AccountName(ctx, account)
	if err != nil {
		g.run.Log.WarnContext(ctx, "the account's name is not known", "account", account, "error", err)
	}
	return name
}

// former is a deleted trail as it was last seen, or nil. It only makes the advice better, so
// that it is not waited for.
func (g *Guard) former(ctx context.Context, d DeletedTrail) *trail.Trail {
	ctx, cancel := context.WithTimeout(ctx, wantedTime)
	defer cancel()
	records, err := g.memory.List(ctx, d.Account)
	if err != nil {
		return nil
	}
	for _, r := range records {
		if t, known := r.Description(d.ARN); known {
			return &t
		}
	}
	return nil
}

// incidentOf names an outage of a bucket by when it began, which the record keeps until it is over.
// Without memory all outages of a bucket have one name.
func incidentOf(k ledger.Key, began time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%s", k.Account, k.Bucket, began.UTC().Format(time.RFC3339Nano)))
	return fmt.Sprintf("trailwarden-%x", sum[:8])
}

func since(rec record, next ledger.Record, facts ledger.Facts) time.Time {
	switch {
	case !next.Since.IsZero():
		return next.Since
	case !rec.Since.IsZero():
		return rec.Since
	case facts.Change != nil:
		return facts.Change.Time
	}
	return time.Time{}
}

// changes are the API calls that may have led here, newest first. What was
// told before the last time that all was well is left out.
func (g *Guard) changes(rec record, next ledger.Record, facts ledger.Facts) []delivery.Change {
	list := slices.Clone(next.Changes)
	if facts.OverBudget {
		start := g.now().Add(-g.config.Window)
		return slices.DeleteFunc(list, func(c delivery.Change) bool { return c.Time.Before(start) })
	}
	known := rec.NotifiedAt
	if rec.Open() {
		known = rec.Since
	}
	return slices.DeleteFunc(list, func(c delivery.Change) bool { return c.Time.Before(known) && !facts.LedHere(c) })
}

// culprits are those of the calls that can have brought about what is wrong,
// the newest first. Where there is none, noticed is the call that led here: it
// is not to blame. What is right again was set right by any of them.
func (r round) culprits(calls []delivery.Change, facts ledger.Facts) (culprits []delivery.Change, noticed *delivery.Change) {
	if facts.OverBudget {
		return calls, nil // who undid the repairs, whatever it was that came of it
	}
	call, overwrote := overwritten(r.target, r.record, r.obs)
	for _, c := range calls {
		if r.blames(c) || overwrote && c.EventID == call.EventID {
			culprits = append(culprits, c)
		}
	}
	if len(culprits) == 0 && facts.Change != nil && len(calls) > 0 {
		noticed = facts.Change
	}
	return culprits, noticed
}

// resolution says what is behind a target that is right again.
func resolution(t Target, rec record, obs observation, changed func(arn string) time.Time) []string {
	switch t.Subject.(type) {
	case DeletedTrail:
		return []string{"The trail is there again."}
	case withoutTrail:
		return []string{"The account sees a trail again."}
	case wholeOrganization:
		return organizationResolution(rec)
	case UnusedBucket:
		return []string{"No trail delivers into the bucket any more, so nothing is watched there."}
	}
	var notes []string
	for _, s := range obs.statuses {
		switch {
		case s.DeliveredAt.After(rec.Since) && !s.DeliveredAt.Before(changed(s.ARN)):
			notes = append(notes, fmt.Sprintf("CloudTrail has delivered files of trail %s since, last at %s.",
				s.ARN, s.DeliveredAt.UTC().Format(time.RFC3339)))
		case s.DeliveredAt.IsZero():
			notes = append(notes, fmt.Sprintf("CloudTrail reports no delivery of trail %s yet.", s.ARN))
		default:
			notes = append(notes, fmt.Sprintf("CloudTrail has not delivered files of trail %s since, last at %s.",
				s.ARN, s.DeliveredAt.UTC().Format(time.RFC3339)))
		}
	}
	return notes
}

// organizationResolution says what is well again of an organization.
func organizationResolution(rec record) []string {
	var notes []string
	for _, f := range rec.Notified {
		switch f.ID {
		case delivery.AccountsUnreadID:
			notes = append(notes, "All accounts of the organization can be read again.")
		case delivery.ForwardingSilentID:
			notes = append(notes, "Events come again from the accounts that were silent, or nothing is left there of which they should tell.")
		}
	}
	return notes
}
