package repair_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

var update = flag.Bool("update", false, "write the plans into testdata")

// planCase is case.json of a file in testdata/plans.
type planCase struct {
	Owner        string        `json:"owner"`
	Organization string        `json:"organization"`
	State        string        `json:"state"` // empty: the policy was read
	Reason       string        `json:"reason"`
	Payer        string        `json:"payer"`
	Harden       bool          `json:"harden"`
	AllTrails    bool          `json:"allTrails"`
	ReadAccounts []string      `json:"readAccounts"`
	Trails       []trail.Trail `json:"trails"`
}

func (c planCase) bucket(t *testing.T, text []byte) delivery.Bucket {
	t.Helper()
	b := delivery.Bucket{Name: testBucket, Owner: c.Owner, Reason: c.Reason, Payer: c.Payer}
	states := map[string]delivery.BucketState{
		"": delivery.PolicyRead, "missing": delivery.PolicyMissing, "unreadable": delivery.Unreadable,
		"other-owner": delivery.OtherOwner, "bucket-missing": delivery.BucketMissing,
	}
	state, ok := states[c.State]
	if !ok {
		t.Fatalf("unknown state %q", c.State)
	}
	b.State = state
	if len(text) > 0 {
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b.Policy = doc
	}
	return b
}

func (c planCase) setting() trail.Environment {
	s := trail.Environment{Bucket: testBucket, BucketOwner: c.Owner, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	switch c.Organization {
	case "":
	case "none":
		s.Organization.Known = true
	default:
		s.Organization = trail.Organization{Known: true, ID: c.Organization, ManagementAccount: "111111111111"}
	}
	return s
}

// judgeAndPlan is the plan for a bucket that is yet to be judged.
func judgeAndPlan(b delivery.Bucket, trails []trail.Trail, s trail.Environment, o repair.Options) repair.Plan {
	return repair.For(b, trails, s, delivery.Judge(b, trails, s), o)
}

// TestPlans compares the plan of each file in testdata/plans with the one in
// the file.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/plans/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c planCase
			var text []byte
			var want *txtar.File
			for i, f := range archive.Files {
				switch f.Name {
				case "case.json":
					if err := json.Unmarshal(f.Data, &c); err != nil {
						t.Fatal(err)
					}
				case "policy.json":
					text = f.Data
				case "plan":
					want = &archive.Files[i]
				}
			}
			plan := judgeAndPlan(c.bucket(t, text), c.Trails, c.setting(), repair.Options{
				Harden: c.Harden, AllTrails: c.AllTrails, ReadAccounts: c.ReadAccounts,
			})
			got := render(plan)
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if !plan.Changed && string(plan.Policy) != string(text) {
				t.Errorf("the plan changes nothing and has another policy:\n%s", plan.Policy)
			}
		})
	}
}

// render writes a plan for people.
func render(p repair.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "changed: %v, reset payer: %v\n", p.Changed, p.ResetPayer)
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s: %s\n", c.Action, c.Statement, c.Reason)
	}
	for _, r := range p.Refused {
		fmt.Fprintf(&b, "refused %s of %s: %s\n", r.Finding, r.Trail, r.Reason)
		if r.Edit != "" {
			fmt.Fprintf(&b, "%s\n", r.Edit)
		}
	}
	b.WriteString(p.Diff)
	return b.String()
}
