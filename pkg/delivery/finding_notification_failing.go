package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// NotificationFailingID is the id of the finding that CloudTrail cannot tell a trail's topic of
// its files. Files arrive all the same, so that it changes no verdict.
const NotificationFailingID = "notification-failing"

func notificationFailingType() FindingType {
	return FindingType{
		ID: NotificationFailingID, Title: "CloudTrail cannot tell the trail's topic of its files",
		Kind: Weakness, Severity: Medium, Source: SourceTopic, Loss: LossNone, Restored: RestoredNever,
		Causes:     slices.Concat(topicCalls(), keyPolicyCalls(), keyStateCalls(), trailCalls()),
		refusal:    refuseChain,
		findStatus: notificationReported,
	}
}

// notificationReported is what CloudTrail itself reports of a topic that was not looked at. It
// reports an error until a notification works: what the topic's policy says goes before.
func notificationReported(t TrailReport, s trail.Status) []Finding {
	if s.NotificationError == "" || t.Notification == Delivering || t.Notification == Blocked {
		return nil
	}
	return []Finding{{
		Trail: s.ARN, Target: trail.OfTopic,
		Message: fmt.Sprintf("CloudTrail itself reports %s of its notifications about trail %s.", s.NotificationError, s.ARN) + filesArrive,
		Remedy: "Let the topic's policy allow sns:Publish to " + trail.ServicePrincipal + ", and the policy of its key, if it is encrypted, " +
			"kms:GenerateDataKey* and kms:Decrypt: trailwarden required --target topic and --target topic-key print the statements.",
	}}
}

// filesArrive ends what is said of notifications.
const filesArrive = " Files are not concerned."

func (p *chainPart) notificationFailing() []Finding {
	if p.target != trail.OfTopic {
		return nil
	}
	if why := p.unusable(); why != "" {
		return p.forEach(func(t trail.Trail) Finding {
			return Finding{
				Message: fmt.Sprintf("CloudTrail cannot tell topic %s of the files of trail %s: key %s, with which the topic is encrypted, cannot be used: %s.",
					p.topic, trailName(t), p.key.ARN, why) + filesArrive,
				Remedy: "Give the topic a key whose policy lets CloudTrail use it: aws sns set-topic-attributes --topic-arn " + p.topic +
					" --attribute-name KmsMasterKeyId --attribute-value KEY-ARN.",
			}
		})
	}
	var out []Finding
	for _, t := range p.trails {
		for _, e := range p.evaluations[t.ARN] {
			if !denied(e.outcome) {
				continue
			}
			report := e.report()
			f := Finding{
				Trail: t.ARN, Statements: report.Statements, Remedy: p.addStatement(e),
				Message: fmt.Sprintf("CloudTrail cannot %s: %s", p.operation(t, e.ID), lowerFirst(report.Why)) + filesArrive,
			}
			if blocking := e.denying(p.doc, true); len(blocking) > 0 {
				x := p.exempt(e, blocking)
				f.Remedy, f.Edit = x.remedy(p.doc), x.edit()
				f.Statements = statementNames(p.doc, blocking)
			} else if label, ok := p.forLogFiles(e); ok {
				f.Statements = []string{label}
				f.Message = p.oneKeyForBoth(t, label)
			} else if len(report.Near) > 0 && len(f.Statements) == 0 {
				f.Statements = []string{report.Near[0].Label}
			}
			out = append(out, f)
		}
	}
	return out
}

// logFileContext is the pair of the encryption context that requests for log files have, and
// requests for a topic have not.
const logFileContext = "kms:encryptioncontext:aws:cloudtrail:arn"

// forLogFiles reports whether the statement that is nearest to let CloudTrail use the topic's
// key is one that is made for log files, and returns its label.
func (p *chainPart) forLogFiles(e *evaluation) (label string, ok bool) {
	if e.ID != trail.TopicKey {
		return "", false
	}
	for _, n := range e.near(p.doc) {
		asks := slices.ContainsFunc(p.doc.At(n.Index).Conditions, func(c policy.Condition) bool { return strings.ToLower(c.Key) == logFileContext })
		if asks {
			return n.Label, true
		}
	}
	return "", false
}

func (p *chainPart) oneKeyForBoth(t trail.Trail, label string) string {
	same := ""
	if trail.IsKey(t.KMSKeyID, p.key.ARN) {
		same = "One key serves the log files and the topic of the trail. "
	}
	return fmt.Sprintf("%sCloudTrail cannot tell topic %s of the files of trail %s: statement %s of key %s is made for log files. It asks for "+
		"kms:EncryptionContext:aws:cloudtrail:arn, which CloudTrail's requests for log files have and those for a topic have not, so that files "+
		"are encrypted and notifications are not.", same, p.topic, trailName(t), Shown(label), p.key.ARN) + filesArrive
}
