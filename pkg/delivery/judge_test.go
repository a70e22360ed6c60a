package delivery_test

import (
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

// found is what a bucket comes to that has one finding only.
type found struct {
	id       string
	kind     delivery.Kind
	severity delivery.Severity
	restore  bool
	verdict  delivery.Verdict
	decision string // on the log files
}

// checkFound judges a bucket, whose name it sets, for one trail.
func checkFound(t *testing.T, b delivery.Bucket, want found) {
	t.Helper()
	b.Name = "logs-b"
	r := delivery.Judge(b, []trail.Trail{mainTrail()}, trail.Environment{})
	checkReport(t, r)
	if len(r.Findings) != 1 || r.Verdict != want.verdict {
		t.Fatalf("verdict %s, findings %v", r.Verdict, ids(r.Findings))
	}
	f := r.Findings[0]
	if f.ID != want.id || f.Kind != want.kind || f.Severity != want.severity || f.Restorable != want.restore {
		t.Errorf("finding %+v", f)
	}
	if got := decision(r, trail.LogFiles); got != want.decision {
		t.Errorf("log-files is %s, want %s", got, want.decision)
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
