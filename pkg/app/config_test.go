package app

import (
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func lookupIn(variables map[string]string) LookupEnv {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

// least is an environment with what must be set.
func least() map[string]string {
	return map[string]string{
		"AWS_REGION":            "eu-west-1",
		"TRAILWARDEN_ACCOUNT":   "111122223333",
		"TRAILWARDEN_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts",
		"AWS_ACCESS_KEY_ID":     "ASIA111122223333",
		"AWS_SECRET_ACCESS_KEY": "secret",
	}
}

// with is the least environment with more.
func with(more map[string]string) map[string]string {
	variables := least()
	maps.Copy(variables, more)
	return variables
}

func defaults() Config {
	return Config{
		Account: "111122223333", Region: "eu-west-1", TopicARN: "arn:aws:sns:eu-west-1:111122223333:alerts",
		Guard: guardrail.Config{
			Format: alert.Text, Severity: delivery.High, Budget: 3, Window: time.Hour, RemindEvery: 24 * time.Hour,
			KeepSnapshots: 90 * 24 * time.Hour, InventoryAge: 3 * time.Hour,
		},
		Concurrency: 1,
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	declared := []trail.Trail{{Name: "org", ARN: "arn:aws:cloudtrail:us-east-1:444455556666:trail/org", HomeRegion: "us-east-1", Bucket: "logs", Organization: true}}
	const list = `[{"Name":"org","TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org","HomeRegion":"us-east-1","S3BucketName":"logs","IsOrganizationTrail":true}]`
	for name, test := range map[string]struct {
		variables map[string]string
		change    func(*Config)
	}{
		"least": {nil, func(*Config) {}},
		"empty counts as not set": {
			map[string]string{
				"TRAILWARDEN_TABLE": "", "TRAILWARDEN_RESTORE_BUCKETS": " ", "TRAILWARDEN_HARDEN": "", "TRAILWARDEN_REPAIR_BUDGET": "",
				"TRAILWARDEN_REPAIR_WINDOW": "", "TRAILWARDEN_REMINDER": "", "TRAILWARDEN_SNAPSHOT_DAYS": "", "TRAILWARDEN_ALERT_FORMAT": "",
				"TRAILWARDEN_INVENTORY_AGE": "", "TRAILWARDEN_CONCURRENCY": "",
				"TRAILWARDEN_TRAILS": "", "TRAILWARDEN_BUCKET_OWNERS": "", "TRAILWARDEN_ROLE": "", "AWS_ENDPOINT_URL": "",
			},
			func(*Config) {},
		},
		"all": {
			map[string]string{
				"TRAILWARDEN_TABLE": "memory", "TRAILWARDEN_RESTORE_BUCKETS": "logs, more.logs,", "TRAILWARDEN_HARDEN": "True",
				"TRAILWARDEN_REPAIR_BUDGET": "5", "TRAILWARDEN_REPAIR_WINDOW": "90m", "TRAILWARDEN_REMINDER": "0",
				"TRAILWARDEN_SNAPSHOT_DAYS": "7", "TRAILWARDEN_ALERT_FORMAT": "json", "TRAILWARDEN_TRAILS": list,
				"TRAILWARDEN_BUCKET_OWNERS": "logs=444455556666, more.logs=777788889999", "TRAILWARDEN_ROLE": "ops/Trailwarden",
				"AWS_ENDPOINT_URL": "http://localhost:5000", "TRAILWARDEN_ALERT_SEVERITY": "medium",
				"TRAILWARDEN_CHAT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:chat", "TRAILWARDEN_RUNBOOK_URL": "https://wiki.example/trails?x=1#top",
				"TRAILWARDEN_INVENTORY_AGE": "26h", "TRAILWARDEN_CONCURRENCY": "4",
			},
			func(c *Config) {
				c.Guard.InventoryAge, c.Concurrency = 26*time.Hour, 4
				c.Table, c.Role, c.Endpoint = "memory", "ops/Trailwarden", "http://localhost:5000"
				c.Guard.Restore, c.Guard.Harden = []string{"logs", "more.logs"}, true
				c.ChatTopicARN, c.Runbook, c.Guard.Severity = "arn:aws:sns:eu-west-1:111122223333:chat", "https://wiki.example/trails?x=1#top", delivery.Medium
				c.Guard.Budget, c.Guard.Window, c.Guard.RemindEvery = 5, 90*time.Minute, 0
				c.Guard.KeepSnapshots, c.Guard.Format, c.Guard.Trails = 7*24*time.Hour, alert.JSON, declared
				c.Guard.Owners = map[string]string{"logs": "444455556666", "more.logs": "777788889999"}
			},
		},
		"trails as the AWS CLI prints them": {
			map[string]string{"TRAILWARDEN_TRAILS": `{"trailList":` + list + `}`},
			func(c *Config) { c.Guard.Trails = declared },
		},
		"a trail as get-trail prints it": {
			map[string]string{"TRAILWARDEN_TRAILS": `{"Trail":` + list[1:len(list)-1] + `}`},
			func(c *Config) { c.Guard.Trails = declared },
		},
		"trails without what their ARN says": {
			map[string]string{"TRAILWARDEN_TRAILS": `[{"TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org","S3BucketName":"logs","IsOrganizationTrail":true}]`},
			func(c *Config) { c.Guard.Trails = declared },
		},
		"a trail and its shadow": {
			map[string]string{"TRAILWARDEN_TRAILS": list[:len(list)-1] + "," + list[1:]},
			func(c *Config) { c.Guard.Trails = declared },
		},
		"the European Sovereign Cloud": {
			map[string]string{
				"AWS_REGION": "eusc-de-east-1", "TRAILWARDEN_TOPIC_ARN": "arn:aws-eusc:sns:eusc-de-east-1:111122223333:alerts",
				"TRAILWARDEN_TRAILS": `[{"TrailARN":"arn:aws-eusc:cloudtrail:eusc-de-east-1:444455556666:trail/main","S3BucketName":"logs"}]`,
			},
			func(c *Config) {
				c.Region, c.TopicARN = "eusc-de-east-1", "arn:aws-eusc:sns:eusc-de-east-1:111122223333:alerts"
				c.Guard.Trails = []trail.Trail{{
					Name: "main", ARN: "arn:aws-eusc:cloudtrail:eusc-de-east-1:444455556666:trail/main", HomeRegion: "eusc-de-east-1", Bucket: "logs",
				}}
			},
		},
		"another partition": {
			map[string]string{"AWS_REGION": "us-gov-west-1", "TRAILWARDEN_TOPIC_ARN": "arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts"},
			func(c *Config) {
				c.Region, c.TopicARN = "us-gov-west-1", "arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts"
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := defaults()
			test.change(&want)
			got, err := ReadConfig(lookupIn(with(test.variables)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Everything that is wrong is told at once, a line each.
func TestReadConfigTellsAll(t *testing.T) {
	t.Parallel()
	_, nothing := ReadConfig(lookupIn(nil))
	_, wrong := ReadConfig(lookupIn(map[string]string{
		"AWS_REGION": "Frankfurt", "AWS_ENDPOINT_URL": "localhost:5000",
		"TRAILWARDEN_ACCOUNT": "1234", "TRAILWARDEN_TOPIC_ARN": "alerts", "TRAILWARDEN_TABLE": "a b", "TRAILWARDEN_ROLE": "arn:aws:iam::111122223333:role/x",
		"TRAILWARDEN_RESTORE_BUCKETS": "logs,my bucket", "TRAILWARDEN_HARDEN": "yes", "TRAILWARDEN_REPAIR_BUDGET": "-1",
		"TRAILWARDEN_REPAIR_WINDOW": "1s", "TRAILWARDEN_REMINDER": "daily", "TRAILWARDEN_SNAPSHOT_DAYS": "0",
		"TRAILWARDEN_CHAT_TOPIC_ARN": "chat", "TRAILWARDEN_RUNBOOK_URL": "http://wiki", "TRAILWARDEN_ALERT_SEVERITY": "loud",
		"TRAILWARDEN_INVENTORY_AGE": "0s", "TRAILWARDEN_CONCURRENCY": "many",
		"TRAILWARDEN_ALERT_FORMAT": "html", "TRAILWARDEN_TRAILS": `[{"Name":"org"}]`, "TRAILWARDEN_BUCKET_OWNERS": "logs=me",
	}))
	if nothing == nil || wrong == nil {
		t.Fatalf("nothing: %v; wrong: %v", nothing, wrong)
	}
	golden(t, "config-errors.txt", "# nothing is set\n"+nothing.Error()+"\n\n# all is wrong\n"+wrong.Error()+"\n")
}

// A declared trail that cannot be watched is told at the start, in one line
// that says which it is.
func TestReadConfigRefusesDeclaredTrails(t *testing.T) {
	t.Parallel()
	const (
		good    = `{"TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org","S3BucketName":"logs"}`
		noARN   = "no TrailARN; expected the output of \"aws cloudtrail describe-trails\""
		outputs = "expected the output of \"aws cloudtrail describe-trails\""
	)
	for _, test := range []struct{ name, value, want string }{
		{"bad ARN", `[{"TrailARN":"a:b:c:d:e:f","S3BucketName":"logs"}]`, `trail 1: TrailARN "a:b:c:d:e:f" is no trail's ARN; expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME`},
		{"ARN of a bucket", `[` + good + `,{"TrailARN":"arn:aws:s3:::logs","S3BucketName":"logs"}]`, `trail 2: TrailARN "arn:aws:s3:::logs" is no trail's ARN; expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME`},
		{"no region", `[{"TrailARN":"arn:aws:cloudtrail:Frankfurt:444455556666:trail/org","S3BucketName":"logs"}]`, `trail 1: TrailARN "arn:aws:cloudtrail:Frankfurt:444455556666:trail/org" is no trail's ARN; expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME`},
		{"bad bucket", `[{"TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org","S3BucketName":"Not A Bucket!"}]`, `trail 1: S3BucketName "Not A Bucket!" is no bucket's name; expected the name of a bucket, of letters, digits, dots and hyphens`},
		{"two buckets", `[` + good + `,` + strings.Replace(good, "logs", "other", 1) + `]`, `trail 2: arn:aws:cloudtrail:us-east-1:444455556666:trail/org is listed twice with different settings`},
		{"all without an ARN", `[{"Name":"org","S3BucketName":"logs"},{"Name":"main","S3BucketName":"logs"}]`, `trail 1 ("org"): ` + noARN},
		{"all without a bucket", `{"trailList":[{"Name":"org","TrailARN":"arn:aws:cloudtrail:us-east-1:444455556666:trail/org"},{}]}`, `trail 1 ("org"): no S3BucketName; ` + outputs},
		{"all empty", `[{},{}]`, `trail 1: ` + noARN},
		{"null", `[null]`, `trail 1: ` + noARN},
		{"a long ARN", `[{"TrailARN":"` + strings.Repeat("long", 100) + `","S3BucketName":"logs"}]`, `trail 1: TrailARN "` + strings.Repeat("long", 50) + `"… is no trail's ARN; expected arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME`},
		{"list-trails", `{"Trails":[` + good + `]}`, `this is the output of list-trails, which names no buckets; ` + outputs},
		{"a policy", `{"Statement":[]}`, `this is a policy; ` + outputs},
		{"none", `[]`, `no trails in it; ` + outputs + ` with at least one trail`},
		{"no list", `{"trails":[]}`, `no trailList in it; ` + outputs},
		{"cut off", `[` + good, `not JSON (unexpected EOF); ` + outputs},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadConfig(lookupIn(with(map[string]string{"TRAILWARDEN_TRAILS": test.value})))
			want := (&VariableError{
				Name: "TRAILWARDEN_TRAILS", Value: test.value,
				Expected: "trails in JSON, as `aws cloudtrail describe-trails` prints them (" + test.want + ")",
			}).Error()
			if err == nil || err.Error() != want || strings.Contains(want, "\n") || got.Guard.Trails != nil {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestReadConfigRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value string }{
		{"TRAILWARDEN_TRAILS", "{"},
		{"TRAILWARDEN_TRAILS", "[]"},
		{"TRAILWARDEN_TRAILS", `{"trails":[]}`},
		{"TRAILWARDEN_TRAILS", `"` + strings.Repeat("long", 100) + `"`},
		{"TRAILWARDEN_BUCKET_OWNERS", "logs"},
		{"TRAILWARDEN_BUCKET_OWNERS", "logs=111122223333,logs=444455556666"},
		{"TRAILWARDEN_REPAIR_BUDGET", "3.5"},
		{"TRAILWARDEN_REPAIR_WINDOW", "3600"},
		{"TRAILWARDEN_ACCOUNT", "١١١١٢٢٢٢٣٣٣٣"},
		{"TRAILWARDEN_ACCOUNT", "111122223333\nx"},
		{"TRAILWARDEN_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:alerts.fifo"},
		{"AWS_ENDPOINT_URL", "file:///etc"},
	} {
		_, err := ReadConfig(lookupIn(with(map[string]string{test.name: test.value})))
		var v *VariableError
		if !errors.As(err, &v) || v.Name != test.name {
			t.Errorf("%s=%q: %v", test.name, test.value, err)
			continue
		}
		if line := err.Error(); len(line) > 400 || strings.Contains(line, "\n") {
			t.Errorf("%s: not a short line: %q", test.name, line)
		}
	}
}
