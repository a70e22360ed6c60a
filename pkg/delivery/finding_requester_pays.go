package delivery

import "fmt"

// RequesterPaysID is the id of the finding that the requester pays for requests
// to the bucket.
const RequesterPaysID = "requester-pays"

func requesterPaysType() FindingType {
	return FindingType{
		ID: RequesterPaysID, Title: "The bucket makes the requester pay, which CloudTrail does not",
		Kind: Outage, Severity: High, Source: SourceBucket, Loss: LossLogFiles, Restored: RestoredAlways,
		Causes: append(trailCalls(), "PutBucketRequestPayment"),
		find:   (*judgement).requesterPays,
	}
}

func (j *judgement) requesterPays() []Finding {
	if j.bucket.Payer != PayerRequester {
		return nil
	}
	return []Finding{{
		Message: fmt.Sprintf("Bucket %s lets the requester pay, and CloudTrail does not deliver to such a bucket (%s).",
			j.bucket.Name, j.names()),
		Remedy: fmt.Sprintf("Set the payer back: "+
			"aws s3api put-bucket-request-payment --bucket %s --request-payment-configuration Payer=BucketOwner.",
			j.bucket.Name),
	}}
}
