package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Refusal is a finding that is not repaired, and why.
type Refusal struct {
	Finding string `json:"finding"`         // finding id
	Trail   string `json:"trail,omitempty"` // ARN of the trail, empty for the bucket as a whole
	Reason  string `json:"reason"`          // plain sentences that a person can act on
	// Edit is, for a blocking Deny, the statement as it would have to read.
	Edit string `json:"edit,omitempty"`
	// asks says that the caller can say what it hangs on.
	asks bool
}

// Refuse returns the refusal of a finding for which there is nothing that a
// plan could change: the trail is stopped or deleted, CloudTrail itself
// reports a failure, or the bucket is not to be written to.
func Refuse(f delivery.Finding) Refusal {
	t, _ := delivery.LookupType(f.ID)
	return Refusal{Finding: f.ID, Trail: f.Trail, Reason: t.Refusal(f), Edit: f.Edit}
}

// RefuseRCPs returns the refusals of what resource control policies deny, or may deny: they are
// not the bucket's, and no policy of a bucket can allow what they deny.
func RefuseRCPs(r delivery.Report) []Refusal {
	var out []Refusal
	for _, f := range r.Findings {
		if t, ok := delivery.LookupType(f.ID); ok && t.Source == delivery.SourceRCP && f.Kind != delivery.Weakness {
			out = append(out, Refuse(f))
		}
	}
	return out
}

// PublicAccessBlocked returns the refusal of a finding whose repair S3 turned
// down because the bucket's policy as a whole is public, by statements that
// are not CloudTrail's, and public policies are blocked.
func PublicAccessBlocked(f delivery.Finding) Refusal {
	return Refusal{Finding: f.ID, Trail: f.Trail, Reason: "S3 refused the policy because Block Public Access is on and the policy holds a public statement, " +
		"as it did before: remove or narrow that statement (Principal \"*\" without a condition that names who may), then restore again."}
}

// WriteDenied returns the refusal of a finding whose repair the caller was not
// allowed to write. The cause is what S3 said.
func WriteDenied(f delivery.Finding, cause string) Refusal {
	return Refusal{Finding: f.ID, Trail: f.Trail, Reason: fmt.Sprintf("S3 refused to take the policy (%s): allow s3:PutBucketPolicy on the bucket to the restoring role; "+
		"look for a service control policy, a permissions boundary, and a Deny in the bucket's own policy.", strings.TrimSuffix(cause, "."))}
}

// refuse returns the refusals of what is wrong or not known with the candidate.
// The obstacle says why the policy was not changed although it should have
// been; nil: nothing stood in the way.
func (p *planner) refuse(c candidate, obstacle error) []Refusal {
	var out []Refusal
	for _, f := range c.report.Findings {
		if f.Kind == delivery.Weakness || f.ID == delivery.RequesterPaysID {
			continue
		}
		r := Refuse(f)
		rr, open := requirement(c.report, f)
		switch questions := p.unsaid(rr); {
		case open && len(questions) > 0:
			r.Reason, r.asks = asked(rr, questions), true
		case open && rr.Perhaps != trail.Certain:
			r.Reason = f.Remedy
		case open && len(rr.Denying) > 0 && c.doc != nil:
			r.Reason = denial(c.doc, rr, f)
			if c.serves(Purpose{Trail: f.Trail, Requirement: rr.ID}) {
				r.Reason = "Restored as far as possible: what was missing is allowed. " + r.Reason
			}
		case obstacle != nil && (open || f.Restorable):
			r.Reason = "The policy is left as it is: " + obstacle.Error() + "."
		case open && p.environment.Organization.ID == "" && p.isOrganizationTrail(f.Trail):
			r.Reason = "The id of the organization is not known, and the path of its files holds it: " +
				"say which organization it is, or let the restoring role call organizations:DescribeOrganization."
		case open:
			r.Reason = "No statement that AWS documents would be certain to allow it. " + rr.Why + " " + f.Remedy
		}
		r.Reason = strings.TrimSpace(r.Reason)
		out = append(out, r)
	}
	return out
}

// serves reports whether a change is made for the purpose.
func (r revision) serves(p Purpose) bool {
	return slices.ContainsFunc(r.changes, func(c madeChange) bool { return slices.Contains(c.Serves, p) })
}

func (p *planner) isOrganizationTrail(arn string) bool {
	return slices.ContainsFunc(p.trails, func(t trail.Trail) bool { return t.ARN == arn && t.Organization })
}

// requirement returns what a finding is about, if it is about one requirement.
func requirement(r delivery.Report, f delivery.Finding) (delivery.RequirementReport, bool) {
	t, _ := delivery.LookupType(f.ID)
	for _, tr := range r.Trails {
		for _, rr := range tr.Requirements {
			if tr.ARN == f.Trail && rr.ID == t.Requirement {
				return rr, true
			}
		}
	}
	return delivery.RequirementReport{}, false
}

// denial is the reason for leaving a requirement that Denies block.
func denial(doc *policy.Document, rr delivery.RequirementReport, f delivery.Finding) string {
	names := make([]string, len(rr.Denying))
	for i, index := range rr.Denying {
		names[i] = delivery.Shown(doc.Label(index))
	}
	verb := "denies"
	if rr.Decision != policy.ExplicitDeny {
		verb = "may deny"
	}
	what := "Statement " + names[0]
	if len(names) > 1 {
		what = "One of the statements " + strings.Join(names, ", ")
	}
	reason := fmt.Sprintf("%s %s it, and a Deny is never edited automatically.", what, verb)
	if f.Edit != "" {
		return reason + " Write the statement as shown to let CloudTrail through and nobody else."
	}
	return reason + " " + f.Remedy
}

// unwritable says why S3 would not take the policy back, whatever is changed
// in it. It holds to what is certain: a policy that was read from S3 was taken
// once.
func unwritable(doc *policy.Document) error {
	for i, st := range doc.All() {
		if st.Principals.Not && st.Effect == policy.Allow {
			return fmt.Errorf("statement %s allows with NotPrincipal, which S3 no longer takes; write it with Principal", delivery.Shown(doc.Label(i)))
		}
		gone := slices.IndexFunc(st.Principals.Entries, func(e policy.Principal) bool {
			return e.Type == policy.AWS && deleted(e.Value)
		})
		if gone >= 0 {
			return fmt.Errorf("statement %s names the principal %s, which was deleted since, so that S3 refuses the policy with \"Invalid principal in policy\"; "+
				"remove it from the statement", delivery.Shown(doc.Label(i)), st.Principals.Entries[gone].Value)
		}
	}
	return nil
}

// deleted reports whether a principal is the id of a user or role, which is
// how S3 shows one that is gone.
// Source: AmazonS3 userguide, security_iam_service-with-iam.html.
func deleted(principal string) bool {
	return (strings.HasPrefix(principal, "AIDA") || strings.HasPrefix(principal, "AROA")) &&
		!strings.ContainsAny(principal, ":/")
}

// tooLarge says that a policy without white space is over the limit, and what
// of it takes the most room.
func tooLarge(doc *policy.Document) error {
	n, largest := len(doc.Text()), 0
	for i := range doc.Len() {
		if len(doc.StatementText(i)) > len(doc.StatementText(largest)) {
			largest = i
		}
	}
	return fmt.Errorf("restored, it would have %d bytes without white space, and S3 takes %d; shorten it by %d bytes or more (its largest statement is %s with %d)",
		n, MaxPolicySize, n-MaxPolicySize, delivery.Shown(doc.Label(largest)), len(doc.StatementText(largest)))
}
