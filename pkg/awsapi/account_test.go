package awsapi_test

import (
	"net/http"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

func TestAccountName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		name, of, want string
		fail           *awsfake.Fault
		transient      bool
		calls          int // of two readings
	}{
		"a name":           {name: "Log Archive", of: account, want: "Log Archive", calls: 1},
		"may not be read":  {of: account, calls: 1},
		"cannot be read":   {of: account, fail: &awsfake.Fault{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException"}, transient: true, calls: 6},
		"of somebody else": {name: "Log Archive", of: "999999999999"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := awsfake.New(t, account, region)
			fake.Name = test.name
			fake.Fail(func(awsfake.Call) *awsfake.Fault { return test.fail })
			accounts := awsapi.NewAccounts(clients(fake, ""))
			for range 2 {
				got, err := accounts.AccountName(t.Context(), test.of)
				if got != test.want || (err != nil) != test.transient || test.transient && !guardrail.Is(err, guardrail.Transient) {
					t.Errorf("%q, %v", got, err)
				}
			}
			if got := len(fake.Calls()); got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
		})
	}
}
