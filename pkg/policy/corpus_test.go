package policy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// corpusCase is a line of the corpus: a policy, a request, and what the answer
// should be: the verdict, or one of those that may do as well.
type corpusCase struct {
	ID         string          `json:"id"`
	Policy     json.RawMessage `json:"policy"`
	PolicyText string          `json:"policy_text"`
	Request    struct {
		Principal any            `json:"principal"`
		Action    string         `json:"action"`
		Resource  string         `json:"resource"`
		Context   map[string]any `json:"context"`
		Absent    []string       `json:"absent"`
		Unknown   []string       `json:"unknown"`
		Present   []string       `json:"present"`
	} `json:"request"`
	Verdict    policy.Outcome   `json:"verdict"`
	Accept     []policy.Outcome `json:"accept"`
	Statements []string         `json:"statements"`
	Why        string           `json:"why"`
}

// request is the case's request.
func (c *corpusCase) request() *policy.Request {
	in := &c.Request
	context := policy.NewContext(policy.Value{})
	for key, value := range in.Context {
		if list, ok := value.([]any); ok {
			context = context.With(key, policy.Set(texts(list)...))
		} else {
			context = context.With(key, policy.Is(fmt.Sprint(value)))
		}
	}
	for state, keys := range map[policy.State][]string{policy.Absent: in.Absent, policy.Either: in.Unknown, policy.Present: in.Present} {
		for _, key := range keys {
			context = context.With(key, policy.Value{State: state})
		}
	}
	caller := policy.Caller{Principal: policy.Principal{Type: policy.Anyone, Value: "*"}}
	if object, ok := in.Principal.(map[string]any); ok {
		for kind, value := range object {
			if text := fmt.Sprint(value); text != "*" {
				caller.Principal = policy.Principal{Type: policy.PrincipalType(kind), Value: text}
			}
		}
	}
	if caller.Value == trail.ServicePrincipal {
		caller.PossiblePrincipals = trail.Caller("aws", "").PossiblePrincipals
	}
	return &policy.Request{Caller: caller, Action: in.Action, Resource: in.Resource, Context: context}
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = fmt.Sprint(v)
	}
	return out
}

// decide answers the case, with Invalid if S3 would refuse the policy.
func (c *corpusCase) decide() (policy.Outcome, []string) {
	text := []byte(c.PolicyText)
	if c.Policy != nil {
		text = c.Policy
	}
	d, err := policy.Parse(text)
	if err != nil {
		return policy.Invalid, nil
	}
	bucket, _, _ := strings.Cut(c.Request.Resource, "/")
	if len(d.Faults(bucket)) > 0 {
		return policy.Invalid, nil
	}
	var labels []string
	decision := d.Decide(c.request())
	for _, i := range decision.Responsible {
		labels = append(labels, d.Label(i))
	}
	return decision.Outcome, labels
}

func TestCorpus(t *testing.T) {
	text, err := os.ReadFile("testdata/decisions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		var c corpusCase
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber() // numbers keep their spelling
		if err := decoder.Decode(&c); err != nil {
			t.Fatal(err)
		}
		count++
		t.Run(c.ID, func(t *testing.T) {
			got, statements := c.decide()
			if got != c.Verdict && !slices.Contains(c.Accept, got) {
				t.Fatalf("decision %s, want %s: %s", got, c.Verdict, c.Why)
			}
			slices.Sort(statements)
			slices.Sort(c.Statements)
			if got == c.Verdict && !slices.Equal(statements, c.Statements) {
				t.Errorf("statements %q, want %q", statements, c.Statements)
			}
			if got != c.Verdict {
				t.Logf("decision %s where %s is the verdict", got, c.Verdict)
			}
		})
	}
	if err := lines.Err(); err != nil || count < 175 {
		t.Fatalf("read %d cases: %v", count, err)
	}
}
