package policy

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// ErrSyntax says that a text is not the JSON object that it should be.
var ErrSyntax = errors.New("not a JSON object")

// Document is a policy of a resource: its text and what the text means. It is
// immutable.
type Document struct {
	dialect Dialect
	text    []byte
	root    *jsontext.Node
	// list is the value of the Statement element, nil if there is none.
	list       *jsontext.Node
	statements []compiledStatement
	// malformed: what the document says as a whole cannot be told.
	malformed bool
	variables bool // the Version knows policy variables
	// origin is the index of the first statement in the policy that it was taken
	// from, for the account of work; see Alone.
	origin int
	// resources is how many entries the resource elements have.
	resources int
}

// The versions of the policy language. A policy without Version is of the old
// one, which knows no policy variables.
const (
	currentVersion = "2012-10-17"
	oldVersion     = "2008-10-17"
)

// Parse reads a bucket policy: it is [Dialect.Parse] of [S3].
func Parse(text []byte) (*Document, error) { return S3().Parse(text) }

// Parse reads a policy of the service. It fails only where the text is not one JSON
// object, with an error that wraps [ErrSyntax]; everything else that the service would
// refuse is left to [Document.Faults], because a policy that was read back
// from it must be evaluated as far as it can be.
func (d Dialect) Parse(text []byte) (*Document, error) {
	text = bytes.Clone(text)
	root, err := readObject(text)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	out := &Document{dialect: d, text: text, root: root}
	version, versions := root.Member("Version")
	if versions > 0 {
		out.variables = version.Value.Kind == jsontext.String && version.Value.Text == currentVersion
		out.malformed = versions > 1 || !knownVersion(version.Value)
	}
	statement, lists := root.Member("Statement")
	if lists == 0 {
		return out, nil
	}
	out.list = statement.Value
	if out.list.Kind != jsontext.Array && out.list.Kind != jsontext.Object {
		out.malformed = true
		return out, nil
	}
	out.malformed = out.malformed || lists > 1
	items := out.list.Elements()
	out.statements = make([]compiledStatement, len(items))
	for i, item := range items {
		out.statements[i] = statementReader{d, out.variables}.readStatement(i, item)
		out.resources += len(out.statements[i].resource.patterns)
	}
	label(out.statements)
	return out, nil
}

// readObject reads a text that is one JSON object. S3's words for what is
// wrong with any other text come with the error.
func readObject(text []byte) (*jsontext.Node, error) {
	n, ok := jsontext.Parse(text)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %s%s", ErrSyntax, msgInvalidJSON, jsontext.Where(text))
	case n.Kind != jsontext.Object:
		return nil, fmt.Errorf("%w: %s", ErrSyntax, msgFirstByte)
	}
	return n, nil
}

func knownVersion(n *jsontext.Node) bool {
	return n.Kind == jsontext.String && (n.Text == currentVersion || n.Text == oldVersion)
}

// Text returns the document's text as it was read.
func (d *Document) Text() []byte { return bytes.Clone(d.text) }

// Len is the number of statements.
func (d *Document) Len() int { return len(d.statements) }

// At returns the statement at index, which is from 0 to Len()-1. It belongs to
// the document and is not to be changed.
func (d *Document) At(index int) *Statement { return &d.statements[index].src }

// All yields the statements in order, with their indexes. They belong to the
// document and are not to be changed.
func (d *Document) All() iter.Seq2[int, *Statement] {
	return func(yield func(int, *Statement) bool) {
		for i := range d.statements {
			if !yield(i, &d.statements[i].src) {
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
