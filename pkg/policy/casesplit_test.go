package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

// document writes a policy of statements for CloudTrail's writes, each given
// as effect and Condition element.
func document(t *testing.T, statements ...string) *policy.Document {
	t.Helper()
	var list []string
	for _, s := range statements {
		effect, condition, _ := strings.Cut(s, " ")
		list = append(list, fmt.Sprintf(`{"Effect":%q,"Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{%s}}`, effect, condition))
	}
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(c policy.Context) *policy.Request {
	return &policy.Request{
		Caller:   policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}},
		Action:   "s3:PutObject",
		Resource: "arn:aws:s3:::b/AWSLogs/x",
		Context:  c,
	}
}

func TestUnknownKeys(t *testing.T) {
	either, present := policy.Value{State: policy.Either}, policy.Value{State: policy.Present}
	tests := []struct {
		name       string
		statements []string
		key        string
		value      policy.Value
		want       policy.Outcome
	}{
		{"every text", []string{`Allow "StringEquals":{"k:k":"a"}`, `Allow "StringNotEquals":{"k:k":"a"}`}, "k:k", either, policy.Allowed},
		{"every text but absence", []string{`Allow "StringLike":{"k:k":"a*"}`, `Allow "StringNotLike":{"k:k":"a*"},"Null":{"k:k":"false"}`}, "k:k", either, policy.Undetermined},
		{"every text when present", []string{`Allow "StringLike":{"k:k":"a*"}`, `Allow "StringNotLike":{"k:k":"a*"},"Null":{"k:k":"false"}`}, "k:k", present, policy.Allowed},
		{"patterns that cover", []string{`Allow "StringLike":{"k:k":"*"}`}, "k:k", present, policy.Allowed},
		{"contained pattern", []string{`Allow "StringLike":{"k:k":"a*"},"StringNotLike":{"k:k":"*"}`}, "k:k", either, policy.ImplicitDeny},
		{"two cases of a letter", []string{`Allow "StringEqualsIgnoreCase":{"k:k":"a"},"StringNotEquals":{"k:k":["a","A"]},"Null":{"k:k":"false"}`}, "k:k", either, policy.ImplicitDeny},
		{"arn and string", []string{`Allow "ArnLike":{"k:k":"arn:aws:s:*:1:x"},"StringNotLike":{"k:k":"arn:*"}`}, "k:k", either, policy.ImplicitDeny},
		{"arn field holds no colon", []string{`Allow "ArnLike":{"k:k":"arn:aws:*:r:1:x"},"StringLike":{"k:k":"arn:aws:a:b:r:1:x"}`}, "k:k", either, policy.ImplicitDeny},
		{"boolean key", []string{`Allow "Bool":{"aws:SecureTransport":"true"}`, `Allow "StringEquals":{"aws:SecureTransport":"false"}`}, "aws:SecureTransport", present, policy.Allowed},
		{"boolean operator", []string{`Allow "Bool":{"k:k":"true"}`, `Allow "Bool":{"k:k":"false"}`}, "k:k", present, policy.Allowed},
		{"numbers", []string{`Allow "NumericLessThan":{"s3:max-keys":"5"}`, `Allow "NumericGreaterThan":{"s3:max-keys":"4.5"}`}, "s3:max-keys", present, policy.Allowed},
		{"numbers with a gap", []string{`Allow "NumericLessThan":{"s3:max-keys":"5"}`, `Allow "NumericGreaterThan":{"s3:max-keys":"5"}`}, "s3:max-keys", present, policy.Undetermined},
		{"perhaps no number", []string{`Allow "NumericLessThan":{"k:k":"5"}`, `Allow "NumericGreaterThanEquals":{"k:k":"5"}`}, "k:k", present, policy.Undetermined},
		{"dates", []string{`Allow "DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`, `Allow "DateGreaterThanEquals":{"aws:CurrentTime":"1893456000"}`}, "aws:CurrentTime", present, policy.Allowed},
		{"dates with a gap", []string{`Allow "DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`, `Allow "DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`}, "aws:CurrentTime", present, policy.Undetermined},
		{"addresses", []string{`Allow "IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, `Allow "NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`}, "aws:SourceIp", either, policy.Allowed},
		{"both families", []string{`Allow "IpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}`}, "aws:SourceIp", present, policy.Allowed},
		{"one family", []string{`Allow "IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}`}, "aws:SourceIp", present, policy.Undetermined},
		{"nested ranges", []string{`Allow "IpAddress":{"aws:SourceIp":"10.1.0.0/16"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`}, "aws:SourceIp", present, policy.ImplicitDeny},
		{"sets", []string{`Allow "ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, `Allow "ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}`}, "aws:TagKeys", either, policy.Allowed},
		{"absence of a set", []string{`Allow "ForAnyValue:StringLike":{"aws:TagKeys":"*"}`}, "aws:TagKeys", either, policy.Undetermined},
		{"one of", []string{`Allow "StringEquals":{"k:k":"a"}`, `Allow "StringEquals":{"k:k":"b"}`}, "k:k", policy.Value{State: policy.Present, OneOf: []string{"a", "b"}}, policy.Allowed},
		{"within", []string{`Allow "StringLike":{"k:k":"a1*"}`, `Allow "StringLike":{"k:k":"a2*"}`}, "k:k", policy.Value{State: policy.Present, Within: []glob.KeySet{{{Words: []string{"a"}}, {Class: "12", Min: 1, Max: 3}}}}, policy.Allowed},
		{"not within", []string{`Allow "StringLike":{"k:k":"b*"}`}, "k:k", policy.Value{State: policy.Present, Within: []glob.KeySet{{{Words: []string{"a"}}, {Class: "12", Min: 1, Max: 3}}}}, policy.ImplicitDeny},
		{"binary", []string{`Allow "BinaryEquals":{"k:k":"QUI="}`}, "k:k", present, policy.Undetermined},
		{"AWS-owned identity", []string{`Allow `, `Deny "StringNotLike":{"aws:userid":["AROAEXAMPLEID:*","111122223333"]}`}, "aws:userid", policy.Value{State: policy.Present, AWSOwned: true}, policy.ExplicitDeny},
		{"AWS-owned identity, nobody named", []string{`Allow `, `Deny "StringNotLike":{"aws:userid":"AROA*"}`}, "aws:userid", policy.Value{State: policy.Present, AWSOwned: true}, policy.Undetermined},
		{"AWS-owned arn", []string{`Allow `, `Deny "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}`}, "aws:PrincipalArn", policy.Value{State: policy.Either, AWSOwned: true}, policy.Allowed},
		{"AWS-owned arn, nobody named", []string{`Allow `, `Deny "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}`}, "aws:PrincipalArn", policy.Value{State: policy.Either, AWSOwned: true}, policy.Undetermined},
		{"AWS-owned address", []string{`Allow `, `Deny "NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}`}, "aws:SourceIp", policy.Value{State: policy.Either, AWSOwned: true}, policy.ExplicitDeny},
		{"AWS-owned address, nobody named", []string{`Allow `, `Deny "NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}`}, "aws:SourceIp", policy.Value{State: policy.Present, AWSOwned: true}, policy.Undetermined},
		{"operator not modelled", []string{`Allow `, `Deny "StringSounds":{"k:k":"a"}`}, "k:k", present, policy.Undetermined},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := policy.NewContext(policy.Value{}).With(test.key, test.value)
			got := document(t, test.statements...).Decide(put(c))
			if got.Outcome != test.want {
				t.Errorf("decision %s, want %s: %+v", got.Outcome, test.want, got.Matches)
			}
			if (got.Outcome == policy.Undetermined) != (len(got.DependsOn) > 0) {
				t.Errorf("decision %s depends on %q", got.Outcome, got.DependsOn)
			}
		})
	}
}

// TestVariableKeyIsNotSplit: a key that is tested and used as a variable has
// more classes than its own literals cut out.
func TestVariableKeyIsNotSplit(t *testing.T) {
	d := document(t, `Allow `, `Deny "StringLike":{"k:b":"a"},"StringEquals":{"k:a":"ab"}`, `Deny "StringEquals":{"k:a":"${k:b}"},"StringNotEquals":{"k:b":"a"}`)
	c := policy.NewContext(policy.Value{}).With("k:a", policy.Is("xx")).With("k:b", policy.Value{State: policy.Present})
	got := d.Decide(put(c))
	if got.Outcome != policy.Undetermined {
		t.Errorf("decision %s, but k:b may be xx", got.Outcome)
	}
	if diff := cmp.Diff([]string{"k:b"}, got.DependsOn); diff != "" {
		t.Error(diff)
	}
}

// TestVariableElsewhere: that a key stands in another statement as a variable is no bar
// to deciding by its cases.
func TestVariableElsewhere(t *testing.T) {
	statements := []string{`Deny "StringEquals":{"k:a":"x"}`, `Deny "StringNotEquals":{"k:a":"x"}`}
	c := policy.NewContext(policy.Value{State: policy.Either})
	for _, more := range []string{`Deny "StringEquals":{"k:b":"${k:a}"}`, `Allow "StringEquals":{"k:b":"${k:a}"}`} {
		if got := document(t, append(statements, more)...).Decide(put(c)); got.Outcome != policy.ExplicitDeny {
			t.Errorf("with %s: %s", more, got.Outcome)
		}
	}
}

// TestManyKeys: keys that are unknown and have nothing to do with one another are
// no product of cases.
func TestManyKeys(t *testing.T) {
	var statements []string
	for i := range 40 {
		statements = append(statements,
			fmt.Sprintf(`Deny "StringEquals":{"k:k%d":"a"},"StringNotEquals":{"k:k%d":"a"}`, i, i),
			fmt.Sprintf(`Deny "StringLike":{"k:k%d":"b*"},"StringNotLike":{"k:k%d":"b*"}`, i, i))
	}
	got := document(t, append(statements, "Allow ")...).Decide(put(policy.NewContext(policy.Value{State: policy.Either})))
	if got.Outcome != policy.Allowed || got.Bounded {
		t.Errorf("decision %s, bounded %t: want an exact answer", got.Outcome, got.Bounded)
	}
}

// pigeons are Denies that deny every request if, and only if, there are more
// pigeons than holes: they deny where a pigeon is in no hole, and where two are in
// the same.
func pigeons(pigeons, holes int) []string {
	var all, statements []string
	for hole := range holes {
		all = append(all, fmt.Sprintf("%q", fmt.Sprint(hole)))
	}
	for p := range pigeons {
		statements = append(statements, fmt.Sprintf(`Deny "StringNotEquals":{"k:p%d":[%s]}`, p, strings.Join(all, ",")))
		for q := range p {
			for hole := range holes {
				statements = append(statements, fmt.Sprintf(`Deny "StringEquals":{"k:p%d":"%d","k:p%d":"%d"}`, p, hole, q, hole))
			}
		}
	}
	return append(statements, "Allow ")
}

// TestBounded: what takes exponentially many steps ends, and says that it is not
// exact.
func TestBounded(t *testing.T) {
	for _, test := range []struct {
		pigeons, holes int
		want           policy.Outcome
		bounded        bool
	}{
		{6, 5, policy.ExplicitDeny, false},
		{5, 5, policy.Undetermined, false},
		{15, 15, policy.Undetermined, false},
		{16, 15, policy.Undetermined, true},
	} {
		d := document(t, pigeons(test.pigeons, test.holes)...)
		budget := policy.NewBudget(policy.DecisionSteps)
		r := put(policy.NewContext(policy.Value{State: policy.Either}))
		got := d.Prepare(r, budget).Decide(r.Resource)
		if got.Outcome != test.want || got.Bounded != test.bounded {
			t.Errorf("%d pigeons in %d holes: %s, bounded %t", test.pigeons, test.holes, got.Outcome, got.Bounded)
		}
		if budget.Used() > 3_000_000 {
			t.Errorf("%d pigeons in %d holes: %d steps", test.pigeons, test.holes, budget.Used())
		}
		none := d.Prepare(r, policy.NewBudget(0)).Decide(r.Resource)
		if none.Outcome != policy.Undetermined || !none.Bounded {
			t.Errorf("%d pigeons in %d holes without a budget: %s, bounded %t", test.pigeons, test.holes, none.Outcome, none.Bounded)
		}
	}
}
