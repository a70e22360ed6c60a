package guardrail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// accounts are the trails of several accounts. It counts who is asked.
type accounts struct {
	mu      sync.Mutex
	trails  map[string][]trail.Trail
	failing map[string]error
	stopped []string // ARNs of trails that do not log
	asked   []string
}

func (a *accounts) Trails(_ context.Context, account, _ string) ([]trail.Trail, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, account)
	return slices.Clone(a.trails[account]), a.failing[account]
}

func (a *accounts) Status(_ context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, account)
	return t, trail.Status{ARN: t.ARN, Logging: !slices.Contains(a.stopped, t.ARN)}, a.failing[account]
}

// calls are the accounts whose CloudTrail was asked since the last call.
func (a *accounts) calls() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	calls := strings.Join(a.asked, " ")
	a.asked = nil
	return calls
}

func (a *accounts) stop(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = append(a.stopped, arn)
}

func (a *accounts) set(account string, trails ...trail.Trail) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trails[account] = trails
}

func (a *accounts) fail(account string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing[account] = err
}

// known is a world with an inventory. Its own account owns the bucket.
type known struct {
	*world
	accounts  *accounts
	inventory *inmem.Inventory
}

func newKnown(t testing.TB, options ...option) *known {
	t.Helper()
	k := &known{
		world: newWorld(t, options...), inventory: &inmem.Inventory{},
		accounts: &accounts{trails: map[string][]trail.Trail{account: {mainTrail()}}, failing: map[string]error{}},
	}
	k.ports.Trails, k.ports.Inventory = k.accounts, k.inventory
	k.rebuild()
	return k
}

// owns makes the account the owner of the bucket, and gives it a trail elsewhere that
// delivers.
func (k *known) owns(t testing.TB) {
	t.Helper()
	own := mainTrail()
	own.Bucket = "own-logs"
	k.accounts.set(account, own)
	k.config.Owners = map[string]string{bucket: account, own.Bucket: account}
	k.PutBucket(inmem.Bucket{Name: own.Bucket, Policy: []byte(strings.ReplaceAll(documented(t, mainTrail()), ":::"+bucket, ":::"+own.Bucket))})
}

// theirs is a trail of another account into the bucket.
func theirs(account string) trail.Trail {
	return trail.Trail{
		Name: "theirs", ARN: "arn:aws:cloudtrail:us-east-1:" + account + ":trail/theirs", HomeRegion: region, Bucket: bucket, MultiRegion: true,
	}
}

// from is the event of a call in another account.
func (k *known) from(account, event string) guardrail.Request {
	r := k.event(event)
	r.Account, r.Trail, r.Change.Trail, r.Change.Account = account, "theirs", "theirs", account
	return r
}

// on is the event of a call on a bucket.
func (k *known) on(event, name string, policy ...string) guardrail.Request {
	r := k.event(event)
	r.Bucket = name
	for _, p := range policy {
		r.SubmittedPolicy = []byte(p)
	}
	return r
}

// told is the last alert, in one line.
func (k *known) told(t testing.TB) string {
	t.Helper()
	return strings.Join(strings.Fields(k.lastAlert(t)), " ")
}

const quiet = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::holiday-photos/*"}]}`

// An event of a bucket that no trail uses costs no call of CloudTrail, once it is
// known what the account has.
func TestForeignBucketCostsNoCall(t *testing.T) {
	k := newKnown(t)
	k.PutBucket(inmem.Bucket{Name: "holiday-photos"})
	for i, test := range []struct {
		request func() guardrail.Request
		asked   string
	}{
		{func() guardrail.Request { return k.on("PutBucketPolicy", "holiday-photos", quiet) }, account}, // nothing is known yet
		{func() guardrail.Request { return k.on("PutBucketPolicy", "holiday-photos", quiet) }, ""},
		{func() guardrail.Request { return k.on("DeleteBucketPolicy", "holiday-photos") }, ""},
		{func() guardrail.Request { return k.on("CreateBucket", "birthday-photos") }, ""},
		{func() guardrail.Request { k.clock.pass(4 * time.Hour); return k.on("DeleteBucket", "birthday-photos") }, account}, // sweeps are late
		{func() guardrail.Request { return k.on("DeleteBucket", "birthday-photos") }, ""},
		{func() guardrail.Request { // a policy that is not known may be anything
			return k.on("PutBucketPolicy", "holiday-photos")
		}, account},
		{func() guardrail.Request { return k.trailEvent("StartLogging") }, account + " " + account}, // and its status
	} {
		results := k.reconcile(t, test.request())
		if got := k.accounts.calls(); got != test.asked {
			t.Errorf("event %d: asked are %q, want %q", i, got, test.asked)
		}
		if i < 7 && (len(results) != 1 || results[0].InUse) {
			t.Errorf("event %d: %+v", i, results)
		}
	}
	k.wantKinds(t, "")
}

// What a batch asks for is asked once, and the next one may use it for what happened
// before.
func TestAccountIsAskedOnceForABatch(t *testing.T) {
	k := newKnown(t, stateless)
	k.ports.Inventory = nil
	k.rebuild()
	var requests []guardrail.Request
	for i := range 8 {
		requests = append(requests, k.on("PutBucketPolicy", fmt.Sprintf("photos-%d", i), quiet))
	}
	late := k.on("PutBucketPolicy", "photos-9", quiet)
	for range 2 {
		batch := k.guard.Batch(requests)
		var all sync.WaitGroup
		for _, r := range requests {
			all.Go(func() {
				if _, err := batch.Reconcile(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	k.reconcile(t, late)
	if got := k.accounts.calls(); got != account {
		t.Errorf("asked are %q", got)
	}
	// What comes later may have changed what was read.
	k.reconcile(t, k.on("PutBucketPolicy", "photos-9", quiet))
	if got := k.accounts.calls(); got != account {
		t.Errorf("asked are %q", got)
	}
}

// A bucket whose trails belong to other accounts is watched: by an event of its owner
// and by the sweep.
func TestBucketOfOthersTrails(t *testing.T) {
	for name, see := range map[string]func(*testing.T, *known){
		"an event of the owner": func(t *testing.T, k *known) { k.reconcile(t, k.put(t, "")) },
		"the sweep": func(t *testing.T, k *known) {
			k.put(t, "")
			k.sweep(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKnown(t, listOnly)
			k.owns(t)
			k.rebuild()
			k.accounts.set(forwarding, theirs(forwarding))
			k.put(t, documented(t, theirs(forwarding)))
			k.reconcile(t, k.from(forwarding, "UpdateTrail"))
			k.sweep(t)
			k.wantKinds(t, "")
			see(t, k)
			k.wantKinds(t, "opened")
			if text := k.told(t); !strings.Contains(text, theirs(forwarding).ARN) {
				t.Error(text)
			}
			k.reconcile(t, k.put(t, documented(t, theirs(forwarding))))
			k.wantKinds(t, "opened resolved")
		})
	}
}

// Thirty accounts' trails in one bucket are one alert that names thirty, and an account
// more is a change.
func TestOneAlertForThirtyAccounts(t *testing.T) {
	k := newKnown(t, listOnly)
	k.owns(t)
	k.rebuild()
	var all []trail.Trail
	id := func(i int) string { return fmt.Sprintf("2222222220%02d", i) }
	for i := range 30 {
		all = append(all, theirs(id(i)))
		k.accounts.set(id(i), theirs(id(i)))
	}
	k.put(t, documented(t, all...))
	for i := range 30 {
		k.reconcile(t, k.from(id(i), "CreateTrail"))
	}
	k.wantKinds(t, "")
	k.reconcile(t, k.put(t, ""))
	k.wantKinds(t, "opened")
	for i := range 30 {
		if text := k.told(t); !strings.Contains(text, id(i)) || !strings.Contains(text, "and 22 more trails") {
			t.Fatalf("%s is not named:\n%s", id(i), text)
		}
	}
	for i := range 30 {
		k.reconcile(t, k.from(id(i), "StartLogging"))
	}
	k.sweep(t)
	k.wantKinds(t, "opened")

	k.accounts.set(id(30), theirs(id(30)))
	k.reconcile(t, k.from(id(30), "CreateTrail"))
	k.wantKinds(t, "opened changed")
	k.reconcile(t, k.put(t, documented(t, append(all, theirs(id(30)))...)))
	k.wantKinds(t, "opened changed resolved")
}

// An account that cannot be read keeps its trails, and the alert says how old that is.
func TestUnreadableAccountKeepsItsTrails(t *testing.T) {
	for _, class := range []guardrail.Class{guardrail.Transient, guardrail.Denied} {
		k := newKnown(t, listOnly)
		k.config.Owners = map[string]string{bucket: account}
		k.rebuild()
		k.accounts.set(forwarding, theirs(forwarding))
		k.put(t, documented(t, mainTrail(), theirs(forwarding)))
		k.reconcile(t, k.from(forwarding, "UpdateTrail"))
		k.sweep(t)
		k.clock.pass(time.Hour)
		k.accounts.fail(forwarding, &guardrail.PortError{Op: "sts:AssumeRole", Class: class, Err: errFault})
		k.accounts.set(forwarding)
		for range 3 {
			if _, err := k.guard.Sweep(t.Context(), account, region); err == nil {
				t.Errorf("%s: the sweep did not fail", class)
			}
		}
		k.wantKinds(t, "")
		k.reconcile(t, k.put(t, documented(t, mainTrail()))) // cuts off theirs
		k.wantKinds(t, "opened")
		if text := k.told(t); !strings.Contains(text, theirs(forwarding).ARN) || !strings.Contains(text, "could not be read since 2026-09-13T18:") {
			t.Errorf("%s: %s", class, text)
		}
		// It can be read again, and the trail is gone.
		k.accounts.fail(forwarding, nil)
		k.sweep(t)
		k.sweep(t)
		k.accounts.set(forwarding)
		k.reconcile(t, k.put(t, documented(t, mainTrail())))
		if p, err := k.inventory.Find(t.Context(), nil, []string{bucket}); err != nil || len(p.Buckets[bucket].Trails) != 1 {
			t.Errorf("%s: %+v, %v", class, p.Buckets[bucket].Trails, err)
		}
	}
}

// CloudTrail answers nothing: what is known is judged and told, and the event comes
// again.
func TestOutageIsToldWithoutCloudTrail(t *testing.T) {
	k := newKnown(t)
	k.sweep(t)
	k.accounts.fail(account, transient("cloudtrail:ListTrails"))
	r := k.put(t, "")
	if _, err := k.guard.Reconcile(t.Context(), r); err == nil {
		t.Error("the event is not tried again")
	}
	k.wantKinds(t, "restored")
	if text := k.told(t); !strings.Contains(text, mainTrail().ARN) || !strings.Contains(text, "judged as they were then") {
		t.Error(text)
	}
	// Nor is a sweep silent then.
	k.put(t, policyOf(reader))
	if result, err := k.guard.Sweep(t.Context(), account, region); err == nil || result.Trails != 0 {
		t.Errorf("a sweep of %d trails, %v", result.Trails, err)
	}
	k.wantKinds(t, "restored restored")
}

// A change to a trail that could not be followed up makes what is known of the account
// old: the next event of a bucket asks.
func TestChangeThatWasMissedIsAskedFor(t *testing.T) {
	k := newKnown(t)
	k.sweep(t)
	k.accounts.fail(account, transient("cloudtrail:ListTrails"))
	if _, err := k.guard.Reconcile(t.Context(), k.trailEvent("UpdateTrail")); err == nil {
		t.Error("the event is not tried again")
	}
	k.accounts.fail(account, nil)
	moved := mainTrail()
	moved.Bucket = "moved-logs"
	k.accounts.set(account, moved)
	k.PutBucket(inmem.Bucket{Name: "moved-logs"})
	k.reconcile(t, k.on("DeleteBucketPolicy", "moved-logs"))
	k.wantKinds(t, "opened")
}

// failing is an inventory that fails.
type failing struct {
	guardrail.Inventory
	find, save error
}

func (f *failing) Find(ctx context.Context, accounts, buckets []string) (inventory.Part, error) {
	if f.find != nil {
		return inventory.Part{}, f.find
	}
	return f.Inventory.Find(ctx, accounts, buckets)
}

func (f *failing) SaveAccount(ctx context.Context, a inventory.Account) (inventory.Account, error) {
	if f.save != nil {
		return a, f.save
	}
	return f.Inventory.SaveAccount(ctx, a)
}

func (f *failing) SaveBucket(ctx context.Context, b inventory.Bucket) (inventory.Bucket, error) {
	if f.save != nil {
		return b, f.save
	}
	return f.Inventory.SaveBucket(ctx, b)
}

// An inventory that fails keeps no outage untold, and whether a bucket is used is then
// not known.
func TestInventoryFails(t *testing.T) {
	for name, broken := range map[string]*failing{
		"read":  {find: transient("dynamodb:BatchGetItem")},
		"write": {save: &guardrail.PortError{Op: "dynamodb:PutItem", Class: guardrail.Denied, Err: errFault}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKnown(t)
			broken.Inventory = k.inventory
			k.ports.Inventory = broken
			k.rebuild()
			_, err := k.guard.Reconcile(t.Context(), k.put(t, ""))
			if _, ok := errors.AsType[*guardrail.LedgerError](err); !ok {
				t.Errorf("%v, want a LedgerError", err)
			}
			k.wantKinds(t, "restored")
			if _, err := k.guard.Reconcile(t.Context(), k.on("DeleteBucketPolicy", "holiday-photos")); err == nil {
				t.Error("a bucket of which nothing is known is said not to be used")
			}
			k.put(t, policyOf(reader))
			if _, err := k.guard.Sweep(t.Context(), account, region); err == nil {
				t.Error("the sweep did not fail")
			}
			k.wantKinds(t, "restored restored")
		})
	}
}

// granted is a policy that lets CloudTrail write for a trail of another account.
func granted(arn string) string {
	return policyOf(reader, `{"Sid":"Theirs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],`+
		`"Resource":["arn:aws:s3:::archive-logs/AWSLogs/*","arn:aws:s3:::archive-logs"],"Condition":{"StringEquals":{"aws:SourceArn":"`+arn+`"}}}`)
}

// A grant for a trail of which nothing is known is no mail, and taking it away is one.
func TestGrantWithoutTrailIsExpected(t *testing.T) {
	k := newKnown(t, listOnly)
	write := func(policy string) guardrail.Request {
		k.PutBucket(inmem.Bucket{Name: "archive-logs", Policy: []byte(policy)})
		if policy == "" {
			return k.on("DeleteBucketPolicy", "archive-logs")
		}
		return k.on("PutBucketPolicy", "archive-logs", policy)
	}
	ids := func(results []guardrail.Result) string {
		var all []string
		for _, r := range results {
			for _, f := range r.Report.Findings {
				if r.Bucket == "archive-logs" {
					all = append(all, f.ID)
				}
			}
		}
		return strings.Join(all, " ")
	}
	if got := ids(k.reconcile(t, write(granted(theirs(forwarding).ARN)))); got != "grant-without-trail" {
		t.Errorf("found %q", got)
	}
	if got := ids(k.sweep(t).Results); got != "grant-without-trail" {
		t.Errorf("the sweep found %q", got)
	}
	k.wantKinds(t, "")
	k.reconcile(t, write(""))
	k.wantKinds(t, "opened")
	if text := k.told(t); !strings.Contains(text, "trail theirs of account "+forwarding) {
		t.Error(text)
	}
	k.sweep(t)
	k.wantKinds(t, "opened")
	k.reconcile(t, write(granted(theirs(forwarding).ARN)))
	k.wantKinds(t, "opened resolved")

	// Taken away past the events: the sweep finds it.
	write("")
	k.sweep(t)
	k.wantKinds(t, "opened resolved opened")
	// After a month nobody is expected any more.
	k.clock.pass(31 * 24 * time.Hour)
	k.sweep(t)
	k.wantKinds(t, "opened resolved opened resolved")
	k.clock.pass(24 * time.Hour)
	k.sweep(t)
	k.wantKinds(t, "opened resolved opened resolved")
}

// A grant that is left over from a trail of an account that is read is nobody's loss.
func TestGrantOfAReadAccountIsNotExpected(t *testing.T) {
	k := newKnown(t, listOnly)
	left := granted("arn:aws:cloudtrail:us-east-1:111111111111:trail/gone")
	k.PutBucket(inmem.Bucket{Name: "archive-logs", Policy: []byte(left)})
	results := k.reconcile(t, k.on("PutBucketPolicy", "archive-logs", left))
	if len(results) != 1 || len(results[0].Report.Findings) != 1 || results[0].Report.Findings[0].ID != delivery.GrantWithoutTrailID {
		t.Errorf("%+v", results)
	}
	k.PutBucket(inmem.Bucket{Name: "archive-logs"})
	k.reconcile(t, k.on("DeleteBucketPolicy", "archive-logs"))
	k.sweep(t)
	k.wantKinds(t, "")
}

// The trail that was expected is found: it is one of the bucket's, and expected no more.
func TestExpectedTrailIsFound(t *testing.T) {
	k := newKnown(t, listOnly)
	k.config.Owners = map[string]string{"archive-logs": account}
	k.rebuild()
	their := theirs(forwarding)
	their.Bucket = "archive-logs"
	policy := granted(their.ARN)
	k.PutBucket(inmem.Bucket{Name: "archive-logs", Policy: []byte(policy)})
	k.reconcile(t, k.on("PutBucketPolicy", "archive-logs", policy))
	k.accounts.set(forwarding, their)
	k.reconcile(t, k.from(forwarding, "CreateTrail"))
	k.PutBucket(inmem.Bucket{Name: "archive-logs"})
	k.reconcile(t, k.on("DeleteBucketPolicy", "archive-logs"))
	k.wantKinds(t, "opened")
	if text := k.told(t); !strings.Contains(text, "CRITICAL") || strings.Contains(text, delivery.ExpectedShutOutID) {
		t.Error(text)
	}
}

// An organization's trail that is seen no more was told to be gone, and is forgotten.
func TestTrailThatIsGoneIsForgotten(t *testing.T) {
	k := newKnown(t, listOnly)
	company := trail.Trail{
		Name: "company", ARN: "arn:aws:cloudtrail:us-east-1:999999999999:trail/company", HomeRegion: region, Bucket: bucket,
		MultiRegion: true, Organization: true,
	}
	k.Account = inmem.New(inmem.Description{
		Account: account, Region: region, Organization: trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "999999999999"},
		Buckets: []inmem.Bucket{{Name: bucket, Policy: []byte(documented(t, mainTrail()))}},
	})
	k.ports.Buckets, k.ports.Organizations = k.Account, k.Account
	k.rebuild()
	k.accounts.set(account, mainTrail(), company)
	k.accounts.fail("999999999999", &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errFault})
	k.sweep(t)
	k.wantKinds(t, "opened") // its files are not let in
	k.accounts.set(account, mainTrail())
	k.sweep(t)
	k.wantKinds(t, "opened opened resolved") // the trail is gone, and the bucket is right
	p, err := k.inventory.Find(t.Context(), nil, []string{bucket})
	if err != nil || len(p.Buckets[bucket].Trails) != 1 {
		t.Errorf("%+v, %v", p.Buckets[bucket].Trails, err)
	}
	k.sweep(t)
	k.wantKinds(t, "opened opened resolved")
}

// The organization is read by the sweep, and not with each event.
func TestOrganizationOfTheInventory(t *testing.T) {
	k := newKnown(t)
	organizations := &countingOrganizations{Organizations: k.ports.Organizations}
	k.ports.Organizations = organizations
	k.rebuild()
	k.sweep(t)
	swept := organizations.n
	k.reconcile(t, k.put(t, k.policy(t)))
	if organizations.n != swept {
		t.Error("an event asked for the organization, which is known")
	}
	k.clock.pass(4 * time.Hour)
	k.reconcile(t, k.put(t, k.policy(t)))
	if organizations.n == swept {
		t.Error("what is known of the organization is old, and was not asked for")
	}
}

type countingOrganizations struct {
	guardrail.Organizations
	n int
}

func (c *countingOrganizations) Organization(ctx context.Context, account string) (trail.Organization, error) {
	c.n++
	return c.Organizations.Organization(ctx, account)
}

// Several guards learn of several accounts at once, and nobody's trails are lost.
func TestAccountsAreLearnedAtOnce(t *testing.T) {
	k := newKnown(t, listOnly)
	k.config.Owners = map[string]string{bucket: account}
	k.rebuild()
	var want []trail.Trail
	var all sync.WaitGroup
	for i := range 6 {
		their := theirs(fmt.Sprintf("2222222220%02d", i))
		want = append(want, their)
		k.accounts.set(their.Account(), their)
		r := k.from(their.Account(), "CreateTrail")
		all.Go(func() {
			for range 5 { // as the queue does, with what others were faster with
				if _, err := k.guard.Reconcile(t.Context(), r); err == nil {
					return
				}
			}
			t.Errorf("%s was not learned", r.Account)
		})
	}
	all.Wait()
	p, err := k.inventory.Find(t.Context(), nil, []string{bucket})
	if err != nil || !slices.Equal(p.Buckets[bucket].Known(), want) {
		t.Errorf("%v, %v", p.Buckets[bucket].Known(), err)
	}
	if _, err := k.ledger.Load(t.Context(), ledger.Key{Account: account, Bucket: bucket}); err != nil {
		t.Error(err)
	}
}

// An audit with the inventory sees what the guard has learned, and changes nothing.
func TestAuditWithTheInventory(t *testing.T) {
	k := newKnown(t, listOnly)
	k.config.Owners = map[string]string{bucket: account}
	k.rebuild()
	k.accounts.set(forwarding, theirs(forwarding))
	k.reconcile(t, k.from(forwarding, "UpdateTrail"))
	k.PutBucket(inmem.Bucket{Name: "archive-logs", Policy: []byte(granted("arn:aws:cloudtrail:us-east-1:333333333333:trail/x"))})
	k.PutBucket(inmem.Bucket{Name: "holiday-photos"})
	k.reconcile(t, k.on("PutBucketPolicy", "archive-logs", granted("arn:aws:cloudtrail:us-east-1:333333333333:trail/x")))
	k.reconcile(t, k.on("PutBucketPolicy", "holiday-photos"))
	told := k.kinds()
	audited, err := k.guard.Audit(t.Context(), account, region, nil)
	if err != nil || len(audited) != 2 {
		t.Fatalf("%+v, %v", audited, err)
	}
	if b := audited[0]; b.Bucket.Name != bucket || len(b.Trails) != 2 || b.Report.Verdict != delivery.Blocked {
		t.Errorf("%+v", b)
	}
	if b := audited[1]; b.Bucket.Name != "archive-logs" || len(b.Report.Findings) != 1 || b.Report.Findings[0].ID != delivery.GrantWithoutTrailID {
		t.Errorf("%+v", b)
	}
	k.wantKinds(t, told)
}
