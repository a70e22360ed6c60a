package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The policy may be right: a disabled key stops every file.
func TestKeyUnusableBlocks(t *testing.T) {
	r := rowOf(t, "checks.jsonl", "K23").judge(t)
	f := finding(t, r, "key-unusable")
	if r.Verdict != delivery.Blocked || !strings.Contains(f.Message, "it is disabled") {
		t.Errorf("verdict %s, %+v", r.Verdict, f)
	}
	if got := decision(r, trail.KeyEncrypt); got != "allowed" {
		t.Errorf("the policy's decision is %s", got)
	}
}
