package guardrail

import (
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// An event may be there before what it tells of can be read everywhere. It is never
// judged; but where it says something else than what was read, the reading may be the
// older one, and is made once more.

const (
	// listLag is how long CloudTrail is given to list a trail as it was changed, and
	// readLag how long a service is given to show what was written.
	listLag = 3 * time.Second
	readLag = time.Second
	// settled is how long after a call nothing is taken to be older than it.
	settled = 30 * time.Second
)

// mayLag reports whether what was read may be older than the newest call that led here.
func mayLag(t Target, rec record, obs observation, now time.Time) bool {
	for _, c := range t.calls() {
		if now.Sub(c.Time) > settled || rec.Knows(&c.Change) {
			continue
		}
		switch c.Event {
		case "PutBucketPolicy", "DeleteBucketPolicy":
			return policyLags(c, rec, obs)
		case "StopLogging", "StartLogging":
			return loggingLags(c, obs)
		}
	}
	return false
}

// policyLags reports whether the bucket has another policy than the call gave it, which
// is not one that a repair has written since.
func policyLags(c Call, rec record, obs observation) bool {
	if !obs.policyKnown() || c.Event == "PutBucketPolicy" && len(c.SubmittedPolicy) == 0 {
		return false
	}
	current := obs.fingerprint()
	return current != ledger.Fingerprint(c.SubmittedPolicy) &&
		!slices.ContainsFunc(rec.Repairs, func(r ledger.Repair) bool { return r.After == current })
}

// loggingLags reports whether the trail is reported to be logging though it was stopped,
// or the other way round, and was not started or stopped again since.
func loggingLags(c Call, obs observation) bool {
	for _, s := range obs.statuses {
		if s.ARN != c.Trail && !strings.HasSuffix(s.ARN, ":trail/"+c.Trail) {
			continue
		}
		if c.Event == "StopLogging" {
			return s.Logging && s.StartedLoggingAt.Before(c.Time)
		}
		return !s.Logging && s.StoppedLoggingAt.Before(c.Time)
	}
	return false
}
