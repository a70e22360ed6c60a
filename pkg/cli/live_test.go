package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// livetest runs the live commands on an account in memory.
type livetest struct {
	*simulation
	session app.Session // as the last command asked for it
	config  guardrail.Config
	prompts bool
	tty     bool
	env     map[string]string
}

func newLive(t *testing.T, events ...string) *livetest {
	t.Helper()
	text, err := os.ReadFile("testdata/input/account.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := inmem.ReadDescription(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	l := &livetest{
		simulation: newSimulation(d, guardrail.Config{}, io.Discard),
		env:        map[string]string{"TRAILWARDEN_TABLE": "memory"},
	}
	l.clock.Set(time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC))
	for _, event := range events {
		payload, err := os.ReadFile("testdata/input/" + event)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.account.Apply(payload); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// run runs a command with the given answers on standard input.
func (l *livetest) run(t *testing.T, answers string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	l.clock.Set(l.clock.Now().Add(time.Minute))
	var out, errs bytes.Buffer
	buffered := bufio.NewWriter(&out)
	code = run(t.Context(), args, &system{
		stdin: strings.NewReader(answers), stdout: buffered, stderr: &errs,
		lookupEnv: func(key string) (string, bool) { v, ok := l.env[key]; return v, ok },
		screen:    screen{out: buffered, width: 80}, prompts: l.prompts, watched: l.tty, now: l.clock.Now,
		connect: func(_ context.Context, s app.Session, c guardrail.Config, _ app.LookupEnv, _ io.Writer) (connection, error) {
			l.session, l.config = s, c
			return connection{l.guard, "111111111111", "us-east-1", "arn:aws:sts::111111111111:assumed-role/Auditor/dana"}, nil
		},
	})
	return code, out.String(), errs.String()
}

// policy returns the policy of the sandbox bucket.
func (l *livetest) policy(t *testing.T) string {
	t.Helper()
	b, ok := l.account.Bucket(sandbox)
	if !ok {
		t.Fatalf("no bucket %s", sandbox)
	}
	return string(b.Policy)
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

const sandbox = "acme-sandbox-logs"

func TestAudit(t *testing.T) {
	l := newLive(t)
	code, out, errs := l.run(t, "", "audit", "--profile", "p", "--region", "eu-west-1", "--endpoint-url", "http://localhost:1")
	if code != exitFine || errs != "" {
		t.Fatalf("code %d, stderr %q, stdout:\n%s", code, errs, out)
	}
	contains(t, out, "TRAIL", "main, us-east-1", "acme-audit-logs", "delivering", "2026-09-13 09:05Z")
	want := app.Session{Profile: "p", Region: "eu-west-1", Endpoint: "http://localhost:1"}
	if l.session != want {
		t.Errorf("session is %+v, want %+v", l.session, want)
	}
}

func TestAuditFindsAnOutage(t *testing.T) {
	l := newLive(t, "sandbox.json")
	l.tty = true
	before := l.policy(t)
	code, out, errs := l.run(t, "", "audit")
	if code != exitFindings {
		t.Fatalf("code %d", code)
	}
	contains(t, out, "CRITICAL log-files-denied", "To repair it: trailwarden restore --bucket "+sandbox)
	contains(t, errs, "buckets judged")
	if l.policy(t) != before || len(l.alerts.Messages()) != 0 {
		t.Error("an audit wrote or told something")
	}
	if code, _, _ := l.run(t, "", "audit", "--severity", "critical"); code != exitFindings {
		t.Errorf("--severity critical: code %d", code)
	}
}

func TestAuditJSON(t *testing.T) {
	l := newLive(t, "sandbox.json")
	code, out, errs := l.run(t, "", "audit", "--format", "json")
	if code != exitFindings || errs != "" {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	var got struct {
		Account string
		Buckets []struct {
			Bucket, Verdict, Owner string
			Findings               []struct{ ID string }
			Statuses               []struct{ ARN string }
			Plan                   struct{ Changed bool }
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Account != "111111111111" || len(got.Buckets) != 3 {
		t.Fatalf("got %+v", got)
	}
	for _, b := range got.Buckets {
		broken := b.Bucket == sandbox
		if (b.Verdict == "blocked") != broken || b.Plan.Changed != broken || (len(b.Findings) > 0) != broken ||
			len(b.Statuses) != 1 || b.Owner != got.Account {
			t.Errorf("got %+v", b)
		}
	}
}

func TestAuditDeclaredTrails(t *testing.T) {
	l := newLive(t)
	if code, _, errs := l.run(t, "", "audit", "--trails", "testdata/input/trails.json"); code != exitFine {
		t.Fatalf("code %d, stderr %s", code, errs)
	}
	if len(l.config.Trails) != 1 || l.config.Trails[0].Name != "main" {
		t.Errorf("declared %+v", l.config.Trails)
	}
}

func TestAuditBucketOwners(t *testing.T) {
	l := newLive(t)
	if code, _, errs := l.run(t, "", "audit", "--bucket-owners", "logs=222222222222,more=333333333333"); code != exitFine {
		t.Fatalf("code %d, stderr %s", code, errs)
	}
	if want := map[string]string{"logs": "222222222222", "more": "333333333333"}; !maps.Equal(l.config.Owners, want) {
		t.Errorf("owners are %v, want %v", l.config.Owners, want)
	}
	code, out, errs := l.run(t, "", "audit", "--bucket-owners", "logs=alice")
	if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
	contains(t, errs, "--bucket-owners: logs: expected an account id of 12 digits")
}

func TestRestoreAsks(t *testing.T) {
	l := newLive(t, "sandbox.json")
	broken := l.policy(t)

	code, out, errs := l.run(t, "", "restore", "--bucket", sandbox)
	if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("without a terminal: code %d, stdout %q, stderr %q", code, out, errs)
	}
	contains(t, errs, "--yes")

	_, _, errs = l.run(t, "", "restore", "--bucket", sandbox, "--bucket-owner", "12")
	if want := "trailwarden: --bucket-owner: expected an account id of 12 digits\n"; errs != want {
		t.Errorf("two mistakes at once: stderr %q, want the first, %q", errs, want)
	}

	l.prompts = true
	for _, answer := range []string{"n\n", "", "yep\n"} {
		code, out, _ = l.run(t, answer, "restore", "--bucket", sandbox)
		if code != exitFindings || l.policy(t) != broken {
			t.Errorf("answer %q: code %d, policy %s", answer, code, l.policy(t))
		}
		contains(t, out, "before: blocked", "Nothing was written.")
	}

	code, out, errs = l.run(t, "y\n", "restore", "--bucket", sandbox)
	if code != exitFine || l.policy(t) == broken {
		t.Fatalf("code %d, stderr %q, stdout:\n%s", code, errs, out)
	}
	contains(t, out, "before: blocked", `+      "Sid": "AWSCloudTrailWrite20150319"`, "after: delivering")
	contains(t, errs, "Write this to "+sandbox+"? [y/N]")
	if strings.Contains(out, "not kept for undo") {
		t.Error("the table is not used")
	}

	code, out, _ = l.run(t, "", "restore", "--bucket", sandbox)
	if code != exitFine {
		t.Errorf("a healthy bucket: code %d", code)
	}
	contains(t, out, "nothing to change", "Nothing was written.")
}

func TestRestoreRefusesADeny(t *testing.T) {
	l := newLive(t)
	b, _ := l.account.Bucket(sandbox)
	b.Policy = []byte(strings.Replace(string(b.Policy), `"Statement": [`, `"Statement": [
		{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-sandbox-logs/*"},`, 1))
	l.account.PutBucket(b)
	code, out, _ := l.run(t, "", "restore", "--bucket", sandbox, "--yes")
	if code != exitFindings || l.policy(t) != string(b.Policy) {
		t.Fatalf("code %d, stdout:\n%s", code, out)
	}
	contains(t, out, "before: blocked", "refused log-files-denied", "Nothing was written.")
}

func TestRestoreWithoutTable(t *testing.T) {
	l := newLive(t, "sandbox.json")
	l.env = nil
	code, out, _ := l.run(t, "", "restore", "--bucket", sandbox, "--yes", "--harden")
	if code != exitFine || !l.config.Harden || l.session.Table != "" {
		t.Errorf("code %d, config %+v", code, l.config)
	}
	contains(t, out, "not kept for undo", "after: delivering")
}

func TestRestoreUnknownBucket(t *testing.T) {
	code, out, errs := newLive(t).run(t, "", "restore", "--bucket", "elsewhere", "--yes")
	if code != exitUsage || out != "" {
		t.Errorf("code %d, stdout %q", code, out)
	}
	contains(t, errs, "trailwarden: cannot restore elsewhere: ")
}

func TestUndo(t *testing.T) {
	l := newLive(t, "sandbox.json")
	broken := l.policy(t)
	code, out, errs := l.run(t, "", "undo", "--bucket", sandbox)
	if code != exitUsage || out != "" {
		t.Errorf("nothing kept: code %d, stdout %q", code, out)
	}
	contains(t, errs, "keeps no replaced policy of "+sandbox)

	if code, _, errs = l.run(t, "", "restore", "--bucket", sandbox, "--yes"); code != exitFine {
		t.Fatalf("restore: code %d, %s", code, errs)
	}
	restored := l.policy(t)

	code, out, _ = l.run(t, "", "undo", "--bucket", sandbox, "--list")
	if code != exitFine {
		t.Errorf("--list: code %d", code)
	}
	contains(t, out, "TIME", "REPLACED BECAUSE", "2026-09-13T14:")

	code, out, errs = l.run(t, "", "undo", "--bucket", sandbox)
	if code != exitUsage || out != "" || l.policy(t) != restored {
		t.Errorf("without a terminal: code %d, stdout %q, stderr %q", code, out, errs)
	}
	l.prompts = true
	code, out, _ = l.run(t, "no\n", "undo", "--bucket", sandbox)
	if code != exitFine || l.policy(t) != restored {
		t.Errorf("no: code %d", code)
	}
	contains(t, out, "Nothing was written.")
	code, out, errs = l.run(t, "yes\n", "undo", "--bucket", sandbox)
	if code != exitFine || l.policy(t) != broken {
		t.Fatalf("code %d, stderr %s, policy %s", code, errs, l.policy(t))
	}
	contains(t, out, `-      "Sid": "AWSCloudTrailWrite20150319"`, "--release")
	if !strings.Contains(out, "undo --bucket "+sandbox+" --release --table ") {
		t.Errorf("the command that lifts the hold does not name the table:\n%s", out)
	}
	l.checkHold(t)
}

// checkHold goes on after an undo: it is held, several policies are kept, and
// the hold can be lifted.
func (l *livetest) checkHold(t *testing.T) {
	t.Helper()
	code, out, _ := l.run(t, "", "undo", "--bucket", sandbox)
	if code != exitFine {
		t.Errorf("several kept: code %d", code)
	}
	contains(t, out, "put one back with --at TIME")
	times := 0
	for line := range strings.Lines(out) {
		if at, _, ok := strings.Cut(line, " "); ok && strings.HasPrefix(at, "2026-") {
			times++
			if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
				t.Errorf("the list shows %q: %v", at, err)
			}
		}
	}
	if times != 2 {
		t.Errorf("%d policies are listed, want 2:\n%s", times, out)
	}
	code, out, errs := l.run(t, "", "undo", "--bucket", sandbox, "--at", "2020-01-01T00:00:00Z")
	if code != exitUsage || out != "" {
		t.Errorf("no such time: code %d, stdout %q", code, out)
	}
	contains(t, errs, "--list shows")
	if code, _, _ = l.run(t, "", "undo", "--bucket", sandbox, "--at", "yesterday"); code != exitUsage {
		t.Errorf("no time: code %d", code)
	}
	code, out, _ = l.run(t, "", "undo", "--bucket", sandbox, "--release")
	if code != exitFine {
		t.Errorf("--release: code %d", code)
	}
	contains(t, out, sandbox+" may be repaired again")
}

func TestUndoNeedsATable(t *testing.T) {
	l := newLive(t)
	l.env = nil
	code, out, errs := l.run(t, "", "undo", "--bucket", sandbox, "--list")
	if code != exitUsage || out != "" {
		t.Errorf("code %d, stdout %q", code, out)
	}
	contains(t, errs, "--table or TRAILWARDEN_TABLE")
	_, _, errs = l.run(t, "", "undo", "--bucket", sandbox, "--list", "--table", "mine")
	if !strings.Contains(errs, "table mine keeps no") || l.session.Table != "mine" {
		t.Errorf("--table: stderr %q", errs)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	var errs bytes.Buffer
	noVariables := func(string) (string, bool) { return "", false }
	code := Main(t.Context(), []string{"version"}, strings.NewReader(""), brokenWriter{}, &errs, noVariables)
	if code != exitUsage || !strings.Contains(errs.String(), "no room") {
		t.Errorf("code %d, stderr %q", code, errs.String())
	}
}

// An account without a trail is found in every format.
func TestAuditWithoutTrail(t *testing.T) {
	l := newLive(t)
	for _, name := range []string{"main", "payments", "sandbox"} {
		l.account.DeleteTrail("arn:aws:cloudtrail:us-east-1:111111111111:trail/" + name)
	}
	for format, want := range map[string][]string{
		"text":  {"Account 111111111111 has no trails.", "CRITICAL no-trail", "create-trail"},
		"json":  {`"bucket": "account:111111111111"`, `"verdict": "blocked"`, `"id": "no-trail"`},
		"sarif": {`"ruleId": "no-trail"`, "arn:aws:iam::111111111111:root"},
		"html":  {"no-trail", "account:111111111111"},
	} {
		code, out, errs := l.run(t, "", "audit", "--format", format, "--severity", "critical")
		if code != exitFindings || errs != "" {
			t.Errorf("%s: code %d, stderr %q", format, code, errs)
		}
		contains(t, out, want...)
	}
}

// audit says what each trail covers, and with the guard's table what it covers less.
func TestAuditOfCoverage(t *testing.T) {
	l := newLive(t)
	l.sweep(t)
	main := l.trail(t, "main")
	main.MultiRegion, main.KMSKeyID = false, "arn:aws:kms:us-east-1:111111111111:key/1"
	main.CustomSelectors, main.Unlogged = true, trail.Unlogged{Reads: true, Sources: "kms.amazonaws.com"}
	l.account.PutTrail(main, trail.Status{Logging: true})

	_, out, _ := l.run(t, "", "audit")
	contains(t, strings.Join(strings.Fields(out), " "), "TRAIL COVERS", "payments, us-east-1; sandbox, us-east-1 its account, every region, all management events, validated",
		"main, us-east-1 its account, us-east-1 alone, no global services, management writes only but for kms.amazonaws.com, validated, own key")
	_, out, _ = l.run(t, "", "audit", "--format", "json")
	contains(t, strings.Join(strings.Fields(out), " "), `"coverage": [ { "arn": "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", "organization": false, `+
		`"multiRegion": false, "homeRegion": "us-east-1", "globalServiceEvents": false, "managementEvents": { "known": true, "reads": false, `+
		`"writes": true, "except": [ "kms.amazonaws.com" ] }, "logFileValidation": true, "kmsKeyId": "arn:aws:kms:us-east-1:111111111111:key/1" } ]`)

	code, out, _ := l.run(t, "", "audit", "--table", "memory")
	if code != exitFindings || l.session.Table != "memory" {
		t.Errorf("code %d, session %+v", code, l.session)
	}
	contains(t, out, "HIGH trail-covers-less", "records us-east-1 alone")
}

func (l *livetest) sweep(t *testing.T) {
	t.Helper()
	if _, err := l.guard.Sweep(t.Context(), l.number, l.region); err != nil {
		t.Fatal(err)
	}
}

func (l *livetest) trail(t *testing.T, name string) trail.Trail {
	t.Helper()
	for _, tr := range l.account.Describe().Trails {
		if tr.Name == name {
			return tr
		}
	}
	t.Fatalf("no trail %s", name)
	return trail.Trail{}
}

// What is accepted is told as resolved, listed, and taken back.
func TestAccept(t *testing.T) {
	l := newLive(t)
	l.sweep(t)
	code, _, errs := l.run(t, "", "accept", "--bucket", "acme-audit-logs", "--trail", "main", "--reason", "why", "--until", "2027-01-01")
	if code != exitUsage || !strings.Contains(errs, "nothing to accept") {
		t.Errorf("code %d, stderr %q", code, errs)
	}
	main := l.trail(t, "main")
	main.LogFileValidation = false
	l.account.PutTrail(main, trail.Status{Logging: true})
	l.sweep(t)
	l.env["USER"] = "dana"
	code, out, errs := l.run(t, "", "accept", "--bucket", "acme-audit-logs", "--trail", "main", "--reason", "digests are\nmade  elsewhere", "--until", "2027-01-01")
	if code != exitFine {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	contains(t, out, "Accepted until 2027-01-01", "validation")
	_, out, _ = l.run(t, "", "accept", "--bucket", "acme-audit-logs", "--list")
	contains(t, strings.Join(strings.Fields(out), " "), "trail/main", "validation", "2027-01-01", "dana with", "digests")
	l.sweep(t)
	code, out, _ = l.run(t, "", "accept", "--bucket", "acme-audit-logs", "--trail", main.ARN, "--withdraw")
	contains(t, out, "Taken back")
	if code != exitFine {
		t.Errorf("code %d", code)
	}
	l.sweep(t)
	var kinds []string
	for _, m := range l.alerts.Messages() {
		kinds = append(kinds, m.Attributes["kind"])
	}
	if got := strings.Join(kinds, " "); got != "opened resolved opened" {
		t.Errorf("told %q", got)
	}
	resolved := l.alerts.Messages()[1]
	contains(t, resolved.Subject, "RESOLVED: CloudTrail covers less, as accepted, for acme-audit-logs")
	contains(t, strings.Join(strings.Fields(resolved.Body), " "), "accepted by dana with credentials of account 111111111111 until 2027-01-01: digests are made elsewhere")
	if code, _, errs = l.run(t, "", "accept", "--bucket", "acme-audit-logs", "--trail", "main", "--withdraw"); code != exitUsage {
		t.Errorf("it is taken back twice: code %d, stderr %q", code, errs)
	}
}
