package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// What is not known is never taken as empty.
func TestPolicyUnreadable(t *testing.T) {
	for name, b := range map[string]delivery.Bucket{
		"unreadable":            {Reason: "AccessDenied"},
		"read without a policy": {State: delivery.PolicyRead},
	} {
		t.Run(name, func(t *testing.T) {
			checkFound(t, b, found{"policy-unreadable", delivery.Unknown, delivery.High, false, delivery.Undetermined, "undetermined"})
		})
	}
}
