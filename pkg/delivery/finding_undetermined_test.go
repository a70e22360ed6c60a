package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A Deny that hits one of several guesses is named, and its edit given.
func TestDenyOfAGuess(t *testing.T) {
	tr := mainTrail()
	tr.Organization = true
	const statements = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],` +
		`"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]},` +
		`{"Sid":"D","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-b/AWSLogs/o-exampleorg1/*"}`
	bucket := delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: parse(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)}
	r := delivery.Judge(bucket, []trail.Trail{tr}, trail.Environment{Now: now()})
	f := finding(t, r, "log-files-undetermined")
	const want = "the organization's id is not known, and statement D denies s3:PutObject on arn:aws:s3:::logs-b/AWSLogs/o-exampleorg1/"
	if !strings.Contains(f.Message, want) {
		t.Errorf("got %q, want in it %q", f.Message, want)
	}
	if f.Edit == "" || !strings.Contains(f.Remedy, "which may settle it. Edit by hand: statement D") {
		t.Errorf("remedy %q, edit %q", f.Remedy, f.Edit)
		return
	}
	if after := delivery.Judge(edited(t, bucket, f), []trail.Trail{tr}, trail.Environment{Now: now()}); after.Verdict != delivery.Delivering {
		t.Errorf("edited: %s", show(after))
	}
}
