package guardrail_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/trail"
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

// Where a chat has a topic of its own, each alert is composed for it too.
func TestChatBesideMail(t *testing.T) {
	w := newWorld(t, listOnly, func(w *world) { w.config.Chat = true })
	w.reconcile(t, w.put(t, ""))
	m := w.alerts.Messages()[0]
	if json.Valid([]byte(m.Body)) || !json.Valid([]byte(m.Chat)) {
		t.Errorf("mail %s\nchat %s", m.Body, m.Chat)
	}
}

// How a trail was is remembered by a sweep, and told when it is deleted.
func TestDeletedTrailIsRemembered(t *testing.T) {
	w := newWorld(t, listOnly)
	tr := mainTrail()
	tr.SNSTopic, tr.GlobalEvents = "arn:aws:sns:us-east-1:111111111111:files", true
	w.PutTrail(tr, trail.Status{Logging: true})
	w.sweep(t)
	w.DeleteTrail(tr.ARN)
	w.reconcile(t, w.trailEvent("DeleteTrail"))
	if want := "--sns-topic-name arn:aws:sns:us-east-1:111111111111:files"; !strings.Contains(w.lastAlert(t), want) {
		t.Errorf("want %q in\n%s", want, w.lastAlert(t))
	}
	if w.sweep(t); len(w.record(t).Described) > 0 {
		t.Errorf("what was told of is still remembered: %+v", w.record(t).Described)
	}
}
