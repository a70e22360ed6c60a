package delivery

import (
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// JudgeUnused reports on a bucket that no known trail uses, and of which it is
// known all the same that CloudTrail was let in, or is: whether those are still
// let in who are expected. The verdict is delivering if so, and else undetermined,
// since it is not known whether they have trails. It takes its work from the budget.
func JudgeUnused(budget *policy.Budget, b Bucket, s trail.Environment) Report {
	j := newJudgement(budget, b, nil, s)
	r := Report{Bucket: b.Name, Verdict: Delivering, Trails: []TrailReport{}, Findings: []Finding{}}
	for _, t := range Catalog() {
		if t.findUnused == nil {
			continue
		}
		for _, f := range t.findUnused(j) {
			r.Findings = append(r.Findings, t.complete(f))
			if t.Kind != Weakness {
				r.Verdict = Undetermined
			}
		}
	}
	order(r.Findings, nil)
	return r
}
