package guardrail_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

const (
	rootID      = "r-ab12"
	suspendedID = "ou-ab12-suspende"
)

// suspended is a policy as units for suspended accounts have it: nobody may use their buckets but
// one role.
func suspended(targets ...string) inventory.AttachedRCP {
	return inventory.AttachedRCP{ID: "p-suspendeds", Name: "Suspended accounts", Targets: targets, Content: `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"NoAccess","Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*"],"Resource":"*",` +
		`"Condition":{"ArnNotEqualsIfExists":{"aws:PrincipalArn":"arn:aws:iam::` + management + `:role/admin"}}}]}`}
}

// governed is a landing zone whose resource control policies can be changed. The bucket of the
// organization's trail is the management account's.
type governed struct {
	*landingZone
	*inmem.Organization
}

func newGoverned(t testing.TB, members int) *governed {
	t.Helper()
	z := &governed{newLandingZone(t, members), inmem.NewOrganization(inmem.Description{})}
	for i := range z.listing.members {
		z.listing.members[i].Units = []string{rootID}
	}
	z.ports.RCPs = z.Organization
	z.give(management, "organization-logs")
	return z
}

// give makes an account the owner of a bucket.
func (z *governed) give(owner, name string) {
	b, _ := z.landingZone.Bucket(name)
	b.Owner = owner
	z.landingZone.PutBucket(b)
	z.config.Owners[name] = owner
	z.rebuild()
}

// move puts the guard's account, which owns the bucket, below a unit.
func (z *governed) move(units ...string) {
	z.listing.members[1].Units = append([]string{rootID}, units...)
}

// A policy that stops a central bucket is told once for all of its trails, and once that it is
// over: however it comes to be in effect, and though the bucket's policy is right all along.
func TestRCPStopsCentralBucket(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z := newGoverned(t, 5)
		z.config.Restore = []string{bucket}
		z.rebuild()
		before, _ := z.landingZone.Bucket(bucket)
		z.sweeps(t, sweep, "")
		for name, change := range map[string][2]func(){
			"attached to the root":    {func() { z.SetRCPs(suspended(rootID)) }, func() { z.SetRCPs() }},
			"attached to the account": {func() { z.SetRCPs(suspended(account)) }, func() { z.SetRCPs(suspended(memberID(0))) }},
			"the account is moved": {
				func() { z.SetRCPs(suspended(suspendedID)); z.move(suspendedID) }, func() { z.move() },
			},
		} {
			change[0]()
			z.sweeps(t, sweep, "opened")
			told := z.told(t)
			for i := range 5 {
				if !strings.Contains(told, memberID(i)) {
					t.Errorf("%s: %s is not named", name, memberID(i))
				}
			}
			for _, words := range []string{"rcp:p-suspendeds/NoAccess", `"Suspended accounts" (p-suspendeds)`, "list-policies-for-target --target-id " + account} {
				if !strings.Contains(told, words) {
					t.Errorf("%s: not told %q:\n%s", name, words, told)
				}
			}
			z.sweeps(t, sweep, "")
			change[1]()
			z.sweeps(t, sweep, "resolved")
		}
		if after, _ := z.landingZone.Bucket(bucket); string(after.Policy) != string(before.Policy) {
			t.Error("the bucket's policy was written")
		}
	})
}

// An event judges by the policies that the sweep has stored. A bucket's policy that is broken as
// well is restored, and what the organization denies stays told.
func TestEventUnderRCPs(t *testing.T) {
	t.Parallel()
	z := newGoverned(t, 3)
	z.SetRCPs(suspended(account))
	z.sweeps(t, inOne, "opened")
	z.SetRCPs() // nobody has read that yet
	z.config.Restore = []string{bucket}
	z.rebuild()
	results := z.reconcile(t, z.put(t, ""))
	after, _ := z.landingZone.Bucket(bucket)
	if len(after.Policy) == 0 || len(results) != 1 || results[0].Report.Verdict != delivery.Blocked {
		t.Errorf("not restored, or not judged by what is stored: %+v", results)
	}
	if told := z.told(t); !strings.Contains(told, "rcp:p-suspendeds/NoAccess") {
		t.Errorf("told %s", told)
	}
	z.sweeps(t, inOne, "resolved")
}

// What cannot be read is said in what is told, and is never taken for none. What was read before
// counts until it can be read again.
func TestRCPsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		const said = "Which resource control policies are in effect for account " + account + " is not known"
		z := newGoverned(t, 2)
		z.HideRCPs(guardrail.Denied)
		z.sweeps(t, sweep, "")
		b, _ := z.landingZone.Bucket(bucket)
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		if !strings.Contains(z.told(t), said) {
			t.Errorf("told %s", z.told(t))
		}
		z.setPolicy(string(b.Policy))
		z.sweeps(t, sweep, "resolved")
		z.SetRCPs(suspended(rootID))
		z.sweeps(t, sweep, "opened")
		z.HideRCPs(guardrail.Transient)
		before := z.kinds()
		fails := func(want string) {
			t.Helper()
			z.clock.pass(time.Hour)
			if _, err := sweep(t, z.landingZone); err == nil || z.kinds() != strings.TrimSpace(before+" "+want) {
				t.Errorf("told %q, %v", z.kinds(), err)
			}
		}
		fails("") // it is still known
		z.clock.pass(25 * time.Hour)
		fails("reminder") // it is a day later, and nobody knows that it is over
		z.HideRCPs(guardrail.Denied)
		z.sweeps(t, sweep, "")
		z.SetRCPs()
		z.sweeps(t, sweep, "resolved")
	})
}

// A unit of which it is not known whether the account stands below it is said, too.
func TestRCPsOfUnknownUnits(t *testing.T) {
	t.Parallel()
	z := newGoverned(t, 2)
	z.listing.members[1].Units = nil
	z.SetRCPs(suspended(suspendedID))
	z.setPolicy("")
	z.sweeps(t, inSteps, "opened")
	if !strings.Contains(z.told(t), "AWS Organizations does not say below which units the account stands") {
		t.Errorf("told %s", z.told(t))
	}
}

// The management account's buckets are not concerned.
func TestRCPsLeaveManagementAccountAlone(t *testing.T) {
	t.Parallel()
	z := newGoverned(t, 2)
	z.give(management, bucket)
	z.SetRCPs(suspended(rootID))
	z.sweeps(t, inSteps, "")
}

// AWS's protection from confused deputies stops the trail of an account that is no member, and no
// other. That it is not documented for the check of the ACL was so at the first look, and is not told.
func TestConfusedDeputyProtection(t *testing.T) {
	t.Parallel()
	z := newGoverned(t, 2)
	const partner = "888888888888"
	z.config.Trails = append(z.config.Trails, theirs(partner))
	z.setPolicy(documented(t, theirs(partner), theirs(memberID(0)), theirs(memberID(1))))
	z.rebuild()
	z.sweeps(t, inSteps, "")
	z.SetRCPs(inventory.AttachedRCP{ID: "p-perimeters", Name: "Perimeter", Targets: []string{rootID}, Content: `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"EnforceConfusedDeputyProtection","Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*","kms:*"],"Resource":"*","Condition":{` +
		`"StringNotEqualsIfExists":{"aws:SourceOrgID":"` + organizationID + `"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}]}`})
	results := z.sweeps(t, inSteps, "opened")
	i := slices.IndexFunc(results, func(r guardrail.Result) bool { return r.Bucket == bucket })
	if i < 0 || results[i].Report.Verdict != delivery.Blocked {
		t.Fatalf("%+v", results)
	}
	told := z.told(t)
	if !strings.Contains(told, "CloudTrail cannot write the log files of trail theirs of account "+partner) {
		t.Errorf("told %s", told)
	}
	if strings.Contains(told, "cannot write the log files of trail theirs of account "+memberID(0)) {
		t.Errorf("a member is stopped: %s", told)
	}
}

// A guard of one account reads none, and is asked for none.
func TestOneAccountReadsNoRCPs(t *testing.T) {
	t.Parallel()
	k := newKnown(t, listOnly)
	k.owns(t)
	if _, err := k.guard.Sweep(t.Context(), account, region); err != nil {
		t.Fatal(err)
	}
	if r, err := k.inventory.RCPs(t.Context()); err != nil || !r.ReadAt.IsZero() {
		t.Errorf("stored is %+v, %v", r, err)
	}
}

// An audit of the organization reads them itself, and needs no hub. What it may not read it says.
func TestAuditUnderRCPs(t *testing.T) {
	t.Parallel()
	members := membersOf(11)
	for i := range members {
		members[i].Units = []string{rootID}
	}
	o := inmem.NewOrganization(acme(t, 11), members...)
	audited := func() guardrail.Audited {
		t.Helper()
		a, err := auditing(o, nil, guardrail.Config{}).AuditOrganization(t.Context(), account, region, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range a.Buckets {
			if b.Bucket.Name != centralBucket && b.Report.Verdict != delivery.Delivering {
				t.Errorf("%s is %s", b.Bucket.Name, b.Report.Verdict)
			}
		}
		return judged(t, a, centralBucket)
	}
	o.SetRCPs(suspended(logArchive))
	b := audited()
	if b.Report.Verdict != delivery.Blocked || len(b.Report.Findings) != len(b.Trails) || b.Report.Findings[0].ID != delivery.RCPDeniedID || len(b.Plan.Refused) != len(b.Trails) {
		t.Errorf("%s, %+v, refused %+v", b.Report.Verdict, b.Report.Findings, b.Plan.Refused)
	}
	o.HideRCPs(guardrail.Denied)
	b = audited()
	if len(b.Notes) != 1 || !strings.Contains(b.Notes[0], "for account "+logArchive+" is not known") || b.Report.Verdict != delivery.Delivering {
		t.Errorf("%s, %q", b.Report.Verdict, b.Notes)
	}
	if !slices.Contains(b.Report.NotLookedAt, delivery.NotRCP) {
		t.Errorf("not looked at: %v", b.Report.NotLookedAt)
	}
}
