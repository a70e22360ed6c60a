package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/app"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func first(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("nothing matches %s", pattern)
	}
	return found[1]
}

// TestOneVersion: template, functions, README and changelog speak of the same version. Before
// the first release the changelog has none.
func TestOneVersion(t *testing.T) {
	version := first(t, read(t, "template.yaml"), `(?m)^    SemanticVersion: (\d+\.\d+\.\d+)$`)
	if app.Version != version {
		t.Errorf("the functions say that they are %s, and template.yaml says %s", app.Version, version)
	}
	if output := first(t, read(t, "template.yaml"), `(?m)^  Version:\n    Description: .*\n    Value: (.*)$`); output != version {
		t.Errorf("the stack's output says %s, and its metadata %s", output, version)
	}
	readme := read(t, "README.md")
	for _, use := range []string{"/cmd/trailwarden@v", "--branch v", "attestation verify trailwarden_"} {
		if !strings.Contains(readme, use+version) {
			t.Errorf("README.md has no %q", use+version)
		}
	}
	if released := regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)`).FindStringSubmatch(read(t, "CHANGELOG.md")); released != nil && released[1] != version {
		t.Errorf("the newest version in CHANGELOG.md is %s, and template.yaml says %s", released[1], version)
	}
}

// TestServerlessRepositoryTakesTheTemplate holds its metadata to the limits of the
// Serverless Application Repository. "sam publish" is the first that would tell.
// Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
func TestServerlessRepositoryTakesTheTemplate(t *testing.T) {
	section := first(t, read(t, "template.yaml"), `(?s)AWS::ServerlessRepo::Application:\n(.*?)\n  \S`)
	description := strings.Join(strings.Fields(first(t, section, `(?s)Description: >-\n(.*?)\n    \S`)), " ")
	if len(description) > 256 {
		t.Errorf("the description has %d characters, want at most 256", len(description))
	}
	for name, pattern := range map[string]string{
		"Name": `^[a-zA-Z0-9-]{1,140}$`, "Author": `^[a-z0-9]([a-z0-9-]{0,125}[a-z0-9])?$`, "SpdxLicenseId": `^Apache-2\.0$`,
		"HomePageUrl": `^https://`, "SourceCodeUrl": `^https://`,
	} {
		value := first(t, section, `(?m)^    `+name+`: (.*)$`)
		if !regexp.MustCompile(pattern).MatchString(value) {
			t.Errorf("%s is %q, want %s", name, value, pattern)
		}
	}
	for _, name := range []string{"LicenseUrl", "ReadmeUrl"} {
		if size := len(read(t, first(t, section, `(?m)^    `+name+`: (.*)$`))); size == 0 || size > 5_000_000 {
			t.Errorf("%s has %d bytes", name, size)
		}
	}
	labels := strings.Split(first(t, section, `Labels: \[(.*)\]`), ", ")
	if len(labels) > 10 {
		t.Errorf("%d labels", len(labels))
	}
	for _, label := range labels {
		if !regexp.MustCompile(`^[a-zA-Z0-9+_:/@-]{1,127}$`).MatchString(label) {
			t.Errorf("label %q", label)
		}
	}
}

// TestRolesAreBoundedAndHaveAPath: in many accounts a role without a boundary cannot be
// made.
func TestRolesAreBoundedAndHaveAPath(t *testing.T) {
	roles := 0
	for _, resource := range regexp.MustCompile(`(?m)^  [A-Za-z]+:\n`).Split(read(t, "template.yaml"), -1) {
		role := strings.Contains(resource, "    Type: AWS::IAM::Role\n")
		if role {
			roles++
			if !strings.Contains(resource, "      PermissionsBoundary: !If [Bounded, !Ref PermissionsBoundaryArn, !Ref AWS::NoValue]\n") {
				t.Errorf("a role has no boundary:\n%s", resource)
			}
		}
		if role != strings.Contains(resource, "      Path: !Ref RolePath\n") && !strings.Contains(resource, "Type: AWS::IAM::ManagedPolicy") {
			t.Errorf("path of a role:\n%s", resource)
		}
	}
	if roles < 3 {
		t.Errorf("%d roles", roles)
	}
}

// TestActionsArePinned: a tag can be moved to other code, a commit cannot.
func TestActionsArePinned(t *testing.T) {
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	for _, file := range files {
		text := read(t, strings.TrimPrefix(file, "../"))
		for _, use := range regexp.MustCompile(`uses: (.*)`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`).MatchString(use[1]) {
				t.Errorf("%s: %s is not pinned to a commit", file, use[1])
			}
		}
		if !regexp.MustCompile(`(?m)^permissions:( \{\}|\n  contents: read)$`).MatchString(text) {
			t.Errorf("%s: jobs have more than they are given by name", file)
		}
	}
}
