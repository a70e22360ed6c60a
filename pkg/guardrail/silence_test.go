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
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// What members may do, and what may fail, so that an outage would go untold, or be called resolved
// while it lasts.

// anyFiles lets CloudTrail write for whomever, and anyKey use a key for whomever.
const (
	anyFiles = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"]}`
	anyKey   = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}`
)

// realOrganizations names, as AWS does, the account that is asked, and no other member.
type realOrganizations struct{}

func (realOrganizations) Organization(_ context.Context, a string) (trail.Organization, error) {
	return trail.Organization{Known: true, ID: organizationID, ManagementAccount: management, Members: []string{a}}, nil
}

// hidden lets the inventory fail, until the function that it returns is called.
func (z *landingZone) hidden() (heal func()) {
	z.ports.Inventory = &failing{Inventory: z.inventory, find: transient("dynamodb:BatchGetItem")}
	z.rebuild()
	return func() {
		z.ports.Inventory = z.inventory
		z.rebuild()
	}
}

// While the inventory cannot be read the bucket may have more trails, keys more readers, and
// accounts more rules than are known: nothing that was told is called settled.
func TestNothingIsResolvedWithoutInventory(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(t *testing.T) *landingZone{
		"bucket": func(t *testing.T) *landingZone {
			z := newLandingZone(t, 2)
			z.ports.Organizations = realOrganizations{}
			z.rebuild()
			z.sweeps(t, inSteps, "")
			z.setPolicy(documented(t, theirs(memberID(0)))) // the other member is shut out
			return z
		},
		"key": func(t *testing.T) *landingZone {
			z := newLandingZone(t, 2)
			z.ports.Organizations, z.ports.Chain = realOrganizations{}, z.Account
			m := theirs(memberID(0))
			m.KMSKeyID = auditKey
			z.accounts.set(memberID(0), m, ofAll())
			k := &keyed{known: z.known}
			k.setKey("Enabled", policyOf(rootOnly, anyKey))
			z.rebuild()
			z.sweeps(t, inSteps, "")
			k.setKey("Disabled", policyOf(rootOnly, anyKey))
			return z
		},
		"resource control policy": func(t *testing.T) *landingZone {
			z := newGoverned(t, 3)
			z.ports.Organizations = realOrganizations{}
			z.rebuild()
			z.sweeps(t, inSteps, "")
			z.SetRCPs(suspended(rootID))
			return z.landingZone
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := begin(t)
			z.sweeps(t, inSteps, "opened")
			heal := z.hidden()
			_, err := z.guard.Reconcile(t.Context(), z.from(memberID(0), "StartLogging"))
			if err == nil {
				t.Error("the event is not tried again")
			}
			z.wantKinds(t, "opened")
			heal()
			z.sweeps(t, inSteps, "")
		})
	}
}

// An event of the organization asks AWS for the organization anew, which names no members. What
// resource control policies deny still holds.
func TestOrganizationEventResolvesNoRCP(t *testing.T) {
	t.Parallel()
	z := newGoverned(t, 3)
	z.ports.Organizations = realOrganizations{}
	z.give(account, "organization-logs")
	z.sweeps(t, inOne, "")
	z.SetRCPs(suspended(rootID))
	z.sweeps(t, inOne, "opened opened")
	for _, who := range []string{account, management, memberID(0)} {
		r := z.event("RemoveAccountFromOrganization")
		r.Account, r.Change.Account, r.Organization, r.Change.Target = who, who, true, memberID(2)
		if _, err := z.guard.Reconcile(t.Context(), r); err != nil {
			t.Error(who, err)
		}
		z.wantKinds(t, "opened opened")
	}
}

// Who has left the organization is not asked for its trails, whatever events come.
func TestDepartedAccountIsNotAsked(t *testing.T) {
	t.Parallel()
	z := newLandingZone(t, 3)
	z.ports.Organizations = realOrganizations{}
	z.rebuild()
	z.sweeps(t, inSteps, "")
	z.listing.members = z.listing.members[:len(z.listing.members)-1]
	for range 2 {
		z.clock.pass(time.Hour)
		if _, err := inSteps(t, z); err != nil {
			t.Fatal(err)
		}
	}
	z.accounts.calls()
	for _, who := range []string{account, management, memberID(0)} {
		r := z.event("RemoveAccountFromOrganization")
		r.Account, r.Change.Account, r.Organization, r.Change.Target = who, who, true, memberID(2)
		_, _ = z.guard.Reconcile(t.Context(), r) // of whom is asked is what matters
		if calls := z.accounts.calls(); strings.Contains(calls, memberID(2)) {
			t.Errorf("an event of %s asks %s", who, calls)
		}
	}
}

// A trail of the organization that is gone is told, though a member that cannot be read any more, or
// was asked hours ago, saw it last.
func TestDeletedTrailIsToldInSpiteOfOldAnswers(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]func(z *landingZone) (hide func() (wants string)){
		"a member that cannot be read": func(z *landingZone) func() string {
			return func() string {
				z.accounts.fail(memberID(0), &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no role")})
				return "opened"
			}
		},
		"a member without trails": func(z *landingZone) func() string {
			z.accounts.set(memberID(2), ofAll())
			return func() string { return "" }
		},
	} {
		inBoth(t, func(t *testing.T, sweep sweeper) {
			z := newLandingZone(t, 3)
			hide := last(z)
			mine := mainTrail()
			mine.Bucket = "own-logs"
			z.config.Owners["own-logs"] = account
			z.PutBucket(inmem.Bucket{Name: mine.Bucket, Policy: []byte(strings.ReplaceAll(documented(t, mainTrail()), ":::"+bucket, ":::"+mine.Bucket))})
			z.accounts.set(account, mine, ofAll())
			z.rebuild()
			z.sweeps(t, sweep, "")
			z.sweeps(t, sweep, hide())
			z.accounts.set(management)
			z.accounts.set(account, mine)
			for i := range 3 { // CloudTrail takes the trail out of all
				own := slices.DeleteFunc(slices.Clone(z.accounts.trails[memberID(i)]), func(t trail.Trail) bool { return t.ARN == ofAll().ARN })
				z.accounts.set(memberID(i), own...)
			}
			before := len(z.alerts.Messages())
			for range 8 {
				z.clock.pass(time.Hour)
				_, _ = sweep(t, z) // not complete where a member cannot be read
			}
			told := false
			for _, m := range z.alerts.Messages()[before:] {
				told = told || strings.Contains(m.Body, ofAll().ARN) && strings.Contains(m.Body, delivery.TrailDeletedID)
			}
			if !told {
				t.Errorf("%s: told %s", name, z.kinds())
			}
		})
	}
}

// failingStatus is what CloudTrail reports: deliveries of some trails fail.
type failingStatus struct {
	*accounts
	mu    sync.Mutex
	tried map[string]time.Time // by ARN
}

func (r *failingStatus) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	full, s, err := r.accounts.Status(ctx, account, t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.tried[t.ARN]; ok {
		s.DeliveryError, s.DeliveryAttempt = "AccessDenied", at
	}
	return full, s, err
}

// Who changes a trail of its own every few minutes hides no failure of others.
func TestCallsOnOneTrailHideNoFailureOfAnother(t *testing.T) {
	t.Parallel()
	const other = "666666666666"
	k := newKnown(t, listOnly)
	status := &failingStatus{accounts: k.accounts, tried: map[string]time.Time{}}
	k.ports.Trails = status
	evil := theirs(other)
	k.accounts.set(other, evil)
	b, _ := k.Bucket(bucket)
	b.Policy = []byte(documented(t, mainTrail(), evil))
	k.PutBucket(b)
	k.rebuild()
	k.sweep(t)
	k.reconcile(t, k.from(other, "StartLogging"))
	k.accounts.stop(evil.ARN)
	k.reconcile(t, k.from(other, "StopLogging"))
	for range 36 { // three hours
		k.clock.pass(4 * time.Minute)
		status.mu.Lock()
		status.tried[mainTrail().ARN] = k.clock.Now()
		status.mu.Unlock()
		k.clock.pass(time.Minute)
		k.reconcile(t, k.from(other, "PutInsightSelectors"))
		k.sweep(t)
	}
	told := false
	for _, m := range k.alerts.Messages() {
		told = told || strings.Contains(m.Body, delivery.DeliveryFailingID) && strings.Contains(m.Body, mainTrail().ARN)
	}
	if !told {
		t.Errorf("told %s", k.kinds())
	}
}

// One key that cannot be read for now holds what was told of more trails than a record names.
func TestKeyOfManyTrailsThatCannotBeReadForNow(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.config.Restore = nil
	k.rebuild()
	var all []trail.Trail
	for i := range 210 {
		o := sealed()
		o.SNSTopic, o.Name = "", fmt.Sprintf("t%03d", i)
		o.ARN = strings.Replace(o.ARN, "trail/main", "trail/"+o.Name, 1)
		all = append(all, o)
	}
	k.accounts.set(account, all...)
	b, _ := k.Bucket(bucket)
	b.Policy = []byte(policyOf(anyFiles))
	k.PutBucket(b)
	sweep := func() { _, _ = k.guard.Sweep(t.Context(), account, region) } // CloudTrail cannot be asked of so many in time
	k.setKey("Enabled", policyOf(rootOnly, anyKey))
	sweep()
	k.setKey("Disabled", policyOf(rootOnly, anyKey))
	sweep()
	k.chain.fail(&guardrail.PortError{Op: "kms:DescribeKey", Class: guardrail.Transient, Code: "ThrottlingException", Err: errors.New("slow down")})
	sweep()
	k.chain.fail(nil)
	sweep()
	k.wantKinds(t, "opened")
}

// crowdedChain lets the keys of one account wait until the key of another is read.
type crowdedChain struct {
	guardrail.Chain
	slow string
	read chan struct{}
	once *sync.Once
}

func (c crowdedChain) Key(ctx context.Context, name string) (delivery.Key, error) {
	if !strings.Contains(name, c.slow) {
		c.once.Do(func() { close(c.read) })
		return c.Chain.Key(ctx, name)
	}
	select {
	case <-c.read:
		return delivery.Key{Key: trail.Key{ARN: name}, Reason: "not of interest"}, nil
	case <-ctx.Done():
		return delivery.Key{}, &guardrail.PortError{Op: "kms:DescribeKey", Class: guardrail.Transient, Err: ctx.Err()}
	}
}

// A member with many trails, whose keys answer slowly, does not keep the others' from being read.
func TestSlowKeysOfOthers(t *testing.T) {
	t.Parallel()
	const other = "222222222222"
	for name, look := range map[string]func(*keyed) error{
		"event": func(k *keyed) error {
			_, err := k.guard.Reconcile(t.Context(), k.of("DisableKey", auditKey))
			return err
		},
		"sweep": func(k *keyed) error { _, err := k.guard.Sweep(t.Context(), account, region); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyed(t)
			k.config.Restore = nil
			var trails []trail.Trail
			for i := range 150 {
				o := theirs(other)
				o.Name = fmt.Sprintf("t%03d", i)
				o.ARN = "arn:aws:cloudtrail:ap-south-1:" + other + ":trail/" + o.Name
				o.KMSKeyID = fmt.Sprintf("arn:aws:kms:ap-south-1:%s:key/%08d-5f0d-4f5e-9a55-3c1f6a0b7d21", other, i)
				trails = append(trails, o)
			}
			k.accounts.set(other, trails...)
			b, _ := k.Bucket(bucket)
			b.Policy = []byte(policyOf(anyFiles))
			k.PutBucket(b)
			k.setKey("Enabled", policyOf(rootOnly, anyKey))
			k.sweep(t)
			k.reconcile(t, k.from(other, "StartLogging"))
			k.ports.Chain = crowdedChain{k.Account, other, make(chan struct{}), &sync.Once{}}
			k.rebuild()
			k.setKey("Disabled", policyOf(rootOnly, anyKey))
			if err := look(k); err != nil {
				t.Error(err)
			}
			told := false
			for _, m := range k.alerts.Messages() {
				told = told || strings.Contains(m.Body, delivery.KeyUnusableID) && strings.Contains(m.Body, auditKey)
			}
			if !told {
				t.Errorf("told %s", k.kinds())
			}
		})
	}
}

// A key that serves many buckets: a bucket for which no time is left is looked at when the event
// comes again, and is not told of unseen; one that is opted in comes first.
func TestEventOfSharedKeyThatTakesTooLong(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	var all []trail.Trail
	for i := range 12 {
		o := sealed()
		o.SNSTopic, o.Name, o.Bucket = "", fmt.Sprintf("t%03d", i), fmt.Sprintf("aaa-logs-%03d", i)
		o.ARN = strings.Replace(o.ARN, "trail/main", "trail/"+o.Name, 1)
		all = append(all, o)
		k.PutBucket(inmem.Bucket{Name: o.Bucket, Policy: []byte(strings.NewReplacer(":::"+bucket, ":::"+o.Bucket, "trail/main", "trail/"+o.Name).Replace(documented(t, mainTrail())))})
	}
	k.accounts.set(account, append(all, sealed())...)
	k.setKey("Enabled", policyOf(rootOnly, anyKey))
	k.sweep(t)
	order := &readOrder{Buckets: k.Account}
	k.ports.Buckets = order
	k.rebuild()
	ctx, cancel := context.WithCancel(t.Context())
	order.first = cancel // the time is up with the first bucket
	if _, err := k.guard.Reconcile(ctx, k.of("PutKeyPolicy", auditKey)); err == nil {
		t.Error("the event is not tried again")
	}
	k.wantKinds(t, "")
	order.mu.Lock()
	defer order.mu.Unlock()
	if !slices.Contains(order.names[:min(4, len(order.names))], bucket) {
		t.Errorf("read %v", order.names)
	}
}

// readOrder notes which buckets are read.
type readOrder struct {
	guardrail.Buckets
	mu    sync.Mutex
	names []string
	first func()
}

func (b *readOrder) Observe(ctx context.Context, ref guardrail.BucketRef) (delivery.Bucket, error) {
	b.mu.Lock()
	b.names = append(b.names, ref.Name)
	first := b.first
	b.mu.Unlock()
	read, err := b.Buckets.Observe(ctx, ref)
	first()
	return read, err
}

// A call on the bucket says nothing of a key that may not be read.
func TestHarmlessCallWithUnreadableKey(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	status := &reporting{accounts: k.accounts}
	k.ports.Trails = status
	k.config.Severity = delivery.High
	k.rebuild()
	k.PutKey(inmem.Key{Key: trail.Key{ARN: auditKey, State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}, Secret: true})
	status.deliver(k.clock.Now().Add(-4 * time.Minute))
	k.sweep(t)
	for range 3 {
		k.clock.pass(time.Hour)
		status.deliver(k.clock.Now().Add(-4 * time.Minute))
		k.reconcile(t, k.on("PutBucketEncryption", bucket))
		k.clock.pass(time.Hour)
		status.deliver(k.clock.Now().Add(-4 * time.Minute))
		k.sweep(t)
	}
	k.wantKinds(t, "")
}

// A sweep that could not read the resource control policies is not complete; that they may not be
// read is said in the notes.
func TestRCPsUnreadForADay(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newGoverned(t, 2)
		z.sweeps(t, sweep, "")
		z.HideRCPs(guardrail.Transient)
		for range 24 {
			z.clock.pass(time.Hour)
			if _, err := sweep(t, z.landingZone); err == nil {
				t.Fatal("the sweep says that it is complete")
			}
		}
	})
}

// What is uncertain of keys and resource control policies when they are looked at for the first time
// is as quiet as it is in a new bucket: an upgrade is no reason for an alert.
func TestFirstLookAfterUpgrade(t *testing.T) {
	t.Parallel()
	t.Run("resource control policies", func(t *testing.T) {
		z := newGoverned(t, 2)
		rcps := z.ports.RCPs
		z.ports.RCPs, z.config.Severity = nil, delivery.High
		z.rebuild()
		z.sweeps(t, inSteps, "")
		z.SetRCPs(inventory.AttachedRCP{ID: "p-perimeters", Name: "Perimeter", Targets: []string{rootID}, Content: `{"Version":"2012-10-17","Statement":[` +
			`{"Sid":"EnforceConfusedDeputyProtection","Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*","kms:*"],"Resource":"*","Condition":{` +
			`"StringNotEqualsIfExists":{"aws:SourceOrgID":"` + organizationID + `"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}]}`})
		z.ports.RCPs = rcps
		z.rebuild()
		z.sweeps(t, inSteps, "")
		z.sweeps(t, inSteps, "")
	})
	t.Run("key", func(t *testing.T) {
		k := newKeyed(t)
		chain := k.ports.Chain
		k.ports.Chain, k.config.Severity = nil, delivery.Critical
		k.rebuild()
		k.sweep(t)
		undecided := strings.TrimSuffix(anyKey, "}") + `,"Condition":{"StringEquals":{"kms:CallerAccount":"111111111111"}}}`
		k.setKey("Enabled", policyOf(rootOnly, undecided))
		k.ports.Chain = chain
		k.rebuild()
		k.sweep(t)
		k.sweep(t)
		k.wantKinds(t, "")
		k.setKey("Enabled", policyOf(rootOnly, anyKey))
		k.sweep(t)
		k.setKey("Enabled", policyOf(rootOnly, undecided)) // it becomes uncertain
		k.sweep(t)
		k.wantKinds(t, "opened")
	})
}
