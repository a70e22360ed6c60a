package trail_test

import (
	"encoding/json"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Selectors as GetEventSelectors prints them, and as events of PutEventSelectors
// spell them.
func TestUnlogged(t *testing.T) {
	t.Parallel()
	nothing := trail.Unlogged{Reads: true, Writes: true}
	for _, tt := range []struct {
		name, selectors string
		want            trail.Unlogged
	}{
		{"default", `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"ExcludeManagementEventSources":[]}]}`, trail.Unlogged{}},
		{"defaults of the request", `{"EventSelectors":[{"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]}`, trail.Unlogged{}},
		{"silenced", `{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":false}]}`, nothing},
		{"silenced, as in an event", `{"trailName":"main","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":false}]}`, nothing},
		{"reads only", `{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true}]}`, trail.Unlogged{Writes: true}},
		{"writes only", `{"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]}`, trail.Unlogged{Reads: true}},
		{"one of several selectors", `{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":false},{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]}`, trail.Unlogged{Reads: true}},
		{"without the calls of KMS", `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"ExcludeManagementEventSources":["rdsdata.amazonaws.com","kms.amazonaws.com"]}]}`, trail.Unlogged{Sources: "kms.amazonaws.com, rdsdata.amazonaws.com"}},
		{"a type that is not known", `{"EventSelectors":[{"ReadWriteType":"Some","IncludeManagementEvents":true}]}`, nothing},
		{"no selector at all", `{"EventSelectors":[]}`, trail.Unlogged{}},

		{"advanced", `{"AdvancedEventSelectors":[{"Name":"m","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]}`, trail.Unlogged{}},
		{"advanced, as in an event", `{"trailName":"main","advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"readOnly","equals":["true"]}]}]}`, trail.Unlogged{Writes: true}},
		{"advanced, data events only", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]}]}]}`, nothing},
		{"advanced, writes only", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"readOnly","Equals":["false"]}]}]}`, trail.Unlogged{Reads: true}},
		{"advanced, without the calls of KMS", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}]}]}`, trail.Unlogged{Sources: "kms.amazonaws.com"}},
		{"advanced, with the calls of KMS in another selector", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}]},{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","Equals":["kms.amazonaws.com"]}]}]}`, trail.Unlogged{}},
		{"advanced, the calls of KMS alone", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","Equals":["kms.amazonaws.com"]}]}]}`, nothing},
		{"advanced, one call alone", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventName","Equals":["RunInstances"]}]}]}`, nothing},
		{"advanced, without one call", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventName","NotEquals":["Decrypt"]}]}]}`, trail.Unlogged{}},
		{"advanced, without whatever ends as all do", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEndsWith":[".amazonaws.com"]}]}]}`, nothing},
		{"advanced, without one that every account has", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotStartsWith":["iam."]}]}]}`, trail.Unlogged{Sources: "iam.amazonaws.com"}},
		{"advanced, twice on one field", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"readOnly","Equals":["true"]},{"Field":"readOnly","NotEquals":["true"]}]}]}`, nothing},
		{"advanced, of no category", `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"readOnly","Equals":["false"]}]}]}`, nothing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s trail.Selectors
			if err := json.Unmarshal([]byte(tt.selectors), &s); err != nil {
				t.Fatal(err)
			}
			if got := s.Unlogged(); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestManagementEvents(t *testing.T) {
	t.Parallel()
	silent := trail.Unlogged{Reads: true, Writes: true}
	for name, tt := range map[string]struct {
		trail trail.Trail
		want  trail.Unlogged
		known bool
	}{
		"no selectors of its own": {trail.Trail{}, trail.Unlogged{}, true},
		"selectors not read":      {trail.Trail{CustomSelectors: true}, trail.Unlogged{}, false},
		"selectors read":          {trail.Trail{CustomSelectors: true, SelectorsKnown: true, Unlogged: silent}, silent, true},
		"read, not listed yet":    {trail.Trail{SelectorsKnown: true, Unlogged: silent}, silent, true},
	} {
		if got, known := tt.trail.ManagementEvents(); got != tt.want || known != tt.known {
			t.Errorf("%s: %+v, %v", name, got, known)
		}
	}
}
