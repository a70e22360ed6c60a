package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// hubFunctions are functions that serve an organization of three accounts, on a fake AWS.
func hubFunctions(t *testing.T, log, metrics *bytes.Buffer) (*Functions, *awsfake.Server) {
	t.Helper()
	fake := awsfake.New(t, "111122223333", "eu-west-1")
	fake.Organization = &trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "444455556666"}
	fake.Members = [][]inventory.Member{{}, {
		{ID: "111122223333", State: inventory.Active}, {ID: "444455556666", State: inventory.Active}, {ID: "777788889999", State: "SUSPENDED"},
	}}
	env := with(map[string]string{
		"TRAILWARDEN_ACCOUNT": "111122223333", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": fake.URL,
		"TRAILWARDEN_SCOPE": "organization", "TRAILWARDEN_ROLE": "trailwarden/reader", "TRAILWARDEN_TABLE": "table",
	})
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "ASIA111122223333", "secret"
	c, err := ReadConfig(lookupIn(env))
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFunctions(t.Context(), c, lookupIn(env), slog.New(slog.NewJSONHandler(log, nil)), metrics)
	if err != nil {
		t.Fatal(err)
	}
	return f, fake
}

// The steps hand on what they came to, and the last one sums it up.
func TestStepsOfASweep(t *testing.T) {
	t.Parallel()
	var log, metrics bytes.Buffer
	f, fake := hubFunctions(t, &log, &metrics)
	own := "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{Name: "main", ARN: own, HomeRegion: "eu-west-1", Bucket: "logs"}})
	fake.PutBucket(awsfake.Bucket{Name: "logs"})
	ask := func(payload string) string {
		t.Helper()
		out, err := f.Sweep(t.Context(), json.RawMessage(payload))
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		return string(out)
	}
	for _, step := range []struct{ payload, want string }{
		{`{"step":"plan-accounts"}`, `{"parts":[{}],"failed":0}`},
		{`{"step":"accounts","part":{}}`, `{"accounts":1,"failed":0}`},
		{`{"step":"plan-buckets"}`, `{"parts":[{}],"failed":0}`},
		{`{"step":"buckets","part":{}}`, `{"trails":1,"buckets":1,"failed":0}`},
	} {
		if diff := cmp.Diff(step.want, ask(step.payload)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.payload, diff)
		}
	}
	done := ask(`{"step":"finish","accounts":{"failed":0,"swept":[{"accounts":1,"failed":0}]},"buckets":{"failed":0,"swept":[{"trails":1,"buckets":1,"failed":0}]}}`)
	if diff := cmp.Diff(`{"accounts":1,"trails":1,"buckets":1,"failed":0}`, done); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(metrics.String(), `"SweepCompleted":1`) || strings.Contains(metrics.String(), `"SweepCompleted":0`) {
		t.Errorf("metrics %s", metrics.String())
	}
	metrics.Reset()
	// A part that nobody looked at: the sweep is not complete.
	ask(`{"step":"finish","accounts":{"failed":1},"buckets":{"failed":0,"swept":[{"failed":1,"lost":1}]}}`)
	if !strings.Contains(metrics.String(), `"SweepCompleted":0`) || !strings.Contains(metrics.String(), `"SweepFailures":1`) {
		t.Errorf("metrics %s", metrics.String())
	}
}

// Accepted weaknesses that are of no use are counted once, when all parts are done: each part knows of its
// own buckets alone.
func TestAcceptedIdleOfAnOrganization(t *testing.T) {
	t.Parallel()
	entry := func(bucket, until string) delivery.Acceptance {
		return delivery.Acceptance{Finding: delivery.SourceARNMissingID, Bucket: bucket, Reason: "r", Owner: "platform", Until: until}
	}
	for name, test := range map[string]struct {
		entries []delivery.Acceptance
		parts   string // of the buckets
		want    string
		says    string
	}{
		"none":                       {nil, `{"failed":0}`, "", ""},
		"each of use in one part":    {[]delivery.Acceptance{entry("a", "2126-12-31"), entry("b", "2126-12-31")}, `{"accepted":[1]},{"accepted":[0]}`, "0", ""},
		"one of no use":              {[]delivery.Acceptance{entry("a", "2126-12-31"), entry("b", "2126-12-31")}, `{"accepted":[0]},{"failed":0}`, "1", "source-arn-missing of b, accepts nothing"},
		"one of no use, and a loss":  {[]delivery.Acceptance{entry("a", "2126-12-31"), entry("b", "2126-12-31")}, `{"accepted":[0]},{"failed":1,"lost":1}`, "0", ""},
		"one has ended, and a loss":  {[]delivery.Acceptance{entry("a", "2026-01-31")}, `{"failed":1,"lost":1}`, "1", "has ended on 2026-01-31"},
		"a part has another version": {[]delivery.Acceptance{entry("a", "2126-12-31")}, `{"accepted":[0,7]}`, "0", ""},
	} {
		var log, metrics bytes.Buffer
		f, fake := hubFunctions(t, &log, &metrics)
		fake.PutTrail(awsfake.Trail{Trail: trail.Trail{Name: "main", ARN: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", HomeRegion: "eu-west-1", Bucket: "logs"}})
		fake.PutBucket(awsfake.Bucket{Name: "logs"})
		f.accepted = test.entries
		for _, payload := range []string{
			`{"step":"plan-accounts"}`, `{"step":"buckets","part":{}}`,
			`{"step":"finish","accounts":{"failed":0},"buckets":{"failed":0,"swept":[` + test.parts + `]}}`,
		} {
			if strings.Contains(metrics.String(), MetricAcceptedIdle) {
				t.Errorf("%s: counted before the end", name)
			}
			if _, err := f.Sweep(t.Context(), json.RawMessage(payload)); err != nil {
				t.Fatal(err)
			}
		}
		_, counted, _ := strings.Cut(metrics.String(), `"AcceptedIdle":`)
		if got, _, _ := strings.Cut(counted, ","); got != test.want || !strings.Contains(log.String(), test.says) {
			t.Errorf("%s: counted %q, want %q; log %s", name, got, test.want, log.String())
		}
	}
}

// What a part accepted is handed on.
func TestPartSaysWhatItAccepted(t *testing.T) {
	t.Parallel()
	var log, metrics bytes.Buffer
	f, _ := hubFunctions(t, &log, &metrics)
	f.accepted = []delivery.Acceptance{{Finding: "x", Bucket: "a"}, {Finding: "x", Bucket: "b"}, {Finding: "x", Bucket: "c"}}
	done := f.reportSwept(t.Context(), guardrail.SweepResult{Results: []guardrail.Result{
		{Bucket: "b", Accepted: []delivery.AcceptedFinding{{By: f.accepted[1]}, {By: f.accepted[1]}}}, {Bucket: "d"},
	}}, 0)
	if diff := cmp.Diff([]int{1}, done.Accepted); diff != "" {
		t.Error(diff)
	}
}

// A step that is not known, or that is not for this stack, is done by nobody unseen.
func TestStepsThatAreRefused(t *testing.T) {
	t.Parallel()
	var log, metrics bytes.Buffer
	f, _ := hubFunctions(t, &log, &metrics)
	if out, err := f.Sweep(t.Context(), json.RawMessage(`{"step":"dance"}`)); err == nil {
		t.Errorf("got %s", out)
	}
	f.organization = false
	if out, err := f.Sweep(t.Context(), json.RawMessage(`{"step":"finish"}`)); err == nil {
		t.Errorf("got %s", out)
	}
}

func TestOrganizationNeedsTableAndRole(t *testing.T) {
	t.Parallel()
	env := with(map[string]string{"TRAILWARDEN_SCOPE": "organization", "TRAILWARDEN_TABLE": "", "TRAILWARDEN_ROLE": ""})
	_, err := ReadConfig(lookupIn(env))
	if err == nil || !strings.Contains(err.Error(), "TRAILWARDEN_TABLE is not set") || !strings.Contains(err.Error(), "TRAILWARDEN_ROLE is not set") {
		t.Errorf("got %v", err)
	}
	if _, err := ReadConfig(lookupIn(with(map[string]string{"TRAILWARDEN_SCOPE": "galaxy"}))); err == nil {
		t.Error("it is taken")
	}
}
