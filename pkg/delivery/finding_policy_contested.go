package delivery

import "fmt"

// PolicyContestedID is the id of the finding that more than one resource sets the
// policy of a bucket.
const PolicyContestedID = "policy-contested"

func policyContestedType() FindingType {
	return FindingType{
		ID: PolicyContestedID, Title: "More than one resource sets the bucket's policy",
		Kind: Unknown, Severity: High, Source: SourceBucket, Loss: LossNone, Restored: RestoredNever, OfPlan: true,
		refusal: func(Finding) string {
			return "Which of the policies stands is not for a plan to say: let one resource set it."
		},
	}
}

// PolicyContested is the finding that resources set the policy of a bucket against each
// other: a bucket has one policy, and the last write stands. [Judge] does not
// make it. Resources are at least two.
func PolicyContested(bucket string, resources []string) Finding {
	return policyContestedType().complete(Finding{
		Message: fmt.Sprintf("%s set or remove the policy of %s. A bucket has one policy: what is written last stands, "+
			"and which that is can differ from one change to the next.", list(resources), bucket),
		Remedy: "Let one resource set the policy, with the statements of all. " +
			"Where a resource only got another address, say so with a moved block.",
	})
}
