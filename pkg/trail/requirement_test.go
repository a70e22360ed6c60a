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
	return slices.ContainsFunc(r.Sets, func(p trail.RequestSet) bool { return expression(p.Resources).MatchString(key) })
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
		{"declared region", mainOf(nil), trail.Environment{EnabledRegions: map[string][]string{"": {"moon-base"}}}, trail.LogFiles, "AWSLogs/111111111111/CloudTrail/moon-base" + strings.Replace(file, "eu-central-1", "moon-base", 1), true},
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

// TestHorizons checks which files are asked for in which horizon.
func TestHorizons(t *testing.T) {
	noon := time.Date(2026, 12, 30, 12, 0, 0, 0, time.UTC)
	none := trail.Horizon(99)
	org := func(s trail.Environment) trail.Environment {
		s.Organization = trail.Organization{Known: true, ID: "o-exampleorg1", Members: []string{"222222222222"}}
		return s
	}
	enabled := func(regions ...string) trail.Environment {
		return trail.Environment{Now: noon, EnabledRegions: map[string][]string{account: regions}}
	}
	tests := []struct {
		name    string
		trail   trail.Trail
		setting trail.Environment
		account string
		region  string
		date    string
		want    trail.Horizon
	}{
		{"today", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2026/12/30", trail.HorizonNow},
		{"tomorrow", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2026/12/31", trail.HorizonNow},
		{"yesterday", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2026/12/29", trail.HorizonBacklog},
		{"30 days ago", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2026/11/30", trail.HorizonBacklog},
		{"31 days ago", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2026/11/29", none},
		{"the day after tomorrow", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2027/01/01", trail.HorizonLaterDates},
		{"the last day", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2099/12/31", trail.HorizonLaterDates},
		{"behind the last day", mainOf(nil), trail.Environment{Now: noon}, account, "eu-west-1", "2100/01/01", none},
		{"later this month", mainOf(nil), trail.Environment{Now: noon.AddDate(0, 0, -20)}, account, "eu-west-1", "2026/12/12", trail.HorizonLaterDates},
		{"later this year", mainOf(nil), trail.Environment{Now: noon.AddDate(0, -2, 0)}, account, "eu-west-1", "2026/12/01", trail.HorizonLaterDates},
		{"no time known", mainOf(nil), trail.Environment{}, account, "eu-west-1", "2031/05/06", trail.HorizonNow},
		{"region to be enabled", mainOf(nil), trail.Environment{Now: noon}, account, "me-south-1", "2026/12/30", trail.HorizonPerhaps},
		{"region that is enabled", mainOf(nil), enabled("me-south-1"), account, "me-south-1", "2026/12/30", trail.HorizonNow},
		{"region that is not enabled", mainOf(nil), enabled("me-south-1"), account, "me-central-1", "2026/12/30", trail.HorizonNewRegions},
		{"region to come", mainOf(nil), trail.Environment{Now: noon}, account, "xx-northwest-7", "2026/12/30", trail.HorizonNewRegions},
		{"home region to be enabled", mainOf(func(t *trail.Trail) { t.HomeRegion = "me-south-1" }), trail.Environment{Now: noon}, account, "me-south-1", "2026/12/30", trail.HorizonNow},
		{"region of a trail of one", mainOf(func(t *trail.Trail) { t.MultiRegion = false }), trail.Environment{Now: noon}, account, "us-east-1", "2026/12/30", trail.HorizonNow},
		{"member", mainOf(organizationTrail), org(trail.Environment{Now: noon}), "o-exampleorg1/222222222222", "eu-west-1", "2026/12/30", trail.HorizonNow},
		{"account that is no known member", mainOf(organizationTrail), org(trail.Environment{Now: noon}), "o-exampleorg1/333333333333", "eu-west-1", "2026/12/30", trail.HorizonPerhaps},
		{"member, region that the owner has enabled", mainOf(organizationTrail), org(enabled("me-south-1")), "o-exampleorg1/222222222222", "me-south-1", "2026/12/30", trail.HorizonPerhaps},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := tt.account[strings.LastIndexByte(tt.account, '/')+1:]
			key := "arn:aws:s3:::logs-b/AWSLogs/" + tt.account + "/CloudTrail/" + tt.region + "/" + tt.date + "/" +
				id + "_CloudTrail_" + tt.region + "_" + strings.ReplaceAll(tt.date, "/", "") + "T0915Z_nBsuPO1qSTEVerMD.json.gz"
			got := none
			for _, p := range find(t, tt.trail, tt.setting, trail.LogFiles).Sets {
				if p.Horizon < got && expression(p.Resources).MatchString(key) {
					got = p.Horizon
				}
			}
			if got != tt.want {
				t.Errorf("%s: horizon %d, want %d", key, got, tt.want)
			}
		})
	}
}

// TestHorizonOfSelectors checks that files of kinds that the event selectors
// switch on are asked for perhaps where those are not known.
func TestHorizonOfSelectors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		trail trail.Trail
		want  trail.Horizon
		asked bool
	}{
		{"no custom selectors", mainOf(nil), 0, false},
		{"custom selectors", mainOf(func(t *trail.Trail) { t.CustomSelectors = true }), trail.HorizonPerhaps, true},
		{"custom selectors, known", mainOf(func(t *trail.Trail) { t.CustomSelectors, t.SelectorsKnown, t.ConfigurationKnown = true, true, true }), 0, false},
		{"asked for", mainOf(func(t *trail.Trail) {
			t.CustomSelectors, t.NetworkActivity, t.Aggregated = true, true, true
		}), trail.HorizonNow, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := 0
			for _, r := range trail.Requirements(tt.trail, trail.Environment{Now: time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)}) {
				if r.ID != trail.NetworkActivityFiles && r.ID != trail.AggregatedFiles {
					continue
				}
				found++
				if r.Sets[0].Horizon != tt.want {
					t.Errorf("%s: horizon %d, want %d", r.ID, r.Sets[0].Horizon, tt.want)
				}
			}
			if (found == 2) != tt.asked {
				t.Errorf("%d requirements, asked for: %t", found, tt.asked)
			}
		})
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
		for _, p := range find(t, tt.trail, tt.setting, tt.id).Sets {
			if p.Guess != tt.want {
				t.Errorf("%s: Guess is %t, want %t", tt.name, p.Guess, tt.want)
			}
		}
	}
}
