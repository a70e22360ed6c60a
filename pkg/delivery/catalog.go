package delivery

import (
	"cmp"
	"slices"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// FindingType is what is known of a finding before it is found. Everything that
// differs from finding to finding by its id, here and in other packages, is
// decided by these fields and never by the text of the id.
type FindingType struct {
	// ID names the type: "log-files-denied". It is the heading in
	// docs/findings.md, and part of the JSON of commands and alerts.
	ID string
	// Family is what types have in common that differ in their requirement only:
	// [DeniedFamily], [UndeterminedFamily] and those of keys. It is the ID of any other type.
	Family string
	// Requirement is what a type of a family is about, empty for any other.
	Requirement trail.RequirementID
	// Title says what it is about in a few words, without a full stop.
	Title string

	// Kind and Severity are the usual ones. OtherKinds and OtherSeverities are those
	// that a finding may have instead, and then says itself.
	Kind            Kind
	OtherKinds      []Kind
	Severity        Severity
	OtherSeverities []Severity
	Source          Source
	Loss            Loss
	Restored        Restored
	// Causes are the API calls that can bring it about, by their event names. A
	// call that is not among them is never to blame for it. None: no call of
	// which events tell.
	Causes []string
	// Controls are the controls of standards that ask for what an outage takes away,
	// as "CIS AWS Foundations Benchmark v1.4.0/3.1".
	Controls []string
	// Symptom says that the finding only shows what others explain: CloudTrail
	// has met it, minutes later, and reports it until its next delivery.
	Symptom bool
	// OfPlan says that it is about a change that is only planned: it is found in no account.
	OfPlan bool
	// UntilFile says that it stands, once told, until the next file of the trail arrives: what it
	// was concluded from may be known no more.
	UntilFile bool
	// AlwaysTold says that the team is told of it even where it is a weakness.
	AlwaysTold bool

	// refusal says why a plan leaves the finding as it is. See [FindingType.Refusal].
	refusal func(Finding) string
	// find finds it in the bucket and its policy, findStatus in what CloudTrail
	// reports of a trail that uses the bucket, findCoverage in what such a trail
	// records. What is about a key or topic is found by [chainPart.findings], and what about
	// resource control policies by [chainPart.rcpFindings]. Message, Remedy and what else differs from case to case are set;
	// complete adds the rest.
	find       func(*judgement) []Finding
	findStatus func(TrailReport, trail.Status) []Finding
	// findEvidence finds it in what CloudTrail reports, held against what must have been written.
	findEvidence func(TrailReport, trail.Trail, trail.Status, Evidence) []Finding
	findCoverage func(trail.Trail, Surroundings) []Finding
	// findUnused finds it in a bucket that no known trail uses ([JudgeUnused]).
	findUnused func(*judgement) []Finding
}

// Source is what a finding is read from.
type Source string

// The sources.
const (
	SourceBucket Source = "bucket" // the bucket, or that there is none
	SourcePolicy Source = "policy" // the statements of its policy
	SourceKey    Source = "key"    // a trail's KMS key and its policy
	SourceTopic  Source = "topic"  // a trail's topic, its policy and its key
	SourceRCP    Source = "rcp"    // resource control policies of the account
	SourceTrails Source = "trails" // which trails there are, and what they record
	SourceStatus Source = "status" // what CloudTrail reports of a trail
)

// Loss is what is lost while an outage lasts.
type Loss string

// The losses, from small to great.
const (
	LossNone     Loss = "none"      // it is no outage
	LossPart     Loss = "part"      // something other than log files
	LossCoverage Loss = "coverage"  // a part of what was recorded before, or what guards it
	LossLogFiles Loss = "log-files" // log files do not arrive; CloudTrail tries again for 30 days
	LossWrites   Loss = "writes"    // no management write events are recorded
	LossEvents   Loss = "events"    // nothing is recorded
)

// Restored says when a plan sets right what is found, in the words of
// docs/findings.md.
type Restored string

// The cases. A finding says whether it is restorable where it depends.
const (
	RestoredNever        Restored = "no"
	RestoredAlways       Restored = "yes"
	RestoredUnlessDenied Restored = "yes if no statement allows it; no if a statement denies it"
	RestoredIfNotAllowed Restored = "only what no statement allows for certain, and no statement may deny"
	RestoredByHardening  Restored = "only when hardening is on"
)

// Catalog returns all types of findings. Those of one severity and trail are
// found and told in its order.
func Catalog() []FindingType {
	types := []FindingType{
		policyMissingType(),
		policyUnreadableType(),
		policyTooComplexType(),
		valuesUnknownType(),
		policyContestedType(),
		bucketMissingType(),
		bucketOwnerChangedType(),
		requesterPaysType(),
		expectedShutOutType(),
		sourceARNMissingType(),
		legacyAccountsType(),
		staleTrailARNType(),
		trailBeforePolicyType(),
		trailRemovedType(),
		grantWithoutTrailType(),
		backlogDeniedType(),
		grantExpiresType(),
		newRegionsNotGrantedType(),
		noTrailType(),
		accountsUnreadType(),
		forwardingSilentType(),
		trailStoppedType(),
		trailSilentType(),
		trailDeletedType(),
		trailCoversLessType(),
		trailNotStartedType(),
		deliveryFailingType(),
		logsDeliveryFailingType(),
		deliveryStaleType(),
	}
	for i := range types {
		types[i].Family = types[i].ID
	}
	requirements := trail.RequirementIDs()
	types = slices.Grow(types, 2*len(requirements))
	for _, id := range requirements {
		types = append(types, deniedType(id), undeterminedType(id))
	}
	types = append(types, keyEncryptDeniedType(), keyEncryptUndeterminedType(), keyDescribeDeniedType(), keyDecryptDeniedType())
	for _, t := range []FindingType{keyUnusableType(), keyUnreadableType(), notificationFailingType(), notificationUndeterminedType(), rcpDeniedType(), rcpUndeterminedType()} {
		t.Family = t.ID
		types = append(types, t)
	}
	for i := range types {
		types[i].Controls = controlsOf(types[i])
	}
	return types
}

// LookupType returns the type with an id. Ok is false if there is none: the finding
// was made by another version.
func LookupType(id string) (t FindingType, ok bool) {
	for _, t := range Catalog() {
		if t.ID == id {
			return t, true
		}
	}
	return FindingType{}, false
}

// Refusal says in plain sentences why a plan leaves a finding of the type as it
// is, where the reason lies in the finding and not in the policy.
func (t FindingType) Refusal(f Finding) string {
	if t.refusal == nil {
		return "There is nothing to restore. " + f.Remedy
	}
	return t.refusal(f)
}

// complete adds to a finding what the type says of all.
func (t FindingType) complete(f Finding) Finding {
	f.ID, f.Kind, f.Severity = t.ID, cmp.Or(f.Kind, t.Kind), cmp.Or(f.Severity, t.Severity)
	f.Restorable = f.Restorable || t.Restored == RestoredAlways
	if f.Statements == nil {
		f.Statements = []string{}
	}
	return f
}
