package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// policies of buckets that are right and wrong in the ways that accounts have.
// BUCKET and TRAIL stand for the bucket and its trail's ARN.
const (
	grants = `{"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET","Condition":{"StringEquals":{"aws:SourceArn":"TRAIL"}}},
{"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/AWSLogs/111111111111/*",
"Condition":{"StringEquals":{"aws:SourceArn":"TRAIL","s3:x-amz-acl":"bucket-owner-full-control"}}}`
	onlyACL = `{"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET","Condition":{"StringEquals":{"aws:SourceArn":"TRAIL"}}}`
	outsiders = `{"Sid":"DenyOutsiders","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"],
"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}}`
	oldSessions = `{"Sid":"RefuseOldSessions","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*",
"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}}`
	unbound = `{"Sid":"AWSCloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/AWSLogs/111111111111/*"]}`
)

// statementsOf are those of the bucket at an index, where one in wrong is blocked or
// undetermined in one of five ways, and one in 20 of the others has a weakness.
func statementsOf(i, wrong int) string {
	switch {
	case i%wrong == 0:
		return []string{grants + "," + outsiders, onlyACL, grants + "," + oldSessions, "", unbound + "," + outsiders}[i/wrong%5]
	case i%20 == 1:
		return unbound
	}
	return grants
}

// manyBuckets is the overview of an account with n buckets, whose names have the
// length of the console's. A bucket of each sort is audited in memory; the others are
// it under other names.
func manyBuckets(t testing.TB, n, wrong int) *overview {
	t.Helper()
	sorts := map[string]bucketOverview{}
	o := &overview{Account: "111111111111", Region: "us-east-1"}
	for i := range n {
		statements := statementsOf(i, wrong)
		sample, ok := sorts[statements]
		if !ok {
			sample = auditOne(t, statements)
			sorts[statements] = sample
		}
		o.Buckets = append(o.Buckets, renamed(t, sample, fmt.Sprintf("%08x", uint32(i)*2654435761), fmt.Sprintf("%04d", i)))
	}
	return o
}

const (
	sampleBucket = "0a1b2c3d"
	sampleTrail  = "9876"
)

// auditOne audits an account with one bucket.
func auditOne(t testing.TB, statements string) bucketOverview {
	t.Helper()
	d := inmem.Description{Account: "111111111111", Region: "us-east-1", Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
	tr := trail.Trail{
		Name: "management-events-" + sampleTrail, HomeRegion: "us-east-1",
		Bucket: "aws-cloudtrail-logs-111111111111-" + sampleBucket, MultiRegion: true, LogFileValidation: true,
	}
	tr.ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/" + tr.Name
	b := inmem.Bucket{Name: tr.Bucket}
	if statements != "" {
		text := strings.NewReplacer("BUCKET", tr.Bucket, "TRAIL", tr.ARN).Replace(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
		b.Policy = []byte(text)
	}
	d.Trails, d.Buckets = []trail.Trail{tr}, []inmem.Bucket{b}
	d.Statuses = []trail.Status{{ARN: tr.ARN, Logging: true, DeliveredAt: time.Date(2026, 9, 13, 9, 5, 0, 0, time.UTC)}}
	s := newSimulation(d, guardrail.Config{}, io.Discard)
	s.clock.Set(time.Date(2026, 9, 13, 14, 0, 0, 0, time.UTC))
	o, err := s.overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o.Buckets[0]
}

// renamed returns an audited bucket under another name.
func renamed(t testing.TB, b bucketOverview, bucket, trailName string) bucketOverview {
	t.Helper()
	names := strings.NewReplacer(sampleBucket, bucket, sampleTrail, trailName)
	rename := func(from, to any) {
		text, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal([]byte(names.Replace(string(text))), to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out bucketOverview
	out.Bucket = b.Bucket
	out.Bucket.Name = names.Replace(b.Bucket.Name)
	rename(b.Trails, &out.Trails)
	rename(b.Statuses, &out.Statuses)
	rename(b.Report, &out.Report)
	out.Plan.Diff = names.Replace(b.Plan.Diff)
	out.Plan.Policy = []byte(names.Replace(string(b.Plan.Policy)))
	rename(b.Plan.Changes, &out.Plan.Changes)
	rename(b.Plan.Refused, &out.Plan.Refused)
	return out
}

// TestOneCauseIsToldOnce: 500 buckets that are wrong in five ways are a few texts.
func TestOneCauseIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ wrong, most int }{
		"all wrong":    {1, 2000},
		"one in 20":    {20, 600},
		"none but one": {500, 330},
	} {
		t.Run(name, func(t *testing.T) {
			o := manyBuckets(t, 500, c.wrong)
			var b strings.Builder
			s := screen{out: &b, width: 80}
			writeTrails(s, o)
			writeCauses(s, causesOf(o.Buckets), true)
			writeProblems(s, o)
			text := strings.Join(strings.Fields(b.String()), " ")
			if lines := strings.Count(b.String(), "\n"); lines > c.most {
				t.Errorf("%d lines, want at most %d", lines, c.most)
			}
			if n := len(causesOf(o.Buckets)); n > 8 {
				t.Errorf("%d causes", n)
			}
			if n := strings.Count(text, "Edit by hand: statement DenyOutsiders"); n == 0 || n > 2 {
				t.Errorf("the remedy for DenyOutsiders is told %d times", n)
			}
		})
	}
}

// TestCausesHoldEveryFinding: none is lost in a group, and each is under its own
// severity and remedy.
func TestCausesHoldEveryFinding(t *testing.T) {
	t.Parallel()
	o := manyBuckets(t, 60, 2)
	type found struct {
		id, bucket string
		severity   delivery.Severity
	}
	held := map[found]bool{}
	for _, c := range causesOf(o.Buckets) {
		for _, p := range c.Places {
			for _, kind := range c.Types {
				held[found{kind.ID, p.Bucket, kind.Severity}] = true
			}
		}
	}
	findings := 0
	for i := range o.Buckets {
		b := &o.Buckets[i]
		for _, f := range b.Report.Findings {
			findings++
			if !held[found{f.ID, b.Bucket.Name, f.Severity}] {
				t.Errorf("no cause holds %s of %s", f.ID, b.Bucket.Name)
			}
		}
	}
	if findings < 60 {
		t.Errorf("%d findings in all", findings)
	}
}

func TestCausesAreApart(t *testing.T) {
	t.Parallel()
	finding := func(id, trail, remedy string, statements ...string) delivery.Finding {
		known, _ := delivery.LookupType(id)
		return delivery.Finding{ID: id, Kind: known.Kind, Severity: known.Severity, Trail: trail, Remedy: remedy, Statements: statements}
	}
	const one, two = "arn:aws:cloudtrail:us-east-1:111111111111:trail/one", "arn:aws:cloudtrail:us-east-1:111111111111:trail/two"
	buckets := []bucketOverview{
		{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: "acme-a"}, Report: delivery.Report{Findings: []delivery.Finding{
			finding("digest-files-denied", one, "Mend acme-a for "+one, "No"),
			finding("log-files-denied", one, "Mend acme-a for "+one, "No"),
			finding("log-files-denied", two, "Mend acme-a for "+two, "No"),
			finding("log-files-denied", two, "Mend acme-a for "+two, "Other"),
			finding("source-arn-missing", "", "Bind it.", "No"),
		}}}},
		{Audited: guardrail.Audited{Bucket: delivery.Bucket{Name: "acme-b"}, Report: delivery.Report{Findings: []delivery.Finding{
			finding("log-files-denied", one, "Mend acme-b for "+one, "No"),
			finding("log-files-undetermined", one, "Mend acme-b for "+one, "No"),
		}}}},
	}
	var b strings.Builder
	writeCauses(screen{out: &b, width: 80}, causesOf(buckets), true)
	want := `
CRITICAL log-files-denied
HIGH digest-files-denied
  at     acme-a (one, two), acme-b
  by     No
  what   
  remedy With the names of each bucket and trail; here those of acme-a: Mend
         acme-a for arn:aws:cloudtrail:us-east-1:111111111111:trail/one

CRITICAL log-files-denied
  at     acme-a
  by     Other
  what   
  remedy Mend acme-a for arn:aws:cloudtrail:us-east-1:111111111111:trail/two

MEDIUM source-arn-missing
  at     acme-a
  by     No
  what   
  remedy Bind it.

MEDIUM log-files-undetermined
  at     acme-b
  by     No
  what   
  remedy Mend acme-b for arn:aws:cloudtrail:us-east-1:111111111111:trail/one
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
