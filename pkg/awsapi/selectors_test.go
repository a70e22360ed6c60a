package awsapi

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// Selectors are kept in the form of PutEventSelectors, which takes no null.
func TestSelectorsText(t *testing.T) {
	t.Parallel()
	field := types.AdvancedFieldSelector{Field: aws.String("eventCategory"), Equals: []string{"Data"}}
	for _, tt := range []struct {
		name string
		out  cloudtrail.GetEventSelectorsOutput
		want string
	}{
		{"none", cloudtrail.GetEventSelectorsOutput{}, ""},
		{
			"basic",
			cloudtrail.GetEventSelectorsOutput{EventSelectors: []types.EventSelector{{
				ReadWriteType: types.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(false), ExcludeManagementEventSources: []string{"kms.amazonaws.com"},
				DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
			}}},
			`{"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":false,` +
				`"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}],"ExcludeManagementEventSources":["kms.amazonaws.com"]}]}`,
		},
		{
			"advanced",
			cloudtrail.GetEventSelectorsOutput{AdvancedEventSelectors: []types.AdvancedEventSelector{
				{Name: aws.String("data"), FieldSelectors: []types.AdvancedFieldSelector{field}},
			}},
			`{"AdvancedEventSelectors":[{"Name":"data","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]}`,
		},
		{
			"too long",
			cloudtrail.GetEventSelectorsOutput{AdvancedEventSelectors: []types.AdvancedEventSelector{
				{Name: aws.String(strings.Repeat("x", 5000)), FieldSelectors: []types.AdvancedFieldSelector{field}},
			}},
			"",
		},
	} {
		if got := selectorsText(&tt.out); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
