package e2e

import (
	"strings"
	"testing"
	"time"
)

// Statements of keys and topics, as AWS documents them.
const (
	keyOwner   = `{"Sid":"EnableIAMUserPermissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"}`
	keyEncrypt = `{"Sid":"AllowCloudTrailToEncryptLogs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:GenerateDataKey*","Resource":"*",
  "Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"},"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:` + account + `:trail/*"}}}`
	keyDescribe = `{"Sid":"AllowCloudTrailToDescribeKey","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:DescribeKey","Resource":"*"}`
	keyDeny     = `{"Sid":"OnlyThePlatformTeam","Effect":"Deny","Principal":"*","Action":["kms:Encrypt","kms:GenerateDataKey*"],"Resource":"*",
  "Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::` + account + `:role/platform-*"}}}`
	filesTopic = "arn:aws:sns:" + region + ":" + account + ":cloudtrail-files"
	topicGrant = `{"Sid":"AWSCloudTrailSNSPolicy","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"` + filesTopic + `",
  "Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"}}}`
)

// createKey makes a KMS key with a policy and returns its ARN.
func createKey(t *testing.T, policy string) string {
	t.Helper()
	var made struct{ KeyMetadata struct{ Arn string } }
	decode(t, ask(t, "kms", "CreateKey", object{"Policy": policy}), &made)
	return made.KeyMetadata.Arn
}

// keyID is the id in a key's ARN: moto takes no ARN where the state of a key is changed.
func keyID(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// ofKey makes an event one of a key.
func ofKey(arn string) func(object) {
	return func(detail object) {
		detail["requestParameters"].(object)["keyId"] = keyID(arn)
		detail["resources"] = []any{object{"accountId": account, "type": "AWS::KMS::Key", "ARN": arn}}
	}
}

// sealed is an account whose trail has a key and a topic, and all of it in order. It returns the
// key's ARN.
func (w *world) sealed() string {
	w.t.Helper()
	key := createKey(w.t, policy(keyOwner, keyEncrypt, keyDescribe))
	sns(w.t, "CreateTopic", map[string]string{"Name": "cloudtrail-files"})
	w.topicPolicy(policy(topicGrant))
	createBucket(w.t, bucket)
	putPolicy(w.t, bucket, documented())
	createTrail(w.t, object{
		"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true, "EnableLogFileValidation": true, "KmsKeyId": key, "SnsTopicName": "cloudtrail-files",
	})
	return key
}

func (w *world) topicPolicy(text string) {
	w.t.Helper()
	sns(w.t, "SetTopicAttributes", map[string]string{"TopicArn": filesTopic, "AttributeName": "Policy", "AttributeValue": text})
}

// A key that is disabled or waits for deletion, whose policy loses CloudTrail or denies it, is told
// with its event at the functions themselves, once, and resolved with the event that mends it, once.
// The bucket is opted in, and nothing is written.
func TestBrokenKey(t *testing.T) {
	w := deploy(t, restoring(bucket))
	key := w.sealed()
	w.sweeps()
	w.told()
	w.calls()
	put := func(statements ...string) func() {
		return func() {
			ask(t, "kms", "PutKeyPolicy", object{"KeyId": key, "PolicyName": "default", "Policy": policy(statements...)})
		}
	}
	call := func(operation string, more ...any) func() {
		in := object{"KeyId": keyID(key)}
		for i := 0; i+1 < len(more); i += 2 {
			in[more[i].(string)] = more[i+1]
		}
		return func() { ask(t, "kms", operation, in) }
	}
	for _, test := range []struct {
		breaks       string
		does         func()
		finding      string
		says         []string
		mends        string
		setsRight    func()
		afterwards   func()
		afterwardsBy string
	}{
		{"disable-key", call("DisableKey"), "key-unusable", []string{"it is disabled", "aws kms enable-key"}, "enable-key", call("EnableKey"), nil, ""},
		{
			"schedule-key-deletion", call("ScheduleKeyDeletion", "PendingWindowInDays", 7), "key-unusable",
			[]string{"deletion"},
			"cancel-key-deletion", call("CancelKeyDeletion"), call("EnableKey"), "enable-key",
		},
		{
			"put-key-policy", put(keyOwner), "key-encrypt-denied",
			[]string{"no statement allows kms:GenerateDataKey"},
			"put-key-policy", put(keyOwner, keyEncrypt, keyDescribe), nil, "",
		},
		{
			"put-key-policy", put(keyOwner, keyEncrypt, keyDescribe, keyDeny), "key-encrypt-denied",
			[]string{"OnlyThePlatformTeam", "Deny"},
			"put-key-policy", put(keyOwner, keyEncrypt, keyDescribe), nil, "",
		},
	} {
		t.Log(test.breaks, test.finding)
		test.does()
		broken := sample(t, test.breaks, ofKey(key))
		w.comes(broken)
		w.told("opened")[0].says(t, append(test.says, "CRITICAL", test.finding, key, trailARN, "dana@acme.example", "blocked")...)
		w.comes(broken)
		w.sweeps()
		w.told()
		test.setsRight()
		mended := sample(t, test.mends, ofKey(key))
		w.comes(mended)
		if test.afterwards != nil { // what was to be deleted is disabled still
			w.told()
			test.afterwards()
			mended = sample(t, test.afterwardsBy, ofKey(key))
			w.comes(mended)
		}
		w.told("resolved")
		w.comes(mended)
		w.sweeps()
		w.told()
	}
	w.writes(0)
	w.delivers()
}

// A sweep finds a broken key without an event; and the key of nobody costs no call of CloudTrail and
// none of KMS.
func TestBrokenKeyWithoutEvent(t *testing.T) {
	w := deploy(t)
	key := w.sealed()
	w.sweeps()
	ask(t, "kms", "DisableKey", object{"KeyId": keyID(key)})
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "key-unusable", key, "no event told of the change")
	ask(t, "kms", "EnableKey", object{"KeyId": keyID(key)})
	w.sweeps()
	w.sweeps()
	w.told("resolved")

	other := createKey(t, policy(keyOwner))
	w.calls()
	w.happens("disable-key", ofKey(other))
	w.happens("put-key-policy", ofKey(strings.Replace(other, "/", "/f", 1)))
	w.happens("set-topic-attributes", parameter("topicArn", topicARN))
	calls := w.calls()
	for op := range calls {
		if !strings.HasPrefix(op, "dynamodb:") {
			t.Errorf("events of keys and topics of others cost %v", calls)
		}
	}
	w.told()
}

// A topic that CloudTrail may not tell any more stops no file: the verdict stays, and it is told where
// weaknesses of its severity are.
func TestFailingTopic(t *testing.T) {
	w := deploy(t, with("ALERT_SEVERITY", "MEDIUM"))
	w.sealed()
	w.sweeps()
	w.told()
	w.topicPolicy(policy(strings.ReplaceAll(topicGrant, "trail/main", "trail/another")))
	set := sample(t, "set-topic-attributes")
	w.comes(set)
	w.comes(set)
	w.sweeps()
	w.told("opened")[0].says(t, "MEDIUM", "notification-failing", "delivering", "AWSCloudTrailSNSPolicy")
	w.topicPolicy(policy(topicGrant))
	w.happens("set-topic-attributes")
	w.sweeps()
	w.told("resolved")
}

// The keys and topics are read in the round of the bucket's reads, and once.
func TestWhatAKeyCosts(t *testing.T) {
	w := deploy(t)
	key := w.sealed()
	w.sweeps()
	w.calls()
	w.happens("put-key-policy", ofKey(key))
	calls := w.calls()
	for op, want := range map[string]int{
		"kms:DescribeKey": 1, "kms:GetKeyPolicy": 1, "sns:GetTopicAttributes": 1, "s3:GetBucketEncryption": 1, "s3:GetBucketPolicy": 1, "cloudtrail:GetTrailStatus": 1,
	} {
		if calls[op] != want {
			t.Errorf("%s: %d calls, want %d of %v", op, calls[op], want, calls)
		}
	}
	w.told()
	w.happens("put-bucket-encryption")
	if calls := w.calls(); calls["kms:DescribeKey"] != 1 {
		t.Errorf("%v", calls)
	}
}

// A key that may not be read is not fine; it is told where nothing shows that files arrive.
func TestUnreadableKey(t *testing.T) {
	w := deploy(t)
	w.sealed()
	w.sweeps()
	w.breaks(func(c apiCall) *failure {
		if c.Op == "kms:GetKeyPolicy" {
			return &failure{Status: 400, Code: "AccessDeniedException"}
		}
		return nil
	})
	if answer := w.sweeps(); len(answer.Buckets) != 1 || answer.Buckets[0].Verdict != "undetermined" {
		t.Errorf("%+v", answer)
	}
	w.told() // moto makes up a delivery of now
	shared.aws.mu.Lock()
	shared.aws.status = object{
		"IsLogging": true, "StartLoggingTime": time.Now().Add(-400 * time.Hour).Unix(), "LatestDeliveryAttemptTime": "", "LatestDeliveryAttemptSucceeded": "",
	}
	shared.aws.mu.Unlock()
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "key-unreadable", "AccessDenied")
}
