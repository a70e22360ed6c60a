package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

func TestTrailBeforePolicy(t *testing.T) {
	f := delivery.TrailBeforePolicy(mainARN, "aws_cloudtrail.main", "aws_s3_bucket_policy.logs")
	if f.ID != "trail-before-policy" || f.Kind != delivery.Weakness || f.Severity != delivery.Low || f.Trail != mainARN || f.Statements == nil {
		t.Errorf("got %+v", f)
	}
	if !strings.Contains(f.Message, "aws_cloudtrail.main wait for aws_s3_bucket_policy.logs") || f.Remedy == "" {
		t.Errorf("got %+v", f)
	}
}
