package alert_test

import (
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// story leads to an alert: recorded events, real policies, and the guard between them.
type story struct {
	name string
	kind alert.Kind
	play func(*stage)
	// tower plays in the log archive of a landing zone.
	tower bool
}

func stories() []story {
	return slices.Concat(policyStories(), quietStories(), organizationStories(), chainStories())
}

// policyStories are of buckets and their policies, and of trails that stop.
func policyStories() []story {
	return []story{
		{"opened-policy-deleted", alert.Opened, func(s *stage) { s.call("delete-bucket-policy") }, false},
		{"opened-policy-deleted-organization", alert.Opened, func(s *stage) {
			s.names = accountNames{s.number: "Log Archive"}
			s.rebuild()
			s.call("delete-bucket-policy", by(s.number, "AWSControlTowerExecution", "a1b2c3d4-5678-90ab-cdef-0123456789ab", map[string]any{
				"invokedBy": "cloudformation.amazonaws.com",
			}), from("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"))
		}, true},
		{"opened-denied", alert.Opened, denyOutsiders, true},
		{"opened-stopped-blind", alert.Opened, func(s *stage) { s.call("stop-logging") }, false},
		{"opened-undetermined", alert.Opened, func(s *stage) {
			s.call("put-bucket-policy-terraform", withPolicy(strings.ReplaceAll(s.policy(), `"aws:SourceArn": "`+s.trail.ARN+`"`,
				`"aws:SourceOrgID": "`+organization+`"`)))
		}, true},
		{"opened-weakness", alert.Opened, func(s *stage) {
			s.config.Severity = delivery.Medium
			s.rebuild()
			s.call("put-bucket-policy-terraform", withPolicy(strings.ReplaceAll(s.policy(), `,
            "aws:SourceArn": "`+s.trail.ARN+`"`, "")))
		}, false},
		{"opened-requester-pays", alert.Opened, func(s *stage) { s.call("put-bucket-request-payment") }, false},
		{"opened-bucket-missing", alert.Opened, func(s *stage) { s.call("delete-bucket") }, false},
		{"opened-bucket-owner-changed", alert.Opened, func(s *stage) {
			s.PutBucket(inmem.Bucket{Name: s.bucket, Owner: "666666666666"})
			s.sweep(time.Hour)
		}, false},
		{"opened-policy-unreadable", alert.Opened, func(s *stage) {
			b, _ := s.Bucket(s.bucket)
			b.Unreadable = true
			s.PutBucket(b)
			s.sweep(time.Hour)
		}, false},
		{"opened-delivery-failing", alert.Opened, func(s *stage) {
			s.status(func(st *trail.Status) {
				st.DeliveryError, st.DeliveryAttempt = "KMS.NotFoundException", s.Now().Add(-time.Minute)
			})
			s.sweep(time.Hour)
		}, false},
		{"opened-delivery-stale", alert.Opened, func(s *stage) {
			s.sweep(0)
			last := s.Now().Add(-4 * time.Minute)
			s.status(func(st *trail.Status) {
				st.DeliveredAt, st.DigestDeliveredAt, st.DeliveryAttempt = last, last.Add(-23*time.Minute), last.Add(time.Hour)
			})
			s.sweep(4 * time.Hour)
		}, false},
		{"opened-trail-deleted", alert.Opened, richTrailDeleted, false},
		{"opened-trail-deleted-unseen", alert.Opened, func(s *stage) { s.call("delete-trail") }, false},
		{"opened-trail-deleted-organization", alert.Opened, trailTakenAway, true},
		{"opened-shared-role", alert.Opened, func(s *stage) {
			s.call("delete-bucket-policy", by(s.number, "ops/Shared-Admin", "botocore-session-1750000000", map[string]any{
				"sourceIdentity": "dana@acme.example", "invokedBy": "cloudformation.amazonaws.com",
			}))
		}, false},
		{"changed", alert.Changed, func(s *stage) {
			before := s.policy()
			s.call("delete-bucket-policy")
			s.pass(3 * time.Minute)
			s.call("put-bucket-policy-terraform", withPolicy(policyOf(append(statementsOf(s.t, before), onlyFromEndpoint(s.bucket))...)))
		}, false},
		{"opened-held", alert.Opened, func(s *stage) {
			s.optIn()
			s.call("delete-bucket-policy")
			s.pass(5 * time.Minute)
			s.undo()
			s.sweep(time.Minute)
		}, false},
		{"restored", alert.Restored, func(s *stage) {
			s.optIn()
			s.call("put-bucket-policy-terraform", withPolicy(policyOf(onlyTLS(s.bucket))))
		}, false},
		{"restored-overwritten", alert.Changed, overwritten, false},
		{"restored-in-part", alert.Restored, func(s *stage) {
			s.optIn()
			s.call("put-bucket-policy-terraform", withPolicy(policyOf(onlyTLS(s.bucket), onlyFromEndpoint(s.bucket))))
		}, false},
		{"restore-failed", alert.RestoreFailed, func(s *stage) {
			s.optIn()
			s.buckets.refused = "User: arn:aws:sts::111111111111:assumed-role/trailwarden-GuardFunctionRole-1H8K2QXZ0VJ3M/trailwarden-GuardFunction-Zk3v9QpLr7Ty is not authorized " +
				"to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::" + s.bucket + "\" with an explicit deny in a service control policy: " +
				"arn:aws:organizations::999999999999:policy/o-exampleorg1/service_control_policy/p-examplepol1"
			s.call("delete-bucket-policy")
		}, false},
		{"fight", alert.BudgetExhausted, fightOver, false},
		{"resolved", alert.Resolved, func(s *stage) {
			before := s.policy()
			s.call("delete-bucket-policy")
			s.pass(12 * time.Minute)
			s.call("put-bucket-policy-terraform", withPolicy(before))
		}, false},
		{"reminder", alert.Reminder, func(s *stage) {
			denyOutsiders(s)
			s.status(func(st *trail.Status) {
				st.DeliveryError, st.DeliveryAttempt = "AccessDenied", s.Now().Add(25*time.Hour)
			})
			s.sweep(26 * time.Hour)
		}, true},
	}
}

// denyOutsiders is a stack set that adds a statement against requests from outside the network.
func denyOutsiders(s *stage) {
	s.call("put-bucket-policy-cloudformation",
		withPolicy(policyOf(append(statementsOf(s.t, s.policy()), onlyFromEndpoint(s.bucket))...)),
		by(s.number, "stacksets-exec-0123456789abcdef0123456789abcdef", "a1b2c3d4-5678-90ab-cdef-0123456789ab", map[string]any{
			"invokedBy": "cloudformation.amazonaws.com",
		}), from("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"))
}

// richTrailDeleted is a trail with all that a trail can have, which is deleted.
func richTrailDeleted(s *stage) {
	tr := s.trail
	tr.Prefix, tr.GlobalEvents, tr.SNSTopic = "audit", true, "arn:aws:sns:us-east-1:111111111111:cloudtrail-digest"
	tr.LogGroup = "arn:aws:logs:us-east-1:111111111111:log-group:aws-cloudtrail-logs-111111111111-0123abcd:*"
	tr.LogRole = "arn:aws:iam::111111111111:role/service-role/CloudTrailRoleForCloudWatchLogs_management-events"
	tr.CustomSelectors, tr.InsightSelectors = true, true
	tr.Selectors = `{"AdvancedEventSelectors":[{"Name":"Management events","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},` +
		`{"Name":"It's all of S3","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]}]}]}`
	policy, err := trail.DocumentedPolicy([]trail.Trail{tr}, trail.Environment{Bucket: s.bucket})
	if err != nil {
		s.t.Fatal(err)
	}
	s.PutBucket(inmem.Bucket{Name: s.bucket, Policy: policy})
	s.PutTrail(tr, trail.Status{Logging: true})
	s.sweep(0)
	s.call("delete-trail")
}

// trailTakenAway is CloudTrail's own role, which follows what was done in the organization.
func trailTakenAway(s *stage) {
	s.sweep(0)
	s.call("delete-trail", by(s.number, "aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail", "CloudTrail", map[string]any{
		"invokedBy": "cloudtrail.amazonaws.com",
	}), from("cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com"))
}

// overwritten is a policy that somebody wrote in the second of a repair, and that the repair replaced unseen.
func overwritten(s *stage) {
	s.optIn()
	theirs := policyOf(`{"Sid":"Readers","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:role/log-reader"},"Action":"s3:GetObject",` +
		`"Resource":"arn:aws:s3:::` + s.bucket + `/*"}`)
	var late []byte
	s.buckets.before = func() {
		late = s.event("put-bucket-policy", withPolicy(theirs))
		if err := s.Apply(late); err != nil {
			s.t.Error(err)
		}
	}
	s.call("delete-bucket-policy")
	s.deliver(late)
}

// fightOver is a person and a pipeline that keep undoing the repairs.
func fightOver(s *stage) {
	s.optIn()
	for i := range 4 {
		if i == 1 {
			s.call("put-bucket-policy-terraform", withPolicy(policyOf(onlyTLS(s.bucket))))
		} else {
			s.call("delete-bucket-policy")
		}
		s.pass(4 * time.Minute)
	}
}

// tellAs plays the story and returns the last alert in a format, and the account as it is then.
func (st story) tellAs(s *stage) alert.Message {
	s.t.Helper()
	st.play(s)
	messages := s.alerts.Messages()
	if len(messages) == 0 {
		s.t.Fatalf("%s: nothing was told", st.name)
	}
	last := messages[len(messages)-1]
	if kind := last.Attributes["kind"]; kind != string(st.kind) {
		s.t.Errorf("%s: the last alert is %q, want %q:\n%s", st.name, kind, st.kind, last.Body)
	}
	return last
}
