package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy/internal/jsontext"
)

// checkConditions checks the form of a Condition element.
func (v *validator) checkConditions(n *jsontext.Node) {
	if n.Kind != jsontext.Object {
		v.add(msgSyntax)
		return
	}
	v.checkDuplicates(n)
	for _, block := range n.Members {
		switch {
		case emptyUnknownOperator(block):
			v.judge(doubtful, msgConditionType+block.Name, "{}") // the emulator moto takes it, as IAM does
		case parseOperator(block.Name).kind == unknownOperator:
			v.add(msgConditionType + block.Name)
		}
		if block.Value.Kind != jsontext.Object {
			v.add(msgSyntax)
			continue
		}
		v.checkDuplicates(block.Value)
		if block.Value.Duplicate() == "" && sameKeyTwice(block.Value) {
			v.add("Duplicate keys with different case")
		}
		for _, key := range block.Value.Members {
			for _, item := range key.Value.Elements() {
				switch {
				case item.Kind == jsontext.Null && key.Value.Kind == jsontext.Array:
					v.judge(doubtful, msgSyntax, "null in the values of "+key.Name)
				case !scalar(item):
					v.add(msgSyntax)
				}
			}
		}
	}
}

// checkConditionValues checks that each operator can read its values.
func (v *validator) checkConditionValues(s *compiledStatement) {
	for i := range s.conditions {
		c := &s.conditions[i]
		for j := range c.operands {
			g, message := c.operator.gradeOf(&c.operands[j])
			v.judge(g, message, c.operands[j].text)
		}
	}
}

// gradeOf says whether S3 takes a value of the operator, and what it says if not. What
// IAM was seen to take, and S3 was not, is doubtful; so is what Access Analyzer calls an
// error.
func (o operator) gradeOf(x *operand) (g grade, message string) {
	switch o.kind {
	case addressOperator:
		message = msgAddress
	case numericOperator, dateOperator, binaryOperator, nullOperator:
		message = msgConditionValue
	case stringOperator, arnOperator:
		if x.pattern.misspelt() {
			return doubtful, msgVariable
		}
		if x.pattern.pieces == nil && x.pattern.compiled.notARN {
			return doubtful, msgConditionValue
		}
		return accepted, ""
	case boolOperator, unknownOperator:
		return accepted, "" // Bool takes any text
	}
	switch {
	case !x.ok:
		return refused, message
	case o.kind == nullOperator && x.oddWord(), x.addresses.respelled, x.date.unsure, x.date.signed:
		return doubtful, message
	}
	return accepted, ""
}

// checkConditionKeys checks that S3 knows the condition keys, and that each key of S3 can
// be in a request of each action of the statement, on one of its resources.
//
// S3 refuses a key that it does not know, but was seen to store one that begins with
// "aws:" (https://github.com/scality/cloudserver, lib/api/apiUtils/authorization/
// permissionChecks.js). It refuses the statement if a key does not go with one of the
// actions, though it may go with others: so the tests of https://github.com/justincormack/argmin
// say, which were made against AWS, and https://github.com/humanmade/S3-Uploads/issues/239.
// Of actions with wildcards it is not known.
func (v *validator) checkConditionKeys(s *compiledStatement, there resourceLevel) {
	for i := range s.conditions {
		c := &s.conditions[i]
		name := s.src.Conditions[i].Key
		if at := strings.IndexByte(name, ':'); at <= 0 || at == len(name)-1 {
			v.add(msgConditionKey)
			continue
		}
		switch {
		case strings.HasPrefix(c.key, "aws:") || c.known == keyPerhapsNew:
			if c.known != keyKnown {
				v.judge(doubtful, msgConditionKey, name)
			}
		case c.known == keyUnknown:
			v.judge(v.dialect.unlisted, msgConditionKey, name)
		case v.dialect.ownKey(c.key):
			v.checkKeyFits(s, c.key, name, there)
		case crossServiceKey(c.key):
			v.judge(doubtful, msgConditionKey, name)
		default:
			v.judge(v.dialect.unlisted, msgConditionKey, name)
		}
	}
}

// checkKeyFits checks that a key of the service goes with each action of the statement.
func (v *validator) checkKeyFits(s *compiledStatement, key, name string, there resourceLevel) {
	of := v.actionsOf(key)
	if of.every || s.action.not || s.action.malformed {
		return
	}
	if s.resource.not || s.resource.malformed || there == 0 {
		there = bucketLevel | objectLevel | otherLevel
	}
	works := v.dialect.actionsWhere(func(_ string, level resourceLevel) bool { return level&there != 0 })
	for _, text := range s.src.Actions.List {
		scope := v.scope(text)
		switch {
		case scope.grade != accepted || text == "*" || meet(scope.actions, of.actions, works):
		case strings.ContainsAny(text, "*?"):
			v.judge(doubtful, msgConditionFit, name+" with "+text)
		default:
			v.add(msgConditionFit)
		}
	}
}

// keyScope is the actions whose requests may have a key.
type keyScope struct {
	actions actionSet
	every   bool
}

// actionsOf is the scope of a key of the service, looked up once for each line of the table.
func (v *validator) actionsOf(key string) keyScope {
	line := v.dialect.tableName(key)
	scope, known := v.keys[line]
	if !known {
		actions, _ := v.dialect.actionsOfKey(key)
		scope.every = actions == "*"
		scope.actions = v.dialect.actionsWhere(func(name string, _ resourceLevel) bool { return hasField(actions, name) })
		v.keys[line] = scope
	}
	return scope
}
