package policy

import (
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// representatives returns values that stand for everything a key may hold, as
// far as the conditions can tell: its absence if that is possible, and a value
// of each class. It returns none where the classes cannot be worked out.
func (ev *evaluator) representatives(key string, tests []*condition) (out []Value, tooMany bool) {
	v := ev.value(key)
	if v.Known { // there with these values, or absent
		return []Value{{}, {State: Present, Known: true, Multi: v.Multi, Values: v.Values}}, false
	}
	texts, ok := ev.classes(key, tests, v)
	if !ok || len(texts) == 0 {
		return nil, false
	}
	if len(texts) > maxChoices {
		return nil, true
	}
	if v.State == Either {
		out = append(out, Value{})
	}
	if !v.Multi {
		for _, t := range texts {
			out = append(out, Is(t))
		}
		return out, false
	}
	if len(texts) > maxSetClasses {
		return nil, true
	}
	for subset := range 1 << len(texts) {
		set := Set(slices.Clone(v.Includes)...)
		for i, t := range texts {
			if subset&(1<<i) != 0 {
				set.Values = append(set.Values, t)
			}
		}
		out = append(out, set)
	}
	return out, false
}

// classes returns one text of each class of values that the conditions tell
// apart.
func (ev *evaluator) classes(key string, tests []*condition, v Value) ([]string, bool) {
	switch {
	case len(v.OneOf) > 0:
		return v.OneOf, true
	case len(v.Within) == 0 && keyKind(key) == boolOperator:
		return []string{"true", "false"}, true
	}
	kind, ok := commonKind(key, tests)
	if !ok || len(v.Within) > 0 && kind != stringOperator {
		return nil, false
	}
	var out []string
	switch kind {
	case stringOperator, nullOperator:
		return ev.textClasses(tests, v)
	case numericOperator:
		out, ok = numberClasses(tests)
	case dateOperator:
		out, ok = dateClasses(tests)
	case addressOperator:
		out = addressClasses(tests, v.AWSOwned)
	case binaryOperator:
		out = binaryClasses(tests)
	case arnOperator, boolOperator, unknownOperator:
		return nil, false
	}
	if keyKind(key) != kind {
		out = append(out, "", "?") // no value of this kind
	}
	return out, ok
}

// commonKind is the kind of all the conditions. Strings, ARNs and booleans
// are one kind, being decided by patterns; Null goes with any.
func commonKind(key string, tests []*condition) (operatorKind, bool) {
	kind := nullOperator
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

// textClasses returns one text for each way in which the patterns of the
// conditions tell texts apart.
func (ev *evaluator) textClasses(tests []*condition, v Value) ([]string, bool) {
	var patterns []glob.Pattern
	var naming []bool
	for _, c := range tests {
		for i := range c.operands {
			p, use, ok := ev.classPattern(c, &c.operands[i])
			if !ok {
				return nil, false
			}
			if use {
				patterns = append(patterns, p)
				naming = append(naming, v.AWSOwned && c.operator.kind != boolOperator && names(p.Tokens, c.operator.kind))
			}
		}
		if c.operator.quantifier == forAllValues {
			patterns, naming = append(patterns, glob.Exact("")), append(naming, false) // the empty text is special
		}
	}
	within := v.Within
	if len(within) == 0 {
		everything, ok := glob.Everything(patterns)
		if !ok {
			return nil, false
		}
		within = []glob.KeySet{everything}
	}
	classes, complete := glob.Classes(patterns, glob.DefaultLimits(), within...)
	var out []string
	for _, class := range classes {
		awsOwned := true
		for i, matched := range class.Matches {
			awsOwned = awsOwned && (!matched || !naming[i])
		}
		if awsOwned {
			out = append(out, class.Text)
		}
	}
	return out, complete
}

// classPattern is an operand's pattern. use is false if it tells no texts
// apart, ok if it cannot be told which.
func (ev *evaluator) classPattern(c *condition, x *operand) (p glob.Pattern, use, ok bool) {
	switch c.operator.kind {
	case nullOperator:
		return glob.Pattern{}, false, true
	case boolOperator:
		return glob.Pattern{Tokens: []glob.Token{literal("true")}, Fold: true}, true, true
	case stringOperator, arnOperator:
	case unknownOperator, numericOperator, dateOperator, binaryOperator, addressOperator:
		return glob.Pattern{}, false, false
	}
	e := x.pattern.expand(ev.lookup)
	if e.guess || c.operator.fold && !ascii(e.Tokens) {
		return glob.Pattern{}, false, false
	}
	return e.Pattern, !e.empty && !e.notARN, true
}

// ascii reports whether lower-casing the text of the tokens is a matter of
// the letters a to z. The Kelvin sign and the long s fold to k and s.
func ascii(tokens []glob.Token) bool {
	for _, t := range tokens {
		for i := range len(t.Text) {
			if t.Text[i] >= 0x80 {
				return false
			}
		}
	}
	return true
}

// numberClasses returns each number of the conditions and one of each gap.
func numberClasses(tests []*condition) ([]string, bool) {
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
	var out []string
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
		out = append(out, text)
	}
	return out, true
}

// dateClasses returns each instant of the conditions and its neighbours.
func dateClasses(tests []*condition) ([]string, bool) {
	points := []int64{0}
	for _, c := range tests {
		for i := range c.operands {
			x := &c.operands[i]
			points = append(points, x.millis-1, x.millis, x.millis+1)
			if x.two {
				points = append(points, x.other-1, x.other, x.other+1)
			}
		}
	}
	slices.Sort(points)
	var out []string
	for _, p := range slices.Compact(points) {
		text := formatDate(p)
		if back, _, _, ok := parseDate(text); !ok || back != p {
			return nil, false
		}
		out = append(out, text)
	}
	return out, true
}

// addressClasses returns the addresses at which a range of the conditions
// begins or ends, so one of each interval.
func addressClasses(tests []*condition, foreign bool) []string {
	points := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	var ranges, naming []netip.Prefix
	for _, c := range tests {
		for i := range c.operands {
			if c.operator.kind != addressOperator || !c.operands[i].ok {
				continue
			}
			r := c.operands[i].rng
			ranges = append(ranges, r.prefix)
			if foreign && r.named() {
				naming = append(naming, r.prefix)
			}
			points = append(points, r.prefix.Addr())
			if after := last(r.prefix).Next(); after.IsValid() {
				points = append(points, after)
			}
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, p := range points {
		key := []byte{'4'}
		if p.Is6() {
			key[0] = '6'
		}
		inside := false
		for _, r := range ranges {
			key = append(key, byte(truthOf(r.Contains(p))))
		}
		for _, r := range naming {
			inside = inside || r.Contains(p)
		}
		if !inside && !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, p.String())
		}
	}
	return out
}

// last is the last address of a range.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// binaryClasses returns each value of the conditions and one of no condition.
func binaryClasses(tests []*condition) []string {
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
