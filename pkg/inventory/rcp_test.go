package inventory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/inventory"
)

const (
	rootID = "r-ab12"
	prodID = "ou-ab12-prodprod"
	subID  = "ou-ab12-subsubsu"
)

func denying(id, actions string, targets ...string) inventory.AttachedRCP {
	return inventory.AttachedRCP{ID: id, Name: "Policy " + id, Targets: targets, Content: `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"No","Effect":"Deny","Principal":"*","Action":` + actions + `,"Resource":"*"}]}`}
}

// Policies of the root, of units above, and of the account itself are in effect, and no others.
func TestRCPsOfAccounts(t *testing.T) {
	members := []inventory.Member{
		{ID: own, State: inventory.Active, Units: []string{rootID, prodID, subID}},
		{ID: other, State: inventory.Active, Units: []string{rootID, prodID}},
		{ID: management, State: inventory.Active, Units: []string{rootID}},
		{ID: "444444444444", State: inventory.Active},
	}
	read := inventory.SettleRCPs([]inventory.AttachedRCP{
		denying("p-rootrootro", `"s3:*"`, rootID),
		denying("p-prodprodpr", `["kms:*","sqs:*"]`, prodID, own),
		denying("p-subsubsubs", `"*"`, subID),
		denying("p-accountacc", `"s3:PutObject"`, other),
		denying("p-unattached", `"s3:*"`),
		denying("p-otherservi", `["sqs:*","sts:*"]`, rootID),
	}, members, at(1))
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	var stored inventory.RCPs
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read, stored); diff != "" {
		t.Errorf("stored and read back (-want +got):\n%s", diff)
	}
	for account, want := range map[string]string{
		own:            "p-rootrootro p-prodprodpr p-subsubsubs",
		other:          "p-rootrootro p-prodprodpr p-accountacc",
		management:     "p-rootrootro",
		"444444444444": "p-rootrootro, AWS Organizations does not say below which units the account stands",
	} {
		policies, unread := stored.Of(account)
		var ids []string
		for _, p := range policies {
			ids = append(ids, p.ID)
		}
		got := strings.Join(ids, " ")
		if unread != "" {
			got += ", " + unread
		}
		if got != want {
			t.Errorf("%s: %s, want %s", account, got, want)
		}
	}
}

// What is not known is never that there are none.
func TestRCPsNotKnown(t *testing.T) {
	for name, r := range map[string]inventory.RCPs{
		"never read":     {},
		"not allowed":    {Unread: "organizations:ListPolicies is denied"},
		"not understood": inventory.SettleRCPs([]inventory.AttachedRCP{{ID: "p-newnewnewn", Content: "<policy/>", Targets: []string{rootID}}}, nil, at(1)),
	} {
		if policies, unread := r.Of(own); len(policies) > 0 || unread == "" {
			t.Errorf("%s: %v, %q", name, policies, unread)
		}
	}
	later := inventory.SettleRCPs([]inventory.AttachedRCP{denying("p-rootrootro", `"s3:*"`, rootID)}, nil, at(1))
	later.Unread = "organizations:ListPolicies is denied"
	if policies, unread := later.Of(own); len(policies) != 1 || unread == "" {
		t.Errorf("what was read last does not count any more: %v, %q", policies, unread)
	}
	if _, unread := inventory.SettleRCPs(nil, nil, at(1)).Of(own); unread != "" {
		t.Errorf("there are none: %q", unread)
	}
}

// The largest organization: 50,000 accounts in units with policies of their own. Policies of the
// whole organization take no room for accounts.
func TestRCPsFit(t *testing.T) {
	content := denying("", `"s3:*"`).Content
	content = strings.Replace(content, `"Sid":"No"`, `"Sid":"`+strings.Repeat("x", 5000-len(content))+`"`, 1)
	var members []inventory.Member
	for i := range 50_000 {
		members = append(members, inventory.Member{
			ID: fmt.Sprintf("%012d", 19_999_999*(i+1)), State: inventory.Active, Units: []string{rootID, fmt.Sprintf("ou-ab12-%d", i%40)},
		})
	}
	var attached []inventory.AttachedRCP
	for i := range 10 {
		p := denying(fmt.Sprintf("p-%010d", i), `"s3:*"`, rootID)
		p.Content = content
		attached = append(attached, p)
	}
	attached[0].Targets = []string{"ou-ab12-1", "ou-ab12-2", "ou-ab12-3"}
	r := inventory.SettleRCPs(attached, members, at(1))
	text, err := json.Marshal(r)
	if err != nil || len(text) > 100<<10 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if policies, unread := r.Of(members[1].ID); len(policies) != 10 || unread != "" {
		t.Errorf("%d policies, %q", len(policies), unread)
	}
	if policies, _ := r.Of(members[0].ID); len(policies) != 9 || slices.ContainsFunc(r.Groups, func(g inventory.RCPGroup) bool { return len(g.Policies) != 1 }) {
		t.Errorf("%d policies, %+v", len(policies), r.Groups)
	}
}
