package policy

import (
	"fmt"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// ErrEdit says that a text cannot be edited as asked.
var ErrEdit = jsontext.ErrEdit

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
	case d.list != nil:
		return d.dialect.Parse(jsontext.EditElements(d.text, d.list, replaced, added))
	case len(added) == 0:
		return d, nil
	}
	return d.dialect.Parse(jsontext.InsertMember(d.text, d.root, "Statement", jsontext.NewArray(added)))
}

// Alone returns a document that holds one statement only, and reads it as d
// reads its own: in the same version of the policy language. The statement stands
// for the one at an index of d, which pays for the work on it. It fails with
// [ErrSyntax] where the text is not a JSON object.
func (d *Document) Alone(index int, statement []byte) (*Document, error) {
	if _, err := readObject(statement); err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	version := oldVersion
	if d.variables {
		version = currentVersion
	}
	alone, err := d.dialect.Parse(fmt.Appendf(nil, `{"Version":%q,"Statement":[%s]}`, version, statement))
	if err != nil {
		return nil, err
	}
	alone.origin = index
	return alone, nil
}

func (d *Document) checkEdit(replaced map[int][]byte, added [][]byte) error {
	if _, count := d.root.Member("Statement"); count > 1 {
		return fmt.Errorf("%w: the policy has two Statement elements", ErrEdit)
	}
	if d.list != nil && d.list.Kind != jsontext.Array && d.list.Kind != jsontext.Object {
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

// Compact returns the document without insignificant white space.
func (d *Document) Compact() *Document {
	out, err := d.dialect.Parse(jsontext.Compact(d.text))
	if err != nil {
		return d // does not happen: the text was parsed before
	}
	return out
}

// SetMember returns a statement's text with the member at path set to values:
// one value is written as a string if the member was a string or is new, else
// the values are written as a list. Members on the path that do not exist are
// added at the end of their object. Everything else keeps its bytes and order.
// It fails with [ErrEdit] where something on the path is not an object or
// stands twice.
//
//	SetMember(text, []string{"s3:…"}, "Condition", "StringEquals", "aws:SourceArn")
func SetMember(statement []byte, values []string, path ...string) ([]byte, error) {
	n, err := readObject(statement)
	if err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	return jsontext.SetMember(statement, n, values, path...)
}

// DeleteMember returns a statement's text without the member at path. A member
// that is not there leaves the text as it is.
func DeleteMember(statement []byte, path ...string) ([]byte, error) {
	n, err := readObject(statement)
	if err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	return jsontext.DeleteMember(statement, n, path...)
}
