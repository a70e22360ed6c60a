package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsARealAlert: the alert in README.md is what the guard tells of the event
// that it names, down to its findings.
func TestReadmeShowsARealAlert(t *testing.T) {
	const page = "../../README.md"
	code, out, _ := runOffline(t, screen{width: 80}, "replay", "--format", "json",
		"--account", "testdata/input/account.json", "../../events/put-bucket-policy.json")
	if code != exitFindings {
		t.Fatalf("code %d", code)
	}
	var replayed replayJSON
	if err := json.Unmarshal([]byte(out), &replayed); err != nil {
		t.Fatal(err)
	}
	told := replayed.Events[0].Alerts[0]
	body, _, found := strings.Cut(told.Body, "\nWhat is wrong\n")
	if !found {
		t.Fatalf("no part on what is wrong in:\n%s", told.Body)
	}
	want := "Subject: " + told.Subject + "\n\n" + strings.TrimSpace(body) + "\n"

	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "-update -->\n```text\n")
	shown, after, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("README.md shows no alert")
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+"-update -->\n```text\n"+want+"```\n"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != want {
		t.Errorf("README.md shows\n%s\nand the guard tells\n%s", shown, want)
	}
}
