package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// compiled is a statement made ready for evaluation.
type compiled struct {
	Statement

	node       *jsontext.Node
	effect     effect
	principal  principals
	action     patterns
	resource   patterns
	conditions []condition
	// doubt: an element could not be read or stands twice, so that the
	// statement matches perhaps at best.
	doubt bool
	// conditionDoubt: the same of the Condition element; even a part
	// that does not match proves nothing.
	conditionDoubt bool
}

type effect uint8

const (
	unknownEffect effect = iota
	allowEffect
	denyEffect
)

// principals is a Principal or NotPrincipal element.
type principals struct {
	doubt bool
}

// patterns is an Action or Resource element, or its Not form.
type patterns struct {
	doubt bool
	list  []pattern
}

// condition is one key of one operator.
type condition struct {
	operator operator
	key      string // lower case
	operands []operand
	// doubt: the values could not be read.
	doubt bool
	// text is the condition as it is written.
	text *Condition
}

// compiler turns nodes into statements.
type compiler struct {
	vars bool // the Version knows policy variables
}

func (c compiler) statement(index int, n *jsontext.Node) compiled {
	s := compiled{Statement: Statement{Index: index}, node: n}
	if n.Kind != jsontext.Object {
		s.doubt, s.conditionDoubt = true, true
		s.principal.doubt, s.action.doubt, s.resource.doubt = true, true, true
		return s
	}
	for _, m := range n.Members {
		switch m.Name {
		case "Sid":
			s.Sid = m.Value.Text
		case "Effect":
			s.setEffect(m.Value)
		case "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition":
		default:
			s.doubt = true
		}
	}
	if n.Duplicate() != "" {
		s.doubt = true
	}
	c.readPrincipal(&s, n)
	s.Actions, s.action = c.readPatterns(n, "Action")
	s.Resources, s.resource = c.readPatterns(n, "Resource")
	c.readConditions(&s, n)
	return s
}

func (s *compiled) setEffect(n *jsontext.Node) {
	s.Effect = Effect(n.Text)
	switch {
	case n.Kind != jsontext.String:
	case s.Effect == Allow:
		s.effect = allowEffect
	case s.Effect == Deny:
		s.effect = denyEffect
	}
}

// either returns the one of two members that exclude each other. ok is false
// unless exactly one of them is there, once.
func either(n *jsontext.Node, name string) (m *jsontext.Member, not, ok bool) {
	plain, count := n.Member(name)
	inverse, inverseCount := n.Member("Not" + name)
	if count+inverseCount != 1 {
		return nil, false, false
	}
	if plain != nil {
		return plain, false, true
	}
	return inverse, true, true
}

// readPatterns reads an Action or Resource element, or its Not form.
func (c compiler) readPatterns(n *jsontext.Node, name string) (Patterns, patterns) {
	m, not, ok := either(n, name)
	out := patterns{doubt: !ok}
	text := Patterns{Not: not}
	if !ok {
		return text, out
	}
	items := m.Value.Elements()
	text.List = make([]string, 0, len(items))
	out.list = make([]pattern, 0, len(items))
	for _, item := range items {
		if item.Kind != jsontext.String {
			out.doubt = true
			continue
		}
		text.List = append(text.List, item.Text)
		if name == "Action" {
			out.list = append(out.list, newPattern(glob.LowerASCII(item.Text), likeForm, false, false))
		} else {
			out.list = append(out.list, newPattern(item.Text, resourceForm, false, c.vars))
		}
	}
	return text, out
}

// readPrincipal reads the Principal or NotPrincipal element.
func (c compiler) readPrincipal(s *compiled, n *jsontext.Node) {
	m, not, ok := either(n, "Principal")
	s.Principals.Not = not
	switch {
	case !ok:
		s.principal.doubt = true
	case m.Value.Kind == jsontext.String && m.Value.Text == "*":
		s.Principals.Entries = []Principal{{Anyone, "*"}}
	case m.Value.Kind != jsontext.Object || m.Value.Duplicate() != "":
		s.principal.doubt = true
	default:
		for _, kind := range m.Value.Members {
			s.addPrincipals(kind)
		}
	}
}

func (s *compiled) addPrincipals(m jsontext.Member) {
	kind := PrincipalType(m.Name)
	switch kind {
	case AWS, Service, Federated, CanonicalUser:
	case Anyone:
		s.principal.doubt = true
		return
	default:
		s.principal.doubt = true
		return
	}
	for _, item := range m.Value.Elements() {
		if item.Kind != jsontext.String {
			s.principal.doubt = true
			continue
		}
		s.Principals.Entries = append(s.Principals.Entries, Principal{kind, item.Text})
	}
}

// readConditions reads the Condition element.
func (c compiler) readConditions(s *compiled, n *jsontext.Node) {
	m, count := n.Member("Condition")
	if count == 0 {
		return
	}
	if count > 1 || m.Value.Kind != jsontext.Object || m.Value.Duplicate() != "" {
		s.conditionDoubt = true
	}
	if m.Value.Kind != jsontext.Object {
		return
	}
	size := 0
	for _, block := range m.Value.Members {
		size += len(block.Value.Members)
	}
	s.Conditions = make([]Condition, 0, size)
	s.conditions = make([]condition, 0, size)
	for _, block := range m.Value.Members {
		if block.Value.Kind != jsontext.Object || sameKey(block.Value) {
			s.conditionDoubt = true
		}
		for _, key := range block.Value.Members {
			c.addCondition(s, block.Name, key)
		}
	}
	for i := range s.conditions {
		s.conditions[i].text = &s.Conditions[i]
	}
}

func (c compiler) addCondition(s *compiled, name string, key jsontext.Member) {
	o := parseOperator(name)
	items := key.Value.Elements()
	text := Condition{Operator: name, Key: key.Name, Values: make([]string, 0, len(items))}
	cond := condition{operator: o, key: strings.ToLower(key.Name), operands: make([]operand, 0, len(items))}
	cond.doubt = o.kind == unknownOperator
	for _, item := range items {
		if !scalar(item) {
			cond.doubt = true
			continue
		}
		text.Values = append(text.Values, item.Text)
		cond.operands = append(cond.operands, newOperand(o, item.Text, c.vars))
	}
	s.Conditions = append(s.Conditions, text)
	s.conditions = append(s.conditions, cond)
}

// sameKey reports whether two members of an operator's object name the same
// condition key: letter case does not tell keys apart.
func sameKey(n *jsontext.Node) bool { return n.DuplicateBy(strings.ToLower) != "" }

// scalar reports whether a value may stand in a condition: the grammar lets
// numbers and booleans go without quotes.
func scalar(n *jsontext.Node) bool {
	switch n.Kind {
	case jsontext.String, jsontext.Number, jsontext.True, jsontext.False:
		return true
	case jsontext.Object, jsontext.Array, jsontext.Null:
	}
	return false
}
