package guardrail_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// An alert names the trails of accounts outside of the organization, and says of each how it is
// known: one is declared, the account of another has left.
func TestTrailsFromOutsideAreNamed(t *testing.T) {
	t.Parallel()
	const guest = "666666666666"
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newLandingZone(t, 2)
		declared := theirs(guest)
		declared.Name, declared.ARN = "declared", strings.Replace(declared.ARN, "theirs", "declared", 1)
		z.config.Trails = []trail.Trail{declared}
		z.setPolicy(documented(t, declared, theirs(memberID(0)), theirs(memberID(1))))
		z.rebuild()
		z.sweeps(t, sweep, "")
		z.listing.members = z.listing.members[:3] // the second member leaves
		z.sweeps(t, sweep, "")
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		want := "Trails of accounts that are no active members of the organization deliver here: declared of account " + guest +
			" (declared), theirs of account " + memberID(1) + " (the account listed it at 2026-09-13T19:00:00Z, when it could be read)."
		if told := z.told(t); !strings.Contains(told, want) {
			t.Errorf("told %s", told)
		}
	})
}

// So does an audit, which names some of very many.
func TestAuditNamesTrailsFromOutside(t *testing.T) {
	t.Parallel()
	var declared []trail.Trail
	for i := range 30 {
		declared = append(declared, trailOf(fmt.Sprintf("6666666666%02d", i), "guest", centralBucket))
	}
	o := inmem.NewOrganization(acme(t, 10), membersOf(10)...)
	a, err := auditing(o, nil, guardrail.Config{Trails: declared}).AuditOrganization(t.Context(), account, region, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range a.Buckets {
		notes := strings.Join(b.Notes, " ")
		named := strings.Contains(notes, "guest of account 666666666600 (declared)") && strings.Contains(notes, "and 20 more")
		if named != (b.Bucket.Name == centralBucket) || strings.Contains(notes, "666666666610") {
			t.Errorf("%s: %q", b.Bucket.Name, notes)
		}
	}
}
