package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// validSARIF checks a text against the schema of SARIF 2.1.0, from
// https://github.com/oasis-tcs/sarif-spec.
func validSARIF(t *testing.T, text string) sarifLog {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	return log
}

// runOffline runs a command that needs no account.
func runOffline(t *testing.T, s screen, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	buffered := bufio.NewWriter(&out)
	s.out = buffered
	code = run(t.Context(), args, &system{
		stdin: strings.NewReader(""), stdout: buffered, stderr: &errs, screen: s,
		lookupEnv: func(string) (string, bool) { return "", false },
		now:       func() time.Time { return time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC) },
	})
	return code, out.String(), errs.String()
}

func checkArgs(policy, format string) []string {
	return []string{
		"check", "--bucket", "logs", "--trails", "testdata/input/trails.json", "--policy", "testdata/input/" + policy,
		"--bucket-owner", "111111111111", "--bucket-region", "us-east-1", "--format", format,
	}
}

func TestSARIFOfCheck(t *testing.T) {
	t.Parallel()
	code, out, errs := runOffline(t, screen{width: 80}, checkArgs("denied.json", "sarif")...)
	if code != exitFindings || errs != "" {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	run := acceptedByGitHub(t, out).Runs[0]
	if len(run.Results) == 0 {
		t.Fatal("no results")
	}
	for _, r := range run.Results {
		rule := run.Tool.Driver.Rules[r.RuleIndex]
		if rule.ID != r.RuleID || rule.HelpURI != findingsPage+"#"+r.RuleID {
			t.Errorf("rule of %s is %+v", r.RuleID, rule)
		}
		at := r.Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != "testdata/input/denied.json" || at.Region.StartLine != denyLine(t) {
			t.Errorf("%s is at %+v, want line %d", r.RuleID, at, denyLine(t))
		}
	}
}

// TestRulesHaveHelp checks that the page of findings has a heading for each,
// and that each has a summary.
func TestRulesHaveHelp(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{invalidRule, doubtfulRule, unjudgedRule}
	for _, f := range delivery.Catalog() {
		ids = append(ids, f.ID)
	}
	for _, id := range ids {
		_, heading, _ := strings.Cut(ruleHelp(id), "#")
		if !strings.Contains(string(page), "\n## "+heading+"\n") {
			t.Errorf("docs/findings.md has no heading %q", heading)
		}
		if summary := ruleSummary(id); summary == "" || summary == id || summary == strings.ReplaceAll(id, "-", " ") {
			t.Errorf("rule %s has no summary of its own", id)
		}
		rule := newSARIFRule(delivery.Finding{ID: id})
		if rule.FullDescription.Text == rule.ShortDescription.Text {
			t.Errorf("rule %s has no full description", id)
		}
		if help := rule.Help.Markdown; !strings.Contains(help, "**What to do.**") || strings.Contains(help, "](#") ||
			strings.Contains(help, "](assumptions.md") || strings.Contains(help, "\n# ") {
			t.Errorf("rule %s has the help %q", id, help)
		}
	}
}

// denyLine is the line on which the Deny of denied.json starts.
func denyLine(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("testdata/input/denied.json")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), `"Sid": "OnlyKMS"`)
	return strings.Count(before, "\n") // the brace is on the line before
}

func TestSARIFWithoutFindings(t *testing.T) {
	t.Parallel()
	code, out, _ := runOffline(t, screen{width: 80}, checkArgs("good.json", "sarif")...)
	if run := validSARIF(t, out).Runs[0]; code != exitFine || len(run.Results) != 0 {
		t.Errorf("code %d, %d results", code, len(run.Results))
	}
}

func TestSARIFOfWhatIsNoFinding(t *testing.T) {
	t.Parallel()
	args := checkArgs("wrapped.json", "sarif")
	path := t.TempDir() + "/faulty policy.json"
	text := `{"Policy": "{\"Version\":\"2012-10-17\",\"Statement\":[` +
		`{\"Effect\":\"allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::logs/*\"}]}"}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args[6] = path
	_, out, _ := runOffline(t, screen{width: 80}, args...)
	found := false
	for _, r := range validSARIF(t, out).Runs[0].Results {
		found = found || r.RuleID == invalidRule
		uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if !strings.HasPrefix(uri, "file:///") || !strings.HasSuffix(uri, "/faulty%20policy.json") {
			t.Errorf("the file's URI is %s", uri)
		}
	}
	if !found {
		t.Errorf("no result %s in:\n%s", invalidRule, out)
	}
}

func TestSARIFOfAudit(t *testing.T) {
	l := newLive(t, "sandbox.json")
	code, out, _ := l.run(t, "", "audit", "--format", "sarif")
	if code != exitFindings {
		t.Fatalf("code %d", code)
	}
	run := acceptedByGitHub(t, out).Runs[0]
	if run.AutomationDetails.ID != "trailwarden/audit/111111111111/" {
		t.Errorf("the category is %q", run.AutomationDetails.ID)
	}
	for _, r := range run.Results {
		where := r.Locations[0]
		if where.PhysicalLocation.ArtifactLocation.URI != "trailwarden.audit" ||
			where.LogicalLocations[0].FullyQualifiedName != "arn:aws:s3:::"+sandbox {
			t.Errorf("%s is at %+v", r.RuleID, where)
		}
	}
}

// TestSARIFNotes: what S3 may refuse is a note.
func TestSARIFNotes(t *testing.T) {
	t.Parallel()
	o := &overview{Buckets: []bucketOverview{{Audited: guardrail.Audited{Report: delivery.Report{
		Verdict: delivery.Delivering, MaybeFaults: []string{"statement a: Policy has an invalid condition key: aws:foo"},
	}}}}}
	results := newSARIF(o, sarifPlaces{file: "f"}).Runs[0].Results
	if len(results) != 1 || results[0].Level != "note" || results[0].RuleID != doubtfulRule {
		t.Errorf("%+v", results)
	}
	if err := (severityFlag{Severity: "informational"}).exit(o); err != nil {
		t.Errorf("it moves the exit status: %v", err)
	}
}

// TestStoredPoliciesAreNotDoubted: S3 has stored what an audit reads.
func TestStoredPoliciesAreNotDoubted(t *testing.T) {
	t.Parallel()
	o := newOverview("111111111111", "us-east-1", []guardrail.Audited{{Report: delivery.Report{MaybeFaults: []string{"x"}}}})
	if got := o.Buckets[0].Report.MaybeFaults; got != nil {
		t.Errorf("%q", got)
	}
}
