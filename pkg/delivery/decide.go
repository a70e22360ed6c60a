package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// judged is a requirement with the decisions on every request of it.
type judged struct {
	trail.Requirement
	outcome policy.Outcome
	// results are the decisions on the samples of all places.
	results []result
	// example is the result that the judgement is told by: the first of the
	// worst.
	example result
	// partly says that the samples cover the requests in part only.
	partly bool
	// guessed says that it is open which of the places' requests will be made,
	// and that they are not all decided alike.
	guessed bool
	// unlisted says that accounts are denied explicitly of which it is open
	// whether the organization has them.
	unlisted bool
}

// result is the decision on one sample of a place.
type result struct {
	place    int
	sample   policy.Sample
	request  policy.Request
	decision policy.Decision
	outcome  policy.Outcome
}

// decide decides a requirement: the worst decision of all its requests.
func decide(doc *policy.Document, q trail.Requirement) *judged {
	j := &judged{Requirement: q, outcome: policy.Allowed}
	for i, p := range q.Places {
		results, complete := decideSpace(doc, q, i, p.Resources)
		outcome := worstOutcome(results)
		if p.Guess && denied(outcome) && !alike(doc, q, i, results) {
			outcome, j.guessed = policy.Undetermined, true
		}
		if least := leastDenied(results); p.Unlisted && outcome == policy.ExplicitDeny && least != outcome {
			outcome, j.unlisted = worse(least, policy.Undetermined), true
		}
		if !complete {
			j.partly = true
			outcome = worse(outcome, policy.Undetermined)
		}
		j.outcome = worse(j.outcome, outcome)
		j.results = append(j.results, results...)
	}
	j.example = j.consistent(doc, j.pick())
	return j
}

// consistent returns a result like r in which the file's name says the same
// account and region as its folders, if there is one. Samples need not.
func (j *judged) consistent(doc *policy.Document, r result) result {
	if r.outcome == policy.Allowed || r.sample.Parts == nil {
		return r
	}
	space := j.Places[r.place].Resources
	for _, name := range []string{"account", "region"} {
		if v, ok := r.sample.Parts[name]; ok {
			space = pin(space, name, v)
		}
	}
	results, _ := decideSpace(doc, j.Requirement, r.place, space)
	for _, like := range results {
		if like.outcome == r.outcome {
			return like
		}
	}
	return r
}

// decideSpace decides a request on every sample of a space.
func decideSpace(doc *policy.Document, q trail.Requirement, place int, space policy.Space) ([]result, bool) {
	p := q.Places[place]
	request := policy.Request{Caller: p.Caller, Action: q.Action, Context: p.Context}
	samples, complete := doc.Samples(space, &request)
	results := make([]result, len(samples))
	for i, s := range samples {
		r := result{place: place, sample: s, request: request}
		r.request.Resource = s.Text
		r.decision = doc.Decide(&r.request)
		r.outcome = r.decision.Outcome
		if r.outcome == policy.Undetermined && r.decision.DeniedEitherWay {
			r.outcome = policy.ImplicitDeny
		}
		results[i] = r
	}
	return results, complete && len(samples) > 0
}

// alike reports whether every guess that a place makes is denied. The place's
// own results do not tell, since each may stand for other guesses too: each
// guess is decided by itself.
func alike(doc *policy.Document, q trail.Requirement, place int, results []result) bool {
	guesses := []policy.Space{q.Places[place].Resources}
	for _, name := range []string{"prefix", "organization"} {
		var next []policy.Space
		for _, space := range guesses {
			next = append(next, pinAll(space, name, guessedValues(space, name, results))...)
		}
		guesses = next
	}
	for _, space := range guesses {
		decided, complete := decideSpace(doc, q, place, space)
		if !complete || !denied(worstOutcome(decided)) {
			return false
		}
	}
	return true
}

// guessedValues are the values of a part to try: all, or where it is a class
// of characters those that the policy can tell apart.
func guessedValues(space policy.Space, name string, results []result) []string {
	for _, part := range space {
		if part.Name == name && len(part.Words) > 0 {
			return part.Words
		}
	}
	var values []string
	for _, r := range results {
		if v, ok := r.sample.Parts[name]; ok && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// pinAll returns the space once for each value of the named part; as it is if
// there are none.
func pinAll(space policy.Space, name string, values []string) []policy.Space {
	if len(values) == 0 {
		return []policy.Space{space}
	}
	out := make([]policy.Space, len(values))
	for i, v := range values {
		out[i] = pin(space, name, v)
	}
	return out
}

// pin returns the space in which the named part has one value only, also where
// the same part stands once more without a name, in the file's name.
func pin(space policy.Space, name, value string) policy.Space {
	i := slices.IndexFunc(space, func(p policy.Part) bool { return p.Name == name })
	if i < 0 {
		return space
	}
	named := space[i]
	out := slices.Clone(space)
	for k, part := range out {
		again := part.Name == "" && part.Class == named.Class && part.Min == named.Min && part.Max == named.Max &&
			slices.Equal(part.Words, named.Words)
		if k == i || again {
			out[k] = policy.Part{Name: part.Name, Words: []string{value}}
		}
	}
	return out
}

// pick chooses the result that shows the outcome best.
func (j *judged) pick() result {
	for _, want := range []policy.Outcome{j.outcome, policy.ExplicitDeny, policy.ImplicitDeny, policy.Undetermined} {
		for _, r := range j.results {
			if r.outcome == want {
				return r
			}
		}
	}
	if len(j.results) > 0 {
		return j.results[0]
	}
	return result{sample: policy.Sample{Text: j.Resource}}
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

func worstOutcome(results []result) policy.Outcome {
	o := policy.Allowed
	for _, r := range results {
		o = worse(o, r.outcome)
	}
	return o
}

// leastDenied is the worst of the outcomes that are no explicit denial, or
// ExplicitDeny if there are none.
func leastDenied(results []result) policy.Outcome {
	rest := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.outcome == policy.ExplicitDeny })
	if len(rest) == 0 {
		return policy.ExplicitDeny
	}
	return worstOutcome(rest)
}

func denied(o policy.Outcome) bool {
	return o == policy.ExplicitDeny || o == policy.ImplicitDeny
}

// denying are the Deny statements that deny, or may deny, a request that is
// not allowed. With certain only those that do deny.
func (j *judged) denying(doc *policy.Document, certain bool) []int {
	least := policy.Maybe
	if certain {
		least = policy.Yes
	}
	return j.collect(func(r result) []int {
		var out []int
		for _, m := range r.decision.Matches {
			if doc.At(m.Index).Effect == policy.Deny && m.Truth() >= least {
				out = append(out, m.Index)
			}
		}
		return out
	}, func(r result) bool { return r.outcome != policy.Allowed })
}

// responsible are the statements responsible for the worst decisions.
func (j *judged) responsible() []int {
	return j.collect(
		func(r result) []int { return r.decision.Responsible },
		func(r result) bool { return r.outcome == j.example.outcome },
	)
}

func (j *judged) collect(of func(result) []int, from func(result) bool) []int {
	var out []int
	for _, r := range j.results {
		if from(r) {
			out = append(out, of(r)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (j *judged) report(doc *policy.Document) RequirementReport {
	responsible := j.responsible()
	return RequirementReport{
		ID: j.ID, Action: j.Action, Resource: j.Resource,
		Decision:    j.outcome,
		Statements:  statementNames(doc, responsible),
		Why:         j.why(doc),
		Example:     j.example.sample.Text,
		Responsible: responsible,
		Denying:     j.denying(doc, false),
	}
}
