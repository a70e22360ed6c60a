package ledger

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Facts are what reconciling a bucket came to.
type Facts struct {
	Findings []delivery.Finding
	// Fingerprint is that of the policy as it was read, unless it is Unread.
	Fingerprint string
	Unread      bool
	// Change is the API call that led to the look, if any.
	Change *delivery.Change
	// Overwrote says that Change wrote a policy that a repair overwrote unseen.
	Overwrote bool
	// Repaired says that this look wrote, and that the write was verified.
	Repaired bool
	// Failure says why a repair of this look failed; empty: it did not.
	Failure string
	// OverBudget says that a repair was wanted that the budget did not allow.
	OverBudget bool
	// Partial says that something could not be read for now, so that findings
	// of kind unknown mean nothing, and nothing can be called settled.
	Partial bool
	// Unasked are the ARNs of trails whose status is not known, Stale those
	// of trails that report an error of a delivery before the last change.
	Unasked, Stale []string
}

// holdGrace is how long an undo may take: it stores the hold before it puts the
// policy back, and a look in between still sees the other one.
const holdGrace = time.Minute

// Next returns the record after a look, and what is to be told. The record is
// to be stored if changed is true. Since what is told follows from the
// difference between record and look, an event that comes twice changes
// nothing the second time.
func Next(r Record, l Facts, now time.Time, s Settings) (next Record, tell alert.Kind, changed bool) {
	next = r
	current := findings(r, l)
	if len(current) == 0 {
		tell = settle(&next, l, now)
	} else {
		tell = worsen(&next, l, current, now, s)
	}
	if tell == alert.Nothing && l.Overwrote && !r.Knows(l.Change) {
		tell = alert.Changed
	}
	if len(current) > 0 || tell != alert.Nothing {
		next.Changes = merge(r.Changes, l.Change)
	}
	if next.Hold != nil && !next.Holds(l.Fingerprint) && !l.Unread && !now.Before(next.Hold.At.Add(holdGrace)) {
		next.Hold = nil
	}
	return next, tell, !reflect.DeepEqual(r, next)
}

// settle is for a look that found nothing wrong.
func settle(r *Record, l Facts, now time.Time) alert.Kind {
	if l.Partial {
		return alert.Nothing
	}
	tell := alert.Nothing
	switch {
	case l.Repaired, r.Attempt != nil && r.Attempt.After == l.Fingerprint:
		tell = alert.Restored
	case r.Open(), r.Attempt != nil:
		tell = alert.Resolved
	}
	if r.Attempt != nil && tell == alert.Restored {
		r.Repairs = done(r.Repairs, r.Attempt.ID)
	}
	r.Attempt = nil
	r.Told, r.Since, r.Failure = nil, time.Time{}, ""
	if tell != alert.Nothing {
		r.ToldAt = now
	}
	return tell
}

// worsen is for a look that found something wrong.
func worsen(r *Record, l Facts, current []Finding, now time.Time, s Settings) alert.Kind {
	same := reflect.DeepEqual(r.Told, current)
	tell := alert.Nothing
	switch {
	case l.Failure != "" && (!same || r.Failure != l.Failure):
		tell = alert.RestoreFailed
	case l.OverBudget && fought(*r, now, s):
		tell = alert.Fight
	case !r.Open():
		tell = alert.Opened
	case !same:
		tell = alert.Changed
	case due(*r, current, now, s):
		tell = alert.Reminder
	}
	if !l.Partial {
		r.Attempt = nil
	}
	if l.Failure != "" {
		r.Failure = l.Failure
	} else if !same {
		r.Failure = ""
	}
	if tell == alert.Nothing {
		return tell
	}
	if !r.Open() {
		r.Since = began(l.Change, now)
	}
	if tell == alert.Fight {
		r.FoughtAt = now
	}
	r.Told, r.ToldAt = current, now
	return tell
}

// fought reports whether the spent budget is a fight that was not told yet in
// this window: repairs that held, at least for a moment, were undone.
func fought(r Record, now time.Time, s Settings) bool {
	if r.FoughtAt.After(now.Add(-s.Window)) {
		return false
	}
	return slices.ContainsFunc(r.Recent(now, s.Window), func(p Repair) bool { return p.Done })
}

func due(r Record, current []Finding, now time.Time, s Settings) bool {
	outage := func(f Finding) bool { return f.Kind == delivery.Outage }
	return s.RemindEvery > 0 && slices.ContainsFunc(current, outage) && !now.Before(r.ToldAt.Add(s.RemindEvery))
}

// began is when what a change led to began. Clocks differ, so that a change
// of the future began now.
func began(c *delivery.Change, now time.Time) time.Time {
	if c == nil || c.ErrorCode != "" || c.Time.IsZero() || c.Time.After(now) {
		return now
	}
	return c.Time
}

// findings are the findings of a look that are told, sorted. Where something
// could not be asked, what is known of it from before still holds.
func findings(r Record, l Facts) []Finding {
	var list []Finding
	for _, f := range l.Findings {
		if f.Kind == delivery.Weakness || l.Partial && f.Kind == delivery.Unknown {
			continue
		}
		statements := slices.Clone(f.Statements)
		if len(statements) == 0 {
			statements = nil
		}
		list = append(list, Finding{ID: f.ID, Kind: f.Kind, Trail: f.Trail, Statements: statements})
	}
	for _, f := range r.Told {
		if stillHolds(f, l) {
			list = append(list, f)
		}
	}
	list = slices.DeleteFunc(list, explained(list))
	slices.SortFunc(list, compare)
	return slices.CompactFunc(list, func(a, b Finding) bool { return compare(a, b) == 0 })
}

// explained reports whether a finding only says that CloudTrail has noticed
// what another finding says. It does so minutes later, which is no news.
func explained(list []Finding) func(Finding) bool {
	list = slices.Clone(list)
	return func(f Finding) bool {
		return f.ID == delivery.DeliveryFailingID && slices.ContainsFunc(list, func(other Finding) bool {
			return other.Kind == delivery.Outage && !Reported(other.ID) && (other.Trail == f.Trail || other.Trail == "")
		})
	}
}

// stillHolds reports whether a finding that was told holds because the look
// could not find out that it does not.
func stillHolds(f Finding, l Facts) bool {
	switch {
	case l.Partial && f.Kind == delivery.Unknown:
		return true
	case slices.Contains(l.Unasked, f.Trail):
		return Reported(f.ID)
	case slices.Contains(l.Stale, f.Trail):
		return f.ID == delivery.DeliveryFailingID
	}
	return false
}

// Reported says whether a finding rests on what CloudTrail reports of itself.
func Reported(finding string) bool {
	return finding == delivery.TrailStoppedID || finding == delivery.DeliveryFailingID
}

func compare(a, b Finding) int {
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	if c := strings.Compare(a.Trail, b.Trail); c != 0 {
		return c
	}
	return slices.Compare(a.Statements, b.Statements)
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
