package cfn_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
)

// bucketStack is a template of a bucket with the policy that AWS documents, for any trail of the account.
const bucketStack = `
Parameters:
  Owner: {Type: String}
  Prefix: {Type: String, Default: ""}
Resources:
  Logs: {Type: "AWS::S3::Bucket"}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:GetBucketAcl", Resource: !GetAtt Logs.Arn, Condition: {StringEquals: {aws:SourceAccount: !Ref Owner}}}
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:PutObject", Resource: !Sub "${Logs.Arn}/${Prefix}AWSLogs/${Owner}/*", Condition: {StringEquals: {aws:SourceAccount: !Ref Owner, "s3:x-amz-acl": bucket-owner-full-control}}}
Outputs:
  Name: {Value: !Ref Logs}
`

// parent is a template whose trail writes into the bucket of a nested stack.
func parent(kind, location, parameters string) string {
	return `
Resources:
  Storage:
    Type: ` + kind + `
    Properties: {` + location + `, Parameters: {` + parameters + `}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {TrailName: main, S3BucketName: !GetAtt Storage.Outputs.Name, IsLogging: true}
`
}

// A trail's topic, its policy and its key may be of a nested stack.
func TestTopicOfNestedStack(t *testing.T) {
	const alerts = `
Resources:
  Topic: {Type: "AWS::SNS::Topic", Properties: {KmsMasterKeyId: !Ref Key}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}]}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: SERVICE}, Action: ["kms:GenerateDataKey*", "kms:Decrypt"], Resource: "*"}]}
Outputs:
  Arn: {Value: !Ref Topic}
`
	const whole = `
Resources:
  Alerts: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: alerts.yaml}}
  Logs: {Type: "AWS::S3::Bucket"}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: ["s3:GetBucketAcl", "s3:PutObject"], Resource: [!GetAtt Logs.Arn, !Sub "${Logs.Arn}/*"]}]}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {TrailName: main, S3BucketName: !Ref Logs, IsLogging: true, SnsTopicName: !GetAtt Alerts.Outputs.Arn}
`
	for service, want := range map[string]delivery.Verdict{"cloudtrail.amazonaws.com": delivery.Delivering, "sns.amazonaws.com": delivery.Blocked} {
		folder := fstest.MapFS{"alerts.yaml": {Data: []byte(strings.Replace(alerts, "SERVICE", service, 1))}}
		in, err := cfn.Read([]byte(whole), cfn.Options{Account: "111111111111", Region: "us-east-1", File: "template.yaml", Folder: folder})
		if err != nil {
			t.Fatal(err)
		}
		r := iac.Assess(in, setting)
		if first := r[0].Trails[0]; first.Notification != want || len(first.NotLookedAt) > 0 {
			t.Errorf("%s: %s, not looked at %v: %+v", service, first.Notification, first.NotLookedAt, r[0].Findings)
		}
	}
}

// A nested stack is read where its template lies beside as a file, with what it is given for its parameters.
func TestNestedStacks(t *testing.T) {
	folder := fstest.MapFS{
		"storage/template.yaml": {Data: []byte(bucketStack)}, "broken.yaml": {Data: []byte("Resources: [")},
		"asset.json": {Data: []byte(strings.Replace(bucketStack, "Logs: {", "Kept: {Type: \"AWS::SNS::Topic\"}\n  Logs: {", 1))},
	}
	stack, url := "AWS::CloudFormation::Stack", "TemplateURL: "
	delivering, blocked, open := delivery.Delivering, delivery.Blocked, delivery.Undetermined
	tests := []struct {
		name, template string
		folder         fstest.MapFS
		after          delivery.Verdict
		partial        string
	}{
		{"beside", parent(stack, url+"storage/template.yaml", `Owner: !Ref "AWS::AccountId"`), folder, delivering, ""},
		{"a point before", parent(stack, url+"./storage/template.yaml", `Owner: !Ref "AWS::AccountId"`), folder, delivering, ""},
		{"of SAM", parent("AWS::Serverless::Application", "Location: storage/template.yaml", `Owner: !Ref "AWS::AccountId"`), folder, delivering, ""},
		{"another prefix", parent(stack, url+"storage/template.yaml", `Owner: !Ref "AWS::AccountId", Prefix: audit/`), folder, blocked, ""},
		{"another account", parent(stack, url+"storage/template.yaml", `Owner: "222222222222"`), folder, blocked, ""},
		{"an argument that is not known", parent(stack, url+"storage/template.yaml", `Owner: !ImportValue Owner`), folder, open, ""},
		{"no argument", parent(stack, url+"storage/template.yaml", ``), folder, open, ""},
		{"the CDK's", strings.Replace(parent(stack, url+`!Sub "https://s3.${AWS::URLSuffix}/assets/x.json"`, `Owner: !Ref "AWS::AccountId"`),
			"    Properties: {TemplateURL", "    Metadata: {\"aws:asset:path\": asset.json}\n    Properties: {TemplateURL", 1), folder, delivering, ""},
		{"elsewhere", parent(stack, url+"https://s3.amazonaws.com/x/storage.yaml", ``), folder, open, "nested stack Storage has a template of its own"},
		{"not there", parent(stack, url+"none.yaml", ``), folder, open, "nested stack Storage has a template of its own, which is not at none.yaml"},
		{"outside", parent(stack, url+"../storage.yaml", ``), folder, open, "which lies outside of the folder"},
		{"itself", parent(stack, url+"stack.yaml", ``), fstest.MapFS{"stack.yaml": {Data: []byte("x")}}, open, "which is the one that it is in"},
		{"standard input", parent(stack, url+"storage/template.yaml", ``), nil, open, "nested stack Storage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := here
			if tt.folder != nil {
				o.Folder = tt.folder
			}
			in, err := cfn.Read([]byte(tt.template), o)
			if err != nil {
				t.Fatal(err)
			}
			r := iac.Assess(in, setting)[0]
			if r.After != tt.after || !strings.Contains(in.Partial, tt.partial) || tt.partial == "" && in.Partial != "" {
				t.Errorf("%s, left out: %q; %+v", r.After, in.Partial, r.Findings)
			}
			for _, f := range r.Findings {
				if f.ID == delivery.TrailBeforePolicyID {
					t.Errorf("%s", f.Message)
				}
			}
			if tt.after == blocked && (r.Address != "Storage/Policy" || r.File != "storage/template.yaml") {
				t.Errorf("at %s, %s", r.Address, r.File)
			}
		})
	}
	o := here
	o.Folder = folder
	if _, err := cfn.Read([]byte(parent(stack, url+"broken.yaml", ``)), o); err == nil || !strings.Contains(err.Error(), "broken.yaml, of nested stack Storage: ") {
		t.Errorf("a nested template that cannot be read: %v", err)
	}
}

// What is secret stays so in a nested stack: given by a NoEcho parameter, or to one.
func TestNestedSecrets(t *testing.T) {
	named := strings.Replace(bucketStack, `Logs: {Type: "AWS::S3::Bucket"}`, `Logs: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "logs-${Prefix}"}}`, 1)
	folder := fstest.MapFS{
		"plain.yaml":  {Data: []byte(named)},
		"hidden.yaml": {Data: []byte(strings.Replace(named, `Prefix: {Type: String,`, `Prefix: {Type: String, NoEcho: true,`, 1))},
	}
	const parameters = "Parameters: {Secret: {Type: String, NoEcho: true, Default: s3cr3t}}\n"
	for name, template := range map[string]string{
		"by": parameters + parent("AWS::CloudFormation::Stack", "TemplateURL: plain.yaml", `Owner: "111111111111", Prefix: !Ref Secret`),
		"to": parent("AWS::CloudFormation::Stack", "TemplateURL: hidden.yaml", `Owner: "111111111111", Prefix: s3cr3t`),
	} {
		o := here
		o.Folder = folder
		in, err := cfn.Read([]byte(template), o)
		if err != nil {
			t.Fatal(err)
		}
		r := iac.Assess(in, setting)[0]
		if !r.Sensitive || r.After != delivery.Blocked || strings.Contains(fmt.Sprint(r.Label, r.Bucket, r.Findings, r.Trails, r.Gaps), "s3cr3t") {
			t.Errorf("%s: %s %v %+v %+v", name, r.After, r.Sensitive, r.Trails, r.Findings)
		}
	}
}

// Templates that nest each other many times are worked out as far as that goes, and said to be too much.
func TestManyNestedStacks(t *testing.T) {
	many := func(file string) []byte {
		text := "Resources:\n"
		for _, c := range "abcdefghijklmnopqrstuvwxyz" {
			text += "  S" + string(c) + ": {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: " + file + "}}\n"
		}
		return []byte(text)
	}
	folder := fstest.MapFS{"t8.yaml": {Data: []byte(with())}}
	for i := range 8 {
		folder["t"+string(rune('0'+i))+".yaml"] = &fstest.MapFile{Data: many("t" + string(rune('1'+i)) + ".yaml")}
	}
	o := here
	o.Folder = folder
	in, err := cfn.Read(many("t0.yaml"), o)
	if err != nil {
		t.Fatal(err)
	}
	if in.Partial == "" {
		t.Error("it is taken as whole")
	}
}

// Loops are written out, where their values are known.
func TestLoops(t *testing.T) {
	policy := `{Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:*", Resource: "*"}`
	loop := func(values string) string {
		return `
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "audit,eu-west-1"}
  Open: {Type: CommaDelimitedList}
Conditions:
  "Fn::ForEach::Conditions":
    - Name
    - [x, y]
    - "Is${Name}": !Equals ["${Name}", x]
Resources:
  "Fn::ForEach::Logs":
    - Name
    - ` + values + `
    - "Bucket&{Name}": {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "example-${Name}"}}
      "Policy&{Name}":
        Type: AWS::S3::BucketPolicy
        Properties: {Bucket: !Ref "Bucket&{Name}", PolicyDocument: {Version: "2012-10-17", Statement: [` + policy + `]}}
      "Fn::ForEach::Trails":
        - Kind
        - [x, y]
        - "Trail&{Name}${Kind}":
            Type: AWS::CloudTrail::Trail
            Condition: "Is${Kind}"
            DependsOn: "Policy&{Name}"
            Properties:
              TrailName: !Sub "${Name}-${Kind}"
              S3BucketName: !Ref "Bucket&{Name}"
              "Fn::ForEach::Switches": [Switch, [IsLogging, IsMultiRegionTrail], {"${Switch}": true}]
`
	}
	for name, values := range map[string]string{"a list": "[audit, eu-west-1]", "a parameter": "!Ref Names"} {
		in, err := cfn.Read([]byte(loop(values)), here)
		if assumed := strings.Join(in.Assumed, " "); err != nil || strings.Contains(assumed, "Names") != (values == "!Ref Names") {
			t.Fatalf("%s: assumed %q, %v", name, assumed, err)
		}
		reports := iac.Assess(in, setting)
		if len(reports) != 2 {
			t.Fatalf("%s: %d buckets", name, len(reports))
		}
		for i, want := range []string{"Policyaudit", "Policyeuwest1"} {
			if r := reports[i]; r.Address != want || r.After != delivery.Delivering || len(r.Trails) != 1 || r.Line != 16 {
				t.Errorf("%s: %s:%d %s with %d trails", name, r.Address, r.Line, r.After, len(r.Trails))
			}
		}
	}
	for _, values := range []string{"!Ref Open", `[!Ref "AWS::Region"]`, "[!ImportValue Names]"} {
		in, err := cfn.Read([]byte(loop(values)), here)
		if err != nil || !strings.Contains(in.Partial, "Fn::ForEach::Logs makes resources that are not known") {
			t.Errorf("a list that is not known, %s: %q, %v", values, in.Partial, err)
		}
	}
	// What a nested stack is given for a list is not what stands there by default.
	o := here
	o.Folder = fstest.MapFS{"storage/template.yaml": {Data: []byte(loop("!Ref Names"))}}
	in, err := cfn.Read([]byte(parent("AWS::CloudFormation::Stack", "TemplateURL: storage/template.yaml", `Names: other`)), o)
	if err != nil || !strings.Contains(in.Partial, "Storage: Fn::ForEach::Logs makes resources that are not known") {
		t.Errorf("a list that is given to a nested stack: %q, %v", in.Partial, err)
	}
	// A name that comes twice, and loops that grow, are refused.
	big := "a" + strings.Repeat(",a", 2000)
	for name, text := range map[string]string{
		"twice": loop("[audit, audit]"),
		"large": `{"Resources":{"Fn::ForEach::A":["A",[` + `"1"` + strings.Repeat(`,"1"`, 2000) + `],{"Fn::ForEach::B":["B",[` + `"1"` + strings.Repeat(`,"1"`, 2000) + `],{"X":{}}]}]}}`,
		"long":  `{"Resources":{"Fn::ForEach::A":["A",["` + big + `"],{"X":{"Type":"` + strings.Repeat("${A}", 100_000) + `"}}]}}`,
	} {
		if _, err := cfn.Read([]byte(text), here); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
