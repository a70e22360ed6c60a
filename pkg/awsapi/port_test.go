package awsapi_test

import (
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/guardrail/porttest"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	account     = "111122223333"
	stranger    = "444455556666"
	region      = "eu-west-1"
	otherRegion = "us-east-1"
)

// clients returns clients of the account; the role, if not empty, is assumed in
// other accounts.
func clients(fake *awsfake.Server, role string) *awsapi.Clients {
	return awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: fake.Account, Role: role})
}

// at is where the account is.
type at struct{ fake *awsfake.Server }

func (at) Account() string      { return account }
func (at) Region() string       { return region }
func (at) OtherAccount() string { return stranger }
func (at) OtherRegion() string  { return otherRegion }
func (at) Strict() bool         { return true }
func (at) Selectors() bool      { return true }

type bucketFixture struct {
	at
	port guardrail.Buckets
}

func (f bucketFixture) Port() guardrail.Buckets { return f.port }

func (f bucketFixture) Put(_ testing.TB, b porttest.Bucket) {
	f.fake.PutBucket(awsfake.Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region, Policy: b.Policy, Payer: b.Payer})
}

func (f bucketFixture) Get(_ testing.TB, name string) porttest.Bucket {
	b := f.fake.Bucket(name)
	return porttest.Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region, Policy: b.Policy, Payer: b.Payer}
}

type trailFixture struct {
	at
	port guardrail.Trails
}

func (f trailFixture) Port() guardrail.Trails { return f.port }

func (f trailFixture) Put(_ testing.TB, t trail.Trail, s trail.Status) trail.Status {
	f.fake.PutTrail(awsfake.Trail{Trail: t, Status: s})
	return s
}

func TestBucketsConform(t *testing.T) {
	porttest.Buckets(t, func(t *testing.T) porttest.BucketFixture {
		fake := awsfake.New(t, account, region)
		return bucketFixture{at{fake}, awsapi.NewBuckets(clients(fake, ""))}
	})
}

func TestTrailsConform(t *testing.T) {
	porttest.Trails(t, func(t *testing.T) porttest.TrailFixture {
		fake := awsfake.New(t, account, region)
		return trailFixture{at{fake}, awsapi.NewTrails(clients(fake, ""))}
	})
}

func TestLedgerConforms(t *testing.T) {
	porttest.Ledger(t, func(t *testing.T) guardrail.Ledger {
		return awsapi.NewLedger(clients(awsfake.New(t, account, region), ""), "table")
	})
}

func TestInventoryConforms(t *testing.T) {
	porttest.Inventory(t, func(t *testing.T) guardrail.Inventory {
		return awsapi.NewInventory(clients(awsfake.New(t, account, region), ""), "table", time.Now)
	})
}

func TestRCPsConform(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.Members = [][]inventory.Member{{{ID: account, State: inventory.Active}}}
	porttest.RCPs(t, awsapi.NewMembers(clients(fake, "")), func(all []inventory.AttachedRCP) { fake.RCPs = all }, func() { fake.Members = nil })
}

func TestAlertsConform(t *testing.T) {
	fake := awsfake.New(t, account, region)
	// The topic is in another region than the function.
	alerts, err := awsapi.NewAlerts(clients(fake, ""), "arn:aws:sns:us-east-1:111122223333:topic", "")
	if err != nil {
		t.Fatal(err)
	}
	porttest.Alerts(t, alerts, func(testing.TB) []alert.Message { return fake.Messages() })
}

func TestOrganizationsConform(t *testing.T) {
	in := trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: stranger}
	for name, test := range map[string]struct{ is, want trail.Organization }{
		"in one": {in, in},
		"in none": {
			trail.Organization{Known: true}, trail.Organization{Known: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := awsfake.New(t, account, region)
			fake.Organization = &test.is
			porttest.Organizations(t, awsapi.NewOrganizations(clients(fake, ""), time.Now), account, test.want)
		})
	}
	t.Run("denied", func(t *testing.T) {
		fake := awsfake.New(t, account, region)
		fake.Organization = nil
		porttest.Organizations(t, awsapi.NewOrganizations(clients(fake, ""), time.Now), account, trail.Organization{})
	})
}
