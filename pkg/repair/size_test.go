package repair_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

func numbered(n int) trail.Trail {
	name := fmt.Sprintf("trail-%02d", n)
	return trail.Trail{
		Name: name, ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/" + name,
		HomeRegion: "us-east-1", Bucket: testBucket, Prefix: name,
	}
}

// ownStatements are statements as someone writes them who gives every trail
// its own.
func ownStatements(trails []trail.Trail) []string {
	const form = `{"Sid":"%s%d","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"%s","Resource":"%s","Condition":{"StringEquals":{%s"aws:SourceArn":"%s"}}}`
	var out []string
	for i, t := range trails {
		out = append(out,
			fmt.Sprintf(form, "Acl", i, "s3:GetBucketAcl", "arn:aws:s3:::logs-b", "", t.ARN),
			fmt.Sprintf(form, "Write", i, "s3:PutObject", "arn:aws:s3:::logs-b/"+t.Prefix+"/AWSLogs/111111111111/*", `"s3:x-amz-acl":"bucket-owner-full-control",`, t.ARN))
	}
	return out
}

// readers is a statement of the given size.
func readers(size int) string {
	const form = `{"Sid":"Readers%s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs-b/*"}`
	return fmt.Sprintf(form, strings.Repeat("x", size-len(form)+len("%s")))
}

func planFor(t *testing.T, text string, trails []trail.Trail) repair.Plan {
	t.Helper()
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := delivery.Bucket{Name: testBucket, Owner: "111111111111", State: delivery.PolicyRead, Policy: doc}
	return judgeAndPlan(b, trails, trail.Environment{Bucket: testBucket}, repair.Options{})
}

func verdict(t *testing.T, text []byte, trails []trail.Trail) delivery.Verdict {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b := delivery.Bucket{Name: testBucket, Owner: "111111111111", State: delivery.PolicyRead, Policy: doc}
	return delivery.Judge(b, trails, trail.Environment{Bucket: testBucket}).Verdict
}

func TestPlanOverTheLimit(t *testing.T) {
	trails := make([]trail.Trail, 20)
	for i := range trails {
		trails[i] = numbered(i)
	}
	own := ownStatements(trails[1:])
	used := len(strings.Join(own, ","))
	tests := []struct {
		name    string
		text    string
		changed bool
		actions string
		reason  string // of the refusals
	}{
		{
			"white space is left out",
			`{"Version":"2012-10-17","Statement":[` + readers(18000) + strings.Repeat(" ", 2000) + "," + own[0] + `]}`,
			true, "mend add", "",
		},
		{
			"statements are merged",
			`{"Version":"2012-10-17","Statement":[` + readers(20400-used) + "," + strings.Join(own, ",") + `]}`,
			true, "merge merge", "",
		},
		{
			"refused with the numbers",
			`{"Version":"2012-10-17","Statement":[` + readers(20400) + `]}`,
			false, "", "S3 takes 20480; shorten it by",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := trails
			if !strings.Contains(tt.text, "Write5") {
				given = trails[:2]
			}
			plan := planFor(t, tt.text, given)
			if plan.Changed != tt.changed {
				t.Fatalf("changed is %v: %v", plan.Changed, plan.Refused)
			}
			var actions []string
			for _, c := range plan.Changes {
				actions = append(actions, c.Action)
			}
			if got := strings.Join(actions, " "); got != tt.actions {
				t.Errorf("actions %q, want %q", got, tt.actions)
			}
			if len(plan.Policy) > repair.MaxPolicySize {
				t.Errorf("%d bytes", len(plan.Policy))
			}
			if tt.changed {
				if got := verdict(t, plan.Policy, given); got != delivery.Delivering {
					t.Errorf("verdict %s", got)
				}
				return
			}
			if string(plan.Policy) != tt.text || len(plan.Refused) == 0 || !strings.Contains(plan.Refused[0].Reason, tt.reason) {
				t.Errorf("refused %v", plan.Refused)
			}
		})
	}
}

func TestTrailWithoutAccountIsGrantedNothing(t *testing.T) {
	odd := trail.Trail{Name: "odd", ARN: "odd", Bucket: testBucket}
	plan := planFor(t, `{"Version":"2012-10-17","Statement":[]}`, []trail.Trail{odd})
	if plan.Changed || len(plan.Refused) == 0 {
		t.Errorf("plan %+v", plan)
	}
}

func TestUnusedBucketHasNoPlan(t *testing.T) {
	other := numbered(0)
	other.Bucket = "another"
	plan := planFor(t, `{"Version":"2012-10-17","Statement":[]}`, []trail.Trail{other})
	if !plan.Empty() || len(plan.Refused) > 0 {
		t.Errorf("plan %+v", plan)
	}
}
