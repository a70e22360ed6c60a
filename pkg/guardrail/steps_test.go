package guardrail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	organizationID = "o-exampleorg1"
)

// listing lists the accounts of an organization.
type listing struct {
	members []inventory.Member
	err     error
}

func (l *listing) Members(context.Context) ([]inventory.Member, error) {
	return slices.Clone(l.members), l.err
}

// landingZone is an organization whose central bucket is in the guard's own account.
type landingZone struct {
	*known
	listing *listing
}

func memberID(i int) string { return fmt.Sprintf("%012d", 200_000_000_000+i) }

// owners are whose buckets are whose. It counts who is asked.
type owners struct {
	owned map[string][]string
	asked atomic.Int64
}

func (o *owners) Owned(_ context.Context, account string) ([]string, error) {
	o.asked.Add(1)
	return o.owned[account], nil
}

// newLandingZone is an organization with so many members, each with a trail into the central
// bucket. The guard's own account sees the organization's trail, which delivers elsewhere.
func newLandingZone(t testing.TB, members int) *landingZone {
	t.Helper()
	z := &landingZone{known: newKnown(t, listOnly), listing: &listing{}}
	own := ofAll()
	z.accounts.set(account, own)
	z.accounts.set(management, own)
	z.listing.members = []inventory.Member{{ID: management, State: inventory.Active}, {ID: account, State: inventory.Active}}
	var all []trail.Trail
	for i := range members {
		z.accounts.set(memberID(i), theirs(memberID(i)), own)
		all = append(all, theirs(memberID(i)))
		z.listing.members = append(z.listing.members, inventory.Member{ID: memberID(i), State: inventory.Active})
	}
	d := z.Describe()
	d.Organization = trail.Organization{Known: true, ID: organizationID, ManagementAccount: management, Members: []string{account}}
	d.Buckets = []inmem.Bucket{
		{Name: bucket, Policy: []byte(documented(t, all...))},
		{Name: own.Bucket, Policy: []byte(`{"Version":"2012-10-17","Statement":[` +
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::organization-logs",` +
			`"Condition":{"StringEquals":{"aws:SourceArn":"` + own.ARN + `"}}},` +
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::organization-logs/AWSLogs/*",` +
			`"Condition":{"StringEquals":{"aws:SourceArn":"` + own.ARN + `","s3:x-amz-acl":"bucket-owner-full-control"}}}]}`)},
	}
	z.Account = inmem.New(d)
	z.ports.Buckets, z.ports.Organizations, z.ports.Members = z.Account, z.Account, z.listing
	z.config.Stack.Account = account
	z.config.Owners = map[string]string{bucket: account}
	z.rebuild()
	return z
}

func ofAll() trail.Trail {
	return trail.Trail{
		Name: "all", ARN: "arn:aws:cloudtrail:us-east-1:" + management + ":trail/all", HomeRegion: region, Bucket: "organization-logs",
		MultiRegion: true, Organization: true, LogFileValidation: true, GlobalEvents: true,
	}
}

// sweeper sweeps an organization.
type sweeper func(t testing.TB, z *landingZone) ([]guardrail.Result, error)

// inOne sweeps in one process.
func inOne(t testing.TB, z *landingZone) ([]guardrail.Result, error) {
	done, err := z.guard.Sweep(t.Context(), account, region)
	return done.Results, err
}

// inSteps sweeps as the state machine does: each step by a guard of its own, which knows
// what the inventory has.
func inSteps(t testing.TB, z *landingZone) ([]guardrail.Result, error) {
	var results []guardrail.Result
	var errs []error
	done := func(r guardrail.SweepResult, err error) {
		results, errs = append(results, r.Results...), append(errs, err)
	}
	parts, err := z.fresh().PlanAccounts(t.Context(), account, region)
	errs = append(errs, err)
	for _, p := range parts {
		_, err := z.fresh().SweepAccounts(t.Context(), account, region, p)
		errs = append(errs, err)
	}
	parts, err = z.fresh().PlanBuckets(t.Context())
	errs = append(errs, err)
	for _, p := range parts {
		done(z.fresh().SweepBuckets(t.Context(), account, region, p))
	}
	done(z.fresh().FinishSweep(t.Context(), account, region))
	return results, errors.Join(errs...)
}

// fresh is a guard that remembers nothing by itself.
func (z *landingZone) fresh() *guardrail.Guard {
	return guardrail.New(z.ports, z.config, guardrail.Runtime{Now: z.clock.Now, Sleep: z.clock.Sleep, Log: slog.New(slog.DiscardHandler)})
}

// inBoth runs a test with both ways to sweep.
func inBoth(t *testing.T, test func(t *testing.T, sweep sweeper)) {
	t.Helper()
	t.Run("in one process", func(t *testing.T) { test(t, inOne) })
	t.Run("in steps", func(t *testing.T) { test(t, inSteps) })
}

// sweeps sweeps an hour later, and fails unless the sweep told of this.
func (z *landingZone) sweeps(t testing.TB, sweep sweeper, want string) []guardrail.Result {
	t.Helper()
	z.clock.pass(time.Hour)
	before := len(z.alerts.Messages())
	results, err := sweep(t, z)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, m := range z.alerts.Messages()[before:] {
		kinds = append(kinds, m.Attributes["kind"])
	}
	if got := strings.Join(kinds, " "); got != want {
		t.Fatalf("told %q, want %q:\n%s", got, want, z.alerts.Messages()[len(z.alerts.Messages())-1].Body)
	}
	return results
}

func (z *landingZone) setPolicy(text string) {
	b, _ := z.Bucket(bucket)
	b.Policy = []byte(text)
	z.PutBucket(b)
}

// A central bucket loses its policy without an event: one alert names all members' trails,
// and one says that it is over.
func TestSweepOfAnOrganization(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		const members = 30
		z := newLandingZone(t, members)
		z.sweeps(t, sweep, "")
		b, _ := z.Bucket(bucket)
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		for i := range members {
			if !strings.Contains(z.told(t), memberID(i)) {
				t.Errorf("%s is not named", memberID(i))
			}
		}
		z.sweeps(t, sweep, "")
		z.setPolicy(string(b.Policy))
		z.sweeps(t, sweep, "resolved")
		z.sweeps(t, sweep, "")
	})
}

// Two executions at once do no harm: each problem is told once, and both come to an end.
func TestTwoSweepsAtOnce(t *testing.T) {
	t.Parallel()
	z := newLandingZone(t, 30)
	z.sweeps(t, inSteps, "")
	z.accounts.fail(memberID(4), &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no role")})
	z.setPolicy("")
	z.clock.pass(time.Hour)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := inSteps(t, z); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	z.wantKinds(t, "opened opened")
	z.sweeps(t, inSteps, "")
	if n := len(bucketOf(t, z, bucket).Trails); n != 30 {
		t.Errorf("the bucket has %d trails", n)
	}
}

// A member whose role is gone is told once, together with others, and its trails are watched
// as they were last seen.
func TestMembersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 3)
		z.sweeps(t, sweep, "")
		denied := &guardrail.PortError{Op: "cloudtrail:ListTrails", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New("no role")}
		z.accounts.fail(memberID(0), denied)
		z.accounts.fail(memberID(1), denied)
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, "2 of the 4 accounts of the organization could not be asked for their trails: "+
			memberID(0)+", "+memberID(1)) || !strings.Contains(told, "organization "+organizationID) {
			t.Errorf("told %s", told)
		}
		z.sweeps(t, sweep, "")
		b, _ := z.Bucket(bucket)
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, memberID(0)) || !strings.Contains(told, "could not be read since") {
			t.Errorf("told %s", told)
		}
		z.setPolicy(string(b.Policy))
		z.sweeps(t, sweep, "resolved")
		z.accounts.fail(memberID(0), nil)
		z.sweeps(t, sweep, "changed")
		z.accounts.fail(memberID(1), nil)
		z.sweeps(t, sweep, "resolved")
	})
}

// A hub that has left the organization may list nobody and assume no role: one alert says so, and the
// trails are watched as they were last seen.
func TestHubThatLeftTheOrganization(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		const members = 30
		z := newLandingZone(t, members)
		z.sweeps(t, sweep, "")
		denied := &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New("not in the organization")}
		listed := z.listing.members
		z.listing.err = &guardrail.PortError{Op: "organizations:ListAccounts", Class: guardrail.Denied, Code: "AccessDeniedException", Err: errors.New("no")}
		for _, m := range listed {
			if m.ID != account {
				z.accounts.fail(m.ID, denied)
			}
		}
		for range 3 {
			z.clock.pass(time.Hour)
			if _, err := sweep(t, z); err == nil {
				t.Error("the sweep says that it is complete")
			}
		}
		z.wantKinds(t, "opened")
		if told := z.told(t); !strings.Contains(told, "None of the 31 accounts of the organization could be asked") {
			t.Errorf("told %s", told)
		}
		z.setPolicy("")
		z.clock.pass(time.Hour)
		if _, err := sweep(t, z); err == nil {
			t.Error("the sweep says that it is complete")
		}
		z.wantKinds(t, "opened opened")
		for i := range members {
			if !strings.Contains(z.told(t), memberID(i)) {
				t.Errorf("%s is not named", memberID(i))
			}
		}
	})
}

// One that nobody could ever read is told of too: the StackSet has not reached it.
func TestMemberThatWasNeverRead(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 1)
		z.listing.members = append(z.listing.members, inventory.Member{ID: memberID(7), State: inventory.Active})
		z.accounts.fail(memberID(7), &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no role")})
		z.sweeps(t, sweep, "opened")
		if !strings.Contains(z.told(t), memberID(7)) {
			t.Errorf("told %s", z.told(t))
		}
	})
}

// A suspended account is not asked, and not missed.
func TestSuspendedMember(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 2)
		z.sweeps(t, sweep, "")
		z.listing.members[3].State = "SUSPENDED" // the second member
		z.accounts.calls()
		z.sweeps(t, sweep, "")
		if calls := z.accounts.calls(); strings.Contains(calls, memberID(1)) || !strings.Contains(calls, memberID(0)) {
			t.Errorf("asked were %s", calls)
		}
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		if !strings.Contains(z.told(t), memberID(1)) {
			t.Error("its trail is not watched any more")
		}
	})
}

// A central bucket belongs to an account without a trail of its own, and nobody has said so:
// the owner is sought once, and remembered. That a guess was wrong is no outage.
func TestOwnerIsFound(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		const archive = "300000000000"
		z := newLandingZone(t, 3)
		b, _ := z.Bucket(bucket)
		b.Owner = archive
		z.PutBucket(b)
		z.accounts.set(archive, ofAll())
		z.listing.members = append(z.listing.members, inventory.Member{ID: archive, State: inventory.Active})
		asked := &owners{owned: map[string][]string{archive: {"x", bucket}, account: {"organization-logs"}}}
		z.config.Owners, z.ports.Owners = nil, asked
		z.rebuild()
		z.sweeps(t, sweep, "")
		if got := bucketOf(t, z, bucket).Owner; got != archive {
			t.Errorf("the owner is %q", got)
		}
		first := asked.asked.Load()
		z.sweeps(t, sweep, "")
		if first == 0 || asked.asked.Load() != first {
			t.Errorf("asked %d times, then %d", first, asked.asked.Load())
		}
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, "CloudTrail blocked at "+bucket) && !strings.Contains(told, archive) {
			t.Errorf("told %s", told)
		}
	})
}

// A bucket of an account outside of the organization cannot be read. It is told as what is not
// known, and the members are not asked for it again and again.
func TestOwnerIsNoMember(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 3)
		b, _ := z.Bucket(bucket)
		b.Owner = "777777777777"
		z.PutBucket(b)
		asked := &owners{owned: map[string][]string{account: {"organization-logs"}}}
		z.config.Owners, z.ports.Owners = nil, asked
		z.rebuild()
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, "policy-unreadable") || strings.Contains(told, "bucket-owner-changed") {
			t.Errorf("told %s", told)
		}
		first := asked.asked.Load()
		z.sweeps(t, sweep, "")
		if again := asked.asked.Load() - first; again >= first {
			t.Errorf("asked %d times, then %d", first, again)
		}
	})
}

// The trail that all members see is stored once, and nobody stores it again.
func TestOrganizationTrailIsKnownOnce(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 40)
		z.sweeps(t, sweep, "")
		first := bucketOf(t, z, "organization-logs")
		z.sweeps(t, sweep, "")
		second := bucketOf(t, z, "organization-logs")
		by := first.Trails[0].By
		if len(first.Trails) != 1 || by != account && by != management || second.Version > first.Version+2 {
			t.Errorf("version %d, then %d of %+v", first.Version, second.Version, second.Trails)
		}
	})
}

func bucketOf(t testing.TB, z *landingZone, name string) inventory.Bucket {
	t.Helper()
	p, err := z.inventory.Find(t.Context(), nil, []string{name})
	if err != nil {
		t.Fatal(err)
	}
	return p.Buckets[name]
}

// The members are those of the list: a Deny for the folder of one of them is an outage.
func TestFolderOfOneMemberIsDenied(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 3)
		z.sweeps(t, sweep, "")
		b, _ := z.Bucket("organization-logs")
		b.Policy = []byte(strings.Replace(string(b.Policy), `"Statement":[`, `"Statement":[{"Sid":"NotThem","Effect":"Deny","Principal":"*",`+
			`"Action":"s3:PutObject","Resource":"arn:aws:s3:::organization-logs/AWSLogs/`+organizationID+`/`+memberID(1)+`/*"},`, 1))
		z.PutBucket(b)
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, "blocked") || !strings.Contains(told, "NotThem") || !strings.Contains(told, memberID(1)) {
			t.Errorf("told %s", told)
		}
	})
}

// A member's trail that is deleted is told of once, and one that stops as well, though no
// event came.
func TestMembersTrailsStop(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 3)
		z.sweeps(t, sweep, "")
		z.accounts.set(memberID(2), ofAll())
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, theirs(memberID(2)).ARN) || !strings.Contains(told, "trail-deleted") {
			t.Errorf("told %s", told)
		}
		z.sweeps(t, sweep, "")
		z.accounts.stop(theirs(memberID(1)).ARN)
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, memberID(1)) || !strings.Contains(told, "trail-stopped") {
			t.Errorf("told %s", told)
		}
		z.sweeps(t, sweep, "")
	})
}

// A list of accounts that cannot be read whole changes nothing: those who were known are
// swept, and the sweep says that it is not complete.
func TestListOfAccountsFails(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 2)
		z.sweeps(t, sweep, "")
		for name, broken := range map[string]listing{
			"throttled":               {err: errors.New("throttled")},
			"without the account":     {members: []inventory.Member{{ID: memberID(0), State: inventory.Active}}},
			"nobody in it":            {},
			"the account is not well": {members: []inventory.Member{{ID: account, State: "PENDING_CLOSURE"}}},
		} {
			members := z.listing.members
			*z.listing = broken
			z.setPolicy("")
			if _, err := sweep(t, z); err == nil {
				t.Errorf("%s: the sweep says that it is complete", name)
			}
			for i := range 2 {
				if !strings.Contains(z.told(t), memberID(i)) {
					t.Errorf("%s: %s is not told", name, memberID(i))
				}
			}
			*z.listing = listing{members: members}
		}
	})
}

// What fails for a moment is a failure of the sweep, and no alert about the account.
func TestMemberThatIsThrottled(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 2)
		z.sweeps(t, sweep, "")
		z.accounts.fail(memberID(1), errors.New("throttled"))
		if _, err := sweep(t, z); err == nil || len(z.alerts.Messages()) != 0 {
			t.Fatalf("%v, told %s", err, z.kinds())
		}
		z.clock.pass(4 * time.Hour) // longer than what is known of an account counts
		if _, err := sweep(t, z); err == nil {
			t.Error("the sweep says that it is complete")
		}
		z.wantKinds(t, "opened")
		z.accounts.fail(memberID(1), nil)
		z.sweeps(t, sweep, "resolved")
	})
}

// An event of an account that is not of the organization is dropped, whoever sent it: no role
// is assumed there, and nothing of it is believed.
func TestEventOfAStranger(t *testing.T) {
	t.Parallel()
	const stranger = "666666666666"
	z := newLandingZone(t, 2)
	z.sweeps(t, inSteps, "")
	z.accounts.calls()
	z.accounts.set(stranger, theirs(stranger))
	for _, r := range []guardrail.Request{
		z.from(stranger, "CreateTrail"), z.from(stranger, "DeleteTrail"),
		func() guardrail.Request { r := z.on("DeleteBucketPolicy", bucket); r.Account = stranger; return r }(),
	} {
		results, err := z.guard.Reconcile(t.Context(), r)
		if err != nil || len(results) != 1 || !results[0].Stranger {
			t.Errorf("%s: %+v, %v", r.Change.Event, results, err)
		}
	}
	if calls := z.accounts.calls(); calls != "" {
		t.Errorf("asked were %s", calls)
	}
	z.wantKinds(t, "")
	if n := len(bucketOf(t, z, bucket).Trails); n != 2 {
		t.Errorf("the bucket has %d trails", n)
	}
	// A member's event is one.
	z.setPolicy("")
	if _, err := z.guard.Reconcile(t.Context(), z.from(memberID(0), "StartLogging")); err != nil {
		t.Fatal(err)
	}
	z.wantKinds(t, "opened")
}
