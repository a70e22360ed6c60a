package arn_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

func TestParseAccount(t *testing.T) {
	for _, text := range []string{"111122223333", "000000000000", "086441151436"} {
		if got, err := arn.ParseAccount(text); err != nil || string(got) != text {
			t.Errorf("ParseAccount(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "11112222333", "1111222233334", "1111-2222-3333", "11112222333x", "111122223333\n", "١١١١٢٢", "111122223333 "} {
		if got, err := arn.ParseAccount(text); err == nil || got != "" || err.Error() != "expected an account id of 12 digits" {
			t.Errorf("ParseAccount(%q) = %q, %v", text, got, err)
		}
	}
}

func TestParseBucket(t *testing.T) {
	for _, text := range []string{
		"logs", "abc", "my.log-bucket.2", "aws-cloudtrail-logs-111122223333-0a1b2c3d",
		"Acme_Audit.Logs", "logs_", strings.Repeat("a", 255), // as us-east-1 once took them
	} {
		if got, err := arn.ParseBucket(text); err != nil || string(got) != text {
			t.Errorf("ParseBucket(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "ab", strings.Repeat("a", 256), "Not A Bucket!", "../logs", "-logs", ".logs", "logs/a", "s3://logs", "arn:aws:s3:::logs", "log*", "lögs", "logs\n",
	} {
		if got, err := arn.ParseBucket(text); err == nil || got != "" || !strings.HasPrefix(err.Error(), "expected the name of a bucket") {
			t.Errorf("ParseBucket(%q) = %q, %v", text, got, err)
		}
	}
}

func TestBucketARN(t *testing.T) {
	for partition, want := range map[arn.Partition]string{
		arn.Commercial:        "arn:aws:s3:::logs",
		arn.EuropeanSovereign: "arn:aws-eusc:s3:::logs",
	} {
		if got := arn.Bucket("logs").ARN(partition); got != want {
			t.Errorf("in %s: %s", partition, got)
		}
	}
}

func TestTrailName(t *testing.T) {
	for text, want := range map[string]bool{
		"main": true, "aws-controltower-BaselineCloudTrail": true, "my_trail.2": true, "t": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "-main": false, "trail/main": false, "main\n": false, "main*": false,
	} {
		if got := arn.TrailName(text).Valid(); got != want {
			t.Errorf("%q is valid: %t", text, got)
		}
	}
}
