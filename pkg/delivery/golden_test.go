package delivery_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

// TestMessages pins what people read of every row of the corpus.
func TestMessages(t *testing.T) {
	var b strings.Builder
	for _, c := range checks(t) {
		if c.File == "field-checks.jsonl" {
			continue // public policies are long, and say nothing more
		}
		r := c.judge(t)
		fmt.Fprintf(&b, "%s %s: %s\n", c.ID, c.Why, r.Verdict)
		for _, tr := range r.Trails {
			for _, q := range tr.Requirements {
				fmt.Fprintf(&b, "  %s: %s. %s\n", q.ID, q.Decision, q.Why)
			}
		}
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "  %s %s %s restorable=%t %v\n    %s\n    %s\n", f.Severity, f.Kind, f.ID, f.Restorable, f.Statements, f.Message, f.Remedy)
			if f.Edit != "" {
				fmt.Fprintf(&b, "    %s\n", compact(t, f.Edit))
			}
		}
		for _, fault := range r.Faults {
			fmt.Fprintf(&b, "  fault: %s\n", fault)
		}
		b.WriteString("\n")
	}
	golden(t, "messages.golden", b.String())
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
