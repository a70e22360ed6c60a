package delivery

import "fmt"

// PolicyUnreadableID is the id of the finding that the policy could not be read.
const PolicyUnreadableID = "policy-unreadable"

func policyUnreadableType() FindingType {
	return FindingType{
		ID: PolicyUnreadableID, Title: "The bucket's policy could not be read",
		Kind: Unknown, Severity: High, Source: SourceBucket, Loss: LossNone, Restored: RestoredNever,
		Causes: policyCalls(),
		refusal: func(f Finding) string {
			return "The policy could not be read, and what is not known is not overwritten. " + f.Message
		},
		find: (*judgement).policyUnreadable,
	}
}

func (j *judgement) policyUnreadable() []Finding {
	if !j.unreadable() {
		return nil
	}
	remedy := "Allow s3:GetBucketPolicy on the bucket to the role that judges it, then judge again."
	if j.bucket.Unanswered {
		remedy = "S3 is asked again by itself. If this lasts, look whether S3 has trouble in the bucket's region."
	}
	return []Finding{{
		Message: fmt.Sprintf("The policy of bucket %s could not be read%s, so it is not known whether CloudTrail can deliver for %s.",
			j.bucket.Name, because(j.bucket.Reason), j.names()),
		Remedy: remedy,
	}}
}
