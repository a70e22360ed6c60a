package iac_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// template is a stack as CDK makes it of a trail with new kms.Key(): the bucket's policy is as
// AWS documents it. In its key policy is a further statement.
func template(more string) string {
	return `
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Sid: Root, Effect: Allow, Action: "kms:*", Resource: "*", Principal: {AWS: !Join ["", ["arn:", !Ref "AWS::Partition", ":iam::", !Ref "AWS::AccountId", ":root"]]}}
          ` + more + `
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:GetBucketAcl", Resource: !GetAtt Bucket.Arn}
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:PutObject", Resource: !Sub "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties: {S3BucketName: !Ref Bucket, IsLogging: true, KMSKeyId: !GetAtt Key.Arn}
`
}

func assess(t *testing.T, in iac.Input, err error) iac.BucketReport {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	reports := iac.Assess(in, iac.Setting{Now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)})
	if len(reports) != 1 {
		t.Fatalf("%d buckets: %+v", len(reports), reports)
	}
	return reports[0]
}

// The key of CDK has the account's root only: the trail cannot be made, and the message says what
// is missing and names the key as the template does.
func TestKeyOfTemplate(t *testing.T) {
	for name, c := range map[string]struct {
		more    string
		verdict delivery.Verdict
		unseen  int
	}{
		"root only": {"", delivery.Blocked, 0},
		"as documented": {
			`- {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: ["kms:GenerateDataKey*", "kms:DescribeKey"], Resource: "*"}`,
			delivery.Delivering, 0,
		},
		"something of the policy is not known": {
			`- {Effect: Allow, Principal: {Service: !ImportValue service}, Action: "kms:*", Resource: "*"}`, delivery.Delivering, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := cfn.Read([]byte(template(c.more)), cfn.Options{})
			r := assess(t, in, err)
			if r.After != c.verdict || len(r.Trails[0].NotLookedAt) != c.unseen {
				t.Errorf("%s, not looked at %v", r.After, r.Trails[0].NotLookedAt)
			}
			if text := fmt.Sprint(r.Findings); c.verdict == delivery.Blocked && (!strings.Contains(text, "<Key>") ||
				!strings.Contains(text, "kms:GenerateDataKey") || !strings.Contains(text, "cannot be made so") || strings.Contains(text, "stand-in")) {
				t.Errorf("%s", text)
			}
		})
	}
}

const (
	planKey   = "arn:aws:kms:us-east-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
	planRoot  = `{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
	planTrail = `{"Sid":"CloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:*","Resource":"*"}`
)

// plan is a plan that changes a key, by its own policy or by a resource that gives it one.
func plan(t *testing.T, before, after map[string]any, byResource bool) string {
	t.Helper()
	const trailARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
	same := func(kind string, values map[string]any) map[string]any {
		return map[string]any{
			"address": kind + ".a", "mode": "managed", "type": kind, "name": "a",
			"change": map[string]any{"actions": []string{"no-op"}, "before": values, "after": values},
		}
	}
	bucketPolicy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],` +
		`"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"],"Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"}}}]}`
	key := map[string]any{"arn": planKey, "is_enabled": true, "policy": `{"Statement":[` + planRoot + `]}`}
	changed := same("aws_kms_key", key)
	if !byResource {
		changed["change"] = map[string]any{"actions": []string{"update"}, "before": before, "after": after}
	}
	changes := []any{
		same("aws_s3_bucket", map[string]any{"bucket": "logs", "region": "us-east-1"}),
		same("aws_s3_bucket_policy", map[string]any{"bucket": "logs", "policy": bucketPolicy}),
		same("aws_cloudtrail", map[string]any{
			"arn": trailARN, "name": "main", "home_region": "us-east-1", "s3_bucket_name": "logs", "kms_key_id": planKey, "enable_logging": true,
		}),
		changed,
	}
	if byResource {
		own := same("aws_kms_key_policy", nil)
		own["change"] = map[string]any{"actions": []string{"update"}, "before": before, "after": after}
		changes = append(changes, own)
	}
	text, err := json.Marshal(map[string]any{"format_version": "1.2", "terraform_version": "1.12.0", "complete": true, "resource_changes": changes})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A change of a key is a change of the trail's delivery.
func TestKeyOfPlan(t *testing.T) {
	values := func(enabled bool, statements ...string) map[string]any {
		return map[string]any{
			"arn": planKey, "key_id": planKey, "is_enabled": enabled, "policy": `{"Statement":[` + strings.Join(statements, ",") + `]}`,
		}
	}
	fine, broken, off := values(true, planRoot, planTrail), values(true, planRoot), values(false, planRoot, planTrail)
	for name, c := range map[string]struct {
		before, after map[string]any
		byResource    bool
		change        iac.Change
		finding       string
	}{
		"the statement is taken out":               {fine, broken, false, iac.Broken, "key-encrypt-denied"},
		"it is put in":                             {broken, fine, false, iac.Mended, ""},
		"the key is disabled":                      {fine, off, false, iac.Broken, "key-unusable"},
		"nothing changes":                          {fine, fine, false, iac.Unchanged, ""},
		"the statement is taken out of a resource": {fine, broken, true, iac.Broken, "key-encrypt-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := tfplan.Read(strings.NewReader(plan(t, c.before, c.after, c.byResource)), tfplan.Options{})
			r := assess(t, in, err)
			if r.Change != c.change || c.finding != "" && !strings.Contains(fmt.Sprint(r.Findings), c.finding) {
				t.Errorf("%s: %+v", r.Change, r.Findings)
			}
		})
	}
}

// A key policy for files alone does not serve a bucket that uses S3 Bucket Keys. Whether it does is read.
func TestBucketKeysOfTemplate(t *testing.T) {
	const filesOnly = `- {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: ["kms:GenerateDataKey*", "kms:DescribeKey"], Resource: "*", ` +
		`Condition: {StringLike: {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::logs/AWSLogs/*"}}}`
	read := func(encryption string) iac.Input {
		text := strings.ReplaceAll(template(filesOnly), "Bucket: {Type: AWS::S3::Bucket}", "Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: logs"+encryption+"}}")
		in, err := cfn.Read([]byte(text), cfn.Options{Region: "us-east-1", Account: "111111111111"})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	rule := func(enabled string) string {
		return `, BucketEncryption: {ServerSideEncryptionConfiguration: [{BucketKeyEnabled: ` + enabled +
			`, ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms", KMSMasterKeyID: !GetAtt Key.Arn}}]}`
	}
	for name, c := range map[string]struct {
		encryption string
		want       delivery.Verdict
	}{
		"nothing is said": {"", delivery.Delivering}, "off": {rule("false"), delivery.Delivering}, "on": {rule("true"), delivery.Blocked},
		"not known": {rule("!ImportValue keys"), delivery.Undetermined},
	} {
		if r := assess(t, read(c.encryption), nil); r.After != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.After, c.want, r.Findings)
		}
	}
	if r := assess(t, cfn.Between(read(rule("false")), read(rule("true"))), nil); r.Change != iac.Broken {
		t.Errorf("switched on: %s %+v", r.Change, r.Findings)
	}
}

// The same of a plan: by its own resource, as it was last read, and of a bucket that is made.
func TestBucketKeysOfPlan(t *testing.T) {
	const filesOnly = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"kms:*","Resource":"*",` +
		`"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs/AWSLogs/*"}}}`
	key := map[string]any{"arn": planKey, "key_id": planKey, "is_enabled": true, "policy": policyText(filesOnly)}
	trail := trailValues("")
	trail["kms_key_id"] = planKey
	inline := func(on bool) map[string]any {
		return map[string]any{"bucket": "logs", "region": "us-east-1", "server_side_encryption_configuration": []any{map[string]any{"rule": []any{map[string]any{"bucket_key_enabled": on}}}}}
	}
	encryption := func(action string, before, after any, unknown map[string]any) map[string]any {
		values := func(on any) map[string]any {
			if on == nil {
				return nil
			}
			return map[string]any{"bucket": "logs", "rule": []any{map[string]any{"bucket_key_enabled": on}}}
		}
		return resourceChange("aws_s3_bucket_server_side_encryption_configuration.logs", []string{action}, values(before), values(after), unknown)
	}
	bucket := func(action string, before, after map[string]any) map[string]any {
		return resourceChange("aws_s3_bucket.logs", []string{action}, before, after, nil)
	}
	for name, c := range map[string]struct {
		changes []map[string]any
		want    string
	}{
		"switched on":            {[]map[string]any{encryption("update", false, true, nil)}, "delivering blocked"},
		"switched off":           {[]map[string]any{encryption("update", true, false, nil)}, "blocked delivering"},
		"taken away":             {[]map[string]any{encryption("delete", true, nil, nil)}, "blocked delivering"},
		"known after the change": {[]map[string]any{encryption("update", false, false, map[string]any{"rule": true})}, "delivering undetermined"},
		"as it was last read":    {[]map[string]any{bucket("no-op", inline(true), inline(true))}, "blocked blocked"},
		"nothing is known":       {nil, "undetermined undetermined"},
	} {
		var all []any
		var plan map[string]any
		text := topicPlan(t, resourceChange("aws_cloudtrail.main", []string{"no-op"}, trail, trail, nil),
			append(c.changes, resourceChange("aws_kms_key.a", []string{"no-op"}, key, key, nil))...)
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			t.Fatal(err)
		}
		for i, change := range plan["resource_changes"].([]any) { // a bucket of its own takes the place of the plan's
			if i > 0 || !strings.Contains(fmt.Sprint(c.changes), "aws_s3_bucket.logs ") {
				all = append(all, change)
			}
		}
		plan["resource_changes"] = all
		edited, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		in, err := tfplan.Read(strings.NewReader(string(edited)), tfplan.Options{})
		if r := assess(t, in, err); string(r.Before)+" "+string(r.After) != c.want {
			t.Errorf("%s: %s %s, want %s: %+v", name, r.Before, r.After, c.want, r.Findings)
		}
	}
}
