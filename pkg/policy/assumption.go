package policy

// Assumption is an open point of IAM that a decision rests on: AWS does not
// document it, or documents it in two ways.
type Assumption struct {
	ID   string
	Text string
}

// assumptionSet is a set of assumptions, one bit each.
type assumptionSet uint64

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
	assumeNoBoundary
	assumeARNValue
	assumeNullOfSet
	assumeNullWord
	assumeMappedRange
	assumeAddressSpelling
	assumeLetterCase
	assumeDateSpelling
	assumeSignedEpoch
	assumeUnknownKey
	assumeMalformedVariable
	assumeEmptyOperator
	assumeNullEntry
	assumptionsEnd
)

// describe describes the one assumption of the set.
func (a assumptionSet) describe() Assumption {
	// of describes an assumption by a page of the IAM user guide.
	of := func(id, page, text string) Assumption {
		return Assumption{id, text + ": https://docs.aws.amazon.com/IAM/latest/UserGuide/" + page}
	}
	// seen describes one by a file of answers of AWS that a public project recorded.
	seen := func(id, file, text string) Assumption {
		return Assumption{id, text + ": https://github.com/radkawar/stackd/blob/9dc356f5e5cc49d2d334178a09c1398dd1c62617/testdata/aws/iam/" + file}
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
			"NotPrincipal may or may not spare a caller of which it lists some ARNs but not all: account and user, or account, role and session")
	case assumeNoBoundary:
		return of("not-principal-boundary", "reference_policies_elements_notprincipal.html",
			"a user or role that NotPrincipal spares has no permissions boundary; AWS denies one that has, whatever is listed")
	case assumeNotResourceVariable:
		return of("not-resource-without-value", "reference_policies_variables.html",
			"a NotResource entry whose variable has no value exempts nothing from a Deny, and in an Allow may exempt anything")
	case assumeMalformedVariable:
		return of("malformed-variable", "access-analyzer-reference-policy-checks.html",
			"a policy variable that is not spelled as AWS documents it grants nothing, and may stand for anything in a Deny")
	case assumeShortResource:
		return of("short-resource-pattern", "reference_policies_elements_resource.html",
			"a Resource of fewer than six ARN fields may match across fields")
	case assumeNullEntry:
		return of("null-entry", "reference_policies_grammar.html",
			"a null among actions or resources may name nothing or anything")
	case assumeScalarOnSet:
		return of("scalar-operator-on-set", "reference_policies_condition-single-vs-multi-valued-context-keys.html",
			"an operator without ForAllValues or ForAnyValue grants nothing on a key with several values, and may deny")
	case assumeAnyValueIfExists:
		return of("any-value-if-exists", "reference_policies_condition-single-vs-multi-valued-context-keys.html",
			"ForAnyValue with IfExists is false when the key is absent")
	case assumeEmptyValue:
		return of("empty-value", "reference_policies_elements_condition_operators.html",
			"an empty text may or may not be a value to Null and ForAllValues; a key whose value is not known has no empty one")
	case assumeEmptyList:
		return of("empty-condition-list", "access-analyzer-reference-policy-checks.html",
			"a condition without values may be true or false")
	case assumeEmptyOperator:
		return of("empty-unknown-operator", "access-analyzer-reference-policy-checks.html",
			"an operator that AWS does not document may be true or false even if no key stands under it")
	case assumeUnknownKey:
		return of("unknown-condition-key", "access-analyzer-reference-policy-checks.html",
			"a condition key that S3 does not know is in no request; what hangs on it is not granted, and may be denied")
	case assumeNullOfSet:
		return of("null-with-qualifier", "access-analyzer-reference-policy-checks.html",
			"ForAllValues:Null may be true of a key that is there, and ForAnyValue:Null false: Access Analyzer and the policy simulator differ")
	case assumeNullWord:
		return seen("null-word", "condition_values.json",
			`a value of Null other than "true" is read as "false"`)
	case assumeMalformedARN:
		return seen("malformed-arn", "condition_values.json",
			"an ARN operator's value that is no ARN never grants, never spares from a Deny, and may end the list")
	case assumeARNValue:
		return seen("arn-request-value", "condition_values.json",
			"a request value that is no ARN matches no ARN operator of an Allow, negated or not; in a Deny it may")
	case assumeBareStarARN:
		return of("bare-star-arn", "reference_policies_elements_condition_operators.html",
			"the value \"*\" of an ARN operator matches every value")
	case assumeLetterCase:
		return seen("letter-case", "condition_strings.json",
			"IgnoreCase compares texts in lower case, where a final sigma differs and the Kelvin sign is a k")
	case assumeYearOrEpoch:
		return of("year-or-epoch", "reference_policies_elements_condition_operators.html",
			"a date of four digits may be a year or a number of seconds")
	case assumeDateSpelling:
		return of("date-spelling", "reference_policies_elements_condition_operators.html",
			"a date that is close to the documented form may be any moment")
	case assumeSignedEpoch:
		return seen("signed-epoch", "condition_values.json",
			"seconds since 1970 may be written with a sign")
	case assumeHostBits:
		return of("ipv6-host-bits", "access-analyzer-reference-policy-checks.html",
			"an IPv6 range with host bits set may match nothing")
	case assumeMappedRange:
		return seen("ipv4-mapped-range", "condition_ip.json",
			"a range of IPv4 addresses in IPv6 form may not hold the IPv4 address")
	case assumeAddressSpelling:
		return seen("address-spelling", "condition_ip.json",
			"zeros before a number of an address or prefix, and a sign before a prefix, do not matter")
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
