package trail

import (
	"slices"
)

// ChainStatement is a statement for the policy of a key or topic: an Allow to
// [ServicePrincipal], for the trails alone that it was made for.
type ChainStatement struct {
	For  RequirementID // the requirement that it meets
	text chainMembers
}

// chainMembers are the members of a statement, in the order of AWS's examples.
type chainMembers struct {
	Sid       string
	Effect    string
	Principal struct{ Service string }
	Action    any
	Resource  string
	Condition map[string]map[string]any `json:",omitempty"`
}

// Text returns the statement as indented JSON.
func (st ChainStatement) Text() []byte { return encode(st.text) }

// Sid returns the statement's Sid.
func (st ChainStatement) Sid() string { return st.text.Sid }

// WithSid returns the statement with another Sid.
func (st ChainStatement) WithSid(sid string) ChainStatement {
	st.text.Sid = sid
	return st
}

func newChainStatement(id RequirementID, sid, resource string, conditions map[string]map[string]any, actions ...string) ChainStatement {
	m := chainMembers{Sid: sid, Effect: "Allow", Action: oneOrList(actions), Resource: resource, Condition: conditions}
	m.Principal.Service = ServicePrincipal
	return ChainStatement{id, m}
}

// KeyStatements returns the statements that AWS documents for the policy of the key of trails,
// in the order of their requirements. That for kms:Decrypt is wanted where the bucket uses S3
// Bucket Keys.
// Source: default-kms-key-policy.html and create-kms-key-policy-for-cloudtrail.html. Where AWS
// writes the key's own ARN, "*" stands, which means the same and fits any key.
func KeyStatements(trails []Trail, bucketKeys Switch) []ChainStatement {
	encrypt := bound(trails)
	like := map[string]any{encryptionContext + "aws:cloudtrail:arn": oneOrList(anyTrails(trails))}
	encrypt["StringLike"] = like
	out := []ChainStatement{
		newChainStatement(KeyEncrypt, "Allow CloudTrail to encrypt logs", "*", encrypt, "kms:GenerateDataKey*"),
		newChainStatement(KeyDescribe, "Allow CloudTrail to describe key", "*", bound(trails), "kms:DescribeKey"),
	}
	if bucketKeys == On {
		out = append(out, newChainStatement(KeyDecrypt, "Allow CloudTrail to decrypt with the bucket key", "*", bound(trails), "kms:Decrypt"))
	}
	return out
}

// TopicStatements returns the statement that AWS documents for the policy of the topic of trails.
// Source: cloudtrail-permissions-for-sns-notifications.html.
func TopicStatements(trails []Trail, topic string) []ChainStatement {
	return []ChainStatement{newChainStatement(TopicPublish, "AWSCloudTrailSNSPolicy20131101", topic, bound(trails), "SNS:Publish")}
}

// TopicKeyStatements returns the statement for the policy of the key of a topic of trails. AWS
// documents it without a condition, so that it would serve anybody's trails and topics. It is
// bound by the encryption context, of which captured requests show what it is.
// Source: the same page; github.com/radkawar/stackd, docs/sns.md.
func TopicKeyStatements(trails []Trail, topic string) []ChainStatement {
	var arns []string
	for _, t := range trails {
		arns = append(arns, t.ARN)
	}
	equals := map[string]any{encryptionContext + "aws:sns:topicArn": topic, encryptionContext + "aws:sns:sourceArn": oneOrList(arns)}
	if len(arns) > MaxSourceARNs {
		delete(equals, encryptionContext+"aws:sns:sourceArn")
		equals[encryptionContext+"aws:sns:sourceAccount"] = oneOrList(accountsOf(trails))
	}
	return []ChainStatement{newChainStatement(TopicKey, "Allow CloudTrail to notify", "*",
		map[string]map[string]any{"StringEquals": equals}, "kms:GenerateDataKey*", "kms:Decrypt")}
}

// bound are the conditions that bind a statement to trails, or, if these are many, to their
// accounts.
func bound(trails []Trail) map[string]map[string]any {
	var arns []string
	for _, t := range trails {
		arns = append(arns, t.ARN)
	}
	if len(arns) > MaxSourceARNs {
		return map[string]map[string]any{"StringEquals": {"aws:SourceAccount": oneOrList(accountsOf(trails))}}
	}
	return map[string]map[string]any{"StringEquals": {"aws:SourceArn": oneOrList(arns)}}
}

func accountsOf(trails []Trail) []string {
	var out []string
	for _, t := range trails {
		if !slices.Contains(out, t.Account()) {
			out = append(out, t.Account())
		}
	}
	return out
}

// anyTrails are patterns for all trails of the accounts, as AWS writes them.
func anyTrails(trails []Trail) []string {
	var out []string
	for _, t := range trails {
		if p := "arn:" + string(t.Partition()) + ":cloudtrail:*:" + t.Account() + ":trail/*"; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
