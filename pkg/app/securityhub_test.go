package app

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
)

// notification is an event of SNS with messages.
func notification(t *testing.T, messages ...string) json.RawMessage {
	t.Helper()
	var records []map[string]any
	for _, m := range messages {
		records = append(records, map[string]any{"EventSource": "aws:sns", "Sns": map[string]any{"MessageId": "m", "Message": m}})
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// incident are the alerts of an outage: found, reminded of, and at its end.
func incident(t *testing.T) [3]string {
	t.Helper()
	text, err := os.ReadFile("../alert/testdata/opened-policy-deleted.json.golden")
	if err != nil {
		t.Fatal(err)
	}
	var all [3]string
	for i, change := range []map[string]any{
		{},
		{"kind": "reminder", "at": "2026-09-14T17:50:38Z"},
		{"kind": "resolved", "action": "resolve", "verdict": "delivering", "severity": "INFORMATIONAL", "at": "2026-09-14T18:50:38Z"},
	} {
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		maps.Copy(doc, change)
		out, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(out)
	}
	return all
}

func hub(t *testing.T, fake *awsfake.Server) *SecurityHub {
	t.Helper()
	env := map[string]string{
		"TRAILWARDEN_ACCOUNT": account, "AWS_REGION": region, "AWS_ENDPOINT_URL": fake.URL,
		"AWS_ACCESS_KEY_ID": "ASIA" + account, "AWS_SECRET_ACCESS_KEY": "secret",
	}
	h, err := NewSecurityHub(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// However often the alerts of an outage come, and in whatever order, there is one finding of it,
// as the last one says it is.
func TestSecurityHubInAnyOrder(t *testing.T) {
	t.Parallel()
	alerts := incident(t)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 0, 2, 2}, {2, 1, 0, 1, 2}} {
		fake := awsfake.New(t, account, region)
		h := hub(t, fake)
		for _, i := range order {
			if err := h.Import(t.Context(), notification(t, alerts[i])); err != nil {
				t.Fatal(err)
			}
			if f := fake.Findings(); len(f) != 1 {
				t.Errorf("%v: %d findings", order, len(f))
			}
		}
		for id, f := range fake.Findings() {
			if f.Workflow.Status != "RESOLVED" || !strings.HasPrefix(f.UpdatedAt.String(), "2026-09-14 18:50:38") {
				t.Errorf("%v: %s is %s, of %s", order, id, f.Workflow.Status, f.UpdatedAt)
			}
		}
	}
	fake := awsfake.New(t, account, region)
	if err := hub(t, fake).Import(t.Context(), notification(t, alerts[0], alerts[1])); err != nil {
		t.Fatal(err)
	}
	for _, f := range fake.Findings() {
		if f.Workflow.Status != "NEW" {
			t.Errorf("an outage that lasts is %s", f.Workflow.Status)
		}
	}
}

// What does not become a finding is a failure of the invocation, and keeps no other from it.
func TestSecurityHubFails(t *testing.T) {
	t.Parallel()
	alerts := incident(t)
	fake := awsfake.New(t, account, region)
	h := hub(t, fake)
	for name, payload := range map[string]json.RawMessage{
		"no event":      json.RawMessage(`"text"`),
		"another event": json.RawMessage(`{"detail-type":"AWS API Call via CloudTrail"}`),
		"a text":        notification(t, "Subject: CRITICAL"),
		"one of two":    notification(t, "Subject: CRITICAL", alerts[0]),
	} {
		if err := h.Import(t.Context(), payload); err == nil {
			t.Errorf("%s: no failure", name)
		}
	}
	if len(fake.Findings()) != 1 {
		t.Errorf("findings %v; want the one alert among the messages", fake.Findings())
	}
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		return &awsfake.Fault{Status: http.StatusUnauthorized, Code: "InvalidAccessException"}
	})
	if err := h.Import(t.Context(), notification(t, alerts[2])); err == nil {
		t.Error("Security Hub is not enabled: no failure")
	}
}

func TestSecurityHubConfiguration(t *testing.T) {
	t.Parallel()
	_, err := NewSecurityHub(func(string) (string, bool) { return "", false }, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"TRAILWARDEN_ACCOUNT", "AWS_REGION", "AWS_ACCESS_KEY_ID"} {
		if !slices.Contains(strings.Fields(err.Error()), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
