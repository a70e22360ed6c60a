// Package repair works out the smallest change of a bucket's policy that lets
// CloudTrail deliver again, or says why there is none.
//
// A plan is proved before it is returned: the policy that it would write is
// judged again, and every statement that it does not mean to change is
// compared byte for byte. What cannot be proved is not planned.
//
// Everything here is pure: data in, data out.
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
	// Harden also binds unbound CloudTrail grants to their trails and replaces
	// legacy account principals.
	Harden bool
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
}

// Empty reports whether carrying out the plan would write nothing.
func (p Plan) Empty() bool { return !p.Changed && !p.ResetPayer }

// Change is one change of a plan.
type Change struct {
	Action    string `json:"action"`    // "add", "mend", "merge", "harden", "reset-payer"
	Statement string `json:"statement"` // Sid, or "#" and index in the new policy; empty for the payer
	Reason    string `json:"reason"`    // one plain sentence for each need
}

// For works out what would let CloudTrail deliver the trails' files into the
// bucket. It never fails: what cannot be done is refused. Trails that use
// another bucket are ignored. The report is what [delivery.Judge] says of the
// same bucket, trails and environment.
//
// A requirement that is undetermined only because no statement allows it for
// certain is restored like one that is denied. One that a Deny denies, or may
// deny, gets the grant that it lacks only if that brings it nearer to allowed.
func For(b delivery.Bucket, trails []trail.Trail, s trail.Environment, report delivery.Report, o Options) Plan {
	s.Bucket = b.Name
	s.BucketOwner = cmp.Or(s.BucketOwner, b.Owner)
	s.BucketRegion = cmp.Or(s.BucketRegion, b.Region)
	p := &planner{bucket: b, setting: s, known: trails, report: report}
	p.trails = slices.DeleteFunc(slices.Clone(trails), func(t trail.Trail) bool { return t.Bucket != b.Name })
	if len(p.trails) == 0 || !writable(b) {
		return p.plan(p.current(), p.refuse(p.current()))
	}
	got := p.restore()
	refused := p.refuse(got)
	if o.Harden && got.doc != nil {
		var weak []Refusal
		got, weak = p.harden(got)
		refused = append(refused, weak...)
	}
	return p.plan(got, refused)
}

// writable reports whether enough is known of the bucket to write to it.
func writable(b delivery.Bucket) bool {
	return b.State == delivery.PolicyMissing || b.State == delivery.PolicyRead && b.Policy != nil
}

// planner works out one plan.
type planner struct {
	bucket  delivery.Bucket
	setting trail.Environment
	known   []trail.Trail // all that were given
	trails  []trail.Trail // those that use the bucket
	report  delivery.Report
	// obstacle says why the policy could not be changed although it should
	// have been. Empty: nothing stood in the way.
	obstacle string
}

// state is a policy, what it came about by and how it is judged.
type state struct {
	doc     *policy.Document // nil: no policy
	report  delivery.Report
	changes []Change
}

func (p *planner) current() state { return state{doc: p.bucket.Policy, report: p.report} }

func (p *planner) plan(now state, refused []Refusal) Plan {
	out := Plan{Changes: now.changes, Refused: refused}
	var before []byte
	if p.bucket.Policy != nil {
		before = p.bucket.Policy.Text()
	}
	out.Policy = before
	if len(now.changes) > 0 {
		out.Policy = now.doc.Text()
		out.Changed = true
		out.Diff = Diff(before, out.Policy)
	}
	if p.resetsPayer() {
		out.ResetPayer = true
		out.Changes = append(out.Changes, Change{
			Action: "reset-payer",
			Reason: "Requester Pays is set back to BucketOwner, because CloudTrail does not deliver into a bucket whose requester pays.",
		})
	}
	return out
}

func (p *planner) resetsPayer() bool {
	return writable(p.bucket) && slices.ContainsFunc(p.report.Findings, func(f delivery.Finding) bool { return f.ID == delivery.RequesterPaysID })
}

// judge judges the bucket with another policy.
func (p *planner) judge(doc *policy.Document) delivery.Report {
	b := p.bucket
	b.State, b.Policy = delivery.PolicyRead, doc
	return delivery.Judge(b, p.known, p.setting)
}
