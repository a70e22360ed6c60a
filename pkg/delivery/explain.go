package delivery

import (
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// TrailExplanation explains the judgement on one trail.
type TrailExplanation struct {
	ARN          string
	Requirements []RequirementExplanation
}

// RequirementExplanation explains the judgement on one requirement.
type RequirementExplanation struct {
	RequirementReport
	Statements []policy.StatementExplanation // for Example
}

// Explain says, for every requirement of every trail, how each statement
// relates to it. Without a policy there are no statements.
func Explain(b Bucket, trails []trail.Trail, s trail.Environment) []TrailExplanation {
	j := newJudgement(NewBudget(b, trails), b, trails, s)
	var out []TrailExplanation
	for _, t := range j.trails {
		e := TrailExplanation{ARN: t.ARN}
		for i, r := range j.report(t).Requirements {
			q := RequirementExplanation{RequirementReport: r}
			if j.doc != nil {
				q.Statements = j.evaluations[t.ARN][i].explain()
			}
			e.Requirements = append(e.Requirements, q)
		}
		out = append(out, e)
	}
	return out
}

// ExplainChain adds to the explanation what the trails' keys and topics say, as [JudgeChain]
// does to the judgement.
func ExplainChain(out []TrailExplanation, b Bucket, trails []trail.Trail, s trail.Environment, c Chain) []TrailExplanation {
	budget := NewBudget(b, trails)
	all := newJudgement(budget, Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region}, trails, s)
	all.chain = c
	for _, of := range all.parts() {
		part := budget.Part(chainSteps)
		of.judge(part)
		budget.Join(part)
		for i := range out {
			for _, e := range of.evaluations[out[i].ARN] {
				out[i].Requirements = append(out[i].Requirements, RequirementExplanation{e.report(), e.explain()})
			}
		}
	}
	return out
}
