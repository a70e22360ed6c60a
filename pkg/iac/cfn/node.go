package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a part of a template as it is written, with its line.
type node struct {
	kind    kind
	text    string // of a text, number or boolean
	list    []*node
	members []member
	line    int
}

type member struct {
	name string
	line int
	node *node
}

type kind uint8

const (
	null kind = iota
	text
	number // or a boolean
	octal  // a number that YAML 1.1, which CloudFormation reads, may read otherwise
	list
	object
)

// get is the member of an object, nil if there is none.
func (n *node) get(name string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	for _, m := range n.members {
		if m.name == name {
			return m.node
		}
	}
	return nil
}

// orBrought is a member of an object, or the function among its members that may bring one of that name.
func (n *node) orBrought(name string) *node {
	if m := n.get(name); m != nil {
		return m
	}
	return n.brought()
}

// brought is an object of the function that stands among the members of an object and adds to them: a transform,
// such as AWS::Include, or a loop that is not known. Nil: there is none.
func (n *node) brought() *node {
	if n == nil || n.kind != object {
		return nil
	}
	for _, m := range n.members {
		if strings.HasPrefix(m.name, "Fn::") {
			return &node{kind: object, line: m.line, members: []member{m}}
		}
	}
	return nil
}

// textOf is a member that is a text.
func (n *node) textOf(name string) string {
	if m := n.get(name); m != nil && m.kind == text {
		return m.text
	}
	return ""
}

const (
	maxNodes = 1_000_000
	maxDepth = 500
)

var errTooLarge = errors.New("the template is too large, or nested too deeply")

// parse reads a template: as JSON if it begins so, else as YAML.
func parse(source []byte) (*node, error) {
	if trimmed := bytes.TrimSpace(source); len(trimmed) > 0 && trimmed[0] == '{' {
		p := &jsonParser{source: source, decoder: json.NewDecoder(bytes.NewReader(source)), line: 1}
		p.decoder.UseNumber()
		n, err := p.value(0)
		switch {
		case errors.Is(err, errTooLarge) || errors.As(err, new(twiceError)):
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("not JSON: more than one value")
		}
		return n, nil
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(document.Content) != 1 {
		return nil, errors.New("empty")
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	p := &yamlParser{}
	return p.node(document.Content[0], 0)
}

type jsonParser struct {
	source  []byte
	decoder *json.Decoder
	counted int64
	line    int
	nodes   int
}

// here is the line that the decoder is at.
func (p *jsonParser) here() int {
	at := p.decoder.InputOffset()
	p.line += bytes.Count(p.source[p.counted:at], []byte("\n"))
	p.counted = at
	return p.line
}

func (p *jsonParser) value(depth int) (*node, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return nil, errTooLarge
	}
	token, err := p.decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := &node{line: p.here()}
	switch token := token.(type) {
	case string:
		n.kind, n.text = text, token
	case json.Number:
		n.kind, n.text = number, token.String()
	case bool:
		n.kind, n.text = number, fmt.Sprint(token)
	case json.Delim:
		n.kind = list
		if token == '{' {
			n.kind = object
		}
		for p.decoder.More() {
			m := member{}
			if n.kind == object {
				name, err := p.decoder.Token()
				if err != nil {
					return nil, err
				}
				m.name, _ = name.(string)
				m.line = p.here()
			}
			if m.node, err = p.value(depth + 1); err != nil {
				return nil, err
			}
			if n.kind == object {
				n.members = append(n.members, m)
			} else {
				n.list = append(n.list, m.node)
			}
		}
		if _, err := p.decoder.Token(); err != nil {
			return nil, err
		}
	}
	return n, n.twice()
}

type twiceError struct{ member }

func (e twiceError) Error() string {
	return fmt.Sprintf("line %d: %q stands twice in one object", e.line, e.name)
}

type yamlParser struct{ nodes int }

func (p *yamlParser) node(y *yaml.Node, depth int) (*node, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return nil, errTooLarge // aliases of aliases grow without bound
	}
	n := &node{line: y.Line}
	switch y.Kind {
	case yaml.AliasNode:
		return p.node(y.Alias, depth+1)
	case yaml.ScalarNode:
		n.kind, n.text = text, y.Value
		switch y.ShortTag() {
		case "!!null":
			n.kind, n.text = null, ""
		case "!!int", "!!float":
			n.kind = number
			if len(n.text) > 1 && n.text[0] == '0' {
				n.kind = octal
			}
		case "!!bool":
			n.kind, n.text = number, strings.ToLower(y.Value)
			var on bool
			if y.Decode(&on) == nil {
				n.text = fmt.Sprint(on)
			}
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, y := range y.Content {
			item, err := p.node(y, depth+1)
			if err != nil {
				return nil, err
			}
			n.list = append(n.list, item)
		}
	case yaml.MappingNode:
		n.kind = object
		for i := 0; i+1 < len(y.Content); i += 2 {
			key, value := y.Content[i], y.Content[i+1]
			v, err := p.node(value, depth+1)
			if err != nil {
				return nil, err
			}
			if key.ShortTag() == "!!merge" {
				n.merge(v)
				continue
			}
			n.members = append(n.members, member{name: key.Value, line: key.Line, node: v})
		}
	case yaml.DocumentNode:
	}
	return p.function(y, n), n.twice()
}

// merge adds what a merge key ("<<") brings: members that the object has not.
func (n *node) merge(from *node) {
	if from.kind == list {
		for _, f := range from.list {
			n.merge(f)
		}
	}
	for _, m := range from.members {
		if n.get(m.name) == nil {
			n.members = append(n.members, m)
		}
	}
}

// twice is the error of an object with two members of a name, of which nobody can say which
// counts.
func (n *node) twice() error {
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		if seen[m.name] {
			return twiceError{m}
		}
		seen[m.name] = true
	}
	return nil
}

// function makes the long form of a function's short one: "!Sub x" is {"Fn::Sub": "x"}, and
// "!GetAtt A.B" is {"Fn::GetAtt": ["A", "B"]}.
func (p *yamlParser) function(y *yaml.Node, n *node) *node {
	name, ok := strings.CutPrefix(y.Tag, "!")
	if !ok || strings.HasPrefix(name, "!") || name == "" {
		return n
	}
	if n.kind != list && n.kind != object {
		n.kind = text // of "!Ref 1" too
		n.text = y.Value
	}
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		name = "Fn::GetAtt"
		if resource, attribute, dotted := strings.Cut(n.text, "."); n.kind == text && dotted {
			part := func(s string) *node { return &node{kind: text, text: s, line: n.line} }
			n = &node{kind: list, line: n.line, list: []*node{part(resource), part(attribute)}}
		}
	default:
		name = "Fn::" + name
	}
	return &node{kind: object, line: n.line, members: []member{{name: name, line: n.line, node: n}}}
}
