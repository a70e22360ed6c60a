package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Files that wait are denied, from the first day of which some may.
func TestBacklogDenied(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	r := judgeGrant(t, now, logFolder+"*", logFolder+"*/2026/10/*")
	f := finding(t, r, delivery.BacklogDeniedID)
	if r.Verdict != delivery.Delivering || f.Severity != delivery.Medium || strings.Join(f.Statements, " ") != "Guard" {
		t.Errorf("%s, %+v", r.Verdict, f)
	}
	if !strings.Contains(f.Message, "since 2026-10-26") || !strings.Contains(f.Message, "/2026/10/26/111111111111_CloudTrail_us-east-1_20261026T") {
		t.Error(f.Message)
	}
	if r := judgeGrant(t, now, logFolder+"*", logFolder+"*/2026/09/*"); len(r.Findings) > 0 {
		t.Errorf("older than 30 days: %v", ids(r.Findings))
	}
}
