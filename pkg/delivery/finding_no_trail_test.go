package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestNoTrail(t *testing.T) {
	f := delivery.NoTrail("111111111111")
	if f.ID != "no-trail" || f.Kind != delivery.Outage || f.Severity != delivery.Critical || f.Trail != "" || f.Restorable {
		t.Errorf("got %+v", f)
	}
	if !strings.Contains(f.Message, "111111111111") || !strings.Contains(f.Remedy, "create-trail") || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
}
