package arn_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

func TestParseTrail(t *testing.T) {
	for text, want := range map[string]arn.Trail{
		"arn:aws:cloudtrail:us-east-1:111122223333:trail/main":                 {Partition: "aws", Region: "us-east-1", Account: "111122223333", Name: "main"},
		"arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/a.b_c-1":          {Partition: "aws-cn", Region: "cn-north-1", Account: "111122223333", Name: "a.b_c-1"},
		"arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/org":       {Partition: "aws-us-gov", Region: "us-gov-west-1", Account: "111122223333", Name: "org"},
		"arn:aws-eusc:cloudtrail:eusc-de-east-1:111122223333:trail/management": {Partition: "aws-eusc", Region: "eusc-de-east-1", Account: "111122223333", Name: "management"},
		"arn:aws-iso-b:cloudtrail:us-isob-east-1:111122223333:trail/main":      {Partition: "aws-iso-b", Region: "us-isob-east-1", Account: "111122223333", Name: "main"},
	} {
		got, err := arn.ParseTrail(text)
		if err != nil || got != want || got.String() != text || !arn.IsTrail(text) {
			t.Errorf("ParseTrail(%q) = %+v (%s), %v; want %+v", text, got, got, err, want)
		}
		if made := arn.TrailIn(want.Region, want.Account, want.Name); made != want {
			t.Errorf("TrailIn(%s) = %+v, want %+v", want.Region, made, want)
		}
	}
	for _, text := range []string{
		"", "main", "a:b:c:d:e:f", "arn:aws:s3:::logs",
		"arn:aws:cloudtrail:us-east-1:1:trail/main", "arn:aws:cloudtrail::111122223333:trail/main", "arn:aws:cloudtrail:*:111122223333:trail/*",
		"arn:aws:cloudtrail:us-east-1:111122223333:trail/", "arn:aws:cloudtrail:us-east-1:111122223333:trail", "arn:aws:cloudtrail:us-east-1:111122223333:trail/a/b",
		"arn:aws:cloudtrail:us-east-1:111122223333:channel/main", "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/0a1b",
		"arn:other:cloudtrail:us-east-1:111122223333:trail/main", "arn:aws:cloudtrail:Frankfurt:111122223333:trail/main",
		"arn:aws:cloudtrail:us-east-1:111122223333:trail/main\n",
	} {
		if got, err := arn.ParseTrail(text); err == nil || got != (arn.Trail{}) || arn.IsTrail(text) ||
			err.Error() != "expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME" {
			t.Errorf("ParseTrail(%q) = %+v, %v", text, got, err)
		}
	}
}
