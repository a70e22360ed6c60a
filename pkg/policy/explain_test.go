package policy_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files")
	m.Run()
}

func TestExplain(t *testing.T) {
	text, err := os.ReadFile("testdata/explain.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := put(policy.NewContext(policy.Value{State: policy.Either}).
		With("aws:SourceVpce", policy.Value{}).
		With("aws:SourceArn", policy.Is("arn:aws:cloudtrail:us-east-1:111122223333:trail/t")).
		With("aws:TagKeys", policy.Set("a", "b")).
		With("aws:userid", policy.Value{State: policy.Present, AWSOwned: true}).
		With("aws:PrincipalType", policy.Value{State: policy.Present}).
		With("aws:RequestedRegion", policy.Value{State: policy.Present, OneOf: []string{"us-east-1", "eu-west-1"}}))
	var b strings.Builder
	for _, s := range d.Explain(r) {
		fmt.Fprintf(&b, "%d %q %s: %s\n", s.Index, s.Sid, s.Effect, s.Match)
		for _, p := range s.Parts {
			fmt.Fprintf(&b, "  %s: %s: %s\n", p.Element, p.Match, p.Why)
		}
	}
	const golden = "testdata/explain.golden"
	if update() {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

// What is known of a value that is not known for certain is said.
func TestExplainHalfKnown(t *testing.T) {
	tests := []struct{ condition, want string }{
		{
			`{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`,
			`aws:MultiFactorAuthPresent may be absent or "false", so BoolIfExists is true for "false"`,
		},
		{
			`{"ForAnyValue:StringEquals":{"aws:PrincipalServiceNamesList":"x.amazonaws.com"}}`,
			`aws:PrincipalServiceNamesList holds "x.amazonaws.com" and perhaps others, so ForAnyValue:StringEquals is true for "x.amazonaws.com"`,
		},
	}
	request := put(policy.NewContext(policy.Value{}).
		With("aws:MultiFactorAuthPresent", policy.Value{State: policy.Either, OneOf: []string{"false"}}).
		With("aws:PrincipalServiceNamesList", policy.Value{State: policy.Present, Multi: true, Includes: []string{"x.amazonaws.com"}}))
	for _, tt := range tests {
		d, err := policy.Parse([]byte(`{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":` + tt.condition + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		parts := d.Explain(request)[0].Parts
		if got := parts[len(parts)-1].Why; got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
