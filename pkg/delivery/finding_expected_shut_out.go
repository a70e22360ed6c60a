package delivery

import "fmt"

// ExpectedShutOutID is the id of the finding that somebody is let in no more of
// whom deliveries are expected.
const ExpectedShutOutID = "expected-shut-out"

func expectedShutOutType() FindingType {
	return FindingType{
		ID: ExpectedShutOutID, Title: "CloudTrail is let in no more for somebody who was expected to deliver",
		Kind: Unknown, Severity: High, Source: SourceBucket, Loss: LossNone, Restored: RestoredNever,
		Causes: policyCalls(),
		refusal: func(f Finding) string {
			return "A grant is restored for trails that are known only. " + f.Remedy
		},
		find: (*judgement).expectedShutOut, findUnused: (*judgement).expectedShutOut,
	}
}

// expectedShutOut is also found where the policy cannot be read: what is not known
// is not fine. A bucket whose trails are known says that by itself.
func (j *judgement) expectedShutOut() []Finding {
	unknown := j.unreadable() && len(j.trails) == 0
	nothing := j.bucket.State == PolicyMissing || j.bucket.State == BucketMissing || j.bucket.State == OtherOwner
	var out []Grantee
	for i, g := range j.bucket.Expected {
		if unknown || nothing || len(j.expected) > 0 && denied(j.expected[i].outcome) {
			out = append(out, g)
		}
	}
	if len(out) == 0 {
		return nil
	}
	message := fmt.Sprintf("Bucket %s does not let CloudTrail write any more for %s. No such trail is known; a grant in its policy has named %s.",
		j.bucket.Name, briefly(out), themOf(len(out)))
	if unknown {
		message = fmt.Sprintf("The policy of bucket %s could not be read%s, so it is not known whether CloudTrail can write for %s, "+
			"whom a grant in it has named.", j.bucket.Name, because(j.bucket.Reason), briefly(out))
	}
	return []Finding{{
		Message: message,
		Remedy:  "Ask the owners whether their trails deliver there. If so, put the grant back and declare the trails; if not, nothing is to be done.",
	}}
}

func themOf(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
