package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// evaluation is a requirement with the decisions on every request of it.
type evaluation struct {
	trail.Requirement
	outcome policy.Outcome
	// decisions are the decisions on the witnesses of all request sets.
	decisions []sampleDecision
	// example is the decision that the judgement is told by: the first of the
	// worst.
	example sampleDecision
	// incomplete says that the witnesses cover the requests in part only.
	incomplete bool
	// guessed says that it is open which of the request sets will be made,
	// and that they are not all decided alike.
	guessed bool
	// perhaps are the decisions on requests that CloudTrail may make and that
	// are denied; see [trail.HorizonPerhaps].
	perhaps []sampleDecision
	// beyond are the denials of requests that CloudTrail does not make now, by
	// horizon. They are looked for only where all that it makes now is allowed.
	beyond map[trail.Horizon][]sampleDecision
	// nearby is what near has found; nil: it was not asked yet.
	nearby []Near
}

// sampleDecision is the decision on one witness of a request set.
type sampleDecision struct {
	set      int // index in Sets
	sample   glob.Witness
	request  policy.Request
	decision policy.Decision
	outcome  policy.Outcome
}

// evaluate decides every request of a requirement that CloudTrail makes now, or
// may make. The outcome is the worst of them; what it may make and is denied
// leaves it open.
func evaluate(doc *policy.Document, q trail.Requirement) *evaluation {
	e := &evaluation{Requirement: q, outcome: policy.Allowed}
	for i, p := range q.Sets {
		if p.Horizon != trail.HorizonNow && p.Horizon != trail.HorizonPerhaps {
			continue
		}
		decisions, complete := decideKeys(doc, q, i, p)
		outcome := worstOutcome(decisions)
		if p.Guess && denied(outcome) && !everyGuessDenied(doc, q, i, decisions) {
			outcome, e.guessed = policy.Undetermined, true
		}
		if p.Horizon == trail.HorizonPerhaps && denied(outcome) {
			outcome = policy.Undetermined
			e.perhaps = append(e.perhaps, slices.DeleteFunc(slices.Clone(decisions), func(r sampleDecision) bool { return !denied(r.outcome) })...)
		}
		if !complete {
			e.incomplete = true
			outcome = worse(outcome, policy.Undetermined)
		}
		e.outcome = worse(e.outcome, outcome)
		e.decisions = append(e.decisions, decisions...)
	}
	e.example = e.consistent(doc, e.pickExample())
	if e.outcome == policy.Allowed {
		e.lookBeyond(doc)
	}
	return e
}

// lookBeyond looks for denials of requests that CloudTrail does not make now:
// of files that wait, of regions that are opened later, of later days.
func (e *evaluation) lookBeyond(doc *policy.Document) {
	e.beyond = map[trail.Horizon][]sampleDecision{}
	for i, p := range e.Sets {
		if p.Horizon == trail.HorizonNow || p.Horizon == trail.HorizonPerhaps {
			continue
		}
		decisions, _ := decideKeys(doc, e.Requirement, i, p)
		for _, r := range decisions {
			_, known := r.sample.Segments["region"]
			_, ahead := trail.NewRegion(r.sample)
			if denied(r.outcome) && (known || ahead) {
				e.beyond[p.Horizon] = append(e.beyond[p.Horizon], r)
			}
		}
	}
}

// lacksBeyond reports whether nothing allows some request that CloudTrail does
// not make now.
func (e *evaluation) lacksBeyond() bool {
	for _, decisions := range e.beyond {
		if slices.ContainsFunc(decisions, func(r sampleDecision) bool { return r.outcome == policy.ImplicitDeny }) {
			return true
		}
	}
	return false
}

// consistent returns a decision like r on a key whose file name says the same
// account, region and date as its folders, if there is one. Witnesses need not.
func (e *evaluation) consistent(doc *policy.Document, r sampleDecision) sampleDecision {
	if r.outcome == policy.Allowed || r.sample.Segments == nil {
		return r
	}
	decisions, _ := decideKeys(doc, e.Requirement, r.set, e.Sets[r.set].PinLike(r.sample))
	for _, like := range decisions {
		if like.outcome == r.outcome {
			return like
		}
	}
	return r
}

// decideKeys decides a request on every witness of a request set, which is the
// one at an index of the requirement, or a part of it.
func decideKeys(doc *policy.Document, q trail.Requirement, index int, p trail.RequestSet) ([]sampleDecision, bool) {
	request := policy.Request{Caller: p.Caller, Action: q.Action, Context: p.Context}
	witnesses, complete := doc.Witnesses(p.Resources, &request)
	decisions := make([]sampleDecision, len(witnesses))
	for i, s := range witnesses {
		r := sampleDecision{set: index, sample: s, request: request}
		r.request.Resource = s.Text
		r.decision = doc.Decide(&r.request)
		r.outcome = r.decision.Outcome
		if r.outcome == policy.Undetermined && r.decision.DeniedEitherWay {
			r.outcome = policy.ImplicitDeny
		}
		decisions[i] = r
	}
	return decisions, complete && len(witnesses) > 0
}

// everyGuessDenied reports whether every guess that a request set makes is
// denied. The decisions on the set do not tell, since each may stand for other
// guesses too: each guess is decided by itself.
func everyGuessDenied(doc *policy.Document, q trail.Requirement, set int, decisions []sampleDecision) bool {
	guesses := []trail.RequestSet{q.Sets[set]}
	for _, name := range []string{"prefix", "organization"} {
		var next []trail.RequestSet
		for _, p := range guesses {
			next = append(next, pinAll(p, name, guessedValues(p.Resources, name, decisions))...)
		}
		guesses = next
	}
	for _, p := range guesses {
		decided, complete := decideKeys(doc, q, set, p)
		if !complete || !denied(worstOutcome(decided)) {
			return false
		}
	}
	return true
}

// guessedValues are the values of a segment to try: all, or where it is a class
// of characters those that the policy can tell apart.
func guessedValues(keys glob.KeySet, name string, decisions []sampleDecision) []string {
	for _, segment := range keys {
		if segment.Name == name && len(segment.Words) > 0 {
			return segment.Words
		}
	}
	var values []string
	for _, r := range decisions {
		if v, ok := r.sample.Segments[name]; ok && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// pinAll returns the request set once for each value of the named segment; as
// it is if there are none.
func pinAll(p trail.RequestSet, name string, values []string) []trail.RequestSet {
	if len(values) == 0 {
		return []trail.RequestSet{p}
	}
	out := make([]trail.RequestSet, len(values))
	for i, v := range values {
		out[i] = p.Pin(name, v)
	}
	return out
}

// pickExample chooses the decision that shows the outcome best.
func (e *evaluation) pickExample() sampleDecision {
	for _, want := range []policy.Outcome{e.outcome, policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined} {
		for _, r := range e.decisions {
			if r.outcome == want {
				return r
			}
		}
	}
	if len(e.decisions) > 0 {
		return e.decisions[0]
	}
	return sampleDecision{sample: glob.Witness{Text: e.Resource}}
}

// rank orders outcomes from good to bad.
func rank(o policy.Outcome) int {
	switch o {
	case policy.Allowed:
		return 0
	case policy.ImplicitDeny:
		return 2
	case policy.ExplicitDeny:
		return 3
	case policy.Undetermined, policy.Invalid:
		return 1
	}
	return 1
}

func worse(a, b policy.Outcome) policy.Outcome {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func worstOutcome(decisions []sampleDecision) policy.Outcome {
	o := policy.Allowed
	for _, r := range decisions {
		o = worse(o, r.outcome)
	}
	return o
}

func denied(o policy.Outcome) bool {
	return o == policy.ExplicitDeny || o == policy.ImplicitDeny
}

// denying are the Deny statements that deny, or may deny, a request that is
// not allowed. With certain only those that do deny.
func (e *evaluation) denying(doc *policy.Document, certain bool) []int {
	least := policy.Maybe
	if certain {
		least = policy.Yes
	}
	return e.collect(func(r sampleDecision) []int {
		var out []int
		for _, m := range r.decision.Matches {
			if doc.At(m.Index).Effect == policy.Deny && m.Truth() >= least {
				out = append(out, m.Index)
			}
		}
		return out
	}, func(r sampleDecision) bool { return r.outcome != policy.Allowed })
}

// responsible are the statements responsible for the worst decisions.
func (e *evaluation) responsible() []int {
	return e.collect(
		func(r sampleDecision) []int { return r.decision.Responsible },
		func(r sampleDecision) bool { return r.outcome == e.example.outcome },
	)
}

func (e *evaluation) collect(of func(sampleDecision) []int, from func(sampleDecision) bool) []int {
	var out []int
	for _, r := range e.decisions {
		if from(r) {
			out = append(out, of(r)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// dependsOn are the keys that leave the requirement open.
func (e *evaluation) dependsOn() []string {
	var out []string
	for _, r := range e.decisions {
		if e.outcome == policy.Undetermined && r.outcome == policy.Undetermined {
			out = append(out, r.decision.DependsOn...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (e *evaluation) report(doc *policy.Document) RequirementReport {
	responsible := e.responsible()
	var near []Near
	if e.outcome == policy.ImplicitDeny {
		near = e.near(doc)
	}
	return RequirementReport{
		Near: near,
		ID:   e.ID, Action: e.Action, Resource: e.Resource,
		Decision:    e.outcome,
		Statements:  statementNames(doc, responsible),
		Why:         e.why(doc),
		Example:     e.example.sample.Text,
		Responsible: responsible,
		Denying:     e.denying(doc, false),
		DependsOn:   e.dependsOn(),
		Perhaps:     e.uncertain(),
		Beyond:      e.lacksBeyond(),
	}
}
