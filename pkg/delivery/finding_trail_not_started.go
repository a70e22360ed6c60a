package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailNotStartedID is the id of the finding that a new trail is not started yet.
const TrailNotStartedID = "trail-not-started"

func trailNotStartedType() FindingType {
	return FindingType{
		ID: TrailNotStartedID, Title: "The trail was made and is not started yet",
		Kind: Weakness, Severity: Low, Source: SourceStatus, Loss: LossNone, Restored: RestoredNever,
		Causes:     []string{"CreateTrail"},
		findStatus: trailNotStarted,
	}
}

// trailNotStarted is of a trail that was made minutes ago: CreateTrail makes one
// that does not log, and StartLogging is a call of its own. Later it is stopped.
func trailNotStarted(_ TrailReport, s trail.Status) []Finding {
	if !s.New || !s.NeverStarted() {
		return nil
	}
	return []Finding{{
		Trail:   s.ARN,
		Message: fmt.Sprintf("Trail %s was made minutes ago and is not started yet, so it records nothing so far.", s.ARN),
		Remedy:  fmt.Sprintf("Start it: aws cloudtrail start-logging --name %s.", s.ARN),
	}}
}
