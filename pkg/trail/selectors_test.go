package trail_test

import (
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

const advanced = `{
    "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/main",
    "AdvancedEventSelectors": [
        {"Name": "Management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        {"Name": "VPC endpoints", "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["NetworkActivity"]},
            {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}]}
    ]
}`

// Texts as the AWS CLI prints them.
func TestWithSelectors(t *testing.T) {
	custom := mainOf(func(t *trail.Trail) { t.CustomSelectors = true })
	other := mainOf(func(t *trail.Trail) { t.ARN, t.Name = strings.Replace(t.ARN, "main", "other", 1), "other" })
	const basic = `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::secrets/"]}],"ExcludeManagementEventSources":[]}]}`
	for _, tt := range []struct {
		name   string
		text   string
		trails []trail.Trail
		want   trail.Trail // the first
	}{
		{"advanced", advanced, []trail.Trail{custom, other}, mainOf(func(t *trail.Trail) { t.CustomSelectors, t.SelectorsKnown, t.NetworkActivity = true, true, true })},
		{"basic", basic, []trail.Trail{custom}, mainOf(func(t *trail.Trail) { t.CustomSelectors, t.SelectorsKnown = true, true })},
		{"insights", `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","InsightSelectors":[{"InsightType":"ApiCallRateInsight"}]}`, []trail.Trail{custom}, mainOf(func(t *trail.Trail) { t.CustomSelectors, t.InsightSelectors = true, true })},
		{"configuration", `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","MaxEventSize":"Standard","ContextKeySelectors":[],"AggregationConfigurations":[{"Templates":["API_ACTIVITY"],"EventCategory":"Data"}]}`, []trail.Trail{custom}, mainOf(func(t *trail.Trail) { t.CustomSelectors, t.ConfigurationKnown, t.Aggregated = true, true, true })},
		{"no aggregation", `{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","MaxEventSize":"Standard"}`, []trail.Trail{custom}, mainOf(func(t *trail.Trail) { t.CustomSelectors, t.ConfigurationKnown = true, true })},
		{"two outputs", advanced + "\n" + `{"MaxEventSize":"Standard"}`, []trail.Trail{custom}, mainOf(func(t *trail.Trail) {
			t.CustomSelectors, t.SelectorsKnown, t.NetworkActivity, t.ConfigurationKnown = true, true, true, true
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := trail.WithSelectors(tt.trails, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got[0] != tt.want {
				t.Errorf("%+v, want %+v", got[0], tt.want)
			}
			if tt.trails[0] != custom {
				t.Error("the trails that were given were changed")
			}
		})
	}
}

func TestWithSelectorsRefuses(t *testing.T) {
	two := []trail.Trail{mainOf(nil), mainOf(func(t *trail.Trail) { t.ARN = strings.Replace(t.ARN, "main", "other", 1) })}
	for text, want := range map[string]string{
		"":                      "not JSON",
		"selectors":             "not JSON",
		`{"TrailARN":`:          "not JSON",
		`{"EventSelectors":[]}`: "no TrailARN in it",
		`{"trailList":[]}`:      "no TrailARN in it",
		`{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main"}`:                             "no EventSelectors",
		`{"TrailARN":"arn:aws:cloudtrail:us-east-1:222222222222:trail/main","AdvancedEventSelectors":[]}`: "none of the trails",
		`{"TrailARN":"arn:aws:cloudtrail:us-east-1:111111111111:trail/main","EventSelectors":"all"}`:      "not JSON",
	} {
		_, err := trail.WithSelectors(two, []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "expected the output of") {
			t.Errorf("%s: %v, want %q and what was expected", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error is more than a line: %v", text, err)
		}
	}
}
