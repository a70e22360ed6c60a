package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestDifferenceOfAudits(t *testing.T) {
	t.Parallel()
	const one, two = "arn:aws:cloudtrail:us-east-1:111111111111:trail/one", "arn:aws:cloudtrail:us-east-1:111111111111:trail/two"
	denied := delivery.Finding{ID: "log-files-denied", Severity: delivery.Critical, Trail: one}
	weak := delivery.Finding{ID: "source-arn-missing", Severity: delivery.Medium}
	report := func(bucket string, v delivery.Verdict, trail string, findings ...delivery.Finding) bucketJSON {
		return bucketJSON{reportJSON: newReportJSON(delivery.Report{
			Bucket: bucket, Verdict: v, Trails: []delivery.TrailReport{{ARN: trail}}, Findings: findings,
		})}
	}
	before := &overviewJSON{Buckets: []bucketJSON{
		report("acme-same", delivery.Blocked, one, denied),
		report("acme-worse", delivery.Delivering, one, weak),
		report("acme-moved", delivery.Delivering, one),
		report("acme-gone", delivery.Blocked, one, denied),
	}}
	unjudged := bucketJSON{reportJSON: newReportJSON(delivery.Report{Bucket: "acme-unjudged", Verdict: delivery.Undetermined}), Error: "no answer"}
	after := &overviewJSON{Buckets: []bucketJSON{
		report("acme-same", delivery.Blocked, one, denied),
		report("acme-worse", delivery.Blocked, one, denied, denied),
		report("acme-moved", delivery.Delivering, two),
		unjudged,
	}}
	d := differenceOf(before, after)
	var b strings.Builder
	writeDifference(screen{out: &b, width: 80}, d)
	want := `Changed since the earlier audit:
  acme-worse
    was delivering, is blocked
    new: CRITICAL log-files-denied
    ended: MEDIUM source-arn-missing
  acme-moved
    new trails: two
    trails that are gone: one
  acme-unjudged
    new: undetermined
    new: HIGH bucket-not-judged
  acme-gone
    no trail uses it any more; it was blocked

`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	b.Reset()
	writeDifference(screen{out: &b, width: 80}, differenceOf(before, before))
	if want := "Nothing changed since the earlier audit.\n\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestAuditDiff(t *testing.T) {
	folder := t.TempDir()
	last := filepath.Join(folder, "last.json")
	_, first, _ := newLive(t).run(t, "", "audit", "--format", "json")
	if err := os.WriteFile(last, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := newLive(t).run(t, "", "audit", "--diff", last)
	if code != exitFine || errs != "" {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	contains(t, out, "Nothing changed since 2026-09-13 14:01 UTC.", "TRAIL")

	code, out, _ = newLive(t, "sandbox.json").run(t, "", "audit", "--diff", last)
	if code != exitFindings {
		t.Errorf("code %d", code)
	}
	contains(t, out, "Changed since 2026-09-13 14:01 UTC:", "  "+sandbox, "    was delivering, is blocked", "CRITICAL log-files-denied")
	_, out, _ = newLive(t, "sandbox.json").run(t, "", "audit", "--diff", last, "--format", "html")
	contained(t, out)
	contains(t, out, "Changed since 2026-09-13 14:01 UTC", "<dd>was delivering, is blocked</dd>")

	for name, c := range map[string]struct{ text, want string }{
		"another account": {strings.Replace(first, `"account": "111111111111"`, `"account": "222222222222"`, 1), "an audit of account 222222222222; this one is of 111111111111"},
		"no audit":        {`{"trailList":[]}`, "no account or no buckets in it"},
		"newer":           {strings.Replace(first, `"version": 1`, `"version": 9`, 1), "written by a newer version"},
		"older":           {strings.Replace(first, `"version": 1,`, ``, 1), ""},
		"no JSON":         {"TRAIL BUCKET", "expected the output of"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "other.json")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, errs := newLive(t).run(t, "", "audit", "--diff", path)
			if c.want == "" && code == exitFine {
				return
			}
			if code != exitUsage || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("code %d, stdout %q, stderr %q, want %q", code, out, errs, c.want)
			}
		})
	}
}
