package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestBucketOwnerChanged(t *testing.T) {
	checkFound(t, delivery.Bucket{State: delivery.OtherOwner, Owner: "111111111111"},
		found{"bucket-owner-changed", delivery.Outage, delivery.Critical, false, delivery.Blocked, "denied"})
}
