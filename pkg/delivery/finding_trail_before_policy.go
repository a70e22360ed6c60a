package delivery

import "fmt"

// TrailBeforePolicyID is the id of the finding that a trail may be made before the
// policy of its bucket or topic.
const TrailBeforePolicyID = "trail-before-policy"

func trailBeforePolicyType() FindingType {
	return FindingType{
		ID: TrailBeforePolicyID, Title: "The trail may be made before the policy that it needs",
		Kind: Weakness, Severity: Low, Source: SourceTrails, Loss: LossNone, Restored: RestoredNever, OfPlan: true,
	}
}

// TrailBeforePolicy is the finding that nothing makes a trail, which is the resource of
// that name, wait for the resource of the policy. [Judge] does not make it.
func TrailBeforePolicy(arn, trail, policy string) Finding {
	return trailBeforePolicyType().complete(Finding{
		Trail: arn,
		Message: fmt.Sprintf("Nothing makes %s wait for %s, so the change may make the trail first, and CloudTrail refuses a trail "+
			"whose bucket or topic does not admit it.", trail, policy),
		Remedy: fmt.Sprintf("Let %s depend on %s (depends_on, DependsOn).", trail, policy),
	})
}
