package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

// everything is a stack with all that can be switched on.
func everything() map[string]string {
	return map[string]string{
		"AlertEmail": "security@example.com", "RestoreBuckets": "logs-a,logs-b", "Harden": "true", "AssumeRoleName": "audit/reader",
		"Tracing": "true", "Dashboard": "true", "BucketOwners": "logs-c=222222222222", "AlertFormat": "json", "Reminder": "0", "AlertSeverity": "LOW",
		"ChatTopicArn": "arn:aws:sns:us-east-1:111111111111:chat", "RunbookUrl": "https://wiki.example/trails",
		"DeclaredTrailsObject": "s3://lists/a/trails.json", "SecurityHub": "true", "AcceptedObject": "s3://lists/a/accepted.json",
	}
}

// hub is the stack of an organization.
func hub() map[string]string {
	all := everything()
	all["Scope"], all["OrganizationId"], all["AssumeRoleName"] = "organization", "o-exampleorg1", ""
	return all
}

// grants returns the statements of the policies that a role has.
func (s *stack) grants(role string) []object {
	var statements []object
	add := func(document any) {
		for _, statement := range document.(object)["Statement"].([]any) {
			statements = append(statements, statement.(object))
		}
	}
	properties := s.properties(role)
	managed, _ := properties["ManagedPolicyArns"].([]any)
	for _, name := range managed {
		add(s.properties(name.(string))["PolicyDocument"])
	}
	for _, inline := range properties["Policies"].([]any) {
		add(inline.(object)["PolicyDocument"])
	}
	return statements
}

func list(v any) []string {
	if text, ok := v.(string); ok {
		return []string{text}
	}
	var texts []string
	for _, e := range v.([]any) {
		texts = append(texts, e.(string))
	}
	return texts
}

// granted returns the resources of every action.
func granted(statements []object) map[string][]string {
	actions := map[string][]string{}
	for _, s := range statements {
		for _, action := range list(s["Action"]) {
			actions[action] = append(actions[action], list(s["Resource"])...)
		}
	}
	return actions
}

func TestRolesGrantWhatTheCodeCallsAndNothingElse(t *testing.T) {
	// What AWS does on the functions' behalf and no call of theirs asks for.
	unasked := []string{
		"logs:CreateLogStream", "logs:PutLogEvents", "kms:GenerateDataKey*", "kms:Decrypt",
		"xray:PutTraceSegments", "xray:PutTelemetryRecords",
	}
	// What Lambda does with the role: the mapping takes events, and a failed sweep is kept, or an alert
	// that did not become a finding.
	byLambda := map[string][]string{
		"GuardRole":       {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
		"SweepRole":       {"sqs:SendMessage"},
		"SecurityHubRole": {"sqs:SendMessage"},
	}
	for _, test := range []struct {
		role       string
		parameters map[string]string
	}{
		{"GuardRole", everything()},
		{"SweepRole", everything()},
		{"SecurityHubRole", everything()},
		{"GuardRole", hub()},
		{"SweepRole", hub()},
	} {
		role := test.role
		called := map[string]bool{}
		for _, a := range awsapi.Actions() {
			// What is called by hand is done with a person's credentials.
			inOrganization := role == "SweepRole" && test.parameters["Scope"] != ""
			if a.IAM != "" && !a.ByHand && a.Findings == (role == "SecurityHubRole") && (!a.Organization || inOrganization) {
				called[a.IAM] = true
			}
		}
		actions := granted(newStack(t, test.parameters).grants(role))
		for action := range called {
			if actions[action] == nil {
				t.Errorf("%s: the code calls %s, and the template does not grant it", role, action)
			}
		}
		for _, action := range byLambda[role] {
			if actions[action] == nil {
				t.Errorf("%s: the template does not grant %s, which Lambda needs", role, action)
			}
		}
		for action := range actions {
			if !called[action] && !slices.Contains(unasked, action) && !slices.Contains(byLambda[role], action) {
				t.Errorf("%s: the template grants %s, and nothing calls it", role, action)
			}
		}
	}
}

func TestOnlyListedBucketsMayBeWrittenTo(t *testing.T) {
	writes := []string{}
	for _, a := range awsapi.Actions() {
		if a.Write {
			writes = append(writes, a.IAM)
		}
	}
	for buckets, want := range map[string][]string{
		"":              nil,
		"logs-a":        {"arn:*:s3:::logs-a"},
		"logs-a,logs-b": {"arn:*:s3:::logs-a", "arn:*:s3:::logs-b"},
	} {
		s := newStack(t, map[string]string{"AlertEmail": "a@example.com", "RestoreBuckets": buckets})
		for _, role := range []string{"GuardRole", "SweepRole"} {
			for action, resources := range granted(s.grants(role)) {
				if strings.Contains(action, "s3:*") || strings.HasPrefix(action, "s3:P") && !slices.Contains(writes, action) {
					t.Errorf("%s is granted", action)
				}
				if diff := cmp.Diff(want, resources); slices.Contains(writes, action) && diff != "" {
					t.Errorf("buckets %q: %s may %s (-want +got):\n%s", buckets, role, action, diff)
				}
			}
			if _, ok := granted(s.grants(role))["s3:PutBucketPolicy"]; ok != (buckets != "") {
				t.Errorf("buckets %q: %s may put a policy: %v", buckets, role, ok)
			}
		}
	}
}

func TestNoGrantOfEverything(t *testing.T) {
	s := newStack(t, everything())
	for _, statement := range slices.Concat(s.grants("GuardRole"), s.grants("SecurityHubRole")) {
		for _, action := range list(statement["Action"]) {
			if strings.HasSuffix(action, ":*") || action == "*" || statement["NotAction"] != nil || statement["Effect"] != "Allow" {
				t.Errorf("statement %v grants too much", statement)
			}
		}
	}
}

func TestEveryCombinationOfConditionsIsWhole(t *testing.T) {
	topic := map[string]string{"AlertEmail": "", "AlertTopicArn": topicARN, "AlarmTopicArn": topicARN + "-alarms"}
	key := map[string]string{"AlertTopicKeyArn": "arn:aws:kms:us-east-1:111111111111:key/k"}
	for _, parameters := range []map[string]string{
		{"Memory": "false"},
		{"Memory": "true"},
		everything(), topic, merged(topic, key), merged(everything(), topic),
		hub(), merged(hub(), topic), merged(hub(), map[string]string{"RestoreBuckets": ""}),
	} {
		s := newStack(t, parameters)
		for name := range s.resources {
			if s.exists(name) {
				s.properties(name) // fails for a reference to what is not there
			}
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func TestFunctionsUnderstandTheirEnvironment(t *testing.T) {
	for _, parameters := range []map[string]string{{"AlertEmail": "a@example.com"}, everything(), {"Memory": "false"}, hub()} {
		for _, function := range []string{"GuardFunction", "SweepFunction"} {
			environment := newStack(t, parameters).properties(function)["Environment"].(object)["Variables"].(object)
			read := map[string]bool{}
			_, err := app.ReadConfig(func(name string) (string, bool) {
				if strings.HasPrefix(name, "TRAILWARDEN_") {
					read[name] = true
				}
				if name == "AWS_REGION" {
					return region, true
				}
				value, ok := environment[name].(string)
				return value, ok
			})
			if err != nil {
				t.Errorf("%s with %v: %v", function, parameters, err)
			}
			for _, runtime := range []string{"GOGC", "GOMEMLIMIT"} { // Go's runtime reads them
				delete(environment, runtime)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(environment))); diff != "" {
				t.Errorf("%s: variables that are read (-) and set (+):\n%s", function, diff)
			}
		}
	}
}

// The rules and the parser name the same events, and there is a sample of each.
func TestRulesSamplesAndParserAgree(t *testing.T) {
	matched := map[string]bool{}
	for _, rule := range rules(t) {
		pattern := rule["EventPattern"].(object)
		for _, event := range list(pattern["detail"].(object)["eventName"]) {
			matched[event] = false
		}
	}
	files, err := filepath.Glob(filepath.Join(shared.root, "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		event, err := trigger.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		_, known := matched[event.Name]
		failed := strings.Contains(string(text), `"errorCode"`)
		if known != (len(event.Requests) > 0) && !failed {
			t.Errorf("%s: %s is matched by a rule: %v, and has %d requests", filepath.Base(file), event.Name, known, len(event.Requests))
		}
		if known && !failed {
			matched[event.Name] = true
		}
	}
	for name, sampled := range matched {
		if !sampled {
			t.Errorf("there is no sample of %s in events/", name)
		}
	}
}

func TestQueuesTakeWhatFails(t *testing.T) {
	s := newStack(t, everything())
	for name, rule := range rules(t) {
		target := rule["Targets"].([]any)[0].(object)
		if target["DeadLetterConfig"] == nil || target["RetryPolicy"] == nil {
			t.Errorf("%s has no retry policy or no dead-letter queue: %v", name, target)
		}
	}
	if s.properties("SweepFunctionEventInvokeConfig")["DestinationConfig"].(object)["OnFailure"] == nil {
		t.Error("what a sweep that failed was asked is not kept")
	}
	kept := s.properties("SecurityHubFunctionEventInvokeConfig")["DestinationConfig"].(object)["OnFailure"].(object)["Destination"]
	undelivered := s.properties("SecurityHubFunctionAlerts")["RedrivePolicy"].(object)["deadLetterTargetArn"]
	if kept != "FailedFindingsArn" || undelivered != kept {
		t.Errorf("an alert that did not become a finding is kept in %v, one that did not reach the function in %v", kept, undelivered)
	}
	for name, r := range s.resources {
		for _, fixed := range []string{
			"FunctionName", "RoleName", "TopicName", "TableName", "QueueName", "LogGroupName", "AlarmName", "DashboardName", "Name",
			"ManagedPolicyName",
		} {
			if _, named := r["Properties"].(object)[fixed].(string); named {
				t.Errorf("%s has a fixed %s: a second stack could not be created", name, fixed)
			}
		}
	}
}

func TestAlarmsAndDashboardShowMetricsThatAreWritten(t *testing.T) {
	written := []string{
		app.MetricVerdicts, app.MetricOutages, app.MetricRepairs, app.MetricRefusals, app.MetricAlertsSent, app.MetricAlertsFailed,
		app.MetricEvents, app.MetricEventsFailed, app.MetricEventToAlertSeconds,
		app.MetricAcceptedIdle, app.MetricSweepCompleted, app.MetricSweepFailures, app.MetricSweepTrails, app.MetricSweepBuckets,
	}
	s := newStack(t, everything())
	for name, r := range s.resources {
		if r["Type"] != "AWS::CloudWatch::Alarm" || !s.exists(name) {
			continue
		}
		for _, m := range watched(s.properties(name)) {
			if metric := m["MetricName"].(string); m["Namespace"] == app.Namespace && !slices.Contains(written, metric) {
				t.Errorf("alarm %s watches %s, which nothing writes", name, metric)
			}
		}
	}
	var body struct {
		Widgets []struct{ Properties struct{ Metrics [][]any } }
	}
	decode(t, []byte(s.properties("Graphs")["DashboardBody"].(string)), &body)
	if len(body.Widgets) == 0 {
		t.Error("the dashboard is empty")
	}
	for _, widget := range body.Widgets {
		for _, m := range widget.Properties.Metrics {
			if len(m) > 1 && (m[0] != app.Namespace || !slices.Contains(written, m[1].(string))) {
				t.Errorf("the dashboard shows %v, which nothing writes", m)
			}
		}
	}
}

// Every role and policy is under the path that is given, and every role within the boundary.
func TestRolesAreBoundedAndHaveAPath(t *testing.T) {
	const boundary = "arn:aws:iam::111111111111:policy/landing-zone/boundary"
	given := newStack(t, merged(everything(), map[string]string{"PermissionsBoundaryArn": boundary, "RolePath": "/security/"}))
	plain := newStack(t, everything())
	roles := 0
	for name, r := range given.resources {
		switch r["Type"] {
		case "AWS::IAM::Role":
			roles++
			if got := given.properties(name)["PermissionsBoundary"]; got != boundary {
				t.Errorf("%s is bounded by %v", name, got)
			}
			if got, ok := plain.properties(name)["PermissionsBoundary"]; ok {
				t.Errorf("%s is bounded by %v, though nothing was given", name, got)
			}
		case "AWS::IAM::ManagedPolicy":
		default:
			continue
		}
		if got := given.properties(name)["Path"]; got != "/security/" {
			t.Errorf("%s has the path %v", name, got)
		}
	}
	if roles < 4 {
		t.Errorf("%d roles", roles)
	}
}
