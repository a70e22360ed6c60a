package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

const bucket = "arn:aws:s3:::logs"

// statement writes a good statement with one member put in another's place:
// the text replaces the member of the name, or is added.
func statement(name, text string) string {
	members := []struct{ name, text string }{
		{"Effect", `"Effect":"Allow"`},
		{"Principal", `"Principal":{"Service":"cloudtrail.amazonaws.com"}`},
		{"Action", `"Action":"s3:PutObject"`},
		{"Resource", `"Resource":"arn:aws:s3:::logs/*"`},
		{"", ""},
	}
	var list []string
	for _, m := range members {
		if m.name == name {
			m.text = text
		}
		if m.text != "" {
			list = append(list, m.text)
		}
	}
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(list, ",") + `}]}`
}

func TestFaults(t *testing.T) {
	condition := func(text string) string { return statement("", `"Condition":{`+text+`}`) }
	tests := []struct {
		name, text string
		want       []string
	}{
		{"good", statement("", ""), nil},
		{"leading space", " " + statement("", ""), []string{"Policies must be valid JSON and the first byte must be '{'"}},
		{"no statement", `{"Version":"2012-10-17"}`, []string{"Missing required field Statement"}},
		{"empty statement", `{"Statement":[]}`, []string{"Could not parse the policy: Statement is empty!"}},
		{"statement is a text", `{"Statement":"x"}`, []string{"Invalid policy syntax."}},
		{"list of texts", `{"Statement":["x"]}`, []string{"Invalid policy syntax."}},
		{"version", `{"Version":"2012-10-18","Statement":[]}`, []string{"The policy must contain a valid version string", "Could not parse the policy: Statement is empty!"}},
		{"unknown field", `{"statement":[]}`, []string{"Unknown field statement", "Missing required field Statement"}},
		{"two versions", strings.Replace(statement("", ""), "{", `{"Version":"2012-10-17",`, 1), []string{"Duplicate field Version"}},
		{"two effects", statement("", `"Effect":"Allow"`), []string{"Duplicate field Effect"}},
		{"no effect", statement("Effect", ""), []string{"Missing required field Effect"}},
		{"no principal", statement("Principal", ""), []string{"Missing required field Principal"}},
		{"no action", statement("Action", ""), []string{"Missing required field Action"}},
		{"no resource", statement("Resource", ""), []string{"Missing required field Resource"}},
		{"effect", statement("Effect", `"Effect":"allow"`), []string{"Invalid effect: allow"}},
		{"condition in lower case", statement("", `"condition":{}`), []string{"Unknown field condition"}},
		{"both action elements", statement("", `"NotAction":"s3:GetObject"`), []string{"Invalid policy syntax."}},
		{"both resource elements", statement("", `"NotResource":"arn:aws:s3:::logs/x"`), []string{"Invalid policy syntax."}},
		{"both principal elements", statement("", `"NotPrincipal":{"AWS":"111122223333"}`), []string{"Invalid policy syntax."}},
		{"principal text", statement("Principal", `"Principal":"111122223333"`), []string{"Invalid policy syntax."}},
		{"principal type", statement("Principal", `"Principal":{"service":"cloudtrail.amazonaws.com"}`), []string{"Invalid policy syntax."}},
		{"principal wildcard", statement("Principal", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`), []string{"Invalid principal in policy"}},
		{"service wildcard", statement("Principal", `"Principal":{"Service":"*"}`), []string{"Invalid principal in policy"}},
		{"deleted principal", statement("Principal", `"Principal":{"AWS":"AROAEXAMPLEIDEXAMPLE1"}`), nil},
		{"allow with NotPrincipal", statement("Principal", `"NotPrincipal":{"AWS":"111122223333"}`), []string{"Allow with NotPrincipal is not supported"}},
		{"other bucket", statement("Resource", `"Resource":"arn:aws:s3:::other/*"`), []string{"Policy has invalid resource"}},
		{"longer bucket", statement("Resource", `"Resource":"arn:aws:s3:::logs2/*"`), []string{"Policy has invalid resource"}},
		{"other partition", statement("Resource", `"Resource":"arn:aws-cn:s3:::logs/*"`), []string{"Policy has invalid resource"}},
		{"any partition", statement("Resource", `"Resource":"arn:*:s3:::logs/*"`), nil},
		{"every resource", statement("Resource", `"Resource":"*"`), []string{"Policy has invalid resource"}},
		{"short resource", statement("Resource", `"Resource":"arn:aws:s3*"`), []string{"Policy has invalid resource"}},
		{"variable in resource", statement("Resource", `"Resource":"arn:aws:s3:::logs/AWSLogs/${aws:SourceAccount}/*"`), nil},
		{"resource is a number", statement("Resource", `"Resource":[1]`), []string{"Invalid policy syntax."}},
		{"action of another service", statement("Action", `"Action":"ec2:RunInstances"`), []string{"Policy has invalid action"}},
		{"action without service", statement("Action", `"Action":"PutObject"`), []string{"Policy has invalid action"}},
		{"misspelled action", statement("Action", `"Action":"s3:PutObjct"`), []string{"Policy has invalid action"}},
		{"no action of S3", statement("Action", `"Action":"s3:Frobnicate"`), []string{"Policy has invalid action"}},
		{"action yet to come", statement("Action", `"Action":"s3:GetBucketHologram"`), nil},
		{"bucket action on objects", statement("Action", `"Action":["s3:PutObject","s3:GetBucketAcl"]`), []string{"Action does not apply to any resource(s) in statement"}},
		{"object action on bucket", statement("Resource", `"Resource":"arn:aws:s3:::logs"`), []string{"Action does not apply to any resource(s) in statement"}},
		{"account action", statement("Action", `"Action":"s3:ListAllMyBuckets"`), []string{"Action does not apply to any resource(s) in statement"}},
		{"bucket and objects by wildcard", statement("Resource", `"Resource":"arn:aws:s3:::logs*"`), nil},
		{"every action", statement("Action", `"Action":"s3:*"`), nil},
		{"operator", condition(`"StringLikes":{"aws:SourceArn":"x"}`), []string{"Invalid Condition type : StringLikes"}},
		{"Null with IfExists", condition(`"NullIfExists":{"aws:SourceArn":"true"}`), []string{"Invalid Condition type : NullIfExists"}},
		{"operator case", condition(`"stringEquals":{"aws:SourceArn":"x"}`), []string{"Invalid Condition type : stringEquals"}},
		{"key", condition(`"StringEquals":{"SourceArn":"x"}`), []string{"Policy has an invalid condition key"}},
		{"keys that differ in case", condition(`"StringEquals":{"aws:SourceArn":"x","aws:sourcearn":"y"}`), []string{"Duplicate keys with different case"}},
		{"address", condition(`"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}`), []string{"Invalid IP address in Conditions"}},
		{"number", condition(`"NumericLessThan":{"s3:signatureAge":"few"}`), []string{"Invalid value in Conditions"}},
		{"value is an object", condition(`"StringEquals":{"aws:SourceArn":{}}`), []string{"Invalid policy syntax."}},
		{"operator without keys", condition(`"StringEquals":[]`), []string{"Invalid policy syntax."}},
		{"numbers and booleans", condition(`"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:signatureAge":10}`), nil},
		{"size", statement("", `"Sid":"`+strings.Repeat("x", 20480)+`"`), []string{"Normalized policy document exceeds the maximum allowed size of 20480 bytes"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range d.Faults(bucket) {
				got = append(got, f.Message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%s", test.text, diff)
			}
		})
	}
}

// TestValidate: what S3 refuses for certain, and what it may refuse.
func TestValidate(t *testing.T) {
	condition := func(text string) string { return statement("", `"Condition":{`+text+`}`) }
	principal := func(kind, value string) string {
		return statement("Principal", fmt.Sprintf(`"Principal":{%q:%q}`, kind, value))
	}
	const (
		badPrincipal, badAction, badKey = "Invalid principal in policy", "Policy has invalid action", "Policy has an invalid condition key"
		badValue, badAddress, badFit    = "Invalid value in Conditions", "Invalid IP address in Conditions", "Conditions do not apply to combination of actions and resources in statement"
		badVariable                     = "Invalid policy variable"
	)
	tests := []struct {
		name, text     string
		refused, maybe string // the one fault, or none
	}{
		{"good", statement("", ""), "", ""},
		{"account", principal("AWS", "111122223333"), "", ""},
		{"root", principal("AWS", "arn:aws:iam::111122223333:root"), "", ""},
		{"user with path", principal("AWS", "arn:aws:iam::111122223333:user/team/a.b@c_d"), "", ""},
		{"session", principal("AWS", "arn:aws:sts::111122223333:assumed-role/r/s"), "", ""},
		{"federated user", principal("AWS", "arn:aws:sts::111122223333:federated-user/f"), "", ""},
		{"origin access identity", principal("AWS", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"), "", ""},
		{"id of a deleted user", principal("AWS", "AIDAEXAMPLEIDEXAMPLE1"), "", ""},
		{"canonical id", principal("CanonicalUser", strings.Repeat("0a", 32)), "", ""},
		{"service", principal("Service", "delivery.logs.amazonaws.com"), "", ""},
		{"service of a region", principal("Service", "logs.eu-west-1.amazonaws.com"), "", ""},
		{"nobody", principal("AWS", ""), badPrincipal, ""},
		{"11 digits", principal("AWS", "11112222333"), badPrincipal, ""},
		{"root of 13 digits", principal("AWS", "arn:aws:iam::1111222233334:root"), badPrincipal, ""},
		{"other partition", principal("AWS", "arn:aws-cn:iam::111122223333:root"), badPrincipal, ""},
		{"no partition", principal("AWS", "arn::iam::111122223333:root"), badPrincipal, ""},
		{"root with a name", principal("AWS", "arn:aws:iam::111122223333:root/x"), badPrincipal, ""},
		{"user with a region", principal("AWS", "arn:aws:iam:us-east-1:111122223333:user/x"), badPrincipal, ""},
		{"user without a name", principal("AWS", "arn:aws:iam::111122223333:user/"), badPrincipal, ""},
		{"user with a space", principal("AWS", "arn:aws:iam::111122223333:user/a b"), badPrincipal, ""},
		{"user with a variable", principal("AWS", "arn:aws:iam::111122223333:user/${aws:username}"), badPrincipal, ""},
		{"group", principal("AWS", "arn:aws:iam::111122223333:group/g"), badPrincipal, ""},
		{"function", principal("AWS", "arn:aws:lambda:us-east-1:111122223333:function:f"), badPrincipal, ""},
		{"session of nobody", principal("AWS", "arn:aws:sts::111122223333:assumed-role//s"), badPrincipal, ""},
		{"session of two names", principal("AWS", "arn:aws:sts::111122223333:assumed-role/r/s/t"), badPrincipal, ""},
		{"service under AWS", principal("AWS", "cloudtrail.amazonaws.com"), badPrincipal, ""},
		{"behind it a space", principal("AWS", "111122223333 "), badPrincipal, ""},
		{"very long name", principal("AWS", "arn:aws:iam::111122223333:role/"+strings.Repeat("x", 65)), "", badPrincipal},
		{"canonical id under AWS", principal("AWS", strings.Repeat("0a", 32)), "", badPrincipal},
		{"provider under AWS", principal("AWS", "arn:aws:iam::111122223333:saml-provider/p"), "", badPrincipal},
		{"canonical id in capitals", principal("CanonicalUser", strings.Repeat("0A", 32)), "", badPrincipal},
		{"canonical id with g", principal("CanonicalUser", strings.Repeat("0g", 32)), badPrincipal, ""},
		{"federated", principal("Federated", "cognito-identity.amazonaws.com"), "", badPrincipal},
		{"service of no suffix", principal("Service", "cloudtrail.amazonews.com"), badPrincipal, ""},
		{"service of amazon.com", principal("Service", "cloudtrail.amazon.com"), badPrincipal, ""},
		{"another of amazon.com", principal("Service", "alexa-appkit.amazon.com"), "", badPrincipal},
		{"service without a name", principal("Service", ".amazonaws.com"), badPrincipal, ""},
		{"service with a space", principal("Service", "cloudtrail.amazonaws.com "), badPrincipal, ""},
		{"service in capitals", principal("Service", "CloudTrail.amazonaws.com"), "", badPrincipal},
		{"service misspelt", principal("Service", "cloudtrial.amazonaws.com"), "", badPrincipal},
		{"service of China", principal("Service", "cloudtrail.amazonaws.com.cn"), "", badPrincipal},
		{"action of the API", statement("Action", `"Action":["s3:PutObject","s3:DeleteObjects"]`), badAction, ""},
		{"action of no letters", statement("Action", `"Action":"s3:????"`), badAction, ""},
		{"action yet to come", statement("Action", `"Action":"s3:GetBucketHologram"`), "", badAction},
		{"actions yet to come", statement("Action", `"Action":"s3:GetHolo*"`), "", badAction},
		{"action of any service", statement("Action", `"Action":"*:PutObject"`), "", badAction},
		{"null among actions", statement("Action", `"Action":["s3:PutObject",null]`), "", "Invalid policy syntax."},
		{"null among resources", statement("Resource", `"Resource":["arn:aws:s3:::logs/*",null]`), "", "Invalid policy syntax."},
		{"null for a resource", statement("Resource", `"Resource":null`), "Invalid policy syntax.", ""},
		{"variable in a resource", statement("Resource", `"Resource":"arn:aws:s3:::logs/${ aws:username }"`), "", badVariable},
		{"empty operator", condition(`"StringLikes":{}`), "", "Invalid Condition type : StringLikes"},
		{"null with a quantifier", condition(`"ForAllValues:Null":{"aws:TagKeys":"true"}`), "", ""},
		{"null and another word", condition(`"Null":{"aws:TagKeys":"yes"}`), "", badValue},
		{"null among values", condition(`"StringEquals":{"aws:SourceArn":["x",null]}`), "", "Invalid policy syntax."},
		{"zeros before a number", condition(`"IpAddress":{"aws:SourceIp":"010.0.0.0/8"}`), "", badAddress},
		{"sign before a prefix", condition(`"IpAddress":{"aws:SourceIp":"10.0.0.0/+8"}`), "", badAddress},
		{"near a date", condition(`"DateLessThan":{"aws:CurrentTime":"2026-1-2"}`), "", badValue},
		{"signed seconds", condition(`"DateLessThan":{"aws:CurrentTime":"+1893456000"}`), "", badValue},
		{"no date", condition(`"DateLessThan":{"aws:CurrentTime":"soon"}`), badValue, ""},
		{"no ARN", condition(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:trail/t"}`), "", badValue},
		{"every ARN", condition(`"ArnLike":{"aws:SourceArn":"*"}`), "", ""},
		{"variable in a value", condition(`"StringEquals":{"aws:SourceAccount":"${}"}`), "", badVariable},
		{"no global key", condition(`"StringEquals":{"aws:foo":"x"}`), "", badKey},
		{"no key of S3", condition(`"StringEquals":{"s3:foo":"x"}`), badKey, ""},
		{"key of S3 yet to come", condition(`"StringEquals":{"s3:x-amz-object-hologram":"x"}`), "", badKey},
		{"key of S3 misspelt", condition(`"StringEquals":{"s3:x-amz-acls":"x"}`), badKey, ""},
		{"key of another service", condition(`"StringEquals":{"kms:ViaService":"x"}`), badKey, ""},
		{"key of an instance", condition(`"StringEquals":{"ec2:SourceInstanceARN":"x"}`), "", badKey},
		{"key of a provider", condition(`"StringEquals":{"accounts.google.com:aud":"x"}`), "", badKey},
		{"key of listing", condition(`"StringEquals":{"s3:prefix":"x"}`), badFit, ""},
		{"key of writing", condition(`"StringEquals":{"S3:x-amz-acl":"x"}`), "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			refused, maybe := d.Validate(bucket)
			for _, list := range []struct {
				faults []policy.Fault
				want   string
			}{{refused, test.refused}, {maybe, test.maybe}} {
				got := ""
				if len(list.faults) > 0 {
					got = list.faults[0].Message
				}
				if len(list.faults) > 1 || !strings.HasPrefix(got, list.want) || got != "" && list.want == "" {
					t.Errorf("%s\nfaults %v, want %q", test.text, list.faults, list.want)
				}
			}
		})
	}
}

// TestKeysOfActions: a key of S3 has to go with every action of its statement.
func TestKeysOfActions(t *testing.T) {
	for actions, want := range map[string]string{
		`"s3:PutObject"`:                     "",
		`"s3:GetObject"`:                     "refused",
		`["s3:PutObject","s3:GetObject"]`:    "refused",
		`["s3:PutObject","s3:PutObjectAcl"]`: "",
		`"s3:Put*"`:                          "",
		`"s3:Get*"`:                          "maybe",
		`["s3:PutObject","s3:Get*"]`:         "maybe",
		`"*"`:                                "",
		`["s3:PutObject","s3:PutObjectHologram"]`:       "maybe", // for the action alone
		`["s3:PutObject","s3:AbortMultipartUpload"]`:    "refused",
		`["S3:PUTOBJECT","s3:ReplicateObject","s3:x*"]`: "refused",
	} {
		text := strings.Replace(statement("", `"Condition":{"StringEquals":{"s3:x-amz-acl":"private"}}`), `"s3:PutObject"`, actions, 1)
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		switch refused, maybe := d.Validate(bucket); {
		case len(refused) > 0:
			got = "refused"
		case len(maybe) > 0:
			got = "maybe"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", actions, got, want)
		}
	}
}

func TestFaultsWithoutBucket(t *testing.T) {
	for text, want := range map[string]int{
		statement("Resource", `"Resource":"arn:aws-cn:s3:::other/*"`): 0,
		statement("Resource", `"Resource":"*"`):                       1,
		statement("Resource", `"Resource":"arn:aws:s3:::other"`):      1,
	} {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Faults(""); len(got) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestFaultyStatementsFailClosed: what cannot be read never allows, and never
// spares from a denial.
func TestFaultyStatementsFailClosed(t *testing.T) {
	allow := `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/*"}`
	tests := []struct{ name, statements string }{
		{"effect", strings.Replace(allow, "Allow", "allow", 1)},
		{"unknown element", strings.Replace(allow, "{", `{"Comment":"x",`, 1)},
		{"two actions", strings.Replace(allow, "{", `{"NotAction":"s3:x",`, 1)},
		{"operator", strings.Replace(allow, "{", `{"Condition":{"StringLikes":{"a:b":"c"}},`, 1)},
		{"condition", strings.Replace(allow, "{", `{"Condition":"x",`, 1)},
		{"number", strings.Replace(allow, "{", `{"Condition":{"NumericEquals":{"s3:max-keys":"x"}},`, 1)},
		{"statement", `"x"`},
		{"deny of unknown operator", allow + `,` + strings.Replace(strings.Replace(allow, "Allow", "Deny", 1), "{", `{"Condition":{"StringLikes":{"a:b":"c"}},`, 1)},
		{"deny without principal", allow + `,{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::logs/*"}`},
		{"deny twice", allow + `,{"Effect":"Deny","Principal":"*","Action":"s3:x","Action":"s3:*","Resource":"arn:aws:s3:::logs/*"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + test.statements + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			r := put(policy.NewContext(policy.Value{}).With("s3:max-keys", policy.Is("1")))
			r.Resource = bucket + "/x"
			if got := d.Decide(r); got.Outcome != policy.Undetermined || len(got.Responsible) == 0 {
				t.Errorf("decision %s by %v", got.Outcome, got.Responsible)
			}
			if len(d.Faults(bucket)) == 0 {
				t.Error("no fault is found")
			}
		})
	}
	for _, text := range []string{`{"Version":"x","Statement":[` + allow + `]}`, `{"Statement":[],"Statement":[` + allow + `]}`, fmt.Sprintf(`{"Statement":%q}`, "x")} {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Decide(put(policy.NewContext(policy.Value{}))); got.Outcome != policy.Undetermined {
			t.Errorf("%s: %s", text, got.Outcome)
		}
	}
}
