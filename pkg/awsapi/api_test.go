package awsapi_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
)

// The permissions are those of the operations in the interfaces, no more and
// no fewer.
func TestActionsAreThoseOfTheInterfaces(t *testing.T) {
	t.Parallel()
	var called []string
	for service, api := range map[string]reflect.Type{
		"s3":             reflect.TypeFor[awsapi.S3API](),
		"cloudtrail":     reflect.TypeFor[awsapi.CloudTrailAPI](),
		"sns":            reflect.TypeFor[awsapi.SNSAPI](),
		"dynamodb":       reflect.TypeFor[awsapi.DynamoDBAPI](),
		"organizations":  reflect.TypeFor[awsapi.OrganizationsAPI](),
		"account":        reflect.TypeFor[awsapi.AccountAPI](),
		"securityhub":    reflect.TypeFor[awsapi.SecurityHubAPI](),
		"sts":            reflect.TypeFor[awsapi.STSAPI](),
		"cloudformation": reflect.TypeFor[awsapi.CloudFormationAPI](),
		"kms":            reflect.TypeFor[awsapi.KMSAPI](),
	} {
		for method := range api.Methods() {
			called = append(called, service+":"+method.Name)
		}
	}
	var listed []string
	for _, a := range awsapi.Actions() {
		listed = append(listed, a.Service+":"+a.Operation)
		if a.IAM != "" && !strings.HasPrefix(a.IAM, a.Service+":") {
			t.Errorf("%s needs %s of another service", a.Operation, a.IAM)
		}
		if changes := strings.HasPrefix(a.Operation, "Put") || strings.HasPrefix(a.Operation, "Delete"); a.Service == "s3" && changes != a.Write {
			t.Errorf("%s: write is %v", a.Operation, a.Write)
		}
	}
	slices.Sort(called)
	slices.Sort(listed)
	if !slices.Equal(called, listed) {
		t.Errorf("called %v\nlisted %v", called, listed)
	}
}
