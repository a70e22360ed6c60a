package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/glob"
)

// testHidden applies the operator, with its negation, to one value of which
// only what v says is known.
func (ev *evaluator) testHidden(c *condition, v Value, e effect) (Truth, notes) {
	if len(v.OneOf) > 0 {
		return ev.testOneOf(c, v, e)
	}
	s := subject{effect: e, operator: c.operator}
	result, used := No, notes(0)
	for i := range c.operands {
		t, n := ev.compareHidden(&s, &c.operands[i], v)
		used |= n
		result = max(result, t)
	}
	if !c.operator.negated {
		return result, used
	}
	if c.operator.kind == addressOperator && keyKind(c.key) != addressOperator {
		return Maybe, used // the value may be no address at all
	}
	return result.not(), used
}

func (ev *evaluator) testOneOf(c *condition, v Value, e effect) (Truth, notes) {
	var result Truth
	var used notes
	for i, one := range v.OneOf {
		t, n := ev.test(c, one, e)
		if one == "" && c.operator.quantifier == forAllValues {
			if !v.Multi {
				t = Yes // alone, the empty text is an empty set
			}
			t, n = join(t, Yes), noteEmptyValue
		}
		used |= n
		if i == 0 {
			result = t
		} else {
			result = join(result, t)
		}
	}
	return result, used
}

// compareHidden is compare for a value that is not known.
func (ev *evaluator) compareHidden(s *subject, x *operand, v Value) (Truth, notes) {
	if !x.ok {
		return Maybe, 0
	}
	switch s.operator.kind {
	case addressOperator:
		if v.AWSOwned && x.rng.named() {
			return No, 0
		}
		return Maybe, 0
	case stringOperator, arnOperator:
	case unknownOperator, numericOperator, dateOperator, boolOperator, binaryOperator, nullOperator:
		return Maybe, 0
	}
	ex := x.pattern.expand(ev.lookup)
	if ex.empty {
		return No, 0
	}
	if s.operator.kind == arnOperator {
		if t, n, done := compareOddARN(s, ex); done {
			return t, n
		}
	}
	if v.AWSOwned && names(ex.Tokens, s.operator.kind) {
		return No, 0
	}
	t := Maybe
	switch {
	case len(v.Within) > 0:
		t = covered(ex.Pattern, v.Within)
	case ex.Any():
		t = Yes
	}
	if ex.guess {
		t = min(t, Maybe)
	}
	return t, 0
}

// names reports whether a pattern names somebody: a customer's account or
// identity. An ARN does so by its account field, other text by anything beyond
// wildcards, colons and the prefix that tells the kind of an identity.
func names(tokens []glob.Token, kind operatorKind) bool {
	var b strings.Builder
	for _, t := range tokens {
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
