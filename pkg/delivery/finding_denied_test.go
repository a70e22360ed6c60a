package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Every requirement that is not met is a finding of its own. What no statement
// allows can be restored, what a Deny blocks cannot.
func TestDenied(t *testing.T) {
	const allow = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],` +
		`"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],"Condition":{"StringEquals":{"aws:SourceArn":"` + mainARN + `"}}}`
	const deny = `{"Sid":"D","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]}`
	const other = `{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs-b"}`
	tests := []struct {
		name, statements string
		restorable       bool
		says             string
	}{
		{"nothing allows it", other, true, "no statement allows s3:"},
		{"a Deny", allow + "," + deny, false, "statement D denies s3:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judgeMain(parse(t, `{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`))
			checkReport(t, r)
			for _, id := range []trail.RequirementID{trail.LogFiles, trail.BucketACL, trail.DigestFiles, trail.PreflightMarker} {
				f := finding(t, r, delivery.DeniedID(id))
				if f.Restorable != tt.restorable || (f.Edit == "") != tt.restorable || f.Trail != mainARN {
					t.Errorf("%+v", f)
				}
				if (f.Severity == delivery.Critical) != (id == trail.LogFiles) || !strings.Contains(f.Message, tt.says) {
					t.Errorf("%s %s: %s", f.Severity, f.ID, f.Message)
				}
			}
		})
	}
}
