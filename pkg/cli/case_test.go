package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TestDecideCorpus: the corpus of package policy, as a user gives it to decide.
func TestDecideCorpus(t *testing.T) {
	text, err := os.ReadFile("../policy/testdata/decisions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		var want struct {
			ID         string           `json:"id"`
			Verdict    policy.Outcome   `json:"verdict"`
			Accept     []policy.Outcome `json:"accept"`
			Statements []string         `json:"statements"`
			Why        string           `json:"why"`
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		count++
		t.Run(want.ID, func(t *testing.T) {
			c, err := parseCase(lines.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if c.request.Caller.Value == trail.ServicePrincipal {
				c.request.Caller.PossiblePrincipals = trail.Caller("aws", "").PossiblePrincipals
			}
			got, statements, why := c.decide()
			if got != want.Verdict && !slices.Contains(want.Accept, got) {
				t.Fatalf("decision %s (%s), want %s: %s", got, why, want.Verdict, want.Why)
			}
			slices.Sort(statements)
			slices.Sort(want.Statements)
			if got == want.Verdict && !slices.Equal(statements, want.Statements) {
				t.Errorf("statements %q, want %q", statements, want.Statements)
			}
			if got != want.Verdict {
				t.Logf("decision %s where %s is the verdict", got, want.Verdict)
			}
			if why == "" {
				t.Error("no reason is given")
			}
		})
	}
	if err := lines.Err(); err != nil || count < 175 {
		t.Fatalf("read %d cases: %v", count, err)
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
			c, err := parseCase([]byte(`{"id":"a","policy":{"Version":"2012-10-17","Statement":[` + test.statements + `]},` + request + `}`))
			if err != nil {
				t.Fatal(err)
			}
			got, responsible, why := c.decide()
			if diff := cmp.Diff(test.responsible, responsible); got != test.want || diff != "" {
				t.Errorf("decision %s by %q", got, responsible)
			}
			if diff := cmp.Diff(test.why, why); diff != "" {
				t.Error(diff)
			}
		})
	}
}
