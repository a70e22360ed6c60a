package cfn_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
)

var setting = iac.Setting{Now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}

// here is where the stacks of most tests are deployed to.
var here = cfn.Options{Account: "111111111111", Region: "eu-west-1", File: "stack.yaml"}

func assess(t *testing.T, template string, o cfn.Options) []iac.BucketReport {
	t.Helper()
	in, err := cfn.Read([]byte(template), o)
	if err != nil {
		t.Fatal(err)
	}
	return iac.Assess(in, setting)
}

// documented is the template of a trail with its bucket, as AWS documents the policy. The places of
// VARIABLES are filled by tests.
const documented = `
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Environment: {Type: String}
  Prefix: {Type: String, Default: ""}
  Secret: {Type: String, NoEcho: true}
Conditions:
  Production: !Equals [!Ref Environment, production]
Resources:
  Logs:
    Type: AWS::S3::Bucket
    #BUCKET
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: Acl
            Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt Logs.Arn
            Condition: {StringEquals: {aws:SourceArn: !Sub "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/main"}}
          - Sid: Write
            Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub "${Logs.Arn}/AWSLogs/${AWS::AccountId}/*"
            Condition: {StringEquals: {aws:SourceArn: !Sub "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/main", s3:x-amz-acl: bucket-owner-full-control}}
          #STATEMENT
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: LogsPolicy
    Properties:
      TrailName: main
      S3BucketName: !Ref Logs
      IsLogging: true
      IsMultiRegionTrail: true
      #TRAIL
`

// with is the documented template with parts filled in: "#BUCKET", "#STATEMENT", "#TRAIL".
func with(parts ...string) string {
	return strings.NewReplacer(parts...).Replace(documented)
}

func TestTemplates(t *testing.T) {
	delivering, blocked, open := delivery.Delivering, delivery.Blocked, delivery.Undetermined
	deny := func(rest string) string {
		return `- {Sid: Deny, Effect: Deny, Principal: "*", Action: "s3:*", Resource: [!GetAtt Logs.Arn, !Sub "${Logs.Arn}/*"], ` + rest + "}"
	}
	anywhere := cfn.Options{}
	parameters := func(values ...string) cfn.Options {
		o := here
		o.Parameters = map[string]string{}
		for i := 0; i < len(values); i += 2 {
			o.Parameters[values[i]] = values[i+1]
		}
		return o
	}
	tests := []struct {
		name     string
		template string
		options  cfn.Options
		after    delivery.Verdict
		unknown  string // some of what is not known
	}{
		{"as documented", with(), here, delivering, ""},
		// Neither the account, the region nor the bucket's name matters.
		{"as documented, anywhere", with(), anywhere, delivering, ""},
		{"a prefix that is not granted", with("#TRAIL", "S3KeyPrefix: audit"), here, blocked, ""},
		{"the same, anywhere", with("#TRAIL", "S3KeyPrefix: audit"), anywhere, blocked, ""},
		{"another trail", with("TrailName: main", "TrailName: other"), here, blocked, ""},
		{"a literal region", with("${AWS::Region}", "us-east-1"), here, blocked, ""},
		{"a literal region that may be right", with("${AWS::Region}", "us-east-1"), anywhere, open, "AWS::Region"},
		{"a literal account", with("${AWS::AccountId}", "111111111111"), here, delivering, ""},
		{"a literal account that may be right", with("${AWS::AccountId}", "111111111111"), anywhere, open, "the account"},
		{"a bucket's name with the account", with("#BUCKET", `Properties: {BucketName: !Sub "logs-${AWS::AccountId}-${AWS::Region}"}`), anywhere, delivering, ""},
		{"a trail without name", with("TrailName: main\n", "\n"), here, open, "Trail"},
		{"a trail without name, and no SourceArn", with("TrailName: main\n", "\n", "aws:SourceArn", "aws:SourceAccount", "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/main", "${AWS::AccountId}"), anywhere, delivering, ""},
		{"a Deny for others", with("#STATEMENT", deny(`Condition: {Bool: {aws:SecureTransport: false}}`)), anywhere, delivering, ""},
		{"a Deny", with("#STATEMENT", deny(`Condition: {StringNotEquals: {aws:SourceVpce: vpce-1}}`)), anywhere, blocked, ""},
		// What is not known and does not matter: the endpoint is in no request of CloudTrail.
		{"a Deny with an unknown", with("#STATEMENT", deny(`Condition: {StringNotEquals: {aws:PrincipalOrgID: !ImportValue Org}}`)), here, open, "Fn::ImportValue Org"},
		{"a Deny on actions that are not known", with("#STATEMENT", deny(`Condition: {StringEquals: {aws:userid: x}}`), `Action: "s3:*"`, `Action: !ImportValue Actions`), here, delivering, ""},
		{"a parameter with its default", with("#TRAIL", "S3KeyPrefix: !Ref Prefix"), here, delivering, ""},
		{"a parameter that is given", with("#TRAIL", "S3KeyPrefix: !Ref Prefix"), parameters("Prefix", "audit"), blocked, ""},
		{"a condition, both ways alike", with("#STATEMENT", deny(`Condition: !If [Production, {Bool: {aws:SecureTransport: "false"}}, {Bool: {aws:SecureTransport: false}}]`)), here, delivering, ""},
		{"a condition", with("#TRAIL", `S3KeyPrefix: !If [Production, audit, !Ref "AWS::NoValue"]`), here, open, "whether Environment = production"},
		{"a condition that holds", with("#TRAIL", `S3KeyPrefix: !If [Production, audit, !Ref "AWS::NoValue"]`), parameters("Environment", "production"), blocked, ""},
		{"a condition that does not", with("#TRAIL", `S3KeyPrefix: !If [Production, audit, !Ref "AWS::NoValue"]`), parameters("Environment", "test"), delivering, ""},
		{"a policy under a condition", with("Type: AWS::S3::BucketPolicy", "Type: AWS::S3::BucketPolicy\n    Condition: Production"), here, open, "whether Environment = production"},
		{"a bucket of another stack", with("S3BucketName: !Ref Logs", "S3BucketName: !ImportValue Archive"), here, open, "Fn::ImportValue Archive"},
		{"a bucket from elsewhere", with("S3BucketName: !Ref Logs", "S3BucketName: example-central"), here, open, "bucket example-central"},
		{"a dynamic reference", with("#TRAIL", `S3KeyPrefix: "{{resolve:ssm:/prefix}}"`), here, open, "{{resolve:ssm:/prefix}}"},
		{"a switch that is not known", with("IsMultiRegionTrail: true", "IsMultiRegionTrail: !ImportValue All"), here, delivering, ""},
		{"a switch in YAML 1.1", with("IsMultiRegionTrail: true", "IsMultiRegionTrail: yes", "#STATEMENT", deny(`Condition: {"Null": {aws:SourceArn: true}}`)), here, delivering, ""},
		// What an include adds may be any property that is not there.
		{"an include in the trail", with("#TRAIL", `"Fn::Transform": {Name: AWS::Include, Parameters: {Location: "s3://x/y.yaml"}}`), here, open, "Fn::Transform"},
		{"an include in the resource", with("DependsOn: LogsPolicy", `DependsOn: LogsPolicy
    "Fn::Transform": {Name: AWS::Include, Parameters: {Location: "s3://x/y.yaml"}}`), here, open, "Fn::Transform"},
		{"an include in the policy", with("#STATEMENT", `- "Fn::Transform": {Name: AWS::Include, Parameters: {Location: "s3://x/y.yaml"}}`), here, open, "Fn::Transform"},
		{"a policy as text", with("#STATEMENT", ""), here, delivering, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reports := assess(t, tt.template, tt.options)
			i := slices.IndexFunc(reports, func(r iac.BucketReport) bool { return len(r.Trails) > 0 })
			if i < 0 {
				t.Fatalf("no trail: %+v", reports)
			}
			r := reports[i]
			if r.Before != iac.NotThere || r.After != tt.after || r.Change != iac.New {
				t.Errorf("%s, then %s: %s; findings %+v", r.Before, r.After, r.Change, r.Findings)
			}
			var unknown []string
			for _, g := range r.Gaps {
				unknown = append(unknown, g.Address+"."+g.Attribute+" "+strings.Join(g.RefersTo, " "))
			}
			if got := strings.Join(unknown, ", "); !strings.Contains(got, tt.unknown) || tt.unknown == "" && got != "" {
				t.Errorf("unknown: %q, want %q", got, tt.unknown)
			}
		})
	}
}

// A missing policy is the classic mistake: CloudTrail refuses the trail.
func TestTemplateWithoutPolicy(t *testing.T) {
	template := `{"Resources": {"Logs": {"Type": "AWS::S3::Bucket"},
		"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": {"Ref": "Logs"}, "IsLogging": true}}}}`
	r := assess(t, template, cfn.Options{})[0]
	if r.After != delivery.Blocked || r.Findings[0].ID != delivery.PolicyMissingID {
		t.Errorf("%s %+v", r.After, r.Findings)
	}
}

func TestBetween(t *testing.T) {
	read := func(template string) iac.Input {
		in, err := cfn.Read([]byte(template), here)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	withoutPolicy := documented[:strings.Index(documented, "  LogsPolicy:")] + strings.Replace(documented[strings.Index(documented, "  Trail:"):], "DependsOn: LogsPolicy", "", 1)
	kept := with("Type: AWS::S3::BucketPolicy", "Type: AWS::S3::BucketPolicy\n    DeletionPolicy: Retain")
	tests := []struct {
		name          string
		before, after string
		want          iac.Change
	}{
		{"nothing", with(), with(), iac.Unchanged},
		{"a prefix", with(), with("#TRAIL", "S3KeyPrefix: audit"), iac.Broken},
		{"the prefix is taken back", with("#TRAIL", "S3KeyPrefix: audit"), with(), iac.Mended},
		{"the policy goes", with(), withoutPolicy, iac.Broken},
		{"the policy goes and stays", kept, withoutPolicy, iac.Unchanged},
		{"the trail goes", with(), with()[:strings.Index(with(), "  Trail:")], iac.Removed},
		{"the bucket gets a name", with(), with("#BUCKET", `Properties: {BucketName: logs}`), iac.Unchanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reports := iac.Assess(cfn.Between(read(tt.before), read(tt.after)), setting)
			if len(reports) == 0 || reports[0].Change != tt.want {
				t.Errorf("got %+v, want %s", reports, tt.want)
			}
		})
	}
}

// The places of the findings: the statement in the template.
func TestLines(t *testing.T) {
	r := assess(t, with(), here)[0]
	line := 1 + strings.Count(documented[:strings.Index(documented, "  LogsPolicy:")], "\n")
	if r.File != "stack.yaml" || r.Line != line {
		t.Errorf("%s:%d, want line %d", r.File, r.Line, line)
	}
	want := []int{line + 7, line + 13}
	if got := r.Subject.Policy.Lines; !slices.Equal(got, want) {
		t.Errorf("statements are on lines %v, want %v", got, want)
	}
}

// What a template cannot be read as is said in one line, and nothing hangs.
func TestNoTemplates(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n"
	}
	for name, text := range map[string]string{
		"a list": "[1]", "a word": "word", "no resources": "{}", "half": `{"Resources": {`, "an alias bomb": bomb,
		"twice": "Resources:\n  A: {Type: x}\n  A: {Type: y}\n", "twice in JSON": `{"Resources": {}, "Resources": {}}`,
		"nested": strings.Repeat(`{"Resources":`, 10_000),
	} {
		if in, err := cfn.Read([]byte(text), here); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", name, in, err)
		}
	}
	loop := with("#TRAIL", "S3KeyPrefix: !Ref Prefix", `Production: !Equals [!Ref Environment, production]`, `Production: !Not [!Condition Production]`)
	if r := assess(t, loop, here); len(r) == 0 {
		t.Error("nothing was judged")
	}
	many := documented
	for i := range 40 {
		many = strings.Replace(many, "#STATEMENT", "- !If [C"+string(rune('a'+i%26))+string(rune('a'+i/26))+", !Ref \"AWS::NoValue\", {Effect: Deny, Principal: \"*\", Action: s3:DeleteObject, Resource: !GetAtt Logs.Arn}]\n          #STATEMENT", 1)
	}
	if r := assess(t, many, cfn.Options{}); r[0].After != delivery.Undetermined {
		t.Errorf("40 conditions that are not known: %s", r[0].After)
	}
}

// The Trail of the CDK in five forms, and one with the bucket of another stack.
func TestAssembly(t *testing.T) {
	in, err := cfn.ReadAssembly(os.DirFS("testdata/cdk/cdk.out"), "/home/dev/program", cfn.Options{File: "cdk.out"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range iac.Assess(in, setting) {
		stack, _, _ := strings.Cut(r.Address, "/")
		got[stack] = string(r.After) + " " + r.File
	}
	want := map[string]string{
		// aws-cdk-lib's new kms.Key() has the account's root only: the trail cannot be made.
		"Encrypted": "blocked app.js",
		"Plain":     "delivering app.js", "Topic": "delivering app.js", "Archive": "delivering app.js",
		// aws-cdk-lib leaves the prefix out of the organization's statement.
		"Organization": "blocked app.js",
		"Imported":     "undetermined app.js",
	}
	for _, r := range iac.Assess(in, setting) {
		first := r.Trails[0]
		if stack, _, _ := strings.Cut(r.Address, "/"); len(first.NotLookedAt) > 0 || first.Notification != map[string]delivery.Verdict{"Topic": delivery.Delivering}[stack] {
			t.Errorf("%s: not looked at: %q, notification %q", stack, first.NotLookedAt, first.Notification)
		}
	}
	for stack, verdict := range want {
		if got[stack] != verdict {
			t.Errorf("%s: %s, want %s", stack, got[stack], verdict)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

// What a template only points to is not in it. What it does tell is judged, and the rest
// is said to be missing.
func TestPartialTemplates(t *testing.T) {
	for name, tt := range map[string]struct{ resource, says string }{
		"a nested stack": {
			"  Network:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: \"https://s3.amazonaws.com/templates/network.yaml\"}\n",
			"nested stack Network",
		},
		"a module":    {"  Baseline:\n    Type: Example::Security::Baseline::MODULE\n", "Baseline is a module"},
		"a stack set": {"  Members: {Type: AWS::CloudFormation::StackSet, Properties: {TemplateURL: x}}\n", "stack set Members deploys"},
		"an include":  {"Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://x/y.yaml}}\n", "Fn::Transform adds to it what is not known"},
		"an include of resources": {
			"  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://x/y.yaml}}\n", "Fn::Transform makes resources that are not known",
		},
		"a macro": {"Transform: [Example, \"AWS::LanguageExtensions\"]\n", "what the transform Example makes of it is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := cfn.Read([]byte(with()+tt.resource), here)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(in.Partial, tt.says) {
				t.Errorf("left out: %q, want %q", in.Partial, tt.says)
			}
			if reports := iac.Assess(in, setting); len(reports) != 1 || reports[0].After != delivery.Delivering {
				t.Errorf("%+v", reports)
			}
		})
	}
	if in, err := cfn.Read([]byte(with()), here); err != nil || in.Partial != "" {
		t.Errorf("a whole template: %q, %v", in.Partial, err)
	}
}
