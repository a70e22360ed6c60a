package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// The account of us-east-1 serves that region only; the service serves all.
func TestLegacyAccounts(t *testing.T) {
	statement := func(principal string) string {
		return `{"Sid":"S","Effect":"Allow","Principal":` + principal + `,"Action":["s3:GetBucketAcl","s3:PutObject"],` +
			`"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],"Condition":{"StringEquals":{"aws:SourceArn":"` + mainARN + `"}}}`
	}
	service := strings.Replace(statement(`{"Service":"cloudtrail.amazonaws.com"}`), `"S"`, `"Service"`, 1)
	r := judgeMain(parse(t, `{"Version":"2012-10-17","Statement":[`+service+`,`+statement(`{"AWS":"086441151436"}`)+`]}`))
	checkReport(t, r)
	f := finding(t, r, "legacy-account-principals")
	if f.Kind != delivery.Weakness || f.Severity != delivery.Medium || f.Restorable || f.Trail != "" || !slices.Equal(f.Statements, []string{"S"}) {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Message, "which serve region us-east-1 only") {
		t.Error(f.Message)
	}
	if r := judgeMain(parse(t, `{"Version":"2012-10-17","Statement":[`+service+`]}`)); len(r.Findings) > 0 {
		t.Errorf("with the service alone: %v", ids(r.Findings))
	}
}
