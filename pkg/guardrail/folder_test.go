package guardrail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const guest = "666666666666"

// folders are those of buckets, by bucket and prefix. They count who looks.
type folders struct {
	under map[string][]string
	err   error

	mu    sync.Mutex
	looks []string
}

func (f *folders) Folders(_ context.Context, b guardrail.BucketRef, prefix string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks = append(f.looks, b.Name+"/"+prefix)
	return f.under[b.Name+"/"+prefix], f.err
}

// looked is who was looked at since the last call.
func (f *folders) looked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	looks := f.looks
	f.looks = nil
	return looks
}

// newFolderZone is an organization whose central bucket has folders.
func newFolderZone(t testing.TB, members int, names ...string) (*landingZone, *folders) {
	t.Helper()
	z := newLandingZone(t, members)
	f := &folders{under: map[string][]string{bucket + "/AWSLogs/": names}}
	z.ports.Folders = f
	z.config.Owners["organization-logs"] = account
	z.rebuild()
	return z, f
}

// A folder of an account outside of the organization is evidence of a trail that nobody lists. It
// is said, and asked for nothing.
func TestFoldersOfOutsiders(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z, f := newFolderZone(t, 2, "o-exampleorg1", memberID(0), guest, "777777777777", "12345", "holiday photos", "../"+guest, "０１２３４５６７８９０１")
		z.sweeps(t, sweep, "")
		if n := len(f.looked()); n != 2 { // of both buckets
			t.Errorf("looked %d times", n)
		}
		if calls := z.accounts.calls(); strings.Contains(calls, guest) {
			t.Errorf("asked were %s", calls)
		}
		b, _ := z.Bucket(bucket)
		z.setPolicy("")
		z.sweeps(t, sweep, "opened")
		want := "The bucket has folders of accounts outside of the organization of which no trail is known: " + guest + ", 777777777777. If"
		if told := z.told(t); !strings.Contains(told, want) {
			t.Errorf("told %s", told)
		}
		if looks := f.looked(); len(looks) > 0 {
			t.Errorf("looked again at %v", looks)
		}
		z.setPolicy(string(b.Policy))
		z.sweeps(t, sweep, "resolved")
		z.clock.pass(24 * time.Hour)
		f.under = nil
		z.sweeps(t, sweep, "")
		if len(f.looked()) != 2 || len(bucketOf(t, z, bucket).SeenAccounts()) != 2 {
			t.Error("it is not looked again, or forgotten at once")
		}
		z.clock.pass(31 * 24 * time.Hour)
		z.sweeps(t, sweep, "")
		if got := bucketOf(t, z, bucket).SeenAccounts(); len(got) > 0 {
			t.Errorf("still seen are %v", got)
		}
	})
}

// A trail that is declared explains its account's folder.
func TestFoldersThatAreExplained(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, sweep sweeper) {
		z, _ := newFolderZone(t, 1, guest)
		z.config.Trails = []trail.Trail{theirs(guest)}
		z.setPolicy(documented(t, theirs(guest), theirs(memberID(0))))
		z.rebuild()
		z.sweeps(t, sweep, "")
		if got := bucketOf(t, z, bucket).SeenAccounts(); len(got) > 0 {
			t.Errorf("seen are %v", got)
		}
	})
}

// Folders are a hint: that they cannot be listed keeps nothing from being told, and that somebody
// makes very many neither.
func TestFoldersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range guardrail.MaxFolders {
		many = append(many, fmt.Sprintf("%012d", 500_000_000_000+i))
	}
	for name, change := range map[string]func(*folders){
		"denied": func(f *folders) {
			f.err = &guardrail.PortError{Op: "s3:ListObjectsV2", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New("no")}
		},
		"throttled": func(f *folders) { f.err = errors.New("SlowDown") },
		"very many": func(f *folders) { f.under[bucket+"/AWSLogs/"] = many },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, sweep sweeper) {
				z, f := newFolderZone(t, 2, guest)
				change(f)
				z.sweeps(t, sweep, "")
				z.setPolicy("")
				z.sweeps(t, sweep, "opened")
				if n := len(bucketOf(t, z, bucket).Expected); n > inventory.MaxExpected {
					t.Errorf("%d are kept", n)
				}
				if told := z.told(t); f.err == nil && !strings.Contains(told, "and 190 more") {
					t.Errorf("told %s", told)
				}
			})
		})
	}
}

// Hardening binds an open grant to the organization, unless somebody from outside is seen to deliver.
func TestFoldersKeepHardeningFromCuttingOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		folders []string
		bound   bool
	}{
		"nobody": {nil, true},
		"member": {[]string{memberID(0)}, true},
		"guest":  {[]string{guest}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, sweep sweeper) {
				z, f := newFolderZone(t, 1)
				own := ofAll()
				f.under[own.Bucket+"/AWSLogs/"] = test.folders
				z.PutBucket(inmem.Bucket{Name: own.Bucket, Policy: []byte(policyOf(
					`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::`+own.Bucket+`"}`,
					`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::`+own.Bucket+`/AWSLogs/*"}`,
					`{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::`+own.Bucket+`/*"}`))})
				z.config.Restore, z.config.Harden = []string{own.Bucket}, true
				z.rebuild()
				z.clock.pass(time.Hour)
				if _, err := sweep(t, z); err != nil {
					t.Fatal(err)
				}
				b, _ := z.Bucket(own.Bucket)
				if bound := strings.Contains(string(b.Policy), "aws:SourceOrgID"); bound != test.bound {
					t.Errorf("bound is %v:\n%s", bound, b.Policy)
				}
			})
		})
	}
}

// An audit looks too, with the credentials of the bucket's owner.
func TestAuditSeesFolders(t *testing.T) {
	t.Parallel()
	o := inmem.NewOrganization(acme(t, 10), membersOf(10)...)
	f := &folders{under: map[string][]string{centralBucket + "/AWSLogs/": {guest, ofOrganization, managingAccount}}}
	clock := &clock{now: time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)}
	guard := guardrail.New(guardrail.Ports{Trails: o, Buckets: o, Organizations: o, Members: o, Owners: o, Folders: f},
		guardrail.Config{}, guardrail.Runtime{Now: clock.Now, Sleep: clock.Sleep})
	a, err := guard.AuditOrganization(t.Context(), account, region, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range a.Buckets {
		notes := strings.Join(b.Notes, " ")
		if said := strings.Contains(notes, "no trail is known: "+guest+"."); said != (b.Bucket.Name == centralBucket) {
			t.Errorf("%s: %q", b.Bucket.Name, notes)
		}
	}
	if looks := f.looked(); len(looks) != len(a.Buckets) {
		t.Errorf("looked at %v", looks)
	}
}
