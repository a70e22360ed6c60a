// Package policy reads S3 bucket policies and decides requests by them as IAM
// does.
//
// A [Document] keeps the text that it was read from, so that what is not
// changed is written back as it was. [Document.Decide] answers one request;
// [Document.Faults] says what S3 would refuse in the document.
//
// Everything here is pure: data in, data out.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// ErrSyntax says that a text is not the JSON object that it should be.
var ErrSyntax = errors.New("not a JSON object")

// Document is a bucket policy: its text and what the text means. It is
// immutable.
type Document struct {
	text []byte
	root *jsontext.Node
	// list is the value of the Statement element, nil if there is none.
	list       *jsontext.Node
	statements []compiled
	// doubt: what the document says as a whole cannot be told.
	doubt bool
}

// Effect of a statement.
type Effect string

// The effects. Any other text is a fault.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one statement of a document, in the words it was read in.
type Statement struct {
	Index      int
	Sid        string
	Effect     Effect
	Principals Principals
	Actions    Patterns
	Resources  Patterns
	Conditions []Condition
}

// Label is what people call the statement: its Sid, or "#" and its index where
// it has none.
func (s *Statement) Label() string { return statementLabel(s.Sid, s.Index) }

func statementLabel(sid string, index int) string {
	if sid != "" {
		return sid
	}
	return "#" + strconv.Itoa(index)
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Not     bool
	Entries []Principal
}

// Patterns is an Action or Resource element, or its Not form.
type Patterns struct {
	Not  bool
	List []string
}

// Condition is one key of one operator of a Condition element.
type Condition struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string // as written
	Values   []string
}

// Fault is one reason for which S3 would refuse a document.
type Fault struct {
	Statement int    // index, or -1 for the document as a whole
	Message   string // S3's own wording where it is known
}

// Parse reads a bucket policy. It fails only where the text is not one JSON
// object, with an error that wraps [ErrSyntax]; everything else that S3 would
// refuse is left to [Document.Faults], because a policy that was read back
// from S3 must be evaluated as far as it can be.
func Parse(text []byte) (*Document, error) {
	text = bytes.Clone(text)
	root, err := readObject(text)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	d := &Document{text: text, root: root}
	version, versions := root.Member("Version")
	c := compiler{}
	if versions > 0 {
		c.vars = version.Value.Kind == jsontext.String && version.Value.Text == currentVersion
		d.doubt = versions > 1 || !knownVersion(version.Value)
	}
	statement, lists := root.Member("Statement")
	if lists == 0 {
		return d, nil
	}
	d.list = statement.Value
	d.doubt = d.doubt || lists > 1 || d.list.Kind != jsontext.Array && d.list.Kind != jsontext.Object
	if d.doubt && d.list.Kind != jsontext.Array && d.list.Kind != jsontext.Object {
		return d, nil
	}
	items := d.list.Elements()
	d.statements = make([]compiled, len(items))
	for i, item := range items {
		d.statements[i] = c.statement(i, item)
	}
	return d, nil
}

// readObject reads a text that is one JSON object. S3's words for what is
// wrong with any other text come with the error.
func readObject(text []byte) (*jsontext.Node, error) {
	n, ok := jsontext.Parse(text)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: This policy contains invalid Json", ErrSyntax)
	case n.Kind != jsontext.Object:
		return nil, fmt.Errorf("%w: %s", ErrSyntax, msgFirstByte)
	}
	return n, nil
}

// The versions of the policy language. A policy without Version is of the old
// one, which knows no policy variables.
const (
	currentVersion = "2012-10-17"
	oldVersion     = "2008-10-17"
)

func knownVersion(n *jsontext.Node) bool {
	return n.Kind == jsontext.String && (n.Text == currentVersion || n.Text == oldVersion)
}

// Text returns the document's text as it was read.
func (d *Document) Text() []byte { return bytes.Clone(d.text) }

// Len is the number of statements.
func (d *Document) Len() int { return len(d.statements) }

// At returns the statement at index, which is from 0 to Len()-1. It belongs to
// the document and is not to be changed.
func (d *Document) At(index int) *Statement { return &d.statements[index].Statement }

// All yields the statements in order, with their indexes. They belong to the
// document and are not to be changed.
func (d *Document) All() iter.Seq2[int, *Statement] {
	return func(yield func(int, *Statement) bool) {
		for i := range d.statements {
			if !yield(i, &d.statements[i].Statement) {
				return
			}
		}
	}
}

// Label is what people call the statement at index, see [Statement.Label].
func (d *Document) Label(index int) string { return d.At(index).Label() }

// StatementText returns the text of the statement at index, as it was read.
func (d *Document) StatementText(index int) []byte {
	n := d.statements[index].node
	return bytes.Clone(d.text[n.Start:n.End])
}
