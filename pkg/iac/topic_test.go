package iac_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// The statements of AWS's page "Amazon SNS topic policy for CloudTrail", in the forms of a template.
const (
	publishRef = `{Sid: AWSCloudTrailSNSPolicy20131101, Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "SNS:Publish", Resource: !Ref Topic, ` +
		`Condition: {StringEquals: {"aws:SourceArn": !Sub "arn:aws:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/main"}}}`
	topicKeyStatement = `{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: ["kms:GenerateDataKey*", "kms:Decrypt"], Resource: "*"}`
	// logKeyStatement is AWS's for log files: it asks for what requests for a topic have not.
	logKeyStatement = `{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: ["kms:GenerateDataKey*", "kms:Decrypt"], Resource: "*", ` +
		`Condition: {StringLike: {"kms:EncryptionContext:aws:cloudtrail:arn": !Sub "arn:aws:cloudtrail:*:${AWS::AccountId}:trail/*"}}}`
	rootStatement = `{Sid: Root, Effect: Allow, Action: "kms:*", Resource: "*", Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}}`
)

// topicTemplate is a stack with a trail, its bucket as documented, and its topic.
func topicTemplate(topic, policies, trail string) string {
	return `
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:GetBucketAcl", Resource: !GetAtt Bucket.Arn}
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:PutObject", Resource: !Sub "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"}
  Topic:
    Type: AWS::SNS::Topic
    Properties: ` + topic + `
` + policies + `
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: [BucketPolicy, TopicPolicy]
    Properties: {TrailName: main, S3BucketName: !Ref Bucket, IsLogging: true, ` + trail + `}
`
}

func topicPolicy(topics string, statements ...string) string {
	return `
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: ` + topics + `
      PolicyDocument: {Version: "2012-10-17", Statement: [` + strings.Join(statements, ", ") + `]}
`
}

func keyResource(statements ...string) string {
	return `
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Version: "2012-10-17", Statement: [` + strings.Join(statements, ", ") + `]}
`
}

func TestTopicOfTemplate(t *testing.T) {
	policy := topicPolicy("[!Ref Topic]", publishRef)
	const named = "SnsTopicName: !GetAtt Topic.TopicName"
	tests := map[string]struct {
		topic, policies, trail string
		notification           delivery.Verdict
		unseen                 string
		says                   string
	}{
		"as documented":      {"{}", policy, named, delivery.Delivering, "", ""},
		"by its ARN":         {"{}", policy, "SnsTopicName: !Ref Topic", delivery.Delivering, "", ""},
		"by its name":        {"{TopicName: alerts}", policy, "SnsTopicName: alerts", delivery.Delivering, "", ""},
		"by a name with Sub": {`{TopicName: !Sub "${AWS::StackName}-alerts"}`, policy, named, delivery.Delivering, "", ""},
		"what SNS gives it":  {"{}", "", named, delivery.Blocked, "", "cannot be made so: CloudTrail tells the topic"},
		"another's statement": {
			"{}", topicPolicy("[!Ref Topic]", strings.ReplaceAll(publishRef, "cloudtrail.amazonaws.com", "s3.amazonaws.com")), named,
			delivery.Blocked, "", "sns:Publish",
		},
		"another trail's":    {"{}", topicPolicy("[!Ref Topic]", strings.ReplaceAll(publishRef, "trail/main", "trail/other")), named, delivery.Blocked, "", "aws:SourceArn"},
		"another topic's":    {"{}", topicPolicy("[!Ref Other]", publishRef) + "\n  Other: {Type: AWS::SNS::Topic}", named, delivery.Blocked, "", ""},
		"of two":             {"{}", topicPolicy("[!Ref Other, !Ref Topic]", publishRef) + "\n  Other: {Type: AWS::SNS::Topic}", named, delivery.Delivering, "", ""},
		"of nobody knows":    {"{}", topicPolicy("[!ImportValue alerts]", publishRef), named, delivery.Undetermined, "topic", ""},
		"elsewhere":          {"{}", policy, "SnsTopicName: !ImportValue alerts", delivery.Undetermined, "topic", ""},
		"an unknown service": {"{}", topicPolicy("[!Ref Topic]", strings.ReplaceAll(publishRef, "cloudtrail.amazonaws.com", "!ImportValue service")), named, delivery.Undetermined, "topic", ""},
		"two policies": {
			"{}", policy + strings.Replace(policy, "TopicPolicy:", "More:", 1), named, delivery.Undetermined, "topic", "",
		},
		"encrypted, as documented": {"{KmsMasterKeyId: !GetAtt Key.Arn}", policy + keyResource(rootStatement, topicKeyStatement), named, delivery.Delivering, "", ""},
		"encrypted, by id":         {"{KmsMasterKeyId: !Ref Key}", policy + keyResource(rootStatement, topicKeyStatement), named, delivery.Delivering, "", ""},
		"encrypted, CDK's key":     {"{KmsMasterKeyId: !GetAtt Key.Arn}", policy + keyResource(rootStatement), named, delivery.Blocked, "", "kms:GenerateDataKey"},
		"one key for both": {
			"{KmsMasterKeyId: !GetAtt Key.Arn}", policy + keyResource(rootStatement, logKeyStatement), named + ", KMSKeyId: !GetAtt Key.Arn",
			delivery.Blocked, "", "One key serves the log files and the topic",
		},
		"the key of AWS": {"{KmsMasterKeyId: alias/aws/sns}", policy, named, delivery.Blocked, "", "managed by AWS"},
		"a key elsewhere": {
			"{KmsMasterKeyId: arn:aws:kms:us-east-1:111111111111:key/1}", policy, named, delivery.Delivering, "topic-key", "",
		},
		"no topic": {"{}", policy, "IsMultiRegionTrail: true", "", "", ""},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := cfn.Read([]byte(topicTemplate(c.topic, c.policies, c.trail)), cfn.Options{Region: "us-east-1"})
			r := assess(t, in, err)
			first := r.Trails[0]
			if first.Notification != c.notification || strings.Join(first.NotLookedAt, " ") != c.unseen || r.After != delivery.Delivering {
				t.Errorf("%s, notification %q, not looked at %q: %+v", r.After, first.Notification, first.NotLookedAt, r.Findings)
			}
			text := fmt.Sprintf("%+v", r.Findings)
			if !strings.Contains(text, c.says) || strings.Contains(text, "stand-in") || (c.notification == delivery.Blocked) != strings.Contains(text, "notification-failing") {
				t.Errorf("%s", text)
			}
		})
	}
}

// A template in the place of another: the policy of the topic is taken away.
func TestTopicPolicyIsTakenAway(t *testing.T) {
	read := func(policies string) iac.Input {
		in, err := cfn.Read([]byte(topicTemplate("{}", policies, "SnsTopicName: !Ref Topic")), cfn.Options{Region: "us-east-1", Account: "111111111111"})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	policy := topicPolicy("[!Ref Topic]", publishRef)
	for name, c := range map[string]struct {
		before, after string
		want          string
		news          bool
	}{
		"taken away":            {policy, "", "delivering blocked", true},
		"taken away, and stays": {strings.Replace(policy, "    Type:", "    DeletionPolicy: Retain\n    Type:", 1), "", "delivering delivering", false},
		"given":                 {"", policy, "blocked delivering", false},
		"as it was":             {policy, policy, "delivering delivering", false},
		"broken as it was":      {"", "", "blocked blocked", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := assess(t, cfn.Between(read(c.before), read(c.after)), nil)
			first := r.Trails[0]
			if got := string(first.NotificationBefore) + " " + string(first.Notification); got != c.want || r.Change != iac.Unchanged || r.News != c.news {
				t.Errorf("%s, %s, news %v: %+v", got, r.Change, r.News, r.Findings)
			}
			if strings.Contains(fmt.Sprint(r.Findings), "cannot be made so") {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

const (
	topicARN    = "arn:aws:sns:us-east-1:111122223333:cloudtrail-alerts"
	sourceOwner = `{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + topicARN +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}`
	publish = `{"Sid":"AWSCloudTrailSNSPolicy","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"` + topicARN + `"}`
)

func policyText(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// resourceChange is a change as "terraform show -json" prints it, with the attributes that the AWS
// provider has.
func resourceChange(address string, actions []string, before, after, unknown map[string]any) map[string]any {
	kind, name, _ := strings.Cut(address, ".")
	change := map[string]any{"actions": actions, "before": nil, "after": nil, "after_unknown": map[string]any{}, "before_sensitive": false, "after_sensitive": false}
	if before != nil {
		change["before"] = before
	}
	if after != nil {
		change["after"] = after
	}
	if unknown != nil {
		change["after_unknown"] = unknown
	}
	return map[string]any{
		"address": address, "mode": "managed", "type": kind, "name": name,
		"provider_name": "registry.terraform.io/hashicorp/aws", "change": change,
	}
}

func topicValues(policy, key string) map[string]any {
	v := map[string]any{
		"application_failure_feedback_role_arn": "", "arn": topicARN, "content_based_deduplication": false, "delivery_policy": "", "display_name": "",
		"fifo_topic": false, "id": topicARN, "kms_master_key_id": key, "name": "cloudtrail-alerts", "name_prefix": "", "owner": "111122223333",
		"policy": policy, "region": "us-east-1", "signature_version": 0, "tags": nil, "tags_all": map[string]any{}, "tracing_config": "",
	}
	return v
}

func topicPolicyValues(policy string) map[string]any {
	return map[string]any{"arn": topicARN, "id": topicARN, "owner": "111122223333", "policy": policy, "region": "us-east-1"}
}

// topicPlan is a plan of a trail that stays, with changes of its topic.
func topicPlan(t *testing.T, trail map[string]any, more ...map[string]any) string {
	t.Helper()
	bucketPolicy := policyText(`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],` +
		`"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}`)
	same := func(address string, values map[string]any) map[string]any {
		return resourceChange(address, []string{"no-op"}, values, values, nil)
	}
	changes := []map[string]any{
		same("aws_s3_bucket.logs", map[string]any{"bucket": "logs", "region": "us-east-1", "id": "logs", "arn": "arn:aws:s3:::logs"}),
		same("aws_s3_bucket_policy.logs", map[string]any{"bucket": "logs", "id": "logs", "policy": bucketPolicy}),
		trail,
	}
	text, err := json.Marshal(map[string]any{
		"format_version": "1.2", "terraform_version": "1.12.0", "complete": true, "resource_changes": append(changes, more...),
		"configuration": map[string]any{
			"provider_config": map[string]any{"aws": map[string]any{"name": "aws", "expressions": map[string]any{"region": map[string]any{"constant_value": "us-east-1"}}}},
			"root_module": map[string]any{"resources": []any{
				map[string]any{
					"address": "aws_sns_topic.alerts", "mode": "managed", "type": "aws_sns_topic", "name": "alerts", "provider_config_key": "aws",
					"expressions": map[string]any{"name": map[string]any{"constant_value": "cloudtrail-alerts"}},
				},
				map[string]any{
					"address": "aws_sns_topic_policy.alerts", "mode": "managed", "type": "aws_sns_topic_policy", "name": "alerts", "provider_config_key": "aws",
					"expressions": map[string]any{
						"arn":    map[string]any{"references": []string{"aws_sns_topic.alerts.arn", "aws_sns_topic.alerts"}},
						"policy": map[string]any{"references": []string{"aws_sns_topic.alerts.arn", "aws_sns_topic.alerts"}},
					},
				},
				map[string]any{
					"address": "aws_cloudtrail.main", "mode": "managed", "type": "aws_cloudtrail", "name": "main", "provider_config_key": "aws",
					"expressions": map[string]any{"sns_topic_name": map[string]any{"references": []string{"aws_sns_topic.alerts.name", "aws_sns_topic.alerts"}}},
				},
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func trailValues(topic string) map[string]any {
	const at = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
	return map[string]any{
		"arn": at, "id": at, "name": "main", "home_region": "us-east-1", "s3_bucket_name": "logs", "s3_key_prefix": "", "kms_key_id": "",
		"enable_logging": true, "is_multi_region_trail": true, "enable_log_file_validation": false, "sns_topic_name": topic, "sns_topic_arn": topicARN,
	}
}

func TestTopicOfPlan(t *testing.T) {
	trail := resourceChange("aws_cloudtrail.main", []string{"no-op"}, trailValues("cloudtrail-alerts"), trailValues("cloudtrail-alerts"), nil)
	byARN := resourceChange("aws_cloudtrail.main", []string{"no-op"}, trailValues(topicARN), trailValues(topicARN), nil)
	fine, broken := policyText(publish), policyText(sourceOwner)
	topic := func(before, after, keyBefore, keyAfter string) map[string]any {
		action := "update"
		if before == after && keyBefore == keyAfter {
			action = "no-op"
		}
		return resourceChange("aws_sns_topic.alerts", []string{action}, topicValues(before, keyBefore), topicValues(after, keyAfter), nil)
	}
	policy := func(action string, before, after map[string]any) map[string]any {
		return resourceChange("aws_sns_topic_policy.alerts", []string{action}, before, after, nil)
	}
	tests := map[string]struct {
		changes []map[string]any
		want    string // notification before and after
		unseen  string
		finding string
	}{
		"the statement is taken out": {[]map[string]any{trail, topic(fine, broken, "", "")}, "delivering blocked", "", "notification-failing"},
		"by the ARN":                 {[]map[string]any{byARN, topic(fine, broken, "", "")}, "delivering blocked", "", "notification-failing"},
		"it is put in":               {[]map[string]any{trail, topic(broken, fine, "", "")}, "blocked delivering", "", ""},
		"the statement is taken out of a resource": {[]map[string]any{trail, topic(fine, fine, "", ""), policy("update", topicPolicyValues(fine), topicPolicyValues(broken))}, "delivering blocked", "", "notification-failing"},
		"the resource is taken away":               {[]map[string]any{trail, topic(fine, fine, "", ""), policy("delete", topicPolicyValues(fine), nil)}, "delivering blocked", "", "notification-failing"},
		"it is encrypted with AWS's key":           {[]map[string]any{trail, topic(fine, fine, "", "alias/aws/sns")}, "delivering blocked", "", "managed by AWS"},
		"it is encrypted with another's key":       {[]map[string]any{trail, topic(fine, fine, "", planKey)}, "delivering delivering", "topic-key", ""},
		"the topic is elsewhere":                   {[]map[string]any{trail}, "undetermined undetermined", "topic", ""},
		"what will be is not known": {
			[]map[string]any{trail, resourceChange("aws_sns_topic.alerts", []string{"update"}, topicValues(fine, ""), topicValues("", ""), map[string]any{"policy": true})},
			"delivering undetermined", "topic", "",
		},
		"a key without CloudTrail": {
			[]map[string]any{trail, topic(fine, fine, "", planKey), resourceChange("aws_kms_key.alerts", []string{"no-op"},
				map[string]any{"arn": planKey, "key_id": planKey, "is_enabled": true, "policy": policyText(planRoot)},
				map[string]any{"arn": planKey, "key_id": planKey, "is_enabled": true, "policy": policyText(planRoot)}, nil)},
			"delivering blocked", "", "notification-failing",
		},
		"a key with CloudTrail": {
			[]map[string]any{trail, topic(fine, fine, "", planKey), resourceChange("aws_kms_key.alerts", []string{"no-op"},
				map[string]any{"arn": planKey, "key_id": planKey, "is_enabled": true, "policy": policyText(planRoot, planTrail)},
				map[string]any{"arn": planKey, "key_id": planKey, "is_enabled": true, "policy": policyText(planRoot, planTrail)}, nil)},
			"delivering delivering", "", "",
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := tfplan.Read(strings.NewReader(topicPlan(t, c.changes[0], c.changes[1:]...)), tfplan.Options{})
			r := assess(t, in, err)
			first := r.Trails[0]
			if got := string(first.NotificationBefore) + " " + string(first.Notification); got != c.want || strings.Join(first.NotLookedAt, " ") != c.unseen {
				t.Errorf("%s, not looked at %q: %+v", got, first.NotLookedAt, r.Findings)
			}
			if text := fmt.Sprint(r.Findings); r.Change != iac.Unchanged || !strings.Contains(text, c.finding) {
				t.Errorf("%s: %s", r.Change, text)
			}
		})
	}
}

// Of several instances of a resource the one is meant that is named.
func TestTopicOfAnIndex(t *testing.T) {
	values := func(name, policy string) map[string]any {
		at := "arn:aws:sns:us-east-1:111122223333:" + name
		return map[string]any{"arn": at, "id": at, "name": name, "policy": strings.ReplaceAll(policy, topicARN, at), "kms_master_key_id": ""}
	}
	fine, broken := values("fine", policyText(publish)), values("broken", policyText(sourceOwner))
	instance := func(index int, values map[string]any) map[string]any {
		c := resourceChange("aws_sns_topic.alerts", []string{"no-op"}, values, values, nil)
		c["address"], c["index"] = fmt.Sprintf("aws_sns_topic.alerts[%d]", index), index
		return c
	}
	after := trailValues("")
	delete(after, "sns_topic_name")
	trail := resourceChange("aws_cloudtrail.main", []string{"update"}, trailValues("fine"), after, map[string]any{"sns_topic_name": true})
	for references, want := range map[string]delivery.Verdict{
		`"aws_sns_topic.alerts[0].name","aws_sns_topic.alerts[0]","aws_sns_topic.alerts"`: delivery.Delivering,
		`"aws_sns_topic.alerts[1].name","aws_sns_topic.alerts[1]","aws_sns_topic.alerts"`: delivery.Blocked,
		`"aws_sns_topic.alerts"`: delivery.Undetermined,
		`"aws_sns_topic.alerts[0].name","aws_sns_topic.alerts[0]","aws_sns_topic.alerts","var.other"`: delivery.Undetermined,
	} {
		text := strings.Replace(topicPlan(t, trail, instance(0, fine), instance(1, broken)), `"aws_sns_topic.alerts.name","aws_sns_topic.alerts"`, references, 1)
		in, err := tfplan.Read(strings.NewReader(text), tfplan.Options{})
		if r := assess(t, in, err); r.Trails[0].Notification != want || r.Trails[0].NotificationBefore != delivery.Delivering {
			t.Errorf("%s: %s, then %s, want %s", references, r.Trails[0].NotificationBefore, r.Trails[0].Notification, want)
		}
	}
}

// A topic that is made with its trail has no ARN yet. Without a policy it has what SNS gives it; what is
// made of its ARN is known after the change only.
func TestTopicThatIsMade(t *testing.T) {
	after := trailValues("")
	delete(after, "arn")
	delete(after, "sns_topic_name")
	delete(after, "sns_topic_arn")
	trail := resourceChange("aws_cloudtrail.main", []string{"create"}, nil, after, map[string]any{"arn": true, "id": true, "sns_topic_arn": true, "sns_topic_name": true})
	topic := resourceChange("aws_sns_topic.alerts", []string{"create"}, nil, map[string]any{"name": "cloudtrail-alerts", "fifo_topic": false, "kms_master_key_id": nil},
		map[string]any{"arn": true, "id": true, "owner": true, "policy": true})
	policy := resourceChange("aws_sns_topic_policy.alerts", []string{"create"}, nil, map[string]any{}, map[string]any{"arn": true, "id": true, "owner": true, "policy": true})
	for name, c := range map[string]struct {
		changes []map[string]any
		want    delivery.Verdict
		says    string
	}{
		"alone":            {[]map[string]any{topic}, delivery.Blocked, "cannot be made so: CloudTrail tells the topic"},
		"with its policy":  {[]map[string]any{topic, policy}, delivery.Undetermined, ""},
		"with AWS's key":   {[]map[string]any{resourceChange("aws_sns_topic.alerts", []string{"create"}, nil, map[string]any{"name": "cloudtrail-alerts", "kms_master_key_id": "alias/aws/sns", "policy": policyText(publish)}, map[string]any{"arn": true, "id": true})}, delivery.Blocked, "managed by AWS"},
		"with a policy in": {[]map[string]any{resourceChange("aws_sns_topic.alerts", []string{"create"}, nil, map[string]any{"name": "cloudtrail-alerts", "policy": policyText(publish)}, map[string]any{"arn": true, "id": true})}, delivery.Delivering, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := tfplan.Read(strings.NewReader(topicPlan(t, trail, c.changes...)), tfplan.Options{Account: "111122223333"})
			r := assess(t, in, err)
			if text := fmt.Sprint(r.Findings); r.Trails[0].Notification != c.want || !strings.Contains(text, c.says) || strings.Contains(text, "stand-in") {
				t.Errorf("%q: %s", r.Trails[0].Notification, text)
			}
		})
	}
}
