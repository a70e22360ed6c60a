package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestPolicyMissing(t *testing.T) {
	checkFound(t, delivery.Bucket{State: delivery.PolicyMissing},
		found{"policy-missing", delivery.Outage, delivery.Critical, true, delivery.Blocked, "denied"})
}
