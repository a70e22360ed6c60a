package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// One key for log files and topic, with the statement that is made for log files: files
// arrive, and notifications do not.
func TestOneKeyForBoth(t *testing.T) {
	c := rowOf(t, "checks.jsonl", "N12")
	f := finding(t, c.judge(t), "notification-failing")
	if !strings.Contains(f.Message, "is made for log files") || strings.Contains(f.Message, "One key serves") || !slices.Equal(f.Statements, []string{"Encrypt"}) {
		t.Errorf("%+v", f)
	}
	key := c.Setting.Topic.Key
	c.Trail = []byte(strings.Replace(string(c.Trail), `{"Name"`, `{"KmsKeyId":"`+key.ARN+`","Name"`, 1))
	c.Setting.Key, c.KeyPolicy = key, key.Policy
	r := c.judge(t)
	f = finding(t, r, "notification-failing")
	if !strings.Contains(f.Message, "One key serves the log files and the topic") || r.Verdict != delivery.Delivering || r.Trails[0].Notification != delivery.Blocked {
		t.Errorf("verdict %s, %+v", r.Verdict, f)
	}
}
