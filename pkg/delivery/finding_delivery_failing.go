package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// DeliveryFailingID is the id of the finding that CloudTrail itself reports an
// error of its last delivery.
const DeliveryFailingID = "delivery-failing"

func deliveryFailingType() FindingType {
	return FindingType{
		ID: DeliveryFailingID, Title: "CloudTrail itself reports that delivery fails",
		Kind: Outage, Severity: Critical, Source: SourceStatus, Loss: LossLogFiles, Restored: RestoredNever, Symptom: true,
		Causes: trailCalls(),
		refusal: func(f Finding) string {
			return "There is nothing in the policy to restore: CloudTrail itself reports the failure. " + f.Remedy
		},
		findStatus: deliveryFailing,
	}
}

func deliveryFailing(t TrailReport, s trail.Status) []Finding {
	if s.DeliveryError == "" && s.DigestError == "" {
		return nil
	}
	var codes []string
	if s.DeliveryError != "" {
		codes = append(codes, s.DeliveryError+" for log files")
	}
	if s.DigestError != "" {
		codes = append(codes, s.DigestError+" for digest files")
	}
	cause, remedy := causes(cmp.Or(s.DeliveryError, s.DigestError), t)
	return []Finding{{
		Trail:   s.ARN,
		Message: fmt.Sprintf("CloudTrail itself reports %s of trail %s%s: %s.", list(codes), s.ARN, lastDelivery(s), cause),
		Remedy:  remedy,
	}}
}

// causes are the likely causes of an error code of S3 or KMS, set beside what
// the policy says.
// Source: the API reference of CloudTrail, GetTrailStatus, LatestDeliveryError.
func causes(code string, t TrailReport) (cause, remedy string) {
	switch {
	case strings.HasPrefix(code, "KMS"):
		return "the trail's KMS key refuses CloudTrail, or is disabled or deleted",
			"Enable the trail's KMS key and let its key policy allow kms:GenerateDataKey* and kms:DescribeKey to " + trail.ServicePrincipal + "."
	case code == "NoSuchBucket":
		return "the bucket does not exist",
			"Create the bucket again in the account that owned it, or give the trail another bucket."
	case code == "AccessDenied" && policyDenies(t):
		return "the bucket's policy denies it as well", "Mend the policy as the other findings say; CloudTrail then delivers within minutes."
	case code == "AccessDenied":
		return "the bucket's policy does not explain it, so the cause is likely the policy of the KMS key, " +
				"a resource control policy of the organization, or a bucket of another owner",
			"Check the policy of the trail's KMS key, the organization's resource control policies, and who owns the bucket; " +
				"if the policy was mended minutes ago, wait for the next delivery."
	default:
		return "S3 refuses it for a reason outside the bucket's policy",
			"Look up the error code among the errors of Amazon S3 and AWS KMS; check the bucket, the trail's KMS key " +
				"and the organization's resource control policies."
	}
}

func policyDenies(t TrailReport) bool {
	return slices.ContainsFunc(t.Requirements, func(r RequirementReport) bool { return denied(r.Decision) })
}

func lastDelivery(s trail.Status) string {
	if s.DeliveredAt.IsZero() {
		return ", and no delivery is known to have worked"
	}
	return ", and the last delivery was at " + s.DeliveredAt.UTC().Format(time.RFC3339)
}
