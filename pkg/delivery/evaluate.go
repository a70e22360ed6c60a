package delivery

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// evaluation is a requirement with the decisions on every request of it.
type evaluation struct {
	trail.Requirement
	by      *decider
	outcome policy.Outcome
	// decisions are the decisions on the witnesses of all request sets.
	decisions []sampleDecision
	// example is the decision that the judgement is told by: the first of the
	// worst.
	example sampleDecision
	// incomplete says that the budget has cut the search for the worst of them:
	// what was found is right, and there may be worse. cut says that it has cut
	// that, or the search for anything else.
	incomplete, cut bool
	// partial says that the decisions are some of those that the policy can tell
	// apart: enough for the outcome, not for saying what is granted.
	partial bool
	// granted says, of an open one, that all of it is allowed for certain but for what
	// Denies may do.
	granted bool
	// guessed says that it is open which of the request sets will be made,
	// and that they are not all decided alike.
	guessed bool
	// bucketKeys says that it is open because the setting of S3 Bucket Keys is not known:
	// with one setting all is allowed, with the other it is not.
	bucketKeys bool
	// perhaps are the decisions on requests that CloudTrail may make and that
	// are denied; see [trail.HorizonPerhaps].
	perhaps []sampleDecision
	// beyond are the denials of requests that CloudTrail does not make now, by
	// horizon. They are looked for only where all that it makes now is allowed.
	beyond map[trail.Horizon][]sampleDecision

	// first is the evaluation that this one is made of, if it was made for another
	// trail's requirement.
	first *evaluation

	exempted []exemptionsOf     // see exempt
	reported *RequirementReport // see report
	nearby   []Near             // what near has found; nil: it was not asked yet
}

// action is that of the example: a requirement may be of several.
func (e *evaluation) action() string { return cmp.Or(e.example.request.Action, e.Action) }

// at says of what a request is: on a resource, or for what the value of a context key names.
func (e *evaluation) at(r sampleDecision) string { return e.preposition(r) + r.sample.Text }

func (e *evaluation) preposition(r sampleDecision) string {
	if r.set < len(e.Sets) && e.Sets[r.set].Varies != "" {
		return " for "
	}
	return " on "
}

// explain says how each statement relates to the example.
func (e *evaluation) explain() []policy.StatementExplanation {
	return e.by.prepare(e.example.request).Explain(e.example.request.Resource)
}

// sampleDecision is the decision on one witness of a request set.
type sampleDecision struct {
	set      int // index in Sets
	sample   glob.Witness
	request  policy.Request
	decision policy.Decision
	outcome  policy.Outcome
}

// decider decides requests by one policy, within a budget.
type decider struct {
	doc      *policy.Document
	budget   *policy.Budget
	prepared []preparedRequests
}

// preparedRequests are requests that differ in their resource only.
type preparedRequests struct {
	like policy.Request
	*policy.Prepared

	// same decides them alike: the first of those prepared that does.
	same *policy.Prepared
}

// maxPrepared is how many of the requests that differ in more are kept ready. Those
// of one trail are two, or two for each region where the policy names CloudTrail's
// old accounts.
const maxPrepared = 64

// prepare makes the policy ready for requests, once for all that differ in their
// resource only.
func (d *decider) prepare(like policy.Request) preparedRequests {
	for _, p := range slices.Backward(d.prepared) {
		if p.like.Context == like.Context && p.like.Action == like.Action && reflect.DeepEqual(p.like.Caller, like.Caller) {
			return p
		}
	}
	if len(d.prepared) == maxPrepared {
		d.prepared = slices.Delete(d.prepared, 0, 1)
	}
	out := preparedRequests{like: like, Prepared: d.doc.Prepare(&like, d.budget)}
	out.same = out.Prepared
	for _, p := range d.prepared {
		if p.same == p.Prepared && p.like.Action == like.Action && reflect.DeepEqual(p.like.Caller, like.Caller) && out.Like(p.same) {
			out.same = p.same
			break
		}
	}
	d.prepared = append(d.prepared, out)
	return out
}

// asked reports whether CloudTrail makes the requests of a set now, or may.
func asked(p trail.RequestSet) bool {
	return p.Horizon == trail.HorizonNow || p.Horizon == trail.HorizonPerhaps
}

// evaluate decides every request of a requirement that CloudTrail makes now, or
// may make. The outcome is the worst of them; what it may make and is denied
// leaves it open.
func (d *decider) evaluate(q trail.Requirement) *evaluation {
	e := &evaluation{Requirement: q, by: d, outcome: policy.Allowed}
	on, off := policy.Allowed, policy.Allowed // of requests with that setting of S3 Bucket Keys only
	for i, p := range q.Sets {
		if !asked(p) {
			continue
		}
		decided := d.decideKeys(q, i, p)
		outcome := worstOutcome(decided.list)
		if p.Guess && denied(outcome) && !d.everyGuessDenied(q, i, decided) {
			outcome, e.guessed = policy.Undetermined, true
		}
		if p.Horizon == trail.HorizonPerhaps && denied(outcome) {
			outcome = policy.Undetermined
			e.perhaps = append(e.perhaps, slices.DeleteFunc(slices.Clone(decided.list), func(r sampleDecision) bool { return !denied(r.outcome) })...)
		}
		if !decided.complete {
			e.incomplete = true
			outcome = worse(outcome, policy.Undetermined)
		}
		e.cut = e.cut || !decided.complete || !decided.all
		e.partial = e.partial || !decided.exhaustive
		switch p.Only {
		case trail.On:
			on = worse(on, outcome)
		case trail.Off:
			off = worse(off, outcome)
		default:
			e.outcome = worse(e.outcome, outcome)
		}
		e.decisions = append(e.decisions, decided.list...)
	}
	e.either(on, off)
	e.example = e.consistent(e.pickExample())
	e.granted = e.outcome == policy.Undetermined && !slices.ContainsFunc(q.Sets, func(p trail.RequestSet) bool {
		return asked(p) && !d.granted(e.request(p), p)
	})
	return e
}

// either adds what comes of requests of which CloudTrail makes either these or those: by
// the setting of S3 Bucket Keys, which is not known. They are denied if both are.
func (e *evaluation) either(on, off policy.Outcome) {
	switch {
	case on == off, denied(on) && denied(off):
		e.outcome = worse(e.outcome, worse(on, off))
	default:
		e.guessed, e.bucketKeys = denied(on) || denied(off), true
		e.outcome = worse(e.outcome, policy.Undetermined)
	}
}

// granted reports whether an Allow that holds in all cases matches each request of a set.
func (d *decider) granted(like policy.Request, p trail.RequestSet) bool {
	resources := p.Resources
	if p.Varies != "" {
		resources = glob.KeySet{{Words: []string{p.Resource}}}
	}
	return d.prepare(like).same.Granted(resources)
}

// lookBeyond looks for denials of requests that CloudTrail does not make now:
// of files that wait, of regions that are opened later, of later days. It does so
// only where all is allowed that it makes now.
func (e *evaluation) lookBeyond() {
	if e.outcome != policy.Allowed {
		return
	}
	e.beyond = map[trail.Horizon][]sampleDecision{}
	for i, p := range e.Sets {
		if asked(p) {
			continue
		}
		decided := e.by.decideKeys(e.Requirement, i, p)
		e.cut = e.cut || !decided.complete
		e.partial = e.partial || !decided.exhaustive
		for _, r := range decided.list {
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
func (e *evaluation) consistent(r sampleDecision) sampleDecision {
	if r.outcome == policy.Allowed || r.sample.Segments == nil {
		return r
	}
	for _, like := range e.by.decideKeys(e.Requirement, r.set, e.Sets[r.set].PinLike(r.sample)).list {
		if like.outcome == r.outcome {
			return like
		}
	}
	return r
}

// decisions are decisions on samples of a request set.
type decisions struct {
	list       []sampleDecision
	complete   bool // the worst is among them
	all        bool // each statement that matches some is shown by one
	exhaustive bool // one is for each way to tell the requests apart
}

// decideKeys decides a request on samples of a request set that stand for all of
// it. The set is the one at an index of the requirement, or a part of it.
func (d *decider) decideKeys(q trail.Requirement, index int, p trail.RequestSet) decisions {
	var samples policy.Samples
	if like := requestLike(q, p); p.Varies == "" {
		samples = d.prepare(like).same.Samples(p.Resources)
	} else {
		samples = d.prepare(like).same.SamplesOf(p.Varies, p.Resource, p.Resources)
	}
	out := decisions{make([]sampleDecision, len(samples.List)), samples.Complete, samples.All, samples.Exhaustive}
	for i, s := range samples.List {
		r := sampleDecision{set: index, sample: s.Witness, request: p.Request(q.Action, s.Text), decision: s.Decision}
		r.outcome = r.decision.Outcome
		if r.outcome == policy.Undetermined && r.decision.DeniedEitherWay {
			r.outcome = policy.ImplicitDeny
		}
		out.list[i] = r
	}
	return out
}

// everyGuessDenied reports whether every guess that a request set makes is
// denied. The decisions on the set do not tell, since each may stand for other
// guesses too: each guess is decided by itself. Where the guesses are too many to
// be listed, those that the policy tells apart are; of samples that are not
// exhaustive they cannot be known, and then it is not claimed.
func (d *decider) everyGuessDenied(q trail.Requirement, set int, of decisions) bool {
	guess := func(s glob.Segment) bool {
		return (s.Name == "prefix" || s.Name == "organization") && len(s.Words) == 0
	}
	if !of.exhaustive && slices.ContainsFunc(q.Sets[set].Resources, guess) {
		return false
	}
	guesses := []trail.RequestSet{q.Sets[set]}
	for _, name := range []string{"prefix", "organization"} {
		var next []trail.RequestSet
		for _, p := range guesses {
			next = append(next, pinAll(p, name, guessedValues(p.Resources, name, of.list))...)
		}
		guesses = next
	}
	for _, p := range guesses {
		decided := d.decideKeys(q, set, p)
		if !decided.complete || !denied(worstOutcome(decided.list)) {
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

func (e *evaluation) report() RequirementReport {
	if e.reported != nil {
		return *e.reported
	}
	doc := e.by.doc
	responsible := e.responsible()
	var near []Near
	if e.outcome == policy.ImplicitDeny {
		near = e.near(doc)
	}
	e.reported = &RequirementReport{
		Near: near,
		ID:   e.ID, Target: e.ID.Target(), Action: e.action(), Resource: e.Resource,
		Decision:    e.outcome,
		Statements:  statementNames(doc, responsible),
		Why:         e.why(doc),
		Example:     e.example.sample.Text,
		Responsible: responsible,
		Denying:     e.denying(doc, false),
		DependsOn:   e.dependsOn(),
		Perhaps:     e.uncertain(),
		Granted:     e.granted,
		Cut:         e.incomplete && !denied(e.outcome),
		Beyond:      e.lacksBeyond(),
	}
	return *e.reported
}
