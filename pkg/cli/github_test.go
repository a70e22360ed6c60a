package cli

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// acceptedByGitHub checks a SARIF log against what GitHub's code scanning asks of
// one beyond the standard. It refuses a whole file for one result that breaks the
// first of these, and shows less for the others.
// Sources: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
// (limits, members marked "required") and the rules GH1001 to GH1006 of
// https://github.com/microsoft/sarif-sdk.
func acceptedByGitHub(t *testing.T, text string) sarifLog {
	t.Helper()
	log := validSARIF(t, text)
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs", len(log.Runs))
	}
	run := log.Runs[0]
	if len(text) > 10_000_000 {
		t.Errorf("%d bytes", len(text))
	}
	if len(run.Results) > 25_000 {
		t.Errorf("%d results", len(run.Results))
	}
	if id := run.AutomationDetails.ID; !regexp.MustCompile(`^trailwarden/[a-z]+/.+/$`).MatchString(id) {
		t.Errorf("the category of %q does not tell this run from others", id)
	}
	if v := run.Tool.Driver.SemanticVersion; v != "" && v[0] == 'v' {
		t.Errorf("%q is no semantic version", v)
	}
	for _, rule := range run.Tool.Driver.Rules {
		acceptedRule(t, rule)
	}
	prints := map[string]bool{}
	for _, r := range run.Results {
		own := r.PartialFingerprints["primaryLocationLineHash"]
		if own == "" || prints[own] {
			t.Errorf("%s has the fingerprint %q: it is another result's, or none", r.RuleID, own)
		}
		prints[own] = true
		if r.Message.Text == "" {
			t.Errorf("%s has no message", r.RuleID)
		}
		if n := len(r.Locations); n == 0 || n > 10 {
			t.Errorf("%s has %d locations", r.RuleID, n)
		}
		for _, l := range r.Locations {
			if err := acceptedPlace(run, l.PhysicalLocation); err != nil {
				t.Errorf("%s: %v", r.RuleID, err)
			}
		}
	}
	return log
}

func acceptedRule(t *testing.T, rule sarifRule) {
	t.Helper()
	texts := []string{rule.ID, rule.Name, rule.ShortDescription.Text, rule.FullDescription.Text}
	for i, most := range []int{1024, 255, 1024, 1024} {
		if texts[i] == "" || length(texts[i]) > most {
			t.Errorf("rule %s: a text is %d characters long, want 1 to %d", rule.ID, length(texts[i]), most)
		}
	}
	if rule.Help.Text == "" || rule.Help.Markdown == "" {
		t.Errorf("rule %s has no help", rule.ID)
	}
	if tags, _ := rule.Properties["tags"].([]any); len(tags) == 0 || len(tags) > 10 || !slices.Contains(tags, any("security")) {
		t.Errorf("rule %s has the tags %v", rule.ID, rule.Properties["tags"])
	}
	if score, ok := rule.Properties["security-severity"]; ok && !regexp.MustCompile(`^([1-9]\.\d|0\.[1-9]|10\.0)$`).MatchString(fmt.Sprint(score)) {
		t.Errorf("rule %s has the severity %v", rule.ID, score)
	}
}

func acceptedPlace(run sarifRun, l sarifPhysical) error {
	u, err := url.Parse(l.ArtifactLocation.URI)
	switch {
	case err != nil:
		return err
	case u.Path == "":
		return errors.New("no file")
	case u.Scheme == "" && (strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "..")):
		return fmt.Errorf("%s is not in the repository", l.ArtifactLocation.URI)
	case u.Scheme == "file" && run.Invocations[0].WorkingDirectory == nil:
		return fmt.Errorf("%s is absolute, and nothing says what it is relative to", l.ArtifactLocation.URI)
	case u.Scheme != "" && u.Scheme != "file":
		return fmt.Errorf("%s is no file", l.ArtifactLocation.URI)
	}
	r := l.Region
	if r.StartLine < 1 || r.StartColumn < 1 || r.EndLine < r.StartLine || r.EndLine == r.StartLine && r.EndColumn <= r.StartColumn {
		return fmt.Errorf("the region is %+v", r)
	}
	return nil
}

// TestGitHubTakesEveryCommand walks all ways in which findings have no file, or one
// that is not in the repository.
func TestGitHubTakesEveryCommand(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "policy.json")
	text, err := os.ReadFile("testdata/input/denied.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, text, 0o600); err != nil {
		t.Fatal(err)
	}
	check := []string{"check", "--bucket", "logs", "--trails", "testdata/input/trails.json", "--format", "sarif"}
	for name, c := range map[string]struct {
		args []string
		want string // the file of the first result
	}{
		"a file":             {append(slices.Clone(check), "--policy", "testdata/input/denied.json"), "testdata/input/denied.json"},
		"no policy":          {append(slices.Clone(check), "--no-policy"), "testdata/input/trails.json"},
		"standard input":     {append(slices.Clone(check), "--policy", "-"), "testdata/input/trails.json"},
		"outside":            {append(slices.Clone(check), "--policy", outside), absoluteURI(outside)},
		"a place that is":    {append(slices.Clone(check), "--policy", "-", "--sarif-location", "terraform/a b.tf"), "terraform/a%20b.tf"},
		"another place":      {append(slices.Clone(check), "--policy", outside, "--sarif-location", "logs.tf"), "logs.tf"},
		"audit":              {[]string{"audit", "--format", "sarif"}, "trailwarden.audit"},
		"audit, with trails": {[]string{"audit", "--format", "sarif", "--trails", "testdata/input/trails.json"}, "testdata/input/trails.json"},
		"audit, at a place":  {[]string{"audit", "--format", "sarif", "--sarif-location", "README.md"}, "README.md"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLive(t, "sandbox.json")
			code, out, errs := l.run(t, string(text), c.args...)
			if code != exitFindings || errs != "" {
				t.Fatalf("code %d, stderr %q", code, errs)
			}
			run := acceptedByGitHub(t, out).Runs[0]
			if len(run.Results) == 0 {
				t.Fatal("no results")
			}
			if got := run.Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != c.want {
				t.Errorf("the first result is at %s, want %s", got, c.want)
			}
		})
	}
}

// TestFaultsAreResultsOfTheirOwn: two faults of one statement are two alerts, at
// the statement.
func TestFaultsAreResultsOfTheirOwn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.json")
	text := `  {"Version": "2012-10-17", "Statement": [
  {"Sid": "Fine", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"},
  {"Sid": "é", "Efect": "Allow", "Principal": "*", "Action": "s3:GetObject",
   "Resource": "arn:aws:s3:::logs/*"}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := checkArgs("good.json", "sarif")
	args[6] = path
	_, out, _ := runOffline(t, screen{width: 80}, args...)
	faults := 0
	for _, r := range acceptedByGitHub(t, out).Runs[0].Results {
		if r.RuleID != invalidRule {
			continue
		}
		faults++
		if got, want := r.Locations[0].PhysicalLocation.Region, (sarifRegion{3, 3, 4, 38}); got != want || r.Level != "error" {
			t.Errorf("%s %q is at %+v, want %+v", r.Level, r.Message.Text, got, want)
		}
	}
	if faults < 2 {
		t.Errorf("%d faults in:\n%s", faults, out)
	}
}

// TestPlacesCountColumns: a policy on one line, behind white space.
func TestPlacesCountColumns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.json")
	text := "\n  " + `{"Id":"😀","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := (&system{}).readPolicy(path, "logs")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.region(0), (sarifRegion{2, 27, 2, 118}); got != want {
		t.Errorf("the statement is at %+v, want %+v", got, want)
	}
}

// TestMoreResultsThanGitHubTakes: the worst are kept, and it is told.
func TestMoreResultsThanGitHubTakes(t *testing.T) {
	t.Parallel()
	findings := slices.Repeat([]delivery.Finding{{ID: "stale-trail-arn", Severity: delivery.Low}}, mostSARIFResults)
	findings = append(findings, delivery.Finding{ID: "policy-missing", Severity: delivery.Critical})
	o := &overview{Buckets: []bucketOverview{{Audited: guardrail.Audited{Report: delivery.Report{Findings: findings}}}}}
	run := newSARIF(o, sarifPlaces{category: "audit/1", file: "f"}).Runs[0]
	if len(run.Results) != mostSARIFResults || run.Results[0].RuleID != "policy-missing" {
		t.Errorf("%d results, the first is %s", len(run.Results), run.Results[0].RuleID)
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || !strings.HasPrefix(n[0].Message.Text, "1 more findings") {
		t.Errorf("told: %+v", n)
	}
}

func TestSemanticVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "devel": "", "v0.0.0-20260913120000-0123456789ab+dirty": "0.0.0-20260913120000-0123456789ab+dirty",
	} {
		if got := semanticVersion(version); got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}
