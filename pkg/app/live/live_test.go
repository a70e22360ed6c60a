package live_test

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/app"
	"github.com/trailwarden/trailwarden/pkg/app/live"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const account = "111122223333"

// person is someone at a command line, with nothing but these credentials.
func person(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIA" + account, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":             filepath.Join(t.TempDir(), "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "credentials"),
	} {
		t.Setenv(name, value)
	}
}

func open(s app.Session, lookup app.LookupEnv) (*guardrail.Guard, live.Caller, error) {
	return live.NewGuard(context.Background(), s, guardrail.Config{Parallel: 1}, lookup, io.Discard)
}

func TestGuardOfAPerson(t *testing.T) {
	person(t)
	fake := awsfake.New(t, account, "eu-west-1")
	arn := "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/main"
	fake.PutTrail(awsfake.Trail{Trail: trail.Trail{Name: "main", ARN: arn, HomeRegion: "eu-west-1", Bucket: "logs"}})
	fake.PutBucket(awsfake.Bucket{Name: "logs"})
	endpoint := func(name string) (string, bool) { return fake.URL, name == "AWS_ENDPOINT_URL" }
	guard, who, err := open(app.Session{Region: "eu-west-1"}, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if who.Account != account || who.Region != "eu-west-1" || !strings.HasPrefix(who.ARN, "arn:aws:") {
		t.Errorf("called as %+v", who)
	}
	audited, err := guard.Audit(t.Context(), who.Account, who.Region, nil)
	if err != nil || len(audited) != 1 || audited[0].Report.Verdict != "blocked" {
		t.Errorf("%+v, %v", audited, err)
	}
	for _, c := range fake.Calls() {
		if strings.Contains(c.Operation, "Put") || strings.Contains(c.Operation, "Publish") {
			t.Errorf("an audit called %s", c.Operation)
		}
	}
}

func TestGuardOfNobody(t *testing.T) {
	person(t)
	nothing := func(string) (string, bool) { return "", false }
	if _, _, err := open(app.Session{}, nothing); err == nil || !strings.Contains(err.Error(), "--region") {
		t.Errorf("without a region: %v", err)
	}
	if _, _, err := open(app.Session{Region: "eu-west-1", Profile: "none"}, nothing); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("with a profile that is not there: %v", err)
	}
}
