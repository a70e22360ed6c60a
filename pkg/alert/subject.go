package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// maxSubject is how long a subject may be. The API reference of SNS asks for
// "less than 100 characters".
const maxSubject = 99

// The bounds of a subject's parts, in bytes. The longest short lead has 49, "CRITICAL:
// restored in part, delivery uncertain at", so that the bucket and the actor always get 20
// each.
const (
	maxLead   = 50
	maxTarget = 63
	maxPhrase = 24
	minBucket = 12
	// enoughBucket is how much of a bucket's name is left before the actor's is cut:
	// a prefix of 12, and the account id with which AWS's own names go on.
	enoughBucket = 28
)

// subject returns the subject: severity and verdict, the bucket, how many trails, and
// how it came about. It starts with a letter, as SNS wants it.
//
// Where it is too long, what was called is left out first, then the number of trails,
// then that it is about CloudTrail; then the bucket's name and the actor's are cut,
// each so that it can be recognized. Severity and verdict are never cut.
func (v *view) subject() string {
	target, count := keepBoth(ascii(v.target()), maxTarget), ""
	if n := v.affectedCount(); n > 1 {
		count = fmt.Sprintf(" (%d trails)", n)
	}
	lead := ascii(v.lead())
	short := keepStart(strings.ReplaceAll(lead, "CloudTrail ", ""), maxLead)
	ending, who := v.ending()
	brief := ending
	if len(who) > 0 {
		brief = " - by "
	}
	all := fullLabels(who)
	for _, form := range [][3]string{{lead, count, ending}, {lead, count, brief}, {lead, "", brief}} {
		if s := form[0] + " " + target + form[1] + form[2] + all; len(s) <= maxSubject {
			return s
		}
	}
	for _, lead := range []string{lead, short} {
		start := lead + " " + target + brief
		if len(who) == 0 && len(start) <= maxSubject {
			return start
		}
		if room := maxSubject - len(start); len(who) > 0 && len(who[0].text()) <= room {
			if actors := fitLabels(who, room); strings.HasPrefix(actors, who[0].text()) {
				return start + actors
			}
		}
	}
	room := maxSubject - len(short+" "+brief)
	actor := fitLabels(who, room-min(len(target), max(room-len(all), min(enoughBucket, room/2))))
	return short + " " + keepBoth(target, room-len(actor)) + brief + actor
}

// lead returns the first words of a subject: the severity, and the verdict.
func (v *view) lead() string {
	words := v.state.words()
	well := v.state.rank() <= weak.rank()
	switch v.Kind {
	case Restored:
		if well {
			return "RESTORED: CloudTrail delivers again to"
		}
		return v.label() + ": restored in part, " + words
	case Resolved:
		if well {
			about := v.settled()
			switch {
			case v.isOfAccount():
				return "RESOLVED: a trail records again"
			case v.isOfOrganization():
				if v.isHeardAgain() {
					return "RESOLVED: events come again from all accounts in"
				}
				return "RESOLVED: all accounts can be read in"
			case about == ofCoverage && v.Accepted:
				return "RESOLVED: CloudTrail covers less, as accepted, for"
			case about == ofCoverage:
				return "RESOLVED: CloudTrail covers what it did for"
			case about == ofWeakness && v.Accepted:
				return "RESOLVED: weak CloudTrail policy, as accepted, at"
			case about == ofWeakness:
				return "RESOLVED: CloudTrail policy mended at"
			}
			return "RESOLVED: CloudTrail delivers again to"
		}
	case RestoreFailed:
		return v.label() + ": restore failed, " + words
	case BudgetExhausted:
		return v.label() + ": CloudTrail fight over"
	case Reminder:
		return v.label() + ": still " + words
	case Opened, Changed, Nothing:
	}
	return v.label() + ": " + words
}

// label returns the severity, which may come from anywhere, as a word.
func (v *view) label() string {
	if v.severity == delivery.Informational {
		return "INFO"
	}
	return string(v.severity)
}

// ending says how it came about, or since when, and who is to be named after
// it.
func (v *view) ending() (text string, who []label) {
	if v.Kind == Reminder && !v.Since.IsZero() {
		return " - since " + v.Since.UTC().Format("2006-01-02 15:04") + "Z", nil
	}
	if v.Kind == BudgetExhausted {
		if who := v.changers(); len(who) > 0 {
			return " - changed by ", who
		}
		return "", nil
	}
	for _, c := range v.Changes {
		if c.ErrorCode != "" {
			continue
		}
		text = " - " + keepStart(ascii(eventPhrase(c.Event)), maxPhrase)
		if l := labelOf(c); l.text() != "" {
			return text + " by ", []label{l}
		}
		return text, nil
	}
	return "", nil
}

// target names what the alert is about: the bucket, or a trail without one.
func (v *view) target() string {
	if v.Report.Bucket == "" {
		return "a bucket"
	}
	if account, ok := delivery.AccountOf(v.Report.Bucket); ok {
		return "account " + account
	}
	if id, ok := delivery.OrganizationOf(v.Report.Bucket); ok {
		return "organization " + id
	}
	return trailName(v.Report.Bucket)
}

// affectedCount counts the affected trails. It counts the ones that are left out,
// too.
func (v *view) affectedCount() int {
	n := len(v.affected())
	if n == len(v.trails) {
		n += v.omitted.trails
	}
	return n
}

// changers names those whose changes undo the repairs.
func (v *view) changers() []label {
	var all []label
	for _, c := range v.Changes {
		if l := labelOf(c); c.ErrorCode == "" && l.text() != "" && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// eventPhrase says in two words what an API call does, or names the call.
func eventPhrase(event string) string {
	switch event {
	case "PutBucketPolicy":
		return "policy changed"
	case "DeleteBucketPolicy":
		return "policy deleted"
	case "PutBucketRequestPayment":
		return "Requester Pays changed"
	case "CreateBucket":
		return "bucket created"
	case "DeleteBucket":
		return "bucket deleted"
	case "CreateTrail":
		return "trail created"
	case "UpdateTrail":
		return "trail changed"
	case "DeleteTrail":
		return "trail deleted"
	case "StopLogging":
		return "logging stopped"
	case "StartLogging":
		return "logging started"
	case "DisableAWSServiceAccess":
		return "trusted access disabled"
	case "LeaveOrganization", "AccountDepartedOrganization":
		return "organization left"
	case "RemoveAccountFromOrganization":
		return "account removed"
	case "CloseAccount":
		return "account closed"
	}
	return event
}

// stamp writes a time as people of all zones read it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// lasting says how long it is between two times, roughly.
func lasting(from, to time.Time) string {
	switch n := to.Sub(from); {
	case n < 0:
		return ""
	case n < time.Minute:
		return plural(int(n/time.Second), "second")
	case n < time.Hour:
		return plural(int(n/time.Minute), "minute")
	case n < 48*time.Hour:
		return plural(int(n/time.Hour), "hour")
	default:
		return plural(int(n/(24*time.Hour)), "day")
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// more says how much was left out.
func more(n int, noun string) string { return "... and " + plural(n, "more "+noun) }
