package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// golden compares a text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/golden/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestPageOfCheck(t *testing.T) {
	t.Parallel()
	code, out, errs := runOffline(t, screen{width: 80}, checkArgs("denied.json", "html")...)
	if code != exitFindings || errs != "" {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	golden(t, "check.html", out)
	contained(t, out)
}

func TestPageOfAudit(t *testing.T) {
	l := newLive(t, "sandbox.json")
	code, out, _ := l.run(t, "", "audit", "--format", "html")
	if code != exitFindings {
		t.Fatalf("code %d", code)
	}
	golden(t, "audit.html", out)
	contained(t, out)
	contains(t, out, "account 111111111111", "CloudTrail says: delivered", `class="added"`, "log-files-denied")
}

// TestPageOfOverview keeps the page with everything in it, and the same audit as
// JSON: test/browser looks in the one for what the other says.
func TestPageOfOverview(t *testing.T) {
	text, err := os.ReadFile("testdata/input/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := inmem.ReadDescription(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	l := newLive(t)
	l.simulation = newSimulation(d, guardrail.Config{}, io.Discard)
	code, out, errs := l.run(t, "", "audit", "--format", "html")
	if code != exitFindings || errs != "" {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	golden(t, "overview.html", out)
	contained(t, out)
	for _, verdict := range []string{"blocked", "undetermined", "delivering"} {
		contains(t, out, `<span class="mark `+verdict+`">`)
	}
	_, out, _ = l.run(t, "", "audit", "--format", "json")
	golden(t, "overview.json", out)
}

// contained checks that a page needs nothing else: no script, no file, no
// address but links for people.
func contained(t *testing.T, page string) {
	t.Helper()
	for _, pattern := range []string{`(?i)<script`, `(?i)<link`, `(?i)<img`, `(?i)\bsrc=`, `(?i)\bon[a-z]+=`, `(?i)@import`, `(?i)url\(`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	for _, tag := range []string{"section", "div", "ul", "article", "pre", "main", "html"} {
		open, end := regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(page, -1), strings.Count(page, "</"+tag+">")
		if len(open) != end {
			t.Errorf("%d of <%s>, %d of its end", len(open), tag, end)
		}
	}
}

func TestPageTakesTextsAsData(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script>"'>`
	var b strings.Builder
	err := writePage(&b, &overview{Account: evil, Region: evil, Buckets: []bucketOverview{{Audited: guardrail.Audited{
		Bucket: delivery.Bucket{Name: evil, Owner: evil, Region: evil},
		Trails: []trail.Trail{{Name: evil, ARN: evil}},
		Report: delivery.Report{
			Findings: []delivery.Finding{{
				ID: evil, Severity: evil, Kind: evil, Message: evil, Remedy: evil, Edit: evil, Statements: []string{evil},
			}},
			Faults: []string{evil},
		},
		Err: errors.New(evil),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	contained(t, b.String())
	contains(t, b.String(), "Not judged")
}

func TestPageWithoutBuckets(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := writePage(&b, &overview{Account: "111111111111"}); err != nil {
		t.Fatal(err)
	}
	contains(t, b.String(), "No trails.")
}
