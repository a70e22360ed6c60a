package repair

import (
	"cmp"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// MaxPolicySize is the size in bytes up to which S3 accepts a bucket policy.
// S3 measures its own form of the text, which it does not publish; without
// insignificant white space a text comes close to it.
// Source: AmazonS3 userguide, add-bucket-policy.html.
const MaxPolicySize = 20480

// Options say what a plan may do beyond restoring delivery.
type Options struct {
	// Harden also binds grants of CloudTrail that anybody's trail can use, and
	// replaces legacy account principals.
	//
	// A grant is bound to trails by aws:SourceArn only where all trails that may
	// use it are known to be given; else to the accounts or the organization
	// that it serves.
	Harden bool
	// AllTrails says that the trails given are all that deliver into the bucket,
	// of every account and region. A person may know.
	AllTrails bool
	// ReadAccounts are the accounts whose trails are all among those given, of
	// every region.
	ReadAccounts []string
	// Seen are accounts of whose files the bucket has folders: a grant that serves anybody may serve
	// them. No trail of theirs may be known.
	Seen []string
	// Accepted are weaknesses that stay on purpose: hardening leaves their statements as they are.
	Accepted []delivery.Finding
	// Budget is what the plan may take; of [delivery.JudgeWithin], what is left of
	// it. Nil: as much as a judgement by itself.
	Budget *policy.Budget
}

// Plan is what restoring would write. A plan that changes nothing has the
// policy as it is.
type Plan struct {
	// Changed says that Policy differs from the bucket's policy.
	Changed bool
	// Policy is the text to write; empty if there is none and none is needed.
	Policy []byte
	// Diff is the unified diff from the old to the new policy, both indented.
	Diff string
	// Changes are what the plan does, in order.
	Changes []Change
	// ResetPayer says that Requester Pays is to be set back to BucketOwner.
	ResetPayer bool
	// Refused are the findings that the plan leaves as they are, and why.
	Refused []Refusal
	// Faults are what S3 would refuse about Policy, and MaybeFaults what it may
	// refuse, in words.
	Faults, MaybeFaults []string
}

// Empty reports whether carrying out the plan would write nothing.
func (p Plan) Empty() bool { return !p.Changed && !p.ResetPayer }

// Change is one change of a plan.
type Change struct {
	Action    string `json:"action"`    // "add", "mend" (a patch), "merge", "harden", "reset-payer"
	Statement string `json:"statement"` // Sid, or "#" and index in the new policy; empty for the payer
	Reason    string `json:"reason"`    // one plain sentence for each need

	// Edits are the indexes, in the bucket's policy as it is, of the statements
	// that the change edits or takes the place of. It adds a statement if there
	// are none.
	Edits []int `json:"-"`
	// Serves is what the change is made for.
	Serves []Purpose `json:"-"`
}

// Purpose is what a change of a plan is made for: a requirement of a trail that
// is not met, or a weakness that hardening mends.
type Purpose struct {
	Trail       string              // ARN
	Requirement trail.RequirementID // empty: a weakness
	Finding     string              // id of the weakness
}

// For works out what would let CloudTrail deliver the trails' files into the
// bucket. It never fails: what cannot be done is refused. Trails that use
// another bucket are ignored. The report is what [delivery.Judge] says of the
// same bucket, trails and environment.
//
// A requirement that is undetermined only because no statement allows it for
// certain is restored like one that is denied. One that a Deny denies for certain
// gets the grant that it lacks as well: the refusal says how the Deny would have
// to read. One that a Deny may deny gets it only if that brings it nearer to
// allowed. What the caller can still say is asked for instead of mended.
func For(b delivery.Bucket, trails []trail.Trail, env trail.Environment, report delivery.Report, o Options) Plan {
	env.Bucket = b.Name
	env.BucketOwner = cmp.Or(env.BucketOwner, b.Owner)
	env.BucketRegion = cmp.Or(env.BucketRegion, b.Region)
	p := &planner{bucket: b, known: trails, environment: env, options: o}
	if p.options.Budget == nil {
		p.options.Budget = delivery.NewBudget(b, trails)
	}
	p.trails = slices.DeleteFunc(slices.Clone(trails), func(t trail.Trail) bool { return t.Bucket != b.Name })
	if len(p.trails) == 0 || !writable(b) {
		now := candidate{revision: original(b.Policy), report: report}
		return p.plan(now, p.refuse(now, nil))
	}
	p.blocking = blockingDenies(report)
	now := p.now(report)
	var err error
	if p.documented, err = newDocumented(p.trails, env); err != nil {
		return p.plan(now, p.refuse(now, err))
	}
	best, obstacle := p.restore(now, o.Harden)
	refused := p.refuse(best, obstacle)
	if o.Harden && best.doc != nil {
		var weak []Refusal
		best, weak = p.harden(best)
		refused = append(refused, weak...)
	}
	return p.plan(best, refused)
}

// writable reports whether enough is known of the bucket to write to it.
func writable(b delivery.Bucket) bool {
	return b.State == delivery.PolicyMissing || b.State == delivery.PolicyRead && b.Policy != nil
}

// planner is what one plan is made for. It does not change while that is made, but
// for the budget.
type planner struct {
	bucket      delivery.Bucket
	known       []trail.Trail // all that were given
	trails      []trail.Trail // those that use the bucket
	environment trail.Environment
	options     Options
	documented  *documented // what AWS documents for the trails
	blocking    []int       // indexes of the Denies that block for certain
}

// plan writes down what the candidate changes.
func (p *planner) plan(c candidate, refused []Refusal) Plan {
	out := Plan{Refused: refused, Faults: c.report.Faults, MaybeFaults: c.report.MaybeFaults}
	for _, made := range c.changes {
		if made.at != gone {
			made.Statement = c.doc.Label(made.at)
		}
		out.Changes = append(out.Changes, made.Change)
	}
	if p.bucket.Policy != nil {
		out.Policy = p.bucket.Policy.Text()
	}
	if len(c.changes) > 0 {
		before := out.Policy
		out.Policy = c.doc.Text()
		out.Changed = true
		out.Diff = Diff(before, out.Policy)
	}
	requesterPays := slices.ContainsFunc(c.report.Findings, func(f delivery.Finding) bool { return f.ID == delivery.RequesterPaysID })
	if requesterPays && writable(p.bucket) {
		out.ResetPayer = true
		out.Changes = append(out.Changes, Change{
			Action: "reset-payer",
			Reason: "Requester Pays is set back to BucketOwner, because CloudTrail does not deliver into a bucket whose requester pays.",
		})
	}
	return out
}
