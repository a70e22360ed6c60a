package trail

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// A trail may encrypt its files with a KMS key, and tell an SNS topic of them. For that
// CloudTrail makes requests to the key and to the topic, which this file works out. To a key
// the set of files is not the resource but a value of the encryption context.

// Switch is a setting that is on or off.
type Switch string

// The settings. Empty: not known.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// encryptedObject is the part of the encryption context that names what is encrypted.
const encryptedObject = encryptionContext + "aws:s3:arn"

// KeyRequirements returns what CloudTrail needs of the trail's key, which is k. S3 asks the
// key on CloudTrail's behalf, for each file: with S3 Bucket Keys for the bucket instead.
//
//   - KeyEncrypt: without it no file is delivered.
//   - KeyDescribe: AWS asks for it, and a trail was made without it. Its lack is a weakness.
//   - KeyDecrypt: AWS asks for it to make or change a trail whose bucket has S3 Bucket Keys
//     on. Whether delivery needs it is not known.
//
// Source: "Configure AWS KMS key policies for CloudTrail", create-kms-key-policy-for-cloudtrail.html.
func KeyRequirements(t Trail, s Environment, k Key, bucketKeys Switch) []Requirement {
	base := keyContext(t, s, k)
	out := []Requirement{keyEncrypt(t, s, k, bucketKeys, base), {
		ID: KeyDescribe, Action: "kms:DescribeKey", Resource: k.ARN, Sets: []RequestSet{atKey(k, t, base)},
	}}
	if bucketKeys == On {
		l := layout{t, s}
		// That the trail is in this context is taken from the context of the files.
		set := atKey(k, t, withEncryptionContext(base, map[string]string{"aws:cloudtrail:arn": t.ARN, "aws:s3:arn": l.bucketARN()}))
		out = append(out, Requirement{ID: KeyDecrypt, Action: "kms:Decrypt", Resource: k.ARN, Sets: []RequestSet{set}})
	}
	return out
}

func keyEncrypt(t Trail, s Environment, k Key, bucketKeys Switch, base policy.Context) Requirement {
	l := layout{t, s}
	r := Requirement{ID: KeyEncrypt, Action: "kms:GenerateDataKey", Resource: k.ARN}
	context := withEncryptionContext(base, map[string]string{"aws:cloudtrail:arn": t.ARN, "aws:s3:arn": ""})
	if bucketKeys != On {
		for _, q := range requirementsOfFiles(t, s) {
			for _, set := range q.Sets {
				set.Varies, set.Resource, set.Kind = encryptedObject, k.ARN, q.ID
				set.Caller, set.Context = service(t.Partition()), context
				r.Sets = append(r.Sets, set)
			}
		}
	}
	if bucketKeys != Off {
		set := atKey(k, t, context)
		set.Varies, set.Resources = encryptedObject, glob.KeySet{fixed(l.bucketARN())}
		r.Sets = append(r.Sets, set)
	}
	if bucketKeys == "" {
		last := len(r.Sets) - 1
		for i := range r.Sets[:last] {
			r.Sets[i].Only = Off
		}
		r.Sets[last].Only = On
	}
	return r
}

// requirementsOfFiles are the requirements of the bucket that are of files.
func requirementsOfFiles(t Trail, s Environment) []Requirement {
	return slices.DeleteFunc(ServiceRequirements(t, s), func(r Requirement) bool {
		switch r.ID {
		case LogFiles, DigestFiles, InsightsFiles, NetworkActivityFiles, AggregatedFiles:
			return false
		default: // a marker is empty
			return true
		}
	})
}

// atKey is a request to a key.
func atKey(k Key, t Trail, c policy.Context) RequestSet {
	return RequestSet{Resources: glob.KeySet{fixed(k.ARN)}, Resource: k.ARN, Caller: service(t.Partition()), Context: c}
}

// TopicRequirements returns what CloudTrail needs of the trail's topic, and, if it is
// encrypted with a key that is known, of this key. Without them files are delivered, and
// nobody is told of them.
//
// Source: "Amazon SNS topic policy for CloudTrail", cloudtrail-permissions-for-sns-notifications.html.
func TopicRequirements(t Trail, s Environment, topic string, k Key) []Requirement {
	out := []Requirement{{
		ID: TopicPublish, Action: "sns:Publish", Resource: topic,
		Sets: []RequestSet{{Resources: glob.KeySet{fixed(topic)}, Resource: topic, Caller: service(t.Partition()), Context: topicContext(t, s, topic)}},
	}}
	if k.ARN == "" {
		return out
	}
	context := topicKeyContext(t, s, topic, k)
	q := Requirement{ID: TopicKey, Action: "kms:GenerateDataKey", Resource: k.ARN}
	for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
		set := atKey(k, t, context)
		set.Action = action
		q.Sets = append(q.Sets, set)
	}
	return append(out, q)
}

// Request is one request of the set: for a resource, or with a value of the context key
// that varies.
func (r RequestSet) Request(action, text string) policy.Request {
	q := policy.Request{Caller: r.Caller, Action: action, Resource: text, Context: r.Context}
	if r.Action != "" {
		q.Action = r.Action
	}
	if r.Varies != "" {
		q.Resource, q.Context = r.Resource, r.Context.With(r.Varies, policy.Is(text))
	}
	return q
}

// ofARN is the region and account of an ARN.
func ofARN(text string) (region, account string) {
	a := arn.Split(text)
	return string(a.Region), string(a.Account)
}
