package e2e

import (
	"slices"
	"testing"
)

// A resource control policy that is attached to the account of the central bucket stops all trails
// that deliver there, though the bucket's policy is right. The next sweep tells it once, an event of the
// bucket finds it still so, and the sweep after it is detached tells that it is over.
func TestResourceControlPolicy(t *testing.T) {
	z := deployHub(t, 4)
	archive, owners := z.members[3], z.members[:3]
	createBucketIn(t, archive, bucket)
	putPolicy(t, bucket, centralPolicyOf(owners))
	for _, id := range owners {
		createTrailIn(t, id)
	}
	z.forwards(archive)
	organizations := func(operation string, in object) []byte {
		t.Helper()
		return askIn(t, managementAccount, "organizations", operation, in)
	}
	var roots struct{ Roots []struct{ ID string } }
	decode(t, organizations("ListRoots", object{}), &roots)
	organizations("EnablePolicyType", object{"RootId": roots.Roots[0].ID, "PolicyType": "RESOURCE_CONTROL_POLICY"})
	z.sweepsAll()
	z.told("opened") // the hub's account has no trail
	var made struct {
		Policy struct{ PolicySummary struct{ ID string } }
	}
	decode(t, organizations("CreatePolicy", object{
		"Name": "Perimeter", "Description": "of another organization", "Type": "RESOURCE_CONTROL_POLICY",
		"Content": `{"Version":"2012-10-17","Statement":[{"Sid":"EnforceConfusedDeputyProtection","Effect":"Deny","Principal":"*",` +
			`"Action":["s3:*","kms:*","sqs:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-exampleorg2"},` +
			`"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}]}`,
	}), &made)
	id := made.Policy.PolicySummary.ID
	z.sweepsAll()
	z.told() // it is attached to nothing

	organizations("AttachPolicy", object{"PolicyId": id, "TargetId": archive})
	z.sweepsAll()
	opened := z.told("opened")[0]
	opened.says(t, slices.Concat(owners, []string{"rcp:" + id + "/EnforceConfusedDeputyProtection", "Perimeter (" + id + ")", "--target-id " + archive})...)
	z.happensIn(archive, "put-bucket-policy")
	z.told()
	z.sweepsAll()
	z.told()

	organizations("DetachPolicy", object{"PolicyId": id, "TargetId": archive})
	z.sweepsAll()
	z.told("resolved")
}
