package guardrail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Chain reads the keys and topics that trails use. What cannot be read for good says so in its
// Reason, as that it may not be read; an error is one that may pass.
type Chain interface {
	// Key returns a KMS key and its policy, by its ARN.
	Key(ctx context.Context, arn string) (delivery.Key, error)
	// Topic returns an SNS topic and its policy, by its ARN.
	Topic(ctx context.Context, arn string) (delivery.Topic, error)
	// TopicKey returns the key with which a topic is encrypted; nil: it is not known which
	// that is.
	TopicKey(ctx context.Context, t trail.Topic) (*delivery.Key, error)
	// BucketKeys returns whether the bucket's default encryption uses S3 Bucket Keys; empty:
	// it may not be read.
	BucketKeys(ctx context.Context, b BucketRef) (trail.Switch, error)
}

// chainAtOnce is how many keys, and how many topics, of one bucket are read at once: those of
// a thousand trails within the time that is waited for what is only wanted.
const chainAtOnce = 32

// chained are the keys and topics of a bucket's trails.
type chained struct {
	delivery.Chain

	// unreadKeys and unreadTopics are the ARNs of trails whose key, or topic or its key, could
	// not be read for now, and problems why: the reconciliation is to be repeated.
	unreadKeys, unreadTopics []string
	problems                 []error
}

// chain reads the keys and topics of the trails of a bucket: each once, and all at once. The
// key of an encrypted topic is a second round. What is not read while the context lasts says so, and stops
// nothing.
//
// First are those that the event is about, then those of each account in turn: whoever has many keys that
// answer slowly keeps nobody else's from being read in time.
func (g *Guard) chain(ctx context.Context, from Chain, t Target, b BucketRef, trails []trail.Trail) chained {
	keys := t.fairly(distinct(trails, func(t trail.Trail) string { return t.KMSKeyID }))
	topics := t.fairly(distinct(trails, func(t trail.Trail) string { return t.SNSTopic }))
	if from == nil || len(keys)+len(topics) == 0 {
		return chained{}
	}
	out := chained{Chain: delivery.Chain{Keys: make([]delivery.Key, len(keys)), Topics: make([]delivery.Topic, len(topics))}}
	failures := make([]error, len(keys)+len(topics))
	var bucketErr error
	var all errgroup.Group
	all.SetLimit(chainAtOnce)
	if len(keys) > 0 {
		all.Go(func() error { out.BucketKeys, bucketErr = from.BucketKeys(ctx, b); return nil })
	}
	for i, name := range keys {
		all.Go(func() error { out.Keys[i], failures[i] = readKey(ctx, from, name); return nil })
	}
	for i, name := range topics {
		all.Go(func() error { out.Topics[i], failures[len(keys)+i] = readTopic(ctx, from, name); return nil })
	}
	_ = all.Wait() // the failures are kept
	if bucketErr != nil {
		out.problems = append(out.problems, &ObserveError{Subject: "encryption of bucket " + b.Name, Err: bucketErr})
	}
	for i, name := range slices.Concat(keys, topics) {
		err := failures[i]
		if err == nil {
			continue
		}
		out.problems = append(out.problems, &ObserveError{Subject: name, Err: err})
		for _, t := range trails {
			if t.KMSKeyID == name {
				out.unreadKeys = append(out.unreadKeys, t.ARN)
			}
			if t.SNSTopic == name {
				out.unreadTopics = append(out.unreadTopics, t.ARN)
			}
		}
	}
	return out
}

// fairly orders ARNs: first those that calls are about, then one of each account after the other.
func (t Target) fairly(arns []string) []string {
	turn := map[string]int{} // of the next of an account
	rank := map[string]int{}
	for _, name := range arns {
		account := string(arn.Split(name).Account)
		turn[account]++
		rank[name] = turn[account]
		if slices.ContainsFunc(t.calls(), func(c Call) bool { return c.Chain == name }) {
			rank[name] = 0
		}
	}
	slices.SortStableFunc(arns, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	return arns
}

// readKey reads a key. One that could not be read for now has that for its reason.
func readKey(ctx context.Context, from Chain, name string) (delivery.Key, error) {
	k, err := from.Key(ctx, name)
	if err != nil {
		return delivery.Key{Key: trail.Key{ARN: name}, Reason: noAnswer(err)}, err
	}
	return k, nil
}

func readTopic(ctx context.Context, from Chain, name string) (delivery.Topic, error) {
	topic, err := from.Topic(ctx, name)
	if err != nil {
		return delivery.Topic{Topic: trail.Topic{ARN: name}, Reason: noAnswer(err)}, err
	}
	if topic.KMSKeyID == "" {
		return topic, nil
	}
	if topic.Key, err = from.TopicKey(ctx, topic.Topic); err != nil {
		topic.Key = &delivery.Key{Key: trail.Key{ARN: topic.KMSKeyID}, Reason: noAnswer(err)}
	}
	return topic, err
}

// distinct are the values that the trails have, each once.
func distinct(trails []trail.Trail, of func(trail.Trail) string) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, t := range trails {
		if v := of(t); !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// keyEvents is the source of the events that tell of changes to keys.
const keyEvents = "kms.amazonaws.com"

// blindSpots say of whose keys no event tells what happens to them: trails leave out the events of
// AWS KMS, of which there are many, and EventBridge has those alone that a trail records.
// Source: eventbridge userguide, eb-service-event-cloudtrail.html.
func (v survey) blindSpots(trails []trail.Trail) []string {
	var notes []string
	for _, t := range trails {
		account := string(arn.Split(t.KMSKeyID).Account)
		records := func(other trail.Trail) bool {
			unlogged, known := other.ManagementEvents()
			read := slices.IndexFunc(trails, func(t trail.Trail) bool { return t.ARN == other.ARN })
			if read >= 0 { // its selectors were read
				unlogged, known = trails[read].ManagementEvents()
			}
			return known && !unlogged.Writes && !strings.Contains(unlogged.Sources, keyEvents)
		}
		unlogged, known := t.ManagementEvents()
		leavesOut := known && strings.Contains(unlogged.Sources, keyEvents)
		if !leavesOut || account != v.account || slices.ContainsFunc(v.listed, records) {
			continue
		}
		notes = append(notes, fmt.Sprintf("Trail %s leaves out the events of AWS KMS, and no other trail of account %s is known to record them: no event "+
			"tells of a change to key %s. Only the scheduled sweep sees what happens to it.", t.ARN, account, t.KMSKeyID))
	}
	return notes
}

// deliveryAge is how old a delivery may be to show that files arrive. A trail that records
// anything writes a file many times a day.
const deliveryAge = 24 * time.Hour

// lastCall is when a call was last made that may have hidden the key of a trail: on the key, or one that
// gave the trail another.
func lastCall(t Target, rec record, tr trail.Trail) time.Time {
	var last time.Time
	calls := slices.Clone(rec.Changes)
	for _, c := range t.calls() {
		calls = append(calls, c.Change)
	}
	for _, c := range calls {
		if (c.Names(tr) || c.Chain != "" && trail.IsKey(tr.KMSKeyID, c.Chain)) && c.Time.After(last) {
			last = c.Time
		}
	}
	return last
}

// delivering are the ARNs of trails of which CloudTrail reports a delivery since the last change,
// and a recent one.
func (o observation) delivering(t Target, rec record) []string {
	var arns []string
	for _, s := range o.statuses {
		i := slices.IndexFunc(o.trails, func(tr trail.Trail) bool { return tr.ARN == s.ARN })
		if i >= 0 && !s.Failing() && s.DeliveredAt.After(lastCall(t, rec, o.trails[i])) && o.at.Sub(s.DeliveredAt) < deliveryAge {
			arns = append(arns, s.ARN)
		}
	}
	return arns
}

// looked are what was looked at beside the bucket, as far as it could be.
func (o observation) looked() []delivery.Source {
	var out []delivery.Source
	if len(o.chain.Keys) > 0 && len(o.chain.unreadKeys) == 0 {
		out = append(out, delivery.SourceKey)
	}
	if len(o.chain.Topics) > 0 && len(o.chain.unreadTopics) == 0 {
		out = append(out, delivery.SourceTopic)
	}
	if len(o.rcps.over) > 0 && !o.rcps.unread {
		out = append(out, delivery.SourceRCP)
	}
	return out
}

// same reports whether two readings found the same.
func (c chained) same(other chained) bool {
	return c.BucketKeys == other.BucketKeys &&
		slices.EqualFunc(c.Keys, other.Keys, sameKey) && slices.EqualFunc(c.Topics, other.Topics, sameTopic)
}

func sameKey(a, b delivery.Key) bool {
	return a.Key == b.Key && a.Reason == b.Reason && (a.Policy == nil) == (b.Policy == nil) &&
		(a.Policy == nil || string(a.Policy.Text()) == string(b.Policy.Text()))
}

// sameTopic compares the policy as the text that the topic has.
func sameTopic(a, b delivery.Topic) bool {
	return a.Topic == b.Topic && a.Reason == b.Reason && (a.Key == nil) == (b.Key == nil) && (a.Key == nil || sameKey(*a.Key, *b.Key))
}

// ofChain reports whether a finding is about a key, a topic or a resource control policy, to which
// nothing is ever written.
func ofChain(f delivery.Finding) bool {
	if f.Target == trail.OfKey || f.Target == trail.OfTopic {
		return true
	}
	known, _ := delivery.LookupType(f.ID)
	return known.Source == delivery.SourceRCP
}

// readOnce reads each key and topic, and the setting of each bucket, once: those of a sweep
// serve many buckets. What could not be read for now is read again.
type readOnce struct {
	next Chain

	keys, topicKeys kept[string, *delivery.Key]
	topics          kept[string, delivery.Topic]
	buckets         kept[BucketRef, trail.Switch]
}

// once returns a reader that reads each once; of nobody nobody.
func once(next Chain) Chain {
	if next == nil {
		return nil
	}
	return &readOnce{next: next}
}

func (c *readOnce) Key(ctx context.Context, name string) (delivery.Key, error) {
	k, err := c.keys.get(name, func() (*delivery.Key, error) {
		k, err := c.next.Key(ctx, name)
		return &k, err
	})
	return *k, err
}

func (c *readOnce) Topic(ctx context.Context, name string) (delivery.Topic, error) {
	return c.topics.get(name, func() (delivery.Topic, error) { return c.next.Topic(ctx, name) })
}

func (c *readOnce) TopicKey(ctx context.Context, t trail.Topic) (*delivery.Key, error) {
	return c.topicKeys.get(t.ARN+" "+t.KMSKeyID, func() (*delivery.Key, error) { return c.next.TopicKey(ctx, t) })
}

func (c *readOnce) BucketKeys(ctx context.Context, b BucketRef) (trail.Switch, error) {
	return c.buckets.get(b, func() (trail.Switch, error) { return c.next.BucketKeys(ctx, b) })
}

// kept are values that were read, by what they are of. The zero value has none.
type kept[K comparable, V any] struct {
	mu  sync.Mutex
	all map[K]*keptValue[V]
}

type keptValue[V any] struct {
	mu    sync.Mutex // held while it is read
	value V
	known bool
}

// get returns the value, and reads it if nobody has. Whoever else asks for it waits.
func (k *kept[K, V]) get(name K, read func() (V, error)) (V, error) {
	k.mu.Lock()
	if k.all == nil {
		k.all = map[K]*keptValue[V]{}
	}
	v := k.all[name]
	if v == nil {
		v = &keptValue[V]{}
		k.all[name] = v
	}
	k.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known {
		return v.value, nil
	}
	value, err := read()
	if err == nil {
		v.value, v.known = value, true
	}
	return value, err
}

// noChain reads nothing, since it is not known whose keys and topics may be read. That may pass.
type noChain struct{}

// errMembersUnknown says that the members of the organization are not known.
var errMembersUnknown = errors.New("the members of the organization are not known just now")

func (noChain) failure(op string) error {
	return &PortError{Op: op, Class: Transient, Code: "MembersUnknown", Err: errMembersUnknown}
}

func (c noChain) Key(context.Context, string) (delivery.Key, error) {
	return delivery.Key{}, c.failure("kms:DescribeKey")
}

func (c noChain) Topic(context.Context, string) (delivery.Topic, error) {
	return delivery.Topic{}, c.failure("sns:GetTopicAttributes")
}

func (c noChain) TopicKey(context.Context, trail.Topic) (*delivery.Key, error) {
	return nil, c.failure("kms:DescribeKey")
}

func (c noChain) BucketKeys(context.Context, BucketRef) (trail.Switch, error) {
	return "", c.failure("s3:GetEncryptionConfiguration")
}

// memberChain reads the keys and topics of some accounts and of no others: a trail may name a key
// or a topic of anybody, in whose account no role is to be assumed.
type memberChain struct {
	next Chain
	// read reports whether an account is one of them.
	read func(account string) bool
}

// why says why something is not read, empty: it is.
func (c memberChain) why(name string) string {
	if account := string(arn.Split(name).Account); !c.read(account) {
		return fmt.Sprintf("it is of account %s, which is none of the organization that could be read", account)
	}
	return ""
}

func (c memberChain) Key(ctx context.Context, name string) (delivery.Key, error) {
	if why := c.why(name); why != "" {
		return delivery.Key{Key: trail.Key{ARN: name}, Reason: why}, nil
	}
	return c.next.Key(ctx, name)
}

func (c memberChain) Topic(ctx context.Context, name string) (delivery.Topic, error) {
	if why := c.why(name); why != "" {
		return delivery.Topic{Topic: trail.Topic{ARN: name}, Reason: why}, nil
	}
	return c.next.Topic(ctx, name)
}

// TopicKey is of the topic's own account, unless the topic names a key by its ARN.
func (c memberChain) TopicKey(ctx context.Context, t trail.Topic) (*delivery.Key, error) {
	if why := c.why(t.KMSKeyID); strings.HasPrefix(t.KMSKeyID, "arn:") && why != "" {
		return &delivery.Key{Key: trail.Key{ARN: t.KMSKeyID}, Reason: why}, nil
	}
	return c.next.TopicKey(ctx, t)
}

func (c memberChain) BucketKeys(ctx context.Context, b BucketRef) (trail.Switch, error) {
	if !c.read(b.Account) {
		return "", nil
	}
	return c.next.BucketKeys(ctx, b)
}
