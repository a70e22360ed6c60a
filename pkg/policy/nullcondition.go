package policy

import "slices"

// null is the result of a Null condition: whether the key's presence is as
// asked for.
func (ev *evaluator) null(c *conditionTest, v *Value) (Truth, assumptionSet) {
	if len(c.operands) == 0 {
		return Maybe, assumeEmptyList
	}
	asksAbsent, asksPresent, assumed := false, false, assumptionSet(0)
	for i := range c.operands {
		asksAbsent = asksAbsent || c.operands[i].truth
		asksPresent = asksPresent || !c.operands[i].truth
		if c.operands[i].oddWord() {
			assumed |= assumeNullWord
		}
	}
	if c.operator.quantifier != noQuantifier {
		t, a := nullOfSet(c.operator.quantifier, asksPresent, v.State)
		return t, a | assumed
	}
	switch {
	case asksAbsent && asksPresent:
		return Yes, assumed
	case v.mayBeEmpty() && !inEveryRequest(c.key) && !ev.standsForOthers(c.key):
		return Maybe, assumed | assumeEmptyValue
	case v.State == Either:
		return Maybe, assumed
	}
	return truthOf(asksAbsent == (v.State == Absent)), assumed
}

// nullOfSet is the result of a Null condition with a quantifier. Access Analyzer says
// that it is always true with ForAllValues and always false with ForAnyValue. The
// policy simulator gave the same for a key that is not there; of one that is there, it
// took each value for one that is not null.
//
// Source of what the simulator gave: tests of the project Principal Mapper that were
// "validated against the Simulator API", tests/test_local_policy_simulation.py,
// https://github.com/nccgroup/PMapper.
func nullOfSet(q quantifier, asksPresent bool, state State) (Truth, assumptionSet) {
	switch {
	case q == forAllValues && asksPresent:
		return Yes, 0
	case q == forAnyValue && !asksPresent:
		return No, 0
	case state == Absent:
		return truthOf(q == forAllValues), 0
	}
	return Maybe, assumeNullOfSet
}

// standsForOthers reports whether the value that a key has in the case at hand stands for
// others, of which it is not known that one is empty.
func (ev *evaluator) standsForOthers(key string) bool {
	v := ev.request.Context.Lookup(key)
	return ev.isAssigned(key) && !v.mayBeEmpty()
}

// mayBeEmpty reports whether the key may be there with nothing but an empty text. A
// value that is not known is taken not to be empty.
func (v *Value) mayBeEmpty() bool {
	if v.State == Absent {
		return false
	}
	return v.Known && len(v.Values) > 0 && allEmpty(v.Values) || !v.Known && allEmpty(v.Includes) && slices.Contains(v.OneOf, "")
}
