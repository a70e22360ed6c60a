package alert_test

import (
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// chainStories are of keys and topics of trails.
func chainStories() []story {
	return []story{
		{"opened-key-disabled", alert.Opened, func(s *stage) {
			s.seal()
			s.setKey("Disabled", s.keyPolicy())
			s.deliver(s.event("disable-key", ofKey(s.trail.KMSKeyID)))
		}, false},
		{"resolved-key-disabled", alert.Resolved, func(s *stage) {
			s.seal()
			s.setKey("Disabled", s.keyPolicy())
			s.deliver(s.event("disable-key", ofKey(s.trail.KMSKeyID)))
			s.pass(20 * time.Minute)
			s.setKey("Enabled", s.keyPolicy())
			s.deliver(s.event("enable-key", ofKey(s.trail.KMSKeyID)))
		}, false},
		{"opened-key-denied", alert.Opened, func(s *stage) {
			s.seal()
			s.setKey("Enabled", policyOf(keyAdministration(s.number)))
			s.deliver(s.event("put-key-policy", ofKey(s.trail.KMSKeyID)))
		}, false},
		{"opened-key-denied-by-deny", alert.Opened, func(s *stage) {
			s.seal()
			s.setKey("Enabled", policyOf(append(statementsOf(s.t, s.keyPolicy()), onlyPlatform(s.number))...))
			s.deliver(s.event("put-key-policy", ofKey(s.trail.KMSKeyID)))
		}, false},
		{"opened-notification-failing", alert.Opened, func(s *stage) {
			s.config.Severity = delivery.Medium
			s.seal()
			s.PutTopic(trail.Topic{ARN: s.trail.SNSTopic, Policy: policyOf(`{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},` +
				`"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + s.trail.SNSTopic + `","Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:s3:::acme-uploads"}}}`)})
			s.deliver(s.event("set-topic-attributes", ofTopic(s.trail.SNSTopic)))
		}, false},
	}
}

// seal gives the trail its key and a topic, and all of it in order.
func (s *stage) seal() {
	s.t.Helper()
	s.trail.SNSTopic = "arn:aws:sns:" + s.home + ":" + s.number + ":cloudtrail-files"
	for _, st := range s.Describe().Statuses {
		s.PutTrail(s.trail, st)
	}
	s.setKey("Enabled", s.keyPolicy())
	var statements []string
	for _, st := range trail.TopicStatements([]trail.Trail{s.trail}, s.trail.SNSTopic) {
		statements = append(statements, string(st.Text()))
	}
	s.PutTopic(trail.Topic{ARN: s.trail.SNSTopic, Policy: policyOf(statements...)})
	s.sealed = true
	s.rebuild()
}

func (s *stage) setKey(state, policy string) {
	s.PutKey(inmem.Key{
		Key:    trail.Key{ARN: s.trail.KMSKeyID, State: state, Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER", Origin: "AWS_KMS"},
		Policy: policy,
	})
}

// keyPolicy is the policy of a key that AWS documents for the trail.
func (s *stage) keyPolicy() string {
	statements := []string{keyAdministration(s.number)}
	for _, st := range trail.KeyStatements([]trail.Trail{s.trail}, trail.Off) {
		statements = append(statements, string(st.Text()))
	}
	return policyOf(statements...)
}

// keyAdministration is what the policy of a new key says.
func keyAdministration(account string) string {
	return `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"}`
}

// onlyPlatform keeps a key to one team, and forgets services.
func onlyPlatform(account string) string {
	return `{"Sid":"OnlyThePlatformTeam","Effect":"Deny","Principal":"*","Action":["kms:Encrypt","kms:ReEncrypt*","kms:GenerateDataKey*"],"Resource":"*",` +
		`"Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::` + account + `:role/platform-*"}}}`
}

// ofKey makes an event one of a key.
func ofKey(arn string) edit {
	return func(detail map[string]any) {
		detail["requestParameters"].(map[string]any)["keyId"] = arn
		detail["resources"].([]any)[0].(map[string]any)["ARN"] = arn
	}
}

func ofTopic(arn string) edit {
	return func(detail map[string]any) { detail["requestParameters"].(map[string]any)["topicArn"] = arn }
}
