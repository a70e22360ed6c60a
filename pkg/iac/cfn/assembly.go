package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// The bounds of an assembly: the size up to which a file is read, of which CloudFormation takes 1 MB for a
// template, and how many stacks and stages there are.
const (
	maxFile      = 16 << 20
	maxArtifacts = 2_000
)

// manifest is manifest.json of a cloud assembly.
// Source: the cloud assembly schema of the CDK.
type manifest struct {
	Artifacts map[string]struct {
		Type        string `json:"type"`
		Environment string `json:"environment"`
		DisplayName string `json:"displayName"`
		Properties  struct {
			TemplateFile  string            `json:"templateFile"`
			StackName     string            `json:"stackName"`
			DirectoryName string            `json:"directoryName"`
			Parameters    map[string]string `json:"parameters"`
		} `json:"properties"`
		Metadata     map[string][]metadata `json:"metadata"`
		MetadataFile string                `json:"additionalMetadataFile"`
	} `json:"artifacts"`
}

type metadata struct {
	Type  string   `json:"type"`
	Data  any      `json:"data"`
	Trace []string `json:"trace"`
}

// ReadAssembly reads a cdk.out folder, with all stacks in it: what one exports another may import. Account
// and region of the options are those of stacks that are not bound to any. File is the path
// of the folder, and Root the path of the program's sources, which comes off their paths.
func ReadAssembly(files fs.FS, root string, o Options) (iac.Input, error) {
	a := &assembly{files: files, root: root, options: o}
	if err := a.read("."); err != nil {
		return iac.Input{}, err
	}
	if len(a.stacks) == 0 {
		return iac.Input{}, errors.New("manifest.json names no stacks")
	}
	if len(a.stacks) > 1 {
		for _, s := range a.stacks {
			s.stack = s.name
		}
	}
	return input(a.stacks), nil
}

type assembly struct {
	files   fs.FS
	root    string
	options Options
	stacks  []stack
	depth   int
	count   int // of artifacts that were read
}

func (a *assembly) read(folder string) error {
	if a.depth++; a.depth > 10 {
		return errors.New("manifest.json names itself")
	}
	defer func() { a.depth-- }()
	var m manifest
	if err := a.decode(path.Join(folder, "manifest.json"), &m); err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range m.Artifacts {
		names[name] = true
	}
	for _, name := range sorted(names) {
		artifact := m.Artifacts[name]
		if a.count++; a.count > maxArtifacts {
			return fmt.Errorf("more than %d artifacts in manifest.json", maxArtifacts)
		}
		switch artifact.Type {
		case "cdk:cloud-assembly": // a stage
			if err := a.read(path.Join(folder, artifact.Properties.DirectoryName)); err != nil {
				return err
			}
		case "aws:cloudformation:stack":
			file := path.Join(folder, artifact.Properties.TemplateFile)
			source, err := readFile(a.files, file)
			if err != nil {
				return err
			}
			values := map[string]string{}
			maps.Copy(values, artifact.Properties.Parameters)
			maps.Copy(values, a.options.Parameters)
			t, err := readTemplate(source, Options{File: path.Join(a.options.File, file), Parameters: values})
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			t.name = name
			notes := artifact.Metadata
			if artifact.MetadataFile != "" {
				if err := a.decode(path.Join(folder, artifact.MetadataFile), &notes); err != nil {
					return err
				}
			}
			t.places = a.places(notes)
			if err := t.readNested(a.files, file); err != nil {
				return err
			}
			s := stack{template: t, account: a.options.Account, region: a.options.Region}
			if account, region, ok := environment(artifact.Environment); ok {
				s.account, s.region = orElse(account, "unknown-account", s.account), orElse(region, "unknown-region", s.region)
			}
			a.stacks = append(a.stacks, s)
		}
	}
	return nil
}

func orElse(text, unknown, otherwise string) string {
	if text == "" || text == unknown {
		return otherwise
	}
	return text
}

// environment reads "aws://ACCOUNT/REGION".
func environment(text string) (account, region string, ok bool) {
	rest, ok := strings.CutPrefix(text, "aws://")
	account, region, found := strings.Cut(rest, "/")
	return account, region, ok && found
}

func readFile(files fs.FS, name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is not within the folder", name)
	}
	info, err := fs.Stat(files, name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("no %s in it", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return fs.ReadFile(files, name)
}

func (a *assembly) decode(name string, v any) error {
	text, err := readFile(a.files, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: not JSON: %w", name, err)
	}
	return nil
}

// places are where the program makes its resources, by logical id: the innermost line of the stack
// trace that is the program's own. What a construct makes by itself is told by
// the construct that it is a part of.
func (a *assembly) places(notes map[string][]metadata) map[string]place {
	ids, made := map[string]string{}, map[string]place{}
	for construct, entries := range notes {
		for _, entry := range entries {
			if id, ok := entry.Data.(string); ok && entry.Type == "aws:cdk:logicalId" {
				ids[construct] = id
			}
			trace := entry.Trace
			if lines, ok := entry.Data.([]any); ok && entry.Type == "aws:cdk:creationStack" {
				for _, line := range lines {
					line, _ := line.(string)
					trace = append(trace, line)
				}
			}
			if p, ok := a.placeIn(trace); ok {
				made[construct] = p
			}
		}
	}
	out := map[string]place{}
	for construct, id := range ids {
		for at := construct; at != "/" && at != "."; at = path.Dir(at) {
			p, ok := made[at]
			if !ok {
				p, ok = made[path.Join(at, "Resource")]
			}
			if ok {
				out[id] = p
				break
			}
		}
	}
	return out
}

// traceLine is the end of a line of a stack trace: "at new Stack (/src/app.ts:12:5)".
var traceLine = regexp.MustCompile(`\(?([^()\s]+):(\d+):\d+\)?$`)

func (a *assembly) placeIn(trace []string) (place, bool) {
	foreign := []string{"node_modules", "node:", "jsii", "internal/"}
	for _, line := range trace {
		m := traceLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || slices.ContainsFunc(foreign, func(s string) bool { return strings.Contains(line, s) }) {
			continue
		}
		file := strings.TrimPrefix(m[1], "file://")
		if relative, ok := strings.CutPrefix(file, strings.TrimSuffix(a.root, "/")+"/"); ok && a.root != "" {
			file = relative
		}
		number, err := strconv.Atoi(m[2])
		return place{file, number}, err == nil
	}
	return place{}, false
}
