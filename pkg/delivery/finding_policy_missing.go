package delivery

import "fmt"

// PolicyMissingID is the id of the finding that the bucket has no policy.
const PolicyMissingID = "policy-missing"

func policyMissingType() FindingType {
	return FindingType{
		ID: PolicyMissingID, Title: "The bucket has no policy",
		Kind: Outage, Severity: Critical, Source: SourceBucket, Loss: LossLogFiles, Restored: RestoredAlways,
		Causes: []string{"DeleteBucketPolicy", "DeleteBucket", "CreateBucket", "CreateTrail", "UpdateTrail"},
		find:   (*judgement).policyMissing,
	}
}

func (j *judgement) policyMissing() []Finding {
	if j.bucket.State != PolicyMissing {
		return nil
	}
	return []Finding{{
		Message: fmt.Sprintf("Bucket %s has no policy, so CloudTrail cannot deliver for %s.", j.bucket.Name, j.names()),
		Remedy:  "Attach the policy that AWS documents: trailwarden required prints it, trailwarden plan shows the change.",
	}}
}
