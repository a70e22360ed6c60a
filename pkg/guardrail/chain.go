package guardrail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Chain reads the keys and topics that trails use. What cannot be read says so in its Reason,
// and is no error: it never stops what is known of the bucket.
type Chain interface {
	// Key returns a KMS key and its policy, by its ARN.
	Key(ctx context.Context, arn string) delivery.Key
	// Topic returns an SNS topic and its policy, by its ARN.
	Topic(ctx context.Context, arn string) delivery.Topic
	// TopicKey returns the key with which a topic is encrypted. Ok is false if it is not
	// known which that is.
	TopicKey(ctx context.Context, t trail.Topic) (k delivery.Key, ok bool)
	// BucketKeys returns whether the bucket's default encryption uses S3 Bucket Keys; empty:
	// it could not be read.
	BucketKeys(ctx context.Context, b BucketRef) trail.Switch
}

// chain reads the keys and topics of the trails of a bucket: each once, and all at once. The
// key of an encrypted topic is a second round.
func (g *Guard) chain(ctx context.Context, from Chain, b BucketRef, trails []trail.Trail) delivery.Chain {
	var out delivery.Chain
	keys := distinct(trails, func(t trail.Trail) string { return t.KMSKeyID })
	topics := distinct(trails, func(t trail.Trail) string { return t.SNSTopic })
	out.Keys, out.Topics = make([]delivery.Key, len(keys)), make([]delivery.Topic, len(topics))
	var all sync.WaitGroup
	if len(keys) > 0 {
		all.Go(func() { out.BucketKeys = from.BucketKeys(ctx, b) })
	}
	g.each(len(keys), func(i int) { out.Keys[i] = from.Key(ctx, keys[i]) })
	g.each(len(topics), func(i int) {
		topic := from.Topic(ctx, topics[i])
		if topic.KMSKeyID != "" {
			if k, ok := from.TopicKey(ctx, topic.Topic); ok {
				topic.Key = &k
			}
		}
		out.Topics[i] = topic
	})
	all.Wait()
	return out
}

// distinct are the values that the trails have, each once.
func distinct(trails []trail.Trail, of func(trail.Trail) string) []string {
	var out []string
	for _, t := range trails {
		if v := of(t); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// judgeChain adds to a report what the keys and topics of the trails say.
func (g *Guard) judgeChain(ctx context.Context, from Chain, t Target, obs observation, r delivery.Report) delivery.Report {
	read := g.chain(ctx, from, BucketRef{Name: obs.bucket.Name, Account: obs.bucket.Owner, Region: obs.bucket.Region}, obs.trails)
	budget := delivery.NewBudget(obs.bucket, obs.trails)
	defer context.AfterFunc(ctx, budget.Stop)()
	return delivery.JudgeChain(budget, r, obs.bucket, obs.trails, environment(t, obs), read)
}

// memberChain reads the keys and topics of some accounts and of no others: a trail may name a key
// or a topic of anybody, in whose account no role is to be assumed.
type memberChain struct {
	next Chain
	read map[string]bool // accounts
}

// why says why something is not read, empty: it is.
func (c memberChain) why(name string) string {
	if account := string(arn.Split(name).Account); !c.read[account] {
		return fmt.Sprintf("it is of account %s, which is none of the organization that could be read", account)
	}
	return ""
}

func (c memberChain) Key(ctx context.Context, name string) delivery.Key {
	if why := c.why(name); why != "" {
		return delivery.Key{Key: trail.Key{ARN: name}, Reason: why}
	}
	return c.next.Key(ctx, name)
}

func (c memberChain) Topic(ctx context.Context, name string) delivery.Topic {
	if why := c.why(name); why != "" {
		return delivery.Topic{Topic: trail.Topic{ARN: name}, Reason: why}
	}
	return c.next.Topic(ctx, name)
}

// TopicKey is of the topic's own account, unless the topic names a key by its ARN.
func (c memberChain) TopicKey(ctx context.Context, t trail.Topic) (k delivery.Key, ok bool) {
	if why := c.why(t.KMSKeyID); strings.HasPrefix(t.KMSKeyID, "arn:") && why != "" {
		return delivery.Key{Key: trail.Key{ARN: t.KMSKeyID}, Reason: why}, true
	}
	return c.next.TopicKey(ctx, t)
}

func (c memberChain) BucketKeys(ctx context.Context, b BucketRef) trail.Switch {
	if !c.read[b.Account] {
		return ""
	}
	return c.next.BucketKeys(ctx, b)
}
