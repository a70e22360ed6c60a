package arn_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// The regions of partitions.json of the AWS SDK, and some that are yet to open.
func TestRegion(t *testing.T) {
	for partition, regions := range map[arn.Partition]string{
		arn.Commercial: "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 " +
			"ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 " +
			"ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 " +
			"il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1 us-east-2 us-west-1 us-west-2 " +
			"xx-northwest-12",
		arn.China:             "cn-north-1 cn-northwest-1 cn-south-1",
		arn.GovCloud:          "us-gov-east-1 us-gov-west-1",
		arn.EuropeanSovereign: "eusc-de-east-1 eusc-be-west-2",
		arn.ISO:               "us-iso-east-1 us-iso-west-1",
		arn.ISOB:              "us-isob-east-1 us-isob-west-1",
		arn.ISOE:              "eu-isoe-west-1",
		arn.ISOF:              "us-isof-east-1 us-isof-south-1",
	} {
		if !partition.Valid() {
			t.Errorf("partition %s is not valid", partition)
		}
		for text := range strings.FieldsSeq(regions) {
			got, err := arn.ParseRegion(text)
			if err != nil || string(got) != text || got.Partition() != partition {
				t.Errorf("ParseRegion(%q) = %q of %s, %v; want one of %s", text, got, got.Partition(), err, partition)
			}
		}
	}
	for _, text := range []string{
		"", "Frankfurt", "us-east", "us-east-", "us--east-1", "-east-1", "us-east-1a", "US-EAST-1", "us_east_1", "u-east-1", "europe-east-1",
		"us-east-١", "us-east-1\n", "*-east-1", "aws-global", "u1-east-1", "us-" + strings.Repeat("x", 28) + "-1",
	} {
		if got, err := arn.ParseRegion(text); err == nil || got != "" || err.Error() != "expected a region such as eu-central-1" {
			t.Errorf("ParseRegion(%q) = %q, %v", text, got, err)
		}
	}
}

func TestPartition(t *testing.T) {
	for text, want := range map[arn.Partition]bool{
		"aws": true, "aws-eusc": true, "aws-iso-b": true, "aws-xx": true,
		"": false, "aws-": false, "awsx": false, "AWS": false, "aws-1": false, "*": false, "aws-" + arn.Partition(strings.Repeat("x", 13)): false,
	} {
		if got := text.Valid(); got != want {
			t.Errorf("%q is valid: %t", text, got)
		}
	}
}
