package guardrail_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	ofOrganization  = "o-exampleorg1"
	managingAccount = "222222222222"
	logArchive      = "333333333333"
	centralBucket   = "acme-central-logs"
)

func accountNumber(i int) string { return fmt.Sprintf("%012d", 400_000_000_000+i) }

func trailOf(account, name, bucket string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: "arn:aws:cloudtrail:us-east-1:" + account + ":trail/" + name, HomeRegion: region, Bucket: bucket,
		MultiRegion: true, LogFileValidation: true, GlobalEvents: true,
	}
}

// documentedFor is a bucket of an account with the policy that AWS documents for its trails.
func documentedFor(t testing.TB, name, owner string, trails ...trail.Trail) inmem.Bucket {
	t.Helper()
	statements, err := trail.Documented(trails, trail.Environment{
		Bucket: name, BucketOwner: owner, Organization: trail.Organization{Known: true, ID: ofOrganization, ManagementAccount: managingAccount},
	})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range statements {
		texts = append(texts, string(s.Text()))
	}
	return inmem.Bucket{Name: name, Owner: owner, Policy: []byte(policyOf(texts...))}
}

// acme is an organization with so many accounts beside the caller's, the management account
// and a log archive, which owns the bucket of the organization's trail. One account in ten has
// a trail and a bucket of its own, one in ten a trail into the log archive.
func acme(t testing.TB, accounts int) inmem.Description {
	t.Helper()
	all := trailOf(managingAccount, "all", centralBucket)
	all.Organization = true
	d := inmem.Description{
		Account: account, Region: region, Trails: []trail.Trail{all},
		Organization: trail.Organization{Known: true, ID: ofOrganization, ManagementAccount: managingAccount},
	}
	into := []trail.Trail{all}
	for i := range accounts {
		id := accountNumber(i)
		switch i % 10 {
		case 0:
			own := trailOf(id, "own", "logs-of-"+id)
			d.Trails, d.Buckets = append(d.Trails, own), append(d.Buckets, documentedFor(t, own.Bucket, id, own))
		case 1:
			if len(into) < 30 { // a policy has 20 KB
				into = append(into, trailOf(id, "old", centralBucket))
				d.Trails = append(d.Trails, into[len(into)-1])
			}
		}
	}
	d.Buckets = append(d.Buckets, documentedFor(t, centralBucket, logArchive, into...))
	return d
}

func membersOf(accounts int) []inventory.Member {
	var all []inventory.Member
	for _, id := range []string{managingAccount, account, logArchive} {
		all = append(all, inventory.Member{ID: id, State: inventory.Active})
	}
	for i := range accounts {
		all = append(all, inventory.Member{ID: accountNumber(i), State: inventory.Active})
	}
	return all
}

// auditing is a guard that audits an organization.
func auditing(o *inmem.Organization, v guardrail.Inventory, c guardrail.Config) *guardrail.Guard {
	clock := &clock{now: time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)}
	c.Parallel = 16
	return guardrail.New(guardrail.Ports{
		Trails: o, Buckets: o, Organizations: o, Regions: o, Members: o, RCPs: o, Owners: o, Inventory: v,
	}, c, guardrail.Runtime{Now: clock.Now, Sleep: clock.Sleep, Log: slog.New(slog.DiscardHandler)})
}

func judged(t *testing.T, a guardrail.AuditedOrganization, bucket string) guardrail.Audited {
	t.Helper()
	i := slices.IndexFunc(a.Buckets, func(b guardrail.Audited) bool { return b.Bucket.Name == bucket })
	if i < 0 {
		t.Fatalf("bucket %s is not judged", bucket)
	}
	return a.Buckets[i]
}

// A central bucket belongs to an account that has no trail of its own, and the organization's
// trail is seen by all: both are one thing and judged once.
func TestAuditOfAnOrganization(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{1, 40} {
		o := inmem.NewOrganization(acme(t, accounts), membersOf(accounts)...)
		stages := map[guardrail.Stage]int{}
		a, err := auditing(o, nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, func(s guardrail.Stage, done, total int) {
			if stages[s]++; done != stages[s] || done > total {
				t.Errorf("%s: %d of %d after %d", s, done, total, stages[s]-1)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		own := (accounts + 9) / 10
		if len(a.Buckets) != own+1 || len(a.Accounts) != accounts+3 || stages[guardrail.AskingAccounts] != accounts+3 || stages[guardrail.JudgingBuckets] != own+1 {
			t.Errorf("%d buckets of %d accounts, %v", len(a.Buckets), len(a.Accounts), stages)
		}
		for _, b := range a.Buckets {
			if b.Report.Verdict != delivery.Delivering || len(b.Report.Findings) > 0 || b.Err != nil || len(b.Statuses) != len(b.Trails) {
				t.Errorf("%s: %s %v %v, %d statuses", b.Bucket.Name, b.Report.Verdict, b.Report.Findings, b.Err, len(b.Statuses))
			}
		}
		if central := judged(t, a, centralBucket); central.Bucket.Owner != logArchive || len(central.Trails) < 1+accounts/10 {
			t.Errorf("owner %s, %d trails", central.Bucket.Owner, len(central.Trails))
		}
		for id, n := range o.Asked() {
			if n != 1 {
				t.Errorf("account %s was asked %d times", id, n)
			}
		}
	}
}

// What the policy refuses one member is exactly known, since the members are.
func TestAuditKnowsTheMembers(t *testing.T) {
	t.Parallel()
	d := acme(t, 20)
	for i := range d.Buckets {
		if b := &d.Buckets[i]; b.Name == centralBucket {
			b.Policy = []byte(strings.Replace(string(b.Policy), `"Statement":[`, `"Statement":[{"Sid":"NotThisOne","Effect":"Deny","Principal":"*",`+
				`"Action":"s3:PutObject","Resource":"arn:aws:s3:::`+centralBucket+`/AWSLogs/`+ofOrganization+`/`+accountNumber(7)+`/*"},`, 1))
		}
	}
	members := membersOf(20)
	audit := func() guardrail.Audited {
		a, err := auditing(inmem.NewOrganization(d, members...), nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		return judged(t, a, centralBucket)
	}
	if b := audit(); b.Report.Verdict != delivery.Blocked || !strings.Contains(fmt.Sprint(b.Report.Findings), accountNumber(7)) {
		t.Errorf("%s %v", b.Report.Verdict, b.Report.Findings)
	}
	members[3+7].State = "SUSPENDED"
	if b := audit(); b.Report.Verdict == delivery.Blocked {
		t.Errorf("of an account that is suspended nothing is delivered: %v", b.Report.Findings)
	}
}

// Nobody is asked but active members: what a trail or a declaration names may be anybody's.
func TestAuditAsksActiveMembersOnly(t *testing.T) {
	t.Parallel()
	const stranger = "999999999999"
	members := membersOf(10)
	members[4].State, members[5].State = "SUSPENDED", "PENDING_CLOSURE"
	d := acme(t, 10)
	d.Buckets = append(d.Buckets, inmem.Bucket{Name: "evil-logs", Owner: stranger})
	o := inmem.NewOrganization(d, members...)
	c := guardrail.Config{
		Trails: []trail.Trail{trailOf(stranger, "evil", "evil-logs")}, Owners: map[string]string{"evil-logs": stranger},
	}
	a, err := auditing(o, nil, c).AuditOrganization(t.Context(), account, region, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{stranger, members[4].ID, members[5].ID} {
		if n := o.Asked()[id]; n > 0 {
			t.Errorf("account %s was asked", id)
		}
	}
	for _, x := range a.Accounts {
		if x.Unread() {
			t.Errorf("account %s: %v", x.ID, x.Err)
		}
	}
	if b := judged(t, a, "evil-logs"); b.Bucket.Owner == stranger && b.Report.Verdict == delivery.Delivering {
		t.Errorf("%+v", b)
	}
}

// An account that cannot be read is named. Of its trails the table may know.
func TestAuditOfAccountsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	o := inmem.NewOrganization(acme(t, 20), membersOf(20)...)
	closed := accountNumber(10)
	var v inmem.Inventory
	at := time.Date(2026, 9, 12, 18, 0, 0, 0, time.UTC)
	own := trailOf(closed, "own", "logs-of-"+closed)
	gone := trailOf(accountNumber(2), "gone", "logs-that-were")
	part := inventory.Part{}.With(inventory.Survey{Account: closed, At: at, Trails: []trail.Trail{own}}).
		With(inventory.Survey{Account: gone.Account(), At: at, Trails: []trail.Trail{gone}})
	for _, x := range part.Accounts {
		if _, err := v.SaveAccount(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range part.Buckets {
		if _, err := v.SaveBucket(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	o.Close(closed, true)

	for name, known := range map[string]guardrail.Inventory{"without a table": nil, "with a table": &v} {
		a, err := auditing(o, known, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range a.Accounts {
			if x.Unread() != (x.ID == closed) {
				t.Errorf("%s: account %s: %v", name, x.ID, x.Err)
			}
		}
		there := slices.ContainsFunc(a.Buckets, func(b guardrail.Audited) bool { return b.Bucket.Name == own.Bucket })
		if there != (known != nil) {
			t.Errorf("%s: its bucket is judged: %t", name, there)
		}
		if slices.ContainsFunc(a.Buckets, func(b guardrail.Audited) bool { return len(b.Trails) > 0 && b.Bucket.Name == gone.Bucket }) {
			t.Errorf("%s: a trail that its own account lists no more is judged", name)
		}
		if known == nil {
			continue
		}
		b := judged(t, a, own.Bucket)
		if len(b.Trails) != 1 || !strings.Contains(strings.Join(b.Notes, " "), closed) {
			t.Errorf("%s: %v, %+v", name, b.Notes, b.Report)
		}
	}
}

// Whose bucket it is may be nobody's of the organization. Then nobody says that it was
// taken over, nor that it is fine, though anybody may read a policy that lets CloudTrail in.
func TestAuditOfABucketOfNobody(t *testing.T) {
	t.Parallel()
	for _, unreadable := range []bool{true, false} {
		d := acme(t, 10)
		for i := range d.Buckets {
			if d.Buckets[i].Name == centralBucket {
				d.Buckets[i].Owner, d.Buckets[i].Unreadable = "999999999999", unreadable
			}
		}
		a, err := auditing(inmem.NewOrganization(d, membersOf(10)...), nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := judged(t, a, centralBucket)
		if b.Report.Verdict != delivery.Undetermined || b.Bucket.State != delivery.Unreadable || b.Bucket.Owner != "" {
			t.Errorf("%s, %+v, %v", b.Report.Verdict, b.Bucket, b.Report.Findings)
		}
	}
	d := acme(t, 10)
	d.Buckets = slices.DeleteFunc(d.Buckets, func(b inmem.Bucket) bool { return b.Name == centralBucket })
	a, err := auditing(inmem.NewOrganization(d, membersOf(10)...), nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
	if b := judged(t, a, centralBucket); err != nil || b.Report.Verdict != delivery.Blocked || b.Bucket.State != delivery.BucketMissing {
		t.Errorf("a bucket that is gone: %s, %+v, %v", b.Report.Verdict, b.Bucket, err)
	}
}

// A part of an organization is never taken for all of it: a list of accounts without the account
// itself, one that cannot be read, an audit that was ended.
func TestAuditOfAnOrganizationThatIsNotKnown(t *testing.T) {
	t.Parallel()
	audit := func(ctx context.Context, o *inmem.Organization) (guardrail.AuditedOrganization, error) {
		return auditing(o, nil, guardrail.Config{}).AuditOrganization(ctx, account, region, nil)
	}
	if a, err := audit(t.Context(), inmem.NewOrganization(acme(t, 3), inventory.Member{ID: logArchive, State: inventory.Active})); err == nil {
		t.Errorf("without the account: %+v", a)
	}
	if a, err := audit(t.Context(), inmem.NewOrganization(acme(t, 3))); err == nil {
		t.Errorf("of no accounts: %+v", a)
	}
	d := acme(t, 3)
	d.Organization = trail.Organization{Known: true}
	if a, err := audit(t.Context(), inmem.NewOrganization(d, membersOf(3)...)); err == nil {
		t.Errorf("of an account in no organization: %+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := audit(ctx, inmem.NewOrganization(acme(t, 3), membersOf(3)...)); err == nil || a.Accounts != nil {
		t.Errorf("of an audit that was ended: %+v", a)
	}
}

// An account that sees no trail is found, however many others there are.
func TestAuditOfAnAccountWithoutTrail(t *testing.T) {
	t.Parallel()
	d := acme(t, 3)
	d.Trails = slices.DeleteFunc(d.Trails, func(x trail.Trail) bool { return x.Organization })
	a, err := auditing(inmem.NewOrganization(d, membersOf(3)...), nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
	if err != nil {
		t.Fatal(err)
	}
	without := 0
	for _, b := range a.Buckets {
		if len(b.Report.Findings) == 1 && b.Report.Findings[0].ID == delivery.NoTrailID {
			without++
		}
	}
	if without != 4 { // all but the two that have a trail of their own
		t.Errorf("%d accounts have no trail: %+v", without, a.Buckets)
	}
}

// The work grows with the organization, and not faster. Time and memory are printed.
func TestAuditOfManyAccounts(t *testing.T) {
	sizes := []int{1, 40, 1000}
	if !testing.Short() {
		sizes = append(sizes, 10_000)
	}
	for _, n := range sizes {
		o := inmem.NewOrganization(acme(t, n), membersOf(n)...)
		g := auditing(o, nil, guardrail.Config{})
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		a, err := g.AuditOrganization(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&after)
		t.Logf("%5d accounts, %4d buckets: %v, the result holds %d KB", n+3, len(a.Buckets), took.Round(time.Millisecond), (max(after.HeapAlloc, before.HeapAlloc)-before.HeapAlloc)>>10)
		if want := (n+9)/10 + 1; len(a.Buckets) != want || len(o.Asked()) != n+3 {
			t.Errorf("%d buckets, want %d; %d accounts asked", len(a.Buckets), want, len(o.Asked()))
		}
		runtime.KeepAlive(a)
	}
}
