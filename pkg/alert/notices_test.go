package alert_test

import (
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	mainTrail = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"
	orgTrail  = "arn:aws:cloudtrail:eu-west-1:333333333333:trail/organization"
	alice     = "arn:aws:sts::111111111111:assumed-role/Developer/alice"
)

func at(minute int) time.Time {
	return time.Date(2026, time.September, 13, 17, minute, 37, 0, time.UTC)
}

// example is a named example that has a golden file for each format.
type example struct {
	name   string
	notice alert.Notice
}

func examples() []example {
	return []example{
		{"opened-policy-deleted", openedPolicyDeleted()},
		{"opened-denied", openedDenied()},
		{"opened-stopped-blind", openedStopped()},
		{"opened-undetermined", openedUndetermined()},
		{"opened-weakness", openedWeakness()},
		{"opened-held", openedHeld()},
		{"opened-trail-deleted", openedTrailDeleted()},
		{"opened-trail-deleted-organization", openedTrailDeletedByOrganization()},
		{"opened-shared-role", openedSharedRole()},
		{"changed", changed()},
		{"restored", restored()},
		{"restored-overwritten", restoredOverwritten()},
		{"restored-in-part", restoredInPart()},
		{"restore-failed", restoreFailed()},
		{"fight", fight()},
		{"resolved", resolved()},
		{"reminder", reminder()},
	}
}

func unmet(id trail.RequirementID, o policy.Outcome, why string, statements ...string) delivery.RequirementReport {
	return delivery.RequirementReport{ID: id, Action: "s3:PutObject", Decision: o, Why: why, Statements: statements}
}

func deleted() delivery.Change {
	return delivery.Change{
		Event: "DeleteBucketPolicy", Time: at(50), Actor: alice, SourceIP: "203.0.113.7",
		UserAgent: "aws-cli/2.31.3 md/awscrt#0.27.6 ua/2.1 os/linux#6.8", EventID: "5f0f4d3e-7a1c-4e53-9b0a-0d6f6f1f2a11",
		Account: "111111111111", Region: "us-east-1",
	}
}

func missing() []delivery.RequirementReport {
	const why = "The bucket has no policy."
	return []delivery.RequirementReport{
		unmet(trail.BucketACL, policy.ImplicitDeny, why),
		unmet(trail.LogFiles, policy.ImplicitDeny, why),
		unmet(trail.DigestFiles, policy.ImplicitDeny, why),
	}
}

func policyMissing() delivery.Report {
	return delivery.Report{
		Bucket: "logs-b", Verdict: delivery.Blocked,
		Trails: []delivery.TrailReport{
			{ARN: mainTrail, Verdict: delivery.Blocked, Requirements: missing()},
			{ARN: orgTrail, Verdict: delivery.Blocked, Requirements: append(missing(), unmet(trail.ManagementAccountFiles, policy.ImplicitDeny, "The bucket has no policy."))},
		},
		Findings: []delivery.Finding{{
			ID: "policy-missing", Kind: delivery.Outage, Severity: delivery.Critical,
			Message:    "The bucket has no policy, so CloudTrail may do nothing in it.",
			Remedy:     "Write the policy that AWS documents for the trails main and organization.",
			Restorable: true,
		}},
	}
}

func healthy() delivery.Report {
	return delivery.Report{Bucket: "logs-b", Verdict: delivery.Delivering, Trails: []delivery.TrailReport{
		{ARN: mainTrail, Verdict: delivery.Delivering},
		{ARN: orgTrail, Verdict: delivery.Delivering, Requirements: []delivery.RequirementReport{unmet(trail.ManagementAccountFiles, policy.Allowed, "")}},
	}}
}

func documentedPlan() repair.Plan {
	return repair.Plan{
		Changed: true,
		Policy:  []byte(`{"Version":"2012-10-17","Statement":[{"Sid":"AWSCloudTrailAclCheck20131101","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs-b"}]}`),
		Diff: `--- the policy as it is
+++ the policy restored
@@ -0,0 +1,14 @@
+{
+  "Version": "2012-10-17",
+  "Statement": [
+    {
+      "Sid": "AWSCloudTrailAclCheck20131101",
+      "Effect": "Allow",
+      "Principal": {
+        "Service": "cloudtrail.amazonaws.com"
+      },
+      "Action": "s3:GetBucketAcl",
+      "Resource": "arn:aws:s3:::logs-b"
+    }
+  ]
+}
`,
		Changes: []repair.Change{
			{Action: "add", Statement: "AWSCloudTrailAclCheck20131101", Reason: "no statement lets CloudTrail read the bucket's access control list"},
			{Action: "add", Statement: "AWSCloudTrailWrite20131101", Reason: "no statement lets CloudTrail write the log files of 2 trails"},
		},
	}
}

func openedPolicyDeleted() alert.Notice {
	return alert.Notice{
		Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(51), Since: at(50),
		Report: policyMissing(), Changes: []delivery.Change{deleted()}, Plan: documentedPlan(),
		Statuses: []trail.Status{
			{ARN: mainTrail, Logging: true, DeliveredAt: at(48)},
			{ARN: orgTrail, Logging: true, DeliveredAt: at(46), DeliveryError: "AccessDenied"},
		},
	}
}

func denyEdit() string {
	return `{
  "Sid": "OnlyFromVpce",
  "Effect": "Deny",
  "Principal": "*",
  "Action": "s3:*",
  "Resource": [
    "arn:aws:s3:::logs-b",
    "arn:aws:s3:::logs-b/*"
  ],
  "Condition": {
    "StringNotEquals": {
      "aws:SourceVpce": "vpce-0a1b2c3d"
    },
    "StringNotEqualsIfExists": {
      "aws:PrincipalServiceName": "cloudtrail.amazonaws.com"
    }
  }
}`
}

func denied() delivery.Report {
	const why = "The statement OnlyFromVpce denies it: CloudTrail does not come through a VPC endpoint."
	return delivery.Report{
		Bucket: "logs-b", Verdict: delivery.Blocked,
		Trails: []delivery.TrailReport{
			{ARN: orgTrail, Verdict: delivery.Delivering},
			{ARN: mainTrail, Verdict: delivery.Blocked, Requirements: []delivery.RequirementReport{
				unmet(trail.BucketACL, policy.ExplicitDeny, why, "OnlyFromVpce"),
				unmet(trail.LogFiles, policy.ExplicitDeny, why, "OnlyFromVpce"),
				unmet(trail.DigestFiles, policy.ImplicitDeny, "No statement allows it."),
			}},
		},
		Findings: []delivery.Finding{
			{
				ID: "bucket-acl-denied", Kind: delivery.Outage, Severity: delivery.High, Trail: mainTrail, Statements: []string{"OnlyFromVpce"},
				Message: why, Remedy: "Exempt CloudTrail from the statement OnlyFromVpce.", Edit: denyEdit(),
			},
			{
				ID: "log-files-denied", Kind: delivery.Outage, Severity: delivery.Critical, Trail: mainTrail, Statements: []string{"OnlyFromVpce"},
				Message: why, Remedy: "Exempt CloudTrail from the statement OnlyFromVpce.", Edit: denyEdit(),
			},
		},
	}
}

func openedDenied() alert.Notice {
	put := deleted()
	put.Event, put.Actor = "PutBucketPolicy", "arn:aws:iam::111111111111:user/ops/bob"
	failed := deleted()
	failed.ErrorCode = "AccessDenied"
	return alert.Notice{
		Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(55), Since: at(50), OptedIn: true,
		Report: denied(), Changes: []delivery.Change{failed, put},
		Plan: repair.Plan{Refused: []repair.Refusal{
			{Finding: "log-files-denied", Trail: mainTrail, Reason: "The statement OnlyFromVpce denies it, and a Deny is never edited.", Edit: denyEdit()},
			{Finding: "bucket-acl-denied", Trail: mainTrail, Reason: "The statement OnlyFromVpce denies it, and a Deny is never edited.", Edit: denyEdit()},
		}},
	}
}

func openedStopped() alert.Notice {
	r := healthy()
	r.Verdict, r.Trails[0].Verdict = delivery.Blocked, delivery.Blocked
	r.Findings = []delivery.Finding{{
		ID: "trail-stopped", Kind: delivery.Outage, Severity: delivery.Critical, Trail: mainTrail,
		Message: "Logging of the trail main is stopped.", Remedy: "Start logging again.",
	}}
	c := deleted()
	c.Event, c.Trail = "StopLogging", mainTrail
	return alert.Notice{
		Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(51), Since: at(50), Report: r,
		Changes: []delivery.Change{c}, Blind: true,
		Statuses: []trail.Status{{ARN: mainTrail, StoppedLoggingAt: at(50), DeliveredAt: at(49)}},
	}
}

func openedUndetermined() alert.Notice {
	const why = "It hangs on aws:SourceOrgID, of which it is not documented whether CloudTrail sends it here."
	return alert.Notice{
		Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(51),
		Report: delivery.Report{
			Bucket: "logs-b", Verdict: delivery.Undetermined,
			Trails: []delivery.TrailReport{{ARN: mainTrail, Verdict: delivery.Undetermined, Requirements: []delivery.RequirementReport{
				unmet(trail.BucketACL, policy.Undetermined, why, "OrganizationOnly"),
			}}},
			Findings: []delivery.Finding{{
				ID: "bucket-acl-undetermined", Kind: delivery.Unknown, Severity: delivery.Medium, Trail: mainTrail,
				Statements: []string{"OrganizationOnly"}, Message: why,
				Remedy: "Take aws:SourceOrgID out of the statement that grants s3:GetBucketAcl.",
			}},
		},
	}
}

func openedWeakness() alert.Notice {
	r := healthy()
	r.Findings = []delivery.Finding{{
		ID: "source-arn-missing", Kind: delivery.Weakness, Severity: delivery.Medium, Statements: []string{"#1"},
		Message: "Any trail of any account may write here, because neither aws:SourceArn nor aws:SourceAccount is asked for.",
		Remedy:  "Bind the grant to the ARNs of the trails.",
	}}
	return alert.Notice{Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(51), Report: r}
}

func openedHeld() alert.Notice {
	s := openedPolicyDeleted()
	s.OptedIn = true
	s.Stack = alert.Stack{Account: "111111111111", Region: "us-east-1", Table: "trailwarden-Table-1J8XK2M4N6P8Q"}
	s.Held = "alice put the former policy back at 17:49 UTC; repairs go on when the policy changes again."
	return s
}

func openedTrailDeleted() alert.Notice {
	c := deleted()
	c.Event, c.Trail = "DeleteTrail", "main"
	return alert.Notice{
		Kind: alert.Opened, Account: "111111111111", Region: "us-east-1", At: at(51), Since: at(50),
		Report: delivery.Report{Bucket: mainTrail, Verdict: delivery.Delivering, Findings: []delivery.Finding{{
			ID: "trail-deleted", Kind: delivery.Outage, Severity: delivery.Critical, Trail: mainTrail,
			Message: "The trail main is gone.", Remedy: "Create the trail again, if it was not deleted on purpose.",
		}}},
		Changes: []delivery.Change{c},
	}
}

func openedTrailDeletedByOrganization() alert.Notice {
	n := openedTrailDeleted()
	n.Report.Bucket, n.Report.Findings[0].Trail = orgTrail, orgTrail
	n.Report.Findings[0].Message = "The trail organization is gone."
	c := &n.Changes[0]
	c.Trail, c.SourceIP, c.UserAgent = "organization", "cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com"
	c.Actor = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForCloudTrail/CloudTrail"
	c.LinkedService = "cloudtrail.amazonaws.com"
	left := deleted()
	left.Event, left.Time, left.Target = "DisableAWSServiceAccess", at(49), "cloudtrail.amazonaws.com"
	n.Changes = append(n.Changes, left)
	return n
}

func openedSharedRole() alert.Notice {
	n := openedPolicyDeleted()
	c := &n.Changes[0]
	c.Actor = "arn:aws:sts::111111111111:assumed-role/Shared-Admin/botocore-session-1750000000"
	c.Via, c.OnBehalfOf = "cloudformation.amazonaws.com", "dana@acme.example"
	return n
}

func changed() alert.Notice {
	s := openedDenied()
	s.Kind, s.Notes = alert.Changed, []string{"Before this, the policy was missing."}
	return s
}

func restored() alert.Notice {
	s := openedPolicyDeleted()
	before := s.Report
	s.Kind, s.OptedIn, s.Before, s.Report, s.Repairs, s.Window = alert.Restored, true, &before, healthy(), 1, time.Hour
	return s
}

func restoredOverwritten() alert.Notice {
	s := restored()
	s.Overwritten = []byte(`{"Version":"2012-10-17","Statement":{"Sid":"Readers","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs-b/*"}}`)
	return s
}

func restoredInPart() alert.Notice {
	s := restored()
	s.Report = denied()
	s.Plan.Refused = openedDenied().Plan.Refused
	return s
}

func restoreFailed() alert.Notice {
	s := openedPolicyDeleted()
	s.Kind, s.OptedIn = alert.RestoreFailed, true
	s.Failure = "s3:PutBucketPolicy: denied: a service control policy does not let the role write the policy."
	return s
}

func fight() alert.Notice {
	s := openedPolicyDeleted()
	s.Kind, s.OptedIn, s.Repairs, s.Window = alert.BudgetExhausted, true, 3, time.Hour
	for i := range 3 {
		c := deleted()
		c.Time = at(40 - i)
		if i == 1 {
			c.Event, c.Actor, c.SourceIP = "PutBucketPolicy", "arn:aws:sts::111111111111:assumed-role/Terraform/pipeline", "cloudformation.amazonaws.com"
		}
		s.Changes = append(s.Changes, c)
	}
	return s
}

func resolved() alert.Notice {
	s := restored()
	s.Kind, s.Plan = alert.Resolved, repair.Plan{}
	s.Changes[0].Event = "PutBucketPolicy"
	return s
}

func reminder() alert.Notice {
	s := openedPolicyDeleted()
	s.Kind, s.At = alert.Reminder, at(50).Add(26*time.Hour)
	return s
}
