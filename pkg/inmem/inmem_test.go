package inmem_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	const trails = `,"trails":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","S3BucketName":"logs"},` +
		`{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/more","S3BucketName":"logs"},` +
		`{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111111111111:trail/more","S3BucketName":"logs"}]`
	for input, want := range map[string]string{
		``:                           "empty; expected a description of an account",
		`[]`:                         "it is a list; expected a description of an account",
		`7`:                          "it is a number; expected a description of an account",
		`{`:                          "not JSON (unexpected EOF); expected a description of an account",
		`{"account":}`:               "not JSON (invalid character '}' looking for beginning of value); expected a description",
		`{"acount":"1"}`:             `unknown field "acount"; expected a description of an account`,
		`{"account":7}`:              "account is a number; expected a string",
		`{"account":"1"}`:            `account is "1"; expected 12 digits`,
		`{"account":"11111111111x"}`: "expected 12 digits",
		`{"account":"111111111111"}`: "region is missing; expected a region",
		`{"account":"111111111111","region":"Frankfurt"}`:                                           `region is "Frankfurt"; expected a region such as`,
		head + `,"organization":[]}`:                                                                "organization is a list; expected an object",
		head + `,"organization":{"members":"x"}}`:                                                   "organization.members is a string; expected a list of strings",
		head + `,"organization":{"name":"x"}}`:                                                      `unknown field "name"`,
		head + `,"trails":[{}]}`:                                                                    `trails: trail 1: no TrailARN; expected the output of "aws cloudtrail describe-trails"`,
		head + `,"trails":"main"}`:                                                                  "trails: not JSON; expected the output of",
		head + `,"trails":{"Trails":[]}}`:                                                           "output of list-trails",
		head + `,"trails":[{"TrailARN":"main","S3BucketName":"logs"}]}`:                             `TrailARN "main" is no trail's ARN; expected`,
		head + `,"statuses":[{}]}`:                                                                  `statuses[0]: there is no trail ""; expected`,
		head + trails + `,"statuses":{"main":{"IsLogging":"yes"}}}`:                                 `statuses["main"]: IsLogging is a string; expected true or false`,
		head + trails + `,"statuses":{"main":7}}`:                                                   `statuses["main"]: it is a number; expected the output of "aws cloudtrail get-trail-status"`,
		head + trails + `,"statuses":{"none":{"IsLogging":true}}}`:                                  `there is no trail "none"; expected the name or the ARN`,
		head + trails + `,"statuses":{"more":{"IsLogging":true}}}`:                                  `2 trails have the name "more"; expected an ARN`,
		head + trails + `,"statuses":[{"IsLogging":true}]}`:                                         "it does not say of which trail it is; expected an object",
		head + trails + `,"statuses":"main"}`:                                                       "statuses: it is a string; expected an object",
		head + trails + `,"statuses":[{"arn":"main","loging":true}]}`:                               `unknown field "loging"; expected the output of "aws cloudtrail get-trail-status"`,
		head + trails + `,"statuses":[{"arn":"main"},{"arn":"main"}]}`:                              "there is another of trail arn:aws:cloudtrail:us-east-1:111111111111:trail/main; expected one",
		head + trails + `,"statuses":{"main":{"IsLogging":true,"LatestDeliveryTime":"yesterday"}}}`: `"yesterday" is no time; expected one as the AWS CLI prints it`,
		head + trails + `,"statuses":{"main":{"IsLogging":true,"LatestDeliveryTime":1e300}}}`:       `1e300 is no time`,
		head + `,"buckets":[{}]}`:                                                                   `buckets[0]: name is ""; expected the name of a bucket`,
		head + `,"buckets":[{"name":"s3://logs"}]}`:                                                 `name is "s3://logs"; expected`,
		head + `,"buckets":"logs"}`:                                                                 "buckets: it is a string; expected a list",
		head + `,"buckets":["logs"]}`:                                                               "buckets[0]: it is a string; expected a list of objects with name and policy",
		head + `,"buckets":[{"name":"logs","polcy":{}}]}`:                                           `buckets[0]: unknown field "polcy"; expected`,
		head + `,"buckets":[{"name":"logs","policy":7}]}`:                                           `buckets[0]: policy is a number; expected a policy, or the output of "aws s3api get-bucket-policy"`,
		head + `,"buckets":[{"name":"logs","policy":"Allow"}]}`:                                     "buckets[0]: policy is no JSON; expected",
		head + `,"buckets":[{"name":"logs","policy":""}]}`:                                          "buckets[0]: policy is an empty string; expected",
		head + `,"buckets":{"logs":{"Policy":["x"]}}}`:                                              `buckets["logs"]: policy is a list; expected`,
		head + `,"buckets":[{"name":"logs","owner":"acme"}]}`:                                       `owner is "acme"; expected an account id`,
		head + `,"buckets":[{"name":"logs","region":"Frankfurt"}]}`:                                 `region is "Frankfurt"; expected a region`,
		head + `,"buckets":[{"name":"logs","unreadable":"yes"}]}`:                                   "unreadable is a string; expected true or false",
		head + `} {}`: "more than one JSON value; expected",
		head + `,"buckets":[{"name":"a"},{"name":"a"}]}`:       "twice",
		head + `,"buckets":[{"name":"a","payer":"somebody"}]}`: "expected BucketOwner or Requester",
	} {
		_, err := inmem.ReadDescription(strings.NewReader(input))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "expected") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", input, err, want)
		}
	}
	d, err := inmem.ReadDescription(strings.NewReader(
		head + `,"buckets":[{"name":"a","policy":"{}"},{"name":"b","policy":{"x": 1}},{"name":"c","policy":null}]}`))
	if err != nil || string(d.Buckets[0].Policy) != "{}" || string(d.Buckets[1].Policy) != `{"x": 1}` || len(d.Buckets[2].Policy) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

// What the AWS CLI prints is taken as it is.
func TestReadDescriptionOfOutputs(t *testing.T) {
	const (
		arn    = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"
		listed = `{"Name":"main","S3BucketName":"logs","S3KeyPrefix":"audit","SnsTopicName":"t","SnsTopicARN":"arn:aws:sns:us-east-1:111111111111:t",` +
			`"IncludeGlobalServiceEvents":true,"IsMultiRegionTrail":true,"HomeRegion":"us-east-1","TrailARN":"` + arn + `","LogFileValidationEnabled":true,` +
			`"CloudWatchLogsLogGroupArn":"arn:aws:logs:us-east-1:111111111111:log-group:g:*","CloudWatchLogsRoleArn":"arn:aws:iam::111111111111:role/r",` +
			`"KmsKeyId":"arn:aws:kms:us-east-1:111111111111:key/k","HasCustomEventSelectors":false,"HasInsightSelectors":false,"IsOrganizationTrail":false}`
		two = `{"IsLogging":true,"LatestDeliveryError":"AccessDenied","LatestDeliveryTime":"2026-09-13T17:48:37.123000+02:00","StartLoggingTime":"2026-09-01T00:00:00+00:00",` +
			`"LatestDigestDeliveryTime":"2026-09-13T15:00:00+00:00","LatestDeliveryAttemptTime":"2026-09-13T15:50:37Z","LatestNotificationAttemptTime":"",` +
			`"LatestNotificationAttemptSucceeded":"","LatestDeliveryAttemptSucceeded":"2026-09-13T15:48:37Z","TimeLoggingStarted":"2026-09-01T00:00:00Z","TimeLoggingStopped":""}`
		one = `{"IsLogging":true,"LatestDeliveryError":"AccessDenied","LatestDeliveryTime":1789314517.123,"StartLoggingTime":1788220800.0,` +
			`"LatestDigestDeliveryTime":1789311600.0,"LatestDeliveryAttemptTime":"2026-09-13T15:50:37Z","TimeLoggingStopped":""}`
		policy = `{"Version":"2012-10-17","Statement":[]}`
		output = `{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}`
	)
	want := inmem.Description{
		Account: "111111111111", Region: "us-east-1",
		Trails: []trail.Trail{{
			Name: "main", ARN: arn, HomeRegion: "us-east-1", Bucket: "logs", Prefix: "audit", MultiRegion: true, LogFileValidation: true,
			KMSKeyID: "arn:aws:kms:us-east-1:111111111111:key/k", GlobalEvents: true, SNSTopic: "arn:aws:sns:us-east-1:111111111111:t",
			LogGroup: "arn:aws:logs:us-east-1:111111111111:log-group:g:*", LogRole: "arn:aws:iam::111111111111:role/r",
		}},
		Statuses: []trail.Status{{
			ARN: arn, Logging: true, DeliveryError: "AccessDenied", DeliveredAt: time.Date(2026, 9, 13, 15, 48, 37, 123e6, time.UTC),
			DeliveryAttempt:   time.Date(2026, 9, 13, 15, 50, 37, 0, time.UTC),
			DigestDeliveredAt: time.Date(2026, 9, 13, 15, 0, 0, 0, time.UTC), StartedLoggingAt: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		}},
		Buckets: []inmem.Bucket{{Name: "logs", Policy: []byte(policy)}},
	}
	for _, trails := range []string{`{"trailList":[` + listed + `]}`, `[` + listed + `]`, `[` + listed + `,` + listed + `]`, `{"Trail":` + listed + `}`} {
		for _, statuses := range []string{
			two, one, `[` + two + `]`, `{"main":` + one + `}`, `{"` + arn + `":` + two + `}`,
			`[{"Name":"main",` + two[1:] + `]`, `[{"TrailARN":"` + arn + `",` + one[1:] + `]`,
			`{"main":{"logging":true,"deliveryError":"AccessDenied","deliveredAt":"2026-09-13T15:48:37.123Z","deliveryAttempt":"2026-09-13T15:50:37Z",` +
				`"digestDeliveredAt":"2026-09-13T15:00:00Z","startedLoggingAt":"2026-09-01T00:00:00Z"}}`,
		} {
			for _, buckets := range []string{
				`[{"name":"logs","policy":` + policy + `}]`, `[{"name":"logs","policy":` + output + `}]`, `[{"Name":"logs",` + output[1:] + `]`,
				`{"logs":` + output + `}`, `{"logs":` + policy + `}`, `{"logs":{"policy":` + output + `}}`, `{"logs":` + quote(output) + `}`,
			} {
				d, err := inmem.ReadDescription(strings.NewReader(head + `,"trails":` + trails + `,"statuses":` + statuses + `,"buckets":` + buckets + `}`))
				for i := range d.Statuses {
					s := &d.Statuses[i]
					s.DeliveredAt = s.DeliveredAt.Round(time.Millisecond) // a float is not exact
				}
				if diff := cmp.Diff(want, d); diff != "" || err != nil {
					t.Fatalf("%s\n%s\n%s: %v (-want +got):\n%s", trails, statuses, buckets, err, diff)
				}
			}
		}
	}
	for _, none := range []string{`null`, `[]`, `{"trailList":[]}`} {
		if d, err := inmem.ReadDescription(strings.NewReader(head + `,"trails":` + none + `,"buckets":{}}`)); err != nil || len(d.Trails) != 0 {
			t.Errorf("%s: %+v, %v", none, d, err)
		}
	}
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// Whatever is in a file, the error is one line.
func FuzzReadDescription(f *testing.F) {
	f.Add(head + `,"trails":{"trailList":[]},"statuses":{"main":{"IsLogging":true}},"buckets":{"logs":{"Policy":"{}"}}}`)
	f.Add(head + `,"buckets":[{"name":"logs","policy":"\"\\\"{}\\\"\""}]}`)
	f.Fuzz(func(t *testing.T, input string) {
		d, err := inmem.ReadDescription(strings.NewReader(input))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.Contains(err.Error(), "expected") {
				t.Fatalf("%q: %v", input, err)
			}
			return
		}
		if _, err := inmem.ReadDescription(bytes.NewReader([]byte(text(t, d)))); err != nil {
			t.Fatalf("%q does not read back: %v", input, err)
		}
	})
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

// The outputs of get-event-selectors, as they are.
func TestReadDescriptionWithSelectors(t *testing.T) {
	const head = `{"account":"111111111111","region":"us-east-1","buckets":[],"trails":[` +
		`{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","S3BucketName":"logs","HasCustomEventSelectors":true}],"selectors":`
	const output = `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":false,"DataResources":[]}]}`
	for _, selectors := range []string{output, "[" + output + "]"} {
		d, err := inmem.ReadDescription(strings.NewReader(head + selectors + "}"))
		if err != nil {
			t.Fatal(err)
		}
		asked, _, err := inmem.New(d).Status(t.Context(), d.Account, trail.Trail{ARN: d.Trails[0].ARN, CustomSelectors: true})
		if want := (trail.Unlogged{Reads: true, Writes: true}); err != nil || asked.Unlogged != want {
			t.Errorf("%+v, %v", asked, err)
		}
	}
	for _, selectors := range []string{"7", `"all"`, `[7]`, `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/other","EventSelectors":[]}`} {
		if _, err := inmem.ReadDescription(strings.NewReader(head + selectors + "}")); err == nil || !strings.Contains(err.Error(), "get-event-selectors") {
			t.Errorf("%s: %v", selectors, err)
		}
	}
}
