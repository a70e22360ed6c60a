package inmem_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"

func newAccount() *inmem.Account {
	return inmem.New(inmem.Description{
		Account: "111111111111", Region: "us-east-1",
		Trails:  []trail.Trail{{Name: "main", ARN: arn, HomeRegion: "us-east-1", Bucket: "logs", Prefix: "old"}},
		Buckets: []inmem.Bucket{{Name: "logs", Policy: []byte(`{"Statement":[]}`)}},
	})
}

func event(name, parameters string) []byte {
	return fmt.Appendf(nil, `{"detail":{"eventName":%q,"eventTime":"2026-09-13T17:50:37Z","awsRegion":"us-east-1",`+
		`"recipientAccountId":"111111111111","requestParameters":%s,`+
		`"responseElements":{"trailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/new"}}}`, name, parameters)
}

func TestApply(t *testing.T) {
	for _, test := range []struct {
		name, parameters string
		want             func(d *inmem.Description)
	}{
		{"PutBucketPolicy", `{"bucketName":"logs","bucketPolicy":{"a":1}}`, func(d *inmem.Description) { d.Buckets[0].Policy = []byte(`{"a":1}`) }},
		{"PutBucketPolicy", `{"bucketName":"logs","bucketPolicy":"{\"a\":1}"}`, func(d *inmem.Description) { d.Buckets[0].Policy = []byte(`{"a":1}`) }},
		{"DeleteBucketPolicy", `{"bucketName":"logs"}`, func(d *inmem.Description) { d.Buckets[0].Policy = nil }},
		{"PutBucketRequestPayment", `{"bucketName":"logs","RequestPaymentConfiguration":{"Payer":"Requester"}}`, func(d *inmem.Description) { d.Buckets[0].Payer = delivery.PayerRequester }},
		{"DeleteBucket", `{"bucketName":"logs"}`, func(d *inmem.Description) { d.Buckets = nil }},
		{"CreateBucket", `{"bucketName":"new"}`, func(d *inmem.Description) {
			d.Buckets = append(d.Buckets, inmem.Bucket{Name: "new", Owner: "111111111111", Region: "us-east-1", Payer: delivery.PayerOwner})
		}},
		{"UpdateTrail", `{"name":"main","s3KeyPrefix":"","enableLogFileValidation":true}`, func(d *inmem.Description) {
			d.Trails[0].Prefix, d.Trails[0].LogFileValidation = "", true
		}},
		{"UpdateTrail", `{"name":"` + arn + `","s3BucketName":"other"}`, func(d *inmem.Description) { d.Trails[0].Bucket = "other" }},
		{"PutInsightSelectors", `{"trailName":"main","insightSelectors":[{"insightType":"ApiCallRateInsight"}]}`, func(d *inmem.Description) { d.Trails[0].InsightSelectors = true }},
		{"PutEventConfiguration", `{"trailName":"main","aggregationConfigurations":[{"eventCategory":"Data","templates":["API_ACTIVITY"]}]}`, func(d *inmem.Description) { d.Trails[0].Aggregated = true }},
		{"PutEventConfiguration", `{"trailName":"main","aggregationConfigurations":[]}`, nil},
		{"CreateTrail", `{"name":"new","s3BucketName":"logs","isMultiRegionTrail":true}`, func(d *inmem.Description) {
			const created = "arn:aws:cloudtrail:us-east-1:111111111111:trail/new"
			d.Trails = append(d.Trails, trail.Trail{Name: "new", ARN: created, HomeRegion: "us-east-1", Bucket: "logs", MultiRegion: true})
			d.Statuses = append(d.Statuses, trail.Status{ARN: created})
		}},
		{"DeleteTrail", `{"name":"main"}`, func(d *inmem.Description) { d.Trails, d.Statuses = []trail.Trail{}, nil }},
		{"StartLogging", `{"name":"main"}`, nil},
		{"GetBucketPolicy", `{"bucketName":"logs"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAccount()
			want := a.Describe()
			if test.want != nil {
				test.want(&want)
			}
			if err := a.Apply(event(test.name, test.parameters)); err != nil {
				t.Fatal(err)
			}
			got := a.Describe()
			for i := range got.Statuses {
				got.Statuses[i].StartedLoggingAt = want.Statuses[i].StartedLoggingAt
			}
			if text(t, got) != text(t, want) {
				t.Errorf("(-want +got):\n%s", cmp.Diff(text(t, want), text(t, got)))
			}
		})
	}
}

func text(t *testing.T, d inmem.Description) string {
	t.Helper()
	out, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestApplyStops(t *testing.T) {
	a := newAccount()
	if err := a.Apply(event("StopLogging", `{"name":"main"}`)); err != nil {
		t.Fatal(err)
	}
	if _, s, err := a.Status(t.Context(), "", trail.Trail{ARN: arn}); err != nil || s.Logging || s.StoppedLoggingAt.IsZero() {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestApplyRefuses(t *testing.T) {
	a := newAccount()
	want := text(t, a.Describe())
	for _, payload := range [][]byte{
		[]byte(`x`), event("PutBucketPolicy", `{"bucketName":"none"}`), event("StopLogging", `{"name":"none"}`),
		[]byte(`{"detail":{"eventName":"CreateTrail"}}`),
	} {
		if err := a.Apply(payload); err == nil {
			t.Errorf("%s: no error", payload)
		}
	}
	failed := bytes.Replace(event("DeleteBucket", `{"bucketName":"logs"}`),
		[]byte(`"eventName"`), []byte(`"errorCode":"AccessDenied","eventName"`), 1)
	if err := a.Apply(failed); err != nil {
		t.Error(err)
	}
	if got := text(t, a.Describe()); got != want {
		t.Errorf("changed to %s", got)
	}
}

// TestApplySamples applies the events that are shipped as samples: each is one
// that the account takes, or names what is not there.
func TestApplySamples(t *testing.T) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample events", err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := newAccount().Apply(payload); err != nil && !strings.Contains(err.Error(), "not there") {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

func TestReadDescription(t *testing.T) {
	for input, want := range map[string]string{
		``:                           "empty",
		`[]`:                         "expected a struct",
		`{`:                          "unexpected EOF",
		`{"acount":"1"}`:             `unknown field "acount"`,
		`{"account":7}`:              "account is a number",
		`{"account":"1"}`:            "expected 12 digits",
		`{"account":"111111111111"}`: "region is missing",
		head + `,"trails":[{}]}`:     "trails[0]",
		head + `,"statuses":[{}]}`:   "there is no trail",
		head + `,"buckets":[{}]}`:    "buckets[0]",
		head + `} {}`:                "more than one",
		head + `,"buckets":[{"name":"a"},{"name":"a"}]}`:       "twice",
		head + `,"buckets":[{"name":"a","payer":"somebody"}]}`: "expected BucketOwner or Requester",
	} {
		_, err := inmem.ReadDescription(strings.NewReader(input))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", input, err, want)
		}
	}
	d, err := inmem.ReadDescription(strings.NewReader(
		head + `,"buckets":[{"name":"a","policy":"{}"},{"name":"b","policy":{"x": 1}},{"name":"c","policy":null}]}`))
	if err != nil || string(d.Buckets[0].Policy) != "{}" || string(d.Buckets[1].Policy) != `{"x": 1}` || len(d.Buckets[2].Policy) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

const head = `{"account":"111111111111","region":"us-east-1"`

func TestReserializedPolicyIsTheSame(t *testing.T) {
	a := inmem.New(inmem.Description{Account: "111111111111", Region: "us-east-1", Buckets: []inmem.Bucket{{Name: "logs"}}, Reserialize: true})
	text := `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com"]},` +
		`"Action":["s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs"]}]}`
	ref := guardrail.BucketRef{Name: "logs", Account: "111111111111"}
	if err := a.PutPolicy(t.Context(), ref, []byte(text)); err != nil {
		t.Fatal(err)
	}
	b, err := a.Observe(t.Context(), ref)
	if err != nil || b.State != delivery.PolicyRead {
		t.Fatal(b, err)
	}
	got := b.Policy.Text()
	if bytes.Equal(got, []byte(text)) || !strings.Contains(string(got), `"Action":"s3:GetBucketAcl"`) {
		t.Errorf("read back as %s", got)
	}
	if ledger.Fingerprint(got) != ledger.Fingerprint([]byte(text)) {
		t.Error("it has another digest")
	}
}
