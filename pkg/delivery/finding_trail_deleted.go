package delivery

import "fmt"

// TrailDeletedID is the id of the finding that a trail is gone.
const TrailDeletedID = "trail-deleted"

func trailDeletedType() FindingType {
	return FindingType{
		ID: TrailDeletedID, Title: "The trail was deleted",
		Kind: Outage, Severity: Critical, Source: SourceTrails, Loss: LossEvents, Restored: RestoredNever,
		Causes: append(organizationCalls(), "DeleteTrail"),
		refusal: func(Finding) string {
			return "There is nothing in the policy to restore: the trail is gone."
		},
	}
}

// TrailDeleted is the finding for a trail that is gone. [Judge] does not make
// it: the trail has no bucket any more.
func TrailDeleted(arn string) Finding {
	return trailDeletedType().complete(Finding{
		Trail:   arn,
		Message: fmt.Sprintf("Trail %s is deleted, so it records nothing more.", arn),
		Remedy: "Create the trail again if it was not meant to go: aws cloudtrail create-trail, then start-logging. " +
			"Events of the time between are in no file.",
	})
}
