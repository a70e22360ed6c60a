package alert_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

const schemaFile = "../../docs/alert.schema.json"

// schema compiles the published schema, with its formats checked.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONFollowsPublishedSchema(t *testing.T) {
	s := schema(t)
	for _, st := range append(examples(), example{"monster", monster()}) {
		t.Run(st.name, func(t *testing.T) {
			if err := s.Validate(decode(t, alert.Compose(st.notice, alert.JSON).Body)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The schema refuses what it should: without this, a schema that admits all
// would pass the test above.
func TestSchemaRefusesOtherDocuments(t *testing.T) {
	s := schema(t)
	body := alert.Compose(restored(), alert.JSON).Body
	for name, change := range map[string]func(map[string]any){
		"field missing":  func(m map[string]any) { delete(m, "kind") },
		"unknown field":  func(m map[string]any) { m["surprise"] = true },
		"unknown kind":   func(m map[string]any) { m["kind"] = "closed" },
		"long subject":   func(m map[string]any) { m["subject"] = strings.Repeat("s", 101) },
		"broken line":    func(m map[string]any) { m["bucket"] = "logs\nb" },
		"time in words":  func(m map[string]any) { m["at"] = "yesterday" },
		"count in words": func(m map[string]any) { m["restoring"].(map[string]any)["repairs"] = "three" },
	} {
		t.Run(name, func(t *testing.T) {
			doc := decode(t, body).(map[string]any)
			change(doc)
			if s.Validate(doc) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

func decode(t *testing.T, body string) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid([]byte(body)) {
		t.Fatal("not JSON")
	}
	return doc
}

// chatSchema holds the fields that the administrator guide of Amazon Q
// Developer in chat applications names, and no others, with this package's own
// bounds on their lengths.
const chatSchema = `{
 "type": "object", "additionalProperties": false, "required": ["version", "source", "content"],
 "properties": {
  "version": {"const": "1.0"}, "source": {"const": "custom"}, "id": {"type": "string"},
  "content": {"type": "object", "additionalProperties": false, "required": ["description"], "properties": {
    "textType": {"const": "client-markdown"},
    "title": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": {"type": "string", "minLength": 1, "maxLength": 2500},
    "nextSteps": {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string", "minLength": 1, "maxLength": 450}},
    "keywords": {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string", "minLength": 1, "maxLength": 120}}}},
  "metadata": {"type": "object", "additionalProperties": false, "properties": {
    "threadId": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[ -~]*$"},
    "summary": {"type": "string", "minLength": 1, "maxLength": 200},
    "eventType": {"type": "string", "pattern": "^[a-zA-Z0-9-]{1,100}$"},
    "relatedResources": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "string", "minLength": 1, "maxLength": 240}},
    "additionalContext": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}}}}}`

func TestChatFollowsNotificationSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(chatSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("chat.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("chat.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range append(examples(), example{"monster", monster()}, example{"empty", alert.Notice{}}) {
		t.Run(st.name, func(t *testing.T) {
			if err := s.Validate(decode(t, alert.Compose(st.notice, alert.Chat).Body)); err != nil {
				t.Error(err)
			}
		})
	}
}
