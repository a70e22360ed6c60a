package guardrail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// message composes the alert on a change of state. Next is the record after
// it, the look's record the one before.
func (l *look) message(ctx context.Context, facts ledger.Facts, next ledger.Record, tell alert.Kind) ledger.Message {
	m := alert.Compose(l.story(ctx, facts, next, tell), l.config.Format)
	return ledger.Message{
		ID: l.newID(), Kind: tell, At: l.now(), Message: m,
	}
}

func (l *look) story(ctx context.Context, facts ledger.Facts, next ledger.Record, tell alert.Kind) alert.Notice {
	s := &l.sight
	region := s.bucket.Region
	if region == "" {
		region = l.bucket.Region
	}
	story := alert.Notice{
		Kind: tell, Account: l.bucket.Account, Region: region, At: l.now(),
		Since: l.since(next, facts), Report: s.report, Changes: l.changes(next, facts), Statuses: s.statuses,
		OptedIn: l.optedIn(), Plan: s.plan, Failure: l.deed.detail,
		Repairs: len(l.record.Recent(l.now(), l.config.Window)), Window: l.config.Window,
		Notes: slices.Clone(s.notes),
	}
	l.tellRepair(&story)
	if l.approve != nil {
		story.Notes = append(story.Notes, "The repair was made by hand.")
	}
	if l.held() {
		story.Held = fmt.Sprintf("undone by %s at %s", l.record.Hold.By, l.record.Hold.At.UTC().Format(time.RFC3339))
	}
	if facts.Overwrote {
		story.Overwritten = l.submitted
		if len(l.submitted) == 0 {
			story.Notes = append(story.Notes, "The bucket's policy was deleted while a repair was being written, and the repair put it back unseen.")
		}
	}
	if facts.OverBudget {
		story.Notes = append(story.Notes, fmt.Sprintf("The repair budget of %d in %s is spent, so nothing is written for now.", l.config.Budget, l.config.Window))
	}
	if tell == alert.Resolved {
		story.Notes = append(story.Notes, l.settled()...)
	}
	l.tellBlindness(ctx, &story)
	return story
}

// tellRepair adds the repair that was made: by this look, or by one whose
// process ended before it could tell.
func (l *look) tellRepair(story *alert.Notice) {
	switch a := l.record.Attempt; {
	case l.deed.id != "":
		story.Before, story.Plan = &l.deed.before, l.deed.plan
		story.Plan.Refused = slices.Concat(l.deed.plan.Refused, l.deed.refused)
	case a != nil && a.After == l.sight.digest():
		story.Before, story.Plan = &a.Report, a.Plan
	}
}

func (l *look) since(next ledger.Record, facts ledger.Facts) time.Time {
	switch {
	case !next.Since.IsZero():
		return next.Since
	case !l.record.Since.IsZero():
		return l.record.Since
	case facts.Change != nil:
		return facts.Change.Time
	}
	return time.Time{}
}

// changes are the API calls that may have led here, newest first. What was
// told before the last time that all was well is left out.
func (l *look) changes(next ledger.Record, facts ledger.Facts) []delivery.Change {
	list := slices.Clone(next.Changes)
	if facts.OverBudget {
		start := l.now().Add(-l.config.Window)
		return slices.DeleteFunc(list, func(c delivery.Change) bool { return c.Time.Before(start) })
	}
	known := l.record.ToldAt
	if l.record.Open() {
		known = l.record.Since
	}
	return slices.DeleteFunc(list, func(c delivery.Change) bool {
		return c.Time.Before(known) && (facts.Change == nil || c.EventID != facts.Change.EventID)
	})
}

// settled says what is behind a bucket that is right again.
func (l *look) settled() []string {
	if len(l.trails) == 0 && !l.gone() {
		return []string{"No trail delivers into the bucket any more, so nothing is watched there."}
	}
	if l.gone() {
		return []string{"The trail is there again."}
	}
	var notes []string
	for _, s := range l.sight.statuses {
		switch {
		case s.DeliveredAt.After(l.record.Since) && !s.DeliveredAt.Before(l.lastChange()):
			notes = append(notes, fmt.Sprintf("CloudTrail has delivered files of trail %s since, last at %s.", s.ARN, s.DeliveredAt.UTC().Format(time.RFC3339)))
		case s.DeliveredAt.IsZero():
			notes = append(notes, fmt.Sprintf("CloudTrail reports no delivery of trail %s yet.", s.ARN))
		default:
			notes = append(notes, fmt.Sprintf("CloudTrail has not delivered files of trail %s since, last at %s.", s.ARN, s.DeliveredAt.UTC().Format(time.RFC3339)))
		}
	}
	return notes
}

// tellBlindness says whether no trail of the account is logging any more, so
// that EventBridge will see no more events.
func (l *look) tellBlindness(ctx context.Context, story *alert.Notice) {
	silenced := func(f delivery.Finding) bool {
		return f.ID == delivery.TrailStoppedID || f.ID == delivery.TrailDeletedID
	}
	if !slices.ContainsFunc(story.Report.Findings, silenced) {
		return
	}
	for _, t := range l.estate.listed {
		i := slices.IndexFunc(l.sight.readings, func(r reading) bool { return r.trail.ARN == t.ARN })
		r := reading{}
		if i >= 0 {
			r = l.sight.readings[i]
		} else {
			r = l.status(ctx, t)
		}
		if r.err != nil {
			story.Notes = append(story.Notes, "Whether another trail of the account is still logging could not be read, so EventBridge may see no more events.")
			return
		}
		if r.status.Logging {
			return
		}
	}
	story.Blind = true
}
