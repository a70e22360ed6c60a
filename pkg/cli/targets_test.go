package cli

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// targets runs the command.
func (o *orgtest) targets(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return o.run(t, append([]string{"organization", "targets", "--role", "trailwarden/reader"}, args...)...)
}

// withChain adds a key and a topic of two other accounts to the first trail of an account, and a
// trail of a stranger.
func withChain(o *orgtest) {
	x := &o.d.Trails[1]
	x.KMSKeyID = "arn:aws:kms:us-east-1:" + acmeAccount(3) + ":key/1"
	x.SNSTopic = "arn:aws:sns:us-east-1:" + acmeAccount(4) + ":topic"
	o.d.Trails = append(o.d.Trails, trail.Trail{
		Name: "hub", ARN: "arn:aws:cloudtrail:us-east-1:" + acmeSecurity + ":trail/hub", HomeRegion: "us-east-1", Bucket: acmeCentral, MultiRegion: true,
	})
}

// Where trails are at home, and where their buckets, keys and topics are: one file for each set
// of regions, in which the management account and the hub itself are not.
func TestTargets(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "made", "by it")
	code, out, errs := newOrganization(t, 40, withChain).targets(t, "--output", folder)
	if code != exitFine || errs != "" {
		t.Fatalf("code %d, stderr %q, stdout:\n%s", code, errs, out)
	}
	got := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(text)
	}
	want := map[string]string{
		"us-east-1.txt": acmeAccount(0) + "\n" + acmeAccount(3) + "\n" + acmeAccount(4) + "\n" + acmeAccount(20) + "\n",
		"eu-west-1.txt": acmeArchive + "\n" + acmeAccount(10) + "\n" + acmeAccount(30) + "\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	contains(t, strings.Join(strings.Fields(out), " "), "events of 7 accounts are to be forwarded, from 7 pairs of account and region", "management account "+acmeManagement,
		"stack of its own in us-east-1", "us-east-1.txt", "AccountFilterType=INTERSECTION")
	code, out, errs = newOrganization(t, 40, nil).targets(t, "--output", folder)
	if code != exitUsage || out != "" || !strings.Contains(errs, "not empty") {
		t.Errorf("files of an earlier run are mixed with these: code %d, stderr %q", code, errs)
	}
}

// The commands are complete but for the name of a bucket, whatever the folder is called.
func TestCommandsOfTargets(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "it's $HOME")
	_, out, _ := newOrganization(t, 20, nil).targets(t, "--output", folder)
	_, block, ok := strings.Cut(out, "add the stacks of each:\n")
	if !ok {
		t.Fatalf("no commands in:\n%s", out)
	}
	bin := t.TempDir()
	aws := "#!/bin/sh\nif [ \"$2\" = list-roots ]; then echo r-abcd; else printf '%s\\n' \"$@\" >>\"$LOG\"; fi\n"
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(aws), 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command("sh", "-eu", "-c", block)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LOG="+log)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(text), "\n"+folder+"\n", "OrganizationalUnitIds=r-abcd,AccountFilterType=INTERSECTION,AccountsUrl=s3://name-of-your-bucket/trailwarden-targets/eu-west-1.txt\n",
		"--regions\neu-west-1\n")
}

func TestTargetsAsJSON(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 40, withChain)
	code, out, _ := o.targets(t, "--format", "json")
	if code != exitFine {
		t.Fatalf("code %d", code)
	}
	if err := follows(t, published(t, "targets.schema.json", true), out); err != nil {
		t.Error(err)
	}
	var got targetsJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	why := map[string][]string{}
	for _, p := range got.Places {
		why[p.Account+" "+p.Region] = p.Why
	}
	want := map[string][]string{
		acmeManagement + " us-east-1": {"calls of AWS Organizations", "trail all"},
		acmeArchive + " eu-west-1":    {"bucket " + acmeCentral},
		acmeSecurity + " us-east-1":   {"trail hub"},
		acmeAccount(3) + " us-east-1": {"key of trail own"},
		acmeAccount(4) + " us-east-1": {"topic of trail own"},
	}
	for i, region := range []string{"us-east-1", "eu-west-1", "us-east-1", "eu-west-1"} {
		id := acmeAccount(10 * i)
		want[id+" "+region] = []string{"bucket logs-of-" + id, "trail own"}
	}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What could not be read may have trails and buckets: the targets are not complete then.
func TestTargetsThatAreNotComplete(t *testing.T) {
	t.Parallel()
	o := newOrganization(t, 40, nil)
	o.all.Close(acmeAccount(20), true)
	code, out, _ := o.targets(t)
	if code != exitFindings {
		t.Errorf("code %d", code)
	}
	contains(t, out, "NOT COMPLETE", acmeAccount(20))

	o = newOrganization(t, 10, nil)
	o.all.Close(acmeArchive, true) // the bucket of the organization's trail is somebody's
	code, out, _ = o.targets(t)
	if code != exitFindings {
		t.Errorf("code %d", code)
	}
	contains(t, strings.Join(strings.Fields(out), " "), "It is not known whose bucket "+acmeCentral)
}

// Names of files stay short enough for every file system, and are one for each set of regions.
func TestFilesOfManyRegions(t *testing.T) {
	t.Parallel()
	targets := targets{Why: map[site][]string{}}
	regions := slices.Sorted(maps.Keys(map[string]bool{
		"af-south-1": true, "ap-east-1": true, "ap-northeast-1": true, "ap-northeast-2": true, "ap-northeast-3": true, "ap-south-1": true,
		"ap-south-2": true, "ap-southeast-1": true, "ap-southeast-2": true, "ca-central-1": true, "eu-central-1": true, "eu-north-1": true,
	}))
	for i := range 3 {
		for k, region := range regions {
			if i < 2 || k > 0 {
				targets.Why[site{acmeAccount(i), region}] = []string{"trail x"}
			}
		}
	}
	groups := targets.groups()
	if len(groups) != 2 || len(groups[0].Accounts) != 2 || groups[0].File == groups[1].File {
		t.Fatalf("%+v", groups)
	}
	for _, g := range groups {
		if len(g.File) > 120 || !strings.HasSuffix(g.File, ".txt") || strings.ContainsAny(g.File, "/ ") {
			t.Errorf("file %q", g.File)
		}
	}
}
