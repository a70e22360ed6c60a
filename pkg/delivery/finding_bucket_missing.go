package delivery

import "fmt"

// BucketMissingID is the id of the finding that there is no such bucket.
const BucketMissingID = "bucket-missing"

func bucketMissingType() FindingType {
	return FindingType{
		ID: BucketMissingID, Title: "The trail's bucket does not exist",
		Kind: Outage, Severity: Critical, Source: SourceBucket, Loss: LossLogFiles, Restored: RestoredNever,
		Causes: append(trailCalls(), "DeleteBucket"),
		refusal: func(Finding) string {
			return "There is no such bucket, and a bucket that takes its name might be anybody's: nothing is written."
		},
		find: (*judgement).bucketMissing,
	}
}

func (j *judgement) bucketMissing() []Finding {
	if j.bucket.State != BucketMissing {
		return nil
	}
	return []Finding{{
		Message: fmt.Sprintf("There is no bucket %s, so CloudTrail cannot deliver for %s%s.", j.bucket.Name, j.names(), because(j.bucket.Reason)),
		Remedy:  "Create the bucket again in the account that owned it, before someone else takes its name, or give the trails another bucket.",
	}}
}
