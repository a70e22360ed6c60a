package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	// retries is how long CloudTrail tries again to deliver what it could not.
	// Source: awscloudtrail userguide, create-s3-bucket-policy-for-cloudtrail.html.
	retries = 30 * 24 * time.Hour
	// rhythm is how often CloudTrail delivers, on average.
	// Source: awscloudtrail userguide, get-and-view-cloudtrail-log-files.html.
	rhythm = 5 * time.Minute
)

// lost says what is lost, what waits, and when the next delivery is due.
func (v *view) lost() []string {
	if v.Kind == Restored || v.Kind == Resolved {
		if v.state.rank() <= weak.rank() {
			return v.recovered()
		}
	}
	switch v.state {
	case broken:
		if v.has(delivery.BucketOwnerChangedID) {
			return []string{"Not known. Whoever owns the bucket's name now may let CloudTrail deliver to it, and read what comes."}
		}
		return v.waiting()
	case stopped:
		return []string{
			"Events since " + v.stoppedAt() + " are recorded in no file of the trail, and cannot be had later.",
			"Management events of the last 90 days can still be read in each region's event history.",
		}
	case unrecorded:
		return []string{
			"What happens in the account is recorded in no file, and cannot be had later.",
			"Management events of the last 90 days can still be read in each region's event history.",
		}
	case silent:
		return []string{
			"Management write events since " + v.stoppedAt() + " are recorded in no file, and cannot be had later.",
			"Those of the last 90 days can still be read in each region's event history.",
		}
	case less:
		return v.uncovered()
	case partly:
		return []string{"Log files are not concerned. What is refused: " + strings.Join(v.refusedWords(), ", ") + "."}
	case unseen:
		return []string{"Not known. Deliveries go on as they are; what changes in these accounts is not noticed."}
	case unheard:
		return []string{"Nothing. Deliveries go on as they are; what changes there is noticed by the sweep, and nobody is named as the one who did it."}
	case uncertain:
		return []string{"Not known. What CloudTrail cannot deliver it keeps, and tries again for 30 days."}
	case weak, untold, sound:
	}
	return nil
}

// waiting is for log files that do not arrive.
func (v *view) waiting() []string {
	var texts []string
	switch began := v.Since; {
	case began.IsZero():
		texts = append(texts, "What has waited for 30 days. For as long CloudTrail keeps what it cannot deliver, and tries again.")
	case !v.At.IsZero() && v.At.Sub(began) > retries:
		texts = append(texts, "What was not delivered before "+stamp(v.At.Add(-retries))+": CloudTrail tries again for 30 days, and no longer.")
	default:
		texts = append(texts, "Nothing yet. CloudTrail keeps what it cannot deliver, and tries again until "+stamp(began.Add(retries))+".")
	}
	if last := v.lastDelivery(); !last.IsZero() {
		texts = append(texts, "Waiting: what was recorded since the last delivery, "+stamp(last)+".")
	}
	return append(texts, "Deliveries are due about every 5 minutes"+v.nextDue()+".")
}

// uncovered is for a trail that covers less than before.
func (v *view) uncovered() []string {
	for _, f := range v.Report.Findings {
		if slices.ContainsFunc(f.Lost, trail.Part.Records) {
			return []string{"What the trail covers no more is in no file of it since " + v.stoppedAt() + ", and cannot be had later."}
		}
	}
	return []string{"No events. Log files are written and delivered as before, without what guards them."}
}

// recovered is for log files that can arrive again.
func (v *view) recovered() []string {
	about := v.settled()
	switch {
	case v.isOfOrganization():
		return nil
	case about == ofCoverage && v.Accepted, about == ofWeakness:
		return nil
	case about == ofCoverage, v.isOfAccount():
		return []string{"Events of the time between that were not covered are in no file of the trail, and cannot be had later."}
	}
	if v.isOfTrail() {
		return []string{"Events of the time between are in no file of the trail, and cannot be had later."}
	}
	if !v.Since.IsZero() && !v.At.IsZero() && v.At.Sub(v.Since) > retries {
		return []string{"What was not delivered within 30 days. CloudTrail delivers the rest now."}
	}
	return []string{"Nothing that waited: CloudTrail delivers it now, the first files within about 5 minutes" + v.nextDue() + "."}
}

// nextDue is when the next delivery is due, if it is known when the last one was.
func (v *view) nextDue() string {
	last := v.lastDelivery()
	if last.IsZero() || v.At.IsZero() || last.After(v.At) || v.At.Sub(last) > rhythm {
		return ""
	}
	return ", the next at " + last.Add(rhythm).UTC().Format("15:04") + " UTC"
}

// lastDelivery is the last delivery of the trails that are concerned: the earliest of them,
// as far as CloudTrail was asked.
func (v *view) lastDelivery() time.Time {
	var last time.Time
	concerned := map[string]bool{}
	for _, t := range v.affected() {
		concerned[t.arn] = true
	}
	for _, s := range v.Statuses {
		if concerned[s.ARN] && !s.DeliveredAt.IsZero() && (last.IsZero() || s.DeliveredAt.Before(last)) {
			last = s.DeliveredAt
		}
	}
	return last
}

// stoppedAt is since when nothing is recorded.
func (v *view) stoppedAt() string {
	for _, s := range v.Statuses {
		if !s.Logging && !s.StoppedLoggingAt.IsZero() {
			return stamp(s.StoppedLoggingAt)
		}
	}
	if v.Since.IsZero() {
		return "then"
	}
	return stamp(v.Since)
}

func (v *view) has(finding string) bool { return hasFinding(v.Report.Findings, finding) }

func hasFinding(findings []delivery.Finding, id string) bool {
	return slices.ContainsFunc(findings, func(f delivery.Finding) bool { return f.ID == id })
}
