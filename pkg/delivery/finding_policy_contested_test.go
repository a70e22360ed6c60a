package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestPolicyContested(t *testing.T) {
	f := delivery.PolicyContested("bucket logs", []string{"a", "b"})
	if f.ID != "policy-contested" || f.Kind != delivery.Unknown || f.Severity != delivery.High || f.Restorable || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
	if !strings.HasPrefix(f.Message, "a and b set or remove the policy of bucket logs.") || f.Remedy == "" {
		t.Errorf("got %+v", f)
	}
}
