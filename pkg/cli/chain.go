package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// chainFlags are the flags about the keys and topics of the trails: what the AWS CLI prints of
// them. What is not given is not looked at, and the answer says so.
type chainFlags struct {
	Key       []string `placeholder:"FILE" help:"The output of \"aws kms describe-key\" for the trails' KMS key; repeat it for several keys."`
	KeyPolicy []string `placeholder:"FILE" help:"The key's policy, bare or as \"aws kms get-key-policy\" prints it; the first is that of the first --key, and so on."`
	BucketKey string   `placeholder:"on|off" help:"Whether the bucket's default encryption uses S3 Bucket Keys. Default: not known."`

	Topic          []string `placeholder:"FILE" help:"The output of \"aws sns get-topic-attributes\" for the trails' topic; repeat it for several topics."`
	TopicKey       []string `placeholder:"FILE" help:"The output of \"aws kms describe-key\" for the key with which a topic is encrypted."`
	TopicKeyPolicy []string `placeholder:"FILE" help:"That key's policy; the first is that of the first --topic-key, and so on."`
}

const (
	expectKey         = `the output of "aws kms describe-key"`
	expectKeyPolicy   = `a key policy, or the output of "aws kms get-key-policy"`
	expectTopic       = `the output of "aws sns get-topic-attributes"`
	expectTopicPolicy = "a topic policy, as the attribute Policy of a topic"
)

// loadChain reads the files about the keys and topics of trails that deliver into a bucket.
func (f *chainFlags) loadChain(sys *system, trails []trail.Trail) (delivery.Chain, error) {
	out := delivery.Chain{BucketKeys: trail.Switch(f.BucketKey)}
	if f.BucketKey != "" && out.BucketKeys != trail.On && out.BucketKeys != trail.Off {
		return out, errors.New("--bucket-key: expected on or off")
	}
	var named, topics []string // by the trails
	for _, t := range trails {
		if t.KMSKeyID != "" && !slices.Contains(named, t.KMSKeyID) {
			named = append(named, t.KMSKeyID)
		}
		if t.SNSTopic != "" && !slices.Contains(topics, t.SNSTopic) {
			topics = append(topics, t.SNSTopic)
		}
	}
	var err error
	if out.Keys, err = f.loadKeys(sys, trails, named); err != nil {
		return out, err
	}
	if out.Topics, err = f.loadTopics(sys, topics); err != nil {
		return out, err
	}
	return out, f.loadTopicKeys(sys, out.Topics)
}

// loadKeys reads the keys that the trails name.
func (f *chainFlags) loadKeys(sys *system, trails []trail.Trail, named []string) ([]delivery.Key, error) {
	if len(f.Key)+len(f.KeyPolicy) == 0 {
		return nil, nil
	}
	if len(named) == 0 {
		printf(sys.stderr, "trailwarden: warning: --key and --key-policy are not needed: no trail of the bucket has a KMS key\n")
		return nil, nil
	}
	for _, t := range trails {
		if trail.IsAlias(t.KMSKeyID) {
			return nil, fmt.Errorf("%s: the KmsKeyId of trail %s is the alias %s; expected the ARN of the key, as \"aws cloudtrail describe-trails\" prints it",
				f.keyFlag(), t.ARN, t.KMSKeyID)
		}
	}
	var alone string
	if len(named) == 1 && strings.HasPrefix(named[0], "arn:") {
		alone = named[0]
	}
	keys, sources, err := sys.readKeys("--key", f.Key, f.KeyPolicy, alone)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		if !slices.ContainsFunc(named, func(id string) bool { return trail.IsKey(id, k.ARN) }) {
			return nil, sources[i].errorf("it describes %s; the trails of the bucket use %s", k.ARN, strings.Join(named, ", "))
		}
	}
	return keys, nil
}

// keyFlag is the flag by which a key was given.
func (f *chainFlags) keyFlag() string {
	if len(f.Key) > 0 {
		return "--key"
	}
	return "--key-policy"
}

// readKeys reads keys and their policies, in pairs. A policy without a key is that of the key
// that stands alone, if there is one.
func (sys *system) readKeys(flag string, files, policies []string, alone string) ([]delivery.Key, []source, error) {
	var keys []delivery.Key
	var sources []source
	for _, path := range files {
		s, err := sys.read(path, maxPolicyFile, expectKey)
		if err != nil {
			return nil, nil, err
		}
		k, err := trail.ParseKey(s.text)
		if err != nil {
			return nil, nil, s.errorf("%w", err)
		}
		if slices.ContainsFunc(keys, func(other delivery.Key) bool { return other.ARN == k.ARN }) {
			return nil, nil, s.errorf("%s was given before", k.ARN)
		}
		keys, sources = append(keys, delivery.Key{Key: k}), append(sources, s)
	}
	if len(files) == 0 && len(policies) == 1 && alone != "" {
		keys = []delivery.Key{{Key: trail.Key{ARN: alone}}}
	}
	if len(policies) > len(keys) {
		return nil, nil, fmt.Errorf("%s-policy: %d policies and %d keys; each needs its %s", flag, len(policies), len(files), flag)
	}
	for i, path := range policies {
		s, err := sys.read(path, maxPolicyFile, expectKeyPolicy)
		if err != nil {
			return nil, nil, err
		}
		if keys[i].Policy, _, err = s.policy(policy.KMS(), expectKeyPolicy); err != nil {
			return nil, nil, err
		}
		if len(sources) <= i {
			sources = append(sources, s)
		}
	}
	return keys, sources, nil
}

// loadTopics reads the topics that the trails name, with their policies.
func (f *chainFlags) loadTopics(sys *system, named []string) ([]delivery.Topic, error) {
	if len(f.Topic) == 0 {
		return nil, nil
	}
	if len(named) == 0 {
		printf(sys.stderr, "trailwarden: warning: --topic is not needed: no trail of the bucket has a topic\n")
		return nil, nil
	}
	var out []delivery.Topic
	for _, path := range f.Topic {
		s, err := sys.read(path, maxPolicyFile, expectTopic)
		if err != nil {
			return nil, err
		}
		topic, err := trail.ParseTopic(s.text)
		switch {
		case err != nil:
			return nil, s.errorf("%w", err)
		case !slices.Contains(named, topic.ARN):
			return nil, s.errorf("the topic %s; the trails of the bucket use %s", topic.ARN, strings.Join(named, ", "))
		case slices.ContainsFunc(out, func(other delivery.Topic) bool { return other.ARN == topic.ARN }):
			return nil, s.errorf("%s was given before", topic.ARN)
		}
		observed := delivery.Topic{Topic: topic}
		if topic.Policy != "" {
			s.text = []byte(topic.Policy)
			if observed.Document, _, err = s.policy(policy.SNS(), expectTopicPolicy); err != nil {
				return nil, err
			}
		}
		out = append(out, observed)
	}
	return out, nil
}

// loadTopicKeys reads the keys with which topics are encrypted. A topic that names its key by an
// alias takes the next one, since an alias says nothing of its key.
func (f *chainFlags) loadTopicKeys(sys *system, topics []delivery.Topic) error {
	if len(f.TopicKey)+len(f.TopicKeyPolicy) == 0 {
		return nil
	}
	var encrypted []*delivery.Topic
	alone := ""
	for i := range topics {
		if topics[i].KMSKeyID != "" {
			encrypted = append(encrypted, &topics[i])
		}
	}
	if len(encrypted) == 0 {
		return errors.New("--topic-key: no topic that is given with --topic is encrypted with a KMS key")
	}
	if len(encrypted) == 1 {
		alone = keyARN(encrypted[0].Topic)
	}
	keys, sources, err := sys.readKeys("--topic-key", f.TopicKey, f.TopicKeyPolicy, alone)
	if err != nil {
		return err
	}
	for i := range keys {
		k := &keys[i]
		used := false
		for _, topic := range encrypted {
			byAlias := trail.IsAlias(topic.KMSKeyID) && topic.Key == nil && !used
			if trail.IsKey(topic.KMSKeyID, k.ARN) || byAlias {
				topic.Key, used = k, true
			}
		}
		if !used {
			return sources[i].errorf("it describes %s; topic %s is encrypted with %s", k.ARN, encrypted[0].ARN, encrypted[0].KMSKeyID)
		}
	}
	return nil
}

// keyARN is the ARN of a topic's key, which is in the topic's region, and in its account if it
// is named by its id. Empty: it is named by an alias.
func keyARN(t trail.Topic) string {
	switch a := arn.Split(t.ARN); {
	case trail.IsAlias(t.KMSKeyID):
		return ""
	case strings.HasPrefix(t.KMSKeyID, "arn:"):
		return t.KMSKeyID
	default:
		a.Service, a.Resource = "kms", "key/"+t.KMSKeyID
		return a.String()
	}
}

// writeNotLookedAt says in one line what was not looked at.
func writeNotLookedAt(s screen, what []string) {
	if len(what) == 0 {
		return
	}
	s.printf("\n")
	s.indented(0, "Not looked at: "+strings.Join(notLookedAt(what), ", ")+".")
}

// notLookedAt are the words for what was not looked at, with the flag that gives it.
func notLookedAt(what []string) []string {
	var out []string
	for _, w := range what {
		switch w {
		case delivery.NotKey:
			out = append(out, "the trail's KMS key (--key, --key-policy)")
		case delivery.NotKeyPolicy:
			out = append(out, "the policy of the trail's KMS key (--key-policy)")
		case delivery.NotBucketKey:
			out = append(out, "whether the bucket uses S3 Bucket Keys (--bucket-key)")
		case delivery.NotTopic:
			out = append(out, "the trail's topic (--topic)")
		case delivery.NotTopicKey:
			out = append(out, "the key of the trail's topic (--topic-key, --topic-key-policy)")
		case delivery.NotRCP:
			out = append(out, "the resource control policies of the bucket's account (--rcp)")
		case delivery.NotKeyRCP:
			out = append(out, "the resource control policies of the key's account")
		default:
			out = append(out, w)
		}
	}
	return out
}
