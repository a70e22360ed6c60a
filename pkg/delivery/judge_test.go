package delivery_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const mainARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"

func mainTrail() trail.Trail {
	return trail.Trail{Name: "main", ARN: mainARN, HomeRegion: "us-east-1", Bucket: "logs-b", MultiRegion: true, LogFileValidation: true}
}

func documented(t testing.TB, trails []trail.Trail, s trail.Environment) delivery.Bucket {
	t.Helper()
	text, err := trail.DocumentedPolicy(trails, s)
	if err != nil {
		t.Fatal(err)
	}
	return delivery.Bucket{Name: "logs-b", Owner: "111111111111", State: delivery.PolicyRead, Policy: parse(t, string(text))}
}

func BenchmarkJudgeDocumented(b *testing.B) {
	organization := mainTrail()
	organization.Organization = true
	for name, trails := range map[string][]trail.Trail{"single": {mainTrail()}, "organization": {organization}} {
		s := trail.Environment{Now: now(), Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
		bucket := documented(b, trails, s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := delivery.Judge(bucket, trails, s); r.Verdict != delivery.Delivering {
					b.Fatal(r.Verdict)
				}
			}
		})
	}
}

// BenchmarkJudgeLegacy judges a policy of the accounts of every region.
func BenchmarkJudgeLegacy(b *testing.B) {
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["086441151436","859597730677"]},` +
		`"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"]}}`
	bucket := delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: parse(b, text)}
	for b.Loop() {
		if r := delivery.Judge(bucket, []trail.Trail{mainTrail()}, trail.Environment{Now: now()}); r.Verdict != delivery.Blocked {
			b.Fatal(r.Verdict)
		}
	}
}

func judgeMain(doc *policy.Document) delivery.Report {
	return delivery.Judge(
		delivery.Bucket{Name: "logs-b", Owner: "111111111111", State: delivery.PolicyRead, Policy: doc},
		[]trail.Trail{mainTrail()}, trail.Environment{Now: now()},
	)
}

func finding(t *testing.T, r delivery.Report, id string) delivery.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no finding %s in\n%s", id, show(r))
	return delivery.Finding{}
}

func TestBucketStates(t *testing.T) {
	tests := []struct {
		name     string
		bucket   delivery.Bucket
		id       string
		kind     delivery.Kind
		severity delivery.Severity
		restore  bool
		verdict  delivery.Verdict
		decision string
	}{
		{"unreadable", delivery.Bucket{Reason: "AccessDenied"}, "policy-unreadable", delivery.Unknown, delivery.High, false, delivery.Undetermined, "undetermined"},
		{"read without a policy", delivery.Bucket{State: delivery.PolicyRead}, "policy-unreadable", delivery.Unknown, delivery.High, false, delivery.Undetermined, "undetermined"},
		{"policy missing", delivery.Bucket{State: delivery.PolicyMissing}, "policy-missing", delivery.Outage, delivery.Critical, true, delivery.Blocked, "denied"},
		{"bucket missing", delivery.Bucket{State: delivery.BucketMissing}, "bucket-missing", delivery.Outage, delivery.Critical, false, delivery.Blocked, "denied"},
		{"other owner", delivery.Bucket{State: delivery.OtherOwner, Owner: "111111111111"}, "bucket-owner-changed", delivery.Outage, delivery.Critical, false, delivery.Blocked, "denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.bucket.Name = "logs-b"
			r := delivery.Judge(tt.bucket, []trail.Trail{mainTrail()}, trail.Environment{})
			checkReport(t, r)
			if len(r.Findings) != 1 || r.Verdict != tt.verdict {
				t.Fatalf("verdict %s, findings %v", r.Verdict, ids(r.Findings))
			}
			f := r.Findings[0]
			if f.ID != tt.id || f.Kind != tt.kind || f.Severity != tt.severity || f.Restorable != tt.restore {
				t.Errorf("finding %+v", f)
			}
			if got := decision(r, trail.LogFiles); got != tt.decision {
				t.Errorf("log-files is %s, want %s", got, tt.decision)
			}
		})
	}
}

func TestTrailsOfOtherBucketsAreIgnored(t *testing.T) {
	other := mainTrail()
	other.Bucket = "elsewhere"
	r := delivery.Judge(delivery.Bucket{Name: "logs-b", State: delivery.PolicyMissing}, []trail.Trail{other}, trail.Environment{})
	if r.Verdict != delivery.Delivering || len(r.Trails) != 0 || len(r.Findings) != 0 {
		t.Errorf("got\n%s", show(r))
	}
}

// Whatever else is known, CloudTrail does not deliver where requesters pay.
func TestRequesterPaysBlocks(t *testing.T) {
	fine := documented(t, []trail.Trail{mainTrail()}, trail.Environment{})
	for _, b := range []delivery.Bucket{fine, {Name: "logs-b"}, {Name: "logs-b", State: delivery.PolicyMissing}} {
		b.Payer = "Requester"
		r := delivery.Judge(b, []trail.Trail{mainTrail(), mainTrail()}, trail.Environment{})
		checkReport(t, r)
		if f := finding(t, r, "requester-pays"); !f.Restorable || f.Severity != delivery.High || r.Verdict != delivery.Blocked {
			t.Errorf("verdict %s, finding %+v", r.Verdict, f)
		}
		if len(r.Trails) != 1 {
			t.Errorf("a trail that is listed twice is judged %d times", len(r.Trails))
		}
	}
}

func TestReportAsJSON(t *testing.T) {
	b := documented(t, []trail.Trail{mainTrail()}, trail.Environment{})
	golden(t, "report.golden", show(delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{Now: now()}))+"\n")
}

func TestExplain(t *testing.T) {
	doc := parse(t, `{"Version":"2012-10-17","Statement":[{"Sid":"D","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs-b/*",`+
		`"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`)
	got := delivery.Explain(delivery.Bucket{Name: "logs-b", State: delivery.PolicyRead, Policy: doc}, []trail.Trail{mainTrail()}, trail.Environment{})
	if len(got) != 1 || got[0].ARN != mainARN || len(got[0].Requirements) != 4 {
		t.Fatalf("got %+v", got)
	}
	for _, q := range got[0].Requirements {
		if len(q.Statements) != 1 || q.Statements[0].Sid != "D" || len(q.Statements[0].Parts) == 0 {
			t.Errorf("%s: %+v", q.ID, q.Statements)
		}
		if hit := q.Statements[0].Match == policy.Yes; hit != (q.ID != trail.BucketACL) {
			t.Errorf("%s: the Deny matches: %t", q.ID, hit)
		}
	}
	without := delivery.Explain(delivery.Bucket{Name: "logs-b"}, []trail.Trail{mainTrail()}, trail.Environment{})
	if len(without) != 1 || len(without[0].Requirements) != 4 || without[0].Requirements[0].Statements != nil {
		t.Errorf("without a policy: %+v", without)
	}
}

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

// A trail's name binds nobody: any account may have a trail of that name.
func TestBoundByNameOnly(t *testing.T) {
	policyFor := func(arn string) *policy.Document {
		return parse(t, `{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},`+
			`"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs-b","arn:aws:s3:::logs-b/*"],`+
			`"Condition":{"ArnLike":{"aws:SourceArn":"`+arn+`"}}}}`)
	}
	r := judgeMain(policyFor("arn:aws:cloudtrail:*:*:trail/main"))
	if f := finding(t, r, "source-arn-missing"); f.Kind != delivery.Weakness || r.Verdict != delivery.Delivering ||
		!strings.HasPrefix(f.Remedy, "What the Condition of statement A says of the source fits any account.") || strings.Contains(f.Remedy, "--harden") {
		t.Errorf("got %s\n%s", show(r), f.Remedy)
	}
	if r := judgeMain(policyFor("arn:aws:cloudtrail:*:111111111111:trail/*")); len(r.Findings) != 0 {
		t.Errorf("bound by its account: %s", show(r))
	}
}
