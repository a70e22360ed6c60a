package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// coverageTest is what is known of trails beside a bucket of one trail, and what is
// found and said then.
type coverageTest struct {
	name        string
	trail       trail.Trail
	surrounding delivery.Surroundings
	want        []string
	says        []string
	severity    delivery.Severity // of the first finding, if any
}

func testCoverage(t *testing.T, tests []coverageTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trails := []trail.Trail{tt.trail}
			environment := trail.Environment{Now: now(), Organization: trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "111111111111"}}
			report := delivery.Judge(documented(t, trails, environment), trails, environment)
			before := show(report)
			r := delivery.JudgeCoverage(report, trails, tt.surrounding)
			checkReport(t, r)
			if got := ids(r.Findings); !slices.Equal(got, tt.want) {
				t.Fatalf("findings %v, want %v\n%s", got, tt.want, show(r))
			}
			for _, text := range tt.says {
				if !strings.Contains(show(r), text) {
					t.Errorf("does not say %q:\n%s", text, show(r))
				}
			}
			if len(r.Findings) > 0 && tt.severity != "" && r.Findings[0].Severity != tt.severity {
				t.Errorf("severity %s, want %s", r.Findings[0].Severity, tt.severity)
			}
			if show(report) != before {
				t.Error("the report that was given has changed")
			}
		})
	}
}

// covering is the trail of the tests, of every region, with all that a trail can have.
func covering(change ...func(*trail.Trail)) trail.Trail {
	t := mainTrail()
	t.MultiRegion, t.GlobalEvents, t.LogFileValidation = true, true, true
	for _, c := range change {
		c(&t)
	}
	return t
}

func silent(t *trail.Trail) {
	t.CustomSelectors, t.SelectorsKnown, t.Unlogged = true, true, trail.Unlogged{Reads: true, Writes: true}
}

func unread(t *trail.Trail) { t.CustomSelectors, t.SelectorsKnown = true, false }

func single(t *trail.Trail) { t.MultiRegion = false }

func organizational(t *trail.Trail) { t.Organization = true }

func otherTrail(change ...func(*trail.Trail)) trail.Trail {
	return covering(append([]func(*trail.Trail){func(t *trail.Trail) {
		t.Name, t.ARN, t.Bucket = "other", strings.Replace(t.ARN, "trail/main", "trail/other", 1), "other-b"
	}}, change...)...)
}

func in(region string) func(*trail.Trail) {
	return func(t *trail.Trail) {
		t.ARN, t.HomeRegion = strings.Replace(t.ARN, t.HomeRegion, region, 1), region
	}
}

func of(account string) func(*trail.Trail) {
	return func(t *trail.Trail) { t.ARN = strings.Replace(t.ARN, t.Account(), account, 1) }
}

func TestTrailSilent(t *testing.T) {
	seen := func(trails ...trail.Trail) delivery.Surroundings { return delivery.Surroundings{Trails: trails} }
	found := []string{"trail-silent"}
	stopped := func(s delivery.Surroundings, arn string) delivery.Surroundings {
		s.Statuses = []trail.Status{{ARN: arn}}
		return s
	}
	asMember := func(s delivery.Surroundings) delivery.Surroundings {
		s.Account = "222222222222"
		return s
	}
	reads := func(t *trail.Trail) { silent(t); t.Unlogged.Reads = false }
	testCoverage(t, []coverageTest{
		{"logs all", covering(), seen(), []string{}, nil, ""},
		{"no management events, alone", covering(silent), seen(covering(silent)), found, []string{mainARN, "logs them in any region", "get-event-selectors"}, delivery.Critical},
		{"reads alone", covering(reads), seen(), found, nil, delivery.Critical},
		{"without KMS", covering(func(t *trail.Trail) { silent(t); t.Unlogged = trail.Unlogged{Sources: "kms.amazonaws.com"} }), seen(), []string{}, nil, ""},
		{"selectors not known", covering(unread), seen(), []string{}, nil, ""},
		{"stopped, which says more", covering(silent), stopped(seen(), mainARN), []string{}, nil, ""},

		{"another one logs them", covering(silent), seen(covering(silent), otherTrail()), []string{}, nil, ""},
		{"another one is stopped", covering(silent), stopped(seen(otherTrail()), otherTrail().ARN), found, nil, ""},
		{"another one is silent", covering(silent), seen(otherTrail(silent)), found, nil, ""},
		{"another one, not known", covering(silent), seen(otherTrail(unread)), found, []string{"Whether " + otherTrail().ARN}, ""},
		{"others of single regions", covering(silent), seen(otherTrail(single), otherTrail(single, in("eu-west-1"))), found, []string{"logs them outside eu-west-1 and us-east-1"}, ""},
		{"another one of the account next door", covering(silent), seen(otherTrail(of("222222222222"))), found, nil, ""},

		{"of one region, alone", covering(silent, single), seen(), found, []string{"logs them in us-east-1"}, ""},
		{"of one region, and another one of it", covering(silent, single), seen(otherTrail(single)), []string{}, nil, ""},
		{"of one region, and another one of all", covering(silent, single), seen(otherTrail()), []string{}, nil, ""},
		{"of one region, and another one elsewhere", covering(silent, single), seen(otherTrail(single, in("eu-west-1"))), found, nil, ""},

		{"of the account, and the organization's logs them", covering(silent), seen(otherTrail(organizational, of("333333333333"))), []string{}, nil, ""},
		{"the organization's, and one of its own account", covering(silent, organizational), seen(otherTrail()), found, nil, ""},
		{"the organization's, and another one of it", covering(silent, organizational), seen(otherTrail(organizational)), []string{}, nil, ""},
		{"the organization's, seen by a member with its own", covering(silent, organizational), asMember(seen(otherTrail(of("222222222222")))), []string{}, nil, ""},
		{"the organization's, seen by a member without", covering(silent, organizational), asMember(seen()), found, nil, ""},
	})
}

// EventBridge hears of a region what a trail logs there.
func TestUnheard(t *testing.T) {
	for name, tt := range map[string]struct {
		trails   []trail.Trail
		statuses []trail.Status
		want     bool
	}{
		"no trail":             {nil, nil, true},
		"a trail":              {[]trail.Trail{covering()}, nil, false},
		"a silent one":         {[]trail.Trail{covering(silent)}, nil, true},
		"not known":            {[]trail.Trail{covering(unread)}, nil, true},
		"stopped":              {[]trail.Trail{covering()}, []trail.Status{{ARN: mainARN}}, true},
		"of the region":        {[]trail.Trail{covering(single)}, nil, false},
		"of another region":    {[]trail.Trail{covering(single, in("eu-west-1"))}, nil, true},
		"silent, and another":  {[]trail.Trail{covering(silent), otherTrail()}, nil, false},
		"stopped, and another": {[]trail.Trail{covering(), otherTrail()}, []trail.Status{{ARN: mainARN}, {ARN: otherTrail().ARN, Logging: true}}, false},
	} {
		if got := (delivery.Surroundings{Trails: tt.trails, Statuses: tt.statuses}).Unheard("us-east-1"); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
