package trail_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The inventory keeps trails as JSON. One that is read from there covers what it did.
func TestCoverageOutlivesJSON(t *testing.T) {
	all := trail.Trail{
		Name: "management-events", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events",
		Bucket: "aws-cloudtrail-logs-111111111111-0123abcd", HomeRegion: "us-east-1", KMSKeyID: "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000",
	}
	for _, field := range reflect.ValueOf(&all).Elem().Fields() {
		if field.Kind() == reflect.Bool {
			field.SetBool(true)
		}
	}
	for _, want := range []trail.Trail{all, {ARN: all.ARN, Bucket: all.Bucket, HomeRegion: "us-east-1"}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got trail.Trail
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Coverage(), got.Coverage()); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}
