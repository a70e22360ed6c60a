package cfn_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/cfn"
)

// Whatever a template holds, it is read or refused, and what is read is judged.
func FuzzRead(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(with("#TRAIL", `S3KeyPrefix: !If [Production, audit, !Ref "AWS::NoValue"]`)))
	f.Add([]byte(`{"Parameters":{"P":{"Type":"String"}},"Resources":{"B":{"Type":"AWS::S3::Bucket"},"T":{"Type":"AWS::CloudTrail::Trail",
		"Properties":{"S3BucketName":{"Fn::Select":[0,{"Fn::Split":[",",{"Ref":"P"}]}]},"S3KeyPrefix":{"Fn::FindInMap":["A","B","C"]}}}}}`))
	f.Fuzz(func(_ *testing.T, template []byte) {
		in, err := cfn.Read(template, here)
		if err == nil {
			iac.Assess(cfn.Between(in, in), setting)
			iac.Assess(in, setting)
		}
	})
}
