package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// ErrCase says that a line is not a case.
var ErrCase = errors.New("not a case")

// Case is one question to a policy, as a line of JSON puts it.
type Case struct {
	ID string
	// PolicyText is the policy as it was given.
	PolicyText []byte
	Request    Request
}

// caseLine is the JSON form of a case.
type caseLine struct {
	ID         string          `json:"id"`
	Policy     json.RawMessage `json:"policy"`
	PolicyText *string         `json:"policy_text"`
	Request    *caseRequest    `json:"request"`
}

type caseRequest struct {
	Principal json.RawMessage        `json:"principal"`
	Action    string                 `json:"action"`
	Resource  string                 `json:"resource"`
	Context   map[string]caseContext `json:"context"`
	Absent    []string               `json:"absent"`
	Unknown   []string               `json:"unknown"`
	Present   []string               `json:"present"`
}

// caseContext is the value of a context key: a text, number or boolean, or a
// list of such for a key with a set of values.
type caseContext struct{ Value }

// UnmarshalJSON reads the value; numbers keep their spelling.
func (c *caseContext) UnmarshalJSON(text []byte) error {
	n, ok := jsontext.Parse(text)
	if !ok {
		return fmt.Errorf("%w: a context value is no JSON", ErrCase)
	}
	values := []string{}
	for _, item := range n.Elements() {
		if !scalar(item) {
			return fmt.Errorf("%w: a context value is neither text, number nor boolean", ErrCase)
		}
		values = append(values, item.Text)
	}
	if n.Kind == jsontext.Array {
		c.Value = Set(values...)
	} else {
		c.Value = Is(values[0])
	}
	return nil
}

// ParseCase reads a case from one line of JSON:
//
//	{"id":"…", "policy":{…} or "policy_text":"…", "request":{"principal":{"Service":"…"},
//	 "action":"s3:PutObject", "resource":"arn:…", "context":{"aws:SourceArn":"…","aws:TagKeys":["…"]},
//	 "absent":["…"], "unknown":["…"], "present":["…"]}}
//
// The keys listed as present have a value that is not known; keys named
// nowhere are absent. The principal "*" is an anonymous caller. The error
// wraps [ErrCase]; the ID is set as far as it could be read.
func ParseCase(line []byte) (Case, error) {
	var in caseLine
	if err := json.Unmarshal(line, &in); err != nil {
		return Case{ID: in.ID}, fmt.Errorf("%w: %w", ErrCase, err)
	}
	c := Case{ID: in.ID, PolicyText: in.Policy}
	if in.PolicyText != nil {
		c.PolicyText = []byte(*in.PolicyText)
	}
	switch {
	case c.PolicyText == nil:
		return c, fmt.Errorf("%w: neither policy nor policy_text is given", ErrCase)
	case in.Request == nil:
		return c, fmt.Errorf("%w: no request is given", ErrCase)
	case in.Request.Action == "" || in.Request.Resource == "":
		return c, fmt.Errorf("%w: the request has no action or no resource", ErrCase)
	}
	caller, err := parseCaller(in.Request.Principal)
	if err != nil {
		return c, err
	}
	c.Request = Request{Caller: caller, Action: in.Request.Action, Resource: in.Request.Resource}
	c.Request.Context = in.Request.context()
	return c, nil
}

func (r *caseRequest) context() Context {
	c := NewContext(Value{})
	for key, v := range r.Context {
		c = c.With(key, v.Value)
	}
	for _, key := range r.Absent {
		c = c.With(key, Value{})
	}
	for _, key := range r.Unknown {
		c = c.With(key, Value{State: Either})
	}
	for _, key := range r.Present {
		c = c.With(key, Value{State: Present})
	}
	return c
}

// parseCaller reads {"Service":"…"}, {"AWS":"…"} and so on, or "*".
func parseCaller(text json.RawMessage) (Caller, error) {
	if bytes.Equal(text, []byte(`"*"`)) {
		return Caller{Principal: Principal{Anyone, "*"}}, nil
	}
	var object map[PrincipalType]string
	if err := json.Unmarshal(text, &object); err != nil || len(object) != 1 {
		return Caller{}, fmt.Errorf("%w: the principal is not an object with one member", ErrCase)
	}
	for kind, value := range object {
		switch kind {
		case AWS, Service, Federated, CanonicalUser:
			if value == "*" {
				return Caller{Principal: Principal{Anyone, "*"}}, nil
			}
			return Caller{Principal: Principal{kind, value}}, nil
		case Anyone:
		}
	}
	return Caller{}, fmt.Errorf("%w: the principal is of no known type", ErrCase)
}

// Decide answers the case: with [Invalid] if S3 would refuse the policy for
// the bucket of the request, else as [Document.Decide] does. The statements
// responsible are given by Sid, or as "#index" where they have none; why is
// one plain sentence.
func (c Case) Decide() (o Outcome, statements []string, why string) {
	statements = []string{}
	d, err := Parse(c.PolicyText)
	if err != nil {
		message := strings.TrimPrefix(err.Error(), "read policy: "+ErrSyntax.Error()+": ")
		return Invalid, statements, "S3 would refuse the policy: " + message + "."
	}
	bucket, _, _ := strings.Cut(c.Request.Resource, "/")
	if faults := d.Faults(bucket); len(faults) > 0 {
		message := strings.TrimSuffix(faults[0].Message, ".")
		if i := faults[0].Statement; i >= 0 {
			message += " (statement " + d.Label(i) + ")"
		}
		return Invalid, statements, "S3 would refuse the policy: " + message + "."
	}
	decision := d.Decide(&c.Request)
	for _, i := range decision.Responsible {
		statements = append(statements, d.Label(i))
	}
	return decision.Outcome, statements, d.why(&c.Request, &decision)
}

// why puts a decision in one sentence.
func (d *Document) why(r *Request, decision *Decision) string {
	var labels []string
	for _, i := range decision.Responsible {
		labels = append(labels, d.Label(i))
	}
	var text string
	switch decision.Outcome {
	case Allowed:
		text = "allowed by " + oneOf(labels) + ", and no Deny matches"
	case ExplicitDeny:
		text = "denied by " + oneOf(labels) + d.reason(r, decision.Responsible)
	case Undetermined:
		text = "it is not known whether " + oneOf(labels) + " applies"
		if len(decision.DependsOn) > 0 {
			text += ": that hangs on " + oneOf(decision.DependsOn)
		}
		if decision.DeniedEitherWay {
			text += "; the request is denied either way"
		}
	case ImplicitDeny, Invalid:
		text = "no Allow matches" + d.nearMiss(r, decision)
	}
	for _, a := range decision.Assumptions {
		text += " (assuming: " + a.ID + ")"
	}
	return text + "."
}

// reason names the conditions of the first statement, which all hold.
func (d *Document) reason(r *Request, responsible []int) string {
	if len(responsible) == 0 {
		return ""
	}
	ev := newEvaluator(r)
	s := &d.statements[responsible[0]]
	var parts []string
	for i := range s.conditions {
		parts = append(parts, ev.explainCondition(s, i).Why)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

// nearMiss says why the Allow that comes closest does not match.
func (d *Document) nearMiss(r *Request, decision *Decision) string {
	best, most := -1, -1
	for i, m := range decision.Matches {
		if d.statements[i].effect != allowEffect {
			continue
		}
		score := 0
		for k, t := range [...]Truth{m.Principal, m.Action, m.Resource, m.Condition} {
			if t != No {
				score += 10 - k
			}
		}
		if score > most {
			best, most = i, score
		}
	}
	if best < 0 {
		return ""
	}
	parts := d.Explain(r)[best].Parts
	i := slices.IndexFunc(parts, func(p PartExplanation) bool { return p.Match == No })
	if i < 0 {
		return ""
	}
	return "; of " + d.Label(best) + ", " + parts[i].Why
}
