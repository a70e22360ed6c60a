package cli

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// runScan runs scan in a folder, with a text on standard input.
func runScan(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	buffered := bufio.NewWriter(&out)
	code = run(t.Context(), append([]string{"scan"}, args...), &system{
		stdin: strings.NewReader(stdin), stdout: buffered, stderr: &errs, screen: screen{width: 80, out: buffered},
		lookupEnv: func(string) (string, bool) { return "", false },
		now:       func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) },
	})
	return code, out.String(), errs.String()
}

const plansFolder = "../iac/tfplan/testdata"

func planPath(name string) string { return filepath.Join(plansFolder, name, "plan.json") }

// The exit statuses: of a scan as it is, with --strict, with --all.
func TestScanExits(t *testing.T) {
	tests := map[string][3]int{
		"deny-added": {1, 1, 1}, "prefix-changed": {1, 1, 1}, "trail-deleted": {1, 1, 1}, "policy-deleted": {1, 1, 1},
		"nothing": {0, 0, 0}, "deny-removed": {0, 0, 0}, "trail-moved": {0, 0, 0}, "policy-forgotten": {0, 0, 0},
		// Broken before.
		"still-broken": {0, 0, 1},
		// New, and known after the change only.
		"new-by-arn": {0, 1, 0}, "new-document": {0, 1, 0},
		// New, and known not to take its trail.
		"new-wrong-prefix": {1, 1, 1}, "new-document-denied": {1, 1, 1}, "sensitive-name": {1, 1, 1}, "modules": {1, 1, 1},
		"new-by-name": {0, 0, 0}, "order": {0, 0, 0},
		// Judged before, and not known any more.
		"contested": {1, 1, 1}, "policy-moved-unsaid": {1, 1, 1},
		// Never known.
		"bucket-elsewhere": {0, 1, 0},
	}
	for name, want := range tests {
		for i, flags := range [][]string{nil, {"--strict"}, {"--all"}} {
			if code, _, errs := runScan(t, "", append(flags, planPath(name))...); code != want[i] || errs != "" {
				t.Errorf("%s %v exits with %d, want %d; %s", name, flags, code, want[i], errs)
			}
		}
	}
}

// A trail that is meant to go can be accepted; what a change breaks cannot.
func TestScanAcceptsARemoval(t *testing.T) {
	file := func(bucket, trail string) string {
		path := filepath.Join(t.TempDir(), "accepted.json")
		text := `[{"finding":"trail-removed","bucket":"` + bucket + `","trail":"` + trail + `","reason":"moved to the organization","owner":"audit@example.com","until":"2027-01-31"}]`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/"
	for _, tt := range []struct {
		plan, file string
		code       int
	}{
		{"trail-deleted", file("example-logs", arn+"main"), exitFine},
		{"trail-deleted", file("example-logs", ""), exitFine},
		{"trail-deleted", file("example-logs", arn+"other"), exitFindings},
		{"trail-deleted", file("example-other", ""), exitFindings},
		{"deny-added", file("example-logs", ""), exitFindings},
	} {
		code, out, _ := runScan(t, "", "--accepted", tt.file, planPath(tt.plan))
		if code != tt.code || tt.code == exitFine && !strings.Contains(out, "moved to the organization") {
			t.Errorf("%s exits with %d\n%s", tt.plan, code, out)
		}
	}
}

// The JSON has the members that it promises, and no list is null.
func TestScanJSON(t *testing.T) {
	plans, err := filepath.Glob(plansFolder + "/*/plan.json")
	if err != nil || len(plans) < 12 {
		t.Fatal(len(plans), err)
	}
	schema := published(t, "scan.schema.json", true)
	for _, path := range append(plans, "../iac/cfn/testdata/cdk/cdk.out") {
		_, out, _ := runScan(t, "", path, "--format", "json")
		if err := follows(t, schema, out); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if strings.Contains(strings.ReplaceAll(out, `"bucket": null`, ""), ": null,") {
			t.Errorf("%s: a member is null:\n%s", path, out)
		}
		var got struct {
			Source   string
			Complete *bool
			Buckets  []struct {
				Address, File string
				Line          int
				Before, After delivery.Verdict
				Change        iac.Change
				Trails        []json.RawMessage
				Findings      []json.RawMessage
				Unknown       []iac.Gap
			}
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if got.Source != path || got.Complete == nil || len(got.Buckets) == 0 {
			t.Errorf("%s: got %+v", path, got)
		}
		for _, b := range got.Buckets {
			if b.Address == "" || b.File == "" || b.Line < 1 || b.Before == "" || b.After == "" || b.Change == "" || len(b.Trails) == 0 {
				t.Errorf("%s: got %+v", path, b)
			}
			if b.After == delivery.Undetermined && len(b.Unknown) == 0 && len(b.Findings) == 0 {
				t.Errorf("%s: undetermined without a reason", path)
			}
		}
	}
	_, out, _ := runScan(t, "", planPath("nothing"), planPath("order"), "--format", "json")
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 2 {
		t.Errorf("two plans: %v, %v", list, err)
	}
}

// A Deny that a plan adds to the bucket of a trail: file, line, statement, and the edit.
func TestScanTellsWhereAndWhat(t *testing.T) {
	t.Chdir(filepath.Join(plansFolder, "deny-added"))
	text, err := os.ReadFile("main.tf")
	if err != nil {
		t.Fatal(err)
	}
	lineOf := func(part string) int {
		before, _, _ := strings.Cut(string(text), part)
		return 1 + strings.Count(before, "\n")
	}
	resource, line := lineOf(`resource "aws_s3_bucket_policy" "logs"`), lineOf(`"OnlyOurEndpoint"`)
	code, out, _ := runScan(t, "", "plan.json")
	for _, want := range []string{
		"example-logs: broken (delivering, then blocked)", "at     aws_s3_bucket_policy.logs, main.tf:" + itoa(resource), "by     OnlyOurEndpoint",
		`"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"`, "plan.json: 1 trail bucket: 1 broken.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("not told: %s\n%s", want, out)
		}
	}
	if code != exitFindings {
		t.Errorf("exit %d", code)
	}
	_, out, _ = runScan(t, "", "plan.json", "--format", "sarif")
	var log sarifLog
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Runs[0].Results {
		at := r.Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != "main.tf" || at.Region.StartLine != line || r.Locations[0].LogicalLocations[0].FullyQualifiedName != "aws_s3_bucket_policy.logs" {
			t.Errorf("%s is at %+v", r.RuleID, r.Locations)
		}
	}
	_, out, _ = runScan(t, "", "plan.json", "--format", "github")
	if !strings.HasPrefix(out, "::error file=main.tf,line="+itoa(line)+",title=example-logs%3A broken (log-files-denied%2C bucket-acl-denied%2C preflight-marker-denied)::CloudTrail cannot") {
		t.Errorf("annotations:\n%s", out)
	}
	_, out, _ = runScan(t, "", "plan.json", "--format", "markdown")
	for _, want := range []string{"| example-logs | **broken** | delivering | blocked |", "<details><summary>The statement as it would have to read", "```json\n{"} {
		if !strings.Contains(out, want) {
			t.Errorf("not in the summary: %s\n%s", want, out)
		}
	}
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

// Every result has a place in a file, without which GitHub drops it, and is told apart.
func TestScanSARIF(t *testing.T) {
	plans, err := filepath.Glob(plansFolder + "/*/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	_, out, _ := runScan(t, "", append(plans, "../iac/cfn/testdata/cdk/cdk.out", "--format", "sarif")...)
	for _, r := range acceptedByGitHub(t, out).Runs[0].Results {
		if at := r.Locations[0].PhysicalLocation; len(r.Locations) != 1 || at.ArtifactLocation.URI == "" || at.Region.StartLine < 1 {
			t.Errorf("%s has the locations %+v", r.RuleID, r.Locations)
		}
	}
}

// check has the same formats.
func TestCheckAnnotatesAndSummarizes(t *testing.T) {
	code, out, errs := runOffline(t, screen{width: 80}, checkArgs("denied.json", "github")...)
	want := "::error file=testdata/input/denied.json,line=" + itoa(denyLine(t)) + ",title=logs%3A log-files-denied"
	if code != exitFindings || errs != "" || !strings.HasPrefix(out, want) || strings.Count(out, "\n") > 3 {
		t.Errorf("exit %d, %s\n%s, want %s", code, errs, out, want)
	}
	_, out, _ = runOffline(t, screen{width: 80}, checkArgs("denied.json", "markdown")...)
	for _, want := range []string{"| logs | **blocked** | main |", "<details><summary>The statement as it would have to read"} {
		if !strings.Contains(out, want) {
			t.Errorf("not in the summary: %s\n%s", want, out)
		}
	}
	if _, out, _ = runOffline(t, screen{width: 80}, checkArgs("good.json", "github")...); strings.Contains(out, "::error") {
		t.Errorf("a good policy: %s", out)
	}
}

// audit has them too, of every bucket.
func TestAuditAnnotatesAndSummarizes(t *testing.T) {
	l := newLive(t, "sandbox.json")
	_, out, errs := l.run(t, "", "audit", "--format", "github")
	if !strings.HasPrefix(out, "::error file=trailwarden.audit,line=1,title=") || errs != "" {
		t.Errorf("%s\n%s", errs, out)
	}
	_, out, _ = l.run(t, "", "audit", "--format", "markdown")
	if !strings.Contains(out, "| Bucket | Verdict | Trails |") || !strings.Contains(out, "**blocked**") {
		t.Errorf("the summary:\n%s", out)
	}
}

// What is sensitive is judged, and in no output: of the plan's own masks, and of parameters with NoEcho.
func TestScanHidesSecrets(t *testing.T) {
	template := filepath.Join(t.TempDir(), "template.yaml")
	text := `
Parameters:
  Key: {Type: String, NoEcho: true, Default: s3cr3t-default}
Resources:
  Logs: {Type: "AWS::S3::Bucket", Properties: {BucketName: logs}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Sid: !Sub "Only${Key}", Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Logs.Arn}/*", Condition: {StringNotEquals: {"aws:userid": !Ref Key}}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {TrailName: main, S3BucketName: !Ref Logs, IsLogging: true}
`
	if err := os.WriteFile(template, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "named.yaml")
	text = `
Parameters:
  Name: {Type: String, NoEcho: true, Default: s3cr3t-name}
Conditions:
  Same: !Equals [!Ref Name, !ImportValue Other]
Resources:
  Logs: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Ref Name}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Logs.Arn}/*"}]}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {TrailName: !Ref Name, S3BucketName: !Ref Logs, IsLogging: true, S3KeyPrefix: !If [Same, !Ref Name, !Ref "AWS::NoValue"]}
`
	if err := os.WriteFile(named, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// The same plan with every value marked as sensitive.
	var plan map[string]any
	recorded, err := os.ReadFile(planPath("deny-added"))
	if err != nil {
		t.Fatal(err)
	}
	recorded = []byte(strings.NewReplacer("OnlyOurEndpoint", "s3cr3t-sid", "vpce-0a1b2c3d", "s3cr3t-endpoint", "example-logs", "s3cr3t-logs", "trail/main", "trail/s3cr3t").Replace(string(recorded)))
	if err := json.Unmarshal(recorded, &plan); err != nil {
		t.Fatal(err)
	}
	for _, c := range plan["resource_changes"].([]any) {
		change := c.(map[string]any)["change"].(map[string]any)
		change["before_sensitive"], change["after_sensitive"] = true, true
	}
	all, _ := json.Marshal(plan)
	marked := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(marked, all, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{planPath("modules"), planPath("sensitive-name"), template, named, marked} {
		for _, format := range []string{"text", "json", "sarif", "github", "markdown"} {
			code, out, errs := runScan(t, "", path, "--format", format, "--all")
			if code != exitFindings {
				t.Errorf("%s as %s exits with %d: %s", path, format, code, errs)
			}
			for i, line := range strings.Split(out+errs, "\n") {
				if strings.Contains(line, "s3cr3t") {
					t.Errorf("%s as %s, line %d: %s", path, format, i+1, line)
				}
			}
		}
	}
}

// Texts of a plan cannot add a command of the workflow, or a line or markup to the summary.
func TestScanQuotesWhatItShows(t *testing.T) {
	recorded, err := os.ReadFile(planPath("deny-added"))
	if err != nil {
		t.Fatal(err)
	}
	evil := `x\\n::error::forged\\n| a | b |\\n<script>alert(1)</script> **bold** @team`
	plan := strings.ReplaceAll(string(recorded), `OnlyOurEndpoint`, evil)
	code, out, errs := runScan(t, plan, "-", "--format", "github")
	if code != exitFindings || errs != "" {
		t.Fatal(code, errs)
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "::error file=") || strings.Count(line, "::error") > 1 && strings.Contains(line, "\r") {
			t.Errorf("forged: %s", line)
		}
	}
	_, out, _ = runScan(t, plan, "-", "--format", "markdown")
	outside := strings.Split(out, "```")
	for i := 0; i < len(outside); i += 2 { // what stands between code
		for _, bad := range []string{"<script>", "**bold**", "@team", "\n::error", "\n| a | b |"} {
			if strings.Contains(outside[i], bad) {
				t.Errorf("%q is in the summary:\n%s", bad, outside[i])
			}
		}
	}
}

// The forms in which plans come: PowerShell's ">" writes UTF-16 with a mark.
func TestScanForms(t *testing.T) {
	plan, err := os.ReadFile(planPath("deny-added"))
	if err != nil {
		t.Fatal(err)
	}
	units := utf16.Encode([]rune("\ufeff" + string(plan)))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	for name, text := range map[string]string{
		"UTF-8": string(plan), "UTF-8 with a mark": "\ufeff" + string(plan), "UTF-16LE": string(little), "UTF-16BE": string(big),
		"white space": "\n\t " + string(plan) + "\r\n",
	} {
		if code, _, errs := runScan(t, text, "-"); code != exitFindings || errs != "" {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
}

// What is no plan and no template is refused in one line that says what to do.
func TestScanRefuses(t *testing.T) {
	folder := t.TempDir()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	if _, err := z.Create("tfplan"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := planPath("nothing")
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"a plan in Terraform's form", []string{write("tfplan", archive.String())}, "run: terraform show -json "},
		{"empty", []string{write("empty.json", " \n")}, "empty; expected a plan"},
		{"a log", []string{write("log.json", `{"@level":"info","type":"version"}`+"\n"+`{"@level":"info"}`)}, "run: terraform plan -out=tfplan"},
		{"a change set without values", []string{write("changes.json", `{"Changes":[{"Type":"Resource","ResourceChange":{"Action":"Modify",`+
			`"LogicalResourceId":"Logs","ResourceType":"AWS::S3::BucketPolicy"}}]}`)}, "run describe-change-set with --include-property-values"},
		{"a base of a change set", []string{write("nochange.json", `{"Changes":[],"Status":"CREATE_COMPLETE"}`), "--base", write("base.yaml", "Resources: {}")}, "--base is for templates"},
		{"missing", []string{filepath.Join(folder, "none.json")}, "no such file"},
		{"a folder", []string{folder}, "no manifest.json in it"},
		{"a policy", []string{write("policy.json", `{"Version":"2012-10-17","Statement":[]}`)}, "no Resources in it"},
		{"cut off", []string{write("cut.json", `{"format_version":"1.2","resource_changes":[`)}, "it ends too early"},
		{"binary", []string{write("binary", "\x00\x01\x02")}, "not YAML"},
		{"a later plan", []string{write("later.json", `{"format_version":"3.0"}`)}, `format_version is "3.0"`},
		{"an account", []string{good, "--account", "1"}, "--account: expected an account id"},
		{"a region", []string{good, "--region", "Mars"}, "--region: "},
		{"a base of a plan", []string{good, "--base", good}, "--base is for templates"},
		{"a base that is a plan", []string{write("t.yaml", "Resources: {}"), "--base", good}, "expected a CloudFormation template"},
		{"parameters", []string{write("t2.yaml", "Resources: {}"), "--parameters", write("p.json", "[1")}, "not JSON; expected values of parameters"},
		{"two of which one is standard input", []string{good, "-"}, "standard input is read alone"},
	}
	for _, tt := range tests {
		code, out, errs := runScan(t, "", tt.args...)
		if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, output %q, error %q", tt.name, code, out, errs)
		}
	}
}

// A source without trails is fine, and says so; a partial plan never only says that.
func TestScanOfNothing(t *testing.T) {
	for _, text := range []string{`{"format_version":"1.2","planned_values":{}}`, `{"Resources":{"Table":{"Type":"AWS::DynamoDB::Table"}}}`, "Resources: {}"} {
		code, out, errs := runScan(t, text, "-")
		if code != exitFine || errs != "" || out != "standard input: nothing about trails and their buckets changes.\n" {
			t.Errorf("exit %d, %q, %q", code, out, errs)
		}
	}
	const part = `{"format_version":"1.2","planned_values":{},"complete":false}`
	for format, says := range map[string]string{
		"sarif": "is not complete: ", "github": "It is not complete", "markdown": "It is not complete", "json": `"complete": false`,
	} {
		if _, out, _ := runScan(t, part, "--format", format, "-"); !strings.Contains(out, says) {
			t.Errorf("a partial plan in %s: %q", format, out)
		}
	}
	_, out, _ := runScan(t, part, "-")
	if !strings.Contains(out, "not complete") || strings.Contains(out, "changes") {
		t.Errorf("a partial plan: %q", out)
	}
}

// A nested stack is read from beside the template, and never from outside of its folder.
func TestScanReadsNestedStacks(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("storage.yaml", "Resources:\n  Logs: {Type: AWS::S3::Bucket}\nOutputs:\n  Name: {Value: !Ref Logs}\n")
	write("build/storage/template.yaml", "Resources:\n  Logs: {Type: AWS::S3::Bucket}\nOutputs:\n  Name: {Value: !Ref Logs}\n")
	if err := os.Symlink(filepath.Join(folder, "storage.yaml"), filepath.Join(folder, "build", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]struct{ has, hasNot string }{
		"storage/template.yaml": {"policy-missing", "not complete"}, "../storage.yaml": {"lies outside of the folder", "policy-missing"},
		"link.yaml": {"not complete", "policy-missing"}, "none.yaml": {"which is not at none.yaml", "policy-missing"},
	} {
		write("build/template.yaml", "Resources:\n  Storage: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "+url+"}}\n"+
			"  Trail: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: !GetAtt Storage.Outputs.Name, IsLogging: true}}\n")
		_, out, errs := runScan(t, "", filepath.Join(folder, "build", "template.yaml"))
		if text := strings.Join(strings.Fields(out), " "); errs != "" || !strings.Contains(text, want.has) || strings.Contains(text, want.hasNot) {
			t.Errorf("%s: %s %s", url, text, errs)
		}
	}
}

// Parameters of a template in each of the forms that tools of AWS take.
func TestScanParameters(t *testing.T) {
	template := `{"Parameters":{"Prefix":{"Type":"String"}},"Resources":{"Trail":{"Type":"AWS::CloudTrail::Trail",
		"Properties":{"TrailName":"main","S3BucketName":{"Ref":"Prefix"},"IsLogging":true}}}}`
	path := filepath.Join(t.TempDir(), "p.json")
	for _, text := range []string{
		`[{"ParameterKey":"Prefix","ParameterValue":"example-logs"}]`, `{"Prefix":"example-logs"}`, `{"Parameters":{"Prefix":"example-logs"}}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, out, _ := runScan(t, template, "-", "--parameters", path, "--format", "json")
		if !strings.Contains(out, `"bucket": "example-logs"`) {
			t.Errorf("%s: %s", text, out)
		}
	}
}

// Blocks are found where they begin, and not in comments.
func TestLineOfBlock(t *testing.T) {
	const block = `resource "aws_s3_bucket_policy" "logs"`
	tests := []struct {
		text string
		want int
	}{
		{"\n" + block + " {\n}", 2},
		{"# " + block + " {\n" + block + " {\n}", 2},
		{"/*\n" + block + " {\n*/\n  " + block + " {", 4},
		{`x = "arn:aws:s3:::b/*"` + "\n" + block + " {", 2},
		{"resource aws_s3_bucket_policy logs {", 1},
		{"resource \"aws_s3_bucket_policy\" \"logs2\" {", 0},
		{"", 0},
	}
	for _, tt := range tests {
		if got := lineOfBlock([]byte(tt.text), block); got != tt.want {
			t.Errorf("%q: line %d, want %d", tt.text, got, tt.want)
		}
	}
}

// The formats are those that the help promises.
func TestScanFormats(t *testing.T) {
	for _, format := range []string{"text", "json", "sarif", "github", "markdown"} {
		if code, out, errs := runScan(t, "", planPath("deny-added"), "--format", format); code != exitFindings || out == "" || errs != "" {
			t.Errorf("%s: exit %d, %s", format, code, errs)
		}
	}
	if code, _, errs := runScan(t, "", planPath("deny-added"), "--format", "xml"); code != exitUsage || !slices.Contains(strings.Fields(errs), "trailwarden:") {
		t.Errorf("xml: exit %d, %s", code, errs)
	}
}
