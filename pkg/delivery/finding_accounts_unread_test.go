package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestAccountsUnread(t *testing.T) {
	var accounts []string
	for i := range 30 {
		accounts = append(accounts, fmt.Sprintf("2000000000%02d", i))
	}
	f := delivery.AccountsUnread(accounts, 400)
	if f.ID != "accounts-unread" || f.Kind != delivery.Unknown || f.Severity != delivery.High || f.Trail != "" || f.Restorable {
		t.Errorf("got %+v", f)
	}
	for _, want := range []string{"30 of the 400", "200000000000", "200000000019", "and 10 more"} {
		if !strings.Contains(f.Message, want) {
			t.Errorf("%q is not in %q", want, f.Message)
		}
	}
	if strings.Contains(f.Message, "200000000020") {
		t.Errorf("all are named: %s", f.Message)
	}
	if f := delivery.AccountsUnread(accounts, 30); !strings.Contains(f.Message, "None of the 30") {
		t.Errorf("got %q", f.Message)
	}
}
