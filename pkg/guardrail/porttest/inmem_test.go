package porttest_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/guardrail/porttest"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The account in memory, which the guard is tested with, behaves as the
// adapters of AWS do.

const (
	account = "111122223333"
	region  = "eu-west-1"
)

// inMemory is an account in memory.
type inMemory struct{ account *inmem.Account }

func (inMemory) Account() string      { return account }
func (inMemory) Region() string       { return region }
func (inMemory) OtherAccount() string { return "444455556666" }
func (inMemory) OtherRegion() string  { return "us-east-1" }
func (inMemory) Strict() bool         { return true }
func (inMemory) Selectors() bool      { return true }

type buckets struct{ inMemory }

func (f buckets) Port() guardrail.Buckets { return f.account }

func (f buckets) Put(_ testing.TB, b porttest.Bucket) {
	f.account.PutBucket(inmem.Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region, Payer: b.Payer, Policy: []byte(b.Policy)})
}

func (f buckets) Get(_ testing.TB, name string) porttest.Bucket {
	b, _ := f.account.Bucket(name)
	return porttest.Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region, Payer: b.Payer, Policy: string(b.Policy)}
}

type trails struct{ inMemory }

func (f trails) Port() guardrail.Trails { return f.account }

func (f trails) Put(_ testing.TB, t trail.Trail, s trail.Status) trail.Status {
	f.account.PutTrail(t, s)
	return s
}

func empty() inMemory {
	return inMemory{inmem.New(inmem.Description{Account: account, Region: region})}
}

func TestBucketsInMemory(t *testing.T) {
	porttest.Buckets(t, func(*testing.T) porttest.BucketFixture { return buckets{empty()} })
}

func TestTrailsInMemory(t *testing.T) {
	porttest.Trails(t, func(*testing.T) porttest.TrailFixture { return trails{empty()} })
}

func TestLedgerInMemory(t *testing.T) {
	porttest.Ledger(t, func(*testing.T) guardrail.Ledger { return &inmem.Ledger{} })
}

func TestAlertsInMemory(t *testing.T) {
	var alerts inmem.Alerts
	porttest.Alerts(t, &alerts, func(testing.TB) []alert.Message { return alerts.Messages() })
}

func TestOrganizationsInMemory(t *testing.T) {
	want := trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "444455556666"}
	in := inmem.New(inmem.Description{Account: account, Region: region, Organization: want})
	porttest.Organizations(t, in, account, want)
}

type keysAndTopics struct{ inMemory }

func (f keysAndTopics) Port() guardrail.Chain { return f.account }

func (f keysAndTopics) PutKey(_ testing.TB, k trail.Key, policy, alias string) {
	f.account.PutKey(inmem.Key{Key: k, Policy: policy, Alias: alias})
}

func (f keysAndTopics) PutTopic(_ testing.TB, topic trail.Topic) { f.account.PutTopic(topic) }

func (f keysAndTopics) PutBucket(_ testing.TB, name string, bucketKeys bool) {
	f.account.PutBucket(inmem.Bucket{Name: name, Owner: account, Region: region})
	f.account.SetBucketKeys(name, bucketKeys)
}

func TestChainInMemory(t *testing.T) {
	porttest.Chain(t, func(*testing.T) porttest.ChainFixture { return keysAndTopics{empty()} })
}

func TestRCPsInMemory(t *testing.T) {
	o := inmem.NewOrganization(inmem.Description{Account: account, Region: region})
	porttest.RCPs(t, o, func(all []inventory.AttachedRCP) { o.SetRCPs(all...) }, func() { o.HideRCPs(guardrail.Denied) })
}

func TestInventoryInMemory(t *testing.T) {
	porttest.Inventory(t, func(*testing.T) guardrail.Inventory { return &inmem.Inventory{} })
}
