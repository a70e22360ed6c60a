package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The ids of the findings that are not made of a requirement's id.
const (
	PolicyMissingID      = "policy-missing"
	PolicyUnreadableID   = "policy-unreadable"
	BucketMissingID      = "bucket-missing"
	BucketOwnerChangedID = "bucket-owner-changed"
	RequesterPaysID      = "requester-pays"
	TrailStoppedID       = "trail-stopped"
	TrailDeletedID       = "trail-deleted"
	DeliveryFailingID    = "delivery-failing"
	SourceARNMissingID   = "source-arn-missing"
	LegacyAccountsID     = "legacy-account-principals"
	StaleTrailARNID      = "stale-trail-arn"
)

// DeniedID is the id of the finding that a requirement is denied.
func DeniedID(id trail.RequirementID) string { return string(id) + "-denied" }

// UndeterminedID is the id of the finding that a requirement is left open.
func UndeterminedID(id trail.RequirementID) string { return string(id) + "-undetermined" }

// findings are all findings, in the order of the trails.
func (j *judgement) findings() []Finding {
	if len(j.trails) == 0 {
		return nil
	}
	var out []Finding
	if f, ok := j.bucketFinding(); ok {
		out = append(out, f)
	}
	if j.bucket.Payer == PayerRequester {
		out = append(out, Finding{
			ID: RequesterPaysID, Kind: Outage, Severity: High, Statements: []string{}, Restorable: true,
			Message: fmt.Sprintf("Bucket %s lets the requester pay, and CloudTrail does not deliver to such a bucket (%s).", j.bucket.Name, j.names()),
			Remedy: fmt.Sprintf("Set the payer back: aws s3api put-bucket-request-payment --bucket %s --request-payment-configuration Payer=BucketOwner.",
				j.bucket.Name),
		})
	}
	if j.doc == nil {
		return out
	}
	for _, t := range j.trails {
		for _, e := range j.evaluations[t.ARN] {
			if f, ok := j.requirementFinding(t, e); ok {
				out = append(out, f)
			}
		}
	}
	return append(out, j.weaknesses()...)
}

// bucketFinding is the finding on a bucket whose policy cannot be judged.
func (j *judgement) bucketFinding() (Finding, bool) {
	name := j.bucket.Name
	f := Finding{Kind: Outage, Severity: Critical, Statements: []string{}}
	switch {
	case j.unreadable():
		f.ID, f.Kind, f.Severity = PolicyUnreadableID, Unknown, High
		f.Message = fmt.Sprintf("The policy of bucket %s could not be read%s, so it is not known whether CloudTrail can deliver for %s.",
			name, because(j.bucket.Reason), j.names())
		f.Remedy = "Allow s3:GetBucketPolicy on the bucket to the role that judges it, then judge again."
	case j.bucket.State == PolicyMissing:
		f.ID, f.Restorable = PolicyMissingID, true
		f.Message = fmt.Sprintf("Bucket %s has no policy, so CloudTrail cannot deliver for %s.", name, j.names())
		f.Remedy = "Attach the policy that AWS documents: trailwarden required prints it, trailwarden plan shows the change."
	case j.bucket.State == BucketMissing:
		f.ID = BucketMissingID
		f.Message = fmt.Sprintf("There is no bucket %s, so CloudTrail cannot deliver for %s%s.", name, j.names(), because(j.bucket.Reason))
		f.Remedy = "Create the bucket again in the account that owned it, before someone else takes its name, or give the trails another bucket."
	case j.bucket.State == OtherOwner:
		f.ID = BucketOwnerChangedID
		f.Message = fmt.Sprintf("Bucket %s does not belong to account %s%s, so the files of %s would go to someone else.",
			name, cmp.Or(j.setting.BucketOwner, "that is expected"), because(j.bucket.Reason), j.names())
		f.Remedy = "If it is a bucket of another account of yours, a log archive for example, declare its owner (BucketOwners, or audit --bucket-owners). " +
			"If not, give the trails a bucket that you own: aws cloudtrail update-trail --name TRAIL --s3-bucket-name BUCKET."
	default:
		return Finding{}, false
	}
	return f, true
}

// because adds a reason in brackets.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(reason, ".") + ")"
}

// names lists the bucket's trails for a sentence.
func (j *judgement) names() string {
	var names []string
	for _, t := range j.trails {
		names = append(names, trailName(t))
	}
	if len(names) == 1 {
		return "trail " + names[0]
	}
	return "trails " + list(names)
}

// trailName is what people call a trail; the account tells those of the same
// name apart.
func trailName(t trail.Trail) string {
	if t.Account() == "" {
		return cmp.Or(t.Name, t.ARN)
	}
	return fmt.Sprintf("%s of account %s", cmp.Or(t.Name, t.ARN), t.Account())
}

func (j *judgement) requirementFinding(t trail.Trail, e *evaluation) (Finding, bool) {
	report := e.report(j.doc)
	f := Finding{Trail: t.ARN, Statements: report.Statements}
	why := lowerFirst(report.Why)
	switch e.outcome {
	case policy.ExplicitDeny, policy.ImplicitDeny:
		f.ID, f.Kind, f.Severity = DeniedID(e.ID), Outage, High
		if e.ID == trail.LogFiles {
			f.Severity = Critical
		}
		f.Message = fmt.Sprintf("CloudTrail cannot %s: %s", j.deed(t, e.ID), why)
		if blocking := e.denying(j.doc, true); len(blocking) > 0 {
			f.Remedy, f.Edit = j.exempt(e, blocking)
			f.Statements = statementNames(j.doc, blocking)
			return f, true
		}
		f.Restorable = true
		f.Remedy = j.grant(t, e)
		if n, ok := e.nearest(j.doc); ok && len(f.Statements) == 0 {
			f.Statements = []string{n.Label()}
		}
	case policy.Undetermined, policy.Invalid:
		f.ID, f.Kind, f.Severity = UndeterminedID(e.ID), Unknown, Medium
		f.Message = fmt.Sprintf("Whether CloudTrail can %s is not certain: %s", j.deed(t, e.ID), why)
		f.Remedy, f.Edit = j.settle(e)
	case policy.Allowed:
		return Finding{}, false
	}
	return f, true
}

// deed says what CloudTrail does in a requirement.
func (j *judgement) deed(t trail.Trail, id trail.RequirementID) string {
	name, bucket := trailName(t), j.bucket.Name
	files := func(kind string) string {
		return fmt.Sprintf("write the %s files of trail %s to bucket %s", kind, name, bucket)
	}
	switch id {
	case trail.BucketACL:
		return fmt.Sprintf("check the ACL of bucket %s for trail %s", bucket, name)
	case trail.LogFiles:
		return files("log")
	case trail.DigestFiles:
		return files("digest")
	case trail.InsightsFiles:
		return files("Insights")
	case trail.NetworkActivityFiles:
		return files("network activity")
	case trail.AggregatedFiles:
		return files("aggregated")
	case trail.ManagementAccountFiles:
		return fmt.Sprintf("write to the management account's folder in bucket %s, as making or changing trail %s takes", bucket, name)
	case trail.PreflightMarker:
		return fmt.Sprintf("write its marker to bucket %s, as making or changing trail %s takes", bucket, name)
	}
	return string(id)
}

// grant is the remedy where no statement allows a requirement.
func (j *judgement) grant(t trail.Trail, e *evaluation) string {
	const plan = "trailwarden plan shows the exact change, trailwarden required the policy that AWS documents."
	if n, ok := e.nearest(j.doc); ok && !slices.ContainsFunc(e.decisions, func(r sampleDecision) bool { return r.outcome == policy.Allowed }) {
		for _, part := range n.Parts {
			if part.Match == policy.No && part.Element != "Principal" {
				return fmt.Sprintf("Mend %s of statement %s to fit trail %s, or add the documented statement: %s",
					strings.TrimPrefix(part.Element, "Condition "), shown(n.Label()), t.ARN, plan)
			}
		}
	}
	return fmt.Sprintf("Allow %s on %s to %s for aws:SourceArn %s: %s", e.Action, e.Resource, trail.ServicePrincipal, t.ARN, plan)
}

// settle is the remedy where a requirement is left open, with the edit of the
// Denies that may hit.
func (j *judgement) settle(e *evaluation) (remedy, edit string) {
	if denies := e.denying(j.doc, true); e.guessed && len(denies) > 0 {
		remedy, edit = j.exempt(e, denies)
		return "Say what is not known (the organization's id, a prefix without slashes at its ends), which may settle it. " + remedy, edit
	}
	if e.guessed {
		return "Say what is not known (the organization's id, a prefix without slashes at its ends), or grant all that CloudTrail may write: trailwarden required prints the policy.", ""
	}
	if denies := e.denying(j.doc, false); len(denies) > 0 {
		return j.exempt(e, denies)
	}
	return fmt.Sprintf("Grant it to %s, under condition keys whose values are documented for CloudTrail such as aws:SourceArn: trailwarden required prints the policy.",
		trail.ServicePrincipal), ""
}

// order sorts findings by severity, then by trail as given. Those of a trail
// stay in the order of the requirements.
func order(findings []Finding, trails []trail.Trail) {
	place := func(f Finding) int {
		return slices.IndexFunc(trails, func(t trail.Trail) bool { return t.ARN == f.Trail })
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), cmp.Compare(place(a), place(b)))
	})
}
