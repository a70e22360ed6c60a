package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	iam "github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/test/costly"
)

// costlyBucket has a name as long as that the policies are made for.
func costlyBucket(i int) string { return fmt.Sprintf("ct%04d", i) }

// isTold reports whether a policy is told at once with a trail of the test's account: it
// stops deliveries, or what it does is not known and may be as bad.
func isTold(t *testing.T, name string, text []byte) bool {
	t.Helper()
	doc, err := iam.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	tr := trail.Trail{
		Name: name, ARN: strings.TrimSuffix(costly.Trail, "main") + name, HomeRegion: region, Bucket: name, MultiRegion: true, LogFileValidation: true,
	}
	r := delivery.Judge(delivery.Bucket{Name: name, Owner: account, Region: region, State: delivery.PolicyRead, Policy: doc}, []trail.Trail{tr}, trail.Environment{
		BucketOwner: account, BucketRegion: region, Organization: trail.Organization{Known: true}, Now: time.Now(),
		EnabledRegions: map[string][]string{account: enabledRegions()},
	})
	return slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool {
		return f.Kind == delivery.Outage || f.Kind == delivery.Unknown && f.Severity.Rank() <= delivery.High.Rank()
	})
}

// costlyWorld has buckets with policies of each kind that takes much work, and one bucket
// that is opted in and loses its policy. It returns which are to be told, and the events.
func costlyWorld(t *testing.T) (w *world, told map[string]bool, events [][]byte) {
	t.Helper()
	w = deploy(t, restoring(bucket))
	w.healthy(documented())
	told = map[string]bool{bucket: true}
	for i, f := range costly.Families() {
		name := costlyBucket(i)
		text := f.Policy(name, name)
		createBucket(t, name)
		putPolicy(t, name, string(text))
		createTrail(t, object{"Name": name, "S3BucketName": name, "IsMultiRegionTrail": true, "EnableLogFileValidation": true})
		told[name] = isTold(t, name, text)
		events = append(events, encode(t, sample(t, "put-bucket-policy", parameter("bucketName", name))))
		if i == len(costly.Families())/2 {
			events = append(events, encode(t, sample(t, "delete-bucket-policy")))
		}
	}
	deletePolicy(t, bucket)
	return w, told, events
}

// tells fails unless those buckets are told, and the broken one is restored.
func (w *world) tells(want map[string]bool) {
	w.t.Helper()
	told := alertsByBucket(w.t)
	for name, isTold := range want {
		if (len(told[name]) > 0) != isTold {
			w.t.Errorf("%s: told %q, and that it is told is to be %v", name, kindsOf(told[name]), isTold)
		}
	}
	if kinds := kindsOf(told[bucket]); len(kinds) != 1 || kinds[0] != "restored" {
		w.t.Errorf("the broken bucket is told %q", kinds)
	}
	w.delivers()
}

func TestEventsOfCostlyPolicies(t *testing.T) {
	w, told, events := costlyWorld(t)
	fills(t, events)
	for taken := 1; taken > 0; {
		var again int
		if taken, again = w.polls(); again > 0 {
			t.Errorf("%d of %d records are tried again", again, taken)
		}
	}
	w.tells(told)
}

func TestSweepOfCostlyPolicies(t *testing.T) {
	w, told, _ := costlyWorld(t)
	if a := w.sweeps(); a.ErrorType != "" {
		t.Error(a.ErrorMessage)
	}
	w.tells(told)
}
