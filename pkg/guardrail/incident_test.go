package guardrail_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// told is what a pager reads of an alert.
type told struct {
	Kind, Action, Incident string
	Revision               int
}

func (w *world) told(t *testing.T) []told {
	t.Helper()
	var all []told
	for _, m := range w.alerts.Messages() {
		var one told
		if err := json.Unmarshal([]byte(m.Body), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

func inJSON(w *world) { w.config.Format = alert.JSON }

// All alerts on one outage have one key, from the first to the last, and the next outage
// has another.
func TestIncidentHasOneKey(t *testing.T) {
	w := newWorld(t, listOnly, inJSON)
	fine := w.policy(t)
	outage := func() {
		w.reconcile(t, w.put(t, ""))
		w.clock.pass(25 * time.Hour)
		w.sweep(t)
		w.reconcile(t, w.put(t, policyOf(reader)))
		w.reconcile(t, w.put(t, fine))
	}
	outage()
	w.clock.pass(time.Hour)
	outage()
	w.wantKinds(t, "opened reminder changed resolved opened reminder changed resolved")
	all := w.told(t)
	for i, one := range all {
		first := all[i/4*4]
		if one.Incident == "" || one.Incident != first.Incident || one.Revision != i%4+1 {
			t.Errorf("alert %d: %+v, want revision %d of %s", i, one, i%4+1, first.Incident)
		}
		if want := map[bool]string{true: "resolve", false: "trigger"}[one.Kind == "resolved"]; one.Action != want {
			t.Errorf("alert %d: %+v, want %s", i, one, want)
		}
	}
	if all[0].Incident == all[4].Incident {
		t.Errorf("two outages have the key %s", all[0].Incident)
	}
}

// A repair is an incident of one alert, which is closed with it.
func TestRepairIsResolved(t *testing.T) {
	w := newWorld(t, inJSON)
	w.reconcile(t, w.put(t, ""))
	w.wantKinds(t, "restored")
	if one := w.told(t)[0]; one.Incident == "" || one.Revision != 1 || one.Action != "resolve" {
		t.Errorf("%+v", one)
	}
}

// Without memory nothing is counted, and the key is that of the bucket.
func TestIncidentWithoutMemory(t *testing.T) {
	w := newWorld(t, stateless, listOnly, inJSON)
	w.reconcile(t, w.put(t, ""))
	w.clock.pass(time.Hour)
	w.reconcile(t, w.put(t, policyOf(reader)))
	all := w.told(t)
	if len(all) != 2 || all[0].Incident == "" || all[0].Incident != all[1].Incident || all[0].Revision != 0 {
		t.Errorf("%+v", all)
	}
}
