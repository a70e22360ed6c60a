package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// acceptedFile writes a file of accepted weaknesses.
func acceptedFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accepted.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	staleEntry = `{"finding":"source-arn-missing","bucket":"logs","reason":"It is replaced soon.","owner":"platform","until":"2026-09-13"}`
	weakPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"CloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
		"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/AWSLogs/111111111111/*"]}]}`
)

// weakArgs are the arguments of a check of a policy with a weakness alone.
func weakArgs(t *testing.T, format, entries string) []string {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(weakPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(checkArgs("good.json", format), "--accepted", acceptedFile(t, entries))
	args[6] = policy
	return args
}

func TestAcceptedWeaknessDoesNotCount(t *testing.T) {
	t.Parallel()
	code, out, errs := runOffline(t, screen{width: 80}, weakArgs(t, "text", "["+staleEntry+"]")...)
	if code != exitFine || errs != "" {
		t.Errorf("code %d, stderr %q, stdout\n%s", code, errs, out)
	}
	contains(t, out, "MEDIUM source-arn-missing, accepted until 2026-09-13", "It is replaced soon. (platform)", "No findings.")

	_, out, _ = runOffline(t, screen{width: 80}, weakArgs(t, "json", "["+staleEntry+"]")...)
	if err := follows(t, published(t, "check.schema.json", true), out); err != nil {
		t.Error(err)
	}
	contains(t, out, `"accepted": [`, `"owner": "platform"`, `"findings": []`)
	_, out, _ = runOffline(t, screen{width: 80}, weakArgs(t, "html", "["+staleEntry+"]")...)
	contained(t, out)
	contains(t, out, "It is replaced soon. (platform, until 2026-09-13)")
}

// TestAcceptanceEnds: the day after, the finding counts, and it is told why.
func TestAcceptanceEnds(t *testing.T) {
	t.Parallel()
	ended := strings.Replace(staleEntry, "2026-09-13", "2026-09-12", 1)
	code, out, errs := runOffline(t, screen{width: 80}, weakArgs(t, "text", "["+ended+"]")...)
	if code != exitFindings || strings.Contains(out, "accepted") {
		t.Errorf("code %d, stdout\n%s", code, out)
	}
	contains(t, errs, "entry 1, source-arn-missing of logs, has ended on 2026-09-12; ask platform")
}

// TestAcceptanceOfNothing: an entry that matches no finding of the bucket is told. One about another
// bucket is for whoever judges that: one file serves all.
func TestAcceptanceOfNothing(t *testing.T) {
	t.Parallel()
	for entry, told := range map[string]bool{
		strings.Replace(staleEntry, `"bucket"`, `"trail":"arn:aws:cloudtrail:us-east-1:111111111111:trail/other","bucket"`, 1): true,
		strings.Replace(staleEntry, "source-arn-missing", "legacy-account-principals", 1):                                      true,
		strings.Replace(staleEntry, `"logs"`, `"other"`, 1):                                                                    false,
		// What is planned is found by scan only.
		strings.Replace(staleEntry, "source-arn-missing", "trail-removed", 1): false,
	} {
		code, _, errs := runOffline(t, screen{width: 80}, weakArgs(t, "text", "["+entry+"]")...)
		if code != exitFindings {
			t.Errorf("code %d", code)
		}
		if strings.Contains(errs, "accepts nothing: there is no such finding") != told {
			t.Errorf("%s: stderr %q", entry, errs)
		}
	}
}

// TestAcceptanceIsRenewed: an entry that has ended keeps no later one from counting.
func TestAcceptanceIsRenewed(t *testing.T) {
	t.Parallel()
	ended := strings.Replace(staleEntry, "2026-09-13", "2026-09-12", 1)
	code, out, errs := runOffline(t, screen{width: 80}, weakArgs(t, "text", "["+ended+","+staleEntry+"]")...)
	if code != exitFine {
		t.Errorf("code %d", code)
	}
	contains(t, out, "accepted until 2026-09-13")
	contains(t, errs, "entry 1, source-arn-missing of logs, has ended on 2026-09-12; ask platform")
}

func TestAcceptedFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ entries, want string }{
		"an outage":           {"[" + strings.Replace(staleEntry, "source-arn-missing", "log-files-denied", 1) + "]", "log-files-denied is no weakness"},
		"what a trail covers": {"[" + strings.Replace(staleEntry, "source-arn-missing", "trail-covers-less", 1) + "]", "is accepted with trailwarden accept"},
		"what is not known":   {"[" + strings.Replace(staleEntry, "source-arn-missing", "log-files-undetermined", 1) + "]", "is no weakness"},
		"no such finding":     {"[" + strings.Replace(staleEntry, "source-arn-missing", "all", 1) + "]", `no finding is called "all"`},
		"no reason":           {"[" + strings.Replace(staleEntry, "It is replaced soon.", "", 1) + "]", "no reason or no owner"},
		"no bucket":           {"[" + strings.Replace(staleEntry, `"logs"`, `""`, 1) + "]", "names no bucket"},
		"no end":              {"[" + strings.Replace(staleEntry, "2026-09-13", "never", 1) + "]", "expected the last day"},
		"a slip":              {"[" + strings.Replace(staleEntry, "owner", "ownr", 1) + "]", "unknown field"},
		"no list":             {staleEntry, "expected a JSON list"},
		"two lists":           {"[][]", "more than one list"},
		"a list with a scrap": {"[" + staleEntry + "] x", "more than one list"},
	} {
		code, out, errs := runOffline(t, screen{width: 80}, weakArgs(t, "text", c.entries)...)
		if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q", name, code, out, errs)
		}
	}
}

func TestAuditAccepts(t *testing.T) {
	l := newLive(t, "sandbox.json")
	entry := strings.Replace(strings.Replace(staleEntry, `"logs"`, `"`+sandbox+`"`, 1), "2026-09-13", "2030-01-01", 1)
	code, out, errs := l.run(t, "", "audit", "--accepted", acceptedFile(t, "["+entry+"]"))
	if code != exitFindings {
		t.Errorf("an outage is accepted: code %d", code)
	}
	contains(t, out, "CRITICAL log-files-denied")
	contains(t, errs, "accepts nothing")
}

// TestScanAccepts: of a template, a bucket is named by its name, or by its address in the template.
func TestScanAccepts(t *testing.T) {
	t.Parallel()
	const template = `{"Resources":{
		"Logs":{"Type":"AWS::S3::Bucket","Properties":{%s}},
		"Policy":{"Type":"AWS::S3::BucketPolicy","Properties":{"Bucket":{"Ref":"Logs"},"PolicyDocument":{"Version":"2012-10-17","Statement":[
			{"Sid":"CloudTrail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],
			"Resource":[{"Fn::GetAtt":["Logs","Arn"]},{"Fn::Sub":"${Logs.Arn}/AWSLogs/111111111111/*"}]}]}}},
		"Trail":{"Type":"AWS::CloudTrail::Trail","DependsOn":"Policy","Properties":{"TrailName":"main","S3BucketName":{"Ref":"Logs"},"IsLogging":true}}}}`
	for named, bucket := range map[string]string{`"BucketName":"acme-logs"`: "acme-logs", "": "Policy"} {
		path := filepath.Join(t.TempDir(), "template.json")
		if err := os.WriteFile(path, []byte(strings.Replace(template, "%s", named, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		entry := strings.Replace(staleEntry, `"logs"`, `"`+bucket+`"`, 1)
		other := strings.Replace(staleEntry, `"logs"`, `"of-another-repository"`, 1)
		args := []string{"scan", path, "--account", "111111111111", "--region", "us-east-1", "--at", "2026-09-13", "--all"}
		_, before, _ := runOffline(t, screen{width: 80}, args...)
		contains(t, before, "MEDIUM source-arn-missing")
		args = append(args, "--accepted", acceptedFile(t, "["+entry+","+other+"]"))
		code, out, errs := runOffline(t, screen{width: 80}, args...)
		if code != exitFine || errs != "" || strings.Contains(out, "MEDIUM source-arn-missing\n") {
			t.Errorf("%s: code %d, stderr %q, stdout\n%s", bucket, code, errs, out)
		}
		contains(t, out, "MEDIUM source-arn-missing, accepted until 2026-09-13", "It is replaced soon. (platform)")
		_, out, _ = runOffline(t, screen{width: 80}, append(args, "--format", "json")...)
		if err := follows(t, published(t, "scan.schema.json", false), out); err != nil {
			t.Error(err)
		}
		contains(t, out, `"accepted": [`)
		_, out, _ = runOffline(t, screen{width: 80}, append(args, "--format", "sarif")...)
		if strings.Contains(out, `"ruleId": "source-arn-missing"`) {
			t.Errorf("SARIF has what is accepted:\n%s", out)
		}
		// Past the last day it is as before.
		for i := range args {
			args[i] = strings.Replace(args[i], "2026-09-13", "2026-09-14", 1)
		}
		_, out, errs = runOffline(t, screen{width: 80}, args...)
		contains(t, out, "MEDIUM source-arn-missing")
		contains(t, errs, "has ended on 2026-09-13; ask platform")
	}
}
