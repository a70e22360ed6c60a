package alert_test

import (
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// quietStories are of trails that go on and record less, or are not there.
func quietStories() []story {
	return []story{
		{"opened-silent", alert.Opened, func(s *stage) {
			s.sweep(0)
			s.call("put-event-selectors", silencing(s))
		}, false},
		{"opened-covers-less", alert.Opened, func(s *stage) {
			s.sweep(0)
			s.call("update-trail", narrowing(s, map[string]any{"isMultiRegionTrail": false, "includeGlobalServiceEvents": false}))
		}, false},
		{"opened-unguarded", alert.Opened, func(s *stage) {
			s.sweep(0)
			s.call("update-trail", narrowing(s, map[string]any{"enableLogFileValidation": false, "kmsKeyId": ""}))
		}, false},
		{"opened-organization-narrowed", alert.Opened, func(s *stage) {
			// Seen from the log archive, without an event: it was called in the management account.
			s.sweep(0)
			t := s.trail
			t.MultiRegion, t.GlobalEvents = false, false
			s.PutTrail(t, s.Describe().Statuses[0])
			s.sweep(time.Hour)
		}, true},
		{"opened-no-trail", alert.Opened, func(s *stage) {
			s.DeleteTrail(s.trail.ARN) // before the guard was there
			s.sweep(0)
		}, false},
		{"resolved-accepted", alert.Resolved, func(s *stage) {
			s.sweep(0)
			s.call("update-trail", narrowing(s, map[string]any{"isMultiRegionTrail": false}))
			s.pass(time.Hour)
			ref := guardrail.BucketRef{Name: s.bucket, Account: s.number, Region: s.home}
			_, err := s.guard.Accept(s.t.Context(), ref, s.trail.Name, "one region only since the move to eu-central-1",
				"dana with credentials of account "+s.number, s.Now().Add(200*24*time.Hour))
			if err != nil {
				s.t.Fatal(err)
			}
			s.sweep(time.Hour)
		}, false},
		{"resolved-weakness-accepted", alert.Resolved, acceptedWeakness, false},
	}
}

// acceptedWeakness is a weakness that the team was told of, and that its owner then accepts.
func acceptedWeakness(s *stage) {
	s.config.Severity = delivery.Medium
	s.rebuild()
	s.call("put-bucket-policy-terraform", withPolicy(strings.ReplaceAll(s.policy(), `,
            "aws:SourceArn": "`+s.trail.ARN+`"`, "")))
	s.config.Accepted = []delivery.Acceptance{{
		Finding: delivery.SourceARNMissingID, Bucket: s.bucket, Until: "2027-03-31", Owner: "platform team",
		Reason: "The appliance that reads it cannot be changed before it is replaced.",
	}}
	s.rebuild()
	s.sweep(time.Hour)
}

// silencing is the call that leaves all management events out, as the AWS CLI makes it.
func silencing(s *stage) edit {
	return func(detail map[string]any) {
		selectors := []any{map[string]any{"readWriteType": "ReadOnly", "includeManagementEvents": false, "dataResources": []any{}}}
		detail["requestParameters"] = map[string]any{"trailName": s.trail.Name, "eventSelectors": selectors}
		detail["responseElements"] = map[string]any{"trailARN": s.trail.ARN, "eventSelectors": selectors}
	}
}

// narrowing is a call of UpdateTrail with the given settings.
func narrowing(s *stage, settings map[string]any) edit {
	return func(detail map[string]any) {
		request := map[string]any{"name": s.trail.Name}
		response := map[string]any{"name": s.trail.Name, "trailARN": s.trail.ARN, "s3BucketName": s.bucket}
		for k, v := range settings {
			request[k], response[k] = v, v
		}
		detail["requestParameters"], detail["responseElements"] = request, response
	}
}
