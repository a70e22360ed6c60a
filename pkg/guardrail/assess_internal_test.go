package guardrail

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	testAccount = "111111111111"
	testBucket  = "aws-cloudtrail-logs-111111111111-5a3e9c1b"
)

func testTrail() trail.Trail {
	return trail.Trail{
		Name: "management-events", ARN: "arn:aws:cloudtrail:eu-central-1:111111111111:trail/management-events",
		HomeRegion: "eu-central-1", Bucket: testBucket, MultiRegion: true,
	}
}

// seen is a bucket with a policy, as it is observed; an empty text is none.
func seen(t *testing.T, text string, at time.Time) observation {
	t.Helper()
	o := observation{
		at: at, trails: []trail.Trail{testTrail()},
		bucket: delivery.Bucket{
			Name: testBucket, Owner: testAccount, Region: "eu-central-1",
			State: delivery.PolicyMissing, Payer: delivery.PayerOwner,
		},
		wanted: wanted{
			organization: trail.Organization{Known: true}, statuses: []trail.Status{{ARN: testTrail().ARN, Logging: true}},
		},
	}
	if text != "" {
		doc, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		o.bucket.State, o.bucket.Policy = delivery.PolicyRead, doc
	}
	return o
}

func documentedPolicy(t *testing.T) string {
	t.Helper()
	text, err := trail.DocumentedPolicy([]trail.Trail{testTrail()}, trail.Environment{Bucket: testBucket, BucketOwner: testAccount})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func ids(r delivery.Report) string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.ID)
	}
	return strings.Join(list, " ")
}

// TestAssess assesses observations without any port.
func TestAssess(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	ref := BucketRef{Name: testBucket, Account: testAccount, Region: "eu-central-1"}
	bucket := TrailBucket{BucketRef: ref, Trails: []trail.Trail{testTrail()}}
	failing := func(o observation) observation {
		o.statuses[0].DeliveryError, o.statuses[0].DeliveryAttempt = "AccessDenied", now.Add(-time.Hour)
		return o
	}
	for _, test := range []struct {
		name     string
		subject  Subject
		change   *delivery.Change
		record   ledger.Record
		done     attempt
		obs      observation
		config   Config
		verdict  delivery.Verdict
		findings string
		changes  bool // the plan would write
		stale    int
	}{
		{name: "documented", subject: bucket, obs: seen(t, documentedPolicy(t), now), verdict: delivery.Delivering},
		{name: "no policy", subject: bucket, obs: seen(t, "", now), verdict: delivery.Blocked, findings: "policy-missing", changes: true},
		{
			name: "CloudTrail reports a failure", subject: bucket, obs: failing(seen(t, documentedPolicy(t), now)),
			verdict: delivery.Blocked, findings: "delivery-failing",
		},
		{
			name: "a failure from before the change of the event", subject: bucket,
			change: &delivery.Change{Event: "PutBucketPolicy", Time: now.Add(-time.Minute)},
			obs:    failing(seen(t, documentedPolicy(t), now)), verdict: delivery.Delivering, stale: 1,
		},
		{
			name: "a failure from before our own write", subject: bucket,
			done: attempt{id: "1", written: now}, obs: failing(seen(t, documentedPolicy(t), now)),
			verdict: delivery.Delivering, stale: 1,
		},
		{
			name: "a failure that was told as such", subject: bucket,
			record: ledger.Record{NotifiedAt: now, Notified: []ledger.Finding{{ID: "delivery-failing", Kind: delivery.Outage}}},
			obs:    failing(seen(t, documentedPolicy(t), now)), verdict: delivery.Blocked, findings: "delivery-failing",
		},
		{name: "deleted trail", subject: DeletedTrail{ARN: testTrail().ARN}, verdict: delivery.Blocked, findings: "trail-deleted"},
		{name: "deleted trail that is back", subject: DeletedTrail{ARN: testTrail().ARN, Back: true}, verdict: delivery.Delivering},
		{name: "unused bucket", subject: UnusedBucket{ref}, verdict: delivery.Delivering},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := Target{Subject: test.subject, Change: test.change}
			rec := record{Record: test.record, memory: noMemory{}}
			out := assess(t.Context(), target, rec, test.obs, test.done, outcome{}, test.config)
			if out.report.Verdict != test.verdict || ids(out.report) != test.findings {
				t.Errorf("%s, %q; want %s, %q", out.report.Verdict, ids(out.report), test.verdict, test.findings)
			}
			if out.plan.Changed != test.changes {
				t.Errorf("the plan writes: %t, want %t", out.plan.Changed, test.changes)
			}
			if len(out.stale) != test.stale {
				t.Errorf("stale %v, want %d", out.stale, test.stale)
			}
		})
	}
}

// TestAssessAgain checks that an earlier judgement is kept only for what it is
// the judgement of.
func TestAssessAgain(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	ref := BucketRef{Name: testBucket, Account: testAccount, Region: "eu-central-1"}
	target := Target{Subject: TrailBucket{BucketRef: ref, Trails: []trail.Trail{testTrail()}}}
	rec := record{memory: noMemory{}}
	first := assess(t.Context(), target, rec, seen(t, documentedPolicy(t), now), attempt{}, outcome{}, Config{})
	// A judgement that would betray its reuse.
	first.judged.report.Findings = []delivery.Finding{{ID: "kept", Kind: delivery.Weakness}}

	kept := func(o observation) bool {
		return ids(assess(t.Context(), target, rec, o, attempt{}, first, Config{}).report) == "kept"
	}
	if !kept(seen(t, documentedPolicy(t), now.Add(time.Second))) {
		t.Error("the same bucket was judged again")
	}
	for name, change := range map[string]func(*observation){
		"another policy":       func(o *observation) { *o = seen(t, "", now) },
		"another payer":        func(o *observation) { o.bucket.Payer = delivery.PayerRequester },
		"another owner":        func(o *observation) { o.bucket.Owner = "222222222222" },
		"another region":       func(o *observation) { o.bucket.Region = "eu-west-1" },
		"another organization": func(o *observation) { o.organization.ID = "o-a1b2c3d4e5" },
		"another member":       func(o *observation) { o.organization.Members = []string{"222222222222"} },
		"another prefix":       func(o *observation) { o.trails[0].Prefix = "org" },
		"another time":         func(o *observation) { o.at = now.Add(time.Minute) },
	} {
		o := seen(t, documentedPolicy(t), now)
		change(&o)
		if kept(o) {
			t.Errorf("%s: the earlier judgement was kept", name)
		}
	}
}

// A policy that takes longer than there is time is too complex for now: that is told, and
// the bucket is judged again.
func TestAssessWithoutTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	now := time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)
	target := Target{Subject: TrailBucket{BucketRef: BucketRef{Name: testBucket, Account: testAccount}, Trails: []trail.Trail{testTrail()}}}
	obs := seen(t, ComplexPolicy(testBucket), now)
	out := assess(ctx, target, record{memory: noMemory{}}, obs, attempt{}, outcome{}, Config{})
	if !out.report.TooComplex() || out.report.Verdict != delivery.Undetermined || !out.plan.Empty() {
		t.Errorf("report %+v, plan %+v", out.report, out.plan)
	}
	if _, ok := errors.AsType[*ObserveError](out.stopped); !ok || out.judged.restsOn(obs) {
		t.Errorf("stopped %v", out.stopped)
	}
}

// ComplexPolicy takes more work than there is for any policy.
func ComplexPolicy(bucket string) string {
	statements := []string{
		`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],` +
			`"Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/AWSLogs/*"]}`,
	}
	for i := range 52 {
		letter := string(rune('a' + i%26))
		statements = append(statements, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+bucket+
			`/AWSLogs/*`+letter+strings.Repeat("?", 4+i)+`*`+letter+`","Condition":{"StringEquals":{"aws:ResourceTag/k0":"a","aws:ResourceTag/k1":"a"}}}`)
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}
