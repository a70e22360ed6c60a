package trail_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

var update = flag.Bool("update", false, "write the golden files anew")

func value(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return v
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// AWS's own pages, with their placeholders, are what Documented has to say.
func TestDocumentedIsWhatAWSDocuments(t *testing.T) {
	single := trail.Trail{
		Name: "trailName", ARN: "arn:aws:cloudtrail:region:myAccountID:trail/trailName",
		HomeRegion: "region", Bucket: "myBucketName", Prefix: "[optionalPrefix]",
	}
	organization := trail.Trail{
		Name: "trailName", ARN: "arn:aws:cloudtrail:region:111111111111:trail/trailName",
		HomeRegion: "region", Bucket: "myOrganizationBucket", Organization: true,
	}
	one := trail.Trail{ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/primaryTrailName", Bucket: "myBucketName", Prefix: "logs"}
	two := trail.Trail{ARN: "arn:aws:cloudtrail:us-east-1:222222222222:trail/secondaryTrailName", Bucket: "myBucketName", Prefix: "logs"}
	for file, trails := range map[string][]trail.Trail{
		"aws-single.json":           {single},
		"aws-organization.json":     {organization},
		"aws-several-accounts.json": {one, two},
	} {
		t.Run(file, func(t *testing.T) {
			got, err := trail.DocumentedPolicy(trails, trail.Environment{Organization: trail.Organization{Known: true, ID: "o-exampleorgid"}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value(t, read(t, file)), value(t, got)); diff != "" {
				t.Errorf("differs from AWS's page (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocumentedText(t *testing.T) {
	org := trail.Environment{Organization: trail.Organization{Known: true, ID: "o-exampleorg1"}}
	main := trail.Trail{Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", HomeRegion: "us-east-1", Bucket: "logs-b"}
	with := func(change func(*trail.Trail)) trail.Trail {
		other := main
		change(&other)
		return other
	}
	tests := []struct {
		name   string
		trails []trail.Trail
	}{
		{"single", []trail.Trail{main}},
		{"two-trails", []trail.Trail{main, with(func(t *trail.Trail) { t.ARN = strings.Replace(t.ARN, "/main", "/data", 1) })}},
		{"two-prefixes", []trail.Trail{main, with(func(t *trail.Trail) { t.ARN += "2"; t.Prefix = "p" })}},
		{"slash-prefix", []trail.Trail{with(func(t *trail.Trail) { t.Prefix = "logs/" })}},
		{"pattern-prefix", []trail.Trail{with(func(t *trail.Trail) { t.Prefix = "a*b?c${d}<&>" })}},
		{"organization-and-account", []trail.Trail{
			with(func(t *trail.Trail) { t.Organization = true }),
			with(func(t *trail.Trail) { t.ARN = "arn:aws:cloudtrail:eu-west-1:222222222222:trail/own" }),
		}},
		{"china", []trail.Trail{with(func(t *trail.Trail) { t.ARN = "arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/main" })}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := trail.DocumentedPolicy(tt.trails, org)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".golden.json", got)
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, name)), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestDocumentedRefuses(t *testing.T) {
	main := trail.Trail{ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main", Bucket: "logs-b"}
	organization := main
	organization.Organization = true
	elsewhere := main
	elsewhere.Bucket = "other"
	china := main
	china.ARN = "arn:aws-cn:cloudtrail:cn-north-1:111111111111:trail/main"
	tests := []struct {
		name   string
		trails []trail.Trail
		want   string
	}{
		{"no trails", nil, "no trails"},
		{"unknown organization", []trail.Trail{organization}, trail.ErrNoOrganization.Error()},
		{"two buckets", []trail.Trail{main, elsewhere}, "uses bucket other, not logs-b"},
		{"two partitions", []trail.Trail{main, china}, "is in partition aws-cn, not aws"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := trail.Documented(tt.trails, trail.Environment{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := trail.Documented([]trail.Trail{organization}, trail.Environment{}); !errors.Is(err, trail.ErrNoOrganization) {
		t.Errorf("got %v, want ErrNoOrganization", err)
	}
}

// Many trails are listed by their accounts, so that the policy fits what S3
// takes.
func TestDocumentedForMany(t *testing.T) {
	var trails []trail.Trail
	for i := range 120 {
		account := fmt.Sprintf("4%011d", i)
		trails = append(trails, trail.Trail{
			Name: "acme", ARN: "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/acme", HomeRegion: "eu-west-1", Bucket: "acme-audit-logs-of-all-accounts",
		})
	}
	for n, want := range map[int]string{trail.MaxSourceARNs: `"aws:SourceArn"`, trail.MaxSourceARNs + 1: `"aws:SourceAccount"`, 120: `"aws:SourceAccount"`} {
		text, err := trail.DocumentedPolicy(trails[:n], trail.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), want) != 2 || strings.Count(string(text), `"aws:Source`) != 2 {
			t.Errorf("%d trails are not bound by %s alone: %.800s", n, want, text)
		}
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if size := len(doc.Compact().Text()); size > 20480 {
			t.Errorf("%d trails take %d bytes", n, size)
		}
		statements, err := trail.Documented(trails[:n], trail.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range statements {
			if !st.Serves(trails[n-1].ARN) || st.Serves("arn:aws:cloudtrail:eu-west-1:999999999999:trail/acme") {
				t.Errorf("%d trails: the statement %s serves others, or not all", n, st.Sid)
			}
		}
	}
}
