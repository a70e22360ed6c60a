package repair_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// accountTrails are trails of as many accounts.
func accountTrails(n int) []trail.Trail {
	out := make([]trail.Trail, n)
	for i := range out {
		account := fmt.Sprintf("4%011d", i*7919)
		out[i] = trail.Trail{
			Name: "acme-trail", ARN: "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/acme-trail",
			HomeRegion: "eu-west-1", Bucket: testBucket, MultiRegion: true, LogFileValidation: true,
		}
	}
	return out
}

// folders is a policy that grants the accounts of the trails, unbound.
func folders(trails []trail.Trail) string {
	var resources []string
	for _, t := range trails {
		resources = append(resources, `"arn:aws:s3:::logs-b/AWSLogs/`+t.Account()+`/*"`)
	}
	return `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"Acl","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs-b"},` +
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":[` +
		strings.Join(resources, ",") + `]}]}`
}

// With 120 trails a policy fits what S3 takes, since accounts are listed in the
// place of ARNs, and no sentence names them all.
func TestManyTrails(t *testing.T) {
	trails := accountTrails(120)
	tests := []struct {
		name    string
		text    string // empty: the bucket has no policy
		given   []trail.Trail
		options repair.Options
		key     string
		changed string
	}{
		{"no policy", "", trails, repair.Options{}, "aws:SourceAccount", "add add"},
		{"nothing granted", `{"Version":"2012-10-17","Statement":[` + readers(1000) + `]}`, trails, repair.Options{}, "aws:SourceAccount", "add add"},
		{"bound to all", folders(trails), trails, repair.Options{Harden: true, AllTrails: true}, "aws:SourceAccount", "harden harden"},
		{"five of them are given", folders(trails), trails[:5], repair.Options{Harden: true}, "aws:SourceAccount", "harden harden"},
		{"five are all", folders(trails), trails[:5], repair.Options{Harden: true, AllTrails: true}, "aws:SourceArn", "harden harden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := delivery.Bucket{Name: testBucket, Owner: trails[0].Account(), State: delivery.PolicyMissing}
			if tt.text != "" {
				b.State, b.Policy = delivery.PolicyRead, parsed(t, tt.text)
			}
			env := trail.Environment{Now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), Organization: trail.Organization{Known: true, ID: testOrganization}}
			plan := judgeAndPlan(b, tt.given, env, tt.options)
			var actions []string
			for _, c := range plan.Changes {
				actions = append(actions, c.Action)
				if len(c.Reason) > 600 {
					t.Errorf("a reason of %d bytes: %.200s…", len(c.Reason), c.Reason)
				}
			}
			if got := strings.Join(actions, " "); got != tt.changed {
				t.Errorf("changes %q, want %q; refused %+v", got, tt.changed, plan.Refused)
			}
			if len(plan.Policy) > repair.MaxPolicySize {
				t.Errorf("%d bytes", len(plan.Policy))
			}
			if !strings.Contains(string(plan.Policy), tt.key) {
				t.Errorf("not bound by %s: %.2000s", tt.key, plan.Policy)
			}
			b.State, b.Policy = delivery.PolicyRead, parsed(t, string(plan.Policy))
			report := delivery.Judge(b, tt.given, env)
			if report.Verdict != delivery.Delivering {
				t.Errorf("verdict %s", report.Verdict)
			}
			if again := repair.For(b, tt.given, env, report, tt.options); !again.Empty() {
				t.Errorf("planned again: %+v", again.Changes)
			}
		})
	}
}

func parsed(t *testing.T, text string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return doc
}
