package delivery_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func TestTrailCoversLess(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555"
	full := covering(organizational, func(t *trail.Trail) { t.KMSKeyID = key })
	but := func(change func(*trail.Trail)) trail.Trail {
		t := full
		change(&t)
		return t
	}
	before := func(others ...trail.Trail) delivery.Surroundings {
		return delivery.Surroundings{Before: []trail.Coverage{full.Coverage()}, Trails: others}
	}
	found := []string{"trail-covers-less"}
	testCoverage(t, []coverageTest{
		{"nothing is known of before", but(single), delivery.Surroundings{}, []string{}, nil, ""},
		{"as before", full, before(), []string{}, nil, ""},
		{"members", but(func(t *trail.Trail) { t.Organization = false }), before(), found, []string{"records account 111111111111 alone", "--is-organization-trail", `"members"`}, delivery.High},
		{"regions", but(single), before(), found, []string{"records us-east-1 alone", "--is-multi-region-trail"}, delivery.High},
		{"regions and global events", but(func(t *trail.Trail) { t.MultiRegion, t.GlobalEvents = false, false }), before(), found, []string{"us-east-1 alone", "IAM and STS", "--is-multi-region-trail --include-global-service-events"}, delivery.High},
		{"validation", but(func(t *trail.Trail) { t.LogFileValidation = false }), before(), found, []string{"digest files", "--enable-log-file-validation", `"weakness"`}, delivery.Medium},
		{"key", but(func(t *trail.Trail) { t.KMSKeyID = "" }), before(), found, []string{"not encrypted with the key " + key, "--kms-key-id " + key, `"weakness"`}, delivery.Medium},
		{"key and members", but(func(t *trail.Trail) { t.Organization, t.KMSKeyID = false, "" }), before(), found, []string{"members", "not encrypted", `"outage"`}, delivery.High},
		{"the calls of KMS", but(func(t *trail.Trail) { silent(t); t.Unlogged = trail.Unlogged{Sources: "kms.amazonaws.com"} }), before(), found, []string{"management events of kms.amazonaws.com", "put-event-selectors"}, delivery.High},
		{"reads", but(func(t *trail.Trail) { silent(t); t.Unlogged.Writes = false }), before(), found, []string{"leaves out management read events"}, delivery.High},
		{"selectors not known", but(unread), before(), []string{}, nil, ""},

		// Of one cause one finding.
		{"silent", but(silent), before(), []string{"trail-silent"}, nil, ""},
		{"silent, and another one logs them", but(silent), before(otherTrail(organizational)), found, []string{"leaves out all management events"}, delivery.High},
		{"silent, and regions", but(func(t *trail.Trail) { silent(t); single(t) }), before(), []string{"trail-silent", "trail-covers-less"}, []string{"us-east-1 alone"}, ""},
	})
}

// A call is to blame for what it can take away, and on its own trail.
func TestWhoCanTakeCoverage(t *testing.T) {
	lost := func(parts ...trail.Part) delivery.Finding {
		return delivery.Finding{ID: delivery.TrailCoversLessID, Trail: mainARN, Lost: parts}
	}
	quiet := delivery.Finding{ID: delivery.TrailSilentID, Trail: mainARN}
	call := func(event, name string, parts ...trail.Part) delivery.Change {
		return delivery.Change{Event: event, Trail: name, Effect: delivery.TakesAway(parts...)}
	}
	unsaid := func(event string) delivery.Change { return delivery.Change{Event: event, Trail: "main"} }
	for name, tt := range map[string]struct {
		call delivery.Change
		of   delivery.Finding
		want bool
	}{
		"it says so":                    {call("UpdateTrail", "main", trail.PartRegions), lost(trail.PartRegions), true},
		"it says so, by ARN":            {call("UpdateTrail", mainARN, trail.PartKey, trail.PartRegions), lost(trail.PartRegions), true},
		"it took another part":          {call("UpdateTrail", "main", trail.PartKey), lost(trail.PartRegions), false},
		"it took nothing":               {call("UpdateTrail", "main"), lost(trail.PartRegions), false},
		"of another trail":              {call("UpdateTrail", "other", trail.PartRegions), lost(trail.PartRegions), false},
		"of another trail, by ARN":      {call("UpdateTrail", mainARN+"2", trail.PartRegions), lost(trail.PartRegions), false},
		"it does not say":               {unsaid("UpdateTrail"), lost(trail.PartRegions), true},
		"it does not say, of selectors": {unsaid("UpdateTrail"), lost(trail.PartManagement), false},
		"made anew":                     {unsaid("CreateTrail"), lost(trail.PartRegions), true},
		"selectors":                     {call("PutEventSelectors", "main", trail.PartManagement), lost(trail.PartManagement), true},
		"selectors without writes":      {call("PutEventSelectors", "main", delivery.PartWrites), lost(trail.PartManagement), true},
		"selectors of all":              {call("PutEventSelectors", "main"), lost(trail.PartManagement), false},
		"selectors, regions":            {unsaid("PutEventSelectors"), lost(trail.PartRegions), false},
		"selectors, both":               {unsaid("PutEventSelectors"), lost(trail.PartRegions, trail.PartManagement), true},
		"stopping":                      {unsaid("StopLogging"), lost(trail.PartRegions), false},

		"silenced":               {call("PutEventSelectors", "main", delivery.PartWrites), quiet, true},
		"silenced, not said":     {unsaid("PutEventSelectors"), quiet, true},
		"writes still selected":  {call("PutEventSelectors", "main", trail.PartManagement), quiet, false},
		"all selected":           {call("PutEventSelectors", "main"), quiet, false},
		"another one silenced":   {call("PutEventSelectors", "other", delivery.PartWrites), quiet, false},
		"updated":                {unsaid("UpdateTrail"), quiet, false},
		"stopped another":        {delivery.Change{Event: "StopLogging", Trail: "other"}, delivery.Finding{ID: delivery.TrailStoppedID, Trail: mainARN}, false},
		"stopped":                {delivery.Change{Event: "StopLogging", Trail: "main"}, delivery.Finding{ID: delivery.TrailStoppedID, Trail: mainARN}, true},
		"a failed call":          {delivery.Change{Event: "PutEventSelectors", Trail: "main", ErrorCode: "AccessDenied"}, quiet, false},
		"the last trail deleted": {unsaid("DeleteTrail"), delivery.NoTrail("111111111111"), true},
	} {
		if got := delivery.CanBringAbout(tt.call, tt.of); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
