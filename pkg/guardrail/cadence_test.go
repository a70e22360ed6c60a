package guardrail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// bareID is a member without a trail of its own.
func bareID(i int) string { return fmt.Sprintf("%012d", 800_000_000_000+i) }

// newBareZone is an organization with so many members that have a trail of their own, and others that
// have none.
func newBareZone(t testing.TB, own, bare int) *landingZone {
	t.Helper()
	z := newLandingZone(t, own)
	for i := range bare {
		z.accounts.set(bareID(i), ofAll())
		z.listing.members = append(z.listing.members, inventory.Member{ID: bareID(i), State: inventory.Active})
	}
	return z
}

// asks are how often accounts were asked for their trails since the last call: those that have a trail of their
// own, and those that have none.
func (z *landingZone) asks() (own, bare int) {
	for id := range strings.FieldsSeq(z.accounts.calls()) {
		switch {
		case strings.HasPrefix(id, "8"):
			bare++
		case strings.HasPrefix(id, "2000"):
			own++
		}
	}
	return own, bare
}

// An account without a trail of its own is asked every six hours, and is never unread in between.
func TestAccountsWithoutTrailsAreAskedSeldom(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newBareZone(t, 3, 60)
		all, each := 0, 0
		for hour := range 24 {
			z.sweeps(t, sweep, "")
			own, bare := z.asks()
			if own < 3 { // for the lists, and for the status
				t.Errorf("hour %d: %d of those with trails are asked", hour, own)
			}
			if bare != 0 && bare != 60 {
				t.Errorf("hour %d: %d are asked", hour, bare)
			}
			if hour == 0 && bare != 60 {
				t.Errorf("at first %d are asked", bare)
			}
			all, each = all+bare, each+own
		}
		if all != 4*60 {
			t.Errorf("%d asks in a day", all)
		}
	})
}

// One that joins is asked with the next sweep, and so is one that could not be read.
func TestAccountsThatAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newBareZone(t, 1, 5)
		z.sweeps(t, sweep, "")
		z.asks()
		z.accounts.set(bareID(7), ofAll(), theirs(bareID(7)))
		z.listing.members = append(z.listing.members, inventory.Member{ID: bareID(7), State: inventory.Active})
		z.sweeps(t, sweep, "opened") // its trail is not let in
		if !strings.Contains(z.accounts.calls(), bareID(7)) {
			t.Error("it is not asked")
		}
		z.clock.pass(5 * time.Hour)
		z.accounts.fail(bareID(2), &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Err: errors.New("no role")})
		z.sweeps(t, sweep, "opened")
		z.asks()
		z.sweeps(t, sweep, "")
		if _, bare := z.asks(); bare < 1 {
			t.Error("it is not asked again")
		}
		z.accounts.fail(bareID(2), nil)
		z.sweeps(t, sweep, "resolved")
	})
}

// What was not asked for longer than it may be is told.
func TestAccountsThatAreNotAskedForLong(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newBareZone(t, 1, 5)
		z.sweeps(t, sweep, "")
		z.accounts.fail(bareID(3), errors.New("throttled"))
		for hour := 1; hour <= 8; hour++ {
			z.clock.pass(time.Hour)
			if _, err := sweep(t, z); (err != nil) != (hour >= 6) || len(z.alerts.Messages()) != 0 {
				t.Fatalf("hour %d: %v, told %s", hour, err, z.kinds())
			}
		}
		z.clock.pass(2 * time.Hour)
		if _, err := sweep(t, z); err == nil {
			t.Error("the sweep says that it is complete")
		}
		z.wantKinds(t, "opened")
		if told := z.told(t); !strings.Contains(told, "1 of the 7 accounts") || !strings.Contains(told, bareID(3)) {
			t.Errorf("told %s", told)
		}
	})
}

// An event of a bucket that no trail uses costs no call, also while its account is not asked.
func TestEventOfAnAccountThatIsAskedSeldom(t *testing.T) {
	t.Parallel()
	z := newBareZone(t, 1, 2)
	z.sweeps(t, inSteps, "")
	z.clock.pass(5 * time.Hour)
	z.asks()
	r := z.on("PutBucketPolicy", "holiday-photos", quiet)
	r.Account, r.Change.Account = bareID(1), bareID(1)
	z.reconcile(t, r)
	if calls := z.accounts.calls(); calls != "" {
		t.Errorf("asked were %s", calls)
	}
}

// The parts of the plan are of those that are asked now.
func TestPlanOfFewAccounts(t *testing.T) {
	t.Parallel()
	z := newBareZone(t, 30, 300)
	parts := func() int {
		t.Helper()
		z.clock.pass(time.Hour)
		planned, err := z.fresh().PlanAccounts(t.Context(), account, region)
		if err != nil {
			t.Fatal(err)
		}
		return len(planned)
	}
	if n := parts(); n != 14 {
		t.Errorf("%d parts at first", n)
	}
	z.sweeps(t, inSteps, "")
	if n := parts(); n != 2 {
		t.Errorf("%d parts an hour later", n)
	}
}
