package porttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Inventory runs the suite for guardrail.Inventory. Each test gets an empty one.
func Inventory(t *testing.T, empty func(t *testing.T) guardrail.Inventory) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, v guardrail.Inventory)
	}{
		{"nothing is known", findsNothing},
		{"accounts and buckets are stored and read back", savesInventory},
		{"more than one read takes", findsMany},
		{"a bucket of many trails with the longest names", savesManyTrails},
		{"older version is not stored", refusesOldInventory},
		{"one of many writers wins", oneInventoryWins},
		{"organization", savesOrganization},
		{"buckets by what their trails use", findsUses},
		{"resource control policies", savesRCPs},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, empty(t)) })
	}
}

func savesRCPs(t *testing.T, v guardrail.Inventory) {
	if r, err := v.RCPs(t.Context()); err != nil || !r.ReadAt.IsZero() {
		t.Errorf("before any were stored: %+v, %v", r, err)
	}
	for i, want := range []inventory.RCPs{
		{ReadAt: noon(1), Unread: "organizations:ListPolicies is denied"},
		{
			ReadAt: noon(2), Policies: []inventory.StoredRCP{{ID: "p-examplercp1", Name: "Identity \"perimeter\"", Content: `{"Version":"2012-10-17","Statement":[]}`}},
			Everywhere: []string{"p-examplercp1"}, Groups: []inventory.RCPGroup{{Policies: []string{"p-examplercp1"}, Accounts: "x"}}, Unplaced: "y",
		},
		{ReadAt: noon(3)},
	} {
		if err := v.SaveRCPs(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := v.RCPs(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%d: %v (-stored +read):\n%s", i, err, diff)
		}
	}
	wantList(t, v, nil, nil)
}

// RCPs checks that the port reads the resource control policies that speak of buckets or keys, with
// all that they are attached to, and no others. Put sets those that there are. Denied makes
// reading them impossible.
func RCPs(t *testing.T, port guardrail.RCPs, put func([]inventory.AttachedRCP), deny func()) {
	t.Helper()
	of := func(id, actions string, targets ...string) inventory.AttachedRCP {
		return inventory.AttachedRCP{
			ID: id, Name: "Policy " + id, Targets: targets,
			Content: `{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","Principal":"*","Action":` + actions + `,"Resource":"*"}]}`,
		}
	}
	buckets, keys, queues := of("p-bucketsbuc", `["s3:*","sqs:*"]`, "r-ab12", "ou-ab12-prodprod", "ou-ab12-testtest", "111122223333", "444455556666"),
		of("p-keyskeysk0", `"kms:*"`), of("p-queuesqueu", `["sqs:*","sts:*"]`, "r-ab12")
	all, odd := of("p-allallalla", `"*"`, "444455556666"), inventory.AttachedRCP{ID: "p-oddoddoddo", Content: "not JSON", Targets: []string{"r-ab12"}}
	put([]inventory.AttachedRCP{buckets, keys, queues, all, odd})
	got, err := port.RCPs(t.Context())
	slices.SortFunc(got, func(a, b inventory.AttachedRCP) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff([]inventory.AttachedRCP{all, buckets, keys, odd}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	deny()
	if got, err := port.RCPs(t.Context()); got != nil || !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("may not be read: %v, %v", got, err)
	}
}

func findsUses(t *testing.T, v guardrail.Inventory) {
	const key = "arn:aws:kms:eu-west-1:444455556666:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
	const topic = "arn:aws:sns:eu-west-1:444455556666:cloudtrail-files"
	for range 2 { // stored twice is stored once
		for _, use := range [][2]string{{key, "acme-logs-b"}, {key, "acme-logs-a"}, {topic, "acme-logs-a"}} {
			if err := v.Use(t.Context(), use[0], use[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for arn, want := range map[string][]string{key: {"acme-logs-a", "acme-logs-b"}, topic: {"acme-logs-a"}, key + "0": nil, key[:len(key)-1]: nil} {
		got, err := v.Using(t.Context(), arn)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", arn, got, err, want)
		}
	}
	wantList(t, v, nil, nil) // it makes no bucket and no account
}

// noon is a time as precise as the ones that are stored.
func noon(minutes int) time.Time {
	return time.Date(2026, 9, 13, 12, 0, 0, 123456789, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func inventoryTrail(owner, name, bucket string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: arn.TrailIn("eu-west-1", arn.Account(owner), arn.TrailName(name)).String(), HomeRegion: "eu-west-1",
		Bucket: bucket, Prefix: "logs", MultiRegion: true, LogFileValidation: true,
	}
}

func find(t *testing.T, v guardrail.Inventory, accounts, buckets []string) inventory.Part {
	t.Helper()
	p, err := v.Find(t.Context(), accounts, buckets)
	if err != nil {
		t.Fatalf("Find(%v, %v): %v", accounts, buckets, err)
	}
	return p
}

func saveAccount(t *testing.T, v guardrail.Inventory, a inventory.Account) inventory.Account {
	t.Helper()
	saved, err := v.SaveAccount(t.Context(), a)
	if err != nil || saved.Version != a.Version+1 {
		t.Fatalf("SaveAccount(%s, version %d): version %d, %v", a.ID, a.Version, saved.Version, err)
	}
	return saved
}

func saveBucket(t *testing.T, v guardrail.Inventory, b inventory.Bucket) inventory.Bucket {
	t.Helper()
	saved, err := v.SaveBucket(t.Context(), b)
	if err != nil || saved.Version != b.Version+1 {
		t.Fatalf("SaveBucket(%s, version %d): version %d, %v", b.Name, b.Version, saved.Version, err)
	}
	return saved
}

func wantList(t *testing.T, v guardrail.Inventory, accounts, buckets []string) {
	t.Helper()
	gotAccounts, gotBuckets, err := v.List(t.Context())
	slices.Sort(gotAccounts)
	slices.Sort(gotBuckets)
	if err != nil || !slices.Equal(gotAccounts, accounts) || !slices.Equal(gotBuckets, buckets) {
		t.Errorf("List: %v, %v, %v; want %v, %v", gotAccounts, gotBuckets, err, accounts, buckets)
	}
}

func findsNothing(t *testing.T, v guardrail.Inventory) {
	want := inventory.Part{
		Accounts: map[string]inventory.Account{account: {ID: account}},
		Buckets:  map[string]inventory.Bucket{"a": {Name: "a"}},
	}
	if diff := cmp.Diff(want, find(t, v, []string{account}, []string{"a"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := find(t, v, nil, nil); len(p.Accounts) != 0 || len(p.Buckets) != 0 {
		t.Errorf("found what was not asked for: %v", p)
	}
	wantList(t, v, nil, nil)
}

func savesInventory(t *testing.T, v guardrail.Inventory) {
	p := find(t, v, []string{account, other}, []string{"a", "b", "ab"})
	p = p.With(inventory.Survey{
		Account: account, At: noon(1), Region: "eu-west-1",
		Trails: []trail.Trail{inventoryTrail(account, "x", "a"), inventoryTrail(account, "y", "b"), inventoryTrail(other, "org", "a")},
	})
	b := p.Buckets["b"].Expecting([]delivery.Grantee{{Account: other, Prefix: "<p>"}}, noon(2))
	b.Owner = other
	p.Buckets["b"] = b
	for range 2 { // for the first time, and over what is stored
		p.Accounts[account] = saveAccount(t, v, p.Accounts[account].After(noon(3)).Hear("eu-west-1", noon(3)).Silence("eu-west-1", noon(30)))
		p.Buckets["a"], p.Buckets["b"] = saveBucket(t, v, p.Buckets["a"]), saveBucket(t, v, p.Buckets["b"])
		if diff := cmp.Diff(p, find(t, v, []string{account, other}, []string{"b", "a", "ab"})); diff != "" {
			t.Errorf("(-stored +found):\n%s", diff)
		}
		p.Accounts[account] = p.With(inventory.Survey{Account: account, At: noon(4), Failed: true}).Accounts[account]
	}
	wantList(t, v, []string{account}, []string{"a", "b"})
}

// findsMany asks for more than DynamoDB gives in one answer.
func findsMany(t *testing.T, v guardrail.Inventory) {
	var names []string
	for i := range 130 {
		names = append(names, fmt.Sprintf("bucket-%03d", i))
		if i%3 == 0 {
			saveBucket(t, v, inventory.Bucket{Name: names[i], Owner: account})
		}
	}
	p := find(t, v, []string{account}, append(names, names...))
	if len(p.Buckets) != len(names) {
		t.Fatalf("%d buckets were found", len(p.Buckets))
	}
	for i, name := range names {
		if got, want := p.Buckets[name].Owner == account, i%3 == 0; got != want {
			t.Errorf("%s: found is %t, want %t", name, got, want)
		}
	}
}

func savesManyTrails(t *testing.T, v guardrail.Inventory) {
	const most = 200
	long := func(i int) inventory.Trail {
		x := inventoryTrail(fmt.Sprintf("%012d", i), strings.Repeat("n", 128), strings.Repeat("b", 63))
		x.Prefix, x.KMSKeyID = strings.Repeat("<", 200), strings.Repeat("k", 350)
		x.CustomSelectors, x.InsightSelectors = true, true
		return inventory.Trail{Trail: x, By: x.Account(), At: noon(i)}
	}
	b := inventory.Bucket{Name: strings.Repeat("b", 63)}
	for step, test := range []struct{ from, to int }{{0, 10}, {0, most}, {0, most}, {50, most - 20}, {10, 20}, {0, most}, {0, 0}} {
		b.Trails = nil
		for i := test.from; i < test.to; i++ {
			b.Trails = append(b.Trails, long(i))
		}
		if step == 2 { // something changes in some
			for i := 0; i < most; i += 10 {
				b.Trails[i].Prefix = "short"
			}
		}
		want := slices.Clone(b.Trails)
		b = saveBucket(t, v, b)
		b = find(t, v, nil, []string{b.Name}).Buckets[b.Name]
		if diff := cmp.Diff(want, b.Trails); diff != "" {
			t.Fatalf("step %d (-stored +found):\n%s", step, diff)
		}
	}
}

func refusesOldInventory(t *testing.T, v guardrail.Inventory) {
	a := saveAccount(t, v, saveAccount(t, v, inventory.Account{ID: account}))
	b := saveBucket(t, v, saveBucket(t, v, inventory.Bucket{Name: "a"}))
	for _, version := range []int64{0, 1, 3} {
		if _, err := v.SaveAccount(t.Context(), inventory.Account{ID: account, Version: version}); !guardrail.Is(err, guardrail.Conflict) {
			t.Errorf("an account was saved over version %d: %v, want class conflict", version, err)
		}
		if _, err := v.SaveBucket(t.Context(), inventory.Bucket{Name: "a", Version: version}); !guardrail.Is(err, guardrail.Conflict) {
			t.Errorf("a bucket was saved over version %d: %v, want class conflict", version, err)
		}
	}
	p := find(t, v, []string{account}, []string{"a"})
	if p.Accounts[account].Version != a.Version || p.Buckets["a"].Version != b.Version {
		t.Errorf("versions %d and %d are stored", p.Accounts[account].Version, p.Buckets["a"].Version)
	}
}

func oneInventoryWins(t *testing.T, v guardrail.Inventory) {
	for range 3 {
		read := find(t, v, nil, []string{"a"}).Buckets["a"]
		wantOneWinner(t, func() error { _, err := v.SaveBucket(t.Context(), read); return err })
	}
}

func savesOrganization(t *testing.T, v guardrail.Inventory) {
	for i, want := range []trail.Organization{
		{Known: true}, {Known: true, ID: "o-exampleorg1", ManagementAccount: other, Members: []string{account, other}},
	} {
		if err := v.SaveOrganization(t.Context(), want, noon(i)); err != nil {
			t.Fatal(err)
		}
		p := find(t, v, []string{account}, nil)
		if diff := cmp.Diff(want, p.Organization); diff != "" || !p.OrganizationReadAt.Equal(noon(i)) {
			t.Errorf("read at %s (-stored +found):\n%s", p.OrganizationReadAt, diff)
		}
	}
	wantList(t, v, nil, nil)
}
