package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// BacklogDeniedID is the id of the finding that files are denied that may still
// wait for delivery.
const BacklogDeniedID = "backlog-denied"

func backlogDeniedType() FindingType {
	return FindingType{
		ID: BacklogDeniedID, Title: "Files that may wait for delivery are denied",
		Kind: Weakness, Severity: Medium, Source: SourcePolicy, Loss: LossNone, Restored: RestoredByHardening,
		find: func(j *judgement) []Finding {
			return j.beyondTrails(trail.HorizonBacklog, func(t trail.Trail, e *evaluation, denials []sampleDecision) Finding {
				first := earliest(denials)
				since := "since"
				if e.partial { // there may be earlier ones
					since = "on"
				}
				return Finding{
					Message: fmt.Sprintf("Files of trail %s that could not be delivered %s %s would be lost, though today's are delivered: %s. "+
						"CloudTrail tries for 30 days to deliver a file.", trailName(t), since, first.date(), j.whyBeyond(e, first)),
					Remedy: j.remedyBeyond(denials, "years, months or days") + " If CloudTrail had no trouble in the last 30 days, nothing waits.",
				}
			})
		},
	}
}
