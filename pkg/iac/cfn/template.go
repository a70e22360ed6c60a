package cfn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// The resource types that are read.
const (
	typeBucket = "AWS::S3::Bucket"
	typePolicy = "AWS::S3::BucketPolicy"
	typeTrail  = "AWS::CloudTrail::Trail"
	typeKey    = "AWS::KMS::Key"
	typeTopic  = "AWS::SNS::Topic"
	// typeTopicPolicy gives topics their policy.
	typeTopicPolicy = "AWS::SNS::TopicPolicy"
	typeNested      = "AWS::CloudFormation::Stack"
	// typeApplication is a nested stack in SAM's form, and typeStackSet deploys a template elsewhere.
	typeApplication = "AWS::Serverless::Application"
	typeStackSet    = "AWS::CloudFormation::StackSet"
)

// maxLogicalID is the longest logical id that CloudFormation takes.
const maxLogicalID = 255

// template is a template as it is written.
type template struct {
	name       string // of the stack, where it is known
	stack      string // the same where there are several; empty: there is only one
	file       string
	parameters map[string]parameter
	mappings   *node
	conditions *node
	resources  map[string]resource
	ids        []string             // of the resources that are read, in the order of the template
	waits      map[string][]string  // what was found to be made before a resource
	nested     map[string]*template // of nested stacks, by the id of their resource
	isNested   bool
	outputs    *node
	values     map[string]string // of parameters, as they were given
	// places are those of resources in the program that made the template, by logical id.
	places map[string]place
	// loopDefaults are the parameters whose default was taken for the list of a loop.
	loopDefaults map[string]bool
	// leavesOut says what a stack may have that the template does not tell, in phrases.
	leavesOut []string
}

type place struct {
	file string
	line int
}

type resource struct {
	kind     string
	node     *node
	line     int
	refersTo []string
}

// property is a property, or what may bring it: a transform of the properties or of the resource.
func (r resource) property(name string) *node {
	if p := r.node.get("Properties").orBrought(name); p != nil {
		return p
	}
	return r.node.brought()
}

// kept reports whether the resource stays when the template does not have it any more.
func (r resource) kept() bool { return strings.HasPrefix(r.node.textOf("DeletionPolicy"), "Retain") }

type parameter struct {
	fallback  *string
	isList    bool
	fromStore bool // the value is the name of one in the parameter store
	noEcho    bool
}

func newTemplate(o Options) *template {
	return &template{
		file: o.File, isNested: o.nested, values: o.Parameters, parameters: map[string]parameter{},
		resources: map[string]resource{}, waits: map[string][]string{}, nested: map[string]*template{}, loopDefaults: map[string]bool{},
	}
}

// readTemplate reads a template. Of the options, the file and the values of parameters are taken.
func readTemplate(source []byte, o Options) (*template, error) {
	root, err := parse(source)
	if err != nil {
		return nil, err
	}
	return templateOf(root, o)
}

// templateOf is the template of which the text was taken apart.
func templateOf(root *node, o Options) (*template, error) {
	// "aws cloudformation get-template" prints the template in a member, as text if it is YAML.
	if body := root.get("TemplateBody"); body != nil && root.get("Resources") == nil {
		if root = body; body.kind == text {
			var err error
			if root, err = parse([]byte(body.text)); err != nil {
				return nil, err
			}
		}
	}
	if resources := root.get("Resources"); resources == nil || resources.kind != object {
		return nil, errors.New("no Resources in it")
	}
	t := newTemplate(o)
	t.mappings = root.get("Mappings")
	if parameters := root.get("Parameters"); parameters != nil {
		for _, m := range parameters.members {
			t.parameters[m.name] = readParameter(m.node)
		}
	}
	loops := loops{values: t.listOf}
	t.conditions, t.outputs = loops.expand(root.get("Conditions")), loops.expand(root.get("Outputs"))
	if err := t.readResources(loops.expand(root.get("Resources"))); err != nil {
		return nil, err
	}
	if loops.err != nil {
		return nil, loops.err
	}
	if m := root.brought(); m != nil {
		t.leavesOut = append(t.leavesOut, m.members[0].name+" adds to it what is not known")
	}
	for _, name := range transforms(root.get("Transform")) {
		if name != "AWS::Serverless-2016-10-31" && name != "AWS::LanguageExtensions" {
			t.leavesOut = append(t.leavesOut, "what the transform "+name+" makes of it is not known")
		}
	}
	return t, nil
}

func (t *template) readResources(resources *node) error {
	for _, m := range resources.members {
		if strings.HasPrefix(m.name, "Fn::") {
			t.leavesOut = append(t.leavesOut, m.name+" makes resources that are not known")
			continue
		}
		if len(m.name) > maxLogicalID {
			return fmt.Errorf("line %d: a logical id has %d characters; CloudFormation takes %d", m.line, len(m.name), maxLogicalID)
		}
		r := resource{kind: m.node.textOf("Type"), node: m.node, line: m.line, refersTo: m.node.references()}
		t.resources[m.name] = r
		switch r.kind {
		case typeBucket, typePolicy, typeTrail, typeKey, typeTopic, typeTopicPolicy, typeNested, typeApplication:
			t.ids = append(t.ids, m.name)
		case typeStackSet:
			t.leavesOut = append(t.leavesOut, "stack set "+m.name+" deploys a template of its own")
		}
		if strings.HasSuffix(r.kind, "::MODULE") {
			t.leavesOut = append(t.leavesOut, m.name+" is a module, whose resources are not in it")
		}
	}
	return nil
}

// listOf is the list that a part of a template comes to, if it hangs on nothing but parameters. Those of a nested
// stack are what its parent gives, which is not known yet.
func (t *template) listOf(n *node) ([]string, bool) {
	left := maxWork / 500
	a := &attempt{assumed: map[string]bool{}, defaults: t.loopDefaults, left: &left, early: t.isNested}
	e := &evaluator{template: t, attempt: a, region: iac.Mark(iac.OtherMark, "AWS::Region")}
	v := e.evaluate(n)
	return v.settledTexts(), v.kind == isList && v.isKnown() && len(a.open) == 0
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

// export notes the values that the stack exports, by their names, which may be put together of what is known;
// and those of its nested stacks.
func (e *evaluator) export() {
	if e.outputs != nil {
		e.exported = map[string]*node{}
		for _, m := range e.outputs.members {
			if name, ok := e.evaluate(m.node.get("Export").get("Name")).scalar(); ok && name != "" && !iac.HasMark(name) {
				e.exported[name] = m.node.get("Value")
				e.exports[name] = e
			}
		}
	}
	for _, id := range sorted(e.nested) {
		if child := e.child(id); child != nil && e.exists(e.resources[id]) {
			child.export()
		}
	}
}

// sorted are the keys of a set.
func sorted[V any](set map[string]V) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
