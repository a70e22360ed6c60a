package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestValuesUnknown(t *testing.T) {
	f := delivery.ValuesUnknown("bucket logs", []string{"a.policy, which refers to b.arn", "c.policy"})
	if f.ID != "values-unknown" || f.Kind != delivery.Unknown || f.Severity != delivery.High || f.Restorable || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
	if want := "bucket logs hangs on what is not known before the change is made: a.policy, which refers to b.arn; c.policy."; !strings.HasSuffix(f.Message, want) {
		t.Errorf("got %q", f.Message)
	}
	if many := delivery.ValuesUnknown("bucket logs", make([]string, 100)); !strings.Contains(many.Message, "and 95 more") {
		t.Errorf("got %q", many.Message)
	}
}
