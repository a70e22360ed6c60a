package awsapi_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestEnabledRegions(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.EnabledRegions = append(trail.EnabledByDefault("aws"), "me-south-1", "eu-south-2")
	got, err := awsapi.NewRegions(clients(fake, "")).EnabledRegions(t.Context(), account)
	if err != nil || !slices.Equal(got, fake.EnabledRegions) {
		t.Errorf("%v, %v; want all %d regions of four pages", got, err, len(fake.EnabledRegions))
	}
	// Of an account that cannot be reached nothing is known.
	if got, err := awsapi.NewRegions(clients(fake, "")).EnabledRegions(t.Context(), "999999999999"); got != nil || err != nil {
		t.Errorf("another account: %v, %v", got, err)
	}
}

func TestEnabledRegionsThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	got, err := awsapi.NewRegions(clients(fake, "")).EnabledRegions(t.Context(), account)
	if got != nil || err != nil {
		t.Errorf("%v, %v; want nothing known", got, err)
	}
}

func TestEnabledRegionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]awsfake.Fault{
		"throttled":    {Status: http.StatusTooManyRequests, Code: "TooManyRequestsException"},
		"failing":      {Status: http.StatusInternalServerError, Code: "InternalServerException"},
		"without code": {Status: http.StatusBadGateway},
		"dropped":      {Drop: true},
	} {
		fake := awsfake.New(t, account, region)
		fake.EnabledRegions = []string{region}
		fake.Fail(func(c awsfake.Call) *awsfake.Fault {
			if c.Operation == "account:ListRegions" {
				return &fault
			}
			return nil
		})
		got, err := awsapi.NewRegions(clients(fake, "")).EnabledRegions(t.Context(), account)
		if got != nil || !guardrail.Is(err, guardrail.Transient) {
			t.Errorf("%s: %v, %v; want a transient failure", name, got, err)
		}
	}
}
