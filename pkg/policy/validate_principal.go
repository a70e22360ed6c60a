package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// grade says whether S3 takes the principal in the policy of a bucket of the partition,
// which may be empty. Whether who it names exists, only S3 can tell, so a name that may
// exist is accepted. S3's answer to one that cannot is "Invalid principal in policy".
//
// Source: "AWS JSON policy elements: Principal" and "IAM identifiers" in the IAM user guide.
func (p Principal) grade(of arn.Partition) grade {
	switch {
	case p.Value == "*" && p.Type == AWS || p.Type == Anyone:
		return accepted
	case p.Value == "" || strings.ContainsAny(p.Value, "*?$") || strings.TrimSpace(p.Value) != p.Value:
		return refused // a wildcard, a variable, white space
	}
	switch p.Type {
	case AWS:
		return awsGrade(p.Value, of)
	case Service:
		return serviceGrade(p.Value, of)
	case CanonicalUser:
		return canonicalGrade(p.Value)
	case Federated:
		return doubtful // not supported in resource-based policies, says Access Analyzer
	case Anyone:
	}
	return accepted
}

// awsGrade is the grade of an account, user, role or session.
func awsGrade(value string, of arn.Partition) grade {
	switch {
	case arn.Account(value).Valid(), isUniqueID(value):
		return accepted
	case canonicalGrade(value) != refused:
		return doubtful // the id of an account, which goes under CanonicalUser
	}
	a, err := arn.Parse(value)
	switch {
	case err != nil, !a.Partition.Valid(), of != "" && a.Partition != of, a.Region != "":
		return refused
	case a.Account == "cloudfront" && strings.HasPrefix(a.Resource, "user/CloudFront Origin Access Identity "):
		return accepted
	case !a.Account.Valid():
		return refused
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch a.Service + ":" + kind {
	case "iam:root":
		if name == "" && kind == a.Resource {
			return accepted
		}
	case "iam:user", "iam:role":
		return identityGrade(name)
	case "iam:saml-provider", "iam:oidc-provider":
		return doubtful // those go under Federated
	case "sts:assumed-role":
		role, session, _ := strings.Cut(name, "/")
		if strings.Contains(session, "/") {
			return refused
		}
		return max(identityGrade(role), identityGrade(session))
	case "sts:federated-user":
		return identityGrade(name)
	}
	return refused
}

// isUniqueID reports whether a principal is an id as S3 shows it in place of a user or role
// that was deleted.
func isUniqueID(value string) bool {
	if len(value) < 16 || len(value) > 128 || value[0] != 'A' {
		return false
	}
	for i := range len(value) {
		if c := value[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// identityGrade is the grade of the name of a user, role or session, with its path.
func identityGrade(name string) grade {
	name = name[strings.LastIndexByte(name, '/')+1:]
	if name == "" {
		return refused
	}
	for i := range len(name) {
		c := name[i]
		letter, digit := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
		if !letter && !digit && strings.IndexByte("_+=,.@-", c) < 0 {
			return refused
		}
	}
	if len(name) > 64 {
		return doubtful
	}
	return accepted
}

// canonicalGrade is the grade of a canonical user id: 64 hexadecimal digits, which AWS
// writes in lower case.
func canonicalGrade(id string) grade {
	lower := strings.ToLower(id)
	if len(id) != 64 || strings.Trim(lower, "0123456789abcdef") != "" {
		return refused
	}
	if id != lower {
		return doubtful
	}
	return accepted
}

// serviceGrade is the grade of a service principal: a name in lower case and a DNS suffix
// of AWS's. Which services there are is not known here, but that there is one CloudTrail.
func serviceGrade(value string, of arn.Partition) grade {
	const cloudTrail = "cloudtrail"
	lower := strings.ToLower(value)
	name, suffix := cutSuffix(lower)
	switch {
	case name == "" || strings.HasPrefix(name, ".") || strings.Contains(name, ".."):
		return refused
	case strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "":
		return refused
	case suffix == "amazon.com" && name == cloudTrail:
		return refused
	case suffix == "amazon.com", value != lower, oneEditApart(name, cloudTrail) && name != cloudTrail:
		return doubtful
	case suffix == "amazonaws.com.cn" && of != "" && of != arn.China, suffix == "amazonaws.eu" && of != "" && of != arn.EuropeanSovereign:
		return doubtful
	}
	return accepted
}

// cutSuffix takes the DNS suffix off a service principal. The name is empty if it has none
// of AWS's.
// Source: the endpoints of AWS's SDKs, by partition; services within AWS have
// "aws.internal", and a few of Amazon's "amazon.com".
func cutSuffix(value string) (name, suffix string) {
	const suffixes = "amazonaws.com amazonaws.com.cn amazonaws.eu c2s.ic.gov sc2s.sgov.gov cloud.adc-e.uk csp.hci.ic.gov aws.internal amazon.com"
	for suffix := range strings.FieldsSeq(suffixes) {
		if name, ok := strings.CutSuffix(value, "."+suffix); ok {
			return name, suffix
		}
	}
	return "", ""
}
