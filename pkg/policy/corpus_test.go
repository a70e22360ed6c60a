package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// corpusCase is a line of a corpus: a policy, a request, and what the answer
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
	Statements []string         `json:"statements"` // absent: not compared
	Why        string           `json:"why"`
	Kind       string           `json:"kind"`
	Source     any              `json:"source"` // an address, or a list of them
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

// decide answers the case in the dialect of its action, or else S3's, with Invalid if the
// service would refuse the policy.
func (c *corpusCase) decide() (policy.Outcome, []string) {
	text := []byte(c.PolicyText)
	if c.Policy != nil {
		text = c.Policy
	}
	dialect, ok := policy.DialectOf(c.Request.Action)
	resource := c.Request.Resource
	if !ok || dialect.Service == "s3" {
		dialect = policy.S3()
		resource, _, _ = strings.Cut(resource, "/") // of an object the bucket
	}
	d, err := dialect.Parse(text)
	if err != nil {
		return policy.Invalid, nil
	}
	if len(d.Faults(resource)) > 0 {
		return policy.Invalid, nil
	}
	var labels []string
	decision := d.Decide(c.request())
	for _, i := range decision.Responsible {
		labels = append(labels, d.Label(i))
	}
	return decision.Outcome, labels
}

// parseCorpusCase reads a row of a corpus. The error is one line that says which row it is,
// and what was expected.
func parseCorpusCase(line []byte) (corpusCase, error) {
	var c corpusCase
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber() // numbers keep their spelling
	err := decoder.Decode(&c)
	switch {
	case err != nil:
	case c.ID == "":
		err = fmt.Errorf("it has no id")
	case (c.Policy == nil) == (c.PolicyText == ""):
		err = fmt.Errorf("it has neither or both of policy and policy_text")
	case c.Request.Action == "" || c.Request.Resource == "":
		err = fmt.Errorf("its request has no action or no resource")
	case !knownOutcome(c.Verdict) || slices.ContainsFunc(c.Accept, func(o policy.Outcome) bool { return !knownOutcome(o) }):
		err = fmt.Errorf("its verdict %q or accept %q is no decision", c.Verdict, c.Accept)
	case c.Source == nil && c.Kind != "":
		err = fmt.Errorf("it has no source")
	}
	if err != nil {
		return c, fmt.Errorf("row %q: %w; expected {id, policy or policy_text, request, verdict, why, source}", c.ID, err)
	}
	return c, nil
}

func knownOutcome(o policy.Outcome) bool {
	return slices.Contains([]policy.Outcome{policy.Allowed, policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined, policy.Invalid}, o)
}

func TestBadCorpusRow(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":"a","policy":{},"request":{"action":"s3:x","resource":"r"},"verdict":"yes"}`:                          `row "a": its verdict "yes" or accept [] is no decision; expected`,
		`{"id":"b","request":{"action":"s3:x","resource":"r"},"verdict":"allowed"}`:                                  `row "b": it has neither or both of policy and policy_text; expected`,
		`{"id":"c","policy":{},"request":{"action":"s3:x","resource":"r"},"verdict":"allowed","kind":"letter-case"}`: `row "c": it has no source; expected`,
		`{"id":"d","policy":{},"request":[]}`:                                                                        `row "d": json: `,
	} {
		if _, err := parseCorpusCase([]byte(line)); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// TestCorpus decides the rows of the corpora:
//
//   - decisions.jsonl: the rules as AWS documents them, and cases of our own.
//   - peer-decisions.jsonl: cases of the tests of other projects, of answers recorded from
//     AWS, and of the examples of AWS's guides.
//   - kinds.jsonl: more of each kind of case that was wrong once. "kind" is the kind.
//   - dialects.jsonl: what is not the same in the policies of keys and topics.
func TestCorpus(t *testing.T) {
	for file, least := range map[string]int{"decisions": 175, "peer-decisions": 180, "kinds": 250, "dialects": 25} {
		count := 0
		for _, line := range corpus.Lines(t, "testdata/"+file+".jsonl", 1) {
			c, err := parseCorpusCase(line.Text)
			if err != nil {
				t.Error(err)
				continue
			}
			count++
			t.Run(c.ID, func(t *testing.T) {
				got, statements := c.decide()
				if got != c.Verdict && !slices.Contains(c.Accept, got) {
					t.Fatalf("row %s of %s: decision %s, want %s: %s; source: %v", c.ID, file, got, c.Verdict, c.Why, c.Source)
				}
				slices.Sort(statements)
				slices.Sort(c.Statements)
				if got == c.Verdict && c.Statements != nil && !slices.Equal(statements, c.Statements) {
					t.Errorf("statements %q, want %q", statements, c.Statements)
				}
				if got != c.Verdict {
					t.Logf("decision %s where %s is the verdict", got, c.Verdict)
				}
			})
		}
		if count < least {
			t.Fatalf("%s: read %d cases", file, count)
		}
	}
}
