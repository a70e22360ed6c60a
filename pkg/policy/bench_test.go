package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

const documented = `{"Version":"2012-10-17","Statement":[
 {"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs",
  "Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}}},
 {"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/*",
  "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}}}]}`

// largePolicy is a policy of the given number of statements, about 330 bytes
// each.
func largePolicy(statements int) []byte {
	var list []string
	for i := range statements {
		list = append(list, fmt.Sprintf(`{"Sid":"S%d","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::%012d:root"},"Action":["s3:PutObject","s3:Get*"],"Resource":["arn:aws:s3:::logs/team-%d/*","arn:aws:s3:::logs/*/x%d/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":["vpce-%d"]},"NotIpAddress":{"aws:SourceIp":"10.%d.0.0/16"},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/r%d"}}}`, i, i, i, i, i, i%256, i))
	}
	return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`)
}

func benchmarkRequest() *Request {
	c := NewContext(Value{}).
		With("aws:SourceArn", Is("arn:aws:cloudtrail:us-east-1:111122223333:trail/t")).
		With("s3:x-amz-acl", Is("bucket-owner-full-control")).
		With("aws:SourceIp", Is("10.1.2.3")).
		With("aws:PrincipalArn", Is("arn:aws:iam::111122223333:role/x"))
	r := cloudTrailRequest(c)
	r.Resource = "arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T0000Z_a1.json.gz"
	return r
}

func BenchmarkDecideDocumented(b *testing.B) {
	d := mustRead(b, []byte(documented))
	r := benchmarkRequest()
	b.ReportAllocs()
	for b.Loop() {
		d.Decide(r)
	}
}

func BenchmarkDecideLarge(b *testing.B) {
	text := largePolicy(54)
	b.Logf("%d bytes", len(text))
	d := mustRead(b, text)
	r := benchmarkRequest()
	b.ReportAllocs()
	for b.Loop() {
		d.Decide(r)
	}
}

func BenchmarkDecideUnknown(b *testing.B) {
	d := mustRead(b, largePolicy(54))
	r := benchmarkRequest()
	r.Caller.Aliases = []Principal{{AWS, "000000000007"}}
	r.Resource = "arn:aws:s3:::logs/team-7/x7/y"
	r.Context = NewContext(Value{State: Either})
	b.ReportAllocs()
	for b.Loop() {
		d.Decide(r)
	}
}

func BenchmarkParseLarge(b *testing.B) {
	text := largePolicy(54)
	b.ReportAllocs()
	for b.Loop() {
		mustRead(b, text)
	}
}

func BenchmarkFaultsLarge(b *testing.B) {
	d := mustRead(b, largePolicy(54))
	for b.Loop() {
		d.Faults("arn:aws:s3:::logs")
	}
}

func BenchmarkWitnesses(b *testing.B) {
	d := mustRead(b, []byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":["arn:aws:s3:::logs/AWSLogs/111122223333/*","arn:aws:s3:::logs/AWSLogs/*/CloudTrail/eu-west-1/*","arn:aws:s3:::logs/*","arn:aws:s3:::other/*","arn:aws:s3:::logs"]}}`))
	s, r := logFiles(), benchmarkRequest()
	b.ReportAllocs()
	for b.Loop() {
		d.Prepare(r, NewBudget(DecisionSteps)).Samples(s)
	}
}

func mustRead(t testing.TB, text []byte) *Document {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDecideAllocations: a decision allocates its reasons, and nothing for
// each statement.
func TestDecideAllocations(t *testing.T) {
	r := benchmarkRequest()
	few, many := mustRead(t, largePolicy(5)), mustRead(t, largePolicy(50))
	a := testing.AllocsPerRun(50, func() { few.Decide(r) })
	b := testing.AllocsPerRun(50, func() { many.Decide(r) })
	if b > a {
		t.Errorf("%v allocations for 5 statements, %v for 50", a, b)
	}
}

func logFiles() glob.KeySet {
	digits := "0123456789"
	part := func(name, class string, n, m int) glob.Segment {
		return glob.Segment{Name: name, Class: class, Min: n, Max: m}
	}
	word := func(text string) glob.Segment { return glob.Segment{Words: []string{text}} }
	regions := strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 eu-south-1 ap-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 ca-central-1 sa-east-1 af-south-1 me-south-1")
	return glob.KeySet{
		word("arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/"),
		{Name: "region", Words: regions},
		word("/"),
		part("year", digits, 4, 4), word("/"), part("month", digits, 2, 2), word("/"), part("day", digits, 2, 2),
		word("/111122223333_CloudTrail_"), part("file", "abcdefghijklmnopqrstuvwxyz0123456789-_", 1, -1), word(".json.gz"),
	}
}
