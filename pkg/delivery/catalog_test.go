package delivery_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Each type says all that others decide by.
func TestCatalogIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range delivery.Catalog() {
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`).MatchString(f.ID) || seen[f.ID] {
			t.Errorf("the id %q is malformed or taken", f.ID)
		}
		seen[f.ID] = true
		if got, ok := delivery.LookupType(f.ID); !ok || got.ID != f.ID || got.Title != f.Title {
			t.Errorf("%s is found as %+v", f.ID, got)
		}
		if f.Title == "" || strings.HasSuffix(f.Title, ".") {
			t.Errorf("%s has the title %q", f.ID, f.Title)
		}
		if (f.Requirement == "") != (f.Family == f.ID) {
			t.Errorf("%s of family %q is about requirement %q", f.ID, f.Family, f.Requirement)
		}
		if !slices.Contains([]delivery.Kind{delivery.Outage, delivery.Unknown, delivery.Weakness}, f.Kind) {
			t.Errorf("%s has kind %q", f.ID, f.Kind)
		}
		if f.Severity.Rank() > delivery.Informational.Rank() {
			t.Errorf("%s has severity %q", f.ID, f.Severity)
		}
		sources := []delivery.Source{delivery.SourceBucket, delivery.SourcePolicy, delivery.SourceKey, delivery.SourceTopic, delivery.SourceTrails, delivery.SourceStatus, delivery.SourceRCP}
		if !slices.Contains(sources, f.Source) {
			t.Errorf("%s has source %q", f.ID, f.Source)
		}
		losses := []delivery.Loss{delivery.LossNone, delivery.LossPart, delivery.LossCoverage, delivery.LossLogFiles, delivery.LossWrites, delivery.LossEvents}
		if !slices.Contains(losses, f.Loss) || (f.Loss == delivery.LossNone) == (f.Kind == delivery.Outage) {
			t.Errorf("%s is of kind %s and loses %q", f.ID, f.Kind, f.Loss)
		}
		restored := []delivery.Restored{
			delivery.RestoredNever, delivery.RestoredAlways, delivery.RestoredUnlessDenied, delivery.RestoredIfNotAllowed,
			delivery.RestoredByHardening,
		}
		if !slices.Contains(restored, f.Restored) {
			t.Errorf("%s is restored %q", f.ID, f.Restored)
		}
		// A plan names what it leaves as it is; a weakness it does not name.
		general := delivery.FindingType{}.Refusal(delivery.Finding{})
		if never := f.Restored == delivery.RestoredNever && f.Kind != delivery.Weakness; never && f.Refusal(delivery.Finding{}) == general {
			t.Errorf("%s is never restored, and does not say why", f.ID)
		}
	}
	for _, id := range trail.RequirementIDs() {
		if !seen[delivery.DeniedID(id)] || !seen[delivery.UndeterminedID(id)] {
			t.Errorf("requirement %s has no finding", id)
		}
	}
	if f, ok := delivery.LookupType("no-such-finding"); ok {
		t.Errorf("a finding that there is not is found as %+v", f)
	}
}

// Each family has one file, with its test, and each file is in the catalogue.
func TestEachFamilyHasFile(t *testing.T) {
	files, err := filepath.Glob("finding_*.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			tests++
			continue
		}
		if test := strings.TrimSuffix(file, ".go") + "_test.go"; !slices.Contains(files, test) {
			t.Errorf("%s has no %s", file, test)
		}
	}
	families := map[string]bool{}
	for _, f := range delivery.Catalog() {
		families[f.Family] = true
	}
	if len(files)-tests != len(families) {
		t.Errorf("%d files of findings, and the catalogue has %d families", len(files)-tests, len(families))
	}
}

// The page that alerts and SARIF link to has a heading for every finding, and
// says of it what the catalogue says.
func TestCatalogIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]string{} // heading -> section
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		page[heading] = body
	}
	facts := regexp.MustCompile(`^\n\*\*Severity\*\* ([A-Z]+) · \*\*Kind\*\* ([a-z]+)(?:, [^·]*)? · \*\*Restored\*\* (.*)\n`)
	for _, f := range delivery.Catalog() {
		body, ok := page[f.ID]
		if !ok {
			t.Errorf("docs/findings.md has no heading %q", f.ID)
			continue
		}
		delete(page, f.ID)
		want := []string{string(f.Severity), string(f.Kind), string(f.Restored)}
		if got := facts.FindStringSubmatch(body); got == nil || !slices.Equal(got[1:], want) {
			t.Errorf("docs/findings.md says of %s %q, want severity, kind and restored %q", f.ID, got, want)
		}
		for _, part := range []string{"**What it means.**", "**How it comes about.**", "**What to do.**"} {
			if !strings.Contains(body, "\n"+part) {
				t.Errorf("docs/findings.md lacks of %s: %s", f.ID, part)
			}
		}
	}
	// What a report says beside its findings, which SARIF has as rules.
	for _, id := range []string{"policy-invalid", "policy-perhaps-invalid", "bucket-not-judged"} {
		delete(page, id)
	}
	for heading := range page {
		t.Errorf("docs/findings.md has the heading %q, and there is no such finding", heading)
	}
}
