package guardrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// newForwardingZone is an organization whose members have each a trail and its bucket, and are
// swept once.
func newForwardingZone(t *testing.T, sweep sweeper, members int) *landingZone {
	t.Helper()
	z := newLandingZone(t, members)
	for i := range members {
		x := memberTrail(i)
		z.putDocumented(t, x)
		z.accounts.set(memberID(i), x, ofAll())
		z.config.Owners[x.Bucket] = memberID(i)
	}
	z.rebuild()
	z.sweeps(t, sweep, "")
	return z
}

// memberTrail is a member's trail into its own bucket.
func memberTrail(i int) trail.Trail {
	x := theirs(memberID(i))
	x.Bucket = "logs-" + memberID(i)
	return x
}

// hears lets the event of a call on a member's bucket come.
func (z *landingZone) hears(t *testing.T, i int, event string) {
	t.Helper()
	r := z.on(event, memberTrail(i).Bucket)
	r.Account, r.Change.Account = memberID(i), memberID(i)
	z.reconcile(t, r)
}

// setMemberPolicy writes the policy of a member's bucket, and returns what it was. No event tells
// of it.
func (z *landingZone) setMemberPolicy(i int, text string) string {
	b, _ := z.Bucket(memberTrail(i).Bucket)
	was := string(b.Policy)
	b.Policy = []byte(text)
	z.PutBucket(b)
	return was
}

// Two members' rules are gone. What the sweep finds there is told, and with the sweep after it that
// no event told of it: one alert for both, until events come again, whatever was mended.
func TestForwardingFallsSilent(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 3)
		for i := range 3 {
			z.hears(t, i, "PutBucketPolicy")
		}
		z.sweeps(t, sweep, "")
		first, second := z.setMemberPolicy(0, ""), z.setMemberPolicy(1, "")
		z.sweeps(t, sweep, "opened opened")
		z.sweeps(t, sweep, "opened")
		told := z.told(t)
		for _, want := range []string{"forwarding-silent", memberID(0) + " in us-east-1, " + memberID(1) + " in us-east-1", "organization " + organizationID} {
			if !strings.Contains(told, want) {
				t.Errorf("%q is not in %s", want, told)
			}
		}
		if strings.Contains(told, memberID(2)) {
			t.Errorf("one is named that is well: %s", told)
		}
		z.sweeps(t, sweep, "")
		z.setMemberPolicy(0, first)
		z.setMemberPolicy(1, second)
		z.sweeps(t, sweep, "resolved resolved")
		z.sweeps(t, sweep, "")
		z.hears(t, 0, "PutBucketPolicy")
		z.sweeps(t, sweep, "changed")
		z.hears(t, 1, "PutBucketRequestPayment")
		z.sweeps(t, sweep, "resolved")
		if told := z.told(t); !strings.Contains(told, "Events come again") {
			t.Errorf("told %s", told)
		}
		z.sweeps(t, sweep, "")
	})
}

// A change that breaks nothing shows it as well, and so does a trail.
func TestForwardingIsSilentOfOtherChanges(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 2)
		z.hears(t, 0, "PutBucketPolicy")
		z.hears(t, 1, "PutBucketPolicy")
		z.sweeps(t, sweep, "")
		z.setMemberPolicy(0, strings.Replace(z.setMemberPolicy(0, ""), `"Statement":[`, `"Statement":[`+reader+`,`, 1))
		z.accounts.stop(memberTrail(1).ARN)
		z.sweeps(t, sweep, "opened")
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, memberID(0)+" in us-east-1, "+memberID(1)+" in us-east-1") {
			t.Errorf("told %s", told)
		}
	})
}

// What does not follow is not told.
func TestForwardingThatMayBeWell(t *testing.T) {
	t.Parallel()
	unheard := func(z *landingZone) { z.setMemberPolicy(0, "") }
	for name, test := range map[string]struct {
		before, between func(t *testing.T, z *landingZone)
		told            string
	}{
		"no event ever came": {
			before: func(*testing.T, *landingZone) {},
		},
		"one came of another region": {
			before: func(t *testing.T, z *landingZone) {
				r := z.from(memberID(0), "StartLogging")
				r.Region, r.Change.Region = "eu-west-1", "eu-west-1"
				z.reconcile(t, r)
			},
		},
		"the event comes late": {
			between: func(t *testing.T, z *landingZone) { z.hears(t, 0, "DeleteBucketPolicy") },
		},
		"another event comes": {
			between: func(t *testing.T, z *landingZone) { z.hears(t, 0, "PutBucketRequestPayment") },
		},
		"the account left the organization": {
			between: func(_ *testing.T, z *landingZone) {
				z.listing.members = z.listing.members[:2]
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, sweep sweeper) {
				z := newForwardingZone(t, sweep, 1)
				if test.before == nil {
					z.hears(t, 0, "PutBucketPolicy")
				} else {
					test.before(t, z)
				}
				z.sweeps(t, sweep, "")
				unheard(z)
				z.sweeps(t, sweep, "opened")
				if test.between != nil {
					test.between(t, z)
				}
				z.sweeps(t, sweep, test.told)
				z.sweeps(t, sweep, test.told)
			})
		})
	}
}

// An event that was there first leaves nothing for the sweep to find, also where it broke nothing.
func TestForwardingThatTells(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 1)
		for range 3 {
			was := z.setMemberPolicy(0, "")
			z.setMemberPolicy(0, strings.Replace(was, `"Statement":[`, `"Statement":[`+reader+`,`, 1))
			z.hears(t, 0, "PutBucketPolicy")
			z.sweeps(t, sweep, "")
		}
	})
}

// A role that a policy names is deleted, and S3 puts an id in its place. No call of S3 is that.
func TestForwardingAndARoleThatIsDeleted(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 1)
		was := strings.Replace(z.setMemberPolicy(0, ""), `"Statement":[`, `"Statement":[`+reader+`,`, 1)
		z.setMemberPolicy(0, was)
		z.hears(t, 0, "PutBucketPolicy")
		z.sweeps(t, sweep, "")
		z.setMemberPolicy(0, strings.Replace(was, "arn:aws:iam::222222222222:role/log-reader", "AROAEXAMPLE6B76735E29", 1))
		z.sweeps(t, sweep, "")
		z.sweeps(t, sweep, "")
	})
}

// An event may be there before S3 gives the policy that it tells of, for longer than that is waited for.
func TestForwardingOfAPolicyThatIsLate(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 1)
		b, _ := z.Bucket(memberTrail(0).Bucket)
		later := strings.Replace(string(b.Policy), `"Statement":[`, `"Statement":[`+reader+`,`, 1)
		r := z.on("PutBucketPolicy", b.Name, later)
		r.Account, r.Change.Account = memberID(0), memberID(0)
		z.reconcile(t, r)
		z.setMemberPolicy(0, later)
		z.sweeps(t, sweep, "")
		z.sweeps(t, sweep, "")
	})
}

// A trail's account tells of a bucket, too. That does not say that the bucket's own account does.
func TestForwardingOfTheTrailsAccountAlone(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 1)
		const guest = "300000000000"
		x := theirs(guest)
		x.Bucket = memberTrail(0).Bucket
		env := trail.Environment{Bucket: x.Bucket, BucketOwner: memberID(0)}
		policy, err := trail.DocumentedPolicy([]trail.Trail{x, memberTrail(0)}, env)
		if err != nil {
			t.Fatal(err)
		}
		z.PutBucket(inmem.Bucket{Name: x.Bucket, Owner: memberID(0), Policy: policy})
		z.accounts.set(guest, x, ofAll())
		z.listing.members = append(z.listing.members, inventory.Member{ID: guest, State: inventory.Active})
		z.sweeps(t, sweep, "")
		z.hears(t, 0, "PutBucketPolicy")
		z.clock.pass(time.Hour)
		z.setMemberPolicy(0, "")
		z.reconcile(t, z.from(guest, "StartLogging"))
		z.wantKinds(t, "opened")
		z.sweeps(t, sweep, "opened")
		if told := z.told(t); !strings.Contains(told, "forwarding-silent") || strings.Contains(told, guest) {
			t.Errorf("told %s", told)
		}
	})
}

// What was wrong when it was first looked at was no event's to tell.
func TestForwardingOfWhatWasBrokenAtFirst(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newForwardingZone(t, sweep, 1)
		z.hears(t, 0, "PutBucketPolicy")
		z.clock.pass(time.Hour)
		old, stopped := memberTrail(0), memberTrail(0)
		old.Name, old.ARN, old.Bucket = "old", strings.Replace(old.ARN, "theirs", "old", 1), "old-logs"
		stopped.Name, stopped.ARN, stopped.Bucket = "stopped", strings.Replace(stopped.ARN, "theirs", "stopped", 1), "stopped-logs"
		z.PutBucket(inmem.Bucket{Name: old.Bucket, Owner: memberID(0)})
		z.putDocumented(t, stopped)
		z.accounts.stop(stopped.ARN)
		z.accounts.set(memberID(0), memberTrail(0), old, stopped, ofAll())
		z.config.Owners[old.Bucket], z.config.Owners[stopped.Bucket] = memberID(0), memberID(0)
		z.rebuild()
		z.sweeps(t, sweep, "opened opened")
		z.sweeps(t, sweep, "")
	})
}

// That events come is stored now and then, and not for each of a storm.
func TestHearingIsStoredSeldom(t *testing.T) {
	t.Parallel()
	z := newForwardingZone(t, inSteps, 1)
	version := func() int64 {
		p, err := z.inventory.Find(t.Context(), []string{memberID(0)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Accounts[memberID(0)].Version
	}
	first := version()
	for range 30 { // six seconds each
		r := z.on("PutBucketPolicy", "holiday-photos", quiet)
		r.Account, r.Change.Account = memberID(0), memberID(0)
		z.reconcile(t, r)
	}
	if got := version() - first; got != 1 {
		t.Errorf("stored %d times", got)
	}
}
