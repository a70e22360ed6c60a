package asff_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trailwarden/trailwarden/pkg/asff"
)

var update = flag.Bool("update", false, "write the golden files anew")

// alerts are the golden alerts of package alert, which the engine makes of recorded events and
// real policies, by name.
func alerts(t *testing.T) map[string][]byte {
	t.Helper()
	const suffix = ".json.golden"
	files, err := filepath.Glob(filepath.Join("..", "alert", "testdata", "*"+suffix))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden alerts, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), suffix)] = text
	}
	return all
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	s, err := c.Compile("testdata/finding.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func finding(t *testing.T, alert []byte) asff.Finding {
	t.Helper()
	f, err := asff.FindingOf(alert, "999999999999", "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// encoded returns a finding as it is sent, indented, and fails unless AWS would take it.
func encoded(t *testing.T, f asff.Finding) []byte {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(doc); err != nil {
		t.Error(err)
	}
	return text.Bytes()
}

func TestFindingsAreAsDocumented(t *testing.T) {
	t.Parallel()
	shown := []string{
		"opened-denied", "opened-policy-deleted", "opened-undetermined", "opened-no-trail", "opened-trail-deleted",
		"restored", "resolved", "resolved-accepted", "fight",
	}
	for name, alert := range alerts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := encoded(t, finding(t, alert))
			if !slices.Contains(shown, name) {
				return
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// The workflow is what the ledger thinks of the bucket.
func TestWorkflow(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	for name, want := range map[string][2]string{
		"opened-denied":            {"NEW", "FAILED"},
		"opened-weakness":          {"NEW", "FAILED"},
		"opened-undetermined":      {"NEW", "WARNING"},
		"changed":                  {"NEW", "FAILED"},
		"reminder":                 {"NEW", "FAILED"},
		"restore-failed":           {"NEW", "FAILED"},
		"fight":                    {"NEW", "FAILED"},
		"restored-in-part":         {"NEW", "FAILED"},
		"restored":                 {"RESOLVED", "PASSED"},
		"resolved":                 {"RESOLVED", "PASSED"},
		"resolved-accepted":        {"SUPPRESSED", "FAILED"},
		"opened-bucket-missing":    {"NEW", "FAILED"},
		"opened-trail-deleted":     {"NEW", "FAILED"},
		"restored-overwritten":     {"RESOLVED", "PASSED"},
		"opened-covers-less":       {"NEW", "FAILED"},
		"opened-policy-unreadable": {"NEW", "WARNING"},
	} {
		f := finding(t, all[name])
		if got := [2]string{f.Workflow.Status, f.Compliance.Status}; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
		if f.Settled() != (want[0] != "NEW") {
			t.Errorf("%s is settled: %v", name, f.Settled())
		}
	}
}

// An alert is cut to what Security Hub takes, whatever is in it, and is never refused for it.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"long texts": func(m map[string]any) {
			m["summary"] = strings.Repeat("ö", 5000)
			m["problems"] = []any{map[string]any{
				"message": strings.Repeat("€", 5000), "remedy": strings.Repeat("𐍈", 5000), "link": "https://example.com/",
			}}
		},
		"many trails": func(m map[string]any) {
			var trails []any
			for i := range 500 {
				trails = append(trails, map[string]any{"arn": "arn:aws:cloudtrail:eu-west-1:111111111111:trail/t" + strings.Repeat("x", i%100)})
			}
			m["trails"] = trails
		},
		"long fields": func(m map[string]any) {
			m["changes"] = []any{map[string]any{"actor": strings.Repeat("a", 5000), "event": " ", "eventID": ""}}
		},
		"no names":         func(m map[string]any) { m["bucket"], m["trails"], m["region"] = "", nil, "" },
		"no bucket's name": func(m map[string]any) { m["bucket"], m["trails"] = "no name", []any{map[string]any{"arn": "none"}} },
		"no texts":         func(m map[string]any) { m["subject"], m["summary"], m["problems"], m["lost"] = "", "", nil, nil },
		"no time before":   func(m map[string]any) { delete(m, "since") },
		"its future":       func(m map[string]any) { m["since"] = "2100-01-01T00:00:00Z" },
		"other severity":   func(m map[string]any) { m["severity"] = "SEVERE" },
		"no problem":       func(m map[string]any) { m["problems"] = []any{map[string]any{}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var doc map[string]any
			if err := json.Unmarshal(alerts(t)["opened-denied"], &doc); err != nil {
				t.Fatal(err)
			}
			change(doc)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			encoded(t, finding(t, text))
		})
	}
}

// What is no alert, or cannot be told from others, is an error and no finding.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"text":          "Subject: CRITICAL",
		"nothing":       "",
		"another list":  "[]",
		"another form":  `{"version":2,"incident":"i","at":"2026-09-13T17:50:38Z","account":"111111111111"}`,
		"no incident":   `{"version":1,"at":"2026-09-13T17:50:38Z","account":"111111111111"}`,
		"no time":       `{"version":1,"incident":"i","account":"111111111111"}`,
		"time in words": `{"version":1,"incident":"i","at":"yesterday","account":"111111111111"}`,
		"no account":    `{"version":1,"incident":"i","at":"2026-09-13T17:50:38Z"}`,
	} {
		if f, err := asff.FindingOf([]byte(text), "999999999999", "us-east-1"); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
