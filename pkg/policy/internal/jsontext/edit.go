package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrEdit says that a text cannot be edited as asked.
var ErrEdit = errors.New("cannot edit")

// SetMember returns the text with the member at path, from the object n on,
// set to values: one value is written as a string if the member was none or no
// list, else the values are written as a list. Members on the path that do not
// exist are added at the end of their object. It fails with [ErrEdit] where
// something on the path is not an object or stands twice.
func SetMember(text []byte, n *Node, values []string, path ...string) ([]byte, error) {
	if len(path) == 0 {
		return nil, errNoPath()
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
			return InsertMember(text, n, name, value), nil
		}
		n = m.Value
	}
	return slices.Concat(text[:n.Start], quoted(values, n.Kind == Array), text[n.End:]), nil
}

// DeleteMember returns the text without the member at path, from the object n
// on. A member that is not there leaves the text as it is.
func DeleteMember(text []byte, n *Node, path ...string) ([]byte, error) {
	if len(path) == 0 {
		return nil, errNoPath()
	}
	for i, name := range path {
		last := i == len(path)-1
		m, err := onPath(n, name, !last)
		switch {
		case err != nil:
			return nil, err
		case m == nil:
			return bytes.Clone(text), nil
		case last:
			return removeMember(text, n, m), nil
		}
		n = m.Value
	}
	return bytes.Clone(text), nil
}

func errNoPath() error { return fmt.Errorf("%w: no member is named", ErrEdit) }

// onPath returns the member of the name, nil if there is none.
func onPath(n *Node, name string, object bool) (*Member, error) {
	m, count := n.Member(name)
	switch {
	case count > 1:
		return nil, fmt.Errorf("%w: %q stands twice", ErrEdit, name)
	case m != nil && object && m.Value.Kind != Object:
		return nil, fmt.Errorf("%w: %q is not an object", ErrEdit, name)
	}
	return m, nil
}

// InsertMember adds a member at the end of the object n: after the comma and
// white space that stand before the last member, or those of the first with a
// comma before them.
func InsertMember(text []byte, n *Node, name string, value []byte) []byte {
	colon, gap := []byte{':'}, []byte(nil)
	at := n.Start + 1
	if count := len(n.Members); count > 0 {
		last := n.Members[count-1]
		at = last.Value.End
		colon = text[last.mid:last.Value.Start]
		if count > 1 {
			before := n.Members[count-2].Value.End
			gap = bytes.TrimLeft(text[before:last.start], " \t\r\n")
		} else {
			gap = slices.Concat([]byte{','}, text[n.Start+1:last.start])
		}
	}
	return slices.Concat(text[:at], gap, quote(name), colon, value, text[at:])
}

// removeMember cuts a member out of its object, with the comma that it leaves
// over.
func removeMember(text []byte, n *Node, m *Member) []byte {
	i := slices.IndexFunc(n.Members, func(o Member) bool { return o.start == m.start })
	from, to := m.start, m.Value.End
	switch {
	case i > 0:
		from = n.Members[i-1].Value.End
	case len(n.Members) > 1:
		to = n.Members[1].start
	default:
		from, to = n.Start+1, n.End-1
	}
	return slices.Concat(text[:from], text[to:])
}

// EditElements returns the text in which of the value n, an object or an array
// of some, elements are replaced (by index; nil removes) and others are added
// at the end. A single object becomes an array when others are added or it is
// removed. The added elements take on the layout of the array.
func EditElements(text []byte, n *Node, replaced map[int][]byte, added [][]byte) []byte {
	var value []byte
	switch {
	case n.Kind == Object:
		value = editSingle(text, n, replaced, added)
	case len(n.Items) == 0:
		value = text[n.Start:n.End]
		if len(added) > 0 {
			value = NewArray(added)
		}
	default:
		value = editArray(text, n, replaced, added)
	}
	return slices.Concat(text[:n.Start], value, text[n.End:])
}

// NewArray writes an array of elements.
func NewArray(elements [][]byte) []byte {
	return slices.Concat([]byte{'['}, bytes.Join(elements, []byte{','}), []byte{']'})
}

func editSingle(text []byte, n *Node, replaced map[int][]byte, added [][]byte) []byte {
	only := text[n.Start:n.End]
	with, changed := replaced[0]
	if changed {
		only = with
	}
	switch {
	case changed && with == nil:
		return NewArray(added)
	case len(added) == 0:
		return only
	}
	return NewArray(append([][]byte{only}, added...))
}

func editArray(text []byte, n *Node, replaced map[int][]byte, added [][]byte) []byte {
	items := n.Items
	out := slices.Clone(text[n.Start:items[0].Start])
	first := true
	put := func(i int, element []byte) {
		if !first {
			out = append(out, separator(text, n, i)...)
		}
		first = false
		out = append(out, element...)
	}
	for i, item := range items {
		element, changed := replaced[i]
		switch {
		case !changed:
			put(i, text[item.Start:item.End])
		case element != nil:
			put(i, element)
		}
	}
	for _, element := range added {
		put(len(items), laidOut(text, n, element))
	}
	return append(out, text[items[len(items)-1].End:n.End]...)
}

// separator is what stands before the element at i of an array, or would if it
// were there.
func separator(text []byte, n *Node, i int) []byte {
	items := n.Items
	switch {
	case i > 0 && i < len(items):
		return text[items[i-1].End:items[i].Start]
	case len(items) > 1:
		return text[items[len(items)-2].End:items[len(items)-1].Start]
	}
	return slices.Concat([]byte{','}, text[n.Start+1:items[0].Start])
}

// laidOut indents an element like those of the array, if that has line breaks
// and the element has none.
func laidOut(text []byte, n *Node, element []byte) []byte {
	first := n.Items[0]
	prefix, ok := lineIndent(text, first.Start)
	if !ok || bytes.IndexByte(element, '\n') >= 0 || len(first.Members) == 0 {
		return element
	}
	inner, ok := lineIndent(text, first.Members[0].start)
	if !ok || !strings.HasPrefix(inner, prefix) {
		return element
	}
	var b bytes.Buffer
	if err := json.Indent(&b, element, prefix, inner[len(prefix):]); err != nil {
		return element
	}
	return b.Bytes()
}

// lineIndent is the white space before the place, if nothing else stands
// before it on its line and it is not on the first.
func lineIndent(text []byte, at int) (string, bool) {
	line := bytes.LastIndexByte(text[:at], '\n')
	if line < 0 || len(bytes.TrimSpace(text[line:at])) > 0 {
		return "", false
	}
	return string(text[line+1 : at]), true
}

// Compact returns the text without insignificant white space, or the text
// itself if it is not JSON.
func Compact(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return text
	}
	return b.Bytes()
}

// quoted writes values as a string if there is one and no list is asked for,
// else as a list.
func quoted(values []string, list bool) []byte {
	if len(values) == 1 && !list {
		return quote(values[0])
	}
	texts := make([][]byte, len(values))
	for i, v := range values {
		texts[i] = quote(v)
	}
	return NewArray(texts)
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
