package delivery

import (
	"cmp"
	"fmt"
)

// BucketOwnerChangedID is the id of the finding that the bucket belongs to
// another account than expected.
const BucketOwnerChangedID = "bucket-owner-changed"

func bucketOwnerChangedType() FindingType {
	return FindingType{
		ID: BucketOwnerChangedID, Title: "The bucket belongs to another account than expected",
		Kind: Outage, Severity: Critical, Source: SourceBucket, Loss: LossLogFiles, Restored: RestoredNever,
		Causes: append(trailCalls(), "DeleteBucket", "CreateBucket"),
		refusal: func(Finding) string {
			return "The bucket belongs to another account than expected: nothing is written to it."
		},
		find: (*judgement).bucketOwnerChanged,
	}
}

func (j *judgement) bucketOwnerChanged() []Finding {
	if j.bucket.State != OtherOwner {
		return nil
	}
	return []Finding{{
		Message: fmt.Sprintf("Bucket %s does not belong to account %s%s, so the files of %s would go to someone else.",
			j.bucket.Name, cmp.Or(j.environment.BucketOwner, "that is expected"), because(j.bucket.Reason), j.names()),
		Remedy: "If it is a bucket of another account of yours, a log archive for example, " +
			"declare its owner (BucketOwners, or audit --bucket-owners). " +
			"If not, give the trails a bucket that you own: aws cloudtrail update-trail --name TRAIL --s3-bucket-name BUCKET.",
	}}
}
