package policy_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

func TestContext(t *testing.T) {
	empty := policy.NewContext(policy.Value{State: policy.Either})
	c := empty.With("aws:PrincipalTag/*", policy.Value{}).With("aws:PrincipalTag/Team", policy.Is("sec")).With("aws:SourceArn", policy.Is("x"))
	tests := []struct {
		key   string
		state policy.State
		known bool
	}{
		{"aws:sourceARN", policy.Present, true},
		{"AWS:PRINCIPALTAG/team", policy.Present, true},
		{"aws:principaltag/other", policy.Absent, false},
		{"aws:PrincipalTags", policy.Either, false},
	}
	for _, test := range tests {
		if got := c.Lookup(test.key); got.State != test.state || got.Known != test.known {
			t.Errorf("%s: %+v", test.key, got)
		}
	}
	if got := empty.Lookup("aws:SourceArn"); got.State != policy.Either {
		t.Errorf("With has changed the context that it was called on: %+v", got)
	}
	if got := (policy.Context{}).Lookup("aws:SourceArn"); got.State != policy.Absent {
		t.Errorf("the zero context holds %+v", got)
	}
}
