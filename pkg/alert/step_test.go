package alert_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

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
			if restorable != slices.Contains(got[0].Commands, "trailwarden restore --bucket logs-b --bucket-owner 111111111111") {
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
		return slices.Contains(s.Commands,
			"trailwarden undo --bucket logs-b --bucket-owner 111111111111 --region us-east-1 --table trailwarden-Table-1J8XK2M4N6P8Q --release")
	}) {
		t.Errorf("got %v", got)
	}
}

// The commands say all that the command line cannot know, and nothing is left for the reader to
// fill in. That they work is seen in test/e2e, where each of them is run.
func TestCommandsAreComplete(t *testing.T) {
	placeholder := regexp.MustCompile(`\b(BUCKET|TRAIL|TABLE|ACCOUNT|REGION|NEW-BUCKET|ORGANIZATION-ID)\b|[<>{}\[\]…]|\.\.\.`)
	for _, st := range stories() {
		s := newStage(t, alert.JSON)
		if st.tower {
			s = newTowerStage(t, alert.JSON)
		}
		var told struct{ Next []alert.Step }
		if err := json.Unmarshal([]byte(st.tellAs(s).Body), &told); err != nil {
			t.Fatal(err)
		}
		for _, step := range told.Next {
			for _, c := range step.Commands {
				words, document := c, ""
				if at := strings.Index(strings.ReplaceAll(c, " '{", " '["), " '["); at >= 0 {
					words, document = c[:at], strings.ReplaceAll(c[at+2:], `'\''`, "\x00")
				}
				if bad := placeholder.FindString(strings.ReplaceAll(words, " > ", " ")); bad != "" {
					t.Errorf("%s: %q is to be filled in: %s", st.name, bad, c)
				}
				if document != "" && !json.Valid([]byte(strings.ReplaceAll(strings.TrimSuffix(document, "'"), "\x00", "'"))) {
					t.Errorf("%s: the document is no JSON: %s", st.name, c)
				}
				offline := strings.HasPrefix(c, "trailwarden explain") || strings.HasPrefix(c, "trailwarden required") || strings.HasPrefix(c, "trailwarden check") || strings.HasPrefix(c, "aws organizations")
				if !offline && !strings.Contains(words, " --region ") {
					t.Errorf("%s: no region: %s", st.name, c)
				}
				if ofBucket := strings.Contains(words, " --bucket ") && !strings.HasPrefix(c, "trailwarden required"); ofBucket && !strings.Contains(words, "owner "+s.number) && !strings.Contains(words, " create-bucket ") {
					t.Errorf("%s: it is not said whose bucket is meant: %s", st.name, c)
				}
			}
		}
	}
}

// A policy stands in a command as it is, whatever is in its strings, and a mail may show it on
// several lines.
func TestPolicyInCommand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sid := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"it's", "\u202e", "\U0001f600", "a\\b", "'; rm -rf / #", "$(id)", "`id`", "!!"})).Draw(t, "sid")
		policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Sid": sid}}})
		if err != nil {
			t.Fatal(err)
		}
		n := openedPolicyDeleted()
		n.Mended = policy
		i := slices.IndexFunc(alert.NextSteps(n), func(s alert.Step) bool { return strings.Contains(s.Text, "AWS CLI alone") })
		if i < 0 {
			t.Fatal("no step with the whole policy")
		}
		command := alert.NextSteps(n)[i].Commands[0]
		if bad := strings.IndexFunc(command, func(r rune) bool { return r < ' ' || r > '~' }); bad >= 0 {
			t.Errorf("%q holds more than printable ASCII", command)
		}
		_, body, _ := strings.Cut(alert.Compose(n, alert.Text).Body, "Commands with a whole policy")
		for _, text := range []string{command, body} {
			_, quoted, _ := strings.Cut(text, " --policy '")
			got, rest := unquote(quoted)
			if rest = strings.TrimSpace(rest); rest != "" && !strings.HasPrefix(rest, "-- ") {
				t.Errorf("%q comes after the policy", rest)
			}
			if !equalJSON(t, got, string(policy)) {
				t.Errorf("%s is not %s", got, policy)
			}
		}
	})
}

// unquote reads a word in single quotes as a shell does, from behind the first quote on.
func unquote(text string) (word, rest string) {
	var b strings.Builder
	for {
		before, after, _ := strings.Cut(text, "'")
		b.WriteString(before)
		if !strings.HasPrefix(after, `\''`) {
			return b.String(), after
		}
		b.WriteByte('\'')
		text = after[3:]
	}
}

func equalJSON(t *rapid.T, a, b string) bool {
	var left, right any
	if err := json.Unmarshal([]byte(a), &left); err != nil {
		t.Errorf("%s: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &right); err != nil {
		t.Errorf("%s: %v", b, err)
	}
	return reflect.DeepEqual(left, right)
}

// The largest policy that S3 takes has room, whatever else there is to tell.
func TestLargePolicyHasRoom(t *testing.T) {
	n := openedDenied()
	var statements []string
	for i := range 60 {
		statements = append(statements, fmt.Sprintf(`{"Sid":"Reader%02d","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:role/reader-%02d"},`+
			`"Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":["arn:aws:s3:::aws-controltower-logs-222222222222-us-east-1/o-exampleorg1/AWSLogs/%02d/*"],`+
			`"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}}`, i, i, i))
	}
	n.Mended = []byte(policyOf(statements...))
	if len(n.Mended) < 18<<10 || len(n.Mended) > 20<<10 {
		t.Fatal(len(n.Mended))
	}
	for range 40 {
		n.Report.Findings = append(n.Report.Findings, n.Report.Findings[0])
		n.Notes = append(n.Notes, strings.Repeat("note ", 100))
	}
	for _, f := range []alert.Format{alert.Text, alert.JSON} {
		m := alert.Compose(n, f)
		check(t, m, f)
		if !strings.Contains(m.Body, "reader-59") {
			t.Errorf("%s: the policy is left out", f)
		}
	}
}

// A policy that has no room is left out, with its command, and never cut.
func TestLongPolicyIsLeftOut(t *testing.T) {
	n := openedPolicyDeleted()
	n.Mended = []byte(`{"Version":"` + strings.Repeat("x", 21<<10) + `"}`)
	for _, f := range formats() {
		m := alert.Compose(n, f)
		check(t, m, f)
		if strings.Contains(m.Body, "put-bucket-policy") {
			t.Errorf("%s: %s", f, m.Body)
		}
	}
}

func TestFindingURL(t *testing.T) {
	want := alert.Project + "/blob/main/docs/findings.md#log-files-denied"
	if got := alert.FindingURL("log-files-denied\n "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
