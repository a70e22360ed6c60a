package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// maxSubject is how long a subject may be. The API reference of SNS asks for
// "less than 100 characters".
const maxSubject = 99

// subject returns the subject: the verdict, the bucket, how many trails, and how
// it came about. It starts with a letter, as SNS wants it.
func (v *view) subject() string {
	s := v.lead() + " " + cut(ascii(v.target()), 63)
	if n := v.affectedCount(); n > 1 {
		s += fmt.Sprintf(" (%d trails)", n)
	}
	if end := ascii(v.ending()); end != "" {
		s += " - " + end
	}
	if len(s) > maxSubject {
		s = s[:maxSubject-3] + "..."
	}
	return s
}

// lead returns the first words of a subject.
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

// ending says how it came about, or since when.
func (v *view) ending() string {
	if v.Kind == Reminder && !v.Since.IsZero() {
		return "since " + v.Since.UTC().Format("2006-01-02 15:04") + "Z"
	}
	if v.Kind == BudgetExhausted {
		return v.changers()
	}
	for _, c := range v.Changes {
		if c.ErrorCode != "" {
			continue
		}
		if who := actorName(c.Actor); who != "" {
			return eventPhrase(c.Event) + " by " + cut(who, 40)
		}
		return eventPhrase(c.Event)
	}
	return ""
}

// target names what the alert is about: the bucket, or a trail without one.
func (v *view) target() string {
	if v.Report.Bucket == "" {
		return "a bucket"
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
func (v *view) changers() string {
	var names []string
	for _, c := range v.Changes {
		if who := cut(actorName(c.Actor), 40); who != "" && c.ErrorCode == "" && !slices.Contains(names, who) {
			names = append(names, who)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "changed by " + strings.Join(names, ", ")
}

// actorName returns the telling end of an ARN: "alice" of a user, "role/session"
// of an assumed role, the user of IAM Identity Center.
func actorName(actor string) string {
	a, err := arn.Parse(actor)
	if err != nil {
		return actor
	}
	kind, name, ok := strings.Cut(a.Resource, "/")
	if !ok {
		return a.Resource
	}
	if kind == "assumed-role" {
		// The role of IAM Identity Center says less than its session: a person.
		if role, session, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(role, "AWSReservedSSO_") {
			return session
		}
		return name
	}
	return name[strings.LastIndex(name, "/")+1:]
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
