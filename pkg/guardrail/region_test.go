package guardrail_test

import (
	"context"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// regions answers which regions are enabled, and counts how often it is asked.
type regions struct {
	enabled []string
	err     error
	asked   int
}

func (r *regions) EnabledRegions(context.Context, string) ([]string, error) {
	r.asked++
	return r.enabled, r.err
}

// namesRegions is a policy that grants the regions that every account has, one
// by one.
func namesRegions() string {
	var folders []string
	for _, r := range trail.EnabledByDefault("aws") {
		for _, folder := range []string{"CloudTrail", "CloudTrail-Digest"} {
			folders = append(folders, `"arn:aws:s3:::acme-audit-logs/AWSLogs/111111111111/`+folder+`/`+r+`/*"`)
		}
	}
	folders = append(folders, `"arn:aws:s3:::acme-audit-logs/AWSLogs/111111111111/CloudTrail/"`, `"arn:aws:s3:::acme-audit-logs/AWSLogs/111111111111/CloudTrail-Digest/"`)
	return policyOf(
		`{"Sid":"Acl","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-audit-logs"}`,
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":[`+strings.Join(folders, ",")+`]}`)
}

// TestRegionsAreReadWhereTheyMatter lets the judgement hang on which regions
// are enabled, and looks at what is told and written.
func TestRegionsAreReadWhereTheyMatter(t *testing.T) {
	for name, test := range map[string]struct {
		regions *regions
		kinds   string
		writes  bool
	}{
		"all as by default":     {&regions{enabled: trail.EnabledByDefault("aws")}, "", false},
		"one more, not granted": {&regions{enabled: append(trail.EnabledByDefault("aws"), "me-south-1")}, "restored", true},
		"may not be read":       {&regions{}, "opened", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ports.Regions = test.regions
			w.rebuild()
			results := w.reconcile(t, w.put(t, namesRegions()))
			w.wantKinds(t, test.kinds)
			if results[0].Wrote != test.writes {
				t.Errorf("wrote: %t, want %t", results[0].Wrote, test.writes)
			}
			if test.regions.asked != 1 {
				t.Errorf("asked %d times, want once", test.regions.asked)
			}
		})
	}
	t.Run("a policy that names none", func(t *testing.T) {
		w := newWorld(t)
		r := &regions{enabled: trail.EnabledByDefault("aws")}
		w.ports.Regions = r
		w.rebuild()
		w.reconcile(t, w.put(t, w.policy(t)))
		if r.asked != 0 {
			t.Errorf("asked %d times, want never", r.asked)
		}
	})
	t.Run("cannot be read just now", func(t *testing.T) {
		w := newWorld(t)
		r := &regions{err: transient("account:ListRegions")}
		w.ports.Regions = r
		w.rebuild()
		request := w.put(t, namesRegions())
		if _, err := w.guard.Reconcile(t.Context(), request); err == nil {
			t.Error("no error, so that it is not tried again")
		}
		w.wantKinds(t, "")
		r.enabled, r.err = trail.EnabledByDefault("aws"), nil
		w.reconcile(t, request)
		w.wantKinds(t, "")
	})
}

var _ guardrail.Regions = (*regions)(nil)
