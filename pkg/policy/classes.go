package policy

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// The equivalence classes of an unknown key's values, for the case split: two
// values are alike if each condition on the key gives the same for both. The
// conditions compare the value with operands that are written in the policy, so
// the operands cut the values into classes, and one value of each class stands
// for all of them.
//
// What is needed for the split to be right is that no class is without a value.
// Two values of the same class do no harm but take time. So each function below
// says why its values meet every class; where it cannot, it gives none, and the
// key stays unknown.

// classes returns a value of each class that the conditions on a key tell apart
// among the values that v allows. Where it is not complete, there may be others:
// it cannot be told, or there are too many.
func (ev *evaluator) classes(key string, tests []*conditionTest, v Value, statement int) (values []string, complete, tooMany bool) {
	switch {
	case len(v.OneOf) > 0:
		return v.OneOf, true, false // that is all there are
	case len(v.Within) == 0 && keyKind(key) == boolOperator:
		return []string{"true", "false"}, true, false
	}
	kind, ok := commonKind(key, tests)
	if !ok || len(v.Within) > 0 && kind != stringOperator {
		return nil, false, false // numbers and so on are not picked from key sets
	}
	switch kind {
	case stringOperator, nullOperator:
		return ev.textClasses(tests, v, statement)
	case numericOperator:
		values, complete = numberClasses(tests)
	case dateOperator:
		values, complete = dateClasses(tests)
	case addressOperator:
		values, complete = addressClasses(tests, v.AWSOwned), true
	case binaryOperator:
		values, complete = binaryClasses(tests), true
	case arnOperator, boolOperator, unknownOperator:
		return nil, false, false
	}
	if keyKind(key) != kind {
		// A key that is not of this kind for certain may hold texts that the
		// operators cannot read. All such texts are alike to them, but for the
		// empty one, which ForAllValues takes for an empty set.
		values = append(values, "", "?")
	}
	return values, complete, false
}

// commonKind is the kind of all the conditions. Classes are worked out in one
// kind only: to numbers "1" and "1.0" are alike, to strings they are not, so
// that neither the classes of the numbers nor those of the strings would do for
// both. Strings, ARNs and booleans are one kind, being decided by patterns; Null
// goes with any, since it asks for presence alone, and all values are alike to
// it. Where Null stands alone, the key's own kind is taken.
func commonKind(key string, tests []*conditionTest) (kind operatorKind, ok bool) {
	kind = nullOperator
	for _, c := range tests {
		k := c.operator.kind
		switch k {
		case nullOperator:
			continue
		case arnOperator, boolOperator:
			k = stringOperator
		case stringOperator, numericOperator, dateOperator, binaryOperator, addressOperator:
		case unknownOperator:
			return k, false
		}
		if kind != nullOperator && k != kind {
			return k, false
		}
		kind = k
	}
	typed := keyKind(key)
	if kind == nullOperator && typed != unknownOperator && typed != boolOperator {
		return typed, true
	}
	return kind, true
}

// textClasses returns one text for each way in which the conditions tell texts
// apart. What a condition gives on a text depends only on whether some of its
// patterns matches; of an ARN operator, some of those before a value that is no ARN,
// and some of those behind it (see arnList). Package glob finds a text for each
// combination that a text can have: among those of v.Within, or among all texts.
//
// A value of AWS's own is matched by no pattern that names somebody, nor any value by one that
// names what it is not, so that classes which such a pattern matches are left out. What remains may be too
// much, never too little.
func (ev *evaluator) textClasses(tests []*conditionTest, v Value, statement int) (values []string, complete, tooMany bool) {
	unions, naming, ok := ev.textUnions(tests, v)
	if !ok {
		return nil, false, false
	}
	within := v.Within
	if len(within) == 0 {
		if values, ok := literalClasses(unions[:len(unions)-1], naming); ok {
			ev.budget.spend(statement, 20+10*len(values))
			return values, true, false
		}
		everything, ok := glob.Everything(unions)
		if !ok {
			return nil, false, false
		}
		within = []glob.KeySet{everything}
	}
	limits := ev.limits(statement)
	if limits.Steps == 0 {
		return nil, false, true
	}
	found, complete := glob.Classes(unions, limits, within...)
	for _, class := range found {
		if !class.Matches[len(unions)-1] {
			values = append(values, class.Text)
		}
	}
	return values, complete, !complete
}

// textUnions are the unions of patterns by which the conditions tell texts apart. The last
// one, naming, matches no value that v allows. Ok is false if they cannot be worked out.
func (ev *evaluator) textUnions(tests []*conditionTest, v Value) (unions []glob.Union, naming glob.Union, ok bool) {
	shaped, fold := false, false
	for _, c := range tests {
		fold = fold || c.operator.fold
		if c.operator.kind == arnOperator && !shaped && !arnKey(c.key) {
			shaped = true // ARN operators tell ARNs from other texts
			unions = append(unions, glob.Union{glob.Parse(arnShape)})
		}
		var union glob.Union
		for i := range c.operands {
			p, tells, ok := ev.classPattern(c, &c.operands[i])
			switch {
			case !ok:
				return nil, nil, false
			case c.operator.kind == arnOperator && (!tells || p.Any()):
				unions, union = append(unions, union), nil
			case !tells:
			case v.AWSOwned && c.operator.kind != boolOperator && namesSomebody(p, c.operator.kind), v.excludes(p):
				naming = append(naming, p)
			default:
				union = append(union, p)
			}
		}
		unions = append(unions, union)
		if c.operator.quantifier == forAllValues {
			unions = append(unions, glob.Union{glob.Exact("")}) // the empty text is an empty set
		}
	}
	unions = append(unions, naming)
	if fold && slices.ContainsFunc(unions, func(u glob.Union) bool { return slices.ContainsFunc(u, func(p glob.Pattern) bool { return !ascii(p) }) }) {
		return nil, nil, false // the automata do not know that the Kelvin sign is a "k"
	}
	return unions, naming, true
}

// literalClasses is textClasses for patterns without wildcards, which are most: a text
// for each group of unions that name one, and a text that none names. Ok is false if
// there are wildcards.
func literalClasses(unions []glob.Union, without glob.Union) (values []string, ok bool) {
	named := map[string]string{} // by text, the unions that name it
	var texts []string
	for i, u := range append(unions, without) {
		union := strconv.Itoa(i) + " "
		for _, p := range u {
			text, literal := p.Literal()
			if !literal || strings.Contains(text, "\xED") { // it may hold half a character, see [glob.Everything]
				return nil, false
			}
			if named[text] == "" {
				texts = append(texts, text)
			}
			if !strings.HasSuffix(named[text], union) {
				named[text] += union
			}
		}
	}
	seen := map[string]bool{}
	for _, text := range texts {
		if by := named[text]; !seen[by] && !strings.HasSuffix(by, strconv.Itoa(len(unions))+" ") {
			seen[by] = true
			values = append(values, text)
		}
	}
	other := "x"
	for named[other] != "" {
		other += "x"
	}
	return append(values, other), true
}

// classPattern is the pattern by which an operand tells texts apart. tells is
// false if it does not: it matches nothing, or its result does not depend on the
// text. ok is false if its matches cannot be worked out: a variable's value is
// not known, or letter case is to be ignored beyond ASCII, where the automata do
// not know it.
func (ev *evaluator) classPattern(c *conditionTest, x *operand) (p glob.Pattern, tells, ok bool) {
	switch c.operator.kind {
	case nullOperator:
		return glob.Pattern{}, false, true
	case boolOperator:
		// A text is "true", in any letter case, or counts as false.
		return glob.Pattern{Tokens: []glob.Token{literal("true")}, Fold: true}, true, true
	case stringOperator, arnOperator:
	case unknownOperator, numericOperator, dateOperator, binaryOperator, addressOperator:
		return glob.Pattern{}, false, false
	}
	e := x.pattern.expand(ev.lookup)
	if e.approximate || c.operator.fold && !ascii(e.Pattern) {
		return glob.Pattern{}, false, false
	}
	return e.Pattern, !e.matchesNothing && !e.notARN, true
}

// ascii reports whether lower-casing the pattern's text is a matter of the
// letters a to z.
func ascii(p glob.Pattern) bool {
	for _, t := range p.Tokens {
		for i := range len(t.Text) {
			if t.Text[i] >= 0x80 {
				return false
			}
		}
	}
	return true
}

// numberClasses returns each number of the conditions and one of each gap:
// below the least, between neighbours, above the greatest. The operators ask for
// the order only, and all numbers of a gap are in the same order to all others.
//
//	conditions      < 5        >= 7.5
//	values      4   5   6.25   7.5   8.5
//
// A number that cannot be written in so few digits that the conditions read it
// back makes ok false.
func numberClasses(tests []*conditionTest) (values []string, ok bool) {
	var points []*big.Rat
	for _, c := range tests {
		for i := range c.operands {
			if r, ok := new(big.Rat).SetString(c.operands[i].text); ok && c.operands[i].ok {
				points = append(points, r)
			}
		}
	}
	if len(points) == 0 {
		return []string{"1"}, true
	}
	slices.SortFunc(points, (*big.Rat).Cmp)
	one := big.NewRat(1, 1)
	all := []*big.Rat{new(big.Rat).Sub(points[0], one)}
	for i, p := range points {
		all = append(all, p)
		next := new(big.Rat).Add(p, one)
		if i+1 < len(points) {
			next = next.Add(p, points[i+1])
			next.Quo(next, big.NewRat(2, 1))
		}
		all = append(all, next)
	}
	for _, r := range all {
		text := r.FloatString(maxExponent / 2)
		if back, ok := new(big.Rat).SetString(text); !ok || back.Cmp(r) != 0 {
			return nil, false
		}
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		if text == "" || text == "-" {
			text = "0"
		}
		if len(text) >= maxExponent {
			return nil, false
		}
		values = append(values, text)
	}
	return values, true
}

// dateClasses returns each instant of the conditions, and the milliseconds
// before and after it. Instants are whole milliseconds, so a gap between two of
// them that holds any begins with the one after the first. An operand that could
// not be read counts as 1970, which does no harm.
func dateClasses(tests []*conditionTest) (values []string, ok bool) {
	points := []int64{0}
	for _, c := range tests {
		for i := range c.operands {
			d := c.operands[i].date
			points = append(points, d.millis-1, d.millis, d.millis+1)
			if d.ambiguous {
				points = append(points, d.other-1, d.other, d.other+1)
			}
		}
	}
	slices.Sort(points)
	for _, p := range slices.Compact(points) {
		text := formatDate(p)
		if back, ok := parseDate(text); !ok || back.millis != p {
			return nil, false
		}
		values = append(values, text)
	}
	return values, true
}

// addressClasses returns, of each combination of ranges that some address lies
// in, the first address. The borders of the ranges cut the addresses, those of
// IPv4 and of IPv6, into intervals whose addresses all lie in the same ranges.
// An interval begins where all addresses begin, where a range begins, or behind
// the end of a range. An address of AWS's own lies in no range that names
// somebody.
func addressClasses(tests []*conditionTest, awsOwned bool) []string {
	begins := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	var ranges, naming []netip.Prefix
	for _, c := range tests {
		for i := range c.operands {
			if c.operator.kind != addressOperator || !c.operands[i].ok {
				continue
			}
			r := c.operands[i].addresses
			ranges = append(ranges, r.prefix)
			if awsOwned && r.namesSomebody() {
				naming = append(naming, r.prefix)
			}
			begins = append(begins, r.prefix.Addr())
			if after := lastAddress(r.prefix).Next(); after.IsValid() {
				begins = append(begins, after)
			}
		}
	}
	var out []string
	seen := map[string]bool{} // by the ranges that an address lies in
	for _, a := range begins {
		key := []byte{'4'}
		if a.Is6() {
			key[0] = '6'
		}
		for _, r := range ranges {
			key = append(key, byte(truthOf(r.Contains(a))))
		}
		named := slices.ContainsFunc(naming, func(r netip.Prefix) bool { return r.Contains(a) })
		if !named && !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, a.String())
		}
	}
	return out
}

// lastAddress is the last address of a range.
func lastAddress(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// binaryClasses returns each value of the conditions, the empty one, and one that
// is longer than all of them and so equal to none. BinaryEquals tells nothing
// else apart.
func binaryClasses(tests []*conditionTest) []string {
	out := []string{""}
	length := 0
	for _, c := range tests {
		for i := range c.operands {
			if c.operands[i].ok {
				out = append(out, c.operands[i].text)
				length = max(length, len(c.operands[i].text))
			}
		}
	}
	slices.Sort(out)
	return append(slices.Compact(out), strings.Repeat("AAAA", length/4+1))
}
