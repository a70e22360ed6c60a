package awsapi_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/guardrail/porttest"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	chainAccount = "111111111111"
	chainKey     = "arn:aws:kms:eu-west-1:" + chainAccount + ":key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
	enabledKey   = "arn:aws:kms:eu-west-1:" + chainAccount + ":key/3333aaaa-22bb-33cc-44dd-5555eeee6666"
	chainTopic   = "arn:aws:sns:eu-west-1:" + chainAccount + ":notices"
)

func chainOf(t *testing.T) (*awsfake.Server, *awsapi.Chain) {
	t.Helper()
	fake := awsfake.New(t, chainAccount, "us-east-1")
	fake.PutKey(awsfake.Key{
		Key:    trail.Key{ARN: chainKey, State: "Disabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER"},
		Policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*"}]}`, Alias: "alias/topics",
	})
	fake.PutKey(awsfake.Key{
		Key:    trail.Key{ARN: enabledKey, State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER"},
		Policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*"}]}`,
	})
	fake.PutTopic(trail.Topic{ARN: chainTopic, Policy: `{"Statement":[]}`, KMSKeyID: "alias/topics"})
	for name, setting := range map[string]string{"on": "on", "off": "off", "none": ""} {
		fake.PutBucket(awsfake.Bucket{Name: name, BucketKeys: setting, Region: "eu-west-1"})
	}
	return fake, awsapi.NewChain(awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: chainAccount}))
}

type chainFixture struct {
	at
	port guardrail.Chain
}

func (f chainFixture) Port() guardrail.Chain { return f.port }

func (f chainFixture) PutKey(_ testing.TB, k trail.Key, policy, alias string) {
	f.fake.PutKey(awsfake.Key{Key: k, Policy: policy, Alias: alias})
}

func (f chainFixture) PutTopic(_ testing.TB, topic trail.Topic) { f.fake.PutTopic(topic) }

func (f chainFixture) PutBucket(_ testing.TB, name string, bucketKeys bool) {
	setting := ""
	if bucketKeys {
		setting = "on"
	}
	f.fake.PutBucket(awsfake.Bucket{Name: name, Owner: account, Region: region, BucketKeys: setting})
}

func TestChainConforms(t *testing.T) {
	porttest.Chain(t, func(t *testing.T) porttest.ChainFixture {
		fake := awsfake.New(t, account, region)
		return chainFixture{at{fake}, awsapi.NewChain(clients(fake, ""))}
	})
}

// What cannot be read says why; a key that there is not is known to be gone.
func TestChainThatCannotBeRead(t *testing.T) {
	t.Parallel()
	fake, chain := chainOf(t)
	if k, _ := chain.Key(t.Context(), strings.Replace(chainKey, "1111aaaa", "2222aaaa", 1)); k.Unusable("") != "there is no such key" {
		t.Errorf("%+v", k)
	}
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "kms:GetKeyPolicy" || c.Operation == "sns:GetTopicAttributes" {
			return &awsfake.Fault{Status: 400, Code: "AccessDeniedException"}
		}
		return nil
	})
	if k, _ := chain.Key(t.Context(), chainKey); k.Policy != nil || !strings.Contains(k.Reason, "kms:GetKeyPolicy answers AccessDenied") || k.State != "Disabled" {
		t.Errorf("%+v", k)
	}
	if topic, _ := chain.Topic(t.Context(), chainTopic); topic.Document != nil || !strings.Contains(topic.Reason, "sns:GetTopicAttributes answers AccessDenied") {
		t.Errorf("%+v", topic)
	}
}

// What may pass is an error, so that it is asked again: it never reads as if there were no policy.
func TestChainThatMayPass(t *testing.T) {
	t.Parallel()
	for op, read := range map[string]func(*awsapi.Chain) error{
		"kms:GetKeyPolicy":       func(c *awsapi.Chain) error { _, err := c.Key(t.Context(), enabledKey); return err },
		"kms:DescribeKey":        func(c *awsapi.Chain) error { _, err := c.Key(t.Context(), enabledKey); return err },
		"sns:GetTopicAttributes": func(c *awsapi.Chain) error { _, err := c.Topic(t.Context(), chainTopic); return err },
		"s3:GetEncryptionConfiguration": func(c *awsapi.Chain) error {
			_, err := c.BucketKeys(t.Context(), guardrail.BucketRef{Name: "on", Account: chainAccount})
			return err
		},
	} {
		fake, chain := chainOf(t)
		if err := read(chain); err != nil {
			t.Errorf("%s: %v", op, err)
		}
		fake.Fail(func(c awsfake.Call) *awsfake.Fault {
			if c.Operation == op || op == "s3:GetEncryptionConfiguration" && c.Operation == "s3:GetBucketEncryption" {
				return &awsfake.Fault{Status: 500, Code: "InternalError"}
			}
			return nil
		})
		if err := read(chain); !guardrail.Is(err, guardrail.Transient) {
			t.Errorf("%s: %v", op, err)
		}
	}
	// A key that cannot encrypt is known to be broken, whatever its policy says.
	fake, chain := chainOf(t)
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "kms:GetKeyPolicy" {
			return &awsfake.Fault{Status: 500, Code: "InternalError"}
		}
		return nil
	})
	if k, err := chain.Key(t.Context(), chainKey); err != nil || k.Unusable("eu-west-1") != "it is disabled" {
		t.Errorf("%+v, %v", k, err)
	}
}

// What a topic or a trail names as its key is others' text: nothing is called by it that is no key of
// a region of AWS.
func TestChainCallsNoOtherHost(t *testing.T) {
	t.Parallel()
	fake, chain := chainOf(t)
	for _, name := range []string{
		"arn:aws:kms:evil.example/x:" + chainAccount + ":key/1", "arn:aws:kms:us-east-1@evil.example/:" + chainAccount + ":key/1",
		"arn:aws:kms::" + chainAccount + ":key/1", "arn:evil:kms:eu-west-1:" + chainAccount + ":key/1", "arn:aws:kms:eu-west-1:nobody:key/1",
		"arn:aws:s3:eu-west-1:" + chainAccount + ":key/1", "arn:aws:kms:eu-west-1:" + chainAccount + ":alias/x",
	} {
		before := len(fake.Calls())
		k, err := chain.TopicKey(t.Context(), trail.Topic{ARN: chainTopic, KMSKeyID: name})
		if err != nil || trail.IsAlias(name) != (k == nil) || k != nil && (k.Reason == "" || k.Policy != nil || len(fake.Calls()) > before) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
		if k, err := chain.Key(t.Context(), name); err != nil || k.Reason == "" || k.Policy != nil {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	if topic, err := chain.Topic(t.Context(), "arn:aws:sns:evil.example/x:"+chainAccount+":notices"); err != nil || topic.Reason == "" {
		t.Errorf("%+v, %v", topic, err)
	}
}

// An answer about another key, or none, is no answer; a code that is not known is judged by its status.
func TestChainDistrustsAnswers(t *testing.T) {
	t.Parallel()
	fake, chain := chainOf(t)
	fake.PutKey(awsfake.Key{Key: trail.Key{ARN: enabledKey}, Policy: `{"Statement":[]}`}) // no state
	if k, err := chain.Key(t.Context(), enabledKey); !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%+v, %v", k, err)
	}
	fake.Fail(func(awsfake.Call) *awsfake.Fault { return &awsfake.Fault{Status: 400, Code: "InvalidArnException"} })
	if k, err := chain.Key(t.Context(), chainKey); err != nil || !strings.Contains(k.Reason, "InvalidArnException") {
		t.Errorf("%+v, %v", k, err)
	}
}
