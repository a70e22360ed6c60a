package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	account  = "111111111111"
	region   = "us-east-1"
	bucket   = "acme-audit-logs"
	trailARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/main"
	foreign  = `{"Sid":"Mine","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},` +
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-audit-logs/*"}`
	brokenOne = `{"Version":"2012-10-17","Statement":[` + foreign + `]}`
)

func healthyOne() string {
	const grant = `{"Sid":%q,"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":%q,` +
		`"Resource":"arn:aws:s3:::acme-audit-logs%s","Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"%s}}}`
	return `{"Version":"2012-10-17","Statement":[` + foreign + "," +
		fmt.Sprintf(grant, "Check", "s3:GetBucketAcl", "", "") + "," +
		fmt.Sprintf(grant, "Write", "s3:PutObject", "/AWSLogs/111111111111/*", `,"s3:x-amz-acl":"bucket-owner-full-control"`) + `]}`
}

// harness is the functions on an account behind HTTP.
type harness struct {
	*Functions
	fake    *awsfake.Server
	metrics *bytes.Buffer
	log     *bytes.Buffer
}

func newHarness(t *testing.T, policy string, more map[string]string, changes ...func(*Config)) harness {
	t.Helper()
	fake := awsfake.New(t, account, region)
	fake.PutBucket(awsfake.Bucket{Name: bucket, Policy: policy})
	fake.PutTrail(awsfake.Trail{
		Trail:  trail.Trail{Name: "main", ARN: trailARN, HomeRegion: region, Bucket: bucket, MultiRegion: true, LogFileValidation: true},
		Status: trail.Status{Logging: true},
	})
	variables := with(map[string]string{
		"AWS_REGION": region, "TRAILWARDEN_ACCOUNT": account, "TRAILWARDEN_TABLE": "memory",
		"TRAILWARDEN_TOPIC_ARN": "arn:aws:sns:us-east-1:111111111111:alerts",
	})
	maps.Copy(variables, more)
	config, err := ReadConfig(lookupIn(variables))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(&config)
	}
	p, err := Ports(awsapi.NewClients(awsapi.Options{Config: fake.Config(), Account: account}), config.TopicARN, config.ChatTopicARN, config.Table)
	if err != nil {
		t.Fatal(err)
	}
	b := harness{fake: fake, metrics: &bytes.Buffer{}, log: &bytes.Buffer{}}
	clock := &clock{}
	r := guardrail.Runtime{Now: clock.now, Sleep: clock.sleep, Log: slog.New(slog.NewJSONHandler(b.log, nil))}
	b.Functions = newFunctions(config, p, r, "guard", b.metrics)
	return b
}

// clock is a clock that sleeping puts forward.
type clock struct{ slept atomic.Int64 }

func (c *clock) now() time.Time { return eventTime().Add(time.Minute + time.Duration(c.slept.Load())) }

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.slept.Add(int64(d))
	return ctx.Err()
}

// eventTime is when the events of the sample files happened, or soon after.
func eventTime() time.Time { return time.Date(2026, 9, 13, 17, 50, 37, 0, time.UTC) }

func event(t *testing.T, name string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sum adds the values of a metric up.
func (b harness) sum(t *testing.T, name string) float64 {
	t.Helper()
	total := 0.0
	for line := range strings.Lines(b.metrics.String()) {
		var values map[string]any
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if value, ok := values[name].(float64); ok {
			total += value
		}
	}
	return total
}

func operations(calls []awsfake.Call) string {
	var names []string
	for _, c := range calls {
		names = append(names, c.Operation)
	}
	return strings.Join(names, " ")
}

func TestGuardCostsLittle(t *testing.T) {
	t.Parallel()
	t.Run("bucket that no trail uses", func(t *testing.T) {
		t.Parallel()
		b := newHarness(t, healthyOne(), map[string]string{"TRAILWARDEN_TABLE": ""})
		if _, err := b.Guard(t.Context(), event(t, "delete-bucket-policy-other-bucket")); err != nil {
			t.Fatal(err)
		}
		if calls := b.fake.Calls(); len(calls) != 2 {
			t.Errorf("calls: %s", operations(calls))
		}
	})
	t.Run("healthy bucket", func(t *testing.T) {
		t.Parallel()
		b := newHarness(t, healthyOne(), map[string]string{"TRAILWARDEN_TABLE": ""})
		if _, err := b.Guard(t.Context(), event(t, "put-bucket-policy")); err != nil {
			t.Fatal(err)
		}
		// Two to find the trails; policy, payer, status and organization at once.
		if calls := b.fake.Calls(); len(calls) != 6 {
			t.Errorf("calls: %s", operations(calls))
		}
		if len(b.fake.Messages()) != 0 || b.sum(t, MetricVerdicts) != 1 || b.sum(t, MetricOutages) != 0 {
			t.Errorf("messages %v, metrics %s", b.fake.Messages(), b.metrics)
		}
	})
}

func TestGuardTellsAndRestores(t *testing.T) {
	t.Parallel()
	b := newHarness(t, brokenOne, map[string]string{"TRAILWARDEN_RESTORE_BUCKETS": bucket})
	answer, err := b.Guard(t.Context(), event(t, "put-bucket-policy"))
	if err != nil {
		t.Fatal(err)
	}
	policy := b.fake.Bucket(bucket).Policy
	if !strings.Contains(policy, "cloudtrail.amazonaws.com") || !strings.Contains(policy, `"Sid":"Mine"`) {
		t.Errorf("policy is %s", policy)
	}
	if messages := b.fake.Messages(); len(messages) != 1 || messages[0].Attributes["kind"] != "restored" {
		t.Errorf("messages: %+v", messages)
	}
	for name, want := range map[string]float64{MetricAlertsSent: 1, MetricAlertsFailed: 0, MetricRepairs: 1, MetricOutages: 0} {
		if got := b.sum(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if delay := b.sum(t, MetricEventToAlertSeconds); delay < 60 || delay > 120 {
		t.Errorf("%v seconds from event to alert", delay)
	}
	var done outcome
	if err := json.Unmarshal(answer, &done); err != nil || len(done.Buckets) != 1 || !done.Buckets[0].Repaired {
		t.Errorf("answer %s, %v", answer, err)
	}
	// The event of our own write, and the same event once more, change nothing.
	for _, name := range []string{"put-bucket-policy-own", "put-bucket-policy"} {
		if _, err := b.Guard(t.Context(), event(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	if again := b.fake.Bucket(bucket).Policy; again != policy || len(b.fake.Messages()) != 1 {
		t.Errorf("%d messages, policy %s", len(b.fake.Messages()), again)
	}
}

// A region that is not known is no reason to look away. The log says that it was
// strange.
func TestGuardOverStrangeRegions(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Frankfurt": "the event names a region that is not spelled like one",
		"":          "the event names no region",
		"us-moon-1": "the region us-moon-1 is not known to this version",
	} {
		b := newHarness(t, brokenOne, nil)
		payload := bytes.ReplaceAll(event(t, "put-bucket-policy"), []byte(`"us-east-1"`), []byte(`"`+given+`"`))
		answer, err := b.Guard(t.Context(), payload)
		if err != nil {
			t.Fatal(given, err)
		}
		var done outcome
		if err := json.Unmarshal(answer, &done); err != nil || len(done.Buckets) != 1 || !strings.HasPrefix(done.Warning, want) {
			t.Errorf("%q: answer %s, %v", given, answer, err)
		}
		if len(b.fake.Messages()) != 1 || !strings.Contains(b.log.String(), `"level":"WARN"`) || !strings.Contains(b.log.String(), want) {
			t.Errorf("%q: %d messages, log %s", given, len(b.fake.Messages()), b.log)
		}
	}
}

// A failure on the wire leaves nothing undone once the retry has run.
func TestGuardOverFaults(t *testing.T) {
	t.Parallel()
	faults := map[string]awsfake.Fault{
		"5xx":           {Status: http.StatusInternalServerError, Code: "InternalError"},
		"aborted":       {Status: http.StatusConflict, Code: "OperationAborted"},
		"reset":         {Drop: true},
		"lost response": {Drop: true, Late: true},
	}
	cases := 0
	for _, operation := range []string{
		"cloudtrail:ListTrails", "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus",
		"s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:PutBucketPolicy",
		"dynamodb:GetItem", "dynamodb:PutItem", "organizations:DescribeOrganization", "sns:Publish",
	} {
		for title, fault := range faults {
			for _, persistent := range []bool{false, true} {
				cases++
				t.Run(fmt.Sprintf("%s %s persistent=%v", operation, title, persistent), func(t *testing.T) {
					t.Parallel()
					guardOverFault(t, operation, fault, persistent)
				})
			}
		}
	}
	t.Logf("%d faults on the wire", cases)
}

func guardOverFault(t *testing.T, operation string, fault awsfake.Fault, persistent bool) {
	t.Helper()
	b := newHarness(t, brokenOne, map[string]string{"TRAILWARDEN_RESTORE_BUCKETS": bucket})
	var once sync.Once
	b.fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation != operation {
			return nil
		}
		failing := persistent
		once.Do(func() { failing = true })
		if !failing {
			return nil
		}
		return &fault
	})
	_, first := b.Guard(t.Context(), event(t, "put-bucket-policy"))
	b.fake.Fail(nil)
	// Lambda tries a failed event again, and the sweep comes anyway.
	if first != nil {
		_, _ = b.Guard(t.Context(), event(t, "put-bucket-policy"))
	}
	if _, err := b.Sweep(t.Context(), nil); err != nil {
		t.Fatalf("first: %v; sweep: %v", first, err)
	}
	policy := b.fake.Bucket(bucket).Policy
	if !strings.Contains(policy, "cloudtrail.amazonaws.com") || !strings.Contains(policy, `"Sid":"Mine"`) {
		t.Errorf("first: %v; policy is %s", first, policy)
	}
	if len(b.fake.Messages()) == 0 {
		t.Errorf("first: %v; nobody was told", first)
	}
}

// What this account's rights show says nothing of another account.
func TestGuardOnEventsOfOtherAccounts(t *testing.T) {
	t.Parallel()
	b := newHarness(t, healthyOne(), nil)
	text := strings.ReplaceAll(string(event(t, "put-bucket-policy")), account, "999999999999")
	answer, err := b.Guard(t.Context(), json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	if calls := b.fake.Calls(); len(calls) != 0 {
		t.Errorf("calls: %s", operations(calls))
	}
	if !strings.Contains(string(answer), "TRAILWARDEN_ROLE") || !strings.Contains(b.log.String(), `"level":"WARN","msg":"event skipped"`) {
		t.Errorf("answer %s, log: %s", answer, b.log)
	}
}

func TestGuardOnMalformedEvents(t *testing.T) {
	t.Parallel()
	b := newHarness(t, healthyOne(), nil)
	for _, text := range []string{"", "null", "[]", `"x"`, `{"detail":`, `{"detail":[]}`} {
		if _, err := b.Guard(t.Context(), json.RawMessage(text)); err != nil {
			t.Errorf("%q is tried again: %v", text, err)
		}
	}
	if calls := b.fake.Calls(); len(calls) != 0 {
		t.Errorf("calls: %s", operations(calls))
	}
	if !strings.Contains(b.log.String(), `"level":"ERROR","msg":"malformed event"`) {
		t.Errorf("log: %s", b.log)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := newHarness(t, brokenOne, nil)
	if _, err := b.Sweep(t.Context(), event(t, "schedule")); err != nil {
		t.Fatal(err)
	}
	if messages := b.fake.Messages(); len(messages) != 1 || messages[0].Attributes["kind"] != "opened" {
		t.Errorf("messages: %+v", messages)
	}
	b.fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "s3:GetBucketPolicy" {
			return &awsfake.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return nil
	})
	if _, err := b.Sweep(t.Context(), nil); err == nil {
		t.Error("a sweep that could not look is a success")
	}
	b.fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "cloudtrail:ListTrails" {
			return &awsfake.Fault{Status: http.StatusForbidden, Code: "AccessDeniedException"}
		}
		return nil
	})
	if _, err := b.Sweep(t.Context(), nil); err == nil {
		t.Error("a sweep that found no trails out is a success")
	}
	// A sweep that could not list the trails is none, and the alarm is to see it.
	for name, want := range map[string]float64{MetricSweepCompleted: 2, MetricSweepFailures: 2, MetricSweepTrails: 2, MetricAlertsSent: 1} {
		if got := b.sum(t, name); got != want {
			t.Errorf("%s is %v, want %v:\n%s", name, got, want, b.metrics)
		}
	}
}

// The functions as Lambda starts them: from the environment alone.
func TestFunctionsFromEnvironment(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	variables := lookupIn(with(map[string]string{
		"AWS_REGION": region, "TRAILWARDEN_ACCOUNT": account, "AWS_ENDPOINT_URL": fake.URL, "AWS_LAMBDA_FUNCTION_NAME": "stack-Sweep",
		"AWS_ACCESS_KEY_ID": "ASIA" + account,
	}))
	config, err := ReadConfig(variables)
	if err != nil {
		t.Fatal(err)
	}
	var log, metrics bytes.Buffer
	f, err := NewFunctions(t.Context(), config, variables, slog.New(slog.NewJSONHandler(&log, nil)), &metrics)
	if err != nil {
		t.Fatal(err)
	}
	// An account without trails is all that there is to tell.
	const want = `{"buckets":[{"bucket":"account:111111111111","inUse":false,"verdict":"blocked","wrote":false,"repaired":false,"told":["opened"]}]}`
	if answer, err := f.Sweep(t.Context(), nil); err != nil || string(answer) != want {
		t.Errorf("answer %s, %v", answer, err)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, `"version":"`+Version+`"`) {
			t.Errorf("a line of the log does not say which version it is: %s", line)
		}
	}
	if !strings.Contains(log.String(), "there is no memory") || !strings.Contains(metrics.String(), `"FunctionName":"stack-Sweep"`) {
		t.Errorf("log %s, metrics %s", &log, &metrics)
	}
}

func TestFunctionsNeedCredentials(t *testing.T) {
	t.Parallel()
	_, err := NewFunctions(t.Context(), defaults(), lookupIn(nil), slog.New(slog.DiscardHandler), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID is not set") {
		t.Errorf("%v", err)
	}
}
