package policy

// Assumption is an open point of IAM that a decision rests on: AWS does not
// document it, or documents it in two ways.
type Assumption struct {
	ID   string
	Text string
}

// notes is a set of assumptions.
type notes uint32

// The assumptions, each described in [notes.list].
const (
	noteAWSStar notes = 1 << iota
	noteRegionalService
	noteServiceCase
	notePerhaps
	noteNotPrincipal
	noteNotResourceVariable
	noteShortResource
	noteScalarOnSet
	noteAnyValueIfExists
	noteEmptyValue
	noteEmptyList
	noteMalformedARN
	noteBareStarARN
	noteYearOrEpoch
	noteHostBits
	noteUnreadable
	noteEnd
)

const iamGuide = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

// assumption describes one note.
func (n notes) assumption() Assumption {
	switch n {
	case noteAWSStar:
		return Assumption{"aws-star-matches-services", `Principal {"AWS":"*"} matches AWS services as "*" does: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html`}
	case noteRegionalService:
		return Assumption{"regional-service-principal", "a service may act under the name of its Region; AWS documents that for opt-in Regions only: " + iamGuide + "reference_policies_elements_principal.html"}
	case noteServiceCase:
		return Assumption{"service-principal-case", "a service principal spelled in other letter case may or may not match: " + iamGuide + "reference_policies_elements_principal.html"}
	case notePerhaps:
		return Assumption{"acts-as-other-principal", "the caller may or may not act as another principal that the statement names: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"}
	case noteNotPrincipal:
		return Assumption{"not-principal-account", "NotPrincipal exempts a role or user for certain only where its account is listed too: " + iamGuide + "reference_policies_elements_notprincipal.html"}
	case noteNotResourceVariable:
		return Assumption{"not-resource-without-value", "a NotResource entry whose variable has no value exempts nothing: " + iamGuide + "reference_policies_variables.html"}
	case noteShortResource:
		return Assumption{"short-resource-pattern", "a Resource of fewer than six ARN fields may match across fields: " + iamGuide + "reference_policies_elements_resource.html"}
	case noteScalarOnSet:
		return Assumption{"scalar-operator-on-set", "an operator without ForAllValues or ForAnyValue grants nothing on a key with several values, and may deny: " + iamGuide + "reference_policies_condition-single-vs-multi-valued-context-keys.html"}
	case noteAnyValueIfExists:
		return Assumption{"any-value-if-exists", "ForAnyValue with IfExists is false when the key is absent: " + iamGuide + "reference_policies_condition-single-vs-multi-valued-context-keys.html"}
	case noteEmptyValue:
		return Assumption{"empty-value", "an empty text is a present value for Null, and an empty set for ForAllValues: " + iamGuide + "reference_policies_elements_condition_operators.html"}
	case noteEmptyList:
		return Assumption{"empty-condition-list", "a condition without values may be true or false: " + iamGuide + "access-analyzer-reference-policy-checks.html"}
	case noteMalformedARN:
		return Assumption{"malformed-arn", "an ARN operator's value that is no ARN never grants, and never spares from a Deny: " + iamGuide + "reference_policies_elements_condition_operators.html"}
	case noteBareStarARN:
		return Assumption{"bare-star-arn", "the value \"*\" of an ARN operator matches every value: " + iamGuide + "reference_policies_elements_condition_operators.html"}
	case noteYearOrEpoch:
		return Assumption{"year-or-epoch", "a date of four digits may be a year or a number of seconds: " + iamGuide + "reference_policies_elements_condition_operators.html"}
	case noteHostBits:
		return Assumption{"ipv6-host-bits", "an IPv6 range with host bits set may match nothing: " + iamGuide + "access-analyzer-reference-policy-checks.html"}
	case noteUnreadable:
		return Assumption{"unreadable-request-value", "a request value that the operator cannot read equals nothing; one that is no address matches neither IpAddress nor NotIpAddress: " + iamGuide + "reference_policies_elements_condition_operators.html"}
	case noteEnd:
	}
	return Assumption{}
}

// list returns the assumptions of the set.
func (n notes) list() []Assumption {
	var out []Assumption
	for one := notes(1); one != 0 && one < noteEnd; one <<= 1 {
		if n&one != 0 {
			out = append(out, one.assumption())
		}
	}
	return out
}
