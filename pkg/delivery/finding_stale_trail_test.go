package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// A trail of an account whose trails are known is missed. Of other accounts,
// and of patterns, nothing is said.
func TestStaleTrailARN(t *testing.T) {
	const gone = "arn:aws:cloudtrail:us-east-1:111111111111:trail/gone"
	judge := func(arn string) delivery.Report {
		return judgeMain(parse(t, `{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Allow",`+
			`"Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],`+
			`"Condition":{"ArnLike":{"aws:SourceArn":["`+mainARN+`","`+arn+`"]}}}}`))
	}
	r := judge(gone)
	checkReport(t, r)
	f := finding(t, r, "stale-trail-arn")
	if f.Kind != delivery.Weakness || f.Severity != delivery.Low || f.Restorable || !slices.Equal(f.Statements, []string{"S"}) {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Message, "Statement S serves "+gone) {
		t.Error(f.Message)
	}
	for _, other := range []string{
		mainARN, "arn:aws:cloudtrail:us-east-1:222222222222:trail/gone", "arn:aws:cloudtrail:us-east-1:111111111111:trail/*",
	} {
		if r := judge(other); len(r.Findings) > 0 {
			t.Errorf("%s: %v", other, ids(r.Findings))
		}
	}
}
