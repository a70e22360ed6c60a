package porttest

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// ChainFixture is an account with keys and topics.
type ChainFixture interface {
	// Port is what is tested.
	Port() guardrail.Chain
	Account() string
	Region() string
	// PutKey makes a key, with an alias or none, PutTopic a topic, and PutBucket a bucket of the
	// account whose default encryption uses S3 Bucket Keys, or has no such setting.
	PutKey(t testing.TB, k trail.Key, policy, alias string)
	PutTopic(t testing.TB, topic trail.Topic)
	PutBucket(t testing.TB, name string, bucketKeys bool)
}

// Chain runs the suite for guardrail.Chain. Each test gets an account without keys and topics.
func Chain(t *testing.T, empty func(t *testing.T) ChainFixture) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, ChainFixture){
		"a key in each state":                     readsKeys,
		"a key that is not there":                 missesKey,
		"policies that are none":                  distrustsPolicies,
		"a topic":                                 readsTopic,
		"the key of a topic, however it is named": readsTopicKey,
		"bucket keys":                             readsBucketKeys,
	} {
		t.Run(name, func(t *testing.T) { run(t, empty(t)) })
	}
}

const (
	keyID     = "1111aaaa-22bb-33cc-44dd-5555eeee6666"
	keyPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`
	noPolicy  = `not a policy`
)

func keyARN(f ChainFixture) string {
	return "arn:aws:kms:" + f.Region() + ":" + f.Account() + ":key/" + keyID
}

func topicARN(f ChainFixture) string {
	return "arn:aws:sns:" + f.Region() + ":" + f.Account() + ":cloudtrail-files"
}

func symmetric(f ChainFixture, state string) trail.Key {
	return trail.Key{
		ARN: keyARN(f), State: state, Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER", Origin: "AWS_KMS", MultiRegion: "false",
	}
}

func readsKeys(t *testing.T, f ChainFixture) {
	for _, state := range []string{"Enabled", "Disabled", "PendingDeletion", "PendingImport", "Unavailable"} {
		f.PutKey(t, symmetric(f, state), keyPolicy, "")
		k, err := f.Port().Key(t.Context(), keyARN(f))
		if err != nil || k.Key != symmetric(f, state) || k.Reason != "" || k.Policy == nil || k.Policy.Len() != 1 {
			t.Errorf("%s: %+v, %v", state, k, err)
		}
	}
}

func missesKey(t *testing.T, f ChainFixture) {
	k, err := f.Port().Key(t.Context(), keyARN(f))
	if err != nil || k.State != trail.KeyGone || k.ARN != keyARN(f) || k.Policy != nil {
		t.Errorf("%+v, %v", k, err)
	}
}

func distrustsPolicies(t *testing.T, f ChainFixture) {
	f.PutKey(t, symmetric(f, "Enabled"), noPolicy, "")
	f.PutTopic(t, trail.Topic{ARN: topicARN(f), Policy: noPolicy})
	k, err := f.Port().Key(t.Context(), keyARN(f))
	if err != nil || k.Policy != nil || k.Reason == "" || k.State != "Enabled" {
		t.Errorf("%+v, %v", k, err)
	}
	topic, err := f.Port().Topic(t.Context(), topicARN(f))
	if err != nil || topic.Document != nil || topic.Reason == "" {
		t.Errorf("%+v, %v", topic, err)
	}
}

func readsTopic(t *testing.T, f ChainFixture) {
	topic, err := f.Port().Topic(t.Context(), topicARN(f))
	if err != nil || topic.Document != nil || topic.Reason == "" || topic.ARN != topicARN(f) {
		t.Errorf("no topic: %+v, %v", topic, err)
	}
	want := trail.Topic{ARN: topicARN(f), Policy: `{"Version":"2012-10-17","Statement":[]}`}
	f.PutTopic(t, want)
	topic, err = f.Port().Topic(t.Context(), topicARN(f))
	if err != nil || topic.Topic != want || topic.Document == nil || topic.Reason != "" || topic.Key != nil {
		t.Errorf("%+v, %v", topic, err)
	}
}

func readsTopicKey(t *testing.T, f ChainFixture) {
	f.PutKey(t, symmetric(f, "Enabled"), keyPolicy, "alias/topics")
	for _, name := range []string{keyARN(f), keyID, "alias/topics"} {
		k, err := f.Port().TopicKey(t.Context(), trail.Topic{ARN: topicARN(f), KMSKeyID: name})
		if err != nil || k == nil || k.ARN != keyARN(f) || k.Policy == nil {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	if k, err := f.Port().TopicKey(t.Context(), trail.Topic{ARN: topicARN(f), KMSKeyID: "alias/nobodys"}); k != nil || err != nil {
		t.Errorf("an alias of nothing: %+v, %v", k, err)
	}
}

func readsBucketKeys(t *testing.T, f ChainFixture) {
	f.PutBucket(t, "acme-logs-with", true)
	f.PutBucket(t, "acme-logs-without", false)
	for name, want := range map[string]trail.Switch{"acme-logs-with": trail.On, "acme-logs-without": trail.Off, "acme-logs-gone": ""} {
		got, err := f.Port().BucketKeys(t.Context(), guardrail.BucketRef{Name: name, Account: f.Account(), Region: f.Region()})
		if got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
