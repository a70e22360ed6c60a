package policy

// Assumption is an open point of IAM that a decision rests on: AWS does not
// document it, or documents it in two ways.
type Assumption struct {
	ID   string
	Text string
}

// assumptionSet is a set of assumptions, one bit each.
type assumptionSet uint32

// The assumptions, each described by [assumptionSet.describe].
const (
	assumeAWSStar assumptionSet = 1 << iota
	assumeRegionalService
	assumeServiceCase
	assumePossiblePrincipal
	assumeNotPrincipal
	assumeNotResourceVariable
	assumeShortResource
	assumeScalarOnSet
	assumeAnyValueIfExists
	assumeEmptyValue
	assumeEmptyList
	assumeMalformedARN
	assumeBareStarARN
	assumeYearOrEpoch
	assumeHostBits
	assumeUnreadable
	assumptionsEnd
)

// describe describes the one assumption of the set.
func (a assumptionSet) describe() Assumption {
	// of describes an assumption by a page of the IAM user guide.
	of := func(id, page, text string) Assumption {
		return Assumption{id, text + ": https://docs.aws.amazon.com/IAM/latest/UserGuide/" + page}
	}
	switch a {
	case assumeAWSStar:
		return Assumption{
			"aws-star-matches-services",
			`Principal {"AWS":"*"} matches AWS services as "*" does: ` +
				"https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html",
		}
	case assumePossiblePrincipal:
		return Assumption{
			"acts-as-other-principal",
			"the caller may or may not act as another principal that the statement names: " +
				"https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html",
		}
	case assumeRegionalService:
		return of("regional-service-principal", "reference_policies_elements_principal.html",
			"a service may act under the name of its Region; AWS documents that for opt-in Regions only")
	case assumeServiceCase:
		return of("service-principal-case", "reference_policies_elements_principal.html",
			"a service principal spelled in other letter case may or may not match")
	case assumeNotPrincipal:
		return of("not-principal-account", "reference_policies_elements_notprincipal.html",
			"NotPrincipal exempts a role or user for certain only where its account is listed too")
	case assumeNotResourceVariable:
		return of("not-resource-without-value", "reference_policies_variables.html",
			"a NotResource entry whose variable has no value exempts nothing")
	case assumeShortResource:
		return of("short-resource-pattern", "reference_policies_elements_resource.html",
			"a Resource of fewer than six ARN fields may match across fields")
	case assumeScalarOnSet:
		return of("scalar-operator-on-set", "reference_policies_condition-single-vs-multi-valued-context-keys.html",
			"an operator without ForAllValues or ForAnyValue grants nothing on a key with several values, and may deny")
	case assumeAnyValueIfExists:
		return of("any-value-if-exists", "reference_policies_condition-single-vs-multi-valued-context-keys.html",
			"ForAnyValue with IfExists is false when the key is absent")
	case assumeEmptyValue:
		return of("empty-value", "reference_policies_elements_condition_operators.html",
			"an empty text is a present value for Null, and an empty set for ForAllValues")
	case assumeEmptyList:
		return of("empty-condition-list", "access-analyzer-reference-policy-checks.html",
			"a condition without values may be true or false")
	case assumeMalformedARN:
		return of("malformed-arn", "reference_policies_elements_condition_operators.html",
			"an ARN operator's value that is no ARN never grants, and never spares from a Deny")
	case assumeBareStarARN:
		return of("bare-star-arn", "reference_policies_elements_condition_operators.html",
			"the value \"*\" of an ARN operator matches every value")
	case assumeYearOrEpoch:
		return of("year-or-epoch", "reference_policies_elements_condition_operators.html",
			"a date of four digits may be a year or a number of seconds")
	case assumeHostBits:
		return of("ipv6-host-bits", "access-analyzer-reference-policy-checks.html",
			"an IPv6 range with host bits set may match nothing")
	case assumeUnreadable:
		return of("unreadable-request-value", "reference_policies_elements_condition_operators.html",
			"a request value that the operator cannot read equals nothing; one that is no address matches neither IpAddress nor NotIpAddress")
	case assumptionsEnd:
	}
	return Assumption{}
}

// list returns the assumptions of the set.
func (a assumptionSet) list() []Assumption {
	var out []Assumption
	for one := assumptionSet(1); one != 0 && one < assumptionsEnd; one <<= 1 {
		if a&one != 0 {
			out = append(out, one.describe())
		}
	}
	return out
}
