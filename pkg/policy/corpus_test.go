package policy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// expectation is the part of a corpus line that says what the answer should
// be: the verdict, or one of those that may do as well.
type expectation struct {
	ID         string           `json:"id"`
	Verdict    policy.Outcome   `json:"verdict"`
	Accept     []policy.Outcome `json:"accept"`
	Statements []string         `json:"statements"`
	Why        string           `json:"why"`
}

func TestCorpus(t *testing.T) {
	eachLine(t, func(line []byte) {
		var want expectation
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.ID, func(t *testing.T) {
			c, err := policy.ParseCase(line)
			if err != nil {
				t.Fatal(err)
			}
			if c.Request.Caller.Value == "cloudtrail.amazonaws.com" {
				c.Request.Caller.PossiblePrincipals = trail.Caller("aws", "").PossiblePrincipals
			}
			got, statements, why := c.Decide()
			if got != want.Verdict && !slices.Contains(want.Accept, got) {
				t.Fatalf("decision %s (%s), want %s: %s", got, why, want.Verdict, want.Why)
			}
			slices.Sort(statements)
			slices.Sort(want.Statements)
			if got == want.Verdict && !slices.Equal(statements, want.Statements) {
				t.Errorf("statements %q, want %q", statements, want.Statements)
			}
			if got != want.Verdict {
				t.Logf("decision %s where %s is the verdict", got, want.Verdict)
			}
			if why == "" {
				t.Error("no reason is given")
			}
		})
	})
}

func eachLine(t *testing.T, f func(line []byte)) {
	t.Helper()
	text, err := os.ReadFile("testdata/decisions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		f(slices.Clone(lines.Bytes()))
		count++
	}
	if err := lines.Err(); err != nil || count < 175 {
		t.Fatalf("read %d cases: %v", count, err)
	}
}
