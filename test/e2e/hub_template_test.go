package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
)

const hubRoles = "arn:aws:iam::111111111111:role/hub-GuardRole-1,arn:aws:iam::111111111111:role/hub-SweepRole-1"

func memberParameters() map[string]string {
	return map[string]string{
		"HubRoleArns": hubRoles, "OrganizationId": "o-exampleorg1", "Forwards": "true",
		"BusArn": "arn:aws:events:us-east-1:111111111111:event-bus/trailwarden-members",
	}
}

func restorerParameters() map[string]string {
	return map[string]string{"HubRoleArns": hubRoles, "OrganizationId": "o-exampleorg1", "Buckets": "logs-a,logs-b"}
}

// statements are those of a role's own policies.
func (s *stack) statements(role string) []object {
	var all []object
	for _, inline := range s.properties(role)["Policies"].([]any) {
		for _, statement := range inline.(object)["PolicyDocument"].(object)["Statement"].([]any) {
			all = append(all, statement.(object))
		}
	}
	return all
}

// The role that reads in members may make the calls that are made there by the functions and by
// the command line, and no other; the one that restores writes, and reads nothing.
func TestRolesOfMembersGrantWhatIsCalledThere(t *testing.T) {
	// CloudFormation asks for it too where DescribeStacks names no stack.
	reads, writes := []string{"cloudformation:ListStacks"}, []string{}
	for _, a := range awsapi.Actions() {
		switch {
		case a.Write && !a.ByHand:
			writes = append(writes, a.IAM)
		case a.InMembers():
			reads = append(reads, a.IAM)
		}
	}
	for _, test := range []struct {
		role  string
		stack *stack
		want  []string
	}{
		{"Reader", newStackOf(t, shared.member, memberParameters()), reads},
		{"Restorer", newStackOf(t, shared.restorer, restorerParameters()), writes},
	} {
		var got []string
		for action := range granted(test.stack.statements(test.role)) {
			got = append(got, action)
		}
		slices.Sort(got)
		slices.Sort(test.want)
		if diff := cmp.Diff(slices.Compact(test.want), got); diff != "" {
			t.Errorf("%s (-called +granted):\n%s", test.role, diff)
		}
		trust := test.stack.properties(test.role)["AssumeRolePolicyDocument"].(object)["Statement"].([]any)
		want := []any{object{
			"Effect": "Allow", "Principal": object{"AWS": account}, "Action": "sts:AssumeRole",
			"Condition": object{
				"StringEquals": object{"aws:PrincipalOrgID": "o-exampleorg1"}, "ArnEquals": object{"aws:PrincipalArn": hubRoles},
			},
		}}
		if diff := cmp.Diff(want, trust); diff != "" {
			t.Errorf("%s is trusted (-want +got):\n%s", test.role, diff)
		}
	}
	read := granted(newStackOf(t, shared.member, memberParameters()).statements("Reader"))
	for action, want := range map[string]string{
		"kms:DescribeKey": "arn:aws:kms:*:" + account + ":key/*", "kms:GetKeyPolicy": "arn:aws:kms:*:" + account + ":key/*",
		"sns:GetTopicAttributes": "arn:aws:sns:*:" + account + ":*", "cloudformation:DescribeStacks": "arn:aws:cloudformation:*:" + account + ":stack/*",
	} {
		if diff := cmp.Diff([]string{want}, read[action]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", action, diff)
		}
	}
	written := granted(newStackOf(t, shared.restorer, restorerParameters()).statements("Restorer"))["s3:PutBucketPolicy"]
	if diff := cmp.Diff([]string{"arn:*:s3:::logs-a", "arn:*:s3:::logs-b"}, written); diff != "" {
		t.Error(diff)
	}
}

// The hub assumes exactly the roles that these templates make, inside the organization.
func TestHubAssumesTheRolesOfMembers(t *testing.T) {
	path := func(s *stack, role string) string {
		p := s.properties(role)
		return "arn:aws:iam::*:role" + p["Path"].(string) + p["RoleName"].(string)
	}
	reader := path(newStackOf(t, shared.member, memberParameters()), "Reader")
	restorer := path(newStackOf(t, shared.restorer, restorerParameters()), "Restorer")
	for buckets, want := range map[string][]string{"": {reader}, "logs-a": {reader, restorer}} {
		s := newStack(t, merged(hub(), map[string]string{"RestoreBuckets": buckets}))
		for _, role := range []string{"GuardRole", "SweepRole"} {
			for _, statement := range s.grants(role) {
				if statement["Action"] != "sts:AssumeRole" {
					continue
				}
				if diff := cmp.Diff(want, list(statement["Resource"])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", role, diff)
				}
				inside := object{"StringEquals": object{"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
				if diff := cmp.Diff(any(inside), statement["Condition"]); diff != "" {
					t.Errorf("%s:\n%s", role, diff)
				}
			}
		}
		environment := s.properties("SweepFunction")["Environment"].(object)["Variables"].(object)
		for variable, role := range map[string]string{"TRAILWARDEN_ROLE": reader, "TRAILWARDEN_RESTORER_ROLE": restorer} {
			if got := "arn:aws:iam::*:role/" + environment[variable].(string); got != role {
				t.Errorf("%s is %s", variable, got)
			}
		}
	}
}

// Members forward what the hub's own rules take, and its bus takes the same from them.
func TestMembersForwardWhatTheHubTakes(t *testing.T) {
	member, h := newStackOf(t, shared.member, memberParameters()), newStack(t, hub())
	var names []string
	for rule := range rules(t) {
		pattern := h.properties(rule)["EventPattern"]
		if diff := cmp.Diff(pattern, member.properties(rule)["EventPattern"]); diff != "" {
			t.Errorf("%s (-hub +member):\n%s", rule, diff)
		}
		names = append(names, list(pattern.(object)["detail"].(object)["eventName"])...)
		if name := member.properties(rule)["Name"].(string); !strings.HasPrefix(name, "trailwarden-forward-") {
			t.Errorf("%s is called %s, which the bus does not take", rule, name)
		}
		target := member.properties(rule)["Targets"].([]any)[0].(object)
		if target["RoleArn"] == nil || target["DeadLetterConfig"] == nil || target["Arn"] != memberParameters()["BusArn"] {
			t.Errorf("%s sends to %v", rule, target)
		}
	}
	for name, r := range member.resources { // and nothing else
		if _, too := rules(t)[name]; r["Type"] == "AWS::Events::Rule" && !too {
			t.Errorf("%s is forwarded, and the hub has no such rule", name)
		}
	}
	taken := list(h.properties("MemberChanged")["EventPattern"].(object)["detail"].(object)["eventName"])
	slices.Sort(names)
	slices.Sort(taken)
	if diff := cmp.Diff(names, taken); diff != "" {
		t.Errorf("the bus takes others (-forwarded +taken):\n%s", diff)
	}
	sends := granted(member.statements("Forwarder"))
	if diff := cmp.Diff(map[string][]string{"events:PutEvents": {memberParameters()["BusArn"]}}, sends); diff != "" {
		t.Error(diff)
	}
	sources := []any{"aws.s3", "aws.cloudtrail", "aws.organizations", "aws.kms", "aws.sns"}
	if diff := cmp.Diff(any(sources), h.properties("MemberChanged")["EventPattern"].(object)["source"]); diff != "" {
		t.Errorf("the rule of the bus (-want +got):\n%s", diff)
	}
	want := object{
		"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "BusArn",
		"Condition": object{
			"StringEquals":              object{"aws:PrincipalOrgID": "o-exampleorg1"},
			"ArnLike":                   object{"aws:SourceArn": "arn:aws:events:*:*:rule/trailwarden-forward-*"},
			"ForAllValues:StringEquals": object{"events:source": sources},
			"Null":                      object{"events:source": "false"},
		},
	}
	if diff := cmp.Diff(any(want), h.properties("BusPolicy")["Statement"]); diff != "" {
		t.Errorf("the bus (-want +got):\n%s", diff)
	}
}

// One account has none of it, and pays for none of it.
func TestOneAccountHasNoHub(t *testing.T) {
	s := newStack(t, map[string]string{"AlertEmail": "a@example.com"})
	for name, r := range s.resources {
		kind := r["Type"].(string)
		shared := slices.ContainsFunc([]string{"AWS::Events::EventBus", "AWS::StepFunctions"}, func(p string) bool { return strings.HasPrefix(kind, p) })
		if shared && s.exists(name) {
			t.Errorf("%s is made", name)
		}
	}
	if target := s.properties("SweepFunctionSchedule")["Target"].(object); target["Arn"] != "SweepFunctionArn" {
		t.Errorf("the schedule starts %v", target["Arn"])
	}
	h := newStack(t, hub())
	if target := h.properties("SweepFunctionSchedule")["Target"].(object); target["Arn"] != "SweepMachine" {
		t.Errorf("the hub's schedule starts %v", target["Arn"])
	}
}

// The state machine may call the sweep, and start and follow its own maps; the schedule may start the
// machine. Nobody else is trusted with their roles.
func TestRolesOfTheStateMachine(t *testing.T) {
	s := newStack(t, hub())
	machine := granted(s.statements("SweepMachineRole"))
	if diff := cmp.Diff(map[string][]string{"lambda:InvokeFunction": {"SweepFunctionArn"}}, machine); diff != "" {
		t.Errorf("the machine (-want +got):\n%s", diff)
	}
	maps := s.properties("SweepMachinePolicy")
	var statements []object
	for _, statement := range maps["PolicyDocument"].(object)["Statement"].([]any) {
		statements = append(statements, statement.(object))
	}
	var actions []string
	for action, resources := range granted(statements) {
		actions = append(actions, action)
		for _, r := range resources {
			if r != "SweepMachine" && !strings.Contains(r, ":execution:SweepMachineName") {
				t.Errorf("%s of %s", action, r)
			}
		}
	}
	slices.Sort(actions)
	want := []string{"states:DescribeExecution", "states:RedriveExecution", "states:StartExecution", "states:StopExecution"}
	if diff := cmp.Diff(want, actions); diff != "" || maps["RoleName"] != "SweepMachineRole" {
		t.Errorf("%v may (-want +got):\n%s", maps["RoleName"], diff)
	}
	schedule := granted(s.statements("ScheduleRole"))
	if diff := cmp.Diff(map[string][]string{"states:StartExecution": {"SweepMachine"}, "sqs:SendMessage": {"UndeliveredEventsArn"}}, schedule); diff != "" {
		t.Errorf("the schedule (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(filepath.Join(shared.root, "deploy", "sweep.asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, resource := range regexp.MustCompile(`"Resource": "([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		if resource[1] != "${Invoke}" {
			t.Errorf("the machine calls %s", resource[1])
		}
	}
}

// A service control policy may have 5,120 characters.
func TestServiceControlPolicyFits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shared.root, "deploy", "protect.scp.json"))
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct{ Effect string }
	}
	if err := json.Unmarshal(text, &policy); err != nil || len(policy.Statement) != 2 || len(text) > 5120 {
		t.Errorf("%d statements in %d characters: %v", len(policy.Statement), len(text), err)
	}
}
