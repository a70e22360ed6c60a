package guardrail_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// counted are the ports of an organization, whose calls are counted.
type counted struct {
	guardrail.Inventory

	trails                                  guardrail.Trails
	listed, statuses, finds, stores, loaded atomic.Int64
}

func (c *counted) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	c.listed.Add(1)
	return c.trails.Trails(ctx, account, region)
}

func (c *counted) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	c.statuses.Add(1)
	return c.trails.Status(ctx, account, t)
}

func (c *counted) Find(ctx context.Context, accounts, buckets []string) (inventory.Part, error) {
	c.finds.Add(int64(1 + (len(accounts)+len(buckets))/100))
	return c.Inventory.Find(ctx, accounts, buckets)
}

func (c *counted) SaveAccount(ctx context.Context, a inventory.Account) (inventory.Account, error) {
	c.stores.Add(1)
	return c.Inventory.SaveAccount(ctx, a)
}

func (c *counted) SaveBucket(ctx context.Context, b inventory.Bucket) (inventory.Bucket, error) {
	c.stores.Add(1)
	return c.Inventory.SaveBucket(ctx, b)
}

type countedLedger struct {
	guardrail.Ledger

	loaded *atomic.Int64
}

func (c countedLedger) Load(ctx context.Context, k ledger.Key) (ledger.Record, error) {
	c.loaded.Add(1)
	return c.Ledger.Load(ctx, k)
}

// figures are what a sweep took.
type figures struct {
	took   time.Duration
	memory uint64 // bytes at most, beside what the organization itself takes
	calls  [5]int64
	first  int64 // lists of trails in the first sweep, which asks everybody
}

// sweepOfScale sweeps an organization with so many members three times: the first time
// everything is new, the second time a bucket is broken, and in the third an hour later
// nothing is new. It returns what the third one took.
func sweepOfScale(t *testing.T, members, own, ofOrganization int) figures {
	t.Helper()
	z := newLandingZone(t, 1)
	z.listing.members = z.listing.members[:2]
	c := &counted{Inventory: z.inventory, trails: z.accounts}
	z.ports.Inventory, z.ports.Ledger, z.ports.Trails = c, countedLedger{z.ledger, &c.loaded}, c
	var shared []trail.Trail
	for i := range ofOrganization {
		o := ofAll()
		o.Name = fmt.Sprintf("all-%d", i)
		o.ARN, o.Bucket = strings.TrimSuffix(o.ARN, "all")+o.Name, fmt.Sprintf("organization-logs-%d", i)
		shared = append(shared, o)
		z.putDocumented(t, o)
	}
	z.accounts.set(account, shared...)
	z.accounts.set(management, shared...)
	for i := range members - 2 {
		id := memberID(i)
		sees := shared
		if i < own {
			x := theirs(id)
			x.Bucket = "logs-" + id
			sees = append([]trail.Trail{x}, shared...)
			z.putDocumented(t, x)
		}
		z.accounts.set(id, sees...)
		z.listing.members = append(z.listing.members, inventory.Member{ID: id, State: inventory.Active})
	}
	z.config.Owners = nil
	z.ports.Owners = owning{z.Account}
	z.config.Parallel = 16
	z.rebuild()
	z.sweeps(t, inSteps, "")
	f := figures{first: c.listed.Load()}
	b, _ := z.Bucket("logs-" + memberID(own/2))
	was := b.Policy
	b.Policy = nil
	z.PutBucket(b)
	z.sweeps(t, inSteps, "opened")
	b.Policy = was
	z.PutBucket(b)
	z.sweeps(t, inSteps, "resolved")

	before := [5]*atomic.Int64{&c.listed, &c.statuses, &c.finds, &c.stores, &c.loaded}
	for i, n := range before {
		f.calls[i] = -n.Load()
	}
	runtime.GC()
	var start runtime.MemStats
	runtime.ReadMemStats(&start)
	stop := peak(start.HeapAlloc, &f.memory)
	began := time.Now()
	z.sweeps(t, inSteps, "")
	f.took = time.Since(began)
	stop()
	for i, n := range before {
		f.calls[i] += n.Load()
	}
	return f
}

// peak watches how much more than at the start the heap holds, until it is told to stop.
func peak(start uint64, most *uint64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			*most = max(*most, now.HeapAlloc-min(now.HeapAlloc, start))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// owning tells whose the buckets of an account in memory are.
type owning struct{ *inmem.Account }

func (o owning) Owned(_ context.Context, account string) ([]string, error) {
	var names []string
	if name := "logs-" + account; len(account) == 12 {
		if b, ok := o.Bucket(name); ok && b.Owner == account {
			names = append(names, name)
		}
	}
	if account != management {
		return names, nil
	}
	for i := range 3 {
		names = append(names, fmt.Sprintf("organization-logs-%d", i))
	}
	return names, nil
}

// putDocumented makes the bucket of a trail with the policy that AWS documents, in the
// trail's account.
func (z *landingZone) putDocumented(t *testing.T, x trail.Trail) {
	t.Helper()
	env := trail.Environment{
		Bucket: x.Bucket, BucketOwner: x.Account(),
		Organization: trail.Organization{Known: true, ID: organizationID, ManagementAccount: management},
	}
	statements, err := trail.Documented([]trail.Trail{x}, env)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range statements {
		texts = append(texts, string(s.Text()))
	}
	z.PutBucket(inmem.Bucket{Name: x.Bucket, Owner: x.Account(), Policy: []byte(policyOf(texts...))})
}

// The work of a sweep grows with the organization, and not faster: in calls and in stores. Time
// and memory are printed, and asserted nowhere, since other tests run beside it.
func TestSweepOfTenThousandAccounts(t *testing.T) {
	t.Parallel()
	sizes := []int{1000, 10_000}
	if testing.Short() || underRace {
		sizes = []int{100, 1000}
	}
	var last figures
	for i, members := range sizes {
		f := sweepOfScale(t, members, members/10, 3)
		t.Logf("%5d accounts, %4d own trails, 3 organization trails: %v, %d MB; calls: lists %d, statuses %d, table reads %d, stores %d, records %d",
			members, members/10, f.took.Round(time.Millisecond), f.memory>>20, f.calls[0], f.calls[1], f.calls[2], f.calls[3], f.calls[4])
		// docs/cost.md computes with these: everybody once in six hours, and else those who have trails, the
		// management account and the own one.
		if own := int64(members / 10); f.first != int64(members) || f.calls[0] != own+2 || f.calls[1] != own+3 {
			t.Errorf("%d accounts: %d lists at first, then %d, and %d statuses", members, f.first, f.calls[0], f.calls[1])
		}
		if i > 0 {
			for j, n := range f.calls {
				if grown := int64(members / sizes[i-1]); n > grown*last.calls[j]+50 {
					t.Errorf("calls %d became %d", last.calls[j], n)
				}
			}
		}
		last = f
	}
}
