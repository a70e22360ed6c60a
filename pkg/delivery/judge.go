package delivery

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Judge answers whether CloudTrail can deliver the trails' files into the
// bucket as it stands. Trails that use another bucket are ignored, save that
// they tell which trails there are.
//
// A trail is blocked if the policy denies one of its requirements, or if the
// bucket is missing, belongs to another account, has no policy or lets the
// requester pay. It is undetermined if the policy cannot be read or leaves a
// requirement open. A weakness changes no verdict. A bucket that no trail uses
// has nothing to deliver: its verdict is delivering, without findings.
func Judge(b Bucket, trails []trail.Trail, s trail.Environment) Report {
	return JudgeWithin(NewBudget(b, trails), b, trails, s)
}

// JudgeWithin is [Judge] within a budget, of which it leaves the rest.
func JudgeWithin(budget *policy.Budget, b Bucket, trails []trail.Trail, s trail.Environment) Report {
	j := newJudgement(budget, b, trails, s)
	r := Report{Bucket: b.Name, Trails: []TrailReport{}, Findings: []Finding{}}
	if b.State == PolicyRead && b.Policy != nil {
		faults, maybe := j.doc.Validate(j.bucketARN())
		r.Faults, r.MaybeFaults = j.inWords(faults), j.inWords(maybe)
	}
	for _, t := range j.trails {
		r.Trails = append(r.Trails, j.report(t))
	}
	r.Findings = append(r.Findings, j.findings()...)
	order(r.Findings, j.trails)
	r.Verdict = worst(r.Trails)
	return r
}

// Outages returns the findings of kind outage.
func (r Report) Outages() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Kind == Outage {
			out = append(out, f)
		}
	}
	return out
}

// judgement is one judgement at work: what is known, and what was decided.
type judgement struct {
	bucket      Bucket
	known       []trail.Trail // all that were given
	trails      []trail.Trail // those that use the bucket, each once
	environment trail.Environment
	doc         *policy.Document // nil unless the policy could be read
	budget      *policy.Budget
	by          *decider                 // by doc
	evaluations map[string][]*evaluation // by the trail's ARN; none without doc
	expected    []*evaluation            // of the bucket's Expected, in their order; none without doc
	chain       Chain
	part        *chainPart // nil: it is about the bucket
}

func newJudgement(budget *policy.Budget, b Bucket, trails []trail.Trail, s trail.Environment) *judgement {
	s.Bucket = b.Name
	s.BucketOwner = cmp.Or(s.BucketOwner, b.Owner)
	s.BucketRegion = cmp.Or(s.BucketRegion, b.Region)
	j := &judgement{bucket: b, known: trails, environment: s, budget: budget, evaluations: map[string][]*evaluation{}}
	for _, t := range trails {
		twice := slices.ContainsFunc(j.trails, func(other trail.Trail) bool { return other.ARN == t.ARN })
		if t.Bucket == b.Name && !twice {
			j.trails = append(j.trails, t)
		}
	}
	if b.State != PolicyRead || b.Policy == nil {
		return j
	}
	j.doc = b.Policy
	j.by = j.decider(j.doc)
	requirements := trail.ServiceRequirements
	if len(legacyStatements(j.doc)) > 0 {
		requirements = trail.Requirements
	}
	j.evaluate(func(t trail.Trail) []trail.Requirement { return requirements(t, s) })
	for _, g := range b.Expected {
		j.expected = append(j.expected, j.by.evaluate(j.writing(g)))
	}
	return j
}

// evaluate decides the requirements of every trail. Those that are decided alike are decided
// once.
func (j *judgement) evaluate(requirements func(trail.Trail) []trail.Requirement) {
	done := map[[sha256.Size]byte][]*evaluation{}
	for _, t := range j.trails {
		for _, r := range requirements(t) {
			j.evaluations[t.ARN] = append(j.evaluations[t.ARN], j.evaluateOnce(r, done))
		}
	}
}

// evaluateOnce evaluates a requirement, or takes what stands for it of those that are done, by
// their digests.
func (j *judgement) evaluateOnce(r trail.Requirement, done map[[sha256.Size]byte][]*evaluation) *evaluation {
	var keys [sha256.Size]byte
	if len(j.trails) > 1 {
		keys = keysDigest(r)
		if e, known := alike(done[keys], r); known {
			return e
		}
	}
	e := j.by.evaluate(r)
	e.lookBeyond()
	done[keys] = append(done[keys], e)
	return e
}

// decider decides by a policy, within the budget of the judgement.
func (j *judgement) decider(doc *policy.Document) *decider {
	return &decider{doc: doc, budget: j.budget}
}

func (j *judgement) bucketARN() string {
	partition := arn.Commercial
	if len(j.trails) > 0 {
		partition = j.trails[0].Partition()
	}
	return arn.Bucket(j.bucket.Name).ARN(partition)
}

func (j *judgement) inWords(faults []policy.Fault) []string {
	var out []string
	for _, f := range faults {
		if f.Statement < 0 {
			out = append(out, f.Message)
			continue
		}
		out = append(out, fmt.Sprintf("statement %s: %s", Shown(j.doc.Label(f.Statement)), f.Message))
	}
	return out
}

func (j *judgement) report(t trail.Trail) TrailReport {
	r := TrailReport{ARN: t.ARN, Verdict: Delivering, Requirements: []RequirementReport{}}
	if j.doc == nil {
		r.Verdict = Blocked
		if j.unreadable() {
			r.Verdict = Undetermined
		}
		for _, q := range trail.ServiceRequirements(t, j.environment) {
			r.Requirements = append(r.Requirements, j.withoutPolicy(q))
		}
	}
	for _, e := range j.evaluations[t.ARN] {
		r.Requirements = append(r.Requirements, e.report())
		switch e.outcome {
		case policy.ExplicitDeny, policy.ImplicitDeny:
			r.Verdict = Blocked
		case policy.Undetermined, policy.Invalid:
			if r.Verdict == Delivering {
				r.Verdict = Undetermined
			}
		case policy.Allowed:
		}
	}
	if j.bucket.Payer == PayerRequester {
		r.Verdict = Blocked
	}
	return r
}

// unreadable reports whether nothing is known of the policy.
func (j *judgement) unreadable() bool {
	return j.bucket.State == Unreadable || j.bucket.State == PolicyRead && j.bucket.Policy == nil
}

// withoutPolicy reports on a requirement where there is no policy to decide by.
func (j *judgement) withoutPolicy(q trail.Requirement) RequirementReport {
	r := RequirementReport{
		ID: q.ID, Target: q.ID.Target(), Action: q.Action, Resource: q.Resource,
		Decision: policy.ImplicitDeny, Statements: []string{}, Why: j.bucket.why(), Example: q.Resource,
	}
	if j.unreadable() {
		r.Decision = policy.Undetermined
	}
	return r
}

// findings are all findings of the bucket, in the order of the catalogue.
func (j *judgement) findings() []Finding {
	if len(j.trails) == 0 {
		return nil
	}
	var out []Finding
	for _, t := range Catalog() {
		if t.find == nil || t.Source == SourcePolicy && j.doc == nil {
			continue
		}
		for _, f := range t.find(j) {
			out = append(out, t.complete(f))
		}
	}
	return out
}

// evaluationsOf are the trails that have the requirement, with its evaluation.
func (j *judgement) evaluationsOf(id trail.RequirementID) iter.Seq2[trail.Trail, *evaluation] {
	return func(yield func(trail.Trail, *evaluation) bool) {
		for _, t := range j.trails {
			for _, e := range j.evaluations[t.ARN] {
				if e.ID == id && !yield(t, e) {
					return
				}
			}
		}
	}
}

// order sorts findings by severity, then by trail as given. Those of a trail
// stay in the order of the catalogue.
func order(findings []Finding, trails []trail.Trail) {
	place := func(f Finding) int {
		return slices.IndexFunc(trails, func(t trail.Trail) bool { return t.ARN == f.Trail })
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), cmp.Compare(place(a), place(b)))
	})
}

// worst is the worst of the trails' verdicts.
func worst(trails []TrailReport) Verdict {
	v := Delivering
	for _, t := range trails {
		switch t.Verdict {
		case Blocked:
			return Blocked
		case Undetermined:
			v = Undetermined
		case Delivering:
		}
	}
	return v
}

// arns are the ARNs of the bucket's trails.
func (j *judgement) arns() []string {
	var out []string
	for _, t := range j.trails {
		out = append(out, t.ARN)
	}
	return out
}
