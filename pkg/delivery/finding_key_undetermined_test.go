package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// What hangs on the setting of S3 Bucket Keys is asked for.
func TestKeyUndeterminedAsksForBucketKeys(t *testing.T) {
	r := rowOf(t, "more.jsonl", "M08").judge(t)
	f := finding(t, r, "key-encrypt-undetermined")
	if !strings.Contains(f.Remedy, "--bucket-key") || !slices.Contains(r.NotLookedAt, delivery.NotBucketKey) {
		t.Errorf("%+v, not looked at %v", f, r.NotLookedAt)
	}
}
