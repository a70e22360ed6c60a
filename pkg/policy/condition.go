package policy

import (
	"encoding/base64"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// condition says whether one condition of a statement holds.
func (ev *evaluator) condition(c *condition, e effect) (Truth, notes) {
	if c.doubt {
		return Maybe, 0
	}
	v := ev.value(c.key)
	if c.operator.kind == nullOperator {
		return c.null(v)
	}
	absent, absentNotes := c.whenAbsent()
	if v.State == Absent {
		return absent, absentNotes
	}
	present, presentNotes := ev.whenPresent(c, v, e)
	if v.State == Present {
		return present, presentNotes
	}
	return join(absent, present), absentNotes | presentNotes
}

// whenAbsent is the result on a key that is not in the request.
func (c *condition) whenAbsent() (Truth, notes) {
	o := c.operator
	if len(c.operands) == 0 && o.quantifier == noQuantifier && !o.ifExists {
		return Maybe, noteEmptyList
	}
	return o.whenAbsent()
}

// null is the result of a Null condition: whether the key's presence is as
// asked for.
func (c *condition) null(v Value) (Truth, notes) {
	if len(c.operands) == 0 {
		return Maybe, noteEmptyList
	}
	result := No
	for i := range c.operands {
		x := &c.operands[i]
		t := Maybe
		if x.ok && v.State != Either {
			t = truthOf(x.truth == (v.State == Absent))
		}
		if x.ok && x.truth != c.operands[0].truth && c.operands[0].ok {
			return Yes, 0 // "true" and "false" are both listed
		}
		result = max(result, t)
	}
	if v.State != Absent && v.Known && len(v.Values) == 1 && v.Values[0] == "" {
		return result, noteEmptyValue
	}
	return result, 0
}

// whenPresent is the result on a key that is in the request.
func (ev *evaluator) whenPresent(c *condition, v Value, e effect) (Truth, notes) {
	o := c.operator
	if len(c.operands) == 0 {
		if o.quantifier == noQuantifier && !o.ifExists {
			return Maybe, noteEmptyList
		}
		if o.quantifier == forAllValues && v.Multi && (!v.Known || len(v.Values) == 0) {
			return Maybe, noteEmptyList
		}
		return No, 0
	}
	set := v.Multi || v.Known && len(v.Values) != 1
	if set && o.quantifier == noQuantifier {
		// Seen never to match, and not documented: it grants nothing for
		// certain, but may deny.
		if e == allowEffect {
			return No, noteScalarOnSet
		}
		return Maybe, noteScalarOnSet
	}
	if !v.Known {
		return ev.whenHidden(c, v, set, e)
	}
	if o.quantifier == forAllValues && allEmpty(v.Values) {
		if len(v.Values) == 0 {
			return Yes, 0
		}
		return Yes, noteEmptyValue
	}
	result, used := truthOf(o.quantifier == forAllValues), notes(0)
	if o.quantifier == noQuantifier {
		return ev.test(c, v.Values[0], e)
	}
	for _, one := range v.Values {
		t, n := ev.test(c, one, e)
		used |= n
		if o.quantifier == forAllValues {
			result = min(result, t)
		} else {
			result = max(result, t)
		}
	}
	return result, used
}

func allEmpty(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

// whenHidden is the result on a key that is present with a value, or a set of
// values, that is not known.
func (ev *evaluator) whenHidden(c *condition, v Value, set bool, e effect) (Truth, notes) {
	one, used := ev.testHidden(c, v, e)
	switch {
	case c.operator.quantifier == forAllValues && (set || len(v.OneOf) == 0):
		all, n := Yes, notes(0) // no other values, or an empty one
		for _, value := range v.Includes {
			t, m := ev.test(c, value, e)
			all, n = min(all, t), n|m
		}
		return join(all, min(all, one)), used | n
	case set:
		some, n := No, notes(0)
		for _, value := range v.Includes {
			t, m := ev.test(c, value, e)
			some, n = max(some, t), n|m
		}
		return join(some, max(some, one)), used | n
	}
	return one, used
}

// test applies the operator, with its negation, to one value of the request.
func (ev *evaluator) test(c *condition, value string, e effect) (Truth, notes) {
	s := subject{text: value, effect: e, operator: c.operator}
	if !s.read() {
		// An address that cannot be read fits neither form of the
		// operator; with the others it just equals nothing.
		if c.operator.kind == addressOperator {
			return No, noteUnreadable
		}
		return truthOf(c.operator.negated), noteUnreadable
	}
	result, used := No, notes(0)
	for i := range c.operands {
		t, n := ev.compare(&s, &c.operands[i])
		used |= n
		result = max(result, t)
		if result == Yes && n == 0 {
			used = 0
			break
		}
	}
	if c.operator.negated {
		result = result.not()
	}
	return result, used
}

// subject is a value of the request, read as an operator needs it.
type subject struct {
	text     string
	chars    glob.Text // the same, for string and ARN operators
	effect   effect
	operator operator
	operand  operand
}

// read prepares the value and reports whether the operator can read it.
func (s *subject) read() bool {
	switch s.operator.kind {
	case stringOperator, arnOperator:
		if s.operator.fold {
			s.text = foldCase(s.text)
		}
		s.chars = glob.TextOf(s.text)
		return true
	case numericOperator:
		var ok bool
		s.operand.number, ok = parseDecimal(s.text)
		return ok
	case dateOperator:
		var ok bool
		s.operand.millis, _, _, ok = parseDate(s.text)
		return ok
	case boolOperator:
		s.operand.truth = strings.EqualFold(s.text, "true")
	case binaryOperator:
		var err error
		s.operand.bits, err = base64.StdEncoding.DecodeString(s.text)
		return err == nil
	case addressOperator:
		_, ok := parseAddress(s.text)
		return ok
	case nullOperator, unknownOperator:
	}
	return true
}

// compare says whether a value of the request stands to one of the policy as
// the operator asks, before negation.
func (ev *evaluator) compare(s *subject, x *operand) (Truth, notes) {
	if !x.ok {
		return Maybe, 0
	}
	switch s.operator.kind {
	case stringOperator, arnOperator:
		return ev.compareText(s, &x.pattern)
	case numericOperator:
		return truthOf(s.operator.relation.holds(s.operand.number.compare(x.number))), 0
	case dateOperator:
		return compareDate(s.operator.relation, s.operand.millis, x)
	case boolOperator:
		return truthOf(s.operand.truth == x.truth), 0
	case binaryOperator:
		return truthOf(string(s.operand.bits) == string(x.bits)), 0
	case addressOperator:
		a, _ := parseAddress(s.text)
		return x.rng.contains(a)
	case nullOperator, unknownOperator:
	}
	return Maybe, 0
}

// compareText matches a value with a pattern. A variable without a value
// equals nothing.
func (ev *evaluator) compareText(s *subject, p *pattern) (Truth, notes) {
	e := p.expand(ev.lookup)
	if e.empty {
		return No, 0
	}
	if p.form == arnForm {
		if t, n, done := compareOddARN(s, e); done {
			return t, n
		}
	}
	switch {
	case !e.Match(s.chars):
		return No, 0
	case e.guess:
		return Maybe, 0
	}
	return Yes, 0
}

// compareOddARN is the result of an ARN operator's value that is no ARN: one
// that never grants and never spares from a Deny, or "*".
func compareOddARN(s *subject, e expansion) (t Truth, n notes, done bool) {
	switch {
	case e.notARN && (e.guess || s.effect == unknownEffect):
		return Maybe, noteMalformedARN, true
	case e.notARN:
		return truthOf((s.effect == denyEffect) != s.operator.negated), noteMalformedARN, true
	case !e.guess && e.Any():
		return Yes, noteBareStarARN, true
	}
	return No, 0, false
}

func compareDate(r relation, at int64, x *operand) (Truth, notes) {
	result := truthOf(r.holds(compareInt(at, x.millis)))
	if !x.two {
		return result, 0
	}
	if second := truthOf(r.holds(compareInt(at, x.other))); second != result {
		return Maybe, noteYearOrEpoch
	}
	return result, 0
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
