package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published compiles a schema of docs. Strict, it also refuses members that it does not
// describe, which the published one leaves to later versions.
func published(t *testing.T, name string, strict bool) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, file := range []string{"check.schema.json", "audit.schema.json", "scan.schema.json", "targets.schema.json", "status.schema.json"} {
		text, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if strict {
			closeObjects("", schema)
		}
		if err := c.AddResource(schema.(map[string]any)["$id"].(string), schema); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://github.com/trailwarden/trailwarden/blob/main/docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closeObjects lets objects have no other members than their schemas describe. A report
// is part of other objects, which name its members themselves.
func closeObjects(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok && name != "report" {
			v["additionalProperties"] = false
		}
		for key, value := range v {
			closeObjects(key, value)
		}
	case []any:
		for _, value := range v {
			closeObjects("", value)
		}
	}
}

func follows(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestJSONFollowsItsSchema puts what the commands print to the published schemas.
func TestJSONFollowsItsSchema(t *testing.T) {
	check, audit := published(t, "check.schema.json", true), published(t, "audit.schema.json", true)
	refused := filepath.Join(t.TempDir(), "refused.json")
	text := `{"Version":"2012","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}`
	if err := os.WriteFile(refused, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, policy := range []string{"good.json", "denied.json", "stale.json", "wrapped.json"} {
		_, out, _ := runOffline(t, screen{width: 80}, checkArgs(policy, "json")...)
		if err := follows(t, check, out); err != nil {
			t.Errorf("check of %s: %v", policy, err)
		}
	}
	args := checkArgs("good.json", "json")
	args[6] = refused
	_, out, _ := runOffline(t, screen{width: 80}, args...)
	if err := follows(t, check, out); err != nil || !strings.Contains(out, `"faults"`) {
		t.Errorf("check of a policy that S3 refuses: %v\n%s", err, out)
	}

	l := newLive(t)
	_, first, _ := l.run(t, "", "audit", "--format", "json")
	last := filepath.Join(t.TempDir(), "last.json")
	if err := os.WriteFile(last, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := newLive(t, "sandbox.json")
	_, second, _ := broken.run(t, "", "audit", "--format", "json", "--diff", last)
	everything, err := os.ReadFile("testdata/golden/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"an audit": first, "an audit with changes": second, "the golden audit": string(everything),
	} {
		if err := follows(t, audit, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemasRefuse: without this, a schema that admits all would pass the test above.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/golden/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"audit.schema.json", "check.schema.json"} {
		s := published(t, name, false)
		for what, change := range map[string]func(map[string]any){
			"no version":      func(m map[string]any) { delete(m, "version") },
			"another version": func(m map[string]any) { m["version"] = json.Number("2") },
			"no tool":         func(m map[string]any) { delete(m, "tool") },
			"a wrong verdict": func(m map[string]any) {
				m["verdict"] = "fine"
				m["buckets"].([]any)[0].(map[string]any)["verdict"] = "fine"
			},
		} {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			doc := v.(map[string]any)
			if name == "check.schema.json" { // a bucket of an audit, with what a check has beside it
				bucket := doc["buckets"].([]any)[0].(map[string]any)
				bucket["version"], bucket["tool"], bucket["buckets"] = doc["version"], doc["tool"], doc["buckets"]
				doc = bucket
			}
			if err := s.Validate(any(doc)); err != nil {
				t.Fatalf("%s refuses what is right: %v", name, err)
			}
			change(doc)
			if s.Validate(any(doc)) == nil {
				t.Errorf("%s accepts %s", name, what)
			}
		}
	}
}
