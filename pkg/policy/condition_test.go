package policy_test

import (
	"fmt"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

// conditionResult is what a condition gives on a context: the answer to an
// Allow that hangs on nothing else.
func conditionResult(t *testing.T, condition string, c policy.Context) policy.Truth {
	t.Helper()
	return document(t, "Allow "+condition).Decide(put(c)).Matches[0].Condition
}

// TestOperatorsOnMissingKeys follows the table of "Condition operators" on
// what each form gives for a key that is not in the request.
func TestOperatorsOnMissingKeys(t *testing.T) {
	tests := []struct {
		operator, value string
		negated         bool
	}{
		{"StringEquals", "a", false},
		{"StringNotEquals", "a", true},
		{"StringEqualsIgnoreCase", "a", false},
		{"StringNotEqualsIgnoreCase", "a", true},
		{"StringLike", "a", false},
		{"StringNotLike", "a", true},
		{"NumericEquals", "1", false},
		{"NumericNotEquals", "1", true},
		{"NumericLessThan", "1", false},
		{"NumericLessThanEquals", "1", false},
		{"NumericGreaterThan", "1", false},
		{"NumericGreaterThanEquals", "1", false},
		{"DateEquals", "2026-01-01", false},
		{"DateNotEquals", "2026-01-01", true},
		{"DateLessThan", "2026-01-01", false},
		{"DateLessThanEquals", "2026-01-01", false},
		{"DateGreaterThan", "2026-01-01", false},
		{"DateGreaterThanEquals", "2026-01-01", false},
		{"Bool", "true", false},
		{"BinaryEquals", "QUI=", false},
		{"IpAddress", "10.0.0.0/8", false},
		{"NotIpAddress", "10.0.0.0/8", true},
		{"ArnEquals", "arn:aws:s:r:1:a", false},
		{"ArnLike", "arn:aws:s:r:1:a", false},
		{"ArnNotEquals", "arn:aws:s:r:1:a", true},
		{"ArnNotLike", "arn:aws:s:r:1:a", true},
	}
	absent := policy.NewContext(policy.Value{})
	for _, test := range tests {
		plain := policy.No
		if test.negated {
			plain = policy.Yes
		}
		for form, want := range map[string]policy.Truth{
			"%s": plain, "%sIfExists": policy.Yes,
			"ForAllValues:%s": policy.Yes, "ForAllValues:%sIfExists": policy.Yes,
			"ForAnyValue:%s": policy.No, "ForAnyValue:%sIfExists": policy.No,
		} {
			operator := fmt.Sprintf(form, test.operator)
			if got := conditionResult(t, fmt.Sprintf(`%q:{"k:k":%q}`, operator, test.value), absent); got != want {
				t.Errorf("%s: %s, want %s", operator, got, want)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	is, set := policy.Is, policy.Set
	tests := []struct {
		condition string
		value     policy.Value
		want      policy.Truth
	}{
		{`"StringEquals":{"k:k":["a","b"]}`, is("b"), policy.Yes},
		{`"StringEquals":{"k:k":"a*"}`, is("ab"), policy.No},
		{`"StringEqualsIgnoreCase":{"k:k":"Straße"}`, is("STRAßE"), policy.Yes},
		{`"StringEqualsIgnoreCase":{"k:k":"k"}`, is("\u212a"), policy.Yes},
		{`"StringLike":{"k:k":"a?c"}`, is("abc"), policy.Yes},
		{`"NumericEquals":{"k:k":"1"}`, is("x"), policy.No},
		{`"NumericNotEquals":{"k:k":"1"}`, is("x"), policy.Yes},
		{`"NumericLessThan":{"k:k":"10"}`, is("9"), policy.Yes},
		{`"NumericLessThan":{"k:k":"-1"}`, is("-1.5"), policy.Yes},
		{`"DateEquals":{"k:k":"2026-01-02T00:00:00.1234Z"}`, is("2026-01-02T00:00:00.123Z"), policy.Yes},
		{`"DateLessThan":{"k:k":"2026-01-02"}`, is("1767311999"), policy.Yes},
		{`"Bool":{"k:k":"false"}`, is("no"), policy.Yes},
		{`"Bool":{"k:k":"yes"}`, is("yes"), policy.Maybe},
		{`"BinaryEquals":{"k:k":"QUI="}`, is("QUJD"), policy.No},
		{`"BinaryEquals":{"k:k":"QUI="}`, is("no base64"), policy.No},
		{`"IpAddress":{"k:k":"10.0.0.0/8"}`, is("nonsense"), policy.No},
		{`"NotIpAddress":{"k:k":"10.0.0.0/8"}`, is("nonsense"), policy.No},
		{`"ArnLike":{"k:k":"arn:aws:s:*:1:a"}`, is("arn:aws:s:x:y:1:a"), policy.No},
		{`"ArnLike":{"k:k":"arn:aws:s:r:1:a*"}`, is("arn:aws:s:r:1:a:b"), policy.Yes},
		{`"ArnLike":{"k:k":"*"}`, is("arn:aws:s:r:1:a"), policy.Yes},
		{`"Null":{"k:k":true}`, is("a"), policy.No},
		{`"Null":{"k:k":"false"}`, policy.Value{State: policy.Present}, policy.Yes},
		{`"Null":{"k:k":"false"}`, policy.Value{State: policy.Either}, policy.Maybe},
		{`"ForAllValues:StringEquals":{"k:k":"a"}`, set("a", "b"), policy.No},
		{`"ForAllValues:StringEquals":{"k:k":"a"}`, set(), policy.Yes},
		{`"ForAllValues:StringEquals":{"k:k":"a"}`, is(""), policy.Maybe},
		{`"ForAnyValue:StringNotEquals":{"k:k":"a"}`, set("a", "b"), policy.Yes},
		{`"ForAnyValue:StringNotEquals":{"k:k":"a"}`, set("a"), policy.No},
		{`"ForAnyValue:StringLike":{"k:k":"a*"}`, set("b", "ab"), policy.Yes},
		{`"StringNotEquals":{"k:k":"a"}`, set("b", "c"), policy.No},
		{`"ForAllValues:StringEqualsIfExists":{"k:k":[]}`, set("a"), policy.No},
		{`"StringNotEqualsIfExists":{"k:k":"a"}`, is("a"), policy.No},
		{`"StringEquals":{"k:k":"a"},"StringLike":{"K:K":"b"}`, is("a"), policy.No},
	}
	for _, test := range tests {
		if got := conditionResult(t, test.condition, policy.NewContext(policy.Value{}).With("k:k", test.value)); got != test.want {
			t.Errorf("%s on %q: %s, want %s", test.condition, test.value.Values, got, test.want)
		}
	}
}
