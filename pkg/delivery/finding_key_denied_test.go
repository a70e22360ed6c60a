package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// A region that a key's policy leaves out is found, and named as in a bucket's policy.
func TestKeyDeniedNamesRegion(t *testing.T) {
	r := rowOf(t, "more.jsonl", "M01").judge(t)
	f := finding(t, r, "key-encrypt-denied")
	if !strings.Contains(f.Message, "statement Encrypt grants only region us-east-1") || f.Restorable || f.Severity != delivery.Critical {
		t.Errorf("%+v", f)
	}
}
