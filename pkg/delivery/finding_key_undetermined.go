package delivery

import "github.com/trailwarden/trailwarden/pkg/trail"

// KeyUndeterminedFamily is the finding that it is not certain whether the policy of a trail's
// key lets CloudTrail encrypt. Whether it allows what is only asked for when a trail is made
// is no finding where it is not certain.
const KeyUndeterminedFamily = "key-undetermined"

func keyEncryptUndeterminedType() FindingType {
	t := ofKey(undeterminedType(trail.KeyEncrypt))
	t.Family = KeyUndeterminedFamily
	t.Title = "It is not certain that the policy of the trail's KMS key lets CloudTrail encrypt"
	return t
}
