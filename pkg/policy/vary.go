package policy

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Of some requests it is not the resource that differs but the value of a context key: a key
// policy meets a file as kms:EncryptionContext:aws:s3:arn. What a policy gives on such a value
// hangs on the patterns of the conditions on that key, as it hangs on those of the Resource
// elements for a resource. So the same automaton finds a value of each class that these tell
// apart, and each is decided by itself.

// SamplesOf decides the request for one resource, on values of a context key that stand for
// all strings of a key set. The key is to be a text in the request, present and not known.
//
// Where the conditions on the key cannot be told by patterns, there is one sample, whose
// decision holds for all values, and is undetermined if they are not decided alike. It is not
// complete only if the budget, or the number of classes, has cut the search.
func (p *Prepared) SamplesOf(key, resource string, values glob.KeySet) Samples {
	tests, byPattern := p.testsOf(key)
	simplest, ok := values.Simplest()
	if !ok {
		return Samples{Complete: true, All: true, Exhaustive: true}
	}
	if len(tests) == 0 && byPattern {
		return Samples{[]Sample{{simplest, p.Decide(resource)}}, true, true, true}
	}
	if kind, ok := commonKind(key, tests); byPattern && ok && (kind == stringOperator || kind == nullOperator) {
		if unions, _, ok := p.ev.textUnions(tests, Value{State: Present}); ok {
			return p.samplesBy(unions, key, resource, values)
		}
	}
	all := p.decideWith(key, Value{State: Present, Within: []glob.KeySet{values}}, resource)
	cut := all.Bounded || p.budget.Exhausted()
	return Samples{[]Sample{{simplest, all}}, !cut, !cut, false}
}

// samplesBy decides on a value of each class that unions of patterns tell apart.
func (p *Prepared) samplesBy(unions []glob.Union, key, resource string, values glob.KeySet) Samples {
	limits := p.ev.limits(nobody)
	var classes []glob.Class
	complete := false
	if limits.Steps > 0 {
		classes, complete = glob.Classes(unions, limits, values)
	}
	out := Samples{Complete: complete, All: complete, Exhaustive: complete}
	for _, c := range classes {
		d := p.decideWith(key, Is(c.Text), resource)
		if d.Bounded || p.budget.Exhausted() {
			out.Complete, out.All, out.Exhaustive = false, false, false
		}
		out.List = append(out.List, Sample{c.Witness, d})
	}
	if len(out.List) == 0 {
		simplest, _ := values.Simplest()
		out.List = []Sample{{simplest, p.decideWith(key, Value{State: Present, Within: []glob.KeySet{values}}, resource)}}
		out.Complete, out.All, out.Exhaustive = false, false, false
	}
	return out
}

// decideWith decides the request for a resource with another value of one key.
func (p *Prepared) decideWith(key string, v Value, resource string) Decision {
	r := *p.ev.request
	r.Context = r.Context.With(key, v)
	return p.document.prepare(&r, p.budget).decideOne(resource)
}

// testsOf are the conditions on a key, of statements that may match. byPattern is false if
// the key also stands as a variable somewhere, so that these are not all that hangs on it.
func (p *Prepared) testsOf(key string) (tests []*conditionTest, byPattern bool) {
	key = strings.ToLower(key)
	byPattern = true
	named := func(x *pattern) {
		x.variables(func(variable, _ string) { byPattern = byPattern && variable != key })
	}
	for i := range p.statements {
		s := &p.statements[i]
		if s.match.Principal == No || s.match.Action == No {
			continue
		}
		for j := range s.resource.patterns {
			named(&s.resource.patterns[j])
		}
		for j := range s.conditions {
			c := &s.conditions[j]
			if c.key == key && !c.malformed {
				tests = append(tests, c)
			}
			for k := range c.operands {
				named(&c.operands[k].pattern)
			}
		}
	}
	return slices.Clip(tests), byPattern
}
