package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The commands on an organization as a person runs them, down to the calls of AWS.
func TestOrganizationCommandsCallAWS(t *testing.T) {
	const member, closed = "444444444444", "555555555555"
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ASIA" + acmeSecurity, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "credentials"), "TRAILWARDEN_TABLE": "",
	} {
		t.Setenv(name, value)
	}
	fake := awsfake.New(t, acmeSecurity, "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL", fake.URL)
	fake.Organization = &trail.Organization{Known: true, ID: acmeID, ManagementAccount: acmeManagement}
	for _, id := range []string{acmeManagement, acmeSecurity, acmeArchive, member, closed} {
		fake.Members = append(fake.Members, []inventory.Member{{ID: id, State: inventory.Active}}, nil)
	}
	for _, x := range []struct {
		account, home, owner, region, bucket string
		shared                               bool
	}{
		{acmeManagement, "us-east-1", acmeArchive, "eu-west-1", acmeCentral, true},
		{member, "eu-west-1", member, "eu-west-1", "own-logs", false},
	} {
		arn := "arn:aws:cloudtrail:" + x.home + ":" + x.account + ":trail/t"
		described := trail.Trail{Name: "t", ARN: arn, HomeRegion: x.home, Bucket: x.bucket, MultiRegion: true, Organization: x.shared}
		fake.PutTrail(awsfake.Trail{Trail: described, Status: trail.Status{Logging: true}})
		fake.PutBucket(awsfake.Bucket{Name: x.bucket, Owner: x.owner, Region: x.region})
	}
	fake.Stacks = map[string][]string{acmeManagement: {""}, acmeSecurity: {""}, acmeArchive: {""}, member: {"", `<member><StackName>mine</StackName><Outputs>` +
		`<member><OutputKey>GuardFunction</OutputKey></member><member><OutputKey>SweepFunction</OutputKey></member></Outputs></member>`}}
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if c.Operation == "sts:AssumeRole" && strings.Contains(string(c.Body), closed) {
			return &awsfake.Fault{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole"}
		}
		return nil
	})
	command := func(args ...string) (code int, text string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "--role", "trailwarden/reader", "--region", "us-east-1")
		code = Main(t.Context(), args, strings.NewReader(""), &out, &errs, os.LookupEnv)
		if errs.Len() > 0 {
			t.Errorf("%q: stderr %s", args, &errs)
		}
		return code, strings.Join(strings.Fields(out.String()), " ")
	}

	code, out := command("audit", "--organization")
	if code != exitFindings {
		t.Errorf("audit: code %d", code)
	}
	contains(t, out, "of 5 accounts 5 are active and 4 were read", "NOT READ: 1 account, the role may not be assumed there, or is missing at "+closed,
		"is not authorized to perform: sts:AssumeRole", "t, us-east-1, "+acmeCentral+" blocked", "CRITICAL policy-missing")

	code, out = command("organization", "targets")
	if code != exitFindings {
		t.Errorf("targets: code %d", code)
	}
	contains(t, out, "eu-west-1 "+acmeArchive+", "+member+" eu-west-1.txt", "stack of its own in us-east-1", "NOT COMPLETE", closed)

	code, out = command("organization", "status", "--table", "hub")
	if code != exitFindings {
		t.Errorf("status: code %d", code)
	}
	contains(t, out, "of 5 accounts 5 are active, and 0 of them are covered", "sweep-late", "5 accounts never covered", "mine in account "+member, "own-stack-unknown at "+closed)

	for _, c := range fake.Calls() {
		if strings.Contains(c.Operation, ":Put") || strings.Contains(c.Operation, "Delete") || strings.Contains(c.Operation, "Publish") {
			t.Errorf("a command called %s", c.Operation)
		}
	}
}
