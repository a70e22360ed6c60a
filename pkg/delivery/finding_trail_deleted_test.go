package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestTrailDeleted(t *testing.T) {
	f := delivery.TrailDeleted(mainARN)
	if f.ID != "trail-deleted" || f.Kind != delivery.Outage || f.Severity != delivery.Critical || f.Trail != mainARN || f.Restorable {
		t.Errorf("got %+v", f)
	}
	if !strings.Contains(f.Message, mainARN) || f.Remedy == "" || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
}
