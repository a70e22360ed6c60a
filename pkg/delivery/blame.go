package delivery

import (
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// The API calls that can bring findings about, by what they change. Sources: the
// API references of Amazon S3, AWS CloudTrail and AWS Organizations.

// policyCalls change what the bucket's policy says, or what bucket it is.
func policyCalls() []string {
	return []string{"PutBucketPolicy", "DeleteBucketPolicy", "DeleteBucket", "CreateBucket"}
}

// trailCalls change where a trail delivers to, and what it delivers.
func trailCalls() []string { return []string{"CreateTrail", "UpdateTrail"} }

// organizationCalls take an organization's trails away from a member.
func organizationCalls() []string {
	return []string{
		"DisableAWSServiceAccess", "LeaveOrganization", "RemoveAccountFromOrganization", "CloseAccount", "AccountDepartedOrganization",
	}
}

// CanBringAbout reports whether a call can have brought a finding about: whether
// it changes what the finding rests on, and in that direction. A call that
// failed changed nothing. Of a finding of another version nothing is known.
func CanBringAbout(c Change, f Finding) bool {
	known, ok := LookupType(f.ID)
	if !ok {
		return c.ErrorCode == ""
	}
	if c.ErrorCode != "" || !slices.Contains(known.Causes, c.Event) {
		return false
	}
	return c.Event != "PutBucketRequestPayment" || c.Effect != PayerOwner
}

// Culprits are those of the calls that can have brought about one of the
// findings that are no weakness, in their order. Where there is no such finding
// all calls are returned: what is right again was set right by one of them.
func Culprits(calls []Change, findings []Finding) []Change {
	wrong := slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Kind == Weakness })
	if len(wrong) == 0 {
		return calls
	}
	return slices.DeleteFunc(slices.Clone(calls), func(c Change) bool {
		return !slices.ContainsFunc(wrong, func(f Finding) bool { return CanBringAbout(c, f) })
	})
}

// causesOf are the calls that can bring about that a requirement is not met. A
// kind of files is asked for by more calls than one.
func causesOf(id trail.RequirementID) []string {
	calls := append(policyCalls(), trailCalls()...)
	switch id {
	case trail.InsightsFiles:
		return append(calls, "PutInsightSelectors")
	case trail.NetworkActivityFiles:
		return append(calls, "PutEventSelectors")
	case trail.AggregatedFiles:
		return append(calls, "PutEventSelectors", "PutEventConfiguration")
	case trail.BucketACL, trail.LogFiles, trail.DigestFiles, trail.ManagementAccountFiles, trail.PreflightMarker:
	}
	return calls
}
