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

// subject returns the subject: the verdict, the bucket, how many trails, and how
// it came about. It starts with a letter, as SNS wants it.
func (d *view) subject() string {
	s := d.lead() + " " + cut(ascii(d.target()), 63)
	if n := d.trailsHit(); n > 1 {
		s += fmt.Sprintf(" (%d trails)", n)
	}
	if end := ascii(d.ending()); end != "" {
		s += " - " + end
	}
	if len(s) > maxSubject {
		s = s[:maxSubject-3] + "..."
	}
	return s
}

// lead returns the first words of a subject.
func (d *view) lead() string {
	words := d.state.words()
	well := d.state.rank() <= weak.rank()
	switch d.Kind {
	case Restored:
		if well {
			return "RESTORED: CloudTrail delivers again to"
		}
		return d.label() + ": restored in part, " + words
	case Resolved:
		if well {
			return "RESOLVED: CloudTrail delivers again to"
		}
	case RestoreFailed:
		return d.label() + ": restore failed, " + words
	case Fight:
		return d.label() + ": CloudTrail fight over"
	case Reminder:
		return d.label() + ": still " + words
	case Opened, Changed:
	}
	return d.label() + ": " + words
}

// label returns the severity, which may come from anywhere, as a word.
func (d *view) label() string {
	if d.severity == delivery.Informational {
		return "INFO"
	}
	return string(d.severity)
}

// ending says how it came about, or since when.
func (d *view) ending() string {
	if d.Kind == Reminder && !d.Since.IsZero() {
		return "since " + d.Since.UTC().Format("2006-01-02 15:04") + "Z"
	}
	if d.Kind == Fight {
		return d.fighters()
	}
	for _, c := range d.Changes {
		if c.ErrorCode != "" {
			continue
		}
		if who := actorName(c.Actor); who != "" {
			return deed(c.Event) + " by " + cut(who, 40)
		}
		return deed(c.Event)
	}
	return ""
}

// target names what the alert is about: the bucket, or a trail without one.
func (d *view) target() string {
	if d.Report.Bucket == "" {
		return "a bucket"
	}
	return trailName(d.Report.Bucket)
}

// trailsHit counts the affected trails. It counts the ones that are left out,
// too.
func (d *view) trailsHit() int {
	n := len(d.affected())
	if n == len(d.trails) {
		n += d.left.trails
	}
	return n
}

// fighters names those whose changes undo the repairs.
func (d *view) fighters() string {
	var names []string
	for _, c := range d.Changes {
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
	fields := strings.SplitN(actor, ":", 6)
	if len(fields) < 6 {
		return actor
	}
	kind, name, ok := strings.Cut(fields[5], "/")
	if !ok {
		return fields[5]
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

// deed says in two words what an API call does, or names the call.
func deed(event string) string {
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
