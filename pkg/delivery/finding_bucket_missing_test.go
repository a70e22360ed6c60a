package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestBucketMissing(t *testing.T) {
	checkFound(t, delivery.Bucket{State: delivery.BucketMissing},
		found{"bucket-missing", delivery.Outage, delivery.Critical, false, delivery.Blocked, "denied"})
}
