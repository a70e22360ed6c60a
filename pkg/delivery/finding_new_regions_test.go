package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// A Deny on a region that does not exist, and a grant that names those that do,
// are told as what they are. A Deny on an open region is none of it.
func TestNewRegionsNotGranted(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	r := judgeGrant(t, now, logFolder+"*", logFolder+"zz-north-9/*")
	f := finding(t, r, delivery.NewRegionsNotGrantedID)
	if r.Verdict != delivery.Delivering || f.Severity != delivery.Low || strings.Join(f.Statements, " ") != "Guard" {
		t.Errorf("%s, %+v", r.Verdict, f)
	}
	if !strings.Contains(f.Message, "CloudTrail/zz-north-9/2026/11/25/") {
		t.Error(f.Message)
	}
	r = judgeGrant(t, now, logFolder+"*", logFolder+"me-south-1/*")
	if r.Verdict != delivery.Undetermined || len(r.Findings) != 1 {
		t.Fatalf("a region to be enabled: %s, %v", r.Verdict, ids(r.Findings))
	}
	if message := r.Findings[0].Message; !strings.Contains(message, "if account 111111111111 has enabled me-south-1") {
		t.Error(message)
	}
}
