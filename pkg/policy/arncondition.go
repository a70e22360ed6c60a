package policy

import "strings"

// arnList follows the values of an ARN operator in their order. One that is no ARN was
// seen to end the comparison, so that what follows it matches perhaps.
type arnList struct{ ended bool }

func (l *arnList) next(t Truth, assumed assumptionSet) (Truth, assumptionSet) {
	if l.ended && assumed&assumeMalformedARN == 0 && t != No {
		return Maybe, assumed | assumeMalformedARN
	}
	l.ended = l.ended || assumed&assumeMalformedARN != 0
	return t, assumed
}

// onNoARN is the result of an ARN operator on a request value that is no ARN, from the
// result that comparing the texts would give. It was seen to match no such operator,
// negated or not; AWS documents only that each of six fields is compared.
func (c *conditionTest) onNoARN(compared Truth, assumed assumptionSet) (Truth, assumptionSet) {
	switch {
	case compared == No:
		return No, assumed
	case c.effect == Allow:
		return No, assumed | assumeARNValue
	}
	return Maybe, assumed | assumeARNValue
}

// standsForARN reports whether the value that a key has in the case at hand stands for
// ARNs, whatever it is itself: AWS documents that the key holds nothing else.
func (ev *evaluator) standsForARN(key string) bool { return arnKey(key) && ev.isAssigned(key) }

// isAssigned reports whether the key's value is that of the case at hand.
func (ev *evaluator) isAssigned(key string) bool { return ev.assigned.key == key }

// arnShape matches the texts that are ARNs: "arn", and five more fields of any content.
const arnShape = "arn:*:*:*:*:*"

func isARN(text string) bool {
	return strings.HasPrefix(text, "arn:") && strings.Count(text, ":") >= arnFields
}

// compareOddARN is the result of an ARN operator's value that is no ARN: one
// that never grants and never spares from a Deny, or "*". done is false for
// all other values.
func (c *conditionTest) compareOddARN(e *expansion) (t Truth, assumed assumptionSet, done bool) {
	switch {
	case c.operator.kind != arnOperator:
		return No, 0, false
	case e.notARN && (e.approximate || c.effect == ""):
		return Maybe, assumeMalformedARN, true
	case e.notARN:
		return truthOf((c.effect == Deny) != c.operator.negated), assumeMalformedARN, true
	case !e.approximate && e.Any():
		return Yes, assumeBareStarARN, true
	}
	return No, 0, false
}
