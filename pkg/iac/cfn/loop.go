package cfn

import (
	"strings"
	"unicode"
)

// loops writes out the loops of a template: {"Fn::ForEach::Name": ["Identifier", [values], {"Key${Identifier}": …}]}
// stands for a member for each value, in which the identifier is replaced. The list of values may be a
// parameter. A loop of which the values are not known stays as it is.
// Source: "Fn::ForEach" in the CloudFormation user guide.
type loops struct {
	// values are those of a list; ok is false if they are not known.
	values func(*node) (list []string, ok bool)
	made   int // nodes
	err    error
}

// expand is a part of a template with its loops written out.
func (l *loops) expand(n *node) *node {
	if n == nil || l.err != nil || n.kind != object && n.kind != list {
		return n
	}
	out := *n
	out.list, out.members = nil, nil
	for _, x := range n.list {
		out.list = append(out.list, l.expand(x))
	}
	written := false
	for _, m := range n.members {
		body, ok := l.loop(m)
		if !ok {
			out.members = append(out.members, member{m.name, m.line, l.expand(m.node)})
			continue
		}
		written = true
		out.members = append(out.members, body...)
	}
	if written && l.err == nil {
		l.err = out.twice()
	}
	return &out
}

// loop are the members that a loop stands for; ok is false if it is none that can be written out.
func (l *loops) loop(m member) (out []member, ok bool) {
	if !strings.HasPrefix(m.name, "Fn::ForEach::") || m.node.kind != list || len(m.node.list) != 3 {
		return nil, false
	}
	identifier, body := m.node.list[0], m.node.list[2]
	values, known := l.values(m.node.list[1])
	if !known || identifier.kind != text || identifier.text == "" || body.kind != object {
		return nil, false
	}
	for _, v := range values {
		// Loops within are of the value, so that they are written out after it was put in.
		one := l.expand(l.with(body, identifier.text, v))
		if l.err != nil {
			return nil, true
		}
		out = append(out, one.members...)
	}
	return out, true
}

// with is a part in which an identifier is replaced by its value: ${Identifier} and Ref by the value, and
// &{Identifier} by its letters and digits.
func (l *loops) with(n *node, identifier, value string) *node {
	if n == nil || l.err != nil {
		return n
	}
	l.made += 1 + grown(n.text, identifier, value)>>6
	for _, m := range n.members {
		l.made += grown(m.name, identifier, value) >> 6
	}
	if l.made > maxNodes {
		l.err = errTooLarge
		return n
	}
	alphanumeric := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, value)
	replace := strings.NewReplacer("${"+identifier+"}", value, "&{"+identifier+"}", alphanumeric).Replace
	if len(n.members) == 1 && n.members[0].name == "Ref" && n.members[0].node.kind == text && n.members[0].node.text == identifier {
		return &node{kind: text, text: value, line: n.line}
	}
	out := *n
	out.list, out.members = nil, nil
	if n.kind == text {
		out.text = replace(n.text)
	}
	for _, x := range n.list {
		out.list = append(out.list, l.with(x, identifier, value))
	}
	for _, m := range n.members {
		out.members = append(out.members, member{replace(m.name), m.line, l.with(m.node, identifier, value)})
	}
	return &out
}

// grown is how long a text gets when an identifier in it is replaced, or more.
func grown(text, identifier, value string) int {
	return len(text) + strings.Count(text, "{"+identifier+"}")*len(value)
}
