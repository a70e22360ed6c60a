package delivery

import (
	"fmt"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// NotificationUndeterminedID is the id of the finding that it is not certain whether CloudTrail
// can tell a trail's topic of its files.
const NotificationUndeterminedID = "notification-undetermined"

func notificationUndeterminedType() FindingType {
	return FindingType{
		ID: NotificationUndeterminedID, Title: "It is not certain that CloudTrail can tell the trail's topic of its files",
		Kind: Unknown, Severity: Low, Source: SourceTopic, Loss: LossNone, Restored: RestoredNever,
		Causes:  slices.Concat(topicCalls(), keyPolicyCalls(), trailCalls()),
		refusal: refuseChain,
	}
}

func (p *chainPart) notificationUndetermined() []Finding {
	if p.target != trail.OfTopic {
		return nil
	}
	if p.unusable() != "" {
		return nil
	}
	if p.doc == nil && p.unread != "" {
		return p.forEach(func(t trail.Trail) Finding {
			return Finding{
				Message: fmt.Sprintf("Whether CloudTrail can tell topic %s of the files of trail %s is not known, since %s could not be read%s.",
					p.topic, trailName(t), p.subject(), because(p.unread)),
				Remedy: "Let the reading role call sns:GetTopicAttributes, and kms:DescribeKey and kms:GetKeyPolicy where the topic is encrypted.",
			}
		})
	}
	var out []Finding
	for _, t := range p.trails {
		for _, e := range p.evaluations[t.ARN] {
			if e.outcome == policy.Allowed || denied(e.outcome) {
				continue
			}
			report := e.report()
			f := Finding{
				Trail: t.ARN, Statements: report.Statements,
				Message: fmt.Sprintf("Whether CloudTrail can %s is not certain: %s", p.operation(t, e.ID), lowerFirst(report.Why)),
			}
			f.Remedy, f.Edit = p.clarify(e)
			out = append(out, f)
		}
	}
	return out
}
