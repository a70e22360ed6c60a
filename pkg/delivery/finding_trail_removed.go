package delivery

import "fmt"

// TrailRemovedID is the id of the finding that a planned change removes a trail.
const TrailRemovedID = "trail-removed"

// It is no outage: nothing is lost yet, and somebody may mean it, who can accept it like a weakness.
func trailRemovedType() FindingType {
	return FindingType{
		ID: TrailRemovedID, Title: "The change removes the trail",
		Kind: Weakness, Severity: Critical, Source: SourceTrails, Loss: LossNone, Restored: RestoredNever, OfPlan: true,
	}
}

// TrailRemoved is the finding that a change deletes a trail, and makes it again as another resource, if
// one is named. [Judge] does not make it: the trail has no bucket after the change. One that is
// deleted already is [TrailDeleted].
func TrailRemoved(arn, again string) Finding {
	f := trailRemovedType().complete(Finding{
		Trail:   arn,
		Message: fmt.Sprintf("The change deletes trail %s, which records nothing more then.", arn),
		Remedy: "Keep the resource if the trail is not meant to go: one that moves within the code needs a moved block (Terraform), " +
			"or its logical id (CloudFormation). If it is meant to go, accept the finding with a reason and a last day.",
	})
	if again != "" {
		f.Message = fmt.Sprintf("The change deletes trail %s, and makes it again as %s. CloudTrail refuses a second trail of the name, "+
			"so that the trail is gone if the deletion comes last.", arn, again)
	}
	return f
}
