package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind is the kind of a JSON value: its first byte, and '0' for every number.
type Kind byte

// The kinds.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

// Node is one JSON value with its place in the text that it was read from.
type Node struct {
	Kind       Kind
	Start, End int    // the value's bytes are text[Start:End]
	Text       string // of a scalar: the decoded string, or the literal as written
	Members    []Member
	Items      []*Node
}

// Member is one member of an object, in the order of the text. Names may stand
// twice.
type Member struct {
	Name  string
	Value *Node
	start int // of the name's opening quote
	mid   int // behind the name's closing quote
}

// Parse reads a text. ok is false if it is not JSON.
func Parse(text []byte) (root *Node, ok bool) {
	if !json.Valid(text) {
		return nil, false
	}
	r := reader{text: string(text)}
	r.space()
	return r.value(), true
}

// Where says where a text stops being JSON and why, for people: " (line 3, column
// 14: invalid character ']' …)". It is empty for a text that is JSON.
func Where(text []byte) string {
	var v any
	err := json.Unmarshal(text, &v)
	if err == nil {
		return ""
	}
	at := len(text)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		// The offset is behind the byte that is wrong, or at the end.
		at = min(max(int(syntax.Offset)-1, 0), len(text))
	}
	line := bytes.Count(text[:at], []byte("\n")) + 1
	column := utf8.RuneCount(text[bytes.LastIndexByte(text[:at], '\n')+1:at]) + 1
	return fmt.Sprintf(" (line %d, column %d: %v)", line, column, err)
}

// Member returns the last member of the name and how many there are.
func (n *Node) Member(name string) (m *Member, count int) {
	for i := range n.Members {
		if n.Members[i].Name == name {
			m = &n.Members[i]
			count++
		}
	}
	return m, count
}

// Duplicate returns a name that occurs twice in the object, or "".
func (n *Node) Duplicate() string {
	return n.DuplicateBy(func(name string) string { return name })
}

// DuplicateBy returns the first name whose form an earlier one has too, or "".
func (n *Node) DuplicateBy(form func(name string) string) string {
	const few = 16 // so few are compared one by one
	if len(n.Members) <= few {
		for i := range n.Members {
			for j := range i {
				if form(n.Members[i].Name) == form(n.Members[j].Name) {
					return n.Members[i].Name
				}
			}
		}
		return ""
	}
	seen := make(map[string]bool, len(n.Members))
	for _, m := range n.Members {
		key := form(m.Name)
		if seen[key] {
			return m.Name
		}
		seen[key] = true
	}
	return ""
}

// Elements returns the elements of a value that may be one or a list of some.
func (n *Node) Elements() []*Node {
	if n.Kind == Array {
		return n.Items
	}
	return []*Node{n}
}

// reader walks a text that json.Valid has passed, so it need not look for
// errors: every index is in the text, and every bracket is closed. It is used
// in place of encoding/json's own decoder because places, duplicate names and
// the spelling of numbers are to be kept.
type reader struct {
	text string
	at   int
	slab []Node // nodes made ahead, for fewer allocations
}

// node returns a new node.
func (r *reader) node() *Node {
	if len(r.slab) == 0 {
		r.slab = make([]Node, 32)
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	return n
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

func (r *reader) value() *Node {
	n := r.node()
	n.Kind, n.Start = Kind(r.text[r.at]), r.at
	switch n.Kind {
	case Object:
		r.object(n)
	case Array:
		r.array(n)
	case String:
		n.Text = r.str()
	default:
		for r.at < len(r.text) && !strings.ContainsRune(" \t\r\n,]}", rune(r.text[r.at])) {
			r.at++
		}
		n.Text = r.text[n.Start:r.at]
		if n.Kind == '-' || n.Kind >= '0' && n.Kind <= '9' {
			n.Kind = Number
		}
	}
	n.End = r.at
	return n
}

func (r *reader) object(n *Node) {
	r.at++ // {
	for r.space(); r.text[r.at] != '}'; r.space() {
		m := Member{start: r.at}
		m.Name = r.str()
		m.mid = r.at
		r.space()
		r.at++ // :
		r.space()
		m.Value = r.value()
		n.Members = append(n.Members, m)
		r.space()
		if r.text[r.at] == ',' {
			r.at++
		}
	}
	r.at++
}

func (r *reader) array(n *Node) {
	r.at++ // [
	for r.space(); r.text[r.at] != ']'; r.space() {
		n.Items = append(n.Items, r.value())
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
			r.at++ // whatever is escaped does not end the string
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
		return r.text[start+1 : r.at-1] // does not happen: the text is valid
	}
	return s
}
