package delivery

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// KeyUnusableID is the id of the finding that a trail's KMS key cannot encrypt, whatever
// its policy says.
const KeyUnusableID = "key-unusable"

func keyUnusableType() FindingType {
	return FindingType{
		ID: KeyUnusableID, Title: "The trail's KMS key cannot encrypt",
		Kind: Outage, Severity: Critical, Source: SourceKey, Loss: LossLogFiles, Restored: RestoredNever,
		Causes:  append(keyStateCalls(), trailCalls()...),
		refusal: func(f Finding) string { return "The state of a key is never changed automatically. " + f.Remedy },
	}
}

func (p *chainPart) keyUnusable() []Finding {
	why := p.unusable()
	if why == "" || p.target != trail.OfKey {
		return nil
	}
	return p.forEach(func(t trail.Trail) Finding {
		return Finding{
			Message: fmt.Sprintf("Key %s, with which the files of trail %s are encrypted, cannot be used: %s.", p.key.ARN, trailName(t), why),
			Remedy: fmt.Sprintf("Enable the key (aws kms enable-key; aws kms cancel-key-deletion where it waits for deletion), "+
				"or give the trail a symmetric key in the bucket's region: aws cloudtrail update-trail --name %s --kms-key-id KEY-ARN.", t.ARN),
		}
	})
}

// forEach is the finding for each of the trails.
func (p *chainPart) forEach(say func(trail.Trail) Finding) []Finding {
	var out []Finding
	for _, t := range p.trails {
		f := say(t)
		f.Trail = t.ARN
		out = append(out, f)
	}
	return out
}
