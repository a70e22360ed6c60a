package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// NewRegionsNotGrantedID is the id of the finding that files of regions are
// denied that are opened or enabled later.
const NewRegionsNotGrantedID = "new-regions-not-granted"

func newRegionsNotGrantedType() FindingType {
	return FindingType{
		ID: NewRegionsNotGrantedID, Title: "Files of regions that are opened or enabled later are denied",
		Kind: Weakness, Severity: Low, Source: SourcePolicy, Loss: LossNone, Restored: RestoredByHardening,
		find: func(j *judgement) []Finding {
			return j.beyondTrails(trail.HorizonNewRegions, func(t trail.Trail, e *evaluation, denials []sampleDecision) Finding {
				return Finding{
					Message: fmt.Sprintf("Trail %s would stop in a region that AWS opens, or the account enables, later: %s.",
						trailName(t), j.whyBeyond(e, denials[0])),
					Remedy: j.remedyBeyond(denials, "regions"),
				}
			})
		},
	}
}
