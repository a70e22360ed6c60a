package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const logFolder = "arn:aws:s3:::logs-b/AWSLogs/111111111111/CloudTrail/"

// judgeGrant judges a grant of log files on resources, and a Deny on others if
// there are any.
func judgeGrant(t *testing.T, now time.Time, granted, denied string) delivery.Report {
	t.Helper()
	text := `{"Version":"2012-10-17","Statement":[{"Sid":"Grant","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},` +
		`"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs-b","` + logFolder + `","` + granted + `"],` +
		`"Condition":{"StringEquals":{"aws:SourceArn":"` + mainARN + `"}}}`
	if denied != "" {
		text += `,{"Sid":"Guard","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + denied + `"}`
	}
	b := delivery.Bucket{Name: "logs-b", Owner: "111111111111", State: delivery.PolicyRead, Policy: parse(t, text+"]}")}
	tr := mainTrail()
	tr.LogFileValidation = false
	r := delivery.Judge(b, []trail.Trail{tr}, trail.Environment{Now: now})
	checkReport(t, r)
	return r
}

// A grant of a decade says when it ends, the more urgently the nearer that is.
// A Deny that begins later is named.
func TestGrantExpires(t *testing.T) {
	for _, tt := range []struct {
		now              string
		granted, denied  string
		severity         delivery.Severity
		date, statements string
	}{
		{"2026-11-25", logFolder + "*/202*", "", delivery.Low, "from 2030-01-01 on", ""},
		{"2029-10-02", logFolder + "*/202*", "", delivery.Low, "from 2030-01-01 on", ""},
		{"2029-10-04", logFolder + "*/202*", "", delivery.Medium, "from 2030-01-01 on", ""},
		{"2026-11-25", logFolder + "*/2026/*", "", delivery.Medium, "from 2027-01-01 on", ""},
		{"2026-11-25", logFolder + "*", logFolder + "*/2027/03/*", delivery.Low, "from 2027-03-01 on", "Guard"},
		{"2026-11-25", logFolder + "*", logFolder + "*/2026/11/28/*", delivery.Medium, "from 2026-11-28 on", "Guard"},
	} {
		now, err := time.Parse(time.DateOnly, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		r := judgeGrant(t, now, tt.granted, tt.denied)
		f := finding(t, r, delivery.GrantExpiresID)
		if r.Verdict != delivery.Delivering || f.Kind != delivery.Weakness || f.Severity != tt.severity {
			t.Errorf("%s: %s, %+v", tt.now, r.Verdict, f)
		}
		if !strings.Contains(f.Message, tt.date) || strings.Join(f.Statements, " ") != tt.statements {
			t.Errorf("%s: %s %v, want %s", tt.now, f.Message, f.Statements, tt.date)
		}
	}
	// On the last day it is an outage.
	if r := judgeGrant(t, time.Date(2029, 12, 31, 0, 0, 0, 0, time.UTC), logFolder+"*/202*", ""); r.Verdict != delivery.Blocked {
		t.Errorf("on the last day: %s", r.Verdict)
	}
}
