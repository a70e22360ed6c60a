package alert

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// state is what a report comes to, as its alert says it.
type state string

const (
	broken     state = "broken"     // log files cannot be delivered
	partly     state = "partly"     // something else that CloudTrail needs is refused
	unrecorded state = "unrecorded" // the account has no trail
	stopped    state = "stopped"    // a trail does not log, or is gone
	silent     state = "silent"     // a trail logs, and no changes
	less       state = "less"       // a trail covers less than before
	unseen     state = "unseen"     // accounts of the organization cannot be read
	unheard    state = "unheard"    // events of accounts do not come any more
	uncertain  state = "uncertain"  // it is not known whether all is well
	weak       state = "weak"       // it works, and could be safer
	untold     state = "untold"     // it works, and CloudTrail cannot tell the trail's topic
	sound      state = "sound"      // nothing was found
)

// stateOf returns the worst that the report's findings say. Only a report
// that says "delivering" can be sound; a blocked one without an outage finding
// is refused something.
func stateOf(r delivery.Report) state {
	s := sound
	for _, f := range r.Findings {
		if found := findingState(f); found.rank() > s.rank() {
			s = found
		}
	}
	switch {
	case s == stopped && aboutAccount(r.Bucket):
		return unrecorded
	case s == uncertain && aboutOrganization(r.Bucket):
		if len(r.Findings) > 0 && !hasFinding(r.Findings, delivery.AccountsUnreadID) {
			return unheard
		}
		return unseen
	case s == weak && !slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Target != trail.OfTopic }):
		return untold
	case r.Verdict == delivery.Delivering:
		return s
	case r.Verdict == delivery.Blocked && s.rank() < less.rank():
		return partly
	case s.rank() < uncertain.rank():
		return uncertain
	}
	return s
}

func findingState(f delivery.Finding) state {
	t, _ := delivery.LookupType(f.ID)
	if t.Loss == delivery.LossCoverage { // whatever it guards against, it is no weakness of the policy
		return less
	}
	switch f.Kind {
	case delivery.Weakness:
		return weak
	case delivery.Unknown:
		return uncertain
	case delivery.Outage:
	default:
		return uncertain
	}
	switch t.Loss {
	case delivery.LossEvents:
		return stopped
	case delivery.LossWrites:
		return silent
	case delivery.LossLogFiles:
		return broken
	case delivery.LossPart, delivery.LossCoverage, delivery.LossNone:
	}
	return partly
}

func (s state) rank() int {
	switch s {
	case broken:
		return 8
	case partly:
		return 7
	case unrecorded:
		return 6
	case stopped:
		return 5
	case silent:
		return 4
	case less:
		return 3
	case unseen, unheard, uncertain:
		return 2
	case weak, untold:
		return 1
	case sound:
	}
	return 0
}

// sentence says what the state means.
func (s state) sentence() string {
	switch s {
	case broken:
		return "CloudTrail cannot deliver its log files to this bucket."
	case partly:
		return "CloudTrail is refused a part of what it needs at this bucket."
	case unrecorded:
		return "no trail records this account."
	case stopped:
		return "a trail records nothing any more."
	case silent:
		return "a trail logs no changes any more, and no other trail does in its place."
	case less:
		return "a trail covers less than before."
	case unseen:
		return "accounts of the organization cannot be read, so that what happens to their trails is not seen."
	case unheard:
		return "events of accounts of the organization do not come any more, so that what happens there is noticed late."
	case uncertain:
		return "it is not certain that CloudTrail can deliver to this bucket."
	case weak:
		return "CloudTrail can deliver to this bucket, and its policy has a weakness."
	case untold:
		return "CloudTrail can deliver to this bucket, and cannot tell the trail's topic of its files."
	case sound:
	}
	return "CloudTrail can deliver to this bucket."
}

// words are the state in a few words, for a subject.
func (s state) words() string {
	switch s {
	case broken:
		return "CloudTrail blocked at"
	case partly:
		return "CloudTrail partly blocked at"
	case unrecorded:
		return "no trail records"
	case stopped:
		return "CloudTrail stopped for"
	case silent:
		return "CloudTrail logs no changes for"
	case less:
		return "CloudTrail covers less for"
	case unseen:
		return "accounts cannot be read in"
	case unheard:
		return "no events come from accounts in"
	case uncertain:
		return "CloudTrail delivery uncertain at"
	case weak:
		return "weak CloudTrail policy at"
	case untold:
		return "topic of a trail not told at"
	case sound:
	}
	return "CloudTrail delivers to"
}

// isHeardAgain reports whether what is settled of an organization is that events come again, and not that its
// accounts can be read.
func (v *view) isHeardAgain() bool {
	return len(v.Settled) > 0 && !slices.Contains(v.Settled, delivery.AccountsUnreadID)
}

// opening is the first sentence of an alert. It holds no data.
func (v *view) opening() string {
	if v.Kind != Resolved || v.state.rank() > weak.rank() {
		return opening(v.Kind, v.state)
	}
	about := v.settled()
	switch {
	case v.isOfAccount():
		return "The problem is gone, not by Trailwarden: a trail records this account again."
	case v.isOfOrganization():
		if v.isHeardAgain() {
			return "The problem is gone: events of the organization's accounts come again."
		}
		return "The problem is gone: all accounts of the organization can be read again."
	case about == ofCoverage && v.Accepted:
		return "The problem is settled: that the trail covers less is accepted."
	case about == ofCoverage:
		return "The problem is gone, not by Trailwarden: what was missing is recorded again."
	case about == ofWeakness && v.Accepted:
		return "The problem is settled: that weakness is accepted. CloudTrail can deliver to this bucket, as before."
	case about == ofWeakness:
		return "The problem is gone, not by Trailwarden: that weakness is mended. CloudTrail can deliver to this bucket, as before."
	}
	return opening(v.Kind, v.state)
}

// What is settled may be about.
const (
	ofDelivery = iota // anything else
	ofCoverage        // all of it is about what a trail records
	ofWeakness        // all of it are weaknesses, with which CloudTrail delivered
)

// settled says what all that is settled is about.
func (v *view) settled() int {
	coverage, weaknesses := 0, 0
	for _, id := range v.Settled {
		switch t, _ := delivery.LookupType(id); {
		case t.Loss == delivery.LossCoverage || t.Loss == delivery.LossWrites:
			coverage++
		case t.Kind == delivery.Weakness:
			weaknesses++
		}
	}
	switch len(v.Settled) {
	case 0:
	case coverage:
		return ofCoverage
	case weaknesses:
		return ofWeakness
	}
	return ofDelivery
}

func opening(k Kind, s state) string {
	switch k {
	case Opened:
		return "A problem was found: " + s.sentence()
	case Changed:
		return "The problem has changed: " + s.sentence()
	case Reminder:
		return "Not solved yet: " + s.sentence()
	case RestoreFailed:
		return "Trailwarden tried to restore this bucket and did not succeed: " + s.sentence()
	case BudgetExhausted:
		return "Trailwarden has stopped restoring this bucket, because it keeps being changed: " + s.sentence()
	case Restored:
		if s.rank() > weak.rank() {
			return "Trailwarden restored a part of this bucket, and more is wrong: " + s.sentence()
		}
		return "Trailwarden restored this bucket: CloudTrail can deliver to it again."
	case Resolved:
		if s.rank() > weak.rank() {
			return "A problem is gone, not by Trailwarden, and another is there: " + s.sentence()
		}
		return "The problem is gone, not by Trailwarden: CloudTrail can deliver to this bucket again."
	case Nothing:
	}
	return "There is news of this bucket: " + s.sentence()
}

// What an alert asks a pager to do.
const (
	trigger = "trigger" // open an incident, or add to it
	resolve = "resolve" // close it
)

// action is what the alert asks a pager to do with its incident.
func (v *view) action() string {
	well := v.state.rank() <= weak.rank()
	if well && (v.Kind == Restored || v.Kind == Resolved) || v.Kind == Changed && v.state == sound {
		return resolve
	}
	return trigger
}

// worst is the severity of the alert: that of the worst finding as things
// stand. What Trailwarden could not set right is never less than HIGH.
func worst(n Notice) delivery.Severity {
	w := delivery.Informational
	if n.Kind == RestoreFailed || n.Kind == BudgetExhausted {
		w = delivery.High
	}
	for _, f := range n.Report.Findings {
		if f.Severity.Rank() < w.Rank() {
			w = f.Severity
		}
	}
	return w
}

func badness(v delivery.Verdict) int {
	switch v {
	case delivery.Blocked:
		return 2
	case delivery.Delivering:
		return 0
	case delivery.Undetermined:
	}
	return 1
}
