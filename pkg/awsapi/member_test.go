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

// A page may be empty and still not be the last.
func TestMembersOfAllPages(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	active := inventory.Member{ID: stranger, Name: "payments", State: inventory.Active, Units: []string{"r-ab12", "ou-ab12-prodprod", "ou-ab12-subsubsu"}}
	suspended := inventory.Member{ID: "777788889999", State: "SUSPENDED", Units: []string{"r-ab12"}}
	fake.Members = [][]inventory.Member{{}, {active}, {}, {suspended}, {}}
	got, err := awsapi.NewMembers(clients(fake, "")).Members(t.Context())
	if diff := cmp.Diff([]inventory.Member{active, suspended}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{stranger}, inventory.ActiveIDs(got)); diff != "" {
		t.Error(diff)
	}
}

// A part of the accounts is never taken for all.
func TestMembersThatCannotBeReadWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault awsfake.Fault
		want  guardrail.Class
	}{
		"throttled": {awsfake.Fault{Status: http.StatusBadRequest, Code: "TooManyRequestsException"}, guardrail.Transient},
		"dropped":   {awsfake.Fault{Drop: true}, guardrail.Transient},
		"denied":    {awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied},
	} {
		fake := awsfake.New(t, account, region)
		fake.Members = [][]inventory.Member{{{ID: stranger, State: inventory.Active}}, {}}
		calls := 0
		fake.Fail(func(c awsfake.Call) *awsfake.Fault {
			if calls++; calls > 1 { // the second page
				return &test.fault
			}
			return nil
		})
		if got, err := awsapi.NewMembers(clients(fake, "")).Members(t.Context()); got != nil || !guardrail.Is(err, test.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// The largest organization there may be fits into an item of the table.
func TestFiftyThousandMembersAreKept(t *testing.T) {
	t.Parallel()
	o := trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: stranger}
	for i := range 50_000 {
		o.Members = append(o.Members, fmt.Sprintf("%012d", 19_999_999*(i+1)))
	}
	packed, err := inventory.Pack(o.Members)
	if err != nil || len(packed) > 350_000 {
		t.Fatalf("%d bytes, %v", len(packed), err)
	}
	fake := awsfake.New(t, account, region)
	v := awsapi.NewInventory(clients(fake, ""), "table", time.Now)
	at := time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)
	if err := v.SaveOrganization(t.Context(), o, at); err != nil {
		t.Fatal(err)
	}
	found, err := v.Find(t.Context(), nil, nil)
	if diff := cmp.Diff(o, found.Organization); err != nil || diff != "" || !found.OrganizationReadAt.Equal(at) {
		t.Errorf("%v %v (-stored +found):\n%.2000s", err, found.OrganizationReadAt, diff)
	}
}
