package policy_test

import (
	"errors"
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

func TestParseCaseRefuses(t *testing.T) {
	request := `"request":{"principal":{"Service":"x.amazonaws.com"},"action":"s3:PutObject","resource":"arn:aws:s3:::b/x"}`
	tests := []struct{ name, line, id string }{
		{"no JSON", `{`, ""},
		{"no policy", `{"id":"a",` + request + `}`, "a"},
		{"no request", `{"id":"a","policy":{}}`, "a"},
		{"no action", `{"id":"a","policy":{},"request":{"principal":"*","resource":"x"}}`, "a"},
		{"principal", `{"id":"a","policy":{},` + strings.Replace(request, "Service", "service", 1) + `}`, "a"},
		{"two principals", `{"id":"a","policy":{},` + strings.Replace(request, "{\"Service", "{\"AWS\":\"1\",\"Service", 1) + `}`, "a"},
		{"context value", `{"id":"a","policy":{},` + strings.Replace(request, `"action"`, `"context":{"k:k":{}},"action"`, 1) + `}`, "a"},
		{"id is a number", `{"id":1,"policy":{},` + request + `}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := policy.ParseCase([]byte(test.line))
			if !errors.Is(err, policy.ErrCase) || c.ID != test.id {
				t.Errorf("id %q, error %v", c.ID, err)
			}
		})
	}
}

func TestCaseSaysWhy(t *testing.T) {
	const request = `"request":{"principal":{"Service":"cloudtrail.amazonaws.com"},"action":"s3:PutObject","resource":"arn:aws:s3:::b/x","context":{"k:n":1.50},"unknown":["k:u"]}`
	statement := func(effect, condition string) string {
		return `{"Effect":"` + effect + `","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{` + condition + `}}`
	}
	tests := []struct {
		name, statements string
		want             policy.Outcome
		responsible      []string
		why              string
	}{
		{"allowed", statement("Allow", `"NumericEquals":{"k:n":1.5}`), policy.Allowed, []string{"#0"}, "allowed by #0, and no Deny matches."},
		{"number as it was written", statement("Allow", `"StringEquals":{"k:n":1.50}`), policy.Allowed, []string{"#0"}, "allowed by #0, and no Deny matches."},
		{"denied", statement("Deny", `"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`), policy.ExplicitDeny, []string{"#0"}, "denied by #0: aws:SourceVpce is absent, so StringNotEquals is true."},
		{"not allowed", statement("Allow", `"StringEquals":{"k:n":"2"}`), policy.ImplicitDeny, []string{}, `no Allow matches; of #0, k:n is "1.50", so StringEquals is false for "2".`},
		{"open", statement("Allow", `"StringEquals":{"k:u":"2"}`), policy.Undetermined, []string{"#0"}, "it is not known whether #0 applies: that hangs on k:u."},
		{"denied either way", statement("Deny", `"StringEquals":{"k:u":"2"}`), policy.Undetermined, []string{"#0"}, "it is not known whether #0 applies: that hangs on k:u; the request is denied either way."},
		{"refused", statement("allow", ""), policy.Invalid, []string{}, "S3 would refuse the policy: Invalid effect: allow (statement #0)."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := policy.ParseCase([]byte(`{"id":"a","policy":{"Version":"2012-10-17","Statement":[` + test.statements + `]},` + request + `}`))
			if err != nil {
				t.Fatal(err)
			}
			got, responsible, why := c.Decide()
			if diff := cmp.Diff(test.responsible, responsible); got != test.want || diff != "" {
				t.Errorf("decision %s by %q", got, responsible)
			}
			if diff := cmp.Diff(test.why, why); diff != "" {
				t.Error(diff)
			}
		})
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
