package delivery

import (
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailStoppedID is the id of the finding that a trail is not logging.
const TrailStoppedID = "trail-stopped"

func trailStoppedType() FindingType {
	return FindingType{
		ID: TrailStoppedID, Title: "The trail does not log",
		Kind: Outage, Severity: Critical, Source: SourceStatus, Loss: LossEvents, Restored: RestoredNever,
		Causes: []string{"StopLogging", "CreateTrail"},
		refusal: func(Finding) string {
			return "There is nothing in the policy to restore: the trail is not logging. Start it with aws cloudtrail start-logging."
		},
		findStatus: trailStopped,
	}
}

func trailStopped(_ TrailReport, s trail.Status) []Finding {
	if s.Logging || s.New && s.NeverStarted() {
		return nil
	}
	return []Finding{{
		Trail:   s.ARN,
		Message: fmt.Sprintf("Trail %s is stopped%s, so it records nothing.", s.ARN, since(s.StoppedLoggingAt)),
		Remedy:  fmt.Sprintf("Start it again: aws cloudtrail start-logging --name %s.", s.ARN),
	}}
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}
