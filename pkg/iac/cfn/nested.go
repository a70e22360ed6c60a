package cfn

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// The bounds of nested stacks: how deep they are, and how many templates are read.
const (
	maxNesting   = 10
	maxTemplates = 500
)

// readNested reads the templates of nested stacks, and of those that are nested in them, that lie beside
// a template as files: as "sam build" and the CDK have it, and as they are before "aws cloudformation
// package". Name is the path of the template in the folder. What is not there is told to be left out.
func (t *template) readNested(folder fs.FS, name string) error {
	r := &nestedReader{folder: folder}
	return r.read(t, name)
}

type nestedReader struct {
	folder fs.FS
	within []string // the paths of the templates that are being read
	count  int
}

func (r *nestedReader) read(t *template, name string) error {
	r.within = append(r.within, name)
	defer func() { r.within = r.within[:len(r.within)-1] }()
	for _, id := range t.ids {
		resource := t.resources[id]
		if resource.kind != typeNested && resource.kind != typeApplication {
			continue
		}
		file, why := r.find(resource, name)
		if file == "" {
			t.leavesOut = append(t.leavesOut, "nested stack "+id+" has a template of its own"+why)
			continue
		}
		source, err := readFile(r.folder, file)
		if err != nil {
			return err
		}
		child, err := readTemplate(source, Options{File: path.Join(path.Dir(t.file), relative(path.Dir(name), file)), nested: true})
		if err != nil {
			return fmt.Errorf("%s, of nested stack %s: %w", file, id, err)
		}
		child.places = t.places
		if err := r.read(child, file); err != nil {
			return err
		}
		t.nested[id] = child
	}
	return nil
}

// find is the path of a nested stack's template in the folder; empty: there is none, and perhaps why.
func (r *nestedReader) find(resource resource, parent string) (file, why string) {
	at := resource.property("TemplateURL")
	if resource.kind == typeApplication {
		at = resource.property("Location")
	}
	asset := resource.node.get("Metadata").textOf("aws:asset:path") // of the CDK, where TemplateURL is put together
	switch {
	case r.folder == nil:
		return "", ""
	case asset != "":
		file = asset
	case at == nil || at.kind != text || strings.Contains(at.text, "://"):
		return "", ""
	default:
		file = at.text
	}
	file = path.Join(path.Dir(parent), file)
	switch {
	case !fs.ValidPath(file):
		return "", ", which lies outside of the folder"
	case slices.Contains(r.within, file):
		return "", ", which is the one that it is in"
	case len(r.within) >= maxNesting:
		return "", fmt.Sprintf(", more than %d deep", maxNesting)
	case r.count >= maxTemplates:
		return "", fmt.Sprintf(", after %d others", maxTemplates)
	}
	if info, err := fs.Stat(r.folder, file); err != nil || !info.Mode().IsRegular() {
		return "", ", which is not at " + file
	}
	r.count++
	return file, ""
}

// relative is a path in a folder, from another folder of which it is within or beside.
func relative(from, file string) string {
	if from == "." {
		return file
	}
	if rest, ok := strings.CutPrefix(file, from+"/"); ok {
		return rest
	}
	return path.Join(strings.Repeat("../", strings.Count(from, "/")+1), file)
}

// allLeftOut says what a stack may have that neither its template nor those of its nested stacks tell.
func (t *template) allLeftOut() []string {
	out := slices.Clone(t.leavesOut)
	for _, id := range sorted(t.nested) {
		for _, what := range t.nested[id].allLeftOut() {
			out = append(out, id+": "+what)
		}
	}
	return out
}

// child is the evaluator of a nested stack, nil if its template was not read.
func (e *evaluator) child(id string) *evaluator {
	if known, ok := e.children[id]; ok {
		return known
	}
	t := e.nested[id]
	if t == nil || !e.work(10) {
		return nil
	}
	if e.children == nil {
		e.children = map[string]*evaluator{}
	}
	e.children[id] = &evaluator{
		template: t, attempt: e.attempt, name: e.address(id), account: e.account, region: e.region,
		regionAssumed: e.regionAssumed, parent: e, id: id,
	}
	return e.children[id]
}

// argument is what a nested stack is given for a parameter, nil if nothing is.
func (e *evaluator) argument(name string) *node {
	if e.parent == nil {
		return nil
	}
	return e.parent.resources[e.id].property("Parameters").orBrought(name)
}

// evaluateFor is an argument as a nested stack takes it for a parameter: a list is given as a text with commas, or
// as a list.
func (e *evaluator) evaluateFor(argument *node, p parameter) value {
	v := e.evaluate(argument)
	e.secret = e.secret || p.noEcho
	s, isText := v.scalar()
	switch {
	case p.fromStore || v.kind == absent:
		return unknownValue(v.refers...)
	case p.isList && isText && !iac.HasMark(s):
		return listValue(s)
	case p.isList && isText:
		return unknownValue(iac.References(s)...)
	case isText:
		return textValue(s) // every parameter is a text
	}
	return v
}
