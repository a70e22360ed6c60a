package cfn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/iac"
)

// knownAfter begins the text that a change set has for a value that is known after the change only.
const knownAfter = "{{changeSet:"

// isChangeSet reports whether a text is what "aws cloudformation describe-change-set" prints.
func isChangeSet(root *node) bool {
	changes := root.get("Changes")
	return changes != nil && changes.kind == list && root.get("Resources") == nil && root.get("TemplateBody") == nil
}

// readChangeSet makes two templates of a change set: of the resources that it changes, as they are and as they will
// be. Their properties are worked out already. What it does not change is not in it, and stays as it is.
// Source: DescribeChangeSet and ResourceChange in the CloudFormation API reference. BeforeContext and AfterContext
// hold all properties of a resource, the scalars among them as texts.
func readChangeSet(root *node, o Options) (iac.Input, error) {
	reason := root.textOf("StatusReason")
	isEmpty := strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
	switch status := root.textOf("Status"); {
	case status == "FAILED" && isEmpty:
		return iac.Input{}, nil
	case status != "" && status != "CREATE_COMPLETE":
		return iac.Input{}, fmt.Errorf("the change set is %s %s", status, reason)
	}
	var left []string
	var untried []iac.Gap
	before, after := newTemplate(o), newTemplate(o)
	for _, c := range root.get("Changes").list {
		change := c.get("ResourceChange")
		id, kind := change.textOf("LogicalResourceId"), change.textOf("ResourceType")
		switch kind {
		case typeNested:
			left = append(left, "nested stack "+id+" has a change set of its own")
			continue
		case typeBucket, typePolicy, typeTrail:
		default:
			continue
		}
		was, err := contextOf(change, "BeforeContext")
		if err != nil {
			return iac.Input{}, err
		}
		will, err := contextOf(change, "AfterContext")
		if err != nil {
			return iac.Input{}, err
		}
		switch action := change.textOf("Action"); {
		case action == "Add" && will != nil:
			was = nil
		case action == "Import" && will != nil:
			was = will // what is imported is there
		case action == "Remove" && was != nil:
			will = nil
		case action == "Modify" && was != nil && will != nil:
		case action == "Add" || action == "Import" || action == "Remove" || action == "Modify":
			return iac.Input{}, fmt.Errorf("%s without the values of its properties; run describe-change-set with --include-property-values", id)
		default:
			left = append(left, fmt.Sprintf("what becomes of %s is not known (%s)", id, action))
			continue
		}
		physical, replacement := change.textOf("PhysicalResourceId"), change.textOf("Replacement")
		before.addContext(id, kind, was, physical, c.line)
		switch replacement {
		case "True":
			physical = "" // it has another name then
		case "Conditional":
			untried = append(untried, iac.Gap{Address: "whether " + id + " is replaced"})
		}
		after.addContext(id, kind, will, physical, c.line)
	}
	if root.textOf("NextToken") != "" {
		left = append(left, "the list of changes goes on")
	}
	at := arn.Split(root.textOf("StackId"))
	if o.Account == "" {
		o.Account = string(at.Account)
	}
	if o.Region == "" {
		o.Region = string(at.Region)
	}
	of := func(t *template) iac.Input {
		return input([]stack{{template: t, account: o.Account, region: o.Region}})
	}
	in := Between(of(before), of(after))
	in.Partial = strings.Join(left, "; ")
	for i, s := range in.After {
		in.After[i].Untried = append(s.Untried, untried...)
		for k := range s.Trails {
			s.Trails[k].WaitsKnown = false // what it depends on is not among the properties
		}
	}
	return in, nil
}

// contextOf is a resource as it is, or will be; nil: that is not told.
func contextOf(change *node, name string) (*node, error) {
	source := change.textOf(name)
	if source == "" {
		return nil, nil
	}
	n, err := parse([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", name, change.textOf("LogicalResourceId"), err)
	}
	if n.kind != object {
		return nil, errors.New(name + " is no object")
	}
	n.at(change.line)
	return n, nil
}

// at gives all of a part the line on which its text stands.
func (n *node) at(line int) {
	n.line = line
	for _, x := range n.list {
		x.at(line)
	}
	for i := range n.members {
		n.members[i].line = line
		n.members[i].node.at(line)
	}
}

// addContext adds a resource, if there is one. One that has no name among its properties is called as it is in AWS.
func (t *template) addContext(id, kind string, context *node, physical string, line int) {
	if context == nil {
		return
	}
	name := map[string]string{typeBucket: "BucketName", typeTrail: "TrailName", typeTopic: "TopicName"}[kind]
	if kind == typeTopic { // that is its ARN
		physical = physical[strings.LastIndex(physical, ":")+1:]
	}
	properties := &node{kind: object, line: line}
	if p := context.get("Properties"); p != nil {
		properties.members = append(properties.members, p.members...)
	}
	if name != "" && physical != "" && properties.get(name) == nil {
		properties.members = append(properties.members, member{name, line, &node{kind: text, text: physical, line: line}})
	}
	n := &node{kind: object, line: line, members: []member{{"Properties", line, properties}}}
	if kept := context.get("DeletionPolicy"); kept != nil {
		n.members = append(n.members, member{"DeletionPolicy", line, kept})
	}
	t.resources[id] = resource{kind: kind, node: n, line: line}
	t.ids = append(t.ids, id)
}
