package cli

import (
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// needMeaning says what CloudTrail needs by a requirement, in a sentence.
func needMeaning(id trail.RequirementID) string {
	switch id {
	case trail.BucketACL:
		return "CloudTrail reads the bucket's access control list (s3:GetBucketAcl). A trail cannot be made or changed without it."
	case trail.LogFiles:
		return "CloudTrail writes the log files: the record of who did what."
	case trail.DigestFiles:
		return "CloudTrail writes digest files, which prove that log files were not changed. Asked for with log file validation."
	case trail.InsightsFiles:
		return "CloudTrail writes the events of CloudTrail Insights: unusual rates of calls and errors."
	case trail.NetworkActivityFiles:
		return "CloudTrail writes network activity events, of calls through VPC endpoints."
	case trail.AggregatedFiles:
		return "CloudTrail writes aggregated events."
	case trail.ManagementAccountFiles:
		return "CloudTrail writes into the management account's own folder when an organization trail is made or changed."
	case trail.PreflightMarker:
		return "CloudTrail writes an empty marker when a trail is made or changed. If it cannot, that change fails; delivery goes on."
	case trail.KeyEncrypt:
		return "S3 encrypts the files for CloudTrail with the trail's KMS key (kms:GenerateDataKey). Without it no file is delivered."
	case trail.KeyDescribe:
		return "CloudTrail looks at the trail's KMS key when a trail is made or changed (kms:DescribeKey). AWS asks for it; files arrive without it."
	case trail.KeyDecrypt:
		return "CloudTrail asks for it when a trail is made or changed whose bucket uses S3 Bucket Keys (kms:Decrypt)."
	case trail.TopicPublish:
		return "CloudTrail tells the trail's topic of its files (sns:Publish). Files arrive without it."
	case trail.TopicKey:
		return "CloudTrail uses the key with which the topic is encrypted (kms:GenerateDataKey, kms:Decrypt)."
	}
	return "CloudTrail needs it."
}

// decisionMeaning says what a decision on a requirement means, in a sentence.
func decisionMeaning(o policy.Outcome) string {
	switch o {
	case policy.Allowed:
		return "A statement allows it, and none denies it."
	case policy.ExplicitDeny:
		return "A Deny hits CloudTrail. It counts more than any Allow."
	case policy.ImplicitDeny:
		return "No statement of the policy allows it."
	case policy.Undetermined:
		return "It depends on something that is not known. It is never taken as allowed."
	case policy.Invalid:
		return "S3 would refuse the policy."
	}
	return "It is not known."
}
