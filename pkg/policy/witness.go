package policy

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Samples are strings of a key set with the decisions on them, which stand for
// the decisions on all of its strings.
type Samples struct {
	List []Sample
	// Complete says that they do: the worst of the decisions is the worst there
	// is, and each Deny that matches some string, or may, is shown at its best by
	// one of them. Else the budget has cut the search, and there may be worse, or
	// has cut a decision, which says so and may be better.
	Complete bool
	// All says that every other statement that matches some string is shown too.
	All bool
	// Exhaustive says that there is one for each way in which the Resource and
	// NotResource patterns tell the strings apart, so that every string is decided
	// as one of them is. They are complete then.
	Exhaustive bool
}

// Sample is one string, decided.
type Sample struct {
	glob.Witness

	Decision Decision
}

// Samples decides the request on strings of a key set that stand for all of it.
// First it looks for every class of strings that the patterns tell apart. If there
// are many, it asks less: for one string of each kind that can change the answer.
// Equal questions have equal answers, in equal order, with an equal budget.
func (p *Prepared) Samples(keys glob.KeySet) Samples {
	list, complete := p.classes(keys)
	out := Samples{list, complete, complete, complete}
	if !complete {
		s := search{Prepared: p, keys: keys}
		s.settle()
		out.Complete = !s.cut
		s.showAllows()
		out.All = !s.cut
		out.List = s.found
	}
	if len(out.List) == 0 || slices.ContainsFunc(out.List, func(s Sample) bool { return s.Decision.Bounded }) {
		out.Complete, out.All, out.Exhaustive = false, false, false
	}
	return out
}

// classes looks for every class, in a walk that is cut early: what people write
// needs a small part of it, and for the rest there is a better way. Where it was
// cut for a key set, it is not tried for a larger one.
func (p *Prepared) classes(keys glob.KeySet) (out []Sample, complete bool) {
	steps, size := p.budget.share(60_000), keys.Size()
	if steps == 0 || p.tooLarge != 0 && size >= p.tooLarge {
		return nil, false
	}
	p.index()
	var unions [][]int
	var payers []int
	for i, x := range p.patterns {
		if x.asked {
			unions, payers = append(unions, []int{i}), append(payers, x.payer)
		}
	}
	classes, complete := p.machine.Classes(unions, glob.Limits{
		States: 2_000, Steps: steps, Classes: 64,
		Spend: func(union, steps int) { p.budget.spend(payers[union], steps) },
	}, keys)
	if !complete {
		p.tooLarge = size
		return nil, false
	}
	for _, c := range classes {
		out = append(out, Sample{c.Witness, p.decideOnce(p.matchAll(glob.TextOf(c.Text), c.Matches...))})
	}
	return out, true
}

// search looks for strings of the kinds that can change the answer. There are few
// kinds, because what makes an answer worse is simple: one more Deny that matches,
// or one less Allow. Each kind is a list of wishes, and package glob finds a
// string that meets them, or that there is none.
type search struct {
	*Prepared

	keys      glob.KeySet
	found     []Sample
	resources [][]resourceMatch // of the samples found
	cut       bool              // a question was given up
	cores     int               // how many sets of statements were asked for
}

// wish is what a statement's resource element is to give for a string: at least,
// or at most.
type wish struct {
	statement   int
	least, most Truth
}

// settle finds, one after another, a string that shows each Deny that may match
// some, then one that is denied explicitly, one that is denied, and one that is
// not allowed for certain; each only if nothing as bad has been found.
func (s *search) settle() {
	s.index()
	if w, ok := s.keys.Simplest(); ok {
		s.add(w)
	}
	var denies, mayDeny, mayAllow, allows []int
	for _, i := range s.possible() {
		truth, effect := s.whatever(i), s.statements[i].effect
		if effect != Allow {
			mayDeny = append(mayDeny, i)
		}
		if effect != Deny {
			mayAllow = append(mayAllow, i)
		}
		if effect == Allow && truth == Yes {
			allows = append(allows, i)
		}
	}
	for _, i := range s.show(s.show(mayDeny, Yes), Maybe) {
		mayDeny = without(mayDeny, i)
	}
	for _, i := range mayDeny {
		if s.statements[i].effect == Deny && s.shown(i, Yes) && s.elements(i) == Yes && s.casesOf(i).yes {
			denies = append(denies, i)
		}
	}
	if s.worst() < deniedExplicitly {
		s.together(denies)
	}
	if s.worst() < deniedAnyway {
		s.unallowed(mayAllow, denies)
	}
	if s.worst() < leftOpen {
		s.uncertain(allows)
	}
}

// Granted reports whether each string of a key set is matched by an Allow that holds
// in all cases. Then only a Deny can stand in the way. It may miss some of which that
// is so.
func (p *Prepared) Granted(keys glob.KeySet) bool {
	s := search{Prepared: p, keys: keys}
	s.index()
	var wishes []wish
	for _, i := range s.possible() {
		if s.statements[i].effect == Allow && s.whatever(i) == Yes {
			wishes = append(wishes, wish{i, No, Maybe})
		}
	}
	return len(wishes) > 0 && !s.ask(wishes...) && !s.cut
}

// showAllows finds a string for each Allow. No answer hangs on it, but what is said
// of the Allows does.
func (s *search) showAllows() {
	s.show(slices.DeleteFunc(s.possible(), func(i int) bool { return s.statements[i].effect != Allow }), Yes)
}

// possible lists the statements that may match a string, whatever it is.
func (s *search) possible() []int {
	var out []int
	for i := range s.statements {
		if s.whatever(i) != No {
			out = append(out, i)
		}
	}
	return out
}

// show finds for each of the statements a string that it matches, or perhaps
// matches. It returns those that match none. Mostly that is none, or all but few;
// so it asks for many statements at once, and for half of them where some of them
// match. (By what they except, statements are asked one by one.)
func (s *search) show(statements []int, least Truth) (rest []int) {
	lists := slices.DeleteFunc(slices.Clone(statements), func(i int) bool { return !s.statements[i].listed() })
	for _, i := range statements {
		if !s.statements[i].listed() && !s.ask(wish{i, least, Yes}) {
			rest = append(rest, i)
		}
	}
	return append(rest, s.showAny(lists, least)...)
}

func (s *search) showAny(statements []int, least Truth) (rest []int) {
	if len(statements) == 0 {
		return nil
	}
	if !slices.ContainsFunc(statements, func(i int) bool { return s.shown(i, least) }) {
		var union, payers []int
		for _, i := range statements {
			patterns, _ := s.statements[i].meets(wish{i, least, Yes})
			union, payers = append(union, patterns...), append(payers, s.costOf(i))
		}
		if len(union) == 0 || !s.search([][]int{union}, nil, payers) {
			return statements
		}
	}
	half := len(statements) / 2
	if half == 0 {
		return nil
	}
	return append(s.showAny(statements[:half], least), s.showAny(statements[half:], least)...)
}

// listed reports whether the resources that a statement matches are listed.
func (s *preparedStatement) listed() bool { return !s.resource.not && !s.resource.malformed }

// shown reports whether a string was found that the statement's resource element
// matches.
func (s *search) shown(i int, least Truth) bool {
	return slices.ContainsFunc(s.resources, func(r []resourceMatch) bool { return r[i].truth >= least })
}

// elements is what the elements of a statement give whatever the resource and the
// conditions are, and whatever is what all but the resource give, in all cases.
func (s *search) elements(i int) Truth {
	m, _ := s.statements[i].of(resourceMatch{truth: Yes})
	return min(m.Principal, m.Action)
}

func (s *search) whatever(i int) Truth { return min(s.elements(i), s.casesOf(i).truth) }

// How bad a decision is.
const (
	allowedForCertain = iota
	leftOpen
	deniedAnyway
	deniedExplicitly
)

func badness(d Decision) int {
	switch {
	case d.Outcome == ExplicitDeny:
		return deniedExplicitly
	case d.Outcome == ImplicitDeny, d.DeniedEitherWay:
		return deniedAnyway
	case d.Outcome == Allowed:
		return allowedForCertain
	}
	return leftOpen
}

func (s *search) worst() int {
	worst := allowedForCertain
	for _, x := range s.found {
		worst = max(worst, badness(x.Decision))
	}
	return worst
}

// add decides a string.
func (s *search) add(w glob.Witness) {
	resources := s.matchAll(glob.TextOf(w.Text))
	d := s.decideOnce(resources)
	s.found, s.resources = append(s.found, Sample{w, d}), append(s.resources, resources)
}

// ask looks for a string that meets the wishes: first among those found, then
// among all. It reports whether there is one.
func (s *search) ask(wishes ...wish) bool {
	_, found := s.find(wishes)
	return found
}

// maxFindSteps bounds the search for one string.
const maxFindSteps = 1_000_000

func (s *search) find(wishes []wish) (d Decision, found bool) {
	for i, resources := range s.resources {
		if !slices.ContainsFunc(wishes, func(w wish) bool {
			t := resources[w.statement].truth
			return t < w.least || t > w.most
		}) {
			return s.found[i].Decision, true
		}
	}
	var match, avoid [][]int
	var payers, none []int
	for _, w := range wishes {
		payers = append(payers, s.costOf(w.statement))
		if union, matching := s.statements[w.statement].meets(w); matching {
			match = append(match, union)
		} else {
			none = append(none, union...)
		}
	}
	if len(none) > 0 {
		avoid = [][]int{none}
	}
	if !s.search(match, avoid, payers) {
		return Decision{}, false
	}
	return s.found[len(s.found)-1].Decision, true
}

// search looks for a string by patterns, and decides it. The payers share in what
// it takes.
func (s *search) search(match, avoid [][]int, payers []int) (found bool) {
	limits := glob.Limits{States: maxFindSteps, Steps: s.budget.share(maxFindSteps)}
	if limits.Steps == 0 {
		s.cut = true
		return false
	}
	took := 0
	limits.Spend = func(_, steps int) { took += steps }
	w, found, complete := s.machine.Find(match, avoid, limits, s.keys)
	s.budget.spend(nobody, took%max(1, len(payers)))
	for _, i := range payers {
		s.budget.spend(i, took/len(payers))
	}
	s.cut = s.cut || !complete
	if found {
		s.add(w)
	}
	return found
}

// meets returns the patterns by which a wish is met: some of them matches, or
// none. What is asked is whether the element gives at least a truth, or less.
func (s *preparedStatement) meets(w wish) (union []int, match bool) {
	least, reach := w.least, true // reach: it is to give at least that
	if w.most < Yes {
		least, reach = w.most+1, false
	}
	not := s.resource.not
	if s.resource.malformed && (not || least == Maybe) {
		// It gives Maybe at least, and NotResource never more.
		return nil, (least == Maybe) != reach
	}
	if not && least == Yes && slices.ContainsFunc(s.entries, func(e preparedEntry) bool { return e.misspelt }) {
		return nil, reach // it never gives more than Maybe
	}
	for i := range s.entries {
		e := &s.entries[i]
		if !e.matchesNothing && (e.exact() || (least == Maybe) != not) {
			union = append(union, e.pattern)
		}
	}
	return union, reach != not
}

// maxCores is how many sets of statements are asked for.
const maxCores = 64

// together looks for a string that several Denies deny together: in each case at
// least one of them. Any string that does matches a set of them that covers all
// cases, so one of the least such sets, a core; or it lacks some of the core. If
// all of the Denies do not cover all cases, there is none.
func (s *search) together(denies []int) bool {
	core, ok := s.core(denies)
	if !ok {
		return false
	}
	var wishes []wish
	for _, i := range core {
		wishes = append(wishes, wish{i, Yes, Yes})
	}
	if s.ask(wishes...) {
		return true
	}
	return slices.ContainsFunc(core, func(i int) bool { return s.together(without(denies, i)) })
}

// core returns statements that cover all cases, and none of which can be left
// out. Ok is false if there are none among those given, or they are not asked for
// any more.
func (s *search) core(of []int) (core []int, ok bool) {
	q := coverage{p: s.Prepared}
	ok = q.everything(of)
	if ok {
		s.cores++
	}
	s.cut = s.cut || q.cut || s.cores > maxCores
	if !ok || s.cores > maxCores {
		return nil, false
	}
	core = of
	for _, i := range of {
		if less := without(core, i); q.everything(less) {
			core = less
		}
	}
	return core, true
}

func without(list []int, x int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(y int) bool { return x == y })
}

// unallowed looks for a string that is denied either way: that no Allow may match,
// or only Allows all cases of which the Denies take. Where the string found for the
// latter is not denied, because not all of these Denies match it, another might be.
func (s *search) unallowed(mayAllow, denies []int) {
	var wishes, others []wish
	q := coverage{p: s.Prepared}
	for _, i := range mayAllow {
		w := wish{i, No, No}
		wishes = append(wishes, w)
		if s.whatever(i) == Yes || !q.allOf(i, denies) {
			others = append(others, w)
		}
	}
	s.cut = s.cut || q.cut
	if s.ask(wishes...) || len(others) == len(wishes) {
		return
	}
	if d, found := s.find(others); found && badness(d) < deniedAnyway {
		s.cut = true
	}
}

// uncertain looks for a string that is not allowed for certain: that no Allow
// matches which holds in all cases, nor Allows that cover all cases together. A
// string that is allowed all the same matches a core of such Allows, and any other
// that is not lacks some of it.
func (s *search) uncertain(allows []int) bool {
	var wishes []wish
	for _, i := range allows {
		wishes = append(wishes, wish{i, No, Maybe})
	}
	d, found := s.find(wishes)
	if !found || d.Outcome != Allowed {
		return found
	}
	var together []int
	for _, m := range d.Matches {
		if !slices.Contains(allows, m.Index) && slices.Contains(d.Responsible, m.Index) {
			together = append(together, m.Index)
		}
	}
	core, ok := s.core(together)
	if !ok {
		s.cut = true
		return false
	}
	return slices.ContainsFunc(core, func(i int) bool { return s.uncertain(append(slices.Clone(allows), i)) })
}
