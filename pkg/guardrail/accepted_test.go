package guardrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

func accepting(finding, until string) guardrail.Config {
	return guardrail.Config{
		Restore: []string{bucket}, RemindEvery: 24 * time.Hour, Severity: delivery.Low,
		Accepted: []delivery.Acceptance{{
			Finding: finding, Bucket: bucket, Reason: "it is replaced soon", Owner: "platform", Until: until,
		}},
	}
}

// says fails unless the last alert holds the text, however it is wrapped.
func (w *world) says(t testing.TB, text string) {
	t.Helper()
	if got := strings.Join(strings.Fields(w.lastAlert(t)), " "); !strings.Contains(got, text) {
		t.Errorf("the alert does not say %q:\n%s", text, got)
	}
}

func TestAcceptedWeakness(t *testing.T) {
	t.Parallel()
	weak := policyOf(`{"Sid":"CloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],` +
		`"Resource":["arn:aws:s3:::acme-audit-logs","arn:aws:s3:::acme-audit-logs/AWSLogs/111111111111/*"]}`)
	w := newWorld(t)
	w.config = guardrail.Config{Severity: delivery.Low}
	w.rebuild()
	w.reconcile(t, w.put(t, weak))
	w.wantKinds(t, "opened")

	// It is accepted, until a day.
	w.config = accepting(delivery.SourceARNMissingID, "2026-09-20")
	w.config.Harden = true // and stays as it is, though hardening is on
	w.rebuild()
	swept, err := w.guard.Sweep(t.Context(), account, region)
	if err != nil {
		t.Fatal(err)
	}
	w.wantKinds(t, "opened resolved")
	w.says(t, "is accepted by platform until 2026-09-20: it is replaced soon")
	if got := swept.Results[0].Accepted; len(got) != 1 || got[0].By.Owner != "platform" {
		t.Errorf("accepted %+v", got)
	}
	if w.policy(t) != weak {
		t.Errorf("what is accepted was hardened:\n%s", w.policy(t))
	}

	// An outage is told all the same, whatever is accepted.
	w.reconcile(t, w.put(t, policyOf(reader)))
	if !strings.HasPrefix(w.kinds(), "opened resolved restored") {
		t.Errorf("told %q", w.kinds())
	}
	w.put(t, weak)

	// The day after the last it is told again, and why.
	w.config.Harden, w.config.Restore = false, nil
	w.rebuild()
	w.clock.pass(8 * 24 * time.Hour)
	if _, err := w.guard.Sweep(t.Context(), account, region); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(w.kinds(), "opened") {
		t.Errorf("told %q", w.kinds())
	}
	w.says(t, "was accepted by platform until 2026-09-20, which is over: it is replaced soon")
}

// An entry about an outage accepts nothing, however it came into the configuration.
func TestOutageIsNotAccepted(t *testing.T) {
	t.Parallel()
	for _, finding := range []string{delivery.PolicyMissingID, "log-files-denied", "digest-files-denied"} {
		w := newWorld(t, listOnly)
		w.config = accepting(finding, "2030-01-01")
		w.config.Restore = nil
		w.rebuild()
		w.reconcile(t, w.put(t, policyOf(reader)))
		w.wantKinds(t, "opened")
	}
}
