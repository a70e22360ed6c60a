package cli

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// TestDecideCorpus: the corpora of package policy, as a user gives them to decide.
func TestDecideCorpus(t *testing.T) {
	for file, least := range map[string]int{"decisions": 175, "peer-decisions": 180, "kinds": 250} {
		count := 0
		for _, line := range corpus.Lines(t, "../policy/testdata/"+file+".jsonl", 1) {
			var want struct {
				ID         string           `json:"id"`
				Verdict    policy.Outcome   `json:"verdict"`
				Accept     []policy.Outcome `json:"accept"`
				Statements []string         `json:"statements"` // absent: not compared
				Why        string           `json:"why"`
				Source     any              `json:"source"`
			}
			if err := json.Unmarshal(line.Text, &want); err != nil {
				t.Errorf("row %q of %s: %v; expected a case with its verdict", want.ID, file, err)
				continue
			}
			count++
			t.Run(want.ID, func(t *testing.T) {
				c, err := parseCase(line.Text)
				if err != nil {
					t.Fatal(err)
				}
				if c.request.Caller.Value == trail.ServicePrincipal {
					c.request.Caller.PossiblePrincipals = trail.Caller("aws", "").PossiblePrincipals
				}
				got := c.decide()
				if got.Decision != want.Verdict && !slices.Contains(want.Accept, got.Decision) {
					t.Fatalf("decision %s (%s), want %s: %s; source: %v", got.Decision, got.Why, want.Verdict, want.Why, want.Source)
				}
				slices.Sort(got.Statements)
				slices.Sort(want.Statements)
				if got.Decision == want.Verdict && want.Statements != nil && !slices.Equal(got.Statements, want.Statements) {
					t.Errorf("statements %q, want %q", got.Statements, want.Statements)
				}
				if got.Decision != want.Verdict {
					t.Logf("decision %s where %s is the verdict", got.Decision, want.Verdict)
				}
				if got.Why == "" {
					t.Error("no reason is given")
				}
			})
		}
		if count < least {
			t.Fatalf("%s: read %d cases", file, count)
		}
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
			c, err := parseCase([]byte(test.line))
			if !errors.Is(err, errCase) || c.id != test.id {
				t.Errorf("id %q, error %v", c.id, err)
			}
		})
	}
}

func TestCaseSaysWhy(t *testing.T) {
	const request = `"request":{"principal":{"Service":"cloudtrail.amazonaws.com"},"action":"s3:PutObject","resource":"arn:aws:s3:::b/x","context":{"aws:PrincipalTag/n":1.50},"unknown":["aws:PrincipalTag/u"]}`
	statement := func(effect, condition string) string {
		return `{"Effect":"` + effect + `","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{` + condition + `}}`
	}
	tests := []struct {
		name, statements string
		want             policy.Outcome
		responsible      []string
		why              string
	}{
		{"allowed", statement("Allow", `"NumericEquals":{"aws:PrincipalTag/n":1.5}`), policy.Allowed, []string{"#0"}, "allowed by #0, and no Deny matches."},
		{"number as it was written", statement("Allow", `"StringEquals":{"aws:PrincipalTag/n":1.50}`), policy.Allowed, []string{"#0"}, "allowed by #0, and no Deny matches."},
		{"denied", statement("Deny", `"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`), policy.ExplicitDeny, []string{"#0"}, "denied by #0: aws:SourceVpce is absent, so StringNotEquals is true."},
		{"not allowed", statement("Allow", `"StringEquals":{"aws:PrincipalTag/n":"2"}`), policy.ImplicitDeny, []string{}, `no Allow matches; of #0, aws:PrincipalTag/n is "1.50", so StringEquals is false for "2".`},
		{"open", statement("Allow", `"StringEquals":{"aws:PrincipalTag/u":"2"}`), policy.Undetermined, []string{"#0"}, "it is not known whether #0 applies: that hangs on aws:PrincipalTag/u."},
		{"denied either way", statement("Deny", `"StringEquals":{"aws:PrincipalTag/u":"2"}`), policy.Undetermined, []string{"#0"}, "it is not known whether #0 applies: that hangs on aws:PrincipalTag/u; the request is denied either way."},
		{"refused", statement("allow", ""), policy.Invalid, []string{}, "S3 would refuse the policy: Invalid effect: allow (statement #0)."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := parseCase([]byte(`{"id":"a","policy":{"Version":"2012-10-17","Statement":[` + test.statements + `]},` + request + `}`))
			if err != nil {
				t.Fatal(err)
			}
			answer := c.decide()
			got, responsible, why := answer.Decision, answer.Statements, answer.Why
			if diff := cmp.Diff(test.responsible, responsible); got != test.want || diff != "" {
				t.Errorf("decision %s by %q", got, responsible)
			}
			if diff := cmp.Diff(test.why, why); diff != "" {
				t.Error(diff)
			}
		})
	}
}
