package alert_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
)

// update writes the golden files anew: go test ./pkg/alert -update.
var update = flag.Bool("update", false, "write the golden files anew")

func formats() []alert.Format { return []alert.Format{alert.Text, alert.JSON, alert.Chat} }

// The golden alerts are what the guard tells: recorded events and real policies go in.
// Beside each stands the account as it is when the alert is read, for the test that
// runs its commands (test/e2e).
func TestGolden(t *testing.T) {
	for _, st := range stories() {
		for _, f := range formats() {
			t.Run(st.name+"/"+string(f), func(t *testing.T) {
				s := newStage(t, f)
				if st.tower {
					s = newTowerStage(t, f)
				}
				m := st.tellAs(s)
				golden(t, st.name+"."+string(f)+".golden", m.Body)
				if f != alert.Text {
					return
				}
				golden(t, st.name+".subject.golden", m.Subject+"\n")
				account, err := json.MarshalIndent(s.Describe(), "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				golden(t, st.name+".account.golden", string(account)+"\n")
			})
		}
	}
}

// What is told of a finding that no story leads to is composed by hand.
func TestGoldenByHand(t *testing.T) {
	told := func(name string) bool {
		return slices.ContainsFunc(stories(), func(st story) bool { return st.name == name })
	}
	for _, s := range examples() {
		if told(s.name) {
			continue
		}
		for _, f := range formats() {
			m := alert.Compose(s.notice, f)
			golden(t, s.name+"."+string(f)+".golden", m.Body)
			if f == alert.Text {
				golden(t, s.name+".subject.golden", m.Subject+"\n")
			}
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

// Every kind of alert has a golden one.
func TestEveryKindHasGolden(t *testing.T) {
	seen := map[alert.Kind]bool{}
	for _, s := range stories() {
		seen[s.kind] = true
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
