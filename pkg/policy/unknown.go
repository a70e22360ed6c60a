package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
)

// A key of the request is unknown if it is not certain whether it is there, or
// which value it has. This file says what one condition gives on such a value,
// by itself: Yes or No where that is certain whatever the value is, else Maybe.
// Several conditions are looked at together by the case split, in casesplit.go.

// whenValueUnknown is the result on a key that is present with a value, or a
// set of values, that is not known.
//
// A set holds the values of v.Includes for certain, and perhaps others. So the
// result is one of two: that of the included values alone, or that with others
// beside them, each of which gives what testUnknown says. With v.AtLeastOne
// there is one beside them, and the result is the second.
func (ev *evaluator) whenValueUnknown(c *conditionTest, v Value, set bool) (Truth, assumptionSet) {
	one, assumed := ev.testUnknown(c, v)
	switch {
	case c.operator.quantifier == forAllValues && (set || len(v.OneOf) == 0):
		all, a := ev.testAll(c, v.Includes) // there are no others, or one is empty
		if v.AtLeastOne {
			return min(all, one), assumed | a
		}
		return join(all, min(all, one)), assumed | a
	case set:
		some, a := ev.testAll(c, v.Includes)
		if v.AtLeastOne {
			return max(some, one), assumed | a
		}
		return join(some, max(some, one)), assumed | a
	}
	return one, assumed
}

// testUnknown applies the operator, with its negation, to one value of which
// only what v says is known.
//
// Each operand is asked by itself, and the greatest answer taken. That is sound
// and not exact: of the operands "" and "?*" one matches whatever the value is,
// but each by itself may match or not, and Maybe is all that comes of it. The
// case split finds out.
func (ev *evaluator) testUnknown(c *conditionTest, v Value) (Truth, assumptionSet) {
	if len(v.OneOf) > 0 {
		return ev.testOneOf(c, v)
	}
	result, assumed := No, assumptionSet(0)
	var list arnList
	for i := range c.operands {
		t, a := list.next(ev.compareUnknown(c, &c.operands[i], v))
		assumed |= a
		result = max(result, t)
	}
	if c.operator.negated {
		result = result.not()
	}
	switch kind := c.operator.kind; {
	case kind == addressOperator && c.operator.negated && keyKind(c.key) != addressOperator:
		return Maybe, assumed // the value may be no address at all
	case kind == arnOperator && result == Yes && !arnKey(c.key):
		return Maybe, assumed | assumeARNValue // it may be no ARN
	}
	return result, assumed
}

// testOneOf is testUnknown for a value that is one of some.
func (ev *evaluator) testOneOf(c *conditionTest, v Value) (Truth, assumptionSet) {
	var result Truth
	var assumed assumptionSet
	for i, one := range v.OneOf {
		t, a := ev.test(c, one)
		if one == "" && c.operator.quantifier == forAllValues {
			t, a = join(t, Yes), a|assumeEmptyValue // it may be no value at all
		}
		assumed |= a
		if i == 0 {
			result = t
		} else {
			result = join(result, t)
		}
	}
	return result, assumed
}

// compareUnknown is compare for a value of which only what v says is known. Of
// numbers, dates and binary values nothing is ever known but OneOf. Of texts and
// addresses it may be known that they are AWS's own, and of texts that they are
// strings of key sets.
func (ev *evaluator) compareUnknown(c *conditionTest, x *operand, v Value) (Truth, assumptionSet) {
	if !x.ok {
		return Maybe, 0
	}
	switch c.operator.kind {
	case addressOperator:
		if v.AWSOwned && x.addresses.namesSomebody() {
			return No, 0
		}
		return Maybe, 0
	case stringOperator, arnOperator:
	case unknownOperator, numericOperator, dateOperator, boolOperator, binaryOperator, nullOperator:
		return Maybe, 0
	}
	e := x.pattern.expand(ev.lookup)
	if e.malformed {
		return c.onMalformedVariable(true)
	}
	if e.matchesNothing {
		return No, 0
	}
	if t, a, done := c.compareOddARN(&e); done {
		return t, a
	}
	if v.AWSOwned && namesSomebody(e.Pattern, c.operator.kind) || v.excludes(e.Pattern) {
		return No, 0
	}
	t := Maybe
	switch {
	case len(v.Within) > 0:
		t = ev.matchesWithin(e.Pattern, v.Within)
	case e.Any():
		t = Yes
	}
	if e.approximate {
		// What the approximation does not match, the pattern does not either.
		t = min(t, Maybe)
	}
	return t, 0
}

// matchesWithin says whether a pattern matches a value that is a string of one
// of the sets.
func (ev *evaluator) matchesWithin(p glob.Pattern, within []glob.KeySet) Truth {
	switch p.Covers(ev.limits(nobody), within...) {
	case glob.All:
		return Yes
	case glob.None:
		return No
	case glob.Some:
	}
	return Maybe
}

// namesSomebody reports whether a pattern names a customer's account or
// identity, so that it matches no value of AWS's own. An ARN does so by its
// account field, other text by anything beyond wildcards, colons and the prefix
// that tells the kind of an identity.
// Source: "IAM identifiers", reference_identifiers.html.
func namesSomebody(p glob.Pattern, kind operatorKind) bool {
	var b strings.Builder
	for _, t := range p.Tokens {
		if t.Op == glob.Literal {
			b.WriteString(string(t.Text))
		} else {
			b.WriteByte('*')
		}
	}
	text := b.String()
	if kind == arnOperator || strings.HasPrefix(text, "arn:") {
		account := string(arn.Split(text).Account)
		return account != "" && !strings.Contains(account, "*")
	}
	text = strings.NewReplacer("*", "", ":", "").Replace(text)
	switch strings.ToUpper(text) {
	case "", "AROA", "AIDA", "ASIA", "AKIA", "AGPA", "ANPA", "ANVA", "AIPA", "APKA", "ABIA", "ACCA", "ASCA":
		return false
	}
	return true
}
