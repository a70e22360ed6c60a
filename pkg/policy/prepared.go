package policy

import (
	"encoding/binary"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// DecisionSteps is what one decision may take, for whoever has no budget of his
// own.
const DecisionSteps = 10_000_000

// Prepared is a document made ready to decide requests that differ in their
// resource only. Whatever does not depend on the resource is worked out once; and
// resources that the same statements match have the same decision, which is made
// once too. Its methods spend the budget, and work within it.
type Prepared struct {
	document   *Document
	ev         *evaluator
	budget     *Budget
	statements []preparedStatement
	patterns   []preparedPattern     // of all resource elements, equal ones once; see index
	machine    *glob.Machine         // of the patterns
	tables     map[string]*caseTable // see table
	decisions  map[string]Decision   // of samples, by what the resource elements give
	tooLarge   int                   // the size of the smallest key set whose classes were too many
}

// preparedPattern is a pattern of a resource element, without variables.
type preparedPattern struct {
	glob.Pattern

	payer int // the first statement that has it
	// asked: it stands in a statement that names the caller and the action.
	asked bool
}

// preparedStatement is a statement as it relates to the requests.
type preparedStatement struct {
	*compiledStatement

	match   Match            // but for the resource
	assumed [4]assumptionSet // of principal, action, resource and conditions
	entries []preparedEntry  // of the resource element
	cases   *statementCases  // see casesOf
}

// preparedEntry is an entry of a resource element.
type preparedEntry struct {
	expansion

	pattern  int  // its index among the patterns
	misspelt bool // a variable is malformed
}

// exact reports whether a match is one for certain.
func (e *preparedEntry) exact() bool { return !e.misspelt && !e.notARN && !e.approximate }

// resourceMatch is what a statement's resource element gives for a resource.
type resourceMatch struct {
	truth   Truth
	assumed assumptionSet
}

// Prepare makes the document ready for requests like r, whose Resource is not
// used. The request's context is not to be changed meanwhile.
func (d *Document) Prepare(r *Request, b *Budget) *Prepared {
	p := d.prepare(r, b)
	entries := make([]preparedEntry, 0, d.resources)
	for i := range p.statements {
		s := &p.statements[i]
		for j := range s.resource.patterns {
			entries = append(entries, s.entry(p.ev, j))
		}
		s.entries = entries[len(entries)-len(s.resource.patterns):]
	}
	return p
}

// prepare is Prepare but for the entries of the resource elements, which one decision
// has no use for.
func (d *Document) prepare(r *Request, b *Budget) *Prepared {
	p := &Prepared{document: d, ev: newEvaluator(r, b), budget: b, statements: make([]preparedStatement, len(d.statements))}
	b.reserve(d.origin + len(d.statements))
	for i := range d.statements {
		c, s := &d.statements[i], &p.statements[i]
		s.compiledStatement, s.match.Index = c, i
		s.match.Principal, s.assumed[0] = c.principal.match(&r.Caller, c.effect)
		s.match.Action = c.action.match(p.ev.action)
		s.match.Condition, s.assumed[3] = p.ev.conditions(c)
		b.spend(p.costOf(i), 1+len(c.conditions)+len(c.resource.patterns))
	}
	return p
}

// entry is an entry of the resource element for the requests.
func (s *preparedStatement) entry(ev *evaluator, i int) preparedEntry {
	x := &s.resource.patterns[i]
	return preparedEntry{expansion: x.expand(ev.lookup), misspelt: x.misspelt()}
}

// MayMatch reports whether some statement matches, or may match, a request that is
// for a resource that it names.
func (p *Prepared) MayMatch() bool {
	return slices.ContainsFunc(p.statements, func(s preparedStatement) bool {
		return s.match.Principal != No && s.match.Action != No && s.match.Condition != No
	})
}

// index lists the patterns of all entries.
func (p *Prepared) index() {
	if p.machine != nil {
		return
	}
	var patterns []glob.Pattern
	known := map[string]int{}
	for i := range p.statements {
		s := &p.statements[i]
		for j := range s.entries {
			e := &s.entries[j]
			if e.matchesNothing {
				continue
			}
			key := e.Key()
			at, ok := known[key]
			if !ok {
				at = len(p.patterns)
				known[key] = at
				patterns = append(patterns, e.Pattern)
				p.patterns = append(p.patterns, preparedPattern{Pattern: e.Pattern, payer: p.costOf(i)})
				p.budget.spend(p.costOf(i), len(key))
			}
			e.pattern = at
			p.patterns[at].asked = p.patterns[at].asked || s.match.Principal != No && s.match.Action != No
		}
	}
	p.machine = glob.NewMachine(patterns)
	p.decisions = map[string]Decision{}
}

// Decide answers the request for a resource.
func (p *Prepared) Decide(resource string) Decision {
	text := glob.TextOf(resource)
	matches := make([]resourceMatch, len(p.statements))
	for i := range p.statements {
		matches[i] = p.statements[i].matchResource(func(e *preparedEntry) bool {
			matches, steps := e.MatchSteps(text)
			p.budget.spend(p.costOf(i), steps)
			return matches
		})
	}
	return p.decide(matches)
}

// decideOne answers the request for the one resource that it is asked for, of a document
// that is prepared without entries.
func (p *Prepared) decideOne(resource string) Decision {
	text := glob.TextOf(resource)
	out := make([]resourceMatch, len(p.statements))
	for i := range p.statements {
		s := &p.statements[i]
		for j := range s.resource.patterns {
			e := s.entry(p.ev, j)
			matches := false
			if !e.matchesNothing {
				var steps int
				matches, steps = e.MatchSteps(text)
				p.budget.spend(p.costOf(i), steps)
			}
			s.add(&out[i], &e, matches)
		}
		s.settle(&out[i])
	}
	return p.decide(out)
}

// matchAll says what the resource elements of all statements give. Known are the
// patterns of which it is known whether they match, in the order of the index.
func (p *Prepared) matchAll(resource glob.Text, known ...bool) []resourceMatch {
	matches := make([]bool, len(p.patterns))
	for i, x := range p.patterns {
		if x.asked && len(known) > 0 {
			matches[i], known = known[0], known[1:]
			continue
		}
		var steps int
		matches[i], steps = x.MatchSteps(resource)
		p.budget.spend(x.payer, steps)
	}
	out := make([]resourceMatch, len(p.statements))
	for i := range p.statements {
		out[i] = p.statements[i].matchResource(func(e *preparedEntry) bool { return matches[e.pattern] })
	}
	return out
}

// costOf is the statement that pays for work on a statement.
func (p *Prepared) costOf(index int) int { return p.document.origin + index }

// matchResource says what the resource element gives for a resource; matches
// says whether the pattern of an entry matches it.
func (s *preparedStatement) matchResource(matches func(*preparedEntry) bool) resourceMatch {
	var out resourceMatch
	for i := range s.entries {
		e := &s.entries[i]
		s.add(&out, e, !e.matchesNothing && matches(e))
	}
	s.settle(&out)
	return out
}

// add adds to a match what an entry of the resource element gives, of which it is known
// whether its pattern matches. An entry whose variable has no value matches nothing, see
// "IAM policy elements: Variables and tags". A variable that is malformed may stand for
// anything, and in a NotResource exempt anything.
func (s *preparedStatement) add(m *resourceMatch, e *preparedEntry, matches bool) {
	not := s.resource.not
	t, a := Yes, assumptionSet(0)
	switch {
	case e.misspelt && not:
		t, a = Maybe, assumeMalformedVariable
	case e.matchesNothing && not && s.src.Effect == Allow:
		t, a = Maybe, assumeNotResourceVariable // what AWS is silent of grants nothing
	case e.matchesNothing && not:
		t, a = No, assumeNotResourceVariable
	case !matches:
		t = No
	case e.misspelt:
		t, a = Maybe, assumeMalformedVariable
	case e.notARN:
		t, a = Maybe, assumeShortResource
	case e.approximate:
		t = Maybe
	}
	m.truth = max(m.truth, t)
	m.assumed |= a
}

// settle ends a match to which all entries were added.
func (s *preparedStatement) settle(m *resourceMatch) {
	m.truth = elementTruth(m.truth, s.resource.not, s.resource.malformed)
}

// of says how the statement relates to the request, and which assumptions the
// result rests on.
func (s *preparedStatement) of(r resourceMatch) (Match, assumptionSet) {
	m := s.match
	m.Resource = r.truth
	assumed := s.assumed
	assumed[2] = r.assumed
	if s.malformed {
		m.Action = min(m.Action, Maybe)
	}
	// One element that does not match settles the statement. If it is the only
	// one, its assumptions count; if there are more, any of them would do
	// without the others, and none of the assumptions matters.
	misses, last := 0, 0
	for i, t := range [4]Truth{m.Principal, m.Action, m.Resource, m.Condition} {
		if t == No {
			misses++
			last = i
		}
	}
	switch misses {
	case 0:
		return m, assumed[0] | assumed[2] | assumed[3]
	case 1:
		return m, assumed[last]
	}
	return m, 0
}

// decideOnce is decide for one of many resources.
func (p *Prepared) decideOnce(resources []resourceMatch) Decision {
	key := make([]byte, 0, 2*len(resources))
	for _, r := range resources {
		key = append(key, byte(r.truth))
		if r.assumed != 0 {
			key = binary.LittleEndian.AppendUint32(append(key, '+'), uint32(r.assumed))
		}
	}
	known, ok := p.decisions[string(key)]
	if !ok {
		known = p.decide(slices.Clone(resources))
		p.decisions[string(key)] = known
	}
	return known
}

// decide answers the request for a resource of which it is known what the
// resource elements give. What it is given it changes.
func (p *Prepared) decide(resources []resourceMatch) Decision {
	p.budget.spend(nobody, len(resources))
	d := p.document
	out := Decision{Matches: make([]Match, len(p.statements))}
	var assumed assumptionSet
	for i := range p.statements {
		s := &resources[i].assumed // from now on the statement's
		out.Matches[i], *s = p.statements[i].of(resources[i])
		assumed |= *s
	}
	v := d.verdict(out.Matches)
	switch {
	case v.outcome == Undetermined:
		v, assumed = p.byCases(&out, assumed)
	case assumed != 0:
		assumed = d.relevant(v.outcome, out.Matches, resources)
	}
	out.Outcome, out.DeniedEitherWay = v.outcome, v.denied
	if d.malformed {
		out.Outcome, out.DeniedEitherWay, out.Responsible = Undetermined, false, nil
	}
	if len(out.Responsible) == 0 {
		out.Responsible = d.responsible(out.Outcome, out.Matches)
	}
	if out.Outcome == Undetermined {
		out.DependsOn = p.dependsOn(out.Matches)
	}
	if assumed != 0 {
		out.Assumptions = assumed.list()
	}
	return out
}

// relevant returns the assumptions without which the outcome might be another;
// of are those of each statement. Where one of the deciding statements rests on
// none, the others do not count.
func (d *Document) relevant(o Outcome, matches []Match, of []resourceMatch) assumptionSet {
	var out, deciding assumptionSet
	free := false
	for i := range of {
		a := of[i].assumed
		effect := d.statements[i].effect
		decides := o == ExplicitDeny && effect == Deny || o == Allowed && effect == Allow
		switch {
		case decides && matches[i].Truth() == Yes:
			free = free || a == 0
			deciding |= a
		case o == ImplicitDeny, o == Allowed && effect != Allow:
			out |= a
		}
	}
	if free {
		return out
	}
	return out | deciding
}

// openStatements lists the statements that may match.
func openStatements(matches []Match) []int {
	var out []int
	for i := range matches {
		if matches[i].Truth() == Maybe {
			out = append(out, i)
		}
	}
	return slices.Clip(out)
}
