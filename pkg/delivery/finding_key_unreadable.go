package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// KeyUnreadableID is the id of the finding that a trail's KMS key, or its policy, could not
// be read.
const KeyUnreadableID = "key-unreadable"

func keyUnreadableType() FindingType {
	return FindingType{
		ID: KeyUnreadableID, Title: "The trail's KMS key could not be read",
		Kind: Unknown, Severity: Medium, Source: SourceKey, Loss: LossNone, Restored: RestoredNever,
		Causes:  append(keyPolicyCalls(), trailCalls()...),
		refusal: refuseChain,
	}
}

func (p *chainPart) keyUnreadable() []Finding {
	if p.target != trail.OfKey || p.doc != nil || p.unread == "" || p.unusable() != "" {
		return nil
	}
	return p.forEach(func(t trail.Trail) Finding {
		return Finding{
			Message: fmt.Sprintf("Whether CloudTrail can encrypt the files of trail %s with key %s is not known, since the key could not be read%s.",
				trailName(t), p.key.ARN, because(p.unread)),
			Remedy: "Let the reading role call kms:DescribeKey and kms:GetKeyPolicy, in the key's account too. " +
				"Until then look at what CloudTrail itself reports: aws cloudtrail get-trail-status --name " + t.ARN + ".",
		}
	})
}
