package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// story is a golden alert of pkg/alert, and the account as it is when the alert is read.
type story struct {
	name string
	told struct {
		Account, Bucket string
		Next            []struct {
			Text     string
			Commands []string
		}
	}
	account struct {
		Account, Region string
		Organization    struct{ ID string }
		Trails          []object
		Statuses        []struct {
			ARN     string
			Logging bool
		}
		Buckets []struct {
			Name, Owner, Payer string
			Policy             json.RawMessage
		}
	}
}

func stories(t *testing.T) []story {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared.root, "pkg/alert/testdata/*.account.golden"))
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	var all []story
	for _, file := range files {
		s := story{name: strings.TrimSuffix(filepath.Base(file), ".account.golden")}
		for name, into := range map[string]any{file: &s.account, strings.Replace(file, ".account.", ".json.", 1): &s.told} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			decode(t, text, into)
		}
		all = append(all, s)
	}
	return all
}

// Every command of every golden alert works as it stands there, and the steps lead to where
// they promise: when all is done as said, an audit finds nothing wrong. Where Trailwarden is not at
// hand, the commands of the AWS CLI alone do.
func TestAlertCommands(t *testing.T) {
	// What an audit still finds when the steps are done, apart from those of the AWS CLI alone.
	rest := map[string]string{
		"changed":             "a Deny is for a person to edit",
		"opened-denied":       "a Deny is for a person to edit",
		"reminder":            "a Deny is for a person to edit",
		"restored-in-part":    "a Deny is for a person to edit; the repair is undone",
		"opened-undetermined": "it is only explained",
		"restored":            "the repair is undone",

		"resolved-weakness-accepted":        "the weakness stays",
		"opened-no-trail":                   "what a trail is to be is for a person to say",
		"opened-trail-deleted-organization": "the trail is made again in the management account",
		"opened-trail-deleted-unseen":       "what the trail was is not known",
	}
	ran := map[string]int{}
	for _, s := range stories(t) {
		for _, alone := range []bool{false, true} {
			name := s.name + "/with Trailwarden"
			if alone {
				name = s.name + "/with the AWS CLI alone"
			}
			t.Run(name, func(t *testing.T) {
				p := s.person(t)
				n := 0
				for _, step := range s.told.Next {
					if strings.Contains(step.Text, "AWS CLI alone") != alone {
						continue
					}
					for _, c := range step.Commands {
						n++
						ran[strings.Join(strings.Fields(c)[:2], " ")]++
						out, status := p.run(c)
						if strings.HasPrefix(c, "aws ") && status != 0 || status > 1 {
							t.Errorf("%s\nends with %d:\n%s", c, status, out)
						}
					}
				}
				if n == 0 {
					return
				}
				out, status := p.run("trailwarden audit --region us-east-1")
				if why := rest[s.name]; (status != 0) != (why != "" && !alone) {
					t.Errorf("an audit then ends with %d (%s):\n%s", status, why, out)
				}
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ran)) {
		t.Logf("%3d times %s", ran[name], name)
	}
}

// A trail that was deleted is there again as it was, and not with less.
func TestDeletedTrailIsMadeAgain(t *testing.T) {
	all := stories(t)
	s := all[slices.IndexFunc(all, func(s story) bool { return s.name == "opened-trail-deleted" })]
	p := s.person(t)
	for _, c := range s.told.Next[0].Commands {
		if out, status := p.run(c); status != 0 {
			t.Fatalf("%s\nends with %d:\n%s", c, status, out)
		}
	}
	var described struct{ TrailList []map[string]any }
	decode(t, ask(t, "cloudtrail", "DescribeTrails", object{}), &described)
	if len(described.TrailList) != 1 {
		t.Fatal(described)
	}
	for name, want := range map[string]any{
		"Name": "management-events", "S3BucketName": "aws-cloudtrail-logs-111111111111-0123abcd", "S3KeyPrefix": "audit",
		"IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true, "LogFileValidationEnabled": true,
		"SnsTopicARN":               "arn:aws:sns:us-east-1:111111111111:cloudtrail-digest",
		"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111111111111:log-group:aws-cloudtrail-logs-111111111111-0123abcd:*",
		"CloudWatchLogsRoleArn":     "arn:aws:iam::111111111111:role/service-role/CloudTrailRoleForCloudWatchLogs_management-events",
		"KmsKeyId":                  "arn:aws:kms:us-east-1:111111111111:key/1c7a1b2e-5f0d-4f5e-9a55-3c1f6a0b7d21",
	} {
		if got := described.TrailList[0][name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	selectors := string(ask(t, "cloudtrail", "GetEventSelectors", object{"TrailName": "management-events"}))
	for _, want := range []string{"It's all of S3", "AWS::S3::Object", "Management events"} {
		if !strings.Contains(selectors, want) {
			t.Errorf("%q is not in the selectors: %s", want, selectors)
		}
	}
	var status struct{ IsLogging bool }
	if decode(t, ask(t, "cloudtrail", "GetTrailStatus", object{"Name": "management-events"}), &status); !status.IsLogging {
		t.Error("it does not log")
	}
}

// person is somebody who has got the alert, with a shell and credentials of its account.
type person struct {
	t       *testing.T
	folder  string
	address string // of AWS
}

// person sets up the story's account in the emulator.
func (s story) person(t *testing.T) *person {
	t.Helper()
	if err := shared.aws.reset(); err != nil {
		t.Fatal(err)
	}
	ask(t, "organizations", "CreateOrganization", object{"FeatureSet": "ALL"})
	table := maps.Clone(resource(t, "Table")["Properties"].(object))
	for _, name := range []string{"SSESpecification", "PointInTimeRecoverySpecification", "TimeToLiveSpecification"} {
		delete(table, name)
	}
	table["TableName"] = "trailwarden-Table-1J8XK2M4N6P8Q"
	ask(t, "dynamodb", "CreateTable", table)
	for _, topic := range s.topics() {
		sns(t, "CreateTopic", map[string]string{
			"Name": topic, "Attributes.entry.1.key": "Policy", "Attributes.entry.1.value": policy(
				`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"*"}`,
			),
		})
	}
	s.createTrails(t)
	front := httptest.NewServer(s.world(t))
	t.Cleanup(front.Close)
	p := &person{t: t, folder: t.TempDir(), address: front.URL}
	for _, b := range s.account.Buckets {
		if b.Owner != s.account.Account {
			continue
		}
		createBucket(t, b.Name)
		if b.Payer == "Requester" {
			shared.aws.payers[b.Name] = b.Payer
		}
		if s.undoes() {
			// Something has to be there that a repair has replaced.
			if out, status := p.run("trailwarden restore --bucket " + b.Name + " --table trailwarden-Table-1J8XK2M4N6P8Q --region us-east-1"); status != 0 {
				t.Fatal(out)
			}
		}
		if len(b.Policy) > 0 {
			putPolicy(t, b.Name, string(b.Policy))
		}
	}
	return p
}

// topics are those that the commands name: CreateTrail asks for them.
func (s story) topics() []string {
	var names []string
	for _, step := range s.told.Next {
		for _, c := range step.Commands {
			for _, found := range regexp.MustCompile(`arn:aws:sns:[^: ]*:[^: ]*:([^ ]+)`).FindAllStringSubmatch(c, -1) {
				names = append(names, found[1])
			}
		}
	}
	return names
}

func (s story) undoes() bool {
	return slices.ContainsFunc(s.told.Next, func(step struct {
		Text     string
		Commands []string
	},
	) bool {
		return slices.ContainsFunc(step.Commands, func(c string) bool {
			return strings.HasPrefix(c, "trailwarden undo") && !strings.Contains(c, "--release")
		})
	})
}

// createTrails makes the trails. moto wants to see a bucket first.
func (s story) createTrails(t *testing.T) {
	t.Helper()
	for i, tr := range s.account.Trails {
		name := tr["S3BucketName"].(string)
		createBucket(t, name)
		fields := object{}
		for from, to := range map[string]string{
			"Name": "Name", "S3BucketName": "S3BucketName", "S3KeyPrefix": "S3KeyPrefix", "KmsKeyId": "KmsKeyId",
			"IsMultiRegionTrail": "IsMultiRegionTrail", "IsOrganizationTrail": "IsOrganizationTrail", "LogFileValidationEnabled": "EnableLogFileValidation",
		} {
			if v, ok := tr[from]; ok {
				fields[to] = v
			}
		}
		ask(t, "cloudtrail", "CreateTrail", fields)
		if s.account.Statuses[i].Logging {
			ask(t, "cloudtrail", "StartLogging", object{"Name": fields["Name"]})
		}
		if status, out := send(t, "s3", http.MethodDelete, "/"+name, nil, nil); status >= 300 {
			t.Fatalf("delete %s: %d %s", name, status, out)
		}
	}
}

// world is AWS as the account of the story sees it. moto has one account, 111111111111, which
// also plays the other ones. It knows no key that it did not name and no LookupEvents, and no
// ARNs in StartLogging, and of topics in CreateTrail.
func (s story) world(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c := identify(r, body)
		switch c.Op {
		case "kms:DescribeKey":
			var in struct{ KeyID string }
			decode(t, body, &in)
			_, _ = w.Write(encode(t, object{"KeyMetadata": object{
				"Arn": in.KeyID, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
				"KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "MultiRegion": false,
			}}))
			return
		case "kms:GetKeyPolicy":
			_, _ = w.Write(encode(t, object{"Policy": policy(
				`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:GenerateDataKey*","kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`,
			)}))
			return
		case "organizations:ListPoliciesForTarget": // of an account that moto has not made
			_, _ = io.WriteString(w, `{"Policies":[{"Id":"p-examplercp1","Name":"Data perimeter","Type":"RESOURCE_CONTROL_POLICY","AwsManaged":false}]}`)
			return
		case "cloudtrail:LookupEvents":
			_, _ = io.WriteString(w, `{"Events":[]}`)
			return
		}
		if c.Op == "cloudtrail:StartLogging" || c.Op == "cloudtrail:CreateTrail" {
			body = regexp.MustCompile(`"arn:[^":]*:(cloudtrail:[^"]*:trail/|sns:[^"]*:)`).ReplaceAll(body, []byte(`"`))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		if owner := r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner == s.account.Account {
			r.Header.Set("X-Amz-Expected-Bucket-Owner", account)
		}
		r.Header.Set(accountHeader, account)
		answer := httptest.NewRecorder()
		shared.aws.ServeHTTP(answer, r)
		text := answer.Body.String()
		switch service, _, _ := strings.Cut(c.Op, ":"); service {
		case "sts":
			text = strings.ReplaceAll(text, account, s.account.Account)
		case "organizations":
			if s.account.Organization.ID == "" {
				answer.Code, text = http.StatusBadRequest, `{"__type":"AWSOrganizationsNotInUseException","message":"not in use"}`
			} else if at := strings.Index(text, `"Id": "o-`); at >= 0 {
				id, _, _ := strings.Cut(text[at+len(`"Id": "`):], `"`)
				text = strings.ReplaceAll(text, id, s.account.Organization.ID)
			}
		}
		for name, values := range answer.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, text)
	})
}

// run pastes a command into a shell on a terminal, and agrees to what it asks.
func (p *person) run(command string) (output string, status int) {
	p.t.Helper()
	const terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(['sh', '-c', sys.argv[1]])))"
	cmd := exec.Command(shared.python, "-c", terminal, command)
	cmd.Dir = p.folder
	cmd.Stdin = strings.NewReader("y\n")
	cmd.Env = []string{
		"PATH=" + shared.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + p.folder, "AWS_ENDPOINT_URL=" + p.address,
		"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "PAGER=cat",
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// installAWS puts the AWS CLI beside the built programs.
func (l *lab) installAWS() error {
	python, err := l.output("sh", "test/python/install.sh", "awscli")
	if err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -m awscli \"$@\"\n", python)
	return os.WriteFile(filepath.Join(l.bin, "aws"), []byte(script), 0o755)
}
