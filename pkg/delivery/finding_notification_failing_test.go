package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
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

// What CloudTrail reports of a topic is told where the topic was not looked at, and not once its
// policy is right: the report is that of the last file.
func TestStaleNotificationError(t *testing.T) {
	tr := mainTrail()
	tr.SNSTopic = "arn:aws:sns:us-east-1:111111111111:trail-notices"
	trails, s := []trail.Trail{tr}, trail.Environment{}
	b := documented(t, trails, s)
	budget := delivery.NewBudget(b, trails)
	judged := delivery.JudgeWithin(budget, b, trails, s)
	reported := delivery.JudgeStatus(judged, trails, []trail.Status{{ARN: tr.ARN, Logging: true, NotificationError: "AuthorizationError"}}, delivery.Evidence{})
	if f := finding(t, reported, "notification-failing"); !strings.Contains(f.Message, "AuthorizationError") || reported.Verdict != delivery.Delivering {
		t.Errorf("verdict %s, %+v", reported.Verdict, f)
	}
	for text, want := range map[string]int{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}`: 0,
		`{"Statement":[]}`: 1,
	} {
		topic := delivery.Topic{Topic: trail.Topic{ARN: tr.SNSTopic}, Document: parseIn(t, policy.SNS(), []byte(text))}
		r := delivery.JudgeChain(budget, reported, b, trails, s, delivery.Chain{Topics: []delivery.Topic{topic}})
		if len(r.Findings) != want {
			t.Errorf("%s: %v", text, ids(r.Findings))
		}
		checkReport(t, r)
	}
}
