package ledger

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Facts are what reconciling a bucket came to.
type Facts struct {
	Findings []delivery.Finding
	// Trails are the ARNs of the trails that deliver into the bucket.
	Trails []string
	// Fingerprint is that of the policy as it was read, unless it is Unread.
	Fingerprint string
	Unread      bool
	// Change is the API call that led here, if any. Blamed says that it can have
	// brought about what is wrong, so that it began with it.
	Change *delivery.Change
	Blamed bool
	// Earlier are other calls whose events came together with that of Change,
	// newest first.
	Earlier []delivery.Change
	// Overwrote says that one of them wrote a policy that a repair overwrote
	// unseen.
	Overwrote bool
	// Repaired says that something was written, and that the write was verified.
	Repaired bool
	// Failure says why a repair failed; empty: it did not.
	Failure string
	// OverBudget says that a repair was wanted that the budget did not allow.
	OverBudget bool
	// Partial says that something could not be read for now, so that findings
	// of kind unknown mean nothing, and nothing can be called settled.
	Partial bool
	// Unanswered says that the bucket could not be read for now, so that what was
	// told of it before still holds.
	Unanswered bool
	// Unasked are the ARNs of trails whose status is not known, Stale those
	// of trails that report an error of a delivery before the last change.
	Unasked, Stale []string
	// UnknownEvents are the ARNs of trails of which it is not known which management
	// events they log.
	UnknownEvents []string
	// UnreadKeys and UnreadTopics are the ARNs of trails whose key or topic could not be read for
	// now: what was told of these still holds, and that they are not known is no news.
	UnreadKeys, UnreadTopics []string
	// UnreadRCPs says that it is not known which resource control policies are in effect: what was
	// told of these still holds.
	UnreadRCPs bool
	// Looked are what was looked at beside the bucket: keys, topics, resource control policies.
	Looked []delivery.Source
	// Incomplete says that the bucket may have more trails than were judged: what was told of it
	// still holds.
	Incomplete bool
	// Delivering are the ARNs of trails of which CloudTrail reports that files arrive, since the
	// last change.
	Delivering []string
	// WithoutFile are the ARNs of trails that log, and of which no file has arrived since the
	// team was last told of the bucket.
	WithoutFile []string
}

// LedHere reports whether the call is one of those that led here.
func (f Facts) LedHere(c delivery.Change) bool {
	is := func(other delivery.Change) bool { return equal(other, c) }
	return f.Change != nil && is(*f.Change) || slices.ContainsFunc(f.Earlier, is)
}

// news reports whether the record does not know one of the calls that led here.
func (f Facts) news(r Record) bool {
	return f.Change != nil && !r.Knows(f.Change) ||
		slices.ContainsFunc(f.Earlier, func(c delivery.Change) bool { return !r.Knows(&c) })
}

// holdGrace is how long an undo may take: it stores the hold before it puts the
// policy back, and whoever reads in between still sees the other one.
const holdGrace = time.Minute

// Next returns the record after a reconciliation, and what is to be notified.
// The record is to be stored if changed is true. Since what is told follows from the
// difference between record and facts, an event that comes twice changes
// nothing the second time.
func Next(r Record, facts Facts, now time.Time, s Settings) (next Record, kind alert.Kind, changed bool) {
	r.Notified = slices.Clone(r.Notified)
	for i, f := range r.Notified { // a record of an earlier version may hold more
		r.Notified[i].Statements = boundedStatements(f.Statements)
	}
	r.Notified = boundedFindings(r.Notified)
	r.Failure, facts.Failure = bounded(r.Failure), bounded(facts.Failure)
	next = r
	var current []Finding
	current, next.Quiet = findings(r, facts, s)
	if len(current) == 0 {
		kind = resolve(&next, facts, now)
	} else {
		kind = worsen(&next, facts, current, now, s)
	}
	for _, source := range facts.Looked {
		if !slices.Contains(next.Looked, source) {
			next.Looked = append(slices.Clone(next.Looked), source)
		}
	}
	if kind == alert.Nothing && facts.Overwrote && facts.news(r) {
		kind = alert.Changed
	}
	if kind != alert.Nothing {
		next.Revision++
	}
	if !next.Open() {
		next.Revision = 0
	}
	if len(current) > 0 || kind != alert.Nothing {
		for _, c := range slices.Backward(facts.Earlier) {
			next.Changes = merge(next.Changes, &c)
		}
		next.Changes = merge(next.Changes, facts.Change)
	}
	if next.Hold != nil && !next.Holds(facts.Fingerprint) && !facts.Unread && !now.Before(next.Hold.At.Add(holdGrace)) {
		next.Hold = nil
	}
	return next, kind, !reflect.DeepEqual(r, next)
}

// resolve is for facts with nothing wrong.
func resolve(r *Record, facts Facts, now time.Time) alert.Kind {
	if facts.Partial && !facts.Repaired {
		return alert.Nothing
	}
	kind := alert.Nothing
	switch {
	case facts.Repaired, r.Attempt != nil && r.Attempt.After == facts.Fingerprint:
		kind = alert.Restored
	case r.Open(), r.Attempt != nil:
		kind = alert.Resolved
	}
	if r.Attempt != nil && kind == alert.Restored {
		r.Repairs = done(r.Repairs, r.Attempt.ID)
	}
	r.Attempt = nil
	r.Notified, r.Since, r.Failure = nil, time.Time{}, ""
	if kind != alert.Nothing {
		r.NotifiedAt = now
	}
	return kind
}

// worsen is for facts with something wrong.
func worsen(r *Record, facts Facts, current []Finding, now time.Time, s Settings) alert.Kind {
	same := reflect.DeepEqual(r.Notified, current)
	kind := alert.Nothing
	switch {
	case facts.Failure != "" && (!same || r.Failure != facts.Failure):
		kind = alert.RestoreFailed
	case facts.Repaired: // as far as it was possible
		kind = alert.Restored
		if r.Attempt != nil {
			r.Repairs = done(r.Repairs, r.Attempt.ID)
		}
	case facts.OverBudget && newlyExhausted(*r, now, s):
		kind = alert.BudgetExhausted
	case !r.Open():
		kind = alert.Opened
	case !same, concernsMore(r, facts, current):
		kind = alert.Changed
	case due(*r, current, now, s):
		kind = alert.Reminder
	}
	if !facts.Partial && !facts.Unanswered {
		r.Attempt = nil
	}
	if facts.Failure != "" {
		r.Failure = facts.Failure
	} else if !same {
		r.Failure = ""
	}
	if kind == alert.Nothing {
		return kind
	}
	if !r.Open() {
		r.Since = began(facts, now)
	}
	if kind == alert.BudgetExhausted {
		r.ExhaustedAt = now
	}
	r.Notified, r.NotifiedAt = current, now
	return kind
}

// newlyExhausted reports whether repairs that held, at least for a moment, were
// undone until the budget was spent, and the team was not yet told so in this
// window.
func newlyExhausted(r Record, now time.Time, s Settings) bool {
	if r.ExhaustedAt.After(now.Add(-s.Window)) {
		return false
	}
	return slices.ContainsFunc(r.Recent(now, s.Window), func(p Repair) bool { return p.Done })
}

// concernsMore reports whether an outage of the whole bucket, which names no trail,
// concerns a trail that the team was not told of.
func concernsMore(r *Record, facts Facts, current []Finding) bool {
	whole := func(f Finding) bool { return f.Kind == delivery.Outage && f.Trail == "" }
	return len(r.Trails) > 0 && slices.ContainsFunc(current, whole) &&
		slices.ContainsFunc(facts.Trails, func(arn string) bool { return !slices.Contains(r.Trails, arn) })
}

func due(r Record, current []Finding, now time.Time, s Settings) bool {
	outage := func(f Finding) bool { return f.Kind == delivery.Outage }
	return s.RemindEvery > 0 && slices.ContainsFunc(current, outage) && !now.Before(r.NotifiedAt.Add(s.RemindEvery))
}

// began is when what is wrong began: with the call that is to blame, or when it
// was noticed. Clocks differ, so that a call of the future was made now.
func began(facts Facts, now time.Time) time.Time {
	c := facts.Change
	if c == nil || !facts.Blamed || c.ErrorCode != "" || c.Time.IsZero() || c.Time.After(now) {
		return now
	}
	return c.Time
}

// findings are the findings that are notified, sorted, and those that are not. Where
// something could not be asked, what is known of it from before still holds.
func findings(r Record, facts Facts, s Settings) (list, quiet []Finding) {
	if facts.Unanswered && r.Open() {
		return r.Notified, r.Quiet
	}
	if facts.Partial || facts.Unanswered {
		quiet = r.Quiet
	}
	for _, f := range facts.Findings {
		if f.Kind == delivery.Unknown && (facts.Partial || chainUnread(facts, f.ID, f.Trail)) {
			continue
		}
		known := Finding{
			ID: f.ID, Kind: f.Kind, Trail: f.Trail, Statements: boundedStatements(f.Statements), Lost: f.Lost,
			Accounts: boundedStatements(f.Accounts),
		}
		switch {
		case tells(r, facts, s, f):
			list = append(list, known)
		case f.Kind == delivery.Unknown && !disproved(facts, f):
			quiet = append(quiet, known)
		}
	}
	for _, f := range r.Notified {
		if f, holds := stillHolds(f, facts); holds {
			list = withHeld(list, f)
		}
	}
	list = slices.DeleteFunc(list, explained(list))
	return inOrder(list), inOrder(quiet)
}

func inOrder(list []Finding) []Finding {
	list = slices.Clone(list)
	slices.SortFunc(list, compare)
	return boundedFindings(slices.CompactFunc(list, func(a, b Finding) bool { return compare(a, b) == 0 }))
}

// tells reports whether the team is to be told of a finding. Outages always are. That something
// has become uncertain is too, since nobody shall make the guard say nothing with a policy
// that it cannot decide: what may stay quiet is what was there at the first look.
func tells(r Record, facts Facts, s Settings, f delivery.Finding) bool {
	severe := s.Severity != "" && f.Severity.Rank() <= s.Severity.Rank()
	// One that stands for many has no trail.
	is := func(known Finding) bool { return known.ID == f.ID && (known.Trail == f.Trail || known.Trail == "") }
	switch f.Kind {
	case delivery.Weakness:
		return severe || alwaysTold(f.ID)
	case delivery.Unknown:
		if disproved(facts, f) {
			return false
		}
		if sourceOf(f.ID) == delivery.SourceTopic { // files arrive all the same
			return severe
		}
		return severe || s.Severity == "" || facts.Blamed || slices.ContainsFunc(r.Notified, is) ||
			r.Version > 0 && !r.firstLook(facts, sourceOf(f.ID)) && !slices.ContainsFunc(r.Quiet, is)
	case delivery.Outage:
	}
	return true
}

// firstLook reports whether this is the first time that something beside the bucket is looked at: an
// earlier version did not, or nothing was there. What is uncertain there is then no news.
func (r Record) firstLook(facts Facts, source delivery.Source) bool {
	return slices.Contains(facts.Looked, source) && !slices.Contains(r.Looked, source)
}

// disproved reports whether a finding says that something could not be read of which CloudTrail
// shows that it works. When CloudTrail stops to show it, that is news.
func disproved(facts Facts, f delivery.Finding) bool {
	return f.ID == delivery.KeyUnreadableID && slices.Contains(facts.Delivering, f.Trail)
}

// explained reports whether a finding only says that CloudTrail has noticed
// what another finding says. It does so minutes later, which is no news.
func explained(list []Finding) func(Finding) bool {
	list = slices.Clone(list)
	return func(f Finding) bool {
		return isSymptom(f.ID) && slices.ContainsFunc(list, func(other Finding) bool {
			return other.Kind == delivery.Outage && OfBucket(other.ID) && (other.Trail == f.Trail || other.Trail == "")
		})
	}
}

// stillHolds returns what holds of a finding that was notified, because it could
// not be found out that it does not.
func stillHolds(f Finding, facts Facts) (Finding, bool) {
	switch {
	case facts.Partial && f.Kind == delivery.Unknown, chainUnread(facts, f.ID, f.Trail):
		return f, true
	case facts.UnreadRCPs && (f.Trail == "" || slices.Contains(facts.Trails, f.Trail)) && sourceOf(f.ID) == delivery.SourceRCP:
		return f, true
	case facts.Incomplete:
		return f, true
	case slices.Contains(facts.UnknownEvents, f.Trail) && sourceOf(f.ID) == delivery.SourceTrails:
		if len(f.Lost) > 0 { // the other parts are known
			f.Lost = slices.DeleteFunc(slices.Clone(f.Lost), func(p trail.Part) bool { return p != trail.PartManagement })
			return f, len(f.Lost) > 0
		}
		return f, true
	case slices.Contains(facts.Unasked, f.Trail):
		return f, Reported(f.ID)
	case slices.Contains(facts.Stale, f.Trail):
		return f, isSymptom(f.ID)
	case slices.Contains(facts.WithoutFile, f.Trail):
		return f, untilFile(f.ID)
	}
	return f, false
}

// withHeld returns the list with a finding that holds. What else is lost of the same
// trail now is one finding with it.
func withHeld(list []Finding, held Finding) []Finding {
	for i, f := range list {
		if f.ID == held.ID && f.Trail == held.Trail && len(held.Lost) > 0 {
			lost := slices.Concat(f.Lost, held.Lost)
			list[i].Kind = held.Kind // events are lost
			list[i].Lost = slices.DeleteFunc(trail.Parts(), func(p trail.Part) bool { return !slices.Contains(lost, p) })
			return list
		}
	}
	return append(list, held)
}

// Reported says whether a finding rests on what CloudTrail reports of itself.
func Reported(finding string) bool { return sourceOf(finding) == delivery.SourceStatus }

// OfBucket says whether a finding rests on the bucket or its policy. One of another
// version is taken to.
func OfBucket(finding string) bool {
	source := sourceOf(finding)
	return source != delivery.SourceStatus && source != delivery.SourceTrails
}

// chainUnread reports whether a finding of a trail rests on a key or topic that could not be read
// for now.
func chainUnread(facts Facts, finding, arn string) bool {
	source := sourceOf(finding)
	if arn == "" { // it stands for many
		return source == delivery.SourceKey && len(facts.UnreadKeys) > 0 || source == delivery.SourceTopic && len(facts.UnreadTopics) > 0
	}
	return source == delivery.SourceKey && slices.Contains(facts.UnreadKeys, arn) ||
		source == delivery.SourceTopic && slices.Contains(facts.UnreadTopics, arn)
}

// sourceOf is what a finding is read from, empty if it is of another version.
func sourceOf(finding string) delivery.Source {
	t, _ := delivery.LookupType(finding)
	return t.Source
}

// alwaysTold reports whether a finding is told even where it is a weakness.
func alwaysTold(finding string) bool {
	t, ok := delivery.LookupType(finding)
	return ok && t.AlwaysTold
}

// isSymptom reports whether a finding is an echo of others.
func isSymptom(finding string) bool {
	t, ok := delivery.LookupType(finding)
	return ok && t.Symptom
}

// untilFile reports whether a finding stands until the next file arrives.
func untilFile(finding string) bool {
	t, ok := delivery.LookupType(finding)
	return ok && t.UntilFile
}

func compare(a, b Finding) int {
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	if c := strings.Compare(a.Trail, b.Trail); c != 0 {
		return c
	}
	if c := slices.Compare(a.Statements, b.Statements); c != 0 {
		return c
	}
	if c := slices.Compare(a.Lost, b.Lost); c != 0 {
		return c
	}
	return slices.Compare(a.Accounts, b.Accounts)
}

func done(repairs []Repair, id string) []Repair {
	repairs = slices.Clone(repairs)
	for i := range repairs {
		if repairs[i].ID == id {
			repairs[i].Done = true
		}
	}
	return repairs
}
