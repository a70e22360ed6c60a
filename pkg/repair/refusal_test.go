package repair_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

func TestRefuse(t *testing.T) {
	tests := []struct {
		got          repair.Refusal
		finding, say string
	}{
		{repair.Refuse(delivery.Finding{ID: delivery.TrailStoppedID, Trail: "T"}), "trail-stopped", "start-logging"},
		{repair.Refuse(delivery.Finding{ID: delivery.TrailDeletedID, Trail: "T"}), "trail-deleted", "nothing in the policy to restore"},
		{repair.Refuse(delivery.Finding{ID: delivery.DeliveryFailingID, Remedy: "Look at the key."}), "delivery-failing", "Look at the key."},
		{repair.Refuse(delivery.Finding{ID: delivery.BucketOwnerChangedID}), "bucket-owner-changed", "nothing is written"},
		{repair.PublicAccessBlocked(delivery.Finding{ID: "policy-missing"}), "policy-missing", "Block Public Access"},
		{repair.WriteDenied(delivery.Finding{ID: "log-files-denied"}, "AccessDenied: Access Denied."), "log-files-denied", "(AccessDenied: Access Denied): allow s3:PutBucketPolicy"},
	}
	for _, tt := range tests {
		if tt.got.Finding != tt.finding || !strings.Contains(tt.got.Reason, tt.say) {
			t.Errorf("refusal %+v, want finding %s that says %q", tt.got, tt.finding, tt.say)
		}
	}
}
