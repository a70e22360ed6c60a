package test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func readYAML(t *testing.T, path string, v any) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

type action struct {
	Inputs map[string]struct {
		Description string
		Required    bool
	}
	Runs struct {
		Using string
		Steps []step
	}
}

type step struct {
	Uses, Run, Shell string
	Env, With        map[string]string
}

// Each input of the Action reaches its script, as a variable: within the text of a script it could
// add commands.
func TestActionHandsItsInputsOver(t *testing.T) {
	var a action
	readYAML(t, "../action.yml", &a)
	script, err := os.ReadFile("../docs/ci/scan.sh")
	if err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || !a.Inputs["path"].Required {
		t.Errorf("got %+v", a)
	}
	last := a.Runs.Steps[len(a.Runs.Steps)-1]
	for name, input := range a.Inputs {
		variable := "SCAN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if last.Env[variable] != "${{ inputs."+name+" }}" || !strings.Contains(string(script), "${"+variable+":-") {
			t.Errorf("input %s does not reach the script", name)
		}
		if input.Description == "" {
			t.Errorf("input %s has no description", name)
		}
	}
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an expression in the text of a script: %s", s.Run)
		}
		if s.Run != "" && s.Shell == "" {
			t.Errorf("a script without a shell: %s", s.Run)
		}
	}
}

// The example workflow gives the Action inputs that it has.
func TestExampleWorkflowFitsAction(t *testing.T) {
	var a action
	readYAML(t, "../action.yml", &a)
	var workflow struct {
		Jobs map[string]struct{ Steps []step }
	}
	readYAML(t, "../docs/ci/github.yml", &workflow)
	found := false
	for _, s := range workflow.Jobs["scan"].Steps {
		if strings.HasPrefix(s.Uses, "trailwarden/trailwarden@") {
			found = true
			for name := range maps.Keys(s.With) {
				if _, ok := a.Inputs[name]; !ok {
					t.Errorf("the Action has no input %s", name)
				}
			}
		}
	}
	if !found {
		t.Error("the workflow does not use the Action")
	}
	var pipeline map[string]any
	if text := readYAML(t, "../docs/ci/gitlab.yml", &pipeline); !strings.Contains(text, "trailwarden scan plan.json") || pipeline["trailwarden"] == nil {
		t.Error("the pipeline does not scan")
	}
}

// The hooks take templates, and no sources of Terraform.
func TestHooks(t *testing.T) {
	var hooks []struct {
		ID, Name, Entry, Language, Files string
		PassFilenames                    *bool `yaml:"pass_filenames"`
	}
	readYAML(t, "../.pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 2 {
		t.Fatalf("%d hooks", len(hooks))
	}
	for _, h := range hooks {
		if h.ID == "" || h.Name == "" || h.Language != "golang" || !strings.HasPrefix(h.Entry, "trailwarden scan") {
			t.Errorf("got %+v", h)
		}
	}
	files := regexp.MustCompile(hooks[0].Files)
	taken := []string{"template.yaml", "stacks/template.yml", "stacks/audit.template.json"}
	left := []string{"main.tf", "values.yaml", "my-template.yaml.j2", "docs/ci/github.yml"}
	if slices.ContainsFunc(taken, func(f string) bool { return !files.MatchString(f) }) || slices.ContainsFunc(left, files.MatchString) {
		t.Errorf("%s does not take %v, or takes %v", files, taken, left)
	}
}
