package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The accounts of the organization, beside the hub's own and the members that moto makes.
const managementAccount = "999900009999"

// hubEmulation is what moto lacks of an organization: that a delegated administrator lists the
// accounts, in pages; what the roles of members may do; and Lambda behind Step Functions.
type hubEmulation struct {
	sweeps chan *function // environments of the sweep

	mu       sync.Mutex
	gone     map[string]bool   // accounts whose roles are gone
	lost     func([]byte) bool // steps that fail each time
	sessions map[string]string // role by access key
	invoked  []string          // steps
}

// serve answers a call that is different in an organization, and reports whether it did.
func (h *hubEmulation) serve(e *emulator, w http.ResponseWriter, r *http.Request, c *apiCall, body []byte) bool {
	if function, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/"); ok && strings.HasSuffix(function, "/invocations") {
		h.invoke(w, body)
		return true
	}
	key := regexp.MustCompile(`Credential=([^/]+)/`).FindStringSubmatch(r.Header.Get("Authorization"))
	h.mu.Lock()
	if key != nil {
		c.Role = h.sessions[key[1]]
	}
	gone := c.Role != "" && h.gone[strings.Split(c.Role, ":")[4]] // its sessions are of no use any more
	h.mu.Unlock()
	writes := strings.HasPrefix(c.Op, "s3:Put") || strings.HasPrefix(c.Op, "s3:Delete")
	switch {
	case c.Op == "sts:AssumeRole":
		h.assume(e, w, r, c, body)
	case strings.HasPrefix(c.Op, "organizations:"):
		h.organization(e, w, r, c, body)
	case gone, c.Role != "" && writes != strings.HasSuffix(c.Role, "/restorer"):
		refuse(w, r, failure{http.StatusForbidden, "AccessDenied"})
	default:
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, *c)
	return true
}

// invoke hands a step to an environment of the sweep, as Lambda does.
func (h *hubEmulation) invoke(w http.ResponseWriter, payload []byte) {
	h.mu.Lock()
	h.invoked = append(h.invoked, string(payload))
	lost := h.lost != nil && h.lost(payload)
	h.mu.Unlock()
	if lost {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, `{"errorType":"Sandbox.Timedout","errorMessage":"injected by the test"}`)
		return
	}
	f := <-h.sweeps
	defer func() { h.sweeps <- f }()
	answer, err := f.post(payload)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var failed struct{ ErrorType string }
	if json.Unmarshal(answer, &failed) == nil && failed.ErrorType != "" {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	_, _ = w.Write(answer)
}

// assume lets moto assume a role, unless it is gone, and notes whose session it gives.
func (h *hubEmulation) assume(e *emulator, w http.ResponseWriter, r *http.Request, c *apiCall, body []byte) {
	form, _ := url.ParseQuery(string(body))
	c.Role = form.Get("RoleArn")
	h.mu.Lock()
	gone := h.gone[strings.Split(c.Role, ":")[4]]
	h.mu.Unlock()
	if gone {
		refuse(w, r, failure{http.StatusForbidden, "AccessDenied"})
		return
	}
	answer := httptest.NewRecorder()
	e.forward.ServeHTTP(answer, r)
	if key := regexp.MustCompile(`<AccessKeyId>([^<]+)<`).FindStringSubmatch(answer.Body.String()); key != nil {
		h.mu.Lock()
		h.sessions[key[1]] = c.Role
		h.mu.Unlock()
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// organization answers as the management account would, which a delegated administrator may ask
// for. A page holds 20 accounts, and the second one is empty.
func (h *hubEmulation) organization(e *emulator, w http.ResponseWriter, r *http.Request, c *apiCall, body []byte) {
	r.Header.Set(accountHeader, managementAccount)
	var in struct{ NextToken string }
	if err := json.Unmarshal(body, &in); err != nil || c.Op != "organizations:ListAccounts" {
		e.forward.ServeHTTP(w, r)
		return
	}
	accounts := []object{{"Id": account, "State": "ACTIVE"}}
	for _, a := range listAccounts(r) {
		accounts = append(accounts, object{"Id": a, "State": "ACTIVE", "Paths": []string{"o-exampleorg1/r-root/" + a + "/"}})
	}
	page, _ := strconv.Atoi(in.NextToken)
	out := object{"Accounts": []object{}}
	if page != 1 {
		first := max(page-1, 0) * 20
		out["Accounts"] = accounts[first:min(first+20, len(accounts))]
	}
	if page == 0 || page*20 < len(accounts) {
		out["NextToken"] = strconv.Itoa(page + 1)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

// listAccounts are the accounts that moto knows of.
func listAccounts(r *http.Request) []string {
	var listed struct{ Accounts []struct{ ID string } }
	_, out, err := transmit(r.Context(), "organizations", http.MethodPost, "/", map[string]string{
		"X-Amz-Target": "AWSOrganizationsV20161128.ListAccounts", "Content-Type": "application/x-amz-json-1.1", accountHeader: managementAccount,
	}, []byte("{}"))
	if err != nil || json.Unmarshal(out, &listed) != nil {
		return nil
	}
	var ids []string
	for _, a := range listed.Accounts {
		ids = append(ids, a.ID)
	}
	return ids
}

// zone is a world whose stack is the hub of an organization.
type zone struct {
	*world
	emulated *hubEmulation
	members  []string // that moto has made
	swept    int
}

// deployHub deploys the hub, makes an organization with so many members, and puts the rules
// of deploy/member.yaml into those that forward.
func deployHub(t *testing.T, members int, settings ...setting) *zone {
	t.Helper()
	environment := newStack(t, hub()).properties("SweepFunction")["Environment"].(object)["Variables"].(object)
	set := []setting{}
	for _, name := range []string{"SCOPE", "ROLE", "RESTORER_ROLE"} {
		set = append(set, with(name, environment["TRAILWARDEN_"+name].(string)))
	}
	z := &zone{world: deploy(t, append(set, settings...)...)}
	z.emulated = &hubEmulation{sweeps: make(chan *function, 4), gone: map[string]bool{}, sessions: map[string]string{}}
	shared.aws.mu.Lock()
	shared.aws.hub = z.emulated
	shared.aws.mu.Unlock()
	askIn(t, managementAccount, "organizations", "CreateOrganization", object{"FeatureSet": "ALL"})
	for i := range members {
		var made struct {
			CreateAccountStatus struct{ AccountID string }
		}
		in := object{"AccountName": fmt.Sprintf("member-%d", i), "Email": fmt.Sprintf("member-%d@example.com", i)}
		decode(t, askIn(t, managementAccount, "organizations", "CreateAccount", in), &made)
		z.members = append(z.members, made.CreateAccountStatus.AccountID)
	}
	for range cap(z.emulated.sweeps) {
		z.emulated.sweeps <- startFunction(t, "sweep", z.env)
	}
	// The bus and its rule, as they stand in the template.
	s := newStack(t, hub())
	ask(t, "events", "CreateEventBus", object{"Name": busName})
	ask(t, "events", "PutRule", object{
		"Name": "MemberChanged", "EventBusName": busName, "EventPattern": string(encode(t, s.properties("MemberChanged")["EventPattern"])),
	})
	ask(t, "events", "PutTargets", object{"Rule": "MemberChanged", "EventBusName": busName, "Targets": []object{
		{"Id": "Events", "Arn": "arn:aws:sqs:" + region + ":" + account + ":" + eventsQueue},
	}})
	return z
}

const busName = "trailwarden-members"

// createMachine makes the state machine of deploy/sweep.asl.json, that waits less before it
// tries again. moto cannot start another machine in an account in which a map has run, so that
// each sweep has one in an account of its own.
func (z *zone) createMachine() (home, arn string) {
	z.t.Helper()
	text, err := os.ReadFile(filepath.Join(shared.root, "deploy", "sweep.asl.json"))
	if err != nil {
		z.t.Fatal(err)
	}
	definition := strings.NewReplacer(
		"${Invoke}", "arn:aws:states:::lambda:invoke", "${SweepFunction}", "arn:aws:lambda:"+region+":"+account+":function:sweep",
		`"IntervalSeconds": 5`, `"IntervalSeconds": 1`, `"BackoffRate": 2`, `"BackoffRate": 1.0`, `"MaxAttempts": 3`, `"MaxAttempts": 1`,
	).Replace(string(text))
	setUp := []byte(`{"stepfunctions":{"execute_state_machine":true}}`)
	if status, out := send(z.t, "moto", http.MethodPost, "/moto-api/config", nil, setUp); status >= 300 {
		z.t.Fatalf("switch state machines on: %d %s", status, out)
	}
	z.swept++
	home = fmt.Sprintf("8000000000%02d", z.swept)
	askIn(z.t, home, "states", "CreateStateMachine", object{
		"name": "sweep", "definition": definition, "roleArn": "arn:aws:iam::" + account + ":role/machine",
	})
	return home, "arn:aws:states:" + region + ":" + home + ":stateMachine:sweep"
}

// total is what a sweep of the organization comes to.
type total struct{ Accounts, Unread, Trails, Buckets, Failed, Lost int }

// sweepsAll runs the state machine to its end.
func (z *zone) sweepsAll() total {
	z.t.Helper()
	home, arn := z.createMachine()
	var started struct{ ExecutionArn string }
	decode(z.t, askIn(z.t, home, "states", "StartExecution", object{
		"stateMachineArn": arn, "name": "sweep", "input": string(encode(z.t, sampleSchedule(z.t))),
	}), &started)
	var execution struct{ Status, Output, Error, Cause string }
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		decode(z.t, askIn(z.t, home, "states", "DescribeExecution", object{"executionArn": started.ExecutionArn}), &execution)
		if execution.Status != "RUNNING" {
			break
		}
	}
	if execution.Status != "SUCCEEDED" {
		z.t.Fatalf("the sweep %s: %s %s\nsteps: %s", execution.Status, execution.Error, execution.Cause, strings.Join(z.emulated.invoked, "\n"))
	}
	var all total
	decode(z.t, []byte(execution.Output), &all)
	return all
}

// forwards puts the rules of deploy/member.yaml into an account.
func (z *zone) forwards(id string) {
	z.t.Helper()
	s := newStackOf(z.t, shared.member, memberParameters())
	for name, r := range s.resources {
		if r["Type"] != "AWS::Events::Rule" {
			continue
		}
		rule := s.properties(name)
		askIn(z.t, id, "events", "PutRule", object{"Name": rule["Name"], "EventPattern": string(encode(z.t, rule["EventPattern"]))})
		askIn(z.t, id, "events", "PutTargets", object{"Rule": rule["Name"], "Targets": []object{
			{"Id": "Hub", "Arn": "arn:aws:events:" + region + ":" + account + ":event-bus/" + busName},
		}})
	}
}

// happensIn lets an event of another account go the whole way: by its rule onto the bus of
// the hub, into the queue and to the guard.
func (z *zone) happensIn(id, name string) {
	z.t.Helper()
	var event object
	decode(z.t, sampleOf(z.t, id, name), &event)
	askIn(z.t, id, "events", "PutEvents", object{"Entries": []object{{
		"Source": event["source"], "DetailType": event["detail-type"], "Detail": string(encode(z.t, event["detail"])),
	}}})
	if taken, kept := z.polls(); taken != 1 || kept != 0 {
		z.t.Fatalf("the mapping took %d records, want one, and the guard wants %d again", taken, kept)
	}
}

// askIn calls an operation in another account.
func askIn(t *testing.T, id, service, operation string, in object) []byte {
	t.Helper()
	prefix := map[string]string{
		"events": "AWSEvents", "states": "AWSStepFunctions", "organizations": "AWSOrganizationsV20161128",
		"cloudtrail": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
	}[service]
	header := map[string]string{"X-Amz-Target": prefix + "." + operation, "Content-Type": "application/x-amz-json-1.1", accountHeader: id}
	status, out := send(t, service, http.MethodPost, "/", header, encode(t, in))
	if status != http.StatusOK {
		t.Fatalf("%s:%s in %s: %d %s", service, operation, id, status, out)
	}
	return out
}
