package guardrail

import (
	"context"
	"slices"
	"sync"

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
func (g *Guard) chain(ctx context.Context, b BucketRef, trails []trail.Trail) delivery.Chain {
	var out delivery.Chain
	keys := distinct(trails, func(t trail.Trail) string { return t.KMSKeyID })
	topics := distinct(trails, func(t trail.Trail) string { return t.SNSTopic })
	out.Keys, out.Topics = make([]delivery.Key, len(keys)), make([]delivery.Topic, len(topics))
	var all sync.WaitGroup
	if len(keys) > 0 {
		all.Go(func() { out.BucketKeys = g.ports.Chain.BucketKeys(ctx, b) })
	}
	g.each(len(keys), func(i int) { out.Keys[i] = g.ports.Chain.Key(ctx, keys[i]) })
	g.each(len(topics), func(i int) {
		topic := g.ports.Chain.Topic(ctx, topics[i])
		if topic.KMSKeyID != "" {
			if k, ok := g.ports.Chain.TopicKey(ctx, topic.Topic); ok {
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
func (g *Guard) judgeChain(ctx context.Context, t Target, obs observation, r delivery.Report) delivery.Report {
	read := g.chain(ctx, BucketRef{Name: obs.bucket.Name, Account: obs.bucket.Owner, Region: obs.bucket.Region}, obs.trails)
	budget := delivery.NewBudget(obs.bucket, obs.trails)
	defer context.AfterFunc(ctx, budget.Stop)()
	return delivery.JudgeChain(budget, r, obs.bucket, obs.trails, environment(t, obs), read)
}
