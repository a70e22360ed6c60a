package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// What is not known is named: here whether the check of the ACL carries aws:SourceOrgID.
func TestRCPUndetermined(t *testing.T) {
	c := rcpRows(t)[2].read(t)
	f := finding(t, c.judge(c.rcps), delivery.RCPUndeterminedID)
	if f.Kind != delivery.Unknown || f.Severity != delivery.Medium || f.Restorable {
		t.Errorf("%+v", f)
	}
	for _, words := range []string{"check the ACL of bucket central-logs", "hangs on aws:SourceOrgID, of which it is not known"} {
		if !strings.Contains(f.Message, words) {
			t.Errorf("lacks %q: %s", words, f.Message)
		}
	}
}
