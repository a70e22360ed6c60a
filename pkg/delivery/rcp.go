package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// RCPs are the resource control policies that are in effect for the resources of an account.
type RCPs struct {
	// Account is whose resources they are; empty: the bucket owner's, who is not known.
	Account string
	// Policies are those attached to the account and to all that stands above it in the
	// organization. What they do not deny they let through.
	Policies []policy.RCP
	// Unread says why it is not known which there are; empty: these are all.
	Unread string
}

// That it is not known which resource control policies there are, in [Report.NotLookedAt].
const (
	NotRCP    = "rcp"     // of the bucket's account
	NotKeyRCP = "key-rcp" // of the account of a trail's key
)

// rcpSteps is what the judgement on the resource control policies of one bucket or key may take
// of the budget.
const rcpSteps = 2_000_000

// JudgeRCPs adds to the report what resource control policies deny, of the bucket and of the
// trails' keys. It returns the new report.
//
// They stand over the policy of the bucket: CloudTrail is let in only if both let it. So what
// they deny makes the verdict blocked, whatever the bucket's policy says; a restored policy
// changes nothing about it. They say nothing to the resources of the organization's management
// account, and there are none for topics. Of accounts that are not given nothing is known.
//
// The indexes in a requirement's report stay those of the bucket's policy.
func JudgeRCPs(budget *policy.Budget, r Report, b Bucket, trails []trail.Trail, s trail.Environment, c Chain, given ...RCPs) Report {
	if len(given) == 0 {
		return r
	}
	r.Trails, r.Findings, r.NotLookedAt = slices.Clone(r.Trails), slices.Clone(r.Findings), slices.Clone(r.NotLookedAt)
	parts, unread := rcpParts(budget, b, trails, s, c, given)
	for _, of := range parts {
		r.Findings = append(r.Findings, of.rcpFindings()...)
		for i := range r.Trails {
			of.addRCPsTo(&r.Trails[i])
		}
	}
	for _, what := range unread {
		if !slices.Contains(r.NotLookedAt, what) {
			r.NotLookedAt = append(r.NotLookedAt, what)
		}
	}
	order(r.Findings, trails)
	r.Verdict = worst(r.Trails)
	return r
}

// rcpParts are the bucket and the trails' keys, each judged by the resource control policies of
// its account. Unread is of what it is not known which there are.
func rcpParts(
	budget *policy.Budget, b Bucket, trails []trail.Trail, s trail.Environment, c Chain, given []RCPs,
) (parts []*chainPart, unread []string) {
	all := newJudgement(budget, Bucket{Name: b.Name, Owner: b.Owner, Region: b.Region}, trails, s)
	all.chain = c
	of := &chainPart{judgement: all.of(func(trail.Trail) bool { return true }), target: trail.OfBucket}
	of.requirements = func(t trail.Trail) []trail.Requirement { return trail.ServiceRequirements(t, all.environment) }
	candidates := slices.DeleteFunc(all.parts(), func(p *chainPart) bool {
		return p.target != trail.OfKey || p.key.Manager == managerAWS // they speak of no topic, and of no key of AWS's own
	})
	if b.State != BucketMissing && b.State != OtherOwner && len(all.trails) > 0 {
		candidates = append([]*chainPart{of}, candidates...)
	}
	for _, p := range candidates {
		dialect, account, what := policy.S3(), all.environment.BucketOwner, NotRCP
		if p.target == trail.OfKey {
			dialect, account, what = policy.KMS(), string(arn.Split(p.key.ARN).Account), NotKeyRCP
		}
		if account != "" && account == all.managementAccount() {
			continue
		}
		at := slices.IndexFunc(given, func(g RCPs) bool { return g.Account == account || g.Account == "" && p.target == trail.OfBucket })
		if at < 0 || given[at].Unread != "" {
			unread = append(unread, what)
		}
		if at < 0 {
			continue
		}
		doc, err := dialect.Under(given[at].Policies)
		if err != nil { // does not happen, and is not to mean that nothing is denied
			unread = append(unread, what)
			continue
		}
		if doc.Len() == 1 {
			continue // nothing is denied
		}
		p.doc, p.unread, p.rcps = doc, "", given[at].Policies
		part := budget.Part(rcpSteps)
		p.judge(part)
		budget.Join(part)
		parts = append(parts, p)
	}
	return parts, unread
}

// managementAccount is that of the organization; empty: it is not known. Organization trails
// are its own, whoever made them.
func (j *judgement) managementAccount() string {
	if known := j.environment.Organization.ManagementAccount; known != "" {
		return known
	}
	for _, t := range j.trails {
		if t.Organization {
			return t.Account()
		}
	}
	return ""
}

// addRCPsTo adds to the report on a trail what the policies do not let through.
func (p *chainPart) addRCPsTo(r *TrailReport) {
	r.Requirements = slices.Clone(r.Requirements)
	for _, e := range p.evaluations[r.ARN] {
		if e.outcome == policy.Allowed {
			continue
		}
		i := slices.IndexFunc(r.Requirements, func(q RequirementReport) bool { return q.ID == e.ID })
		if i < 0 { // of a key of which nothing else is known
			r.Requirements = append(r.Requirements, e.ownReport())
		} else {
			r.Requirements[i] = e.over(r.Requirements[i])
		}
		v := Undetermined
		if denied(e.outcome) {
			v = Blocked
		}
		if e.ID != trail.KeyDescribe && e.ID != trail.KeyDecrypt { // which are weaknesses
			r.Verdict = worseVerdict(r.Verdict, v)
		}
	}
}

// ownReport is the report on a requirement by resource control policies alone. It names the
// statements that deny, and has no indexes, which would be taken for those of the bucket's policy.
func (e *evaluation) ownReport() RequirementReport {
	out := e.report()
	out.Statements = statementNames(e.by.doc, out.Denying)
	out.Responsible, out.Denying = nil, nil
	return out
}

// over is the report on a requirement by the policy of the resource, under resource control
// policies that do not let it through for certain.
func (e *evaluation) over(q RequirementReport) RequirementReport {
	own := e.ownReport()
	switch {
	case q.Decision == policy.Allowed:
		q.Statements, q.Why, q.Example, q.Perhaps = own.Statements, own.Why, own.Example, own.Perhaps
	case rank(own.Decision) >= rank(q.Decision):
		q.Statements, q.Why, q.Example = append(slices.Clone(own.Statements), q.Statements...), own.Why+" Besides: "+q.Why, own.Example
	default:
		q.Statements, q.Why = append(slices.Clone(q.Statements), own.Statements...), q.Why+" Besides: "+own.Why
	}
	q.Decision = worse(q.Decision, own.Decision)
	q.DependsOn = slices.Clone(q.DependsOn)
	for _, key := range own.DependsOn {
		if !slices.Contains(q.DependsOn, key) {
			q.DependsOn = append(q.DependsOn, key)
		}
	}
	slices.Sort(q.DependsOn)
	return q
}

// ExplainRCPs adds to the explanation how the statements of resource control policies relate to
// each requirement, as [JudgeRCPs] does to the judgement. Statements that do not name the action
// are left out.
func ExplainRCPs(out []TrailExplanation, b Bucket, trails []trail.Trail, s trail.Environment, c Chain, given ...RCPs) []TrailExplanation {
	if len(given) == 0 {
		return out
	}
	parts, _ := rcpParts(NewBudget(b, trails), b, trails, s, c, given)
	for _, p := range parts {
		for i := range out {
			for _, e := range p.evaluations[out[i].ARN] {
				out[i].add(e)
			}
		}
	}
	return out
}

// add adds to the explanation of a requirement what resource control policies say.
func (x *TrailExplanation) add(e *evaluation) {
	i := slices.IndexFunc(x.Requirements, func(q RequirementExplanation) bool { return q.ID == e.ID })
	if i < 0 {
		if e.outcome == policy.Allowed {
			return
		}
		x.Requirements, i = append(x.Requirements, RequirementExplanation{RequirementReport: e.ownReport()}), len(x.Requirements)
	} else if e.outcome != policy.Allowed {
		x.Requirements[i].RequirementReport = e.over(x.Requirements[i].RequirementReport)
	}
	q := &x.Requirements[i]
	for _, st := range e.explain()[1:] { // the first is RCPFullAWSAccess
		if slices.ContainsFunc(st.Parts, func(p policy.PartExplanation) bool { return p.Element == "Action" && p.Match != policy.No }) {
			q.Statements = append(q.Statements, st)
		}
	}
}
