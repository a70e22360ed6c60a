package policy

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

// With returns the document with statements replaced (by index; nil text
// removes) and added at the end. All other bytes stay as they were. A single
// statement that stands without a list gets one when others are added. The
// added statements take on the layout of the document.
//
// It fails with [ErrEdit] where an index or the Statement element does not fit
// and with [ErrSyntax] where a text is not a JSON object.
func (d *Document) With(replaced map[int][]byte, added ...[]byte) (*Document, error) {
	if err := d.checkEdit(replaced, added); err != nil {
		return nil, err
	}
	switch {
	case d.list == nil:
		if len(added) == 0 {
			return d, nil
		}
		list := append([]byte{'['}, bytes.Join(added, []byte{','})...)
		return Parse(insertMember(d.text, d.root, "Statement", append(list, ']')))
	case d.list.kind == '{':
		return Parse(d.spliced(d.single(replaced, added)))
	}
	return Parse(d.spliced(d.elements(replaced, added)))
}

func (d *Document) checkEdit(replaced map[int][]byte, added [][]byte) error {
	if _, count := d.root.member("Statement"); count > 1 {
		return fmt.Errorf("%w: the policy has two Statement elements", ErrEdit)
	}
	if d.list != nil && d.list.kind != '[' && d.list.kind != '{' {
		return fmt.Errorf("%w: the Statement element is neither a list nor an object", ErrEdit)
	}
	for index, text := range replaced {
		if index < 0 || index >= len(d.statements) {
			return fmt.Errorf("%w: there is no statement %d", ErrEdit, index)
		}
		if text == nil {
			continue
		}
		if _, err := readObject(text); err != nil {
			return fmt.Errorf("statement %d: %w", index, err)
		}
	}
	for _, text := range added {
		if _, err := readObject(text); err != nil {
			return fmt.Errorf("added statement: %w", err)
		}
	}
	return nil
}

// spliced is the document's text with the Statement element's value replaced.
func (d *Document) spliced(list []byte) []byte {
	return slices.Concat(d.text[:d.list.start], list, d.text[d.list.end:])
}

// single is the new value of a Statement element that is one object.
func (d *Document) single(replaced map[int][]byte, added [][]byte) []byte {
	only := d.text[d.list.start:d.list.end]
	text, changed := replaced[0]
	if changed {
		only = text
	}
	removed := changed && text == nil
	switch {
	case len(added) == 0 && !removed:
		return only
	case removed:
		return slices.Concat([]byte{'['}, bytes.Join(added, []byte{','}), []byte{']'})
	}
	return slices.Concat([]byte{'['}, bytes.Join(append([][]byte{only}, added...), []byte{','}), []byte{']'})
}

// elements is the new value of a Statement element that is a list.
func (d *Document) elements(replaced map[int][]byte, added [][]byte) []byte {
	items := d.list.items
	if len(items) == 0 {
		if len(added) == 0 {
			return d.text[d.list.start:d.list.end]
		}
		return slices.Concat([]byte{'['}, bytes.Join(added, []byte{','}), []byte{']'})
	}
	lead := d.text[d.list.start+1 : items[0].start]
	tail := d.text[items[len(items)-1].end:d.list.end]
	out := slices.Concat([]byte{'['}, lead)
	first := true
	for i, item := range items {
		text, changed := replaced[i]
		if changed && text == nil {
			continue
		}
		if !changed {
			text = d.text[item.start:item.end]
		}
		if !first {
			out = append(out, d.separator(i)...)
		}
		first = false
		out = append(out, text...)
	}
	for _, text := range added {
		if !first {
			out = append(out, d.separator(len(items))...)
		}
		first = false
		out = append(out, d.laidOut(text)...)
	}
	return append(out, tail...)
}

// separator is what stands before statement i, or would if it were there.
func (d *Document) separator(i int) []byte {
	items := d.list.items
	switch {
	case i > 0 && i < len(items):
		return d.text[items[i-1].end:items[i].start]
	case len(items) > 1:
		return d.text[items[len(items)-2].end:items[len(items)-1].start]
	}
	return slices.Concat([]byte{','}, d.text[d.list.start+1:items[0].start])
}

// laidOut indents a statement like those of the document, if that has line
// breaks and the statement has none.
func (d *Document) laidOut(text []byte) []byte {
	first := d.list.items[0]
	prefix, ok := lineIndent(d.text, first.start)
	if !ok || bytes.IndexByte(text, '\n') >= 0 || len(first.members) == 0 {
		return text
	}
	inner, ok := lineIndent(d.text, first.members[0].start)
	if !ok || !strings.HasPrefix(inner, prefix) {
		return text
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, prefix, inner[len(prefix):]); err != nil {
		return text
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

// Compact returns the document without insignificant white space.
func (d *Document) Compact() *Document {
	out, err := Parse(compacted(d.text))
	if err != nil {
		return d // does not happen: the text was parsed before
	}
	return out
}

func compacted(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return text
	}
	return b.Bytes()
}
