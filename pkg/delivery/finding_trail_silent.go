package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailSilentID is the id of the finding that a trail logs no management write
// events, and no other trail does in its place.
const TrailSilentID = "trail-silent"

func trailSilentType() FindingType {
	return FindingType{
		ID: TrailSilentID, Title: "The trail logs no management write events",
		Kind: Outage, Severity: Critical, Source: SourceTrails, Loss: LossWrites, Restored: RestoredNever,
		Causes: []string{"PutEventSelectors"},
		refusal: func(Finding) string {
			return "There is nothing in the policy to restore: the trail's event selectors leave out management write events."
		},
		findCoverage: trailSilent,
	}
}

func trailSilent(t trail.Trail, s Surroundings) []Finding {
	silence, silent := s.silence(t)
	if !silent {
		return nil
	}
	where := "in any region"
	switch {
	case !t.MultiRegion:
		where = "in " + t.HomeRegion
	case len(silence.elsewhere) > 0:
		where = "outside " + brief(silence.elsewhere)
	}
	other := "no other trail"
	if t.Organization && (s.Account == "" || s.Account == t.Account()) {
		other = "no other trail of the organization"
	}
	message := fmt.Sprintf("Trail %s logs no management write events, and %s logs them %s, so that what is changed "+
		"there stands in no file.", t.ARN, other, where)
	if len(silence.unknown) > 0 {
		message += fmt.Sprintf(" Whether %s does could not be read.", brief(silence.unknown))
	}
	return []Finding{{
		Trail:   t.ARN,
		Message: message,
		Remedy: "Let its event selectors take management events again (read and write), beside those that it has: " +
			"aws cloudtrail get-event-selectors shows them, and aws cloudtrail put-event-selectors replaces them.",
	}}
}
