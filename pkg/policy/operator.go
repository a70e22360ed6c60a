package policy

import "strings"

// operatorKind is what kind of values an operator compares.
type operatorKind uint8

const (
	unknownOperator operatorKind = iota
	stringOperator
	arnOperator
	numericOperator
	dateOperator
	boolOperator
	binaryOperator
	addressOperator
	nullOperator
)

// relation is how the request's value must stand to the policy's.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// quantifier is the set operator before an operator.
type quantifier uint8

const (
	noQuantifier quantifier = iota
	forAllValues
	forAnyValue
)

// operator is a condition operator, taken apart.
type operator struct {
	kind       operatorKind
	relation   relation
	form       form // of string and ARN operators
	fold       bool
	negated    bool
	quantifier quantifier
	ifExists   bool
}

// parseOperator reads an operator's name. Names are spelled as AWS documents
// them; others are unknown. See "IAM JSON policy elements: Condition
// operators".
func parseOperator(name string) operator {
	var q quantifier
	base := name
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		q, base = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		q, base = forAnyValue, rest
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	o := baseOperator(base)
	if o.kind == nullOperator && ifExists {
		return operator{}
	}
	o.quantifier, o.ifExists = q, ifExists
	return o
}

func baseOperator(name string) operator {
	switch name {
	case "StringEquals":
		return operator{kind: stringOperator}
	case "StringNotEquals":
		return operator{kind: stringOperator, negated: true}
	case "StringEqualsIgnoreCase":
		return operator{kind: stringOperator, fold: true}
	case "StringNotEqualsIgnoreCase":
		return operator{kind: stringOperator, fold: true, negated: true}
	case "StringLike":
		return operator{kind: stringOperator, form: likeForm}
	case "StringNotLike":
		return operator{kind: stringOperator, form: likeForm, negated: true}
	case "ArnEquals", "ArnLike":
		return operator{kind: arnOperator, form: arnForm}
	case "ArnNotEquals", "ArnNotLike":
		return operator{kind: arnOperator, form: arnForm, negated: true}
	case "Bool":
		return operator{kind: boolOperator}
	case "BinaryEquals":
		return operator{kind: binaryOperator}
	case "IpAddress":
		return operator{kind: addressOperator}
	case "NotIpAddress":
		return operator{kind: addressOperator, negated: true}
	case "Null":
		return operator{kind: nullOperator}
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return orderedOperator(numericOperator, rest)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return orderedOperator(dateOperator, rest)
	}
	return operator{}
}

func orderedOperator(kind operatorKind, relationName string) operator {
	switch relationName {
	case "Equals":
		return operator{kind: kind}
	case "NotEquals":
		return operator{kind: kind, negated: true}
	case "LessThan":
		return operator{kind: kind, relation: less}
	case "LessThanEquals":
		return operator{kind: kind, relation: lessOrEqual}
	case "GreaterThan":
		return operator{kind: kind, relation: greater}
	case "GreaterThanEquals":
		return operator{kind: kind, relation: greaterOrEqual}
	}
	return operator{}
}

// holds reports whether a comparison's result (-1, 0, 1) fits the relation.
func (r relation) holds(c int) bool {
	switch r {
	case less:
		return c < 0
	case lessOrEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterOrEqual:
		return c >= 0
	case equal:
	}
	return c == 0
}

// whenAbsent is the result of the operator on a key that is not in the
// request. See "Condition operators: if exists and missing keys".
func (o operator) whenAbsent() (Truth, assumptionSet) {
	switch {
	case o.quantifier == forAnyValue && o.ifExists:
		return No, assumeAnyValueIfExists
	case o.quantifier == forAnyValue:
		return No, 0
	case o.quantifier == forAllValues, o.ifExists, o.negated:
		return Yes, 0
	}
	return No, 0
}
