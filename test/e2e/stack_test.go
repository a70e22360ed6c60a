package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// watched are the metrics that an alarm looks at.
func watched(alarm object) []object {
	queries, ok := alarm["Metrics"].([]any)
	if !ok {
		return []object{alarm}
	}
	var metrics []object
	for _, q := range queries {
		if stat, ok := q.(object)["MetricStat"].(object); ok {
			metrics = append(metrics, stat["Metric"].(object))
		}
	}
	return metrics
}

func TestEventsWaitInAQueue(t *testing.T) {
	s := newStack(t, nil)
	queue := s.properties("Events")
	if queue["SqsManagedSseEnabled"] != true {
		t.Error("the queue is not encrypted")
	}
	// Source: "Configuring a queue to use with Lambda" of the Lambda developer guide.
	if timeout, visible := s.properties("GuardFunction")["Timeout"].(float64), queue["VisibilityTimeout"].(float64); visible < 6*timeout {
		t.Errorf("a record is seen again after %v s, which is less than six times the guard's %v s", visible, timeout)
	}
	redrive := queue["RedrivePolicy"].(object)
	if redrive["maxReceiveCount"] != 5.0 || redrive["deadLetterTargetArn"] != "FailedEventsArn" {
		t.Errorf("redrive policy %v", redrive)
	}
	const days = 24 * 60 * 60
	if kept := s.properties("FailedEvents")["MessageRetentionPeriod"]; kept != 14.0*days {
		t.Errorf("failed events are kept for %v s", kept)
	}
	m := s.properties("GuardFunctionQueue")
	if m["EventSourceArn"] != "EventsArn" || m["MaximumBatchingWindowInSeconds"] != nil || theMapping(t).environments != 4 {
		t.Errorf("mapping %v", m)
	}
	if s.exists("GuardFunctionQueue") && s.resources["GuardFunctionEventInvokeConfig"] != nil {
		t.Error("the guard has a configuration for asynchronous calls that nobody makes")
	}
}

func TestOnlyTheRulesSendToTheQueue(t *testing.T) {
	s := newStack(t, everything())
	policy := s.properties("EventsPolicy")
	if diff := cmp.Diff([]any{"Events"}, policy["Queues"]); diff != "" {
		t.Error(diff)
	}
	for _, statement := range policy["PolicyDocument"].(object)["Statement"].([]any) {
		if statement.(object)["Effect"] == "Deny" {
			continue
		}
		want := object{
			"Sid": "RulesSendEvents", "Effect": "Allow", "Principal": object{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
			"Resource":  "EventsArn",
			"Condition": object{"ArnEquals": object{"aws:SourceArn": []any{"BucketChangedArn", "TrailChangedArn", "KeyChangedArn", "TopicChangedArn", "OrganizationChangedArn"}}},
		}
		if diff := cmp.Diff(want, statement); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if n := len(rules(t)); n != 5 {
		t.Errorf("there are %d rules", n)
	}
}

// An alarm about the topic of the alerts cannot be heard there.
func TestAlarmsGoToTheirOwnTopic(t *testing.T) {
	const given = "arn:aws:sns:us-east-1:111111111111:alarms"
	for want, parameters := range map[string]map[string]string{
		"AlarmTopic": {"AlertEmail": "a@example.com"},
		given:        {"AlertTopicArn": topicARN, "AlarmTopicArn": given},
	} {
		s := newStack(t, parameters)
		alarms := 0
		for name, r := range s.resources {
			if r["Type"] != "AWS::CloudWatch::Alarm" || !s.exists(name) {
				continue
			}
			alarms++
			if diff := cmp.Diff([]string{want}, list(s.properties(name)["AlarmActions"])); diff != "" {
				t.Errorf("alarm %s (-want +got):\n%s", name, diff)
			}
		}
		if alarms == 0 {
			t.Error("there are no alarms")
		}
	}
}

// What is watched ends by itself when its cause ends, so that the alarm fires again
// for the next one. The exception is documented with what ends it.
func TestAlarmsFireAgain(t *testing.T) {
	s := newStack(t, everything())
	for name, r := range s.resources {
		if r["Type"] != "AWS::CloudWatch::Alarm" || !s.exists(name) {
			continue
		}
		alarm := s.properties(name)
		if alarm["TreatMissingData"] != "notBreaching" {
			t.Errorf("alarm %s: missing data is %v: it fires when the stack is made", name, alarm["TreatMissingData"])
		}
		for _, m := range watched(alarm) {
			lies := m["MetricName"] == "ApproximateNumberOfMessagesVisible" && name != "SweepMissing"
			if lies != (name == "EventsGivenUp") {
				t.Errorf("alarm %s watches %v", name, m["MetricName"])
			}
		}
	}
}

// The alarm is silent in a new stack, and fires after as many hours without a sweep as
// it is told. Missing values are 0 in a sum, and missing where all are.
func TestSweepMissing(t *testing.T) {
	for _, hours := range []string{"3", "26", "168"} {
		alarm := newStack(t, map[string]string{"SweepAlarmHours": hours}).properties("SweepMissing")
		if fmt.Sprint(alarm["EvaluationPeriods"]) != hours || alarm["DatapointsToAlarm"] != nil ||
			alarm["Threshold"] != 1.0 || alarm["ComparisonOperator"] != "LessThanThreshold" {
			t.Errorf("alarm %v", alarm)
		}
		var names []string
		for i, q := range alarm["Metrics"].([]any) {
			query := q.(object)
			names = append(names, query["Id"].(string))
			if i == 0 {
				if query["Expression"] != "sweeps + 0 * polled" || query["ReturnData"] != true {
					t.Errorf("expression %v", query)
				}
				continue
			}
			if stat := query["MetricStat"].(object); stat["Period"] != 3600.0 || query["ReturnData"] != false {
				t.Errorf("query %v", query)
			}
		}
		if !slices.Equal(names, []string{"missing", "sweeps", "polled"}) {
			t.Errorf("queries %v", names)
		}
	}
}

func TestNobodyIsNamedWhoNeedsNotBe(t *testing.T) {
	s := newStack(t, everything())
	for _, name := range []string{"TopicPolicy", "FailedEventsPolicy", "FailedInvocationsPolicy"} {
		for _, statement := range s.properties(name)["PolicyDocument"].(object)["Statement"].([]any) {
			if statement.(object)["Effect"] != "Deny" {
				t.Errorf("%s: %v", name, statement)
			}
		}
	}
	for _, statement := range s.properties("AlarmTopicPolicy")["PolicyDocument"].(object)["Statement"].([]any) {
		if statement.(object)["Effect"] == "Deny" {
			continue
		}
		if diff := cmp.Diff(any(object{"Service": "cloudwatch.amazonaws.com"}), statement.(object)["Principal"]); diff != "" {
			t.Errorf("AlarmTopicPolicy (-want +got):\n%s", diff)
		}
	}
}

func TestRolesAreAssumedInTheOrganizationOnly(t *testing.T) {
	for _, statement := range newStack(t, everything()).grants("GuardRole") {
		if statement["Action"] != "sts:AssumeRole" {
			continue
		}
		want := object{"StringEquals": object{"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
		if diff := cmp.Diff(want, statement["Condition"]); diff != "" || !slices.Equal(list(statement["Resource"]), []string{"arn:aws:iam::*:role/audit/reader"}) {
			t.Errorf("%v\n%s", statement, diff)
		}
		return
	}
	t.Error("no role is assumed")
}

func TestOnlyTheDeclaredObjectsAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		parameters map[string]string
		want       []string
	}{
		"none":   {nil, nil},
		"trails": {map[string]string{"DeclaredTrailsObject": "s3://lists/a/b=1/trails.json"}, []string{"arn:aws:s3:::lists/a/b=1/trails.json"}},
		"both": {
			map[string]string{"DeclaredTrailsObject": "s3://lists/trails", "BucketOwnersObject": "s3://my.lists/owners"},
			[]string{"arn:aws:s3:::lists/trails", "arn:aws:s3:::my.lists/owners"},
		},
		"accepted": {map[string]string{"AcceptedObject": "s3://lists/accepted.json"}, []string{"arn:aws:s3:::lists/accepted.json"}},
	} {
		for _, role := range []string{"GuardRole", "SweepRole"} {
			statements := newStack(t, test.parameters).grants(role)
			if diff := cmp.Diff(test.want, granted(statements)["s3:GetObject"]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", name, role, diff)
			}
			for _, s := range statements {
				own := object{"StringEquals": object{"aws:ResourceAccount": account}}
				if s["Action"] == "s3:GetObject" && !cmp.Equal(any(own), s["Condition"]) {
					t.Errorf("%s: %v", name, s)
				}
			}
		}
	}
}

// docs/operations.md says how many buckets may be listed. Lambda's environment holds
// 4 KB, as JSON; a managed policy 6,144 characters.
func TestAsManyBucketsAsTheDocumentsSay(t *testing.T) {
	for _, test := range []struct{ buckets, length int }{{50, 63}, {102, 30}, {150, 20}} {
		var names []string
		for i := range test.buckets {
			names = append(names, fmt.Sprintf("%s%03d", strings.Repeat("b", test.length-3), i))
		}
		s := newStack(t, map[string]string{"AlertEmail": "a@example.com", "RestoreBuckets": strings.Join(names, ",")})
		environment := s.properties("GuardFunction")["Environment"].(object)["Variables"].(object)
		environment["TRAILWARDEN_TABLE"] = "trailwarden-Table-ABCDEFGHIJKLM"
		environment["TRAILWARDEN_TOPIC_ARN"] = "arn:aws-us-gov:sns:us-gov-west-1:111111111111:trailwarden-Topic-ABCDEFGHIJKL"
		if size := len(encode(t, environment)); size > 4096 {
			t.Errorf("%+v: the environment has %d bytes", test, size)
		}
		document, err := json.Marshal(s.properties("RestorePolicy")["PolicyDocument"])
		if err != nil {
			t.Fatal(err)
		}
		if len(document) > 6144 {
			t.Errorf("%+v: the policy has %d characters", test, len(document))
		}
	}
}

// The parameters that would leave alerts or alarms without a listener, or a list
// without a meaning, are refused before anything is made.
func TestParametersThatAreRefused(t *testing.T) {
	const email, topic, alarms, lists = "a@example.com", topicARN, topicARN + "-alarms", "s3://lists/a"
	for name, test := range map[string]struct {
		parameters map[string]string
		taken      bool
	}{
		"an address":                   {map[string]string{"AlertEmail": email}, true},
		"two topics":                   {map[string]string{"AlertTopicArn": topic, "AlarmTopicArn": alarms}, true},
		"a topic and an address":       {map[string]string{"AlertTopicArn": topic, "AlertEmail": email}, true},
		"an address and a topic":       {map[string]string{"AlarmTopicArn": alarms, "AlertEmail": email}, true},
		"nobody":                       {nil, false},
		"a topic, and none for alarms": {map[string]string{"AlertTopicArn": topic}, false},
		"a topic for alarms alone":     {map[string]string{"AlarmTopicArn": alarms}, false},
		"one topic for both":           {map[string]string{"AlertTopicArn": topic, "AlarmTopicArn": topic}, false},
		"trails twice":                 {map[string]string{"AlertEmail": email, "DeclaredTrails": "[]", "DeclaredTrailsObject": lists}, false},
		"owners twice":                 {map[string]string{"AlertEmail": email, "BucketOwners": "b=1", "BucketOwnersObject": lists}, false},
		"findings":                     {map[string]string{"AlertEmail": email, "SecurityHub": "true"}, true},
		"findings, and no memory":      {map[string]string{"AlertEmail": email, "SecurityHub": "true", "Memory": "false"}, false},
		"a list each":                  {map[string]string{"AlertEmail": email, "DeclaredTrails": "[]", "BucketOwnersObject": lists}, true},
	} {
		s := newStack(t, test.parameters)
		var template struct {
			Rules map[string]struct{ Assertions []struct{ Assert any } }
		}
		decode(t, shared.template, &template)
		taken := true
		for _, rule := range template.Rules {
			for _, a := range rule.Assertions {
				taken = taken && s.resolve(a.Assert).(bool)
			}
		}
		if taken != test.taken {
			t.Errorf("%s: taken %v", name, taken)
		}
	}
}
