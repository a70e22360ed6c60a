package guardrail_test

import (
	"encoding/json"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// Functions that subscribe to the topic get the alert in JSON, whatever people get.
func TestAlertInJSONToo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format alert.Format
		wanted bool
		also   bool // beside the body
	}{
		{alert.Text, true, true},
		{alert.Chat, true, true},
		{alert.JSON, true, false}, // the body is JSON
		{alert.Text, false, false},
	} {
		w := newWorld(t, listOnly)
		w.config.Format, w.config.JSON = test.format, test.wanted
		w.rebuild()
		w.reconcile(t, w.put(t, policyOf(reader)))
		w.wantKinds(t, "opened")
		m := w.alerts.Messages()[0]
		text := m.Body
		if (m.JSON != "") != test.also {
			t.Errorf("%+v: JSON is %q", test, m.JSON)
		}
		if test.also {
			text = m.JSON
		}
		var read struct{ Kind, Incident string }
		if err := json.Unmarshal([]byte(text), &read); test.wanted && (err != nil || read.Kind != "opened" || read.Incident == "") {
			t.Errorf("%+v: %v, %+v", test, err, read)
		}
	}
}
