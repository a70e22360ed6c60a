package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestTrailRemoved(t *testing.T) {
	f := delivery.TrailRemoved(mainARN, "")
	if f.ID != "trail-removed" || f.Kind != delivery.Weakness || f.Severity != delivery.Critical || f.Trail != mainARN || f.Restorable {
		t.Errorf("got %+v", f)
	}
	if !strings.Contains(f.Message, mainARN) || !strings.Contains(f.Remedy, "moved block") {
		t.Errorf("got %+v", f)
	}
	if again := delivery.TrailRemoved(mainARN, "aws_cloudtrail.audit"); !strings.Contains(again.Message, "makes it again as aws_cloudtrail.audit") {
		t.Errorf("got %+v", again)
	}
}
