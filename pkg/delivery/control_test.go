package delivery_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// TestControlsAreDocumented: each control that a finding names has its row with a source,
// and no row is left over.
func TestControlsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n# Controls of standards\n")
	rows := map[string]string{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, " | "); len(cells) == 4 && !strings.HasPrefix(line, "| control") {
			rows[strings.TrimPrefix(cells[0], "| ")] = cells[3]
		}
	}
	named := map[string]bool{}
	for _, f := range delivery.Catalog() {
		if (f.Kind == delivery.Outage) != (len(f.Controls) > 0) {
			t.Errorf("%s is an %s and touches %q", f.ID, f.Kind, f.Controls)
		}
		for _, c := range f.Controls {
			named[c] = true
			if !strings.Contains(rows[c], "](https://") {
				t.Errorf("%s touches %q, and docs/findings.md has no source for it", f.ID, c)
			}
			if !regexp.MustCompile(`^(Security Hub CloudTrail\.\d|CIS AWS Foundations Benchmark v[\d.]+/[\d.]+|NIST\.800-53\.r5 [A-Z]{2}-\d+|PCI DSS v[\d.]+/[\d.]+)$`).MatchString(c) {
				t.Errorf("%q is not spelled as Security Hub spells controls", c)
			}
		}
	}
	for c := range rows {
		if !named[c] {
			t.Errorf("docs/findings.md has %q, and no finding touches it", c)
		}
	}
}

func TestControls(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"trail-stopped":        "Security Hub CloudTrail.1",
		"no-trail":             "Security Hub CloudTrail.3",
		"trail-silent":         "Security Hub CloudTrail.1",
		"trail-covers-less":    "NIST.800-53.r5 AU-5",
		"trail-deleted":        "CIS AWS Foundations Benchmark v1.4.0/3.1",
		"digest-files-denied":  "Security Hub CloudTrail.4",
		"bucket-owner-changed": "NIST.800-53.r5 AU-9",
		"log-files-denied":     "NIST.800-53.r5 AU-5",
	} {
		if f, _ := delivery.LookupType(id); !slices.Contains(f.Controls, want) {
			t.Errorf("%s touches %q, want %q among them", id, f.Controls, want)
		}
	}
}
