package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The names of the sample events.
const (
	bucket   = "acme-audit-logs"
	trailARN = "arn:aws:cloudtrail:" + region + ":" + account + ":trail/main"
	topicARN = "arn:aws:sns:" + region + ":" + account + ":alerts"
)

// world is an AWS account with a deployed stack: topic, table, rules, queues and
// functions. Tests run one after the other and each has a new one.
type world struct {
	t       *testing.T
	env     map[string]string
	mapping mapping
	guard   *function
	sweep   *function
	kept    []message // records that the guard wants again
}

// setting changes the environment of the functions.
type setting func(env map[string]string)

// with sets a variable, named without its prefix.
func with(name, value string) setting {
	return func(env map[string]string) { env["TRAILWARDEN_"+name] = value }
}

// restoring opts the buckets in to restoring.
func restoring(buckets ...string) setting {
	return with("RESTORE_BUCKETS", strings.Join(buckets, ","))
}

// deploy empties the account and deploys the stack into it.
func deploy(t *testing.T, settings ...setting) *world {
	t.Helper()
	if err := shared.aws.reset(); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, mapping: theMapping(t), env: map[string]string{
		"TRAILWARDEN_ACCOUNT": account, "TRAILWARDEN_TOPIC_ARN": topicARN, "TRAILWARDEN_TABLE": "ledger",
	}}
	for _, set := range settings {
		set(w.env)
	}
	createQueue(t, "alerts")
	sns(t, "CreateTopic", map[string]string{"Name": "alerts"})
	sns(t, "Subscribe", map[string]string{
		"TopicArn": topicARN, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:" + region + ":" + account + ":alerts",
	})
	// The table as it stands in the template.
	table := maps.Clone(resource(t, "Table")["Properties"].(object))
	for _, name := range []string{"SSESpecification", "PointInTimeRecoverySpecification", "TimeToLiveSpecification"} {
		delete(table, name)
	}
	table["TableName"] = "ledger"
	ask(t, "dynamodb", "CreateTable", table)
	w.putRules()
	return w
}

// rules are the rules of the template that send to the queue of the guard.
func rules(t *testing.T) map[string]object {
	t.Helper()
	s := newStack(t, nil)
	found := map[string]object{}
	for name, r := range s.resources {
		if r["Type"] != "AWS::Events::Rule" || !s.exists(name) {
			continue
		}
		rule := s.properties(name)
		targets := rule["Targets"].([]any)
		if len(targets) != 1 || targets[0].(object)["Arn"] != "EventsArn" {
			t.Fatalf("%s does not send to the queue Events: %v", name, targets)
		}
		found[name] = rule
	}
	return found
}

// putRules puts the rules of the template into EventBridge, and makes the queue
// that they send to.
func (w *world) putRules() {
	w.t.Helper()
	createQueues(w.t, atoi(w.t, newStack(w.t, nil).properties("Events")["VisibilityTimeout"]))
	for name, rule := range rules(w.t) {
		ask(w.t, "events", "PutRule", object{"Name": name, "EventPattern": string(encode(w.t, rule["EventPattern"]))})
		ask(w.t, "events", "PutTargets", object{"Rule": name, "Targets": []object{
			{"Id": "Events", "Arn": "arn:aws:sqs:" + region + ":" + account + ":" + eventsQueue},
		}})
	}
}

// resource returns a resource of the template after the SAM transform.
func resource(t *testing.T, name string) object {
	t.Helper()
	var template struct{ Resources map[string]object }
	decode(t, shared.template, &template)
	found, ok := template.Resources[name]
	if !ok {
		t.Fatalf("template.yaml has no resource %s after the SAM transform", name)
	}
	return found
}

// sample reads a sample event, gives it a time and an id of its own, and
// applies the changes to its detail.
func sample(t *testing.T, name string, changes ...func(detail object)) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shared.root, "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event object
	decode(t, text, &event)
	detail := event["detail"].(object)
	now := time.Now().UTC()
	event["time"], detail["eventTime"] = now.Format(time.RFC3339), now.Format(time.RFC3339)
	detail["eventID"] = fmt.Sprintf("00000000-0000-4000-8000-%012x", now.UnixNano()&0xffffffffffff)
	for _, change := range changes {
		change(detail)
	}
	return event
}

// parameter sets a request parameter of an event.
func parameter(name string, value any) func(object) {
	return func(detail object) { detail["requestParameters"].(object)[name] = value }
}

// put puts an event on EventBridge, whose rules send it on to the queue. AWS takes
// events of its own sources from nobody else; moto does.
func (w *world) put(event object) {
	w.t.Helper()
	ask(w.t, "events", "PutEvents", object{"Entries": []object{{
		"Source": event["source"], "DetailType": event["detail-type"], "Detail": string(encode(w.t, event["detail"])),
	}}})
}

// happens lets an event go the whole way: by a rule into the queue, and by the
// mapping to the guard. It fails unless that takes one record, and the guard is done
// with it.
func (w *world) happens(name string, changes ...func(detail object)) {
	w.t.Helper()
	w.comes(sample(w.t, name, changes...))
}

// comes is happens for an event that is there already.
func (w *world) comes(event object) {
	w.t.Helper()
	w.put(event)
	if taken, kept := w.polls(); taken != 1 || kept != 0 {
		w.t.Fatalf("the mapping took %d records, want one, and the guard wants %d again", taken, kept)
	}
}

// polls hands one batch to the guard. It returns how many records there were, and
// how many of them stay in the queue.
func (w *world) polls() (taken, kept int) {
	w.t.Helper()
	batch, again, err := w.mapping.poll(w.t.Context(), w.theGuard())
	if err != nil {
		w.t.Fatal(err)
	}
	w.kept = append(w.kept, again...)
	return len(batch), len(again)
}

// later lets the visibility timeout of the records pass that the guard wants again.
func (w *world) later() {
	w.t.Helper()
	for _, m := range w.kept {
		m.comesAfter(w.t, 0)
	}
	w.kept = nil
}

func (w *world) theGuard() *function {
	w.t.Helper()
	if w.guard == nil {
		w.guard = startFunction(w.t, "guard", w.env)
	}
	return w.guard
}

// handle hands the guard a bare event, as sam local invoke does.
func (w *world) handle(event []byte) answer {
	w.t.Helper()
	return w.theGuard().invoke(w.t, event)
}

// sweeps runs the sweep as the schedule does.
func (w *world) sweeps() answer {
	w.t.Helper()
	if w.sweep == nil {
		w.sweep = startFunction(w.t, "sweep", w.env)
	}
	return w.sweep.invoke(w.t, encode(w.t, sampleSchedule(w.t)))
}

func sampleSchedule(t *testing.T) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shared.root, "events", "schedule.json"))
	if err != nil {
		t.Fatal(err)
	}
	var event object
	decode(t, text, &event)
	return event
}

// notice is an alert as a subscriber gets it.
type notice struct {
	Subject, Message  string
	MessageAttributes map[string]struct{ Type, Value string }
}

func (n notice) kind() string { return n.MessageAttributes["kind"].Value }

// told returns the alerts since the last call, and fails unless they are of
// these kinds, in any order.
func (w *world) told(kinds ...string) []notice {
	w.t.Helper()
	var notices []notice
	var got []string
	for _, body := range drain(w.t, "alerts") {
		var n notice
		decode(w.t, []byte(body), &n)
		notices, got = append(notices, n), append(got, n.kind())
	}
	slices.Sort(got)
	slices.Sort(kinds)
	if !slices.Equal(got, kinds) {
		for _, n := range notices {
			w.t.Logf("%s\n%s", n.Subject, n.Message)
		}
		w.t.Fatalf("alerts are %q, want %q", got, kinds)
	}
	return notices
}

// says fails unless the alert holds all of the texts.
func (n notice) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(n.Subject+"\n"+n.Message, text) {
			t.Errorf("the alert does not say %q:\n%s\n%s", text, n.Subject, n.Message)
		}
	}
}

// calls returns what the functions called of AWS, and forgets it.
func (w *world) calls() map[string]int {
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	counts := map[string]int{}
	for _, c := range shared.aws.calls {
		counts[c.Op]++
	}
	shared.aws.calls = nil
	return counts
}

// breaks lets calls of the functions fail, until it is called with nil.
func (w *world) breaks(fault func(apiCall) *failure) {
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	shared.aws.fault = fault
}

// cli runs the command line with the caller's credentials and returns its
// output and exit code.
func (w *world) cli(args ...string) (string, int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), filepath.Join(shared.bin, "trailwarden"), args...)
	cmd.Env = []string{
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=" + region,
		"AWS_ENDPOINT_URL=" + shared.aws.proxy.URL, "HOME=" + w.t.TempDir(), "NO_COLOR=1",
	}
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// verdict judges a bucket with the command line's own eyes.
func (w *world) verdict(name string) string {
	w.t.Helper()
	out, _ := w.cli("audit", "--format", "json")
	var audited struct {
		Buckets []struct{ Bucket, Verdict string }
	}
	if err := json.Unmarshal([]byte(out), &audited); err != nil {
		w.t.Fatalf("audit: %v: %s", err, out)
	}
	for _, b := range audited.Buckets {
		if b.Bucket == name {
			return b.Verdict
		}
	}
	w.t.Fatalf("audit does not know %s: %s", name, out)
	return ""
}
