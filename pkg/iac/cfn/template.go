package cfn

import (
	"errors"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// The resource types that are read.
const (
	typeBucket = "AWS::S3::Bucket"
	typePolicy = "AWS::S3::BucketPolicy"
	typeTrail  = "AWS::CloudTrail::Trail"
	typeNested = "AWS::CloudFormation::Stack"
)

// template is a template as it is written.
type template struct {
	name       string // of the stack, where it is known
	stack      string // the same where there are several; empty: there is only one
	file       string
	parameters map[string]parameter
	mappings   *node
	conditions *node
	resources  map[string]resource
	ids        []string // of the resources, in the order of the template
	outputs    *node
	values     map[string]string // of parameters, as they were given
	// places are those of resources in the program that made the template, by logical id.
	places map[string]place
	// leavesOut says what a stack may have that the template does not tell, in phrases.
	leavesOut []string
}

type place struct {
	file string
	line int
}

type resource struct {
	kind string
	node *node
	line int
}

func (r resource) property(name string) *node { return r.node.get("Properties").get(name) }

// kept reports whether the resource stays when the template does not have it any more.
func (r resource) kept() bool { return strings.HasPrefix(r.node.textOf("DeletionPolicy"), "Retain") }

type parameter struct {
	fallback  *string
	isList    bool
	fromStore bool // the value is the name of one in the parameter store
	noEcho    bool
}

// readTemplate reads a template.
func readTemplate(source []byte, file string) (*template, error) {
	root, err := parse(source)
	if err != nil {
		return nil, err
	}
	// "aws cloudformation get-template" prints the template in a member, as text if it is YAML.
	if body := root.get("TemplateBody"); body != nil && root.get("Resources") == nil {
		if root = body; body.kind == text {
			if root, err = parse([]byte(body.text)); err != nil {
				return nil, err
			}
		}
	}
	resources := root.get("Resources")
	if resources == nil || resources.kind != object {
		return nil, errors.New("no Resources in it")
	}
	t := &template{
		file: file, parameters: map[string]parameter{}, mappings: root.get("Mappings"), conditions: root.get("Conditions"),
		resources: map[string]resource{}, outputs: root.get("Outputs"),
	}
	for _, m := range resources.members {
		if strings.HasPrefix(m.name, "Fn::") {
			t.leavesOut = append(t.leavesOut, m.name+" makes resources that are not known")
			continue
		}
		kind := m.node.textOf("Type")
		t.resources[m.name] = resource{kind: kind, node: m.node, line: m.line}
		t.ids = append(t.ids, m.name)
		if kind == typeNested {
			t.leavesOut = append(t.leavesOut, "nested stack "+m.name+" has a template of its own")
		}
		if strings.HasSuffix(kind, "::MODULE") {
			t.leavesOut = append(t.leavesOut, m.name+" is a module, whose resources are not in it")
		}
	}
	if parameters := root.get("Parameters"); parameters != nil {
		for _, m := range parameters.members {
			t.parameters[m.name] = readParameter(m.node)
		}
	}
	for _, name := range transforms(root.get("Transform")) {
		if name != "AWS::Serverless-2016-10-31" && name != "AWS::LanguageExtensions" {
			t.leavesOut = append(t.leavesOut, "what the transform "+name+" makes of it is not known")
		}
	}
	return t, nil
}

func readParameter(n *node) parameter {
	kind := n.textOf("Type")
	p := parameter{
		isList:    kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<"),
		fromStore: strings.HasPrefix(kind, "AWS::SSM::Parameter::Value"),
	}
	if d := n.get("Default"); d != nil && d.kind != object && d.kind != list {
		p.fallback = &d.text
	}
	if e := n.get("NoEcho"); e != nil {
		p.noEcho = strings.EqualFold(e.text, "true")
	}
	return p
}

func transforms(n *node) []string {
	switch {
	case n == nil:
	case n.kind == text:
		return []string{n.text}
	case n.kind == list:
		var out []string
		for _, x := range n.list {
			out = append(out, transforms(x)...)
		}
		return out
	case n.kind == object:
		return []string{n.textOf("Name")}
	}
	return nil
}

// readExports are the values that the stack exports, by their names, which may be put together of
// what is known.
func (e *evaluator) readExports() map[string]*node {
	if e.outputs == nil {
		return nil
	}
	out := map[string]*node{}
	for _, m := range e.outputs.members {
		if name, ok := e.evaluate(m.node.get("Export").get("Name")).scalar(); ok && name != "" && !iac.HasMark(name) {
			out[name] = m.node.get("Value")
		}
	}
	return out
}

// sorted are the keys of a set.
func sorted(set map[string]bool) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
