package delivery

import (
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
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

// keyPolicyCalls change what a key's policy says, and keyStateCalls what else a key needs to
// encrypt. Sources: the API references of AWS KMS and Amazon SNS.
func keyPolicyCalls() []string { return []string{"PutKeyPolicy"} }

func keyStateCalls() []string {
	return []string{"DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial"}
}

// rcpCalls change what resource control policies say, or whom they are for: AWS Organizations
// records them in the management account.
func rcpCalls() []string {
	return []string{"AttachPolicy", "UpdatePolicy", "EnablePolicyType", "MoveAccount", "AcceptHandshake"}
}

// topicCalls change a topic's policy or key, or whether there is the topic.
func topicCalls() []string {
	return []string{"SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "CreateTopic"}
}

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
	ofTrail := known.Source == SourceTrails || known.Source == SourceStatus
	switch {
	case ofTrail && !sameTrail(c.Trail, f.Trail):
		return false
	case known.Source == SourceKey && c.Chain != "" && f.Chain != "" && c.Chain != f.Chain: // another key
		return false
	case c.Event == "PutBucketRequestPayment":
		return c.Effect != PayerOwner
	case f.ID == TrailSilentID:
		return c.Effect == "" || c.takes(PartWrites)
	case f.ID == TrailCoversLessID:
		return c.canTakeOneOf(f.Lost)
	}
	return true
}

// PartWrites is, in the effect of PutEventSelectors, that management write events are
// not logged.
const PartWrites trail.Part = "management-writes"

// EffectNothing is the effect of a call on a trail that takes nothing away.
const EffectNothing = "nothing"

// TakesAway is the effect of a call on a trail that takes parts away from what it
// covers.
func TakesAway(parts ...trail.Part) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, string(p))
	}
	if len(texts) == 0 {
		return EffectNothing
	}
	return strings.Join(texts, ", ")
}

// StillCovers reports whether a trail, as it is listed, has what the call says that it
// takes away: the list lags behind the call.
func StillCovers(c Change, t trail.Trail) bool {
	covers := t.Coverage()
	has := map[trail.Part]bool{
		trail.PartMembers: covers.Organization, trail.PartRegions: covers.MultiRegion, trail.PartGlobal: covers.GlobalEvents,
		trail.PartValidation: covers.Validation, trail.PartKey: covers.KMSKeyID != "",
	}
	return slices.ContainsFunc(trail.Parts(), func(p trail.Part) bool { return has[p] && c.takes(p) })
}

func (c Change) takes(p trail.Part) bool {
	return slices.Contains(strings.Split(c.Effect, ", "), string(p))
}

// canTakeOneOf reports whether the call can have taken away one of the parts: it
// says so, or it does not say what it did and changes such parts. None means
// that they are not known.
func (c Change) canTakeOneOf(parts []trail.Part) bool {
	if c.Effect == EffectNothing {
		return false
	}
	can := func(p trail.Part) bool {
		ofSelectors := p == trail.PartManagement
		switch {
		case c.Effect != "":
			return c.takes(p) || ofSelectors && c.takes(PartWrites)
		case c.Event == "PutEventSelectors":
			return ofSelectors
		}
		return !ofSelectors
	}
	return len(parts) == 0 || slices.ContainsFunc(parts, can)
}

// sameTrail reports whether a call's trail, a name or an ARN, may be that of a
// finding.
func sameTrail(called, found string) bool {
	if called == "" || found == "" || called == found {
		return true
	}
	if arn.IsTrail(called) {
		return false
	}
	_, name, _ := strings.Cut(arn.Split(found).Resource, "/")
	return called == name
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
	case trail.KeyEncrypt, trail.KeyDescribe, trail.KeyDecrypt, trail.TopicPublish, trail.TopicKey: // see [ofKey]
	case trail.BucketACL, trail.LogFiles, trail.DigestFiles, trail.ManagementAccountFiles, trail.PreflightMarker:
	}
	return calls
}
