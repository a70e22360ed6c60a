package policy

import (
	"strconv"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

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
	Principals PrincipalList
	Actions    PatternList
	Resources  PatternList
	Conditions []Condition

	label string
}

// Label is what people call the statement: its Sid, or "#" and its index where
// it has none, or shares it with another statement of the document.
func (s *Statement) Label() string { return s.label }

// label names every statement.
func label(statements []compiledStatement) {
	count := make(map[string]int, len(statements))
	for i := range statements {
		count[statements[i].src.Sid]++
	}
	for i := range statements {
		s := &statements[i].src
		s.label = s.Sid
		if s.Sid == "" || count[s.Sid] > 1 {
			s.label = "#" + strconv.Itoa(s.Index)
		}
	}
}

// PatternList is an Action or Resource element, or its Not form.
type PatternList struct {
	Not  bool
	List []string
}

// compiledStatement is a statement made ready for evaluation.
type compiledStatement struct {
	src        Statement
	node       *jsontext.Node
	effect     Effect // empty if it is neither Allow nor Deny
	principal  principalMatcher
	action     actionMatcher
	resource   resourceMatcher
	conditions []conditionTest // each of the one at the same index in src.Conditions
	// malformed: an element is unknown or stands twice, so that the statement
	// matches perhaps at best.
	malformed bool
	// malformedCondition: the same of the Condition element; even a condition
	// that does not hold proves nothing.
	malformedCondition bool
	// emptyOperator: an operator that AWS does not document stands in the Condition
	// element, without a key.
	emptyOperator bool
}

// actionMatcher is an Action or NotAction element made ready.
type actionMatcher struct {
	not       bool
	patterns  []glob.Pattern // in lower case
	malformed bool
}

// resourceMatcher is a Resource or NotResource element made ready.
type resourceMatcher struct {
	not       bool
	patterns  []pattern
	malformed bool
}

// statementReader makes statements of JSON. What cannot be read is malformed,
// never left out: it may mean anything.
type statementReader struct {
	dialect   Dialect
	variables bool // the document's Version knows policy variables
}

func (r statementReader) readStatement(index int, n *jsontext.Node) compiledStatement {
	s := compiledStatement{src: Statement{Index: index}, node: n}
	if n.Kind != jsontext.Object {
		s.malformed, s.malformedCondition = true, true
		s.principal.malformed, s.action.malformed, s.resource.malformed = true, true, true
		return s
	}
	for _, m := range n.Members {
		switch m.Name {
		case "Sid":
			s.src.Sid = m.Value.Text
		case "Effect":
			s.src.Effect = Effect(m.Value.Text)
			if e := s.src.Effect; m.Value.Kind == jsontext.String && (e == Allow || e == Deny) {
				s.effect = e
			}
		case "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition":
		default:
			s.malformed = true
		}
	}
	if n.Duplicate() != "" {
		s.malformed = true
	}
	readPrincipal(&s, n)
	s.src.Actions, s.action.malformed = readPatternList(n, "Action")
	s.action.not = s.src.Actions.Not
	s.action.patterns = make([]glob.Pattern, len(s.src.Actions.List))
	for i, text := range s.src.Actions.List {
		s.action.patterns[i] = glob.Parse(glob.LowerASCII(text))
	}
	s.src.Resources, s.resource.malformed = readPatternList(n, "Resource")
	if r.dialect.withoutResource && !has(n, "Resource") && !has(n, "NotResource") {
		s.resource.malformed = false // it names nothing, and so matches nothing
	}
	s.resource.not = s.src.Resources.Not
	s.resource.patterns = make([]pattern, len(s.src.Resources.List))
	for i, text := range s.src.Resources.List {
		s.resource.patterns[i] = r.newPattern(text, arnForm, false)
	}
	r.readConditions(&s, n)
	return s
}

func has(n *jsontext.Node, name string) bool {
	_, count := n.Member(name)
	return count > 0
}

// oneForm returns the one of two members that exclude each other, an element
// and its Not form. ok is false unless exactly one of them is there, once.
func oneForm(n *jsontext.Node, name string) (m *jsontext.Member, not, ok bool) {
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

// readPatternList reads an Action or Resource element, or its Not form.
func readPatternList(n *jsontext.Node, name string) (out PatternList, malformed bool) {
	m, not, ok := oneForm(n, name)
	if !ok {
		return out, true
	}
	items := m.Value.Elements()
	out = PatternList{Not: not, List: make([]string, 0, len(items))}
	for _, item := range items {
		if item.Kind != jsontext.String {
			malformed = true
			continue
		}
		out.List = append(out.List, item.Text)
	}
	return out, malformed
}

func (a *actionMatcher) match(action glob.Text) Truth {
	result := No
	for i := range a.patterns {
		if a.patterns[i].Match(action) {
			result = Yes
			break
		}
	}
	return elementTruth(result, a.not, a.malformed)
}

// elementTruth is the result of an element, from that of its entries.
func elementTruth(entries Truth, not, malformed bool) Truth {
	switch {
	case malformed && (not || entries == No):
		return Maybe // an entry that could not be read may match
	case not:
		return entries.not()
	}
	return entries
}
