package inmem

import (
	"context"
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

var _ guardrail.Chain = (*Account)(nil)

// Key is a KMS key, of whatever account.
type Key struct {
	trail.Key

	Policy string
	Alias  string // "alias/…"; empty: none
	// Secret says that the key's policy may not be read.
	Secret bool
}

// PutKey makes a key, or makes it anew.
func (a *Account) PutKey(k Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = map[string]Key{}
	}
	a.keys[k.ARN] = k
}

// PutTopic makes a topic, or makes it anew.
func (a *Account) PutTopic(t trail.Topic) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.topics == nil {
		a.topics = map[string]trail.Topic{}
	}
	a.topics[t.ARN] = t
}

// SetBucketKeys says whether the default encryption of a bucket uses S3 Bucket Keys.
func (a *Account) SetBucketKeys(bucket string, on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bucketKeys == nil {
		a.bucketKeys = map[string]bool{}
	}
	a.bucketKeys[bucket] = on
}

// Key returns a key and its policy.
func (a *Account) Key(ctx context.Context, name string) (delivery.Key, error) {
	if err := ctx.Err(); err != nil {
		return delivery.Key{}, failure("kms:DescribeKey", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.key(name), nil
}

func (a *Account) key(name string) delivery.Key {
	k, ok := a.keys[name]
	out := delivery.Key{Key: k.Key}
	if !ok {
		out.ARN, out.State = name, trail.KeyGone
		return out
	}
	if k.Secret {
		out.Reason = "kms:GetKeyPolicy answers AccessDeniedException"
		return out
	}
	document, err := policy.KMS().Parse([]byte(k.Policy))
	if err != nil {
		out.Reason = fmt.Sprintf("the policy that KMS returned cannot be read: %v", err)
		return out
	}
	out.Policy = document
	return out
}

// Topic returns a topic and its policy.
func (a *Account) Topic(ctx context.Context, name string) (delivery.Topic, error) {
	if err := ctx.Err(); err != nil {
		return delivery.Topic{}, failure("sns:GetTopicAttributes", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.topics[name]
	if !ok {
		return delivery.Topic{Topic: trail.Topic{ARN: name}, Reason: "sns:GetTopicAttributes answers NotFound"}, nil
	}
	out := delivery.Topic{Topic: t}
	document, err := policy.SNS().Parse([]byte(t.Policy))
	if err != nil {
		out.Reason = fmt.Sprintf("the policy that SNS returned cannot be read: %v", err)
		return out, nil
	}
	out.Document = document
	return out, nil
}

// TopicKey returns the key that a topic names by its ARN, its id or an alias.
func (a *Account) TopicKey(ctx context.Context, t trail.Topic) (*delivery.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure("kms:DescribeKey", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if trail.IsAlias(t.KMSKeyID) {
		for _, k := range a.keys {
			if k.Alias == t.KMSKeyID {
				found := a.key(k.ARN)
				return &found, nil
			}
		}
		return nil, nil
	}
	found := a.key(t.KeyARN())
	return &found, nil
}

// BucketKeys returns whether the bucket's default encryption uses S3 Bucket Keys.
func (a *Account) BucketKeys(ctx context.Context, b guardrail.BucketRef) (trail.Switch, error) {
	if err := ctx.Err(); err != nil {
		return "", failure("s3:GetEncryptionConfiguration", guardrail.Transient, "", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.buckets[b.Name]; !ok {
		return "", nil
	}
	if a.bucketKeys[b.Name] {
		return trail.On, nil
	}
	return trail.Off, nil
}
