package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	acmeID         = "o-exampleorg1"
	acmeManagement = "222222222222"
	acmeArchive    = "333333333333"
	acmeSecurity   = "111111111111" // whose credentials are used
	acmeCentral    = "acme-central-logs"
)

func acmeAccount(i int) string { return fmt.Sprintf("%012d", 400_000_000_000+i) }

// orgtest runs the commands on an organization in memory.
type orgtest struct {
	all     *inmem.Organization
	d       inmem.Description
	members []inventory.Member
	clock   clock
	known   inmem.Inventory
	records inmem.Ledger
	stacks  stacksOf
	session app.Session
	tty     bool
}

// stacksOf are the stacks of accounts. One that is there without any may not be asked.
type stacksOf map[string][]guardrail.Stack

func (s stacksOf) Stacks(_ context.Context, account, region string) ([]guardrail.Stack, error) {
	if stacks, ok := s[account]; ok && stacks == nil {
		return nil, &guardrail.PortError{Op: "cloudformation:DescribeStacks", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New("no")}
	}
	var there []guardrail.Stack
	for _, stack := range s[account] {
		if stack.Region == region {
			there = append(there, stack)
		}
	}
	return there, nil
}

// newOrganization is an organization with so many accounts beside the caller's, the
// management account and a log archive with the bucket of the organization's trail. One account
// in ten has a trail and a bucket of its own. Change, if not nil, changes it before it begins.
func newOrganization(t testing.TB, accounts int, change func(*orgtest)) *orgtest {
	t.Helper()
	o := &orgtest{}
	o.clock.Set(time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC))
	organization := trail.Organization{Known: true, ID: acmeID, ManagementAccount: acmeManagement}
	o.d = inmem.Description{Account: acmeSecurity, Region: "us-east-1", Organization: organization}
	for _, id := range []string{acmeManagement, acmeSecurity, acmeArchive} {
		o.members = append(o.members, inventory.Member{ID: id, State: inventory.Active})
	}
	add := func(owner, home, bucketRegion string, x trail.Trail) {
		x.HomeRegion, x.MultiRegion, x.GlobalEvents, x.LogFileValidation = home, true, true, true
		x.ARN = "arn:aws:cloudtrail:" + home + ":" + x.ARN + ":trail/" + x.Name
		env := trail.Environment{Bucket: x.Bucket, BucketOwner: owner, Organization: organization}
		statements, err := trail.Documented([]trail.Trail{x}, env)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, s := range statements {
			texts = append(texts, string(s.Text()))
		}
		o.d.Trails = append(o.d.Trails, x)
		o.d.Statuses = append(o.d.Statuses, trail.Status{ARN: x.ARN, Logging: true, DeliveredAt: o.clock.Now().Add(-5 * time.Minute)})
		o.d.Buckets = append(o.d.Buckets, inmem.Bucket{
			Name: x.Bucket, Owner: owner, Region: bucketRegion, Policy: []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(texts, ",") + `]}`),
		})
	}
	add(acmeArchive, "us-east-1", "eu-west-1", trail.Trail{ARN: acmeManagement, Name: "all", Bucket: acmeCentral, Organization: true})
	for i := range accounts {
		id := acmeAccount(i)
		o.members = append(o.members, inventory.Member{ID: id, Name: "team " + fmt.Sprint(i), State: inventory.Active})
		if i%10 == 0 {
			home := []string{"us-east-1", "eu-west-1"}[i/10%2]
			add(id, home, home, trail.Trail{ARN: id, Name: "own", Bucket: "logs-of-" + id})
		}
	}
	if change != nil {
		change(o)
	}
	o.all = inmem.NewOrganization(o.d, o.members...)
	return o
}

// bucket is a bucket of the organization, to be changed.
func (o *orgtest) bucket(name string) *inmem.Bucket {
	for i := range o.d.Buckets {
		if o.d.Buckets[i].Name == name {
			return &o.d.Buckets[i]
		}
	}
	return nil
}

func (o *orgtest) guard(c guardrail.Config, table string) *guardrail.Guard {
	p := guardrail.Ports{Trails: o.all, Buckets: o.all, Organizations: o.all, Regions: o.all, Members: o.all, Owners: o.all, Stacks: o.stacks}
	if table != "" {
		p.Inventory, p.Ledger = &o.known, &o.records
	}
	return guardrail.New(p, c, guardrail.Runtime{Now: o.clock.Now, Sleep: o.clock.Sleep, Log: slog.New(slog.DiscardHandler)})
}

func (o *orgtest) run(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	buffered := bufio.NewWriter(&out)
	code = run(t.Context(), args, &system{
		stdin: strings.NewReader(""), stdout: buffered, stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false },
		screen: screen{out: buffered, width: 80}, now: o.clock.Now, watched: o.tty,
		connect: func(_ context.Context, s app.Session, c guardrail.Config, _ app.LookupEnv, _ io.Writer) (connection, error) {
			o.session = s
			return connection{o.guard(c, s.Table), acmeSecurity, "us-east-1", "arn:aws:sts::111111111111:assumed-role/Auditor/dana"}, nil
		},
	})
	return code, out.String(), errs.String()
}

// audit audits the whole organization.
func (o *orgtest) audit(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return o.run(t, append([]string{"audit", "--organization", "--role", "trailwarden/reader"}, args...)...)
}

func TestAuditOrganization(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{1, 40} {
		o := newOrganization(t, accounts, nil)
		o.tty = true
		code, out, errs := o.audit(t)
		if code != exitFine {
			t.Fatalf("code %d, stderr %s, stdout:\n%s", code, errs, out)
		}
		if s := o.session; !s.Organization || s.Role != "trailwarden/reader" {
			t.Errorf("session %+v", s)
		}
		contains(t, strings.Join(strings.Fields(out), " "), "Organization o-exampleorg1: of "+fmt.Sprint(accounts+3)+" accounts", "all, us-east-1, "+acmeCentral, "222222222222: all, us-east-1 the organization")
		contains(t, errs, "accounts asked", "buckets judged")
		if n := strings.Count(out, acmeCentral); n != 1 {
			t.Errorf("the central bucket is in %d rows:\n%s", n, out)
		}
	}
}

func TestAuditOrganizationNeedsARole(t *testing.T) {
	t.Parallel()
	code, out, errs := newOrganization(t, 1, nil).run(t, "audit", "--organization")
	if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
	contains(t, errs, "--role is missing")
}

// One alert, or one page, is of all: what is wrong in one account is found in every format,
// and so is who could not be read.
func TestAuditOrganizationFinds(t *testing.T) {
	t.Parallel()
	broken, closed := acmeAccount(10), acmeAccount(5)
	for name, c := range map[string]struct {
		change func(*orgtest)
		want   map[string][]string
	}{
		"an outage of one account": {
			func(o *orgtest) { o.bucket("logs-of-" + broken).Policy = nil },
			map[string][]string{
				"text":     {"CRITICAL", "logs-of-" + broken, "blocked"},
				"json":     {`"verdict": "blocked"`, `"id": "policy-missing"`},
				"sarif":    {`"ruleId": "policy-missing"`, "audit/o-exampleorg1"},
				"html":     {"1 blocked", "logs-of-" + broken, "<span class=\"whole\">" + broken + `</span> <span class="small soft">team 10</span></td><td><span class="mark blocked">`},
				"github":   {"::error", "logs-of-" + broken},
				"markdown": {"organization o-exampleorg1", "**blocked**"},
			},
		},
		"an account that cannot be read": {
			nil,
			map[string][]string{
				"text":     {"NOT READ: 1 account", closed, "StackSet", "42 were read"},
				"json":     {`"bucket": "account:` + closed, `"read": false`, "AssumeRole"},
				"sarif":    {`"ruleId": "bucket-not-judged"`, "Account " + closed + " could not be read"},
				"html":     {"1 account</span>", "may not be assumed", "<span class=\"whole\">" + closed + `</span> <span class="small soft">team 5</span></td><td><span class="mark undetermined">`},
				"github":   {"::error", "Account " + closed + " could not be read"},
				"markdown": {"Account " + closed + " could not be read"},
			},
		},
	} {
		for format, want := range c.want {
			o := newOrganization(t, 40, c.change)
			o.all.Close(closed, c.change == nil)
			code, out, errs := o.audit(t, "--format", format, "--severity", "critical")
			if code != exitFindings || errs != "" {
				t.Errorf("%s, %s: code %d, stderr %q", name, format, code, errs)
			}
			contains(t, strings.Join(strings.Fields(out), " "), want...)
			if format == "json" {
				if err := follows(t, published(t, "audit.schema.json", true), out); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// An account that is suspended is nobody's failure, and is named.
func TestAuditOrganizationWithInactiveAccounts(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 10, func(o *orgtest) { o.members[8].State, o.members[9].State = "SUSPENDED", "PENDING_ACTIVATION" })
	code, out, errs := o.audit(t)
	if code != exitFine {
		t.Fatalf("code %d, %s, %s", code, errs, out)
	}
	contains(t, strings.Join(strings.Fields(out), " "), "of 13 accounts 11 are active and 11 were read. Nobody can read 2 accounts that are not active.")
}

// All accounts that could not be read for one reason are one thing to mend.
func TestAuditOrganizationThatNobodyMayRead(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 400, nil)
	for _, m := range o.members {
		o.all.Close(m.ID, true)
	}
	code, out, _ := o.audit(t)
	if code != exitFindings {
		t.Errorf("code %d", code)
	}
	contains(t, strings.Join(strings.Fields(out), " "), "NOT READ: 403 accounts", "403 accounts 403 are active and 0 were read", "and 353 more")
	if lines := strings.Count(out, "\n"); lines > 40 {
		t.Errorf("%d lines:\n%s", lines, out)
	}
}

// What was there in an account that cannot be read now has not ended.
func TestDifferenceOfOrganizations(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 20, nil)
	closed, last := acmeAccount(10), filepath.Join(t.TempDir(), "last.json")
	_, out, _ := o.audit(t, "--format", "json")
	if err := os.WriteFile(last, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	o.all.Close(closed, true)
	_, out, errs := o.audit(t, "--diff", last)
	contains(t, out, "logs-of-"+closed, "was delivering, is undetermined")
	if strings.Contains(out, "no trail uses it") || errs != "" {
		t.Errorf("stderr %q, stdout:\n%s", errs, out)
	}
	code, out, errs := o.run(t, "audit", "--diff", last)
	if code != exitUsage || out != "" || !strings.Contains(errs, "the other of an organization") {
		t.Errorf("code %d, stderr %q", code, errs)
	}
}

// TestPageOfAnOrganization: the page has a line for each account, and looks at the time and
// the memory that 1, 40 and 1,000 accounts take, which it prints.
func TestPageOfAnOrganization(t *testing.T) {
	for _, accounts := range []int{1, 40, 1000} {
		o := newOrganization(t, accounts, func(o *orgtest) {
			if accounts > 10 {
				o.bucket("logs-of-" + acmeAccount(10)).Policy = nil
				o.members[9].State = "SUSPENDED"
			}
		})
		for i := 2; i < accounts; i += 100 {
			o.all.Close(acmeAccount(i), true)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, out, errs := o.audit(t, "--format", "html")
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		t.Logf("%4d accounts: %v, %d MB allocated, a page of %d KB", accounts+3, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, len(out)>>10)
		contained(t, out)
		if errs != "" {
			t.Error(errs)
		}
		rows := all(out, `<tr><td><span class="whole">(\d{12})</span>`)
		for _, m := range o.members {
			if rows[m.ID] != 1 {
				t.Errorf("account %s is in %d rows", m.ID, rows[m.ID])
			}
		}
		if most := 60_000 + accounts*700; len(out) > most {
			t.Errorf("%d bytes, want at most %d", len(out), most)
		}
		if *pages != "" {
			if err := os.WriteFile(filepath.Join(*pages, fmt.Sprintf("organization-%d.html", accounts)), []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if accounts == 40 {
			golden(t, "organization.html", regexp.MustCompile(`trailwarden \S+, with`).ReplaceAllString(out, "trailwarden devel, with"))
		}
	}
}
