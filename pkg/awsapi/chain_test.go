package awsapi_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	chainAccount = "111111111111"
	chainKey     = "arn:aws:kms:eu-west-1:" + chainAccount + ":key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
	chainTopic   = "arn:aws:sns:eu-west-1:" + chainAccount + ":notices"
)

func chainOf(t *testing.T) (*awsfake.Server, *awsapi.Chain) {
	t.Helper()
	fake := awsfake.New(t, chainAccount, "us-east-1")
	fake.PutKey(awsfake.Key{
		Key:    trail.Key{ARN: chainKey, State: "Disabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER"},
		Policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*"}]}`, Alias: "alias/topics",
	})
	fake.PutTopic(trail.Topic{ARN: chainTopic, Policy: `{"Statement":[]}`, KMSKeyID: "alias/topics"})
	for name, setting := range map[string]string{"on": "on", "off": "off", "none": ""} {
		fake.PutBucket(awsfake.Bucket{Name: name, BucketKeys: setting, Region: "eu-west-1"})
	}
	return fake, awsapi.NewChain(awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: chainAccount}))
}

// A key is read in its region, in every state, and once.
func TestChainReadsKey(t *testing.T) {
	t.Parallel()
	fake, chain := chainOf(t)
	for range 2 {
		k := chain.Key(t.Context(), chainKey)
		if k.Unusable("eu-west-1") != "it is disabled" || k.Policy == nil || k.Policy.Dialect().Name != "KMS" || k.Reason != "" {
			t.Errorf("%+v", k)
		}
	}
	if calls := len(fake.Calls()); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// What cannot be read says why; a key that there is not is known to be gone.
func TestChainThatCannotBeRead(t *testing.T) {
	t.Parallel()
	fake, chain := chainOf(t)
	if k := chain.Key(t.Context(), strings.Replace(chainKey, "1111aaaa", "2222aaaa", 1)); k.Unusable("") != "there is no such key" {
		t.Errorf("%+v", k)
	}
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "kms:GetKeyPolicy" || c.Operation == "sns:GetTopicAttributes" {
			return &awsfake.Fault{Status: 400, Code: "AccessDeniedException"}
		}
		return nil
	})
	if k := chain.Key(t.Context(), chainKey); k.Policy != nil || !strings.Contains(k.Reason, "kms:GetKeyPolicy answers AccessDenied") || k.State != "Disabled" {
		t.Errorf("%+v", k)
	}
	if topic := chain.Topic(t.Context(), chainTopic); topic.Document != nil || !strings.Contains(topic.Reason, "sns:GetTopicAttributes answers AccessDenied") {
		t.Errorf("%+v", topic)
	}
}

func TestChainReadsTopicAndItsKey(t *testing.T) {
	t.Parallel()
	_, chain := chainOf(t)
	topic := chain.Topic(t.Context(), chainTopic)
	if topic.Document == nil || topic.KMSKeyID != "alias/topics" {
		t.Fatalf("%+v", topic)
	}
	if k, ok := chain.TopicKey(t.Context(), topic.Topic); !ok || k.ARN != chainKey || k.Policy == nil {
		t.Errorf("%+v", k)
	}
	topic.KMSKeyID = "1111aaaa-22bb-33cc-44dd-5555eeee6666"
	if k, ok := chain.TopicKey(t.Context(), topic.Topic); !ok || k.ARN != chainKey {
		t.Errorf("%+v", k)
	}
	topic.KMSKeyID = "alias/none"
	if k, ok := chain.TopicKey(t.Context(), topic.Topic); ok {
		t.Errorf("%+v", k)
	}
}

func TestChainReadsBucketKeys(t *testing.T) {
	t.Parallel()
	_, chain := chainOf(t)
	for name, want := range map[string]trail.Switch{"on": trail.On, "off": trail.Off, "none": trail.Off, "gone": ""} {
		if got := chain.BucketKeys(t.Context(), guardrail.BucketRef{Name: name, Account: chainAccount}); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
