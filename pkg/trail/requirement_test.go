package trail_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const account = "111111111111"

func mainOf(change func(*trail.Trail)) trail.Trail {
	t := trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main",
		HomeRegion: "us-east-1", Bucket: "logs-b", MultiRegion: true,
	}
	if change != nil {
		change(&t)
	}
	return t
}

func organizationTrail(t *trail.Trail) { t.Organization = true }

// expression is a key set as a regular expression.
func expression(s glob.KeySet) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for _, p := range s {
		if len(p.Words) > 0 {
			var words []string
			for _, w := range p.Words {
				words = append(words, regexp.QuoteMeta(w))
			}
			b.WriteString("(?:" + strings.Join(words, "|") + ")")
			continue
		}
		class := "[" + strings.ReplaceAll(p.Class, "-", `\-`) + "]"
		for range p.Min {
			b.WriteString(class)
		}
		for i := p.Min; i < p.Max; i++ {
			b.WriteString(class + "?")
		}
		if p.Max < 0 {
			b.WriteString(class + "*")
		}
	}
	return regexp.MustCompile(b.String() + "$")
}

func find(t *testing.T, tr trail.Trail, s trail.Environment, id trail.RequirementID) trail.Requirement {
	t.Helper()
	for _, r := range trail.Requirements(tr, s) {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no requirement %s", id)
	return trail.Requirement{}
}

func asksFor(r trail.Requirement, key string) bool {
	return slices.ContainsFunc(r.Places, func(p trail.RequestSet) bool { return expression(p.Resources).MatchString(key) })
}

func TestRequirementIDs(t *testing.T) {
	all := mainOf(func(t *trail.Trail) {
		t.LogFileValidation, t.InsightSelectors, t.NetworkActivity, t.Aggregated, t.Organization = true, true, true, true, true
	})
	tests := []struct {
		trail trail.Trail
		want  []trail.RequirementID
	}{
		{mainOf(nil), []trail.RequirementID{trail.BucketACL, trail.LogFiles, trail.PreflightMarker}},
		{all, []trail.RequirementID{
			trail.BucketACL, trail.LogFiles, trail.DigestFiles, trail.InsightsFiles, trail.NetworkActivityFiles,
			trail.AggregatedFiles, trail.ManagementAccountFiles, trail.PreflightMarker,
		}},
		{all, trail.RequirementIDs()},
	}
	for _, tt := range tests {
		var got []trail.RequirementID
		for _, r := range trail.Requirements(tt.trail, trail.Environment{Bucket: "logs-b"}) {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// The keys are those of AWS's page on finding log files and of real buckets.
func TestKeysAskedFor(t *testing.T) {
	const file = "/2026/02/03/111111111111_CloudTrail_eu-central-1_20260203T0915Z_nBsuPO1qSTEVerMD.json.gz"
	org := trail.Environment{Organization: trail.Organization{Known: true, ID: "o-exampleorg1", Members: []string{"222222222222"}}}
	single := func(t *trail.Trail) { t.MultiRegion = false }
	validated := func(t *trail.Trail) { t.LogFileValidation = true }
	tests := []struct {
		name    string
		trail   trail.Trail
		setting trail.Environment
		id      trail.RequirementID
		key     string
		want    bool
	}{
		{"known region", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + file, true},
		{"region to come", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/xx-northwest-7" + strings.Replace(file, "eu-central-1", "xx-northwest-7", 1), true},
		{"no region", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/elsewhere" + file, false},
		{"declared region", mainOf(nil), trail.Environment{Regions: []string{"moon-base"}}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/moon-base" + strings.Replace(file, "eu-central-1", "moon-base", 1), true},
		{"other account", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/222222222222/CloudTrail/eu-central-1" + file, false},
		{"other region of a trail of one", mainOf(single), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + file, false},
		{"month 13", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + strings.Replace(file, "/02/", "/13/", 1), false},
		{"day 00", mainOf(nil), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + strings.Replace(file, "/03/", "/00/", 1), false},
		{"no prefix on a trail with one", mainOf(func(t *trail.Trail) { t.Prefix = "p" }), trail.Environment{}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + file, false},
		{"prefix", mainOf(func(t *trail.Trail) { t.Prefix = "p" }), trail.Environment{}, trail.LogFiles, "p/AWSLogs/111111111111/CloudTrail/eu-central-1" + file, true},
		{"slash prefix kept", mainOf(func(t *trail.Trail) { t.Prefix = "p/" }), trail.Environment{}, trail.LogFiles, "p//AWSLogs/111111111111/CloudTrail/eu-central-1" + file, true},
		{"slash prefix joined", mainOf(func(t *trail.Trail) { t.Prefix = "p/" }), trail.Environment{}, trail.LogFiles, "p/AWSLogs/111111111111/CloudTrail/eu-central-1" + file, true},
		{"leading slash dropped", mainOf(func(t *trail.Trail) { t.Prefix = "/p" }), trail.Environment{}, trail.LogFiles, "p/AWSLogs/111111111111/CloudTrail/eu-central-1" + file, true},
		{"organization, management account", mainOf(organizationTrail), org, trail.LogFiles, "AWSLogs/o-exampleorg1/111111111111/CloudTrail/eu-central-1" + file, true},
		{"organization, any account", mainOf(organizationTrail), org, trail.LogFiles, "AWSLogs/o-exampleorg1/333333333333/CloudTrail/eu-central-1" + strings.Replace(file, account, "333333333333", 1), true},
		{"organization, account path", mainOf(organizationTrail), org, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/eu-central-1" + file, false},
		{"unknown organization", mainOf(organizationTrail), trail.Environment{}, trail.LogFiles, "AWSLogs/o-a1b2c3d4e5/111111111111/CloudTrail/eu-central-1" + file, true},
		{"digest", mainOf(validated), trail.Environment{}, trail.DigestFiles, "AWSLogs/111111111111/CloudTrail-Digest/ap-northeast-2/2026/02/03/111111111111_CloudTrail-Digest_ap-northeast-2_main_us-east-1_20260203T091500Z.json.gz", true},
		{"digest marker", mainOf(validated), trail.Environment{}, trail.DigestFiles, "AWSLogs/111111111111/CloudTrail-Digest/", true},
		{"marker", mainOf(nil), trail.Environment{}, trail.PreflightMarker, "AWSLogs/111111111111/CloudTrail/", true},
		{"organization marker", mainOf(organizationTrail), org, trail.PreflightMarker, "AWSLogs/o-exampleorg1/111111111111/CloudTrail/", true},
		{"management account", mainOf(organizationTrail), org, trail.ManagementAccountFiles, "AWSLogs/111111111111/CloudTrail/", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := find(t, tt.trail, tt.setting, tt.id)
			if got := asksFor(r, "arn:aws:s3:::logs-b/"+tt.key); got != tt.want {
				t.Errorf("asks for %s: %t, want %t", tt.key, got, tt.want)
			}
		})
	}
}

// Both forms of the requirements ask for the same keys.
func TestServiceRequirementsAskForTheSame(t *testing.T) {
	tr, s := mainOf(organizationTrail), trail.Environment{Organization: trail.Organization{ID: "o-exampleorg1"}}
	full, merged := trail.Requirements(tr, s), trail.ServiceRequirements(tr, s)
	if len(full) != len(merged) {
		t.Fatalf("%d requirements, merged %d", len(full), len(merged))
	}
	for i := range full {
		if full[i].ID != merged[i].ID || full[i].Resource != merged[i].Resource {
			t.Errorf("%s %s, merged %s %s", full[i].ID, full[i].Resource, merged[i].ID, merged[i].Resource)
		}
	}
	for _, region := range trail.Regions("aws") {
		key := "arn:aws:s3:::logs-b/AWSLogs/o-exampleorg1/111111111111/CloudTrail/" + region + "/2026/02/03/111111111111_CloudTrail_" + region + "_20260203T0915Z_nBsuPO1qSTEVerMD.json.gz"
		if !asksFor(full[1], key) || !asksFor(merged[1], key) {
			t.Errorf("not asked for: %s", key)
		}
	}
}

func TestYearsFromNow(t *testing.T) {
	s := trail.Environment{Now: time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC)}
	r := find(t, mainOf(nil), s, trail.LogFiles)
	for year, want := range map[string]bool{"2025": false, "2026": true, "2027": true, "2099": true, "2100": false} {
		key := "arn:aws:s3:::logs-b/AWSLogs/111111111111/CloudTrail/us-east-1/" + year + "/02/03/111111111111_CloudTrail_us-east-1_20260203T0915Z_nBsuPO1qSTEVerMD.json.gz"
		if got := asksFor(r, key); got != want {
			t.Errorf("year %s: %t, want %t", year, got, want)
		}
	}
}

func TestGuess(t *testing.T) {
	known := trail.Environment{Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
	tests := []struct {
		name    string
		trail   trail.Trail
		setting trail.Environment
		id      trail.RequirementID
		want    bool
	}{
		{"account trail", mainOf(nil), trail.Environment{}, trail.LogFiles, false},
		{"known organization", mainOf(organizationTrail), known, trail.LogFiles, false},
		{"unknown organization", mainOf(organizationTrail), trail.Environment{}, trail.LogFiles, true},
		{"the account's own folder", mainOf(organizationTrail), trail.Environment{}, trail.ManagementAccountFiles, false},
		{"slash", mainOf(func(t *trail.Trail) { t.Prefix = "p/" }), trail.Environment{}, trail.PreflightMarker, true},
		{"the bucket", mainOf(func(t *trail.Trail) { t.Prefix = "p/" }), trail.Environment{}, trail.BucketACL, false},
	}
	for _, tt := range tests {
		for _, p := range find(t, tt.trail, tt.setting, tt.id).Places {
			if p.Guess != tt.want {
				t.Errorf("%s: Guess is %t, want %t", tt.name, p.Guess, tt.want)
			}
		}
	}
}
