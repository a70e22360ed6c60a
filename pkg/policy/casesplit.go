package policy

import (
	"fmt"
	"slices"
)

// An undetermined request is decided by cases. A case is one value for each
// unknown key. What three-valued logic calls undetermined may be certain all the
// same. "Allow if X = a" and "Allow if X ≠ a" are Maybe each, but one of them
// holds:
//
//	X           Allow if X = a   Allow if X ≠ a   together
//	not known   maybe            maybe            undetermined
//	  absent    no               yes              allowed      ┐
//	  "a"       yes              no               allowed      ├ in each case: allowed
//	  "b"       no               yes              allowed      ┘
//
// The cases of many keys are too many to be tried one after another. But the
// conditions of a statement are a conjunction, and each asks for one key only. So
// the cases in which a statement matches are a box: for each key a set of values,
// and every combination of them. Whether a statement matches in some case, or in
// each, is answered key by key. Only three questions are about several statements,
// and all are of one form: do these boxes cover that region? (see cover.go)
//
//	explicitly denied in every case     the Denies cover everything
//	allowed in every case               no Deny matches in any case; the Allows cover everything
//	denied in every case, either way    the Denies cover what each Allow allows
//
// The answer is right because no case is left out:
//
//   - Whatever a key may hold is alike to one of the values that stand for it, for
//     every condition that is looked at (see equivalence classes, in classes.go).
//     The other way round there may be cases that no request has, where two keys
//     depend on one another. They can make an answer undetermined, but never wrong.
//   - Where the classes cannot be worked out, or are too many, the value "not
//     known" stands for those that were not found. On it a condition is Maybe if it
//     is not certain, which is right for each value that it stands for.
//   - A condition that compares with a variable of unknown value gives in each case
//     what it gives on unknown keys. So does a Resource with such a variable.

// maxValues is how many values of one key are told apart, and maxSetClasses how
// many classes, whose subsets are the values of a key with several values.
const (
	maxValues     = 256
	maxSetClasses = 4
)

// cell is what conditions of one statement, a conjunction, give in one case.
type cell struct {
	truth Truth
	// certainNo: one of them does not hold, without any assumption.
	certainNo bool
	// The assumptions of those that do not hold, and of those that do or may.
	assumedNo, assumed assumptionSet
}

// cellOf tests conditions on the values that are assigned.
func (p *Prepared) cellOf(statement int, tests []*conditionTest) cell {
	c := cell{truth: Yes}
	for _, test := range tests {
		p.budget.spend(p.costOf(statement), 1+len(test.operands))
		t, a := p.ev.condition(test)
		c.truth = min(c.truth, t)
		switch {
		case t != No:
			c.assumed |= a
		case a == 0:
			c.certainNo = true
		default:
			c.assumedNo |= a
		}
	}
	return c
}

// statementCases is what the conditions of one statement give, by itself, in
// all cases.
type statementCases struct {
	tests map[string][]*conditionTest // those that depend on an unknown key, by the key
	keys  []string                    // of tests, in the order of the statement
	// truth is what holds in every case, and yes says that they hold for certain
	// in some case.
	truth   Truth
	yes     bool
	assumed assumptionSet // in any case
	tooMany bool          // a key has more values than are told apart
}

// casesOf looks at the conditions of a statement in all cases.
func (p *Prepared) casesOf(statement int) *statementCases {
	s := &p.statements[statement]
	if s.cases != nil {
		return s.cases
	}
	out := &statementCases{tests: map[string][]*conditionTest{}}
	s.cases = out
	if s.malformedCondition {
		out.truth = Maybe
		return out
	}
	var fixed []*conditionTest // the same in each case
	for i := range s.conditions {
		c := &s.conditions[i]
		switch v := p.ev.value(c.key); {
		case !v.unknown(), len(v.OneOf) == 0 && p.comparesUnknown(c):
			fixed = append(fixed, c)
		default:
			if out.tests[c.key] == nil {
				out.keys = append(out.keys, c.key)
			}
			out.tests[c.key] = append(out.tests[c.key], c)
		}
	}
	same := p.cellOf(statement, fixed)
	if s.emptyOperator {
		same.truth, same.assumed = min(same.truth, Maybe), same.assumed|assumeEmptyOperator
	}
	columns := [][]cell{{same}}
	for _, key := range out.keys {
		t := p.table(key, []int{statement})
		out.tooMany = out.tooMany || t.tooMany
		columns = append(columns, t.cells[statement])
	}
	out.join(columns)
	return out
}

// comparesUnknown reports whether a condition compares with a variable whose
// value is not known, or which is malformed, so that the key's classes cannot be
// worked out with it.
func (p *Prepared) comparesUnknown(c *conditionTest) (unknown bool) {
	for i := range c.operands {
		x := &c.operands[i].pattern
		x.variables(func(key, _ string) { unknown = unknown || p.ev.value(key).unknown() })
		unknown = unknown || x.misspelt()
	}
	return unknown
}

// join puts together what independent conjunctions give: in each column the
// cells of one, any of which may come with any of the others'.
func (c *statementCases) join(columns [][]cell) {
	always, never := true, false // holds for certain
	c.yes = true
	noneFails, oneMay := 0, 0 // columns with a cell that is not certainly No, and that is not No
	for _, column := range columns {
		has := func(f func(cell) bool) bool { return slices.ContainsFunc(column, f) }
		always = always && !has(func(x cell) bool { return x.truth != Yes })
		never = never || !has(func(x cell) bool { return x.truth != No })
		c.yes = c.yes && has(func(x cell) bool { return x.truth == Yes })
		if has(func(x cell) bool { return !x.certainNo }) {
			noneFails++
		}
		if has(func(x cell) bool { return x.truth != No }) {
			oneMay++
		}
	}
	switch {
	case never:
		c.truth = No
	case always:
		c.truth = Yes
	default:
		c.truth = Maybe
	}
	// One condition that certainly does not hold settles the conjunction without
	// an assumption. So an assumption counts where the others can come without one.
	for _, column := range columns {
		others := noneFails == len(columns)
		for _, x := range column {
			switch {
			case x.truth != No && oneMay == len(columns):
				c.assumed |= x.assumed
			case x.truth == No && !x.certainNo && others:
				c.assumed |= x.assumedNo
			}
		}
	}
}

// caseTable is what the conditions of some statements on one unknown key give
// for each of the values that stand for all that the key may hold.
type caseTable struct {
	values  []Value
	cells   map[int][]cell // by statement, for each value
	tooMany bool           // not all values are told apart, for their number
}

// table works out the values of a key that the conditions of the statements tell
// apart, and what they give for each.
func (p *Prepared) table(key string, statements []int) *caseTable {
	name := fmt.Sprint(key, statements)
	if t := p.tables[name]; t != nil {
		return t
	}
	var tests []*conditionTest
	for _, i := range statements {
		tests = append(tests, p.casesOf(i).tests[key]...)
	}
	t := &caseTable{}
	if p.tables == nil {
		p.tables = map[string]*caseTable{}
	}
	p.tables[name] = t
	var complete bool
	t.values, complete, t.tooMany = p.splitValues(key, tests, p.costOf(statements[0]))
	if !complete {
		if len(statements) > 1 {
			t.values = append(t.values, p.pool(key, statements)...)
		}
		t.values = append(t.values, p.ev.value(key))
	}
	p.fill(t, key, statements)
	return t
}

// fill works out the cells of a table.
func (p *Prepared) fill(t *caseTable, key string, statements []int) {
	t.cells = map[int][]cell{}
	for _, i := range statements {
		for _, v := range t.values {
			p.ev.assigned = assignment{key, v}
			t.cells[i] = append(t.cells[i], p.cellOf(i, p.casesOf(i).tests[key]))
		}
	}
	p.ev.assigned = assignment{}
}

// pooled is a table of values that need not stand for all that the key may hold:
// those that the statements tell apart, each by itself. It takes no search. A case
// of these values is a case; what is so in it is not so in none.
func (p *Prepared) pooled(key string, statements []int) *caseTable {
	if len(statements) == 1 {
		return p.table(key, statements)
	}
	t := &caseTable{values: p.pool(key, statements)}
	if len(t.values) == 0 {
		t.values = []Value{p.ev.value(key)}
	}
	p.fill(t, key, statements)
	return t
}

func (p *Prepared) pool(key string, statements []int) []Value {
	var out []Value
	seen := map[string]bool{}
	for _, i := range statements {
		for _, v := range p.table(key, []int{i}).values {
			name := fmt.Sprintf("%d %q", v.State, v.Values)
			if !v.unknown() && !seen[name] && len(out) < maxValues {
				seen[name] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// splitValues returns values that stand for everything a key may hold, as far
// as the tests can tell: its absence if that is possible, and a value of each
// equivalence class. Where the classes cannot be worked out, or are too many, it
// is not complete: the values are some of those.
func (p *Prepared) splitValues(key string, tests []*conditionTest, statement int) (out []Value, complete, tooMany bool) {
	v := p.ev.value(key)
	if v.State == Either {
		out = append(out, Value{})
	}
	if v.Known { // there with these values, or absent
		return append(out, Value{State: Present, Known: true, Multi: v.Multi, Values: v.Values}), true, false
	}
	texts, complete, tooMany := p.ev.classes(key, tests, v, statement)
	if len(texts) > maxValues {
		texts, complete, tooMany = texts[:maxValues], false, true
	}
	if !v.Multi {
		for _, t := range texts {
			out = append(out, Is(t))
		}
		return out, complete, tooMany
	}
	// To ForAllValues and ForAnyValue two sets are alike if they have values of
	// the same classes. So the subsets of the classes stand for all sets.
	if len(texts) > maxSetClasses {
		for _, t := range texts {
			out = append(out, Set(append(slices.Clone(v.Includes), t)...))
		}
		return out, false, true
	}
	if len(texts) == 0 {
		return out, false, tooMany
	}
	for subset := range 1 << len(texts) {
		set := Set(slices.Clone(v.Includes)...)
		for i, t := range texts {
			if subset&(1<<i) != 0 {
				set.Values = append(set.Values, t)
			}
		}
		if len(set.Values) > 0 || !v.AtLeastOne {
			out = append(out, set)
		}
	}
	return out, complete, tooMany
}

// byCases decides an undetermined request by cases. What the conditions of the
// open statements give in all cases is written into its matches.
func (p *Prepared) byCases(out *Decision, assumed assumptionSet) (verdict, assumptionSet) {
	tooMany := false
	for _, i := range openStatements(out.Matches) {
		c := p.casesOf(i)
		out.Matches[i].Condition = c.truth
		assumed |= c.assumed
		tooMany = tooMany || c.tooMany && c.truth == Maybe
	}
	v := p.document.verdict(out.Matches)
	// Of the statements that may match those that do for certain in some case, or
	// in all, and of which only the conditions leave it open.
	var denies, allows, mayAllow []int
	mayDeny, allowed := false, false
	for i, m := range out.Matches {
		if m.Truth() == No {
			continue
		}
		effect := p.statements[i].effect
		sure := min(m.Principal, m.Action, m.Resource) == Yes && p.casesOf(i).yes
		if effect != Allow {
			mayDeny = true
			if sure && effect == Deny {
				denies = append(denies, i)
			}
		}
		if effect != Deny {
			mayAllow = append(mayAllow, i)
			allowed = allowed || m.Truth() == Yes
			if sure && effect == Allow {
				allows = append(allows, i)
			}
		}
	}
	if v.outcome == Undetermined {
		q := coverage{p: p}
		switch {
		case q.everything(denies):
			v = verdict{ExplicitDeny, true}
		case mayDeny:
			v.denied = !allowed && !slices.ContainsFunc(mayAllow, func(i int) bool { return !q.allOf(i, denies) })
		case q.everything(allows):
			v = verdict{outcome: Allowed}
		}
		out.Bounded = v.outcome == Undetermined && (tooMany || q.cut)
	}
	switch v.outcome {
	case ExplicitDeny:
		out.Responsible = denies
	case Allowed:
		out.Responsible = allows
	case ImplicitDeny, Undetermined, Invalid:
	}
	return v, assumed
}
