package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrSyntax says that a text is not the JSON object that it should be.
var ErrSyntax = errors.New("not a JSON object")

// node is one JSON value with its place in the text that it was read from.
type node struct {
	kind       byte // first byte of the value; '0' for every number
	start, end int
	text       string // of a scalar: the decoded string, or the literal as written
	members    []member
	items      []*node
}

// member is one member of an object. start and colon are the places of the
// name's opening quote and of the byte after its closing quote.
type member struct {
	name       string
	start, mid int
	value      *node
}

// reader walks a text that json.Valid has passed, so it need not look for
// errors. It is used in place of encoding/json's own decoding because places,
// duplicate names and the spelling of numbers are to be kept.
type reader struct {
	text string
	at   int
	slab []node // nodes made ahead, for fewer allocations
}

// fresh returns a new node.
func (r *reader) fresh() *node {
	if len(r.slab) == 0 {
		r.slab = make([]node, 32)
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	return n
}

// readObject reads a text that is one JSON object. S3's words for what is
// wrong with any other text come with the error.
func readObject(text []byte) (*node, error) {
	if !json.Valid(text) {
		return nil, fmt.Errorf("%w: This policy contains invalid Json", ErrSyntax)
	}
	r := reader{text: string(text)}
	r.space()
	n := r.value()
	if n.kind != '{' {
		return nil, fmt.Errorf("%w: Policies must be valid JSON and the first byte must be '{'", ErrSyntax)
	}
	return n, nil
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) value() *node {
	n := r.fresh()
	n.kind, n.start = r.text[r.at], r.at
	switch n.kind {
	case '{':
		r.object(n)
	case '[':
		r.array(n)
	case '"':
		n.text = r.str()
	default:
		for r.at < len(r.text) && !strings.ContainsRune(" \t\r\n,]}", rune(r.text[r.at])) {
			r.at++
		}
		n.text = r.text[n.start:r.at]
		if n.kind == '-' || n.kind >= '0' && n.kind <= '9' {
			n.kind = '0'
		}
	}
	n.end = r.at
	return n
}

func (r *reader) object(n *node) {
	r.at++ // {
	for r.space(); r.text[r.at] != '}'; r.space() {
		m := member{start: r.at}
		m.name = r.str()
		m.mid = r.at
		r.space()
		r.at++ // :
		r.space()
		m.value = r.value()
		n.members = append(n.members, m)
		r.space()
		if r.text[r.at] == ',' {
			r.at++
		}
	}
	r.at++
}

func (r *reader) array(n *node) {
	r.at++ // [
	for r.space(); r.text[r.at] != ']'; r.space() {
		n.items = append(n.items, r.value())
		r.space()
		if r.text[r.at] == ',' {
			r.at++
		}
	}
	r.at++
}

func (r *reader) str() string {
	start := r.at
	plain := true
	for r.at++; r.text[r.at] != '"'; r.at++ {
		switch c := r.text[r.at]; {
		case c == '\\':
			plain = false
			r.at++
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	r.at++
	if plain {
		return r.text[start+1 : r.at-1]
	}
	var s string
	if err := json.Unmarshal([]byte(r.text[start:r.at]), &s); err != nil {
		return r.text[start+1 : r.at-1]
	}
	return s
}

// member returns the last member of the name and how many there are.
func (n *node) member(name string) (m *member, count int) {
	for i := range n.members {
		if n.members[i].name == name {
			m = &n.members[i]
			count++
		}
	}
	return m, count
}

// duplicate returns a name that occurs twice in the object, or "".
func (n *node) duplicate() string { return n.twice(func(name string) string { return name }) }

// twice returns the first name whose form an earlier one has too, or "".
func (n *node) twice(form func(name string) string) string {
	const few = 16 // so few are compared one by one
	if len(n.members) <= few {
		for i := range n.members {
			for j := range i {
				if form(n.members[i].name) == form(n.members[j].name) {
					return n.members[i].name
				}
			}
		}
		return ""
	}
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		key := form(m.name)
		if seen[key] {
			return m.name
		}
		seen[key] = true
	}
	return ""
}

// scalar reports whether n may stand as a condition value: the grammar lets
// numbers and booleans go without quotes.
func (n *node) scalar() bool {
	return n.kind == '"' || n.kind == '0' || n.kind == 't' || n.kind == 'f'
}

// list returns the elements of a value that may be one or a list of some.
func (n *node) list() []*node {
	if n.kind == '[' {
		return n.items
	}
	return []*node{n}
}
