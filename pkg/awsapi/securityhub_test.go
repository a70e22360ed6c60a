package awsapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/asff"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

func aFinding(status, at string) asff.Finding {
	return asff.Finding{
		ID: "i", ProductArn: "arn:aws:securityhub:" + region + ":" + account + ":product/" + account + "/default",
		AwsAccountID: account, Title: status + " at " + at, UpdatedAt: at, Workflow: asff.Workflow{Status: status},
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	findings := awsapi.NewFindings(clients(fake, ""))
	for _, step := range []struct {
		put    asff.Finding
		title  string
		status string
	}{
		{aFinding("NEW", "2026-09-13T17:50:38Z"), "NEW at 2026-09-13T17:50:38Z", "NEW"},
		{aFinding("NEW", "2026-09-13T17:55:38Z"), "NEW at 2026-09-13T17:55:38Z", "NEW"},
		{aFinding("RESOLVED", "2026-09-13T18:00:38Z"), "RESOLVED at 2026-09-13T18:00:38Z", "RESOLVED"},
		{aFinding("NEW", "2026-09-13T17:55:38Z"), "RESOLVED at 2026-09-13T18:00:38Z", "RESOLVED"}, // late
		{aFinding("RESOLVED", "2026-09-13T18:00:38Z"), "RESOLVED at 2026-09-13T18:00:38Z", "RESOLVED"},
	} {
		if err := findings.Put(t.Context(), step.put); err != nil {
			t.Fatal(err)
		}
		if got := fake.Findings()["i"]; got.Title != step.title || got.Workflow.Status != step.status {
			t.Errorf("after %q: %q, %s", step.put.Title, got.Title, got.Workflow.Status)
		}
	}
}

// A finding that is refused in an answer that is a success is a failure, and so is any other.
func TestFindingsThatFail(t *testing.T) {
	t.Parallel()
	const open, settled = "NEW", "RESOLVED"
	other := aFinding(open, "2026-09-13T17:50:38Z")
	other.AwsAccountID = "999999999999"
	for name, test := range map[string]struct {
		finding asff.Finding
		fault   *awsfake.Fault
		of      string
		says    string
	}{
		"another account": {other, nil, "", "InvalidInput"},
		"not enabled": {
			aFinding(open, "2026-09-13T17:50:38Z"), &awsfake.Fault{Status: http.StatusUnauthorized, Code: "InvalidAccessException"},
			"securityhub:BatchImportFindings", "InvalidAccessException",
		},
		"may not settle": {
			aFinding(settled, "2026-09-13T17:50:38Z"), &awsfake.Fault{Status: http.StatusForbidden, Code: "AccessDeniedException"},
			"securityhub:BatchUpdateFindings", "denied",
		},
		"no answer": {
			aFinding(open, "2026-09-13T17:50:38Z"), &awsfake.Fault{Drop: true}, "securityhub:BatchImportFindings", "transient",
		},
	} {
		fake := awsfake.New(t, account, region)
		fake.Fail(func(c awsfake.Call) *awsfake.Fault {
			if c.Operation == test.of {
				return test.fault
			}
			return nil
		})
		err := awsapi.NewFindings(clients(fake, "")).Put(t.Context(), test.finding)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is not there yet comes again.
	fake := awsfake.New(t, account, region)
	settle := aFinding(settled, "2026-09-13T17:50:38Z")
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "securityhub:BatchImportFindings" {
			return &awsfake.Fault{Status: http.StatusOK}
		}
		return nil
	})
	if err := awsapi.NewFindings(clients(fake, "")).Put(t.Context(), settle); !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%v", err)
	}
}

// Functions that subscribe to the topic get the form for programs, all others what they are
// used to; the longest messages fit together.
func TestAlertsForFunctions(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	alerts, err := awsapi.NewAlerts(clients(fake, ""), "arn:aws:sns:eu-west-1:111122223333:alerts", "arn:aws:sns:eu-west-1:111122223333:chat")
	if err != nil {
		t.Fatal(err)
	}
	quotes := strings.Repeat("\"<&>\u2028\n", 8<<10)
	for _, m := range []alert.Message{
		{Subject: "s", Body: "mail", Chat: "chat", JSON: `{"version":1}`},
		{Subject: "s", Body: quotes[:48<<10], JSON: quotes[:48<<10]},
	} {
		if err := alerts.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, m := range fake.Messages()[:2] {
		got = append(got, m.Body+" "+m.JSON)
	}
	if strings.Join(got, ", ") != `mail {"version":1}, chat ` {
		t.Errorf("published %q", got)
	}
}
