package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// topicStack is a stack with a trail that CDK's Trail makes, and a topic that nobody lets CloudTrail
// publish to, unless a statement does.
const topicStack = `Resources:
  Bucket: {Type: AWS::S3::Bucket}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:GetBucketAcl", Resource: !GetAtt Bucket.Arn}
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: "s3:PutObject"
            Resource: !Sub "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"
  Topic: {Type: AWS::SNS::Topic}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: SERVICE.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: [BucketPolicy, TopicPolicy]
    Properties: {S3BucketName: !Ref Bucket, IsLogging: true, SnsTopicName: !GetAtt Topic.TopicName}
`

// A topic that CloudTrail cannot tell makes a run fail where the change brings it about, in every format; it
// makes no trail blocked, and who means it accepts it.
func TestScanTellsOfTopics(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	broken := write("broken.yaml", strings.ReplaceAll(topicStack, "SERVICE", "s3"))
	fine := write("fine.yaml", strings.ReplaceAll(topicStack, "SERVICE", "cloudtrail"))
	accepted := write("accepted.json", `[{"finding":"notification-failing","bucket":"BucketPolicy","reason":"nobody listens","owner":"audit@example.com","until":"2027-01-31"}]`)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"a new one", []string{broken}, exitFindings, []string{
			"trail arn:aws:cloudtrail:us-east-1:<account>:trail/<Trail>: delivering", "notifications: blocked", "MEDIUM notification-failing", "cannot be made so",
			"Add to the policy of topic arn:aws:sns:us-east-1:<account>:<Topic>", `"Action": "SNS:Publish"`,
		}},
		{"one that does", []string{fine}, exitFine, []string{"notifications: delivering"}},
		{"taken away", []string{broken, "--base", fine}, exitFindings, []string{"unchanged (delivering, as before)", "notifications: delivering, then blocked"}},
		{"as it was", []string{broken, "--base", broken}, exitFine, nil},
		{"as it was, with all", []string{broken, "--base", broken, "--all"}, exitFindings, []string{"notifications: blocked, as before"}},
		{"given", []string{fine, "--base", broken, "--all"}, exitFine, []string{"notifications: blocked, then delivering"}},
		{"accepted", []string{broken, "--accepted", accepted}, exitFine, []string{"nobody listens"}},
		{"json", []string{broken, "--format", "json"}, exitFindings, []string{`"verdict": "delivering"`, `"notification": "blocked"`, `"target": "topic"`, `"SNS:Publish"`}},
		{"json of a change", []string{broken, "--base", fine, "--format", "json"}, exitFindings, []string{`"notificationBefore": "delivering"`}},
		{"sarif", []string{broken, "--format", "sarif"}, exitFindings, []string{`"ruleId": "notification-failing"`, "broken.yaml"}},
		{"github", []string{broken, "--format", "github"}, exitFindings, []string{"::warning file=", "notification-failing"}},
		{"markdown", []string{broken, "--format", "markdown"}, exitFindings, []string{"**MEDIUM** [notification-failing]", "The statement that the policy of arn:aws:sns", "SNS:Publish"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := runScan(t, "", append(tt.args, "--region", "us-east-1")...)
			if code != tt.code || errs != "" {
				t.Errorf("exits with %d, want %d: %s", code, tt.code, errs)
			}
			if strings.Contains(out, `"change": "broken"`) || strings.Contains(out, "stand-in") {
				t.Error(out)
			}
			for _, text := range tt.says {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(text), " ")) {
					t.Errorf("does not say %q:\n%s", text, out)
				}
			}
			if tt.args[len(tt.args)-1] == "json" {
				if err := follows(t, published(t, "scan.schema.json", true), out); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// CDK's new kms.Key() is the account's alone: that the trail cannot be made is told with the statement that
// is missing.
func TestScanTellsWhatCDKsKeyLacks(t *testing.T) {
	code, out, _ := runScan(t, "", "../iac/cfn/testdata/cdk/cdk.out/Encrypted.template.json")
	words := strings.Join(strings.Fields(out), " ")
	for _, text := range []string{
		"new (blocked)", "CRITICAL key-encrypt-denied", "The trail cannot be made so", "Add to the policy of key <Key961B73FD>",
		`"Action": "kms:GenerateDataKey*"`, `"kms:EncryptionContext:aws:cloudtrail:arn"`,
	} {
		if !strings.Contains(words, text) || code != exitFindings {
			t.Errorf("does not say %q:\n%s", text, out)
		}
	}
}
