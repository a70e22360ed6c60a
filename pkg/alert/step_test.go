package alert_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

func steps(f delivery.Finding, refusals ...repair.Refusal) []alert.Step {
	return alert.NextSteps(alert.Notice{
		Kind: alert.Opened, Account: "111111111111",
		Report: delivery.Report{Bucket: "logs-b", Verdict: delivery.Blocked, Findings: []delivery.Finding{f}},
		Plan:   repair.Plan{Refused: refusals},
	})
}

// Whatever is found, there is something to do about it beside checking again.
func TestEveryFindingHasStep(t *testing.T) {
	for _, f := range delivery.Catalog() {
		for _, restorable := range []bool{true, false} {
			got := steps(delivery.Finding{ID: f.ID, Kind: delivery.Outage, Trail: mainTrail, Restorable: restorable})
			if len(got) < 2 {
				t.Errorf("%s (restorable: %v) has the steps %v only", f.ID, restorable, got)
			}
			if restorable != slices.Contains(got[0].Commands, "trailwarden restore --bucket logs-b") {
				t.Errorf("%s (restorable: %v) starts with %v", f.ID, restorable, got[0])
			}
		}
	}
}

func TestStepsNameTheTrail(t *testing.T) {
	got := steps(delivery.Finding{ID: "trail-stopped", Kind: delivery.Outage, Trail: mainTrail})
	want := "aws cloudtrail start-logging --name " + mainTrail + " --region us-east-1"
	if !slices.Contains(got[0].Commands, want) {
		t.Errorf("got %v, want %s", got[0].Commands, want)
	}
}

func TestRefusedFindingIsNotToBeRestored(t *testing.T) {
	f := delivery.Finding{ID: "log-files-denied", Kind: delivery.Outage, Trail: mainTrail, Restorable: true}
	for _, r := range []repair.Refusal{{Finding: f.ID}, {Finding: f.ID, Trail: mainTrail}} {
		if got := steps(f, r); strings.Contains(got[0].Text, "Restore") {
			t.Errorf("refused by %+v, and yet: %v", r, got)
		}
	}
	if got := steps(f, repair.Refusal{Finding: f.ID, Trail: orgTrail}); !strings.Contains(got[0].Text, "Restore") {
		t.Errorf("refused for another trail only, and yet: %v", got)
	}
}

// A name from outside cannot add a command, and one that can be no name gets
// no command at all.
func TestCommandsAreQuoted(t *testing.T) {
	for _, tt := range []struct{ name, arn, want string }{
		{"space and semicolon", "arn:aws:cloudtrail:r:1:trail/a; rm -rf $HOME", "'arn:aws:cloudtrail:r:1:trail/a; rm -rf $HOME'"},
		{"quote", "arn:aws:cloudtrail:r:1:trail/a'b", `'arn:aws:cloudtrail:r:1:trail/a'\''b'`},
		{"brace", "arn:aws:cloudtrail:r:1:trail/{bucket}", "'arn:aws:cloudtrail:r:1:trail/{bucket}'"},
		{"not ASCII", "arn:aws:cloudtrail:r:1:trail/ä", ""},
		{"too long", "arn:aws:cloudtrail:r:1:trail/" + strings.Repeat("a", 300), ""},
		{"option", "arn:aws:cloudtrail:--help:1:trail/a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := steps(delivery.Finding{ID: "trail-stopped", Kind: delivery.Outage, Trail: tt.arn})[0].Commands
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q, want no command", got)
			case tt.want != "" && (len(got) != 1 || got[0] != "aws cloudtrail start-logging --name "+tt.want+" --region r"):
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestHeldRepairsCanBeReleased(t *testing.T) {
	got := alert.NextSteps(openedHeld())
	if !slices.ContainsFunc(got, func(s alert.Step) bool {
		return slices.Contains(s.Commands, "trailwarden undo --release --bucket logs-b --table TABLE")
	}) {
		t.Errorf("got %v", got)
	}
}

// The commands name what the command line cannot do without.
func TestCommandsAreComplete(t *testing.T) {
	for _, s := range examples() {
		for _, step := range alert.NextSteps(s.notice) {
			for _, c := range step.Commands {
				if strings.HasPrefix(c, "trailwarden required") && !strings.Contains(c, " --bucket ") {
					t.Errorf("%s: %q: the account's trails may use several buckets", s.name, c)
				}
				if strings.HasPrefix(c, "trailwarden undo") && !strings.Contains(c, " --table ") {
					t.Errorf("%s: %q: the table is not known", s.name, c)
				}
			}
		}
	}
}

func TestFindingURL(t *testing.T) {
	want := alert.Project + "/blob/main/docs/findings.md#log-files-denied"
	if got := alert.FindingURL("log-files-denied\n "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
