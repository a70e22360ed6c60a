package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// swept is the organization as its hub has swept it a while ago: every account is read but for
// those that are named, of which the sweep knows what it was told.
func (o *orgtest) swept(t *testing.T, ago time.Duration, unread map[string]inventory.Account) {
	t.Helper()
	at := o.clock.Now().Add(-ago)
	part := inventory.Part{}
	var members []string
	for _, m := range o.members {
		members = append(members, m.ID)
		if known, ok := unread[m.ID]; ok {
			if known.ID = m.ID; !known.ReadAt.IsZero() || !known.FailedAt.IsZero() {
				o.save(t, known)
			}
			continue
		}
		trails, err := o.all.Trails(t.Context(), m.ID, "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		part = part.With(inventory.Survey{Account: m.ID, At: at, Trails: trails})
	}
	for _, a := range part.Accounts {
		o.save(t, a)
	}
	for _, b := range part.Buckets {
		b.Owner = o.bucket(b.Name).Owner
		if _, err := o.known.SaveBucket(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	organization := trail.Organization{Known: true, ID: acmeID, ManagementAccount: acmeManagement, Members: members}
	if err := o.known.SaveOrganization(t.Context(), organization, at); err != nil {
		t.Fatal(err)
	}
}

func (o *orgtest) save(t *testing.T, a inventory.Account) {
	t.Helper()
	if _, err := o.known.SaveAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func (o *orgtest) status(t *testing.T, args ...string) (code int, stdout string, problems []statusProblem) {
	t.Helper()
	args = append([]string{"organization", "status", "--table", "hub"}, args...)
	code, text, errs := o.run(t, append(args, "--format", "json")...)
	if errs != "" || code == exitUsage {
		t.Fatalf("code %d, stderr %q", code, errs)
	}
	if err := follows(t, published(t, "status.schema.json", true), text); err != nil {
		t.Error(err)
	}
	var got statusJSON
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ = o.run(t, args...)
	return code, strings.Join(strings.Fields(stdout), " "), got.Problems
}

// one are the ids of the problems with their accounts, in words.
func brief(problems []statusProblem) string {
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s %d %d", p.ID, len(p.Accounts), len(p.Buckets)))
	}
	return strings.Join(out, ", ")
}

func TestStatusOfAHealthyOrganization(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 40, nil)
	o.swept(t, time.Hour, nil)
	code, out, problems := o.status(t)
	if code != exitFine || len(problems) > 0 {
		t.Errorf("code %d, %+v, %s", code, problems, out)
	}
	contains(t, out, "of 43 accounts 43 are active, and 43 of them are covered", "last at 2026-09-13 13:00Z", "was not looked at", acmeCentral+" "+acmeArchive+" 1 none is remembered")
}

// Accounts that nobody reads are named, with since when; those that do not work are not.
func TestStatusOfAccountsThatAreNotCovered(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 9, d, 14, 0, 0, 0, time.UTC) }
	o := newOrganization(t, 20, nil)
	o.swept(t, time.Hour, map[string]inventory.Account{
		acmeAccount(0): {ReadAt: day(1), FailedAt: day(13)},
		acmeAccount(1): {ReadAt: day(1), FailedAt: day(13)},
		acmeAccount(2): {FailedAt: day(13)},
		acmeAccount(3): {},
		acmeAccount(4): {ReadAt: day(10)},
		acmeAccount(5): {ReadAt: day(2), FailedAt: day(13)}, // and is suspended
	})
	o.change(func(m *inventory.Member) bool { return m.ID == acmeAccount(5) }, "SUSPENDED")
	code, out, problems := o.status(t)
	if code != exitFindings {
		t.Errorf("code %d", code)
	}
	if got, want := brief(problems), "not-covered 2 0, not-covered 1 0, not-covered 1 0, not-covered 1 0"; got != want {
		t.Errorf("problems %q, want %q: %+v", got, want, problems)
	}
	contains(t, out, "of 23 accounts 22 are active, and 17 of them are covered", "2 accounts not covered since 2026-09-01: the sweep could not read it",
		"1 account never covered: the sweep could not read it", "1 account never covered: the sweep has not asked", "1 account not covered since 2026-09-10",
		"still counts 1 account that left or do not work: "+acmeAccount(5))
	if code, _, _ := o.run(t, "organization", "status", "--table", "hub", "--age", "100h"); code != exitFindings {
		t.Errorf("an account that cannot be read is fine when it may be old: code %d", code)
	}
}

// change changes the state of an account.
func (o *orgtest) change(which func(*inventory.Member) bool, to inventory.State) {
	for i := range o.members {
		if which(&o.members[i]) {
			o.members[i].State = to
		}
	}
	o.all.SetMembers(o.members...)
}

// A hub whose sweep does not run covers nothing new, and says so.
func TestStatusOfASweepThatDoesNotRun(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 5, nil)
	o.swept(t, 30*time.Hour, nil)
	code, _, problems := o.status(t)
	if got := brief(problems); code != exitFindings || got != "sweep-late 0 0, not-covered 8 0" {
		t.Errorf("code %d, %s", code, got)
	}
	if code, _, problems := o.status(t, "--age", "48h"); code != exitFine || len(problems) > 0 {
		t.Errorf("a daily sweep: code %d, %+v", code, problems)
	}
	empty := newOrganization(t, 5, nil)
	if _, out, problems := empty.status(t); brief(problems) != "sweep-late 0 0, not-covered 8 0" || !strings.Contains(out, "has never read the accounts") {
		t.Errorf("%+v", problems)
	}
}

// What is wrong and only a call can have done, and no event told of: its forwarding is silent.
func TestStatusOfSilentForwarding(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 13, 9, 0, 0, 0, time.UTC)
	finding := func(id string) ledger.Finding {
		known, _ := delivery.LookupType(id)
		return ledger.Finding{ID: id, Kind: known.Kind}
	}
	call := func(event string) delivery.Change {
		return delivery.Change{Event: event, Time: at.Add(-time.Minute), Account: acmeArchive, Region: "eu-west-1", Actor: "dana"}
	}
	for name, c := range map[string]struct {
		record ledger.Record
		silent bool
	}{
		"no call":               {ledger.Record{Notified: []ledger.Finding{finding("policy-missing")}}, true},
		"the call":              {ledger.Record{Notified: []ledger.Finding{finding("policy-missing")}, Changes: []delivery.Change{call("DeleteBucketPolicy")}}, false},
		"another call":          {ledger.Record{Notified: []ledger.Finding{finding("policy-missing")}, Changes: []delivery.Change{call("StopLogging")}}, true},
		"what nobody does":      {ledger.Record{Notified: []ledger.Finding{finding("grant-expires")}}, false},
		"what others explain":   {ledger.Record{Notified: []ledger.Finding{finding("delivery-failing")}}, false},
		"nothing is wrong":      {ledger.Record{Changes: []delivery.Change{call("PutBucketPolicy")}}, false},
		"nothing was ever told": {ledger.Record{}, false},
	} {
		o := newOrganization(t, 10, nil)
		o.swept(t, time.Hour, nil)
		c.record.Key = ledger.Key{Account: acmeArchive, Bucket: acmeCentral}
		c.record.Since = at
		if _, err := o.records.Save(t.Context(), c.record); err != nil {
			t.Fatal(err)
		}
		code, out, problems := o.status(t)
		if silent := brief(problems) == "forwarding-silent 1 1"; silent != c.silent || (code == exitFindings) != c.silent {
			t.Errorf("%s: code %d, %+v", name, code, problems)
		}
		if len(c.record.Changes) > 0 {
			contains(t, out, "2026-09-13 08:59Z, "+c.record.Changes[0].Event)
		}
	}
}

// Of a place that was heard and is silent all is one problem; that the management account was never
// heard is said, and fails nobody, since perhaps nothing was called there.
func TestStatusOfAccountsThatFellSilent(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 10, nil)
	o.swept(t, time.Hour, nil)
	_, out, problems := o.status(t)
	contains(t, out, "No event of the management account "+acmeManagement+" has come yet", "aws cloudtrail start-logging --name arn:aws:cloudtrail:")
	if len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
	hear := func(id string, silent bool) {
		t.Helper()
		found, err := o.known.Find(t.Context(), []string{id}, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := found.Accounts[id].Hear("eu-west-1", o.clock.Now().Add(-2*time.Hour))
		if silent {
			a = a.Silence("eu-west-1", o.clock.Now().Add(-time.Hour))
		}
		o.save(t, a)
	}
	hear(acmeManagement, false)
	hear(acmeAccount(1), true)
	hear(acmeAccount(2), true)
	code, out, problems := o.status(t)
	if got := brief(problems); code != exitFindings || got != "forwarding-silent 2 0" {
		t.Errorf("code %d, %s", code, got)
	}
	if strings.Contains(out, "management account") {
		t.Errorf("the management account was heard: %s", out)
	}
	contains(t, out, acmeAccount(1)+" in eu-west-1, "+acmeAccount(2)+" in eu-west-1")
}

// A stack that an account still has beside the hub tells everything twice.
func TestStatusOfStacksBesideTheHub(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 10, nil)
	o.swept(t, time.Hour, nil)
	o.stacks = stacksOf{
		acmeSecurity:   {{Name: "hub", Region: "us-east-1", Table: "hub"}},
		acmeAccount(1): {{Name: "trailwarden", Region: "us-east-1", Table: "its-own", Version: "0.1.0"}},
		acmeAccount(2): {{Name: "elsewhere", Region: "eu-west-1"}},
		acmeAccount(3): nil,
	}
	if code, _, problems := o.status(t); code != exitFine || len(problems) > 0 {
		t.Errorf("nobody was to be asked: code %d, %+v", code, problems)
	}
	code, out, problems := o.status(t, "--role", "trailwarden/reader")
	if got := brief(problems); code != exitFindings || got != "own-stack 1 0, own-stack-unknown 1 0" {
		t.Errorf("code %d, %s", code, got)
	}
	contains(t, out, "trailwarden in account "+acmeAccount(1)+", us-east-1 (version 0.1.0)", acmeAccount(3), "cloudformation:DescribeStacks")
	_, out, problems = o.status(t, "--role", "trailwarden/reader", "--stack-regions", "us-east-1,eu-west-1")
	if got := brief(problems); got != "own-stack 2 0, own-stack-unknown 1 0" {
		t.Errorf("%s", got)
	}
	contains(t, out, "elsewhere in account "+acmeAccount(2)+", eu-west-1")
}

// What a guard itself remembers: of a bucket that the sweep found broken no event told, and of
// one that an event told of it did.
func TestStatusOfWhatAGuardRemembers(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"a sweep": true, "an event": false} {
		o := newOrganization(t, 10, nil)
		guard := o.guard(guardrail.Config{Owners: map[string]string{acmeCentral: acmeArchive}}, "hub")
		sweep := func() {
			t.Helper()
			if _, err := guard.Sweep(t.Context(), acmeSecurity, "us-east-1"); err != nil {
				t.Fatal(err)
			}
		}
		sweep()
		broken, _ := o.all.Bucket(acmeCentral)
		broken.Policy = nil
		o.all.PutBucket(broken)
		call := delivery.Change{
			Event: "DeleteBucketPolicy", Time: o.clock.Now(), Actor: "arn:aws:iam::" + acmeArchive + ":user/dana", Account: acmeArchive, Region: "eu-west-1",
		}
		o.clock.Set(o.clock.Now().Add(time.Minute))
		if silent {
			sweep()
		} else if _, err := guard.Reconcile(t.Context(), guardrail.Request{Account: acmeArchive, Region: "eu-west-1", Bucket: acmeCentral, Change: &call}); err != nil {
			t.Fatal(err)
		}
		_, out, problems := o.status(t)
		found := false
		for _, p := range problems {
			found = found || p.ID == problemSilent && len(p.Buckets) == 1 && p.Buckets[0] == acmeCentral
		}
		if found != silent {
			t.Errorf("%s: %+v", name, problems)
		}
		if !silent {
			contains(t, out, "2026-09-13 14:00Z, DeleteBucketPolicy")
		}
	}
}

// That the resource control policies may not be read is told here, where no alert is about it.
func TestStatusOfRCPsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 5, nil)
	o.swept(t, time.Hour, nil)
	if err := o.known.SaveRCPs(t.Context(), inventory.RCPs{ReadAt: time.Date(2026, 9, 13, 13, 0, 0, 0, time.UTC), Unread: "organizations:ListPolicies answered AccessDeniedException"}); err != nil {
		t.Fatal(err)
	}
	code, out, problems := o.status(t)
	if code != exitFindings || brief(problems) != "rcps-unread 0 0" {
		t.Errorf("code %d, %+v", code, problems)
	}
	contains(t, out, "ListPolicies answered AccessDeniedException", "ListTargetsForPolicy")
}
