package e2e

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecurityHub lets the alerts of an outage go from the guard through the topic to the
// function for Security Hub: one finding, which is settled in the end.
func TestSecurityHub(t *testing.T) {
	w := deploy(t, with("SECURITY_HUB", "true"))
	w.healthy(documented())
	hub := startFunction(t, "securityhub", map[string]string{"TRAILWARDEN_ACCOUNT": account})
	status, out := send(t, "securityhub", "POST", "/accounts", nil, []byte(`{}`))
	if status != 200 {
		t.Fatalf("Security Hub cannot be enabled: %s", out)
	}

	putPolicy(t, bucket, policy(tlsOnly))
	w.happens("put-bucket-policy")
	mail := w.told("opened")[0]
	if strings.HasPrefix(mail.Message, "{") {
		t.Errorf("the mail has the form for programs:\n%s", mail.Message)
	}
	mail.says(t, account+` "acme-logging"`)
	w.imports(hub)
	opened := findings(t)
	putPolicy(t, bucket, documented())
	w.happens("put-bucket-policy")
	w.told("resolved")
	settled := w.imports(hub)

	if len(opened) != 1 || opened[0].AccountID != account || opened[0].Severity.Label != "CRITICAL" ||
		opened[0].Workflow.Status != "NEW" || !strings.Contains(opened[0].Title, bucket) || len(opened[0].Resources) != 2 {
		t.Errorf("the finding of the outage is %+v", opened)
	}
	now := findings(t)
	if len(now) != 1 || now[0].ID != opened[0].ID || now[0].Compliance.Status != "PASSED" || now[0].UpdatedAt <= opened[0].UpdatedAt {
		t.Errorf("in the end it is %+v", now)
	}
	want := object{
		"FindingIdentifiers": []any{object{"Id": opened[0].ID, "ProductArn": opened[0].ProductARN}},
		"Workflow":           object{"Status": "RESOLVED"},
	}
	if len(settled) != 1 || cmp.Diff(want, settled[0]) != "" {
		t.Errorf("the workflow was written as %v, want %v", settled, want)
	}

	// What is no alert, and what Security Hub does not take, is a failed invocation, which Lambda keeps.
	if got := hub.invoke(t, notification(t, "hello")); got.ErrorMessage == "" {
		t.Errorf("a text is taken for an alert: %+v", got)
	}
	w.breaks(func(c apiCall) *failure { return &failure{Status: 401, Code: "InvalidAccessException"} })
	if got := hub.invoke(t, notification(t, strings.Replace(alertJSON, "$ACCOUNT", account, 1))); !strings.Contains(got.ErrorMessage, "InvalidAccessException") {
		t.Errorf("Security Hub is not enabled: %+v", got)
	}
}

const alertJSON = `{"version":1,"kind":"opened","action":"trigger","incident":"trailwarden-1","account":"$ACCOUNT","at":"2026-09-13T17:50:38Z"}`

type hubFinding struct {
	ID                   string `json:"Id"`
	ProductARN           string `json:"ProductArn"`
	AccountID            string `json:"AwsAccountId"`
	Title, UpdatedAt     string
	Severity             struct{ Label string }
	Workflow, Compliance struct{ Status string }
	Resources            []object
}

// findings returns what Security Hub has.
func findings(t *testing.T) []hubFinding {
	t.Helper()
	_, out := send(t, "securityhub", "POST", "/findings", nil, []byte(`{}`))
	var all struct{ Findings []hubFinding }
	decode(t, out, &all)
	return all.Findings
}

// imports hands the function what SNS would: of each message since the last call, the form for
// functions. It returns how the function wrote workflows.
func (w *world) imports(hub *function) (workflows []object) {
	w.t.Helper()
	shared.aws.mu.Lock()
	calls := shared.aws.calls
	shared.aws.calls = nil
	shared.aws.mu.Unlock()
	for _, c := range calls {
		if c.Op != "sns:Publish" {
			continue
		}
		form, err := url.ParseQuery(string(c.Body))
		if err != nil || form.Get("MessageStructure") != "json" {
			w.t.Fatalf("published %v, %v", form, err)
		}
		var byProtocol map[string]string
		decode(w.t, []byte(form.Get("Message")), &byProtocol)
		if got := hub.invoke(w.t, notification(w.t, byProtocol["lambda"])); got.ErrorMessage != "" {
			w.t.Fatalf("not imported: %+v", got)
		}
	}
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	for _, c := range shared.aws.calls {
		if c.Op == "securityhub:BatchUpdateFindings" {
			var in object
			decode(w.t, c.Body, &in)
			workflows = append(workflows, in)
		}
	}
	shared.aws.calls = nil
	return workflows
}

// notification is how SNS calls a function.
func notification(t *testing.T, message string) json.RawMessage {
	t.Helper()
	return encode(t, object{"Records": []object{{
		"EventSource": "aws:sns", "EventVersion": "1.0",
		"Sns": object{"Type": "Notification", "MessageId": "m", "TopicArn": topicARN, "Message": message},
	}}})
}
