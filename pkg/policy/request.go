package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Request is one request as IAM sees it: who asks, for which action, on which
// resource, with which context keys.
type Request struct {
	Caller   Caller
	Action   string // "s3:PutObject"
	Resource string // one concrete ARN, no wildcards
	Context  Context
}

// State says what is known of a context key's presence in a request.
type State uint8

const (
	// Absent says that the key is not in the request.
	Absent State = iota
	// Present says that the key is in the request. Its value may be known or not.
	Present
	// Either says that it is not known whether the key is in the request.
	Either
)

// Value is what is known of one context key. The zero Value is an absent key.
type Value struct {
	State State
	// Values are the key's values. They are known if and only if Known is set.
	Values []string
	Known  bool
	// Multi says that the key holds a set of values (aws:TagKeys).
	Multi bool
	// Includes are values that a multivalued key holds for certain, beside
	// others, when Known is not set.
	Includes []string
	// AtLeastOne says that a multivalued key that is there is not the empty set,
	// though it may not be known what it holds, when Known is not set. To IAM an
	// empty set is the absence of the key.
	AtLeastOne bool
	// OneOf, if not empty, holds every value that the key may have
	// when Known is not set.
	OneOf []string
	// Within, if not empty, describes every value that the key may have
	// when Known is not set: the union of the sets.
	Within []glob.KeySet
	// Excludes are values that the key has not got, when Known is not set.
	Excludes []string
	// AWSOwned says that the key, if present, has a value of AWS's own: no
	// pattern that names a customer's account, identity or address range
	// matches it. A pattern that names nobody ("*") may.
	AWSOwned bool
}

// unknown reports whether anything about the key is not known.
func (v Value) unknown() bool {
	return v.State == Either || v.State == Present && !v.Known
}

// excludes reports whether the pattern matches no value that the key may have, because it names
// one that it has not got.
func (v Value) excludes(p glob.Pattern) bool {
	if len(v.Excludes) == 0 {
		return false
	}
	text, literal := p.Literal()
	return literal && slices.Contains(v.Excludes, text)
}

// Is is a key that is present with one known value.
func Is(value string) Value {
	return Value{State: Present, Known: true, Values: []string{value}}
}

// Set is a multivalued key that is present with known values.
func Set(values ...string) Value {
	return Value{State: Present, Known: true, Multi: true, Values: values}
}

// Context holds the context keys of a request. It is immutable. Two contexts are
// == if one is a copy of the other.
type Context struct{ of *contextKeys }

type contextKeys struct {
	keys     map[string]Value // by lower-case key name
	families []family
	rest     Value
}

type family struct {
	prefix string // lower case
	value  Value
}

// NewContext returns an empty context in which every key has the value rest
// until it is set.
func NewContext(rest Value) Context { return Context{&contextKeys{rest: rest}} }

// With returns a copy of c in which key has value v. A key that ends in "*"
// stands for every key that starts so ("aws:PrincipalTag/*"); of several such,
// the longest goes first, and a key set by its full name before them all. Key
// names are compared without regard to case.
func (c Context) With(key string, v Value) Context {
	return c.WithAll(map[string]Value{key: v})
}

// WithAll is With for several keys at once.
func (c Context) WithAll(values map[string]Value) Context {
	old := c.of
	if old == nil {
		old = &contextKeys{}
	}
	out := &contextKeys{keys: make(map[string]Value, len(old.keys)+len(values)), families: slices.Clone(old.families), rest: old.rest}
	maps.Copy(out.keys, old.keys)
	for key, v := range values {
		key = strings.ToLower(key)
		if prefix, ok := strings.CutSuffix(key, "*"); ok {
			out.setFamily(family{prefix, v})
		} else {
			out.keys[key] = v
		}
	}
	return Context{out}
}

// setFamily puts a family at its place: the longest prefix first.
func (c *contextKeys) setFamily(f family) {
	at, found := slices.BinarySearchFunc(c.families, f.prefix, func(g family, prefix string) int {
		return cmp.Or(cmp.Compare(len(prefix), len(g.prefix)), strings.Compare(g.prefix, prefix))
	})
	if found {
		c.families[at] = f
		return
	}
	c.families = slices.Insert(c.families, at, f)
}

// Lookup returns what is known of a key. The name's case does not matter.
func (c Context) Lookup(key string) Value {
	if c.of == nil {
		return Value{}
	}
	if v, ok := c.of.keys[key]; ok {
		return v
	}
	key = strings.ToLower(key)
	if v, ok := c.of.keys[key]; ok {
		return v
	}
	for _, f := range c.of.families {
		if strings.HasPrefix(key, f.prefix) {
			return f.value
		}
	}
	return c.of.rest
}
