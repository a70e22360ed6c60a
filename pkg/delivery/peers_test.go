package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TestPeersMatrix is the policies that docs/comparison.md puts to other tools: 13 that are
// wrong, of which each has to be told, and 10 that are right, of which none may be.
func TestPeersMatrix(t *testing.T) {
	t.Parallel()
	const (
		service = `"Principal":{"Service":"cloudtrail.amazonaws.com"}`
		arn     = `arn:aws:cloudtrail:us-east-1:111111111111:trail/main`
		bound   = `"Condition":{"StringEquals":{"aws:SourceArn":"` + arn + `"}}`
		full    = `"Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"` + arn + `"}}`
		path    = `"arn:aws:s3:::logs/AWSLogs/111111111111/*"`
		orgPath = `"arn:aws:s3:::logs/AWSLogs/o-exampleorg1/*"`
		acl     = `{"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow",` + service + `,"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs",` + bound + `}`
		write   = `{"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow",` + service + `,"Action":"s3:PutObject","Resource":` + path + `,` + full + `}`
		wholly  = acl + "," + write
	)
	swap := func(text, from, to string) string {
		if !strings.Contains(text, from) {
			t.Fatalf("no %q in %s", from, text)
		}
		return strings.ReplaceAll(text, from, to)
	}
	deny := func(action, condition string) string {
		return `,{"Sid":"Strict","Effect":"Deny","Principal":"*","Action":"` + action +
			`","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"],"Condition":{` + condition + `}}`
	}
	for name, c := range map[string]struct {
		statements   string
		organization bool
		right        bool
	}{
		"no policy":                        {statements: ""},
		"the write statement is gone":      {statements: acl},
		"the ACL statement is gone":        {statements: write},
		"another prefix":                   {statements: swap(wholly, "logs/AWSLogs", "logs/audit/AWSLogs")},
		"no path for the organization":     {statements: wholly, organization: true},
		"another trail":                    {statements: swap(wholly, "trail/main", "trail/other")},
		"Deny under the same Sid":          {statements: acl + "," + swap(write, "Allow", "Deny")},
		"another action":                   {statements: acl + "," + swap(write, "s3:PutObject", "s3:GetObject")},
		"a narrower resource":              {statements: acl + "," + swap(write, "111111111111/*", "111111111111/CloudTrail/us-east-1/*")},
		"Deny unless of the organization":  {statements: wholly + deny("s3:*", `"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}`)},
		"Deny unless encrypted with KMS":   {statements: wholly + deny("s3:PutObject", `"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}`)},
		"accounts in place of the service": {statements: swap(swap(wholly, service, `"Principal":{"AWS":["arn:aws:iam::086441151436:root","arn:aws:iam::113285607260:root"]}`), `,"aws:SourceArn":"`+arn+`"`, "")},
		"bound by nothing":                 {statements: swap(acl, ","+bound, "") + "," + swap(write, `,"aws:SourceArn":"`+arn+`"`, "")},

		"as documented":           {statements: wholly, right: true},
		"with a TLS Deny":         {statements: wholly + deny("s3:*", `"Bool":{"aws:SecureTransport":"false"}`), right: true},
		"other Sids":              {statements: swap(swap(wholly, "AWSCloudTrailAclCheck20150319", "Acl"), "AWSCloudTrailWrite20150319", "Write"), right: true},
		"no Sids":                 {statements: swap(swap(wholly, `"Sid":"AWSCloudTrailAclCheck20150319",`, ""), `"Sid":"AWSCloudTrailWrite20150319",`, ""), right: true},
		"a list of trails":        {statements: swap(wholly, `"aws:SourceArn":"`+arn+`"`, `"aws:SourceArn":["`+arn+`","arn:aws:cloudtrail:us-east-1:111111111111:trail/other"]`), right: true},
		"ArnLike of all trails":   {statements: acl + "," + swap(write, `"aws:SourceArn":"`+arn+`"}`, `"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111111111111:trail/*"}`), right: true},
		"one statement":           {statements: `{"Sid":"One","Effect":"Allow",` + service + `,"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/AWSLogs/*"],` + bound + `}`, right: true},
		"a list of resources":     {statements: acl + "," + swap(write, path, `[`+path+`,"arn:aws:s3:::logs/other/*"]`), right: true},
		"the other order":         {statements: write + "," + acl, right: true},
		"both paths, for members": {statements: acl + "," + write + "," + swap(swap(write, path, orgPath), "20150319", "20150319Org"), organization: true, right: true},
	} {
		tr := trail.Trail{
			Name: "main", ARN: arn, HomeRegion: "us-east-1", Bucket: "logs", MultiRegion: true, LogFileValidation: true, Organization: c.organization,
		}
		other := trail.Trail{Name: "other", ARN: strings.Replace(arn, "main", "other", 1), HomeRegion: "us-east-1", Bucket: "elsewhere"}
		bucket := delivery.Bucket{Name: "logs", Owner: "111111111111", Region: "us-east-1", State: delivery.PolicyMissing, Payer: delivery.PayerOwner}
		if c.statements != "" {
			doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + c.statements + `]}`))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			bucket.State, bucket.Policy = delivery.PolicyRead, doc
		}
		report := delivery.Judge(bucket, []trail.Trail{tr, other}, trail.Environment{
			Bucket: "logs", Now: time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC),
			Organization: trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "111111111111"},
		})
		if quiet := len(report.Findings)+len(report.Faults) == 0; quiet != c.right {
			t.Errorf("%s: %s with findings %+v and faults %q", name, report.Verdict, report.Findings, report.Faults)
		}
	}
}
