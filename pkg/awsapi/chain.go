package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Chain reads the keys and topics of trails, and the bucket keys of buckets. A key or topic is
// asked for once, for all buckets whose trails use it. It is safe for use by several goroutines.
type Chain struct {
	clients *Clients
	buckets *Buckets

	mu     sync.Mutex
	keys   map[string]func() delivery.Key
	topics map[string]func() delivery.Topic
}

var _ guardrail.Chain = (*Chain)(nil)

// NewChain returns a reader of keys and topics.
func NewChain(c *Clients) *Chain {
	return &Chain{
		clients: c, buckets: NewBuckets(c),
		keys: make(map[string]func() delivery.Key), topics: make(map[string]func() delivery.Topic),
	}
}

// Key reads a key and its policy at once. KMS answers for a key in every state.
func (c *Chain) Key(ctx context.Context, keyARN string) delivery.Key {
	return once(&c.mu, c.keys, keyARN, func() delivery.Key { return c.readKey(ctx, keyARN) })
}

// Topic reads a topic.
func (c *Chain) Topic(ctx context.Context, topicARN string) delivery.Topic {
	return once(&c.mu, c.topics, topicARN, func() delivery.Topic { return c.readTopic(ctx, topicARN) })
}

// once reads what has a name at the first call, and returns that from then on.
func once[T any](mu *sync.Mutex, kept map[string]func() T, name string, read func() T) T {
	mu.Lock()
	f := kept[name]
	if f == nil {
		f = sync.OnceValue(read)
		kept[name] = f
	}
	mu.Unlock()
	return f()
}

func (c *Chain) readKey(ctx context.Context, keyARN string) delivery.Key {
	out := delivery.Key{Key: trail.Key{ARN: keyARN}}
	a := arn.Split(keyARN)
	client := c.clients.KMS(string(a.Account), string(a.Region))
	var described trail.Key
	var text string
	var describeErr, policyErr error
	_ = both(
		func() error {
			described, describeErr = client.DescribeKey(ctx, keyARN)
			return nil
		},
		func() error {
			text, policyErr = client.GetKeyPolicy(ctx, keyARN)
			return nil
		})
	describeErr, policyErr = failure("kms:DescribeKey", describeErr), failure("kms:GetKeyPolicy", policyErr)
	switch {
	case describeErr == nil:
		out.Key = described
	case codeOf(describeErr) == "NotFoundException":
		out.State = trail.KeyGone
		return out
	default:
		out.Reason = unreadable(describeErr)
	}
	if policyErr != nil {
		out.Reason = unreadable(policyErr)
		return out
	}
	document, err := policy.KMS().Parse([]byte(text))
	if err != nil {
		out.Reason = fmt.Sprintf("the policy that KMS returned cannot be read: %v", err)
		return out
	}
	out.Policy = document
	return out
}

func (c *Chain) readTopic(ctx context.Context, topicARN string) delivery.Topic {
	out := delivery.Topic{Topic: trail.Topic{ARN: topicARN}}
	a := arn.Split(topicARN)
	client, ok := c.clients.SNS(string(a.Account), string(a.Region)).(TopicsAPI)
	if !ok {
		out.Reason = "topics are not read here"
		return out
	}
	answer, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topicARN)})
	if err != nil {
		out.Reason = unreadable(failure("sns:GetTopicAttributes", err))
		return out
	}
	out.Policy, out.KMSKeyID = answer.Attributes["Policy"], answer.Attributes["KmsMasterKeyId"]
	if out.Document, err = policy.SNS().Parse([]byte(out.Policy)); err != nil {
		out.Reason = fmt.Sprintf("the policy that SNS returned cannot be read: %v", err)
	}
	return out
}

// TopicKey reads the key that a topic names: by its id, its ARN or an alias, in the topic's region.
func (c *Chain) TopicKey(ctx context.Context, topic trail.Topic) (delivery.Key, bool) {
	a := arn.Split(topic.ARN)
	name := topic.KMSKeyID
	if trail.IsAlias(name) {
		key, err := c.clients.KMS(string(a.Account), string(a.Region)).DescribeKey(ctx, name)
		if err != nil {
			return delivery.Key{}, false
		}
		return c.Key(ctx, key.ARN), true
	}
	if !strings.HasPrefix(name, "arn:") {
		a.Service, a.Resource = "kms", "key/"+name
		name = a.String()
	}
	return c.Key(ctx, name), true
}

// BucketKeys reads whether the bucket's default encryption uses S3 Bucket Keys; empty: not known.
func (c *Chain) BucketKeys(ctx context.Context, ref guardrail.BucketRef) trail.Switch {
	setting := trail.Off
	_, err := c.buckets.inRegion(ctx, ref, func(client S3API) error {
		reader, ok := client.(EncryptionAPI)
		if !ok {
			return errors.ErrUnsupported
		}
		out, err := reader.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(ref.Name), ExpectedBucketOwner: owner(ref)})
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
	if err != nil && codeOf(err) != "ServerSideEncryptionConfigurationNotFoundError" {
		return ""
	}
	return setting
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
