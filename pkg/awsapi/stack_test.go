package awsapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// stack is a stack as CloudFormation describes it.
func stack(name string, outputs ...string) string {
	text := "<member><StackName>" + name + "</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>"
	for i := 0; i < len(outputs); i += 2 {
		text += "<member><OutputKey>" + outputs[i] + "</OutputKey><OutputValue>" + outputs[i+1] + "</OutputValue></member>"
	}
	return text + "</Outputs></member>"
}

// Stacks with a guard of their own are found on every page, whatever they are called.
func TestStacks(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	fake.Stacks = map[string][]string{
		stranger: {
			stack("network") + stack("other", "GuardFunction", "f"), "",
			stack("mine", "GuardFunction", "f", "SweepFunction", "s", "TableName", "mine-Table", "Version", "0.1.0") +
				stack("forgetful", "SweepFunction", "s", "GuardFunction", "f"),
		},
		account: {""},
	}
	stacks := awsapi.NewStacks(clients(fake, "trailwarden/reader"))
	got, err := stacks.Stacks(t.Context(), stranger, "eu-west-1")
	want := []guardrail.Stack{
		{Name: "mine", Region: "eu-west-1", Table: "mine-Table", Version: "0.1.0"},
		{Name: "forgetful", Region: "eu-west-1"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := stacks.Stacks(t.Context(), account, region); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, c := range fake.Calls() {
		if c.Operation == "cloudformation:DescribeStacks" && c.Account == stranger && c.Region != "eu-west-1" {
			t.Errorf("called in %s", c.Region)
		}
	}
}

// That an account may not be asked, or gave no answer, is never that it has none.
func TestStacksThatAreNotKnown(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	got, err := awsapi.NewStacks(clients(fake, "trailwarden/reader")).Stacks(t.Context(), stranger, region)
	if got != nil || !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("denied: %v, %v", got, err)
	}
	if got, err := awsapi.NewStacks(clients(fake, "")).Stacks(t.Context(), stranger, region); got != nil || !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("without a role: %v, %v", got, err)
	}
	fake.Stacks = map[string][]string{stranger: {stack("a"), stack("b")}}
	calls := 0
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation != "cloudformation:DescribeStacks" {
			return nil
		}
		if calls++; calls > 1 {
			return &awsfake.Fault{Status: http.StatusBadRequest, Code: "Throttling"}
		}
		return nil
	})
	if got, err := awsapi.NewStacks(clients(fake, "trailwarden/reader")).Stacks(t.Context(), stranger, region); got != nil || !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("throttled: %v, %v", got, err)
	}
}
