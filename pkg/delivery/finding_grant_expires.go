package delivery

import (
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// GrantExpiresID is the id of the finding that files of later days are denied.
const GrantExpiresID = "grant-expires"

// expirySoon is from when on a grant that expires is MEDIUM.
const expirySoon = 90 * 24 * time.Hour

func grantExpiresType() FindingType {
	return FindingType{
		ID: GrantExpiresID, Title: "Files of later days are denied",
		Kind: Weakness, Severity: Low, OtherSeverities: []Severity{Medium}, Source: SourcePolicy, Loss: LossNone, Restored: RestoredByHardening,
		find: func(j *judgement) []Finding {
			return j.beyondTrails(trail.HorizonLaterDates, func(t trail.Trail, e *evaluation, denials []sampleDecision) Finding {
				first := earliest(denials)
				from := "from " + first.date() + " on"
				if e.partial { // there may be earlier ones
					from = "on " + first.date()
				}
				f := Finding{
					Message: fmt.Sprintf("Trail %s can deliver today, and not %s: %s.", trailName(t), from, j.whyBeyond(e, first)),
					Remedy:  j.remedyBeyond(denials, "years, months or days"),
				}
				if day, err := time.Parse(time.DateOnly, first.date()); err == nil && day.Before(j.environment.Now.Add(expirySoon)) {
					f.Severity = Medium
				}
				return f
			})
		},
	}
}
