package trail_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestLegacyRegion(t *testing.T) {
	tests := []struct {
		principal, want string
	}{
		{"086441151436", "us-east-1"},
		{"arn:aws:iam::859597730677:root", "eu-west-1"},
		{"arn:aws:iam::069019280451:root", "ap-southeast-3"},
		{"arn:aws-cn:iam::193415116832:root", "cn-north-1"},
		{"608710470296", "us-gov-west-1"},
		{"886388586500", "us-gov-east-1"},
		{"111111111111", ""},
		{"arn:aws:iam::086441151436:user/x", ""},
		{"arn:aws:sts::086441151436:root", ""},
		{"*", ""},
		{"", ""},
		{"cloudtrail.amazonaws.com", ""},
	}
	for _, tt := range tests {
		got, ok := trail.LegacyRegion(tt.principal)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("LegacyRegion(%q) = %q, %t, want %q", tt.principal, got, ok, tt.want)
		}
	}
}

func root(partition, id string) policy.Principal {
	return policy.Principal{Type: policy.AWS, Value: "arn:" + partition + ":iam::" + id + ":root"}
}

func TestCaller(t *testing.T) {
	service := policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}
	china := policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com.cn"}
	tests := []struct {
		partition arn.Partition
		region    string
		want      policy.Caller
	}{
		{"aws", "eu-west-1", policy.Caller{Principal: service, Aliases: []policy.Principal{root("aws", "859597730677")}}},
		{"aws", "ap-southeast-5", policy.Caller{Principal: service}},
		{"aws-cn", "cn-north-1", policy.Caller{Principal: service, Aliases: []policy.Principal{china, root("aws-cn", "193415116832")}}},
		{"aws-eusc", "eusc-de-east-1", policy.Caller{Principal: service}},
		{"aws-eusc", "", policy.Caller{Principal: service}},
		{"aws-us-gov", "us-gov-east-1", policy.Caller{
			Principal: service, Aliases: []policy.Principal{root("aws-us-gov", "886388586500")},
			PossiblePrincipals: []policy.Principal{root("aws-us-gov", "608710470296")},
		}},
		{"aws-us-gov", "", policy.Caller{
			Principal:          service,
			PossiblePrincipals: []policy.Principal{root("aws-us-gov", "886388586500"), root("aws-us-gov", "608710470296")},
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, trail.Caller(tt.partition, tt.region)); diff != "" {
			t.Errorf("Caller(%q, %q) -want +got:\n%s", tt.partition, tt.region, diff)
		}
	}
}

// The region of every account is the one whose caller acts as it.
func TestLegacyAccountsAgree(t *testing.T) {
	accounts := 0
	for _, partition := range []arn.Partition{"aws", "aws-cn", "aws-us-gov"} {
		for _, region := range trail.Regions(partition) {
			for _, p := range trail.Caller(partition, region).Aliases {
				if p.Type != policy.AWS {
					continue
				}
				accounts++
				if got, ok := trail.LegacyRegion(p.Value); !ok || got != region {
					t.Errorf("%s of %s is of region %q", p.Value, region, got)
				}
			}
		}
	}
	if accounts != 32 {
		t.Errorf("%d accounts, want the 32 that AWS lists", accounts)
	}
}
