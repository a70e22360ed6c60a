package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// SetMember returns a statement's text with the member at path set to values:
// one value is written as a string if the member was a string or is new, else
// the values are written as a list. Members on the path that do not exist are
// added at the end of their object. Everything else keeps its bytes and order.
// It fails with [ErrEdit] where something on the path is not an object or
// stands twice.
//
//	SetMember(text, []string{"s3:…"}, "Condition", "StringEquals", "aws:SourceArn")
func SetMember(statement []byte, values []string, path ...string) ([]byte, error) {
	n, err := editable(statement, path)
	if err != nil {
		return nil, err
	}
	for i, name := range path {
		m, err := onPath(n, name, i < len(path)-1)
		if err != nil {
			return nil, err
		}
		if m == nil {
			value := quoted(values, false)
			for j := len(path) - 1; j > i; j-- {
				value = slices.Concat([]byte{'{'}, quote(path[j]), []byte{':'}, value, []byte{'}'})
			}
			return insertMember(statement, n, name, value), nil
		}
		n = m.value
	}
	return slices.Concat(statement[:n.start], quoted(values, n.kind == '['), statement[n.end:]), nil
}

// DeleteMember returns a statement's text without the member at path. A member
// that is not there leaves the text as it is.
func DeleteMember(statement []byte, path ...string) ([]byte, error) {
	n, err := editable(statement, path)
	if err != nil {
		return nil, err
	}
	for i, name := range path {
		last := i == len(path)-1
		m, err := onPath(n, name, !last)
		if err != nil {
			return nil, err
		}
		if m == nil {
			return bytes.Clone(statement), nil
		}
		if last {
			return removeMember(statement, n, m), nil
		}
		n = m.value
	}
	return bytes.Clone(statement), nil
}

func editable(statement []byte, path []string) (*node, error) {
	if len(path) == 0 {
		return nil, fmt.Errorf("%w: no member is named", ErrEdit)
	}
	n, err := readObject(statement)
	if err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	return n, nil
}

// onPath returns the member of the name, nil if there is none.
func onPath(n *node, name string, object bool) (*member, error) {
	m, count := n.member(name)
	switch {
	case count > 1:
		return nil, fmt.Errorf("%w: %q stands twice", ErrEdit, name)
	case m != nil && object && m.value.kind != '{':
		return nil, fmt.Errorf("%w: %q is not an object", ErrEdit, name)
	}
	return m, nil
}

// insertMember adds a member at the end of an object, laid out as the last one
// is.
func insertMember(text []byte, n *node, name string, value []byte) []byte {
	colon, lead := []byte{':'}, []byte(nil)
	at := n.start + 1
	if count := len(n.members); count > 0 {
		last := n.members[count-1]
		at = last.value.end
		colon = text[last.mid:last.value.start]
		before := n.start + 1
		if count > 1 {
			before = n.members[count-2].value.end
		}
		gap := bytes.TrimLeft(text[before:last.start], " \t\r\n")
		if count == 1 {
			gap = slices.Concat([]byte{','}, text[before:last.start])
		}
		lead = gap
	}
	return slices.Concat(text[:at], lead, quote(name), colon, value, text[at:])
}

// removeMember cuts a member out of its object, with the comma that it leaves
// over.
func removeMember(text []byte, n *node, m *member) []byte {
	i := slices.IndexFunc(n.members, func(o member) bool { return o.start == m.start })
	from, to := m.start, m.value.end
	switch {
	case i > 0:
		from = n.members[i-1].value.end
	case len(n.members) > 1:
		to = n.members[1].start
	default:
		from, to = n.start+1, n.end-1
	}
	return slices.Concat(text[:from], text[to:])
}

// quoted writes values as a string if there is one and no list is asked for,
// else as a list.
func quoted(values []string, list bool) []byte {
	if len(values) == 1 && !list {
		return quote(values[0])
	}
	out := []byte{'['}
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quote(v)...)
	}
	return append(out, ']')
}

// quote writes a string as JSON, without the escapes that only HTML needs.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return []byte(`""`) // does not happen: every string can be written
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
