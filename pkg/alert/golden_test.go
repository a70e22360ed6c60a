package alert_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// update writes the golden files anew: go test ./pkg/alert -update.
var update = flag.Bool("update", false, "write the golden files anew")

func formats() []alert.Format { return []alert.Format{alert.Text, alert.JSON, alert.Chat} }

func TestGolden(t *testing.T) {
	for _, s := range examples() {
		for _, f := range formats() {
			t.Run(s.name+"/"+string(f), func(t *testing.T) {
				m := alert.Compose(s.notice, f)
				golden(t, s.name+"."+string(f)+".golden", m.Body)
				if f == alert.Text {
					golden(t, s.name+".subject.golden", m.Subject+"\n")
				}
			})
		}
	}
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs from what was composed (-want +got):\n%s", name, diff)
	}
}

// Every kind of alert has an example.
func TestEveryKindHasGolden(t *testing.T) {
	seen := map[alert.Kind]bool{}
	for _, s := range examples() {
		seen[s.notice.Kind] = true
	}
	for _, k := range kinds() {
		if !seen[k] {
			t.Errorf("no example for %q", k)
		}
	}
}

func kinds() []alert.Kind {
	return []alert.Kind{
		alert.Opened, alert.Changed, alert.Restored, alert.RestoreFailed, alert.BudgetExhausted, alert.Resolved, alert.Reminder,
	}
}
