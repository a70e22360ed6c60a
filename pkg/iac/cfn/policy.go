package cfn

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// policy is the policy that a resource gives a bucket. What is not known of it is null in its text,
// and a gap; what is not known and has a name is a mark.
func (e *evaluator) policy(id string, r resource) iac.Policy {
	p := e.policyText(id, r, "PolicyDocument")
	p.Use, p.Written, p.Kept = e.use(r, "Bucket"), true, r.kept()
	return p
}

// key is a KMS key with its policy.
func (e *evaluator) key(id string, r resource) iac.Key {
	k := iac.Key{
		Origin: e.origin(id, r), Enabled: e.flag(r, "Enabled"), Spec: e.attribute(r, "KeySpec"), Usage: e.attribute(r, "KeyUsage"),
		Policy: e.policyText(id, r, "KeyPolicy"),
	}
	if r.property("KeyPolicy") == nil { // KMS gives it its own, which is for the account's root
		k.Policy.Text = iac.Text(`{"Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"` +
			e.ref("AWS::AccountId").text + `"},"Action":"kms:*","Resource":"*"}]}`)
	}
	return k
}

// policyText is the policy in an attribute of a resource.
func (e *evaluator) policyText(id string, r resource, attribute string) iac.Policy {
	p := iac.Policy{Origin: e.origin(id, r)}
	e.secret = false
	v := e.evaluate(r.property(attribute))
	p.Text = iac.Value{Attribute: attribute, Sensitive: e.secret}
	switch {
	case v.kind == isText && iac.HasOtherMark(v.text):
		p.Text.State, p.Text.RefersTo = iac.Unknown, iac.References(v.text)
	case v.kind == isText:
		p.Text.State, p.Text.Text = iac.Known, v.text
	case v.kind == isObject:
		w := &policyWriter{policy: &p}
		w.write(v, nil)
		p.Text.State, p.Text.Text = iac.Known, w.text.String()
		if _, made := e.places[id]; !made { // those are lines of the template
			p.Lines = statementLines(v)
		}
	default:
		p.Text.State, p.Text.RefersTo = iac.Unknown, v.refers
	}
	return p
}

func statementLines(policy value) []int {
	statements := policy.get("Statement")
	if statements.kind != isList {
		return []int{statements.line}
	}
	var lines []int
	for _, s := range statements.list {
		lines = append(lines, s.line)
	}
	return lines
}

// policyWriter writes a policy as JSON.
type policyWriter struct {
	policy *iac.Policy
	text   strings.Builder
}

func (w *policyWriter) write(v value, path []string) {
	switch v.kind {
	case isText:
		w.literal(v.text)
	case isScalar:
		if json.Valid([]byte(v.text)) {
			w.text.WriteString(v.text)
		} else {
			w.literal(v.text)
		}
	case isList:
		w.text.WriteByte('[')
		for i, x := range v.list {
			if i > 0 {
				w.text.WriteByte(',')
			}
			w.write(x, append(slices.Clip(path), strconv.Itoa(i)))
		}
		w.text.WriteByte(']')
	case isObject:
		w.text.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				w.text.WriteByte(',')
			}
			w.literal(m.name)
			w.text.WriteByte(':')
			w.write(m.value, append(slices.Clip(path), m.name))
		}
		w.text.WriteByte('}')
	case unknown:
		w.text.WriteString("null")
		w.policy.Gaps = append(w.policy.Gaps, iac.GapIn(w.policy.Address, w.policy.Text.Attribute, path, v.refers))
	case absent:
		w.text.WriteString("null")
	}
}

func (w *policyWriter) literal(s string) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text can always be written
	w.text.WriteString(strings.TrimSuffix(b.String(), "\n"))
}
