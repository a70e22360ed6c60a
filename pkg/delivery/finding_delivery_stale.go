package delivery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// DeliveryStaleID is the id of the finding that no file of a trail has arrived for longer than
// can be, though nothing that was looked at explains it and CloudTrail reports no error.
const DeliveryStaleID = "delivery-stale"

func deliveryStaleType() FindingType {
	return FindingType{
		ID: DeliveryStaleID, Title: "Files of the trail have stopped arriving",
		Kind: Unknown, Severity: High, Source: SourceStatus, Loss: LossNone, Restored: RestoredNever, Symptom: true, UntilFile: true,
		refusal: func(f Finding) string {
			return "There is nothing in the policy to restore: files do not arrive though it lets them in. " + f.Remedy
		},
		findEvidence: deliveryStale,
	}
}

// How long CloudTrail may take, and what that rests on.
// Source: awscloudtrail userguide, get-and-view-cloudtrail-log-files.html ("within an average of
// about 5 minutes of an API call. This time is not guaranteed"; it said 15 minutes before 2023),
// and cloudtrail-log-file-validation-digest-file-structure.html (a digest file each hour, "even
// when there has been no API activity"; some come late).
const (
	// settled is how long a trail that was started, or whose bucket was changed, may take
	// until that holds everywhere.
	settled = 15 * time.Minute
	// logFileDue is three times the longest that AWS has named. A sweep of each hour is seen an
	// hour later.
	logFileDue = 45 * time.Minute
	// digestDue leaves out two digest files, and has as much for the next to be late.
	digestDue = 3 * time.Hour
	// digestSpan is how much later than the last digest file a log file may have come, if both
	// have stopped at the same time. Where log files went on, validation may have been disabled
	// for a while, and lately enabled: then the last digest file is old and nothing is wrong.
	digestSpan = 2 * time.Hour
)

// deliveryStale finds it only where something had to be written: a call that the trail
// records, or a digest file. An account in which nothing happens writes no log files, and one that
// does not own the trail is not told of its deliveries. What is blocked needs no second word.
func deliveryStale(r TrailReport, t trail.Trail, s trail.Status, e Evidence) []Finding {
	if r.Verdict == Blocked || !s.Logging || e.Now.IsZero() || !e.ofOwner(t) {
		return nil
	}
	since := ""
	switch {
	case !s.DeliveredAt.IsZero():
		since = "since " + stamp(s.DeliveredAt)
	case !s.StartedLoggingAt.IsZero():
		since = "since it was started at " + stamp(s.StartedLoggingAt)
	default: // not known when it should have begun
		return nil
	}
	began := latest(s.StartedLoggingAt, e.Changed[t.ARN])
	var why string
	if call, ok := e.call(t, e.Now.Add(-logFileDue)); ok && call.At.After(began.Add(settled)) && s.DeliveredAt.Before(call.At) {
		why = fmt.Sprintf("The trail records that account %s called CloudTrail in %s at %s, so a file had to follow.", call.Account, call.Region, stamp(call.At))
	} else if digestMissing(t, s, e.Now, began) {
		why = fmt.Sprintf("CloudTrail delivers a digest file each hour, whether anything has happened or not, and the last one came at %s.",
			stamp(s.DigestDeliveredAt))
	} else {
		return nil
	}
	return []Finding{{
		Trail:   t.ARN,
		Message: fmt.Sprintf("Trail %s logs, and no log file of it has arrived %s. %s %s", t.ARN, since, why, staleCause(r, t, s)),
		Remedy: "See what CloudTrail reports (aws cloudtrail get-trail-status --name " + t.ARN + "), whose the bucket " + t.Bucket + " is, " +
			"the organization's resource control policies, and AWS Health for troubles of CloudTrail or Amazon S3. " +
			"It is settled when the next file arrives.",
	}}
}

// digestMissing reports whether digest files have stopped. That the trail records management
// writes makes sure that to enable validation again has brought a log file.
func digestMissing(t trail.Trail, s trail.Status, now, began time.Time) bool {
	unlogged, known := t.ManagementEvents()
	return t.LogFileValidation && known && !unlogged.Writes && !unlogged.LeavesOut(cloudTrailSource) &&
		!s.DigestDeliveredAt.IsZero() && !s.DeliveredAt.After(s.DigestDeliveredAt.Add(digestSpan)) &&
		now.Sub(latest(s.DigestDeliveredAt, began)) >= digestDue
}

// staleCause names the likely cause. An error that CloudTrail reports of its deliveries is a
// finding of its own, [DeliveryFailingID]: here there is none.
func staleCause(r TrailReport, t trail.Trail, s trail.Status) string {
	var open []string
	keyLookedAt := false
	for _, q := range r.Requirements {
		keyLookedAt = keyLookedAt || q.Target == trail.OfKey
		if q.Target != trail.OfTopic && q.Decision == policy.Undetermined {
			open = append(open, string(q.ID))
		}
	}
	tried := ""
	if s.DeliveryAttempt.After(s.DeliveredAt) {
		tried = ", and tried last at " + stamp(s.DeliveryAttempt)
	}
	reports := "CloudTrail reports no error" + tried + "; it reports none of requests that time out. "
	switch {
	case len(open) > 0:
		return reports + "The likely cause is what is not certain (" + strings.Join(slices.Compact(open), ", ") + "), see the other findings."
	case t.KMSKeyID != "" && !keyLookedAt:
		return reports + "The likely cause is the trail's KMS key, which was not looked at, or a resource control policy that is not known here."
	}
	return reports + "All that was looked at lets files arrive, so the likely cause is what that does not show: a resource control policy that is not known here, " +
		"a bucket that is somebody else's by now, or a trouble of CloudTrail or Amazon S3."
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
