package policy

import (
	"reflect"
	"slices"
)

// Like reports whether the requests of two Prepared of one document are decided
// alike, whatever their resource is: the statements relate to both in the same way.
// It may miss some that are.
func (p *Prepared) Like(o *Prepared) bool {
	if p == o {
		return true
	}
	return slices.EqualFunc(p.statements, o.statements, func(a, b preparedStatement) bool {
		p.budget.spend(p.costOf(a.match.Index), 1+len(a.conditions)+len(a.entries))
		if a.match != b.match || a.assumed != b.assumed || !slices.EqualFunc(a.entries, b.entries, sameEntry) {
			return false
		}
		return !slices.ContainsFunc(a.conditions, func(c conditionTest) bool { return !p.sameCondition(o, &c) })
	})
}

func sameEntry(a, b preparedEntry) bool {
	return a.matchesNothing == b.matchesNothing && a.approximate == b.approximate && a.notARN == b.notARN &&
		a.misspelt == b.misspelt && (a.matchesNothing || a.Key() == b.Key())
}

// sameCondition reports whether a condition gives the same in every case. One on a
// known key gives one result. One on an unknown key compares the same values with
// the same patterns.
func (p *Prepared) sameCondition(o *Prepared, c *conditionTest) bool {
	v, w := p.ev.value(c.key), o.ev.value(c.key)
	if !v.unknown() && !w.unknown() {
		t, a := p.ev.condition(c)
		u, b := o.ev.condition(c)
		return t == u && a == b
	}
	return reflect.DeepEqual(v, w) && !slices.ContainsFunc(c.operands, func(x operand) bool {
		return len(x.pattern.pieces) > 0 && !reflect.DeepEqual(x.pattern.expand(p.ev.lookup), x.pattern.expand(o.ev.lookup))
	})
}
