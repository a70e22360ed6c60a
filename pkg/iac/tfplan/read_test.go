package tfplan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// today is the time for which the tests judge.
var today = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// assess reads a plan and judges it.
func assess(t *testing.T, plan []byte) []iac.BucketReport {
	t.Helper()
	in, err := tfplan.Read(bytes.NewReader(plan), tfplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return iac.Assess(in, iac.Setting{Now: today})
}

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The recorded plans, with what they do to the one bucket of trails in them.
func TestRecordedPlans(t *testing.T) {
	const absent = iac.NotThere
	delivering, blocked, open := delivery.Delivering, delivery.Blocked, delivery.Undetermined
	tests := []struct {
		name          string
		before, after delivery.Verdict
		change        iac.Change
		at            string // the address that is shown
		findings      string // some of them, the first first
		unknown       string
	}{
		{"deny-added", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "log-files-denied bucket-acl-denied", ""},
		{"deny-removed", blocked, delivering, iac.Mended, "aws_s3_bucket_policy.logs", "", ""},
		{"nothing", delivering, delivering, iac.Unchanged, "aws_s3_bucket_policy.logs", "", ""},
		{"still-broken", blocked, blocked, iac.StillBroken, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		{"prefix-changed", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		{"trail-renamed", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		{"organization-trail", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		{"bucket-moved", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.archive", "log-files-denied", ""},
		{"policy-deleted", delivering, blocked, iac.Broken, "aws_s3_bucket.logs", "policy-missing", ""},
		{"bucket-deleted", delivering, blocked, iac.Broken, "aws_cloudtrail.main", "bucket-missing", ""},
		{"trail-deleted", delivering, absent, iac.Removed, "aws_s3_bucket_policy.logs", "trail-removed", ""},
		{"requester-pays", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "requester-pays", ""},
		{"stopped", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "trail-stopped", ""},
		// The policy stays in AWS although the plan has null for it after.
		{"policy-forgotten", delivering, delivering, iac.Unchanged, "aws_s3_bucket_policy.logs", "", ""},
		{"trail-forgotten", delivering, delivering, iac.Unchanged, "aws_s3_bucket_policy.logs", "", ""},
		// The new resource may be made before the old one goes, which CloudTrail refuses.
		{"trail-made-again", delivering, delivering, iac.Removed, "aws_s3_bucket_policy.logs", "trail-removed", ""},
		// Another address is no other trail.
		{"trail-moved", delivering, delivering, iac.Unchanged, "aws_s3_bucket_policy.logs", "", ""},
		// The new resource may write the policy before the old one takes it away.
		{"policy-moved-unsaid", delivering, open, iac.Uncertain, "aws_s3_bucket_policy.renamed", "policy-contested", ""},
		{"contested", delivering, open, iac.Uncertain, "aws_s3_bucket_policy.logs", "policy-contested", ""},
		{"new-by-name", absent, delivering, iac.New, "aws_s3_bucket_policy.logs", "", ""},
		{"new-wrong-prefix", absent, blocked, iac.New, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		// The bucket's name goes through two modules, and what is not known of the document does not matter.
		{"nested-modules", absent, delivering, iac.New, "module.archive.aws_s3_bucket_policy.this", "source-arn-missing", ""},
		{"order", absent, delivering, iac.New, "aws_s3_bucket_policy.logs", "trail-before-policy", ""},
		{"new-by-arn", absent, open, iac.New, "aws_s3_bucket_policy.logs", "values-unknown", "aws_s3_bucket_policy.logs.policy -> aws_s3_bucket.logs.arn"},
		{
			"new-document", absent, open, iac.New, "aws_s3_bucket_policy.logs", "values-unknown",
			"data.aws_iam_policy_document.logs.statement[0].resources -> aws_s3_bucket.logs.arn, " +
				"data.aws_iam_policy_document.logs.statement[1].resources -> aws_s3_bucket.logs.arn",
		},
		// What is not known does not matter: another statement denies all the same.
		{"new-document-denied", absent, blocked, iac.New, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		{"bucket-elsewhere", open, open, iac.Uncertain, "aws_cloudtrail.main", "values-unknown", "bucket example-central.policy -> "},
		// The name is not known, and every name is admitted.
		{"bucket-prefix", absent, delivering, iac.New, "aws_s3_bucket_policy.logs", "", ""},
		{"sensitive-name", absent, blocked, iac.New, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
		// The trail is in another repository. The old policy names it.
		{"log-archive", delivering, blocked, iac.Broken, "aws_s3_bucket_policy.logs", "log-files-denied", ""},
	}
	names := map[string]bool{"modules": true} // it has two buckets
	for _, tt := range tests {
		names[tt.name] = true
		t.Run(tt.name, func(t *testing.T) {
			reports := assess(t, recorded(t, tt.name))
			if len(reports) != 1 {
				t.Fatalf("%d buckets: %+v", len(reports), reports)
			}
			r := reports[0]
			if r.Before != tt.before || r.After != tt.after || r.Change != tt.change || r.Address != tt.at {
				t.Errorf("%s, then %s: %s, at %s", r.Before, r.After, r.Change, r.Address)
			}
			if got := findings(r); !strings.HasPrefix(got, tt.findings) || tt.findings == "" && got != "" {
				t.Errorf("findings %q, want %q", got, tt.findings)
			}
			if got := gaps(r); got != tt.unknown {
				t.Errorf("unknown: %q, want %q", got, tt.unknown)
			}
		})
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.IsDir() && f.Name() != "rapid" && !names[f.Name()] {
			t.Errorf("no test reads testdata/%s", f.Name())
		}
	}
}

func findings(r iac.BucketReport) string {
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func gaps(r iac.BucketReport) string {
	var out []string
	for _, g := range r.Gaps {
		out = append(out, g.Address+"."+g.Attribute+" -> "+strings.Join(g.RefersTo, " "))
	}
	return strings.Join(out, ", ")
}

// Trails and buckets of modules with for_each are joined instance by instance.
func TestModules(t *testing.T) {
	reports := assess(t, recorded(t, "modules"))
	var got []string
	for _, r := range reports {
		got = append(got, r.Bucket+" "+r.Address+" "+r.Folder+" "+r.Trails[0].Address)
	}
	want := []string{
		`example-eu module.logs["eu"].aws_s3_bucket_policy.this modules/logs aws_cloudtrail.main["eu"]`,
		`example-us module.logs["us"].aws_s3_bucket_policy.this modules/logs aws_cloudtrail.main["us"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A recording is of the sources beside it: each address of the plan is written there.
func TestRecordingsAreOfTheirSources(t *testing.T) {
	plans, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(plans) < 12 {
		t.Fatalf("%d plans (%v)", len(plans), err)
	}
	for _, path := range plans {
		for _, r := range assess(t, recorded(t, filepath.Base(filepath.Dir(path)))) {
			if r.Block == "" || strings.Contains(path, "policy-forgotten") || strings.Contains(path, "trail-deleted") {
				continue
			}
			files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), r.Folder, "*.tf"))
			found := false
			for _, file := range files {
				text, err := os.ReadFile(file)
				found = found || err == nil && strings.Contains(string(text), r.Block)
			}
			if !found {
				t.Errorf("%s: %s is not in its sources: record it anew with make plans", path, r.Block)
			}
		}
	}
}

// The records are of what stands beside them: the same blocks. Where they are not, "make plans" records anew.
func TestRecordsAreOfTheirSources(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(folders) < 12 {
		t.Fatalf("%d plans, %v", len(folders), err)
	}
	block := regexp.MustCompile(`(?m)^(resource|data|module) +"([^"]+)"(?: +"([^"]+)")?`)
	for _, plan := range folders {
		folder := filepath.Dir(plan)
		var recordedPlan struct {
			Configuration struct {
				Root struct {
					Resources []struct{ Address string }
					Calls     map[string]any `json:"module_calls"`
				} `json:"root_module"`
			}
		}
		if err := json.Unmarshal(recorded(t, filepath.Base(folder)), &recordedPlan); err != nil {
			t.Fatal(err)
		}
		var inPlan, written []string
		for _, r := range recordedPlan.Configuration.Root.Resources {
			inPlan = append(inPlan, r.Address)
		}
		for name := range recordedPlan.Configuration.Root.Calls {
			inPlan = append(inPlan, "module."+name)
		}
		source, err := os.ReadFile(filepath.Join(folder, "main.tf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(source), -1) {
			address := strings.Trim(strings.Join(m[1:], "."), ".")
			written = append(written, strings.TrimPrefix(address, "resource."))
		}
		slices.Sort(inPlan)
		slices.Sort(written)
		if !slices.Equal(inPlan, written) {
			t.Errorf("%s: the plan has %v, main.tf %v: record it anew", folder, inPlan, written)
		}
	}
}
