package tfplan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// large is a plan with many resources of no interest, which is never in memory as a whole.
func large(size int64, plan []byte) io.Reader {
	filler := fmt.Sprintf(`{"address":"null_resource.x","mode":"managed","type":"null_resource","name":"x","change":{"actions":["no-op"],"before":{"v":%q}}},`, strings.Repeat("x", 2000))
	head, tail, _ := bytes.Cut(plan, []byte(`"resource_changes":[`))
	return io.MultiReader(bytes.NewReader(head), strings.NewReader(`"resource_changes":[`),
		&repeated{text: filler, left: size / int64(len(filler))}, bytes.NewReader(tail))
}

type repeated struct {
	text string
	left int64
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// memory is what the process has of the operating system, in bytes, and for people the most that it ever had.
func memory() (taken int64, peak string) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, _ := os.ReadFile("/proc/self/status")
	return int64(m.Sys), string(regexp.MustCompile(`VmHWM:.*`).Find(status))
}

// Of a plan of 100 MB a few are in memory at a time.
func TestLargePlan(t *testing.T) {
	before, _ := memory()
	in, err := tfplan.Read(large(100<<20, recorded(t, "deny-added")), tfplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	after, peak := memory()
	t.Logf("memory for a plan of 100 MB: %d MiB more than before; of the process: %s", (after-before)>>20, peak)
	if after-before > 48<<20 {
		t.Errorf("%d bytes were taken", after-before)
	}
	if r := iac.Assess(in, iac.Setting{Now: today}); r[0].Change != iac.Broken {
		t.Errorf("%s", r[0].Change)
	}
}

// many is a plan that makes a bucket, its policy and its trail in each of n instances of a module. Trails
// that are told by their module's output stand beside the module.
func many(n int, beside bool) []byte {
	var changes []any
	for i := range n {
		module := fmt.Sprintf("module.logs[\"k%d\"].", i)
		change := func(address, kind string, after, unknown map[string]any) {
			changes = append(changes, map[string]any{
				"address": address, "mode": "managed", "type": kind, "name": "this",
				"change": map[string]any{"actions": []any{"create"}, "after": after, "after_unknown": unknown},
			})
		}
		change(module+"aws_s3_bucket.this", "aws_s3_bucket", map[string]any{}, map[string]any{"bucket": true, "id": true, "arn": true})
		change(module+"aws_s3_bucket_policy.this", "aws_s3_bucket_policy", map[string]any{}, map[string]any{"bucket": true, "policy": true})
		trail := module + "aws_cloudtrail.this"
		if beside {
			trail = fmt.Sprintf("aws_cloudtrail.this[\"k%d\"]", i)
		}
		change(trail, "aws_cloudtrail", map[string]any{"name": fmt.Sprintf("t%d", i)}, map[string]any{"arn": true, "s3_bucket_name": true})
	}
	resource := func(kind string, expressions map[string]any) any {
		return map[string]any{"address": kind + ".this", "mode": "managed", "type": kind, "name": "this", "expressions": expressions}
	}
	refers := func(to ...string) map[string]any { return map[string]any{"references": to} }
	inside := []any{
		resource("aws_s3_bucket", nil),
		resource("aws_s3_bucket_policy", map[string]any{"bucket": refers("aws_s3_bucket.this.id"), "policy": refers("aws_s3_bucket.this.arn")}),
	}
	root := map[string]any{}
	if trail := "aws_cloudtrail"; beside {
		root["resources"] = []any{resource(trail, map[string]any{"s3_bucket_name": refers("module.logs", "each.key")})}
	} else {
		inside = append(inside, resource(trail, map[string]any{"s3_bucket_name": refers("aws_s3_bucket_policy.this.bucket")}))
	}
	outputs := map[string]any{"bucket": map[string]any{"expression": refers("aws_s3_bucket_policy.this.bucket")}}
	root["module_calls"] = map[string]any{"logs": map[string]any{"source": "./logs", "module": map[string]any{"resources": inside, "outputs": outputs}}}
	text, _ := json.Marshal(map[string]any{
		"format_version": "1.2", "resource_changes": changes, "configuration": map[string]any{"root_module": root},
	}) // texts, lists and maps
	return text
}

// Each bucket is found by its key, and each instance by its address: the work for four times as many is
// not much more than four times as much. Counted are allocations, since times tell of the machine.
func TestManyInstances(t *testing.T) {
	for _, beside := range []bool{false, true} {
		work := func(n int) float64 {
			plan := many(n, beside)
			return testing.AllocsPerRun(1, func() {
				in, err := tfplan.Read(bytes.NewReader(plan), tfplan.Options{Account: "111111111111", Region: "eu-west-1"})
				if err != nil {
					t.Fatal(err)
				}
				trails := in.After[0].Trails
				if last := trails[len(trails)-1]; last.Use.At != fmt.Sprintf("module.logs[\"k%d\"].aws_s3_bucket.this", n-1) {
					t.Errorf("the last trail uses %q", last.Use.At)
				}
			})
		}
		if few, more := work(100), work(400); more > 5*few {
			t.Errorf("%.0f allocations for 100 instances, %.0f for 400", few, more)
		}
	}
}

// What two snapshots have alike is judged once, and each bucket has its own verdict.
func TestManyBuckets(t *testing.T) {
	var changes []any
	for i := range 30 {
		plan := edited(t, map[bool]string{true: "deny-added", false: "nothing"}[i == 7], func(map[string]any) {})
		text := strings.NewReplacer("example-logs", fmt.Sprintf("example-logs-%d", i), "trail/main", fmt.Sprintf("trail/main%d", i),
			`"name":"main"`, fmt.Sprintf(`"name":"main%d"`, i)).Replace(string(plan))
		var one map[string]any
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatal(err)
		}
		for _, c := range one["resource_changes"].([]any) {
			c := c.(map[string]any)
			c["address"] = fmt.Sprintf("module.m%d.%s", i, c["address"])
			changes = append(changes, c)
		}
	}
	plan := edited(t, "nothing", func(plan map[string]any) {
		plan["resource_changes"] = changes
		delete(plan, "prior_state") // that of the one plan
	})
	reports := assess(t, plan)
	if len(reports) != 30 {
		t.Fatalf("%d buckets", len(reports))
	}
	for _, r := range reports {
		broken := r.Bucket == "example-logs-7"
		if after := map[bool]delivery.Verdict{true: delivery.Blocked, false: delivery.Delivering}[broken]; r.After != after || r.Before != delivery.Delivering {
			t.Errorf("%s: %s, then %s", r.Bucket, r.Before, r.After)
		}
	}
}
