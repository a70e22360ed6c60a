package policy

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// Condition is one key of one operator of a Condition element.
type Condition struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string // as written
	Values   []string
}

// conditionTest is a condition made ready for evaluation.
type conditionTest struct {
	operator operator
	key      string // lower case
	operands []operand
	// effect is that of the statement: what AWS does not document never grants,
	// and never spares from a Deny.
	effect    Effect
	malformed bool // the operator or a value could not be read
	known     keyKnowledge
}

// readConditions reads the Condition element of a statement.
func (r statementReader) readConditions(s *compiledStatement, n *jsontext.Node) {
	m, count := n.Member("Condition")
	if count == 0 {
		return
	}
	if count > 1 || m.Value.Kind != jsontext.Object || m.Value.Duplicate() != "" {
		s.malformedCondition = true
	}
	if m.Value.Kind != jsontext.Object {
		return
	}
	size := 0
	for _, block := range m.Value.Members {
		size += len(block.Value.Members)
		s.emptyOperator = s.emptyOperator || emptyUnknownOperator(block)
	}
	s.src.Conditions = make([]Condition, 0, size)
	s.conditions = make([]conditionTest, 0, size)
	for _, block := range m.Value.Members {
		if block.Value.Kind != jsontext.Object || sameKeyTwice(block.Value) {
			s.malformedCondition = true
		}
		for _, key := range block.Value.Members {
			r.readCondition(s, block.Name, key)
		}
	}
}

// emptyUnknownOperator reports whether the member is an operator that AWS does not
// document, with no key under it.
func emptyUnknownOperator(block jsontext.Member) bool {
	return block.Value.Kind == jsontext.Object && len(block.Value.Members) == 0 && parseOperator(block.Name).kind == unknownOperator
}

func (r statementReader) readCondition(s *compiledStatement, name string, key jsontext.Member) {
	o := parseOperator(name)
	items := key.Value.Elements()
	src := Condition{Operator: name, Key: key.Name, Values: make([]string, 0, len(items))}
	c := conditionTest{operator: o, key: strings.ToLower(key.Name), operands: make([]operand, 0, len(items)), effect: s.effect}
	c.malformed = o.kind == unknownOperator
	c.known = r.dialect.lookUpKey(c.key)
	for _, item := range items {
		if !scalar(item) {
			c.malformed = true
			continue
		}
		src.Values = append(src.Values, item.Text)
		c.operands = append(c.operands, r.newOperand(o, item.Text))
	}
	s.src.Conditions = append(s.src.Conditions, src)
	s.conditions = append(s.conditions, c)
}

// sameKeyTwice reports whether two members of an operator's object name the
// same condition key: letter case does not tell keys apart.
func sameKeyTwice(n *jsontext.Node) bool { return n.DuplicateBy(strings.ToLower) != "" }

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

// conditions is the conjunction of a statement's conditions. If one does not
// hold without any assumption, that settles it.
func (ev *evaluator) conditions(s *compiledStatement) (Truth, assumptionSet) {
	result, assumed := Yes, assumptionSet(0)
	certainNo, assumedNo := false, assumptionSet(0)
	if s.emptyOperator {
		result, assumed = Maybe, assumeEmptyOperator
	}
	for i := range s.conditions {
		t, a := ev.condition(&s.conditions[i])
		result = min(result, t)
		switch {
		case t != No:
			assumed |= a
		case a == 0:
			certainNo = true
		default:
			assumedNo |= a
		}
	}
	switch {
	case s.malformedCondition:
		return Maybe, 0
	case certainNo:
		return No, 0
	case result == No:
		return No, assumedNo
	}
	return result, assumed
}

// condition says whether one condition of a statement holds.
func (ev *evaluator) condition(c *conditionTest) (Truth, assumptionSet) {
	if c.malformed {
		return Maybe, 0
	}
	v := ev.value(c.key)
	t, assumed := ev.conditionOn(c, &v)
	if c.known == keyKnown {
		return t, assumed
	}
	return ev.ofUnknownKey(c, t, assumed)
}

// conditionOn is condition for a value of the key.
func (ev *evaluator) conditionOn(c *conditionTest, v *Value) (Truth, assumptionSet) {
	if c.operator.kind == nullOperator {
		return ev.null(c, v)
	}
	switch v.State {
	case Absent:
		return c.whenAbsent()
	case Present:
		return ev.whenPresent(c, v)
	case Either:
	}
	absent, assumedAbsent := c.whenAbsent()
	present, assumedPresent := ev.whenPresent(c, v)
	return join(absent, present), assumedAbsent | assumedPresent
}

// ofUnknownKey is the result on a key that the service does not know, from the result by what the
// request says of it. Such a key is in no request, unless it is newer than this program.
// So what hangs on it is not granted, and may be denied.
func (ev *evaluator) ofUnknownKey(c *conditionTest, t Truth, assumed assumptionSet) (Truth, assumptionSet) {
	if c.known == keyUnknown && ev.request.Context.Lookup(c.key).State == Present {
		absent, a := ev.conditionOn(c, &Value{})
		if c.effect == Deny {
			absent = join(t, absent)
		}
		t, assumed = absent, a|assumeUnknownKey
	}
	if c.effect != Deny && t == Yes {
		return Maybe, assumed | assumeUnknownKey
	}
	return t, assumed
}

// whenAbsent is the result on a key that is not in the request.
func (c *conditionTest) whenAbsent() (Truth, assumptionSet) {
	o := c.operator
	if len(c.operands) == 0 && o.quantifier == noQuantifier && !o.ifExists {
		return Maybe, assumeEmptyList
	}
	return o.whenAbsent()
}

// whenPresent is the result on a key that is in the request.
func (ev *evaluator) whenPresent(c *conditionTest, v *Value) (Truth, assumptionSet) {
	o := c.operator
	if len(c.operands) == 0 {
		if o.quantifier == noQuantifier && !o.ifExists {
			return Maybe, assumeEmptyList
		}
		if o.quantifier == forAllValues && v.Multi && (!v.Known || len(v.Values) == 0) {
			return Maybe, assumeEmptyList
		}
		return No, 0
	}
	set := v.Multi || v.Known && len(v.Values) != 1
	if set && o.quantifier == noQuantifier {
		// Seen never to match, and not documented: it grants nothing for
		// certain, but may deny.
		if c.effect == Allow {
			return No, assumeScalarOnSet
		}
		return Maybe, assumeScalarOnSet
	}
	if !v.Known {
		return ev.whenValueUnknown(c, *v, set)
	}
	if o.quantifier == noQuantifier {
		return ev.test(c, v.Values[0])
	}
	return ev.testAll(c, v.Values)
}

// testAll applies an operator with a quantifier to values: ForAllValues asks
// for each, ForAnyValue for one.
func (ev *evaluator) testAll(c *conditionTest, values []string) (Truth, assumptionSet) {
	all := c.operator.quantifier == forAllValues
	result, assumed := truthOf(all), assumptionSet(0)
	for _, value := range values {
		t, a := ev.test(c, value)
		if all && value == "" && t != Yes {
			t, a = Maybe, a|assumeEmptyValue // it may be no value at all
		}
		assumed |= a
		if all {
			result = min(result, t)
		} else {
			result = max(result, t)
		}
	}
	return result, assumed
}

func allEmpty(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

// test applies the operator, with its negation, to one value of the request.
func (ev *evaluator) test(c *conditionTest, value string) (Truth, assumptionSet) {
	s := subject{test: c}
	if !s.read(value) {
		// An address that cannot be read fits neither form of the
		// operator; with the others it just equals nothing.
		if c.operator.kind == addressOperator {
			return No, assumeUnreadable
		}
		return truthOf(c.operator.negated), assumeUnreadable
	}
	result, assumed := No, assumptionSet(0)
	var list arnList
	for i := range c.operands {
		t, a := ev.compare(&s, &c.operands[i])
		if c.operator.kind == arnOperator {
			t, a = list.next(t, a)
		}
		assumed |= a
		result = max(result, t)
		if t == Yes && a == 0 {
			assumed = 0 // one value that fits is enough
			break
		}
	}
	if c.operator.negated {
		result = result.not()
	}
	switch {
	case c.operator.kind == arnOperator && !isARN(value) && !ev.standsForARN(c.key):
		return c.onNoARN(result, assumed)
	case s.signed:
		assumed |= assumeSignedEpoch
	case s.respelled:
		assumed |= assumeAddressSpelling
	}
	return result, assumed
}

// subject is a value of the request, read as the operator of a test needs it.
type subject struct {
	test    *conditionTest
	text    glob.Text
	number  decimal
	millis  int64
	bits    []byte
	truth   bool
	address netip.Addr
	plain   string // the value as it was given, where letter case is ignored
	unsure  bool   // a date of which it is not known which
	// signed, respelled: a date or address as AWS does not document it.
	signed, respelled bool
}

// read prepares the value and reports whether the operator can read it.
func (s *subject) read(value string) (ok bool) {
	ok = true
	switch s.test.operator.kind {
	case stringOperator, arnOperator:
		if s.test.operator.fold {
			s.plain, value = value, foldCase(value)
		}
		s.text = glob.TextOf(value)
	case numericOperator:
		s.number, ok = parseDecimal(value)
	case dateOperator:
		var d date
		d, ok = parseDate(value)
		s.millis, s.unsure, s.signed = d.millis, d.unsure, d.signed
	case boolOperator:
		s.truth = strings.EqualFold(value, "true")
	case binaryOperator:
		var err error
		s.bits, err = base64.StdEncoding.DecodeString(value)
		ok = err == nil
	case addressOperator:
		s.address, s.respelled, ok = parseAddress(value)
	case nullOperator, unknownOperator:
	}
	return ok
}

// compare says whether a value of the request stands to one of the policy as
// the operator asks, before negation.
func (ev *evaluator) compare(s *subject, x *operand) (Truth, assumptionSet) {
	if !x.ok {
		return Maybe, 0
	}
	o := &s.test.operator
	switch o.kind {
	case stringOperator, arnOperator:
		return ev.compareText(s, x)
	case numericOperator:
		return truthOf(o.relation.holds(s.number.compare(x.number))), 0
	case dateOperator:
		if s.unsure {
			return Maybe, assumeDateSpelling
		}
		return x.date.compare(o.relation, s.millis)
	case boolOperator:
		return truthOf(s.truth == x.truth), 0
	case binaryOperator:
		return truthOf(string(s.bits) == string(x.bits)), 0
	case addressOperator:
		return x.addresses.contains(s.address)
	case nullOperator, unknownOperator:
	}
	return Maybe, 0
}

// compareText matches a value with a pattern. A variable without a value
// equals nothing.
func (ev *evaluator) compareText(s *subject, x *operand) (Truth, assumptionSet) {
	e := x.pattern.expand(ev.lookup)
	if e.malformed {
		return s.test.onMalformedVariable(e.Match(s.text))
	}
	if e.matchesNothing {
		return No, 0
	}
	if t, a, done := s.test.compareOddARN(&e); done {
		return t, a
	}
	t := truthOf(e.Match(s.text))
	switch {
	case e.approximate && s.test.operator.fold && !ascii(e.Pattern):
		return Maybe, 0 // the letters around a sigma are not all known
	case t == Yes && e.approximate:
		return Maybe, 0
	case s.test.operator.fold && foldsBeyondASCII(s.plain, x.text, t == Yes):
		return t, assumeLetterCase
	}
	return t, 0
}

// onMalformedVariable is the result of a value with a variable that is not spelled as
// AWS documents it, before negation. It may stand for any text; where even that does not
// match, a negated operator must not take the mismatch for a grant.
func (c *conditionTest) onMalformedVariable(matches bool) (Truth, assumptionSet) {
	if matches || c.operator.negated {
		return Maybe, assumeMalformedVariable
	}
	return No, 0
}
