package awsapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

func attached(id string, targets ...string) inventory.AttachedRCP {
	return inventory.AttachedRCP{ID: id, Name: id, Targets: targets, Content: `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`}
}

// A part of the policies is never taken for all. One that is deleted meanwhile is none.
func TestRCPsThatCannotBeReadWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails string
		fault awsfake.Fault
		want  guardrail.Class
		left  int // policies; less than 0: an error
	}{
		"the list is throttled":        {"organizations:ListPolicies", awsfake.Fault{Status: http.StatusBadRequest, Code: "TooManyRequestsException"}, guardrail.Transient, -1},
		"a text may not be read":       {"organizations:DescribePolicy", awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied, -1},
		"targets may not be read":      {"organizations:ListTargetsForPolicy", awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied, -1},
		"a policy was deleted":         {"organizations:DescribePolicy", awsfake.Fault{Status: http.StatusBadRequest, Code: "PolicyNotFoundException"}, guardrail.Missing, 0},
		"a policy was deleted at last": {"organizations:ListTargetsForPolicy", awsfake.Fault{Status: http.StatusBadRequest, Code: "PolicyNotFoundException"}, guardrail.Missing, 0},
	} {
		fake := awsfake.New(t, account, region)
		fake.Members = [][]inventory.Member{{}}
		fake.RCPs = []inventory.AttachedRCP{attached("p-examplercp1", "r-ab12")}
		fake.Fail(func(c awsfake.Call) *awsfake.Fault {
			if c.Operation == test.fails {
				return &test.fault
			}
			return nil
		})
		got, err := awsapi.NewMembers(clients(fake, "")).RCPs(t.Context())
		if test.left < 0 && (got != nil || !guardrail.Is(err, test.want)) || test.left >= 0 && (err != nil || len(got) != test.left) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What does not fit an item is said not to be known.
func TestTooManyRCPsAreNotKnown(t *testing.T) {
	t.Parallel()
	v := awsapi.NewInventory(clients(awsfake.New(t, account, region), ""), "table", time.Now)
	r := inventory.RCPs{ReadAt: time.Now().UTC()}
	for range 100 {
		r.Policies = append(r.Policies, inventory.StoredRCP{ID: "p-examplercp1", Content: string(make([]byte, 5120))})
	}
	if err := v.SaveRCPs(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := v.RCPs(t.Context())
	if policies, unread := got.Of(account); err != nil || len(policies) > 0 || unread == "" {
		t.Errorf("%d policies, %q, %v", len(policies), unread, err)
	}
}
