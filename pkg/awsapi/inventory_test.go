package awsapi_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The inventory and the ledger share a table, and neither sees the other's items.
func TestInventoryBesideTheLedger(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	if _, err := v.SaveAccount(t.Context(), inventory.Account{ID: account, ReadAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.SaveBucket(t.Context(), inventory.Bucket{Name: name}); err != nil {
		t.Fatal(err)
	}
	records, err := awsapi.NewLedger(clients(fake, ""), "table").List(t.Context(), account)
	if err != nil || len(records) != 0 {
		t.Errorf("the ledger lists %v, %v", records, err)
	}
}

// A batch of events is one read.
func TestFindIsOneCall(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	if _, err := v.Find(t.Context(), []string{account, stranger, account}, []string{"a", "b", "c", "a"}); err != nil {
		t.Fatal(err)
	}
	if n := len(made(fake, "dynamodb:BatchGetItem")); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// The answer to a write is lost, and the SDK writes again.
func TestInventorySaveWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	puts := 0
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation != "dynamodb:PutItem" {
			return nil
		}
		if puts++; puts == 2 { // the first says that there is such an account
			return &awsfake.Fault{Drop: true, Late: true}
		}
		return nil
	})
	a, err := v.SaveAccount(t.Context(), inventory.Account{ID: account})
	if err != nil || a.Version != 1 {
		t.Fatalf("version %d, %v", a.Version, err)
	}
	if _, err := v.SaveAccount(t.Context(), inventory.Account{ID: account}); !guardrail.Is(err, guardrail.Conflict) {
		t.Errorf("%v, want a conflict", err)
	}
}

// Past some hundred trails a bucket is more than one item.
func TestManyTrailsAreKeptApart(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	b := inventory.Bucket{Name: name}
	for i := range 600 {
		arn := fmt.Sprintf("arn:aws:cloudtrail:eu-west-1:%012d:trail/main", i)
		b.Trails = append(b.Trails, inventory.Trail{
			Trail: trail.Trail{Name: "main", ARN: arn, HomeRegion: "eu-west-1", Bucket: name}, By: fmt.Sprintf("%012d", i),
		})
	}
	saved, err := v.SaveBucket(t.Context(), b)
	if err != nil || saved.Apart != 100 {
		t.Fatalf("%d are kept apart, %v", saved.Apart, err)
	}
	found, err := v.Find(t.Context(), nil, []string{name})
	if diff := cmp.Diff(b.Trails, found.Buckets[name].Trails); err != nil || diff != "" {
		t.Errorf("%v (-stored +found):\n%s", err, diff)
	}
}

// What DynamoDB leaves out each time is not taken for what is not there.
func TestFindLeavesNothingOut(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.Throttled = true
	_, err := awsapi.NewInventory(clients(fake, ""), "table", time.Now).Find(t.Context(), []string{account}, nil)
	if !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%v, want class transient", err)
	}
}

func TestInventoryFailures(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.Fail(func(awsfake.Call) *awsfake.Fault {
		return &awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}
	})
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	_, found := v.Find(t.Context(), []string{account}, nil)
	_, savedAccount := v.SaveAccount(t.Context(), inventory.Account{ID: account})
	_, savedBucket := v.SaveBucket(t.Context(), inventory.Bucket{Name: name})
	_, _, listed := v.List(t.Context())
	for call, err := range map[string]error{
		"find": found, "save account": savedAccount, "save bucket": savedBucket, "list": listed,
		"save organization": v.SaveOrganization(t.Context(), trail.Organization{}, time.Now()),
	} {
		if !guardrail.Is(err, guardrail.Denied) {
			t.Errorf("%s: %v, want class denied", call, err)
		}
	}
}
