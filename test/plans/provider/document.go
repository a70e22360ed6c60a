package main

import (
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func policyDocumentSchema() *tfprotov6.Schema {
	texts, list := tftypes.Set{ElementType: tftypes.String}, tftypes.List{ElementType: tftypes.String}
	principals := schemaOf([]attribute{{"type", tftypes.String, required}, {"identifiers", texts, required}})
	condition := schemaOf([]attribute{
		{"test", tftypes.String, required}, {"variable", tftypes.String, required}, {"values", list, required},
	})
	statement := schemaOf([]attribute{
		{"sid", tftypes.String, optional},
		{"effect", tftypes.String, optional},
		{"actions", texts, optional},
		{"not_actions", texts, optional},
		{"resources", texts, optional},
		{"not_resources", texts, optional},
	})
	statement.Block.BlockTypes = []*tfprotov6.SchemaNestedBlock{
		{TypeName: "principals", Nesting: tfprotov6.SchemaNestedBlockNestingModeSet, Block: principals.Block},
		{TypeName: "not_principals", Nesting: tfprotov6.SchemaNestedBlockNestingModeSet, Block: principals.Block},
		{TypeName: "condition", Nesting: tfprotov6.SchemaNestedBlockNestingModeSet, Block: condition.Block},
	}
	out := schemaOf([]attribute{
		{"id", tftypes.String, byProvider},
		{"json", tftypes.String, byProvider},
		{"minified_json", tftypes.String, byProvider},
		{"version", tftypes.String, optional},
		{"policy_id", tftypes.String, optional},
		{"source_policy_documents", list, optional},
		{"override_policy_documents", list, optional},
	})
	out.Block.BlockTypes = []*tfprotov6.SchemaNestedBlock{
		{TypeName: "statement", Nesting: tfprotov6.SchemaNestedBlockNestingModeList, Block: statement.Block},
	}
	return out
}

// policyDocument is the JSON of a document that is known.
func policyDocument(values map[string]tftypes.Value) string {
	statements := []any{}
	for _, s := range elements(values["statement"]) {
		from := members(s)
		out := map[string]any{"Effect": "Allow"}
		if !from["effect"].IsNull() {
			out["Effect"] = text(from["effect"])
		}
		if !from["sid"].IsNull() {
			out["Sid"] = text(from["sid"])
		}
		for attribute, element := range map[string]string{
			"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
		} {
			if list := texts(from[attribute]); len(list) > 0 {
				out[element] = list
			}
		}
		for attribute, element := range map[string]string{"principals": "Principal", "not_principals": "NotPrincipal"} {
			if p := principals(from[attribute]); p != nil {
				out[element] = p
			}
		}
		conditions := map[string]map[string][]string{}
		for _, c := range elements(from["condition"]) {
			c := members(c)
			test := text(c["test"])
			if conditions[test] == nil {
				conditions[test] = map[string][]string{}
			}
			conditions[test][text(c["variable"])] = texts(c["values"])
		}
		if len(conditions) > 0 {
			out["Condition"] = conditions
		}
		statements = append(statements, out)
	}
	document, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements}) // it is made of texts
	return string(document)
}

// principals are {"Service": […]}, or "*" for those of type "*".
func principals(v tftypes.Value) any {
	out := map[string][]string{}
	for _, p := range elements(v) {
		p := members(p)
		if text(p["type"]) == "*" {
			return "*"
		}
		out[text(p["type"])] = texts(p["identifiers"])
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func elements(v tftypes.Value) []tftypes.Value {
	var out []tftypes.Value
	if v.IsKnown() && !v.IsNull() {
		_ = v.As(&out) // it is a list or a set by its type
	}
	return out
}

func text(v tftypes.Value) string {
	var out string
	if v.IsKnown() && !v.IsNull() {
		_ = v.As(&out) // it is a text by its type
	}
	return out
}

func texts(v tftypes.Value) []string {
	var out []string
	for _, x := range elements(v) {
		out = append(out, text(x))
	}
	return out
}
