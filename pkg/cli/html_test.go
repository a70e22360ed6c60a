package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
	contains(t, out, "account 111111111111, 2026-09-13", "2026-09-13 14:01:00 UTC", "assumed-role/Auditor/dana",
		"CloudTrail says: delivered", `class="added"`, "log-files-denied", "Nothing: all of it could be read.")
}

// TestPageOfOverview keeps the page with everything in it, and the same audit as
// JSON: test/browser looks in the one for what the other says.
func TestPageOfOverview(t *testing.T) {
	text, err := os.ReadFile("testdata/input/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	// Each audit has a clock of its own: how long one waits hangs on the order of its calls.
	audit := func(format string) string {
		t.Helper()
		d, err := inmem.ReadDescription(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		l := newLive(t)
		l.simulation = newSimulation(d, guardrail.Config{}, io.Discard)
		l.clock.Set(time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC))
		code, out, errs := l.run(t, "", "audit", "--format", format)
		if code != exitFindings || errs != "" {
			t.Fatalf("code %d, stderr %q", code, errs)
		}
		return out
	}
	out := audit("html")
	golden(t, "overview.html", out)
	contained(t, out)
	for _, verdict := range []string{"blocked", "undetermined", "delivering"} {
		contains(t, out, `<span class="mark `+verdict+`">`)
	}
	golden(t, "overview.json", audit("json"))
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
	for _, tag := range []string{"section", "div", "ul", "dl", "table", "details", "summary", "article", "pre", "main", "html"} {
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
	err := writePage(&b, &overview{Account: evil, Region: evil, origin: origin{Caller: evil, Scope: []string{evil}}, Buckets: []bucketOverview{{Audited: guardrail.Audited{
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

// TestPageSaysWhatWasNotRead: an auditor must not take silence for "fine".
func TestPageSaysWhatWasNotRead(t *testing.T) {
	t.Parallel()
	o := &overview{Account: "111111111111", Buckets: []bucketOverview{
		{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: "acme-gone"}, Err: errors.New("no answer")}},
		{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: "acme-locked"}, Report: delivery.Report{
			Verdict: delivery.Undetermined, Findings: []delivery.Finding{{ID: "policy-unreadable", Message: "It may not be read."}},
		}}},
	}}
	var b strings.Builder
	if err := writePage(&b, o); err != nil {
		t.Fatal(err)
	}
	contains(t, b.String(), "2 buckets:", "<li>acme-gone: no answer</li>", "<li>acme-locked: It may not be read.</li>")
}

// TestMeanings: every name on the page has a sentence of its own.
func TestMeanings(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, id := range trail.RequirementIDs() {
		meaning := needMeaning(id)
		if seen[meaning] || meaning == needMeaning("") {
			t.Errorf("%s: %q", id, meaning)
		}
		seen[meaning] = true
	}
}

var pages = flag.String("pages", "", "a folder for pages with 1, 30, 500 and 5,000 buckets, which test/browser looks at")

// TestPageSizes: the page holds every bucket, whatever their number, and is not larger
// than a browser likes.
func TestPageSizes(t *testing.T) {
	for name, c := range map[string]struct {
		buckets, wrong int
		most           int // bytes for each bucket, beside 40,000
	}{
		"1":       {1, 1, 10_000},
		"30":      {30, 4, 4_000},
		"500":     {500, 10, 2_200},
		"5000":    {5000, 50, 2_000},
		"500-bad": {500, 1, 5_000},
	} {
		t.Run(name, func(t *testing.T) {
			o := manyBuckets(t, c.buckets, c.wrong)
			o.origin = origin{
				At: time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC), Caller: "arn:aws:sts::111111111111:assumed-role/Auditor/dana",
				Scope: (&auditCommand{}).scope(o, 0),
			}
			var b strings.Builder
			if err := writePage(&b, o); err != nil {
				t.Fatal(err)
			}
			contained(t, b.String())
			if most := 40_000 + c.buckets*c.most; b.Len() > most {
				t.Errorf("%d bytes, want at most %d", b.Len(), most)
			}
			rows, maps := all(b.String(), `<tr><td><a href="#([^"]+)">`), all(b.String(), `<details class="bucket" id="([^"]+)"`)
			for i := range o.Buckets {
				if name := o.Buckets[i].Bucket.Name; rows[name] != 1 || maps[name] != 1 {
					t.Fatalf("%s is in %d rows of the table and on %d maps", name, rows[name], maps[name])
				}
			}
			if *pages != "" {
				if err := os.WriteFile(filepath.Join(*pages, name+".html"), []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// all counts what a pattern's group finds in a text.
func all(text, pattern string) map[string]int {
	found := map[string]int{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[m[1]]++
	}
	return found
}
