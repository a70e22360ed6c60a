package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// compiled is a statement made ready for evaluation.
type compiled struct {
	Statement

	node       *node
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

func (c compiler) statement(index int, n *node) compiled {
	s := compiled{Statement: Statement{Index: index}, node: n}
	if n.kind != '{' {
		s.doubt, s.conditionDoubt = true, true
		s.principal.doubt, s.action.doubt, s.resource.doubt = true, true, true
		return s
	}
	for _, m := range n.members {
		switch m.name {
		case "Sid":
			s.Sid = m.value.text
		case "Effect":
			s.setEffect(m.value)
		case "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition":
		default:
			s.doubt = true
		}
	}
	if n.duplicate() != "" {
		s.doubt = true
	}
	c.readPrincipal(&s, n)
	s.Actions, s.action = c.readPatterns(n, "Action")
	s.Resources, s.resource = c.readPatterns(n, "Resource")
	c.readConditions(&s, n)
	return s
}

func (s *compiled) setEffect(n *node) {
	s.Effect = Effect(n.text)
	switch {
	case n.kind != '"':
	case s.Effect == Allow:
		s.effect = allowEffect
	case s.Effect == Deny:
		s.effect = denyEffect
	}
}

// either returns the one of two members that exclude each other. ok is false
// unless exactly one of them is there, once.
func either(n *node, name string) (m *member, not, ok bool) {
	plain, count := n.member(name)
	inverse, inverseCount := n.member("Not" + name)
	if count+inverseCount != 1 {
		return nil, false, false
	}
	if plain != nil {
		return plain, false, true
	}
	return inverse, true, true
}

// readPatterns reads an Action or Resource element, or its Not form.
func (c compiler) readPatterns(n *node, name string) (Patterns, patterns) {
	m, not, ok := either(n, name)
	out := patterns{doubt: !ok}
	text := Patterns{Not: not}
	if !ok {
		return text, out
	}
	items := m.value.list()
	text.List = make([]string, 0, len(items))
	out.list = make([]pattern, 0, len(items))
	for _, item := range items {
		if item.kind != '"' {
			out.doubt = true
			continue
		}
		text.List = append(text.List, item.text)
		if name == "Action" {
			out.list = append(out.list, newPattern(glob.LowerASCII(item.text), likeForm, false, false))
		} else {
			out.list = append(out.list, newPattern(item.text, resourceForm, false, c.vars))
		}
	}
	return text, out
}

// readPrincipal reads the Principal or NotPrincipal element.
func (c compiler) readPrincipal(s *compiled, n *node) {
	m, not, ok := either(n, "Principal")
	s.Principals.Not = not
	switch {
	case !ok:
		s.principal.doubt = true
	case m.value.kind == '"' && m.value.text == "*":
		s.Principals.Entries = []Principal{{Anyone, "*"}}
	case m.value.kind != '{' || m.value.duplicate() != "":
		s.principal.doubt = true
	default:
		for _, kind := range m.value.members {
			s.addPrincipals(kind)
		}
	}
}

func (s *compiled) addPrincipals(m member) {
	kind := PrincipalType(m.name)
	switch kind {
	case AWS, Service, Federated, CanonicalUser:
	case Anyone:
		s.principal.doubt = true
		return
	default:
		s.principal.doubt = true
		return
	}
	for _, item := range m.value.list() {
		if item.kind != '"' {
			s.principal.doubt = true
			continue
		}
		s.Principals.Entries = append(s.Principals.Entries, Principal{kind, item.text})
	}
}

// readConditions reads the Condition element.
func (c compiler) readConditions(s *compiled, n *node) {
	m, count := n.member("Condition")
	if count == 0 {
		return
	}
	if count > 1 || m.value.kind != '{' || m.value.duplicate() != "" {
		s.conditionDoubt = true
	}
	if m.value.kind != '{' {
		return
	}
	size := 0
	for _, block := range m.value.members {
		size += len(block.value.members)
	}
	s.Conditions = make([]Condition, 0, size)
	s.conditions = make([]condition, 0, size)
	for _, block := range m.value.members {
		if block.value.kind != '{' || sameKey(block.value) {
			s.conditionDoubt = true
		}
		for _, key := range block.value.members {
			c.addCondition(s, block.name, key)
		}
	}
	for i := range s.conditions {
		s.conditions[i].text = &s.Conditions[i]
	}
}

func (c compiler) addCondition(s *compiled, name string, key member) {
	o := parseOperator(name)
	items := key.value.list()
	text := Condition{Operator: name, Key: key.name, Values: make([]string, 0, len(items))}
	cond := condition{operator: o, key: strings.ToLower(key.name), operands: make([]operand, 0, len(items))}
	cond.doubt = o.kind == unknownOperator
	for _, item := range items {
		if !item.scalar() {
			cond.doubt = true
			continue
		}
		text.Values = append(text.Values, item.text)
		cond.operands = append(cond.operands, newOperand(o, item.text, c.vars))
	}
	s.Conditions = append(s.Conditions, text)
	s.conditions = append(s.conditions, cond)
}

// sameKey reports whether two members of an operator's object name the same
// condition key: letter case does not tell keys apart.
func sameKey(n *node) bool { return n.twice(strings.ToLower) != "" }
