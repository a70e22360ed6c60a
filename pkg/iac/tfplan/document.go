package tfplan

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// policyDocument makes the policy that an aws_iam_policy_document gives, as far as it is known: null
// stands for what is not, and is told of by a gap. A plan has such a data source among its
// changes where something of it is known only after the apply.
// Source: the documentation of the data source in the AWS provider.
func policyDocument(c resourceChange, refersTo func(attribute string) []string) (text string, gaps []iac.Gap) {
	after, _ := c.Change.After.(map[string]any)
	unknown := c.Change.AfterUnknown
	b := documentBuilder{address: c.Address, refersTo: refersTo}
	policy := map[string]any{"Version": "2012-10-17"}
	if version, ok := after["version"].(string); ok {
		policy["Version"] = version
	}
	if isUnknown(unknown, "version") {
		policy["Version"] = b.hole(0, "version")
	}
	if isUnknown(unknown, "statement") {
		policy["Statement"] = b.hole(0, "statement")
	} else {
		policy["Statement"] = b.merged(after, unknown)
	}
	out, _ := json.Marshal(policy) // it is made of texts, lists and null
	return string(out), b.gaps
}

type documentBuilder struct {
	address  string
	refersTo func(attribute string) []string
	gaps     []iac.Gap
}

// hole notes what is not known; of a statement, by its number from 1.
func (b *documentBuilder) hole(statement int, attribute string) any {
	head, _, _ := strings.Cut(attribute, "[")
	b.gaps = append(b.gaps, iac.Gap{Address: b.address, Attribute: attribute, RefersTo: b.refersTo(head), Statement: statement})
	return nil
}

// merged are the statements: those of source documents, of the blocks, and of documents that
// override. A statement takes the place of one before it that has its Sid. Documents that are not
// known may add any statement; those that override may take the place of any that has a Sid.
func (b *documentBuilder) merged(after map[string]any, unknown any) []any {
	var out []any
	put := func(s any) {
		if sid := sidOf(s); sid != "" {
			for i := range out {
				if sidOf(out[i]) == sid {
					out[i] = s
					return
				}
			}
		}
		out = append(out, s)
	}
	sources, known := documents(after["source_policy_documents"], child(unknown, "source_policy_documents"))
	for _, s := range sources {
		put(s)
	}
	if !known {
		out = append(out, b.hole(0, "source_policy_documents"))
	}
	blocks, _ := after["statement"].([]any)
	for i, block := range blocks {
		put(b.statement(len(out)+1, i, block, element(child(unknown, "statement"), i)))
	}
	overriding, known := documents(after["override_policy_documents"], child(unknown, "override_policy_documents"))
	for _, s := range overriding {
		put(s)
	}
	if !known {
		for i := range out {
			if sidOf(out[i]) != "" {
				out[i] = nil
			}
		}
		out = append(out, b.hole(0, "override_policy_documents"))
	}
	return out
}

// documents are the statements of policies; known is false if some are not known, or
// are no policies.
func documents(v, unknown any) (statements []any, known bool) {
	list, _ := v.([]any)
	known = !anyMarked(unknown)
	for _, text := range list {
		var policy struct{ Statement any }
		text, ok := text.(string)
		if !ok || json.Unmarshal([]byte(text), &policy) != nil {
			known = false
			continue
		}
		switch s := policy.Statement.(type) {
		case []any:
			statements = append(statements, s...)
		case nil:
		default:
			statements = append(statements, s)
		}
	}
	return statements, known
}

func sidOf(statement any) string {
	s, _ := statement.(map[string]any)
	sid, _ := s["Sid"].(string)
	return sid
}

// statement is the statement of a block. Number is its place in the policy, from 1, and block
// its place among the blocks, from 0.
func (b *documentBuilder) statement(number, block int, v, unknown any) any {
	name := "statement[" + strconv.Itoa(block) + "]"
	from, ok := v.(map[string]any)
	if !ok || unknown == true {
		return b.hole(number, name)
	}
	out := map[string]any{"Effect": "Allow"}
	text := func(element, attribute string) {
		if isUnknown(unknown, attribute) {
			out[element] = b.hole(number, name+"."+attribute)
		} else if s, ok := from[attribute].(string); ok && s != "" {
			out[element] = s
		}
	}
	text("Sid", "sid")
	text("Effect", "effect")
	list := func(element, attribute string) {
		values, set := b.texts(number, name+"."+attribute, from[attribute], child(unknown, attribute))
		if set {
			out[element] = values
		}
	}
	list("Action", "actions")
	list("NotAction", "not_actions")
	list("Resource", "resources")
	list("NotResource", "not_resources")
	if p, set := b.principals(number, name+".principals", from["principals"], child(unknown, "principals")); set {
		out["Principal"] = p
	}
	if p, set := b.principals(number, name+".not_principals", from["not_principals"], child(unknown, "not_principals")); set {
		out["NotPrincipal"] = p
	}
	if c, set := b.conditions(number, name+".condition", from["condition"], child(unknown, "condition")); set {
		out["Condition"] = c
	}
	return out
}

// texts is a list of texts, with null for those that are not known.
func (b *documentBuilder) texts(number int, name string, v, unknown any) (values any, set bool) {
	if unknown == true {
		return b.hole(number, name), true
	}
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil, false
	}
	out := make([]any, len(list))
	for i, x := range list {
		text, ok := x.(string)
		if !ok || element(unknown, i) == true {
			out[i] = b.hole(number, name)
			continue
		}
		// What would be taken for an interpolation by Terraform is written so.
		out[i] = strings.ReplaceAll(text, "&{", "${")
	}
	return out, true
}

func (b *documentBuilder) principals(number int, name string, v, unknown any) (values any, set bool) {
	if unknown == true {
		return b.hole(number, name), true
	}
	blocks, _ := v.([]any)
	if len(blocks) == 0 {
		return nil, false
	}
	out := map[string]any{}
	for i, block := range blocks {
		from, _ := block.(map[string]any)
		of := element(unknown, i)
		kind, ok := from["type"].(string)
		if !ok || isUnknown(of, "type") {
			return b.hole(number, name), true
		}
		ids, _ := b.texts(number, name, from["identifiers"], child(of, "identifiers"))
		if kind == "*" {
			return "*", true
		}
		list, isList := ids.([]any)
		before, _ := out[kind].([]any)
		if !isList {
			list = []any{nil}
		}
		out[kind] = append(before, list...)
	}
	return out, true
}

func (b *documentBuilder) conditions(number int, name string, v, unknown any) (values any, set bool) {
	if unknown == true {
		return b.hole(number, name), true
	}
	blocks, _ := v.([]any)
	if len(blocks) == 0 {
		return nil, false
	}
	out := map[string]any{}
	for i, block := range blocks {
		from, _ := block.(map[string]any)
		of := element(unknown, i)
		test, isTest := from["test"].(string)
		key, isKey := from["variable"].(string)
		if !isTest || !isKey || isUnknown(of, "test") || isUnknown(of, "variable") {
			return b.hole(number, name), true
		}
		list, isList := b.textsOf(number, name, from["values"], child(of, "values"))
		keys, _ := out[test].(map[string]any)
		if keys == nil {
			keys = map[string]any{}
			out[test] = keys
		}
		before, _ := keys[key].([]any)
		if !isList {
			list = []any{nil}
		}
		keys[key] = append(before, list...)
	}
	return out, true
}

// textsOf is texts as a list; ok is false if none of it is known.
func (b *documentBuilder) textsOf(number int, name string, v, unknown any) (list []any, ok bool) {
	values, set := b.texts(number, name, v, unknown)
	if !set {
		return []any{}, true
	}
	list, ok = values.([]any)
	return list, ok
}
