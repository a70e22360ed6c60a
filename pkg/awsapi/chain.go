package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Chain reads the keys and topics of trails, and the bucket keys of buckets. It is safe for use
// by several goroutines.
type Chain struct {
	clients *Clients
	buckets *Buckets
}

var _ guardrail.Chain = (*Chain)(nil)

// NewChain returns a reader of keys and topics.
func NewChain(c *Clients) *Chain { return &Chain{clients: c, buckets: NewBuckets(c)} }

// errOther says that KMS answered for another key, or for none.
var errOther = errors.New("the answer is not about this key")

// Key reads a key and its policy at once. KMS answers for a key in every state.
func (c *Chain) Key(ctx context.Context, keyARN string) (delivery.Key, error) {
	out := delivery.Key{Key: trail.Key{ARN: keyARN}}
	a := arn.Split(keyARN)
	if a.Service != "kms" || !strings.HasPrefix(a.Resource, "key/") || !a.Placed() { // others have written it
		out.Reason = "it is not named by the ARN of a KMS key"
		return out, nil
	}
	client := c.clients.KMS(string(a.Account), string(a.Region))
	var described trail.Key
	var text string
	var describeErr, policyErr error
	_ = both( // each failure says something of its own
		func() error {
			described, describeErr = client.DescribeKey(ctx, keyARN)
			return nil
		},
		func() error {
			text, policyErr = client.GetKeyPolicy(ctx, keyARN)
			return nil
		})
	if describeErr == nil && (described.ARN != keyARN || described.State == "") {
		describeErr = &guardrail.PortError{Op: "kms:DescribeKey", Class: guardrail.Transient, Err: errOther}
	}
	describeErr, policyErr = failure("kms:DescribeKey", describeErr), failure("kms:GetKeyPolicy", policyErr)
	switch {
	case describeErr == nil:
		out.Key = described
	case codeOf(describeErr) == "NotFoundException":
		out.State = trail.KeyGone
		return out, nil
	case guardrail.Is(describeErr, guardrail.Transient):
		return out, describeErr
	default:
		out.Reason = unreadable(describeErr)
	}
	switch {
	case policyErr == nil:
	case guardrail.Is(policyErr, guardrail.Transient) && out.Unusable("") == "":
		return out, policyErr
	default:
		out.Reason = unreadable(policyErr)
		return out, nil
	}
	document, err := policy.KMS().Parse([]byte(text))
	if err != nil {
		out.Reason = fmt.Sprintf("the policy that KMS returned cannot be read: %v", err)
		return out, nil
	}
	out.Policy = document
	return out, nil
}

// Topic reads a topic.
func (c *Chain) Topic(ctx context.Context, topicARN string) (delivery.Topic, error) {
	out := delivery.Topic{Topic: trail.Topic{ARN: topicARN}}
	a := arn.Split(topicARN)
	if a.Service != "sns" || !a.Placed() {
		out.Reason = "it is not named by the ARN of a topic"
		return out, nil
	}
	answer, err := c.clients.SNS(string(a.Account), string(a.Region)).GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topicARN)})
	if err = failure("sns:GetTopicAttributes", err); guardrail.Is(err, guardrail.Transient) {
		return out, err
	}
	if err != nil {
		out.Reason = unreadable(err)
		return out, nil
	}
	out.Policy, out.KMSKeyID = answer.Attributes["Policy"], answer.Attributes["KmsMasterKeyId"]
	if out.Document, err = policy.SNS().Parse([]byte(out.Policy)); err != nil {
		out.Reason = fmt.Sprintf("the policy that SNS returned cannot be read: %v", err)
	}
	return out, nil
}

// TopicKey reads the key that a topic names: by its id, its ARN or an alias, in the topic's region.
func (c *Chain) TopicKey(ctx context.Context, topic trail.Topic) (*delivery.Key, error) {
	name := topic.KeyARN()
	if trail.IsAlias(topic.KMSKeyID) {
		a := arn.Split(topic.ARN)
		described, err := c.clients.KMS(string(a.Account), string(a.Region)).DescribeKey(ctx, topic.KMSKeyID)
		switch err = failure("kms:DescribeKey", err); {
		case guardrail.Is(err, guardrail.Transient):
			return nil, err
		case err == nil:
			name = described.ARN
		default: // it is not known which key that is
			return nil, nil
		}
	}
	key, err := c.Key(ctx, name)
	return &key, err
}

// BucketKeys reads whether the bucket's default encryption uses S3 Bucket Keys; empty: not known.
func (c *Chain) BucketKeys(ctx context.Context, ref guardrail.BucketRef) (trail.Switch, error) {
	setting := trail.Off
	_, err := c.buckets.inRegion(ctx, ref, func(client S3API) error {
		out, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(ref.Name), ExpectedBucketOwner: owner(ref)})
		if err != nil || out.ServerSideEncryptionConfiguration == nil {
			return err
		}
		for _, rule := range out.ServerSideEncryptionConfiguration.Rules {
			if aws.ToBool(rule.BucketKeyEnabled) {
				setting = trail.On
			}
		}
		return nil
	})
	switch err = failure("s3:GetEncryptionConfiguration", err); {
	case err == nil, codeOf(err) == "ServerSideEncryptionConfigurationNotFoundError":
		return setting, nil
	case guardrail.Is(err, guardrail.Transient):
		return "", err
	}
	return "", nil
}

// kmsClient calls KMS in a region.
// Sources: the API reference of AWS KMS, DescribeKey and GetKeyPolicy.
type kmsClient struct{ cfg aws.Config }

var _ KMSAPI = kmsClient{}

func (c kmsClient) DescribeKey(ctx context.Context, key string) (trail.Key, error) {
	var out struct {
		KeyMetadata struct {
			Arn, KeyState, KeySpec, KeyUsage, KeyManager, Origin string
			MultiRegion                                          bool
			MultiRegionConfiguration                             struct{ MultiRegionKeyType string }
		}
	}
	err := c.call(ctx, "DescribeKey", map[string]string{"KeyId": key}, &out)
	m := out.KeyMetadata
	return trail.Key{
		ARN: m.Arn, State: m.KeyState, Spec: m.KeySpec, Usage: m.KeyUsage, Manager: m.KeyManager, Origin: m.Origin,
		MultiRegion: fmt.Sprint(m.MultiRegion), MultiRegionType: m.MultiRegionConfiguration.MultiRegionKeyType,
	}, err
}

func (c kmsClient) GetKeyPolicy(ctx context.Context, key string) (string, error) {
	var out struct{ Policy string }
	err := c.call(ctx, "GetKeyPolicy", map[string]string{"KeyId": key, "PolicyName": "default"}, &out)
	return out.Policy, err
}

func (c kmsClient) call(ctx context.Context, operation string, in, out any) error {
	call := signedCall{service: "kms", region: c.cfg.Region, path: "/", target: "TrentService." + operation, contentType: "application/x-amz-json-1.1"}
	return call.send(ctx, c.cfg, in, out)
}
