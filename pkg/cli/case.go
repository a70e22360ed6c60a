package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// errCase says that a line is not a case.
var errCase = errors.New("not a case")

// decideCase is one question to a policy, as a line of JSON puts it.
type decideCase struct {
	id string
	// policyText is the policy as it was given.
	policyText []byte
	request    policy.Request
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
type caseContext struct{ policy.Value }

// UnmarshalJSON reads the value; numbers keep their spelling.
func (c *caseContext) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("%w: %w", errCase, err)
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	values := []string{}
	for _, item := range list {
		switch item := item.(type) {
		case string:
			values = append(values, item)
		case json.Number, bool:
			values = append(values, fmt.Sprint(item))
		default:
			return fmt.Errorf("%w: a context value is neither text, number nor boolean", errCase)
		}
	}
	if isList {
		c.Value = policy.Set(values...)
	} else {
		c.Value = policy.Is(values[0])
	}
	return nil
}

// parseCase reads a case from one line of JSON:
//
//	{"id":"…", "policy":{…} or "policy_text":"…", "request":{"principal":{"Service":"…"},
//	 "action":"s3:PutObject", "resource":"arn:…", "context":{"aws:SourceArn":"…","aws:TagKeys":["…"]},
//	 "absent":["…"], "unknown":["…"], "present":["…"]}}
//
// The keys listed as present have a value that is not known; keys named
// nowhere are absent. The principal "*" is an anonymous caller. The error
// wraps [errCase]; the id is set as far as it could be read.
func parseCase(line []byte) (decideCase, error) {
	var in caseLine
	if err := json.Unmarshal(line, &in); err != nil {
		return decideCase{id: in.ID}, fmt.Errorf("%w: %w", errCase, err)
	}
	c := decideCase{id: in.ID, policyText: in.Policy}
	if in.PolicyText != nil {
		c.policyText = []byte(*in.PolicyText)
	}
	switch {
	case c.policyText == nil:
		return c, fmt.Errorf("%w: neither policy nor policy_text is given", errCase)
	case in.Request == nil:
		return c, fmt.Errorf("%w: no request is given", errCase)
	case in.Request.Action == "" || in.Request.Resource == "":
		return c, fmt.Errorf("%w: the request has no action or no resource", errCase)
	}
	caller, err := parseCaller(in.Request.Principal)
	if err != nil {
		return c, err
	}
	c.request = policy.Request{Caller: caller, Action: in.Request.Action, Resource: in.Request.Resource}
	c.request.Context = in.Request.context()
	return c, nil
}

func (r *caseRequest) context() policy.Context {
	c := policy.NewContext(policy.Value{})
	for key, v := range r.Context {
		c = c.With(key, v.Value)
	}
	for _, key := range r.Absent {
		c = c.With(key, policy.Value{})
	}
	for _, key := range r.Unknown {
		c = c.With(key, policy.Value{State: policy.Either})
	}
	for _, key := range r.Present {
		c = c.With(key, policy.Value{State: policy.Present})
	}
	return c
}

// parseCaller reads {"Service":"…"}, {"AWS":"…"} and so on, or "*".
func parseCaller(text json.RawMessage) (policy.Caller, error) {
	anonymous := policy.Caller{Principal: policy.Principal{Type: policy.Anyone, Value: "*"}}
	if bytes.Equal(text, []byte(`"*"`)) {
		return anonymous, nil
	}
	var object map[policy.PrincipalType]string
	if err := json.Unmarshal(text, &object); err != nil || len(object) != 1 {
		return policy.Caller{}, fmt.Errorf("%w: the principal is not an object with one member", errCase)
	}
	for kind, value := range object {
		switch kind {
		case policy.AWS, policy.Service, policy.Federated, policy.CanonicalUser:
			if value == "*" {
				return anonymous, nil
			}
			return policy.Caller{Principal: policy.Principal{Type: kind, Value: value}}, nil
		case policy.Anyone:
		}
	}
	return policy.Caller{}, fmt.Errorf("%w: the principal is of no known type", errCase)
}

// decide answers the case: with [policy.Invalid] if the service would refuse the policy
// for the resource of the request, else as [policy.Document.Decide] does. The service is
// that of the action, or S3. The statements responsible are given by their labels; why is
// one plain sentence.
func (c decideCase) decide() decided {
	answer := decided{ID: c.id, Decision: policy.Invalid, Statements: []string{}}
	dialect, ok := policy.DialectOf(c.request.Action)
	if !ok {
		dialect = policy.S3()
	}
	d, err := dialect.Parse(c.policyText)
	if err != nil {
		message := strings.TrimPrefix(err.Error(), "read policy: "+policy.ErrSyntax.Error()+": ")
		answer.Why = dialect.Name + " would refuse the policy: " + message + "."
		return answer
	}
	faults, maybe := d.Validate(resourceOf(dialect, c.request.Resource))
	for _, f := range maybe {
		answer.MaybeFaults = append(answer.MaybeFaults, inWords(d, f))
	}
	if len(faults) > 0 {
		answer.Why = dialect.Name + " would refuse the policy: " + inWords(d, faults[0]) + "."
		return answer
	}
	decision := d.Decide(&c.request)
	answer.Decision, answer.Statements = decision.Outcome, labels(d, decision.Responsible)
	answer.Why = whyDecided(d, &c.request, &decision)
	return answer
}

// resourceOf is the resource that has the policy: of an object its bucket.
func resourceOf(d policy.Dialect, resource string) string {
	if d.Service == policy.S3().Service {
		resource, _, _ = strings.Cut(resource, "/")
	}
	return resource
}

// inWords is a fault and the statement that it is in.
func inWords(d *policy.Document, f policy.Fault) string {
	message := strings.TrimSuffix(f.Message, ".")
	if f.Statement < 0 {
		return message
	}
	return message + " (statement " + d.Label(f.Statement) + ")"
}

func labels(d *policy.Document, statements []int) []string {
	out := make([]string, len(statements))
	for k, i := range statements {
		out[k] = d.Label(i)
	}
	return out
}

// whyDecided puts a decision in one sentence.
func whyDecided(d *policy.Document, r *policy.Request, decision *policy.Decision) string {
	responsible := fewOf(labels(d, decision.Responsible))
	var text string
	switch decision.Outcome {
	case policy.Allowed:
		text = "allowed by " + responsible + ", and no Deny matches"
	case policy.ExplicitDeny:
		text = "denied by " + responsible + conditionsHold(d, r, decision.Responsible)
	case policy.Undetermined:
		text = "it is not known whether " + responsible + " applies"
		if len(decision.DependsOn) > 0 {
			text += ": that hangs on " + fewOf(decision.DependsOn)
		}
		if decision.DeniedEitherWay {
			text += "; the request is denied either way"
		}
	case policy.ImplicitDeny, policy.Invalid:
		text = "no Allow matches" + nearMiss(d, r, decision)
	}
	for _, a := range decision.Assumptions {
		text += " (assuming: " + a.ID + ")"
	}
	return text + "."
}

// conditionsHold names the conditions of the first statement, which all hold.
func conditionsHold(d *policy.Document, r *policy.Request, statements []int) string {
	if len(statements) == 0 {
		return ""
	}
	var whys []string
	for _, part := range d.Explain(r)[statements[0]].Parts {
		if strings.HasPrefix(part.Element, "Condition ") {
			whys = append(whys, part.Why)
		}
	}
	if len(whys) == 0 {
		return ""
	}
	return ": " + strings.Join(whys, "; ")
}

// nearMiss says why the Allow that comes closest does not match.
func nearMiss(d *policy.Document, r *policy.Request, decision *policy.Decision) string {
	best, most := -1, -1
	for i, m := range decision.Matches {
		if d.At(i).Effect != policy.Allow {
			continue
		}
		score := 0
		for k, t := range [...]policy.Truth{m.Principal, m.Action, m.Resource, m.Condition} {
			if t != policy.No {
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
	i := slices.IndexFunc(parts, func(p policy.PartExplanation) bool { return p.Match == policy.No })
	if i < 0 {
		return ""
	}
	return "; of " + d.Label(best) + ", " + parts[i].Why
}

// fewOf lists up to four of the texts.
func fewOf(texts []string) string {
	const most = 4
	if len(texts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}
