package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// KeyDeniedFamily are the findings that the policy of a trail's key refuses CloudTrail a
// requirement. Without kms:GenerateDataKey no file arrives; without the others files do.
//
// No plan edits the policy of a key or topic: a mistake in the policy of a key can lock
// everybody out.
const KeyDeniedFamily = "key-denied"

func keyEncryptDeniedType() FindingType {
	t := ofKey(deniedType(trail.KeyEncrypt))
	t.Title = "The policy of the trail's KMS key does not let CloudTrail encrypt"
	t.Severity, t.Loss = Critical, LossLogFiles
	return t
}

func keyDescribeDeniedType() FindingType {
	t := ofKey(deniedType(trail.KeyDescribe))
	t.Title = "The policy of the trail's KMS key lacks kms:DescribeKey for CloudTrail"
	t.Kind, t.Severity, t.Loss = Weakness, Low, LossNone
	return t
}

func keyDecryptDeniedType() FindingType {
	t := ofKey(deniedType(trail.KeyDecrypt))
	t.Title = "The policy of the trail's KMS key lacks kms:Decrypt for CloudTrail, and the bucket uses S3 Bucket Keys"
	t.Kind, t.Severity, t.Loss = Weakness, Medium, LossNone
	return t
}

func ofKey(t FindingType) FindingType {
	t.Family, t.Source, t.Restored = KeyDeniedFamily, SourceKey, RestoredNever
	t.Causes = append(keyPolicyCalls(), trailCalls()...)
	t.refusal, t.find = refuseChain, nil
	return t
}

// refuseChain says why no plan edits the policy of a key or topic.
func refuseChain(f Finding) string {
	return "The policy of a key or topic is never edited automatically. " + f.Remedy
}

// addStatement is the remedy where no statement of a key's or topic's policy allows it.
func (p *chainPart) addStatement(e *evaluation) string {
	return fmt.Sprintf("Allow %s to %s in the policy of %s: trailwarden plan prints the statement, trailwarden required those that AWS documents.",
		e.action(), trail.ServicePrincipal, p.subject())
}

// consequence says what it means that a requirement of a key is not met, where it is no outage.
func consequence(id trail.RequirementID) string {
	switch id {
	case trail.KeyDescribe:
		return " AWS asks for it, though trails were made without it."
	case trail.KeyDecrypt:
		return " With S3 Bucket Keys the trail cannot be made or changed then; whether files still arrive is not documented."
	default:
		return ""
	}
}
