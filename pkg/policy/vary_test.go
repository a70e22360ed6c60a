package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

const varies = "kms:EncryptionContext:aws:s3:arn"

// variedRequest is a request to a key, of which the value of one context key is not known.
func variedRequest() *policy.Request {
	context := policy.NewContext(policy.Value{}).With(varies, policy.Value{State: policy.Present}).With("kms:ViaService", policy.Value{State: policy.Either})
	return &policy.Request{
		Caller:   policy.Caller{Principal: policy.Principal{Type: policy.Service, Value: "cloudtrail.amazonaws.com"}},
		Action:   "kms:GenerateDataKey",
		Resource: "arn:aws:kms:us-east-1:111122223333:key/1", Context: context,
	}
}

// worst are the outcomes from good to bad.
func worst(decisions []policy.Decision) string {
	bad := func(d policy.Decision) int {
		switch {
		case d.Outcome == policy.ExplicitDeny:
			return 3
		case d.Outcome == policy.ImplicitDeny, d.DeniedEitherWay:
			return 2
		case d.Outcome == policy.Allowed:
			return 0
		}
		return 1
	}
	w := slices.MaxFunc(decisions, func(a, b policy.Decision) int { return bad(a) - bad(b) })
	return fmt.Sprint(bad(w))
}

// TestSamplesOfStandForAll: the worst decision on the samples is the worst on all values of the
// key set, and if they are exhaustive each value is decided as one of them is.
func TestSamplesOfStandForAll(t *testing.T) {
	set := glob.KeySet{
		{Words: []string{"arn:aws:s3:::b/"}},
		{Name: "region", Words: []string{"us", "eu", "ap"}},
		{Words: []string{"/"}},
		{Name: "year", Words: []string{"2026", "2027"}},
		{Words: []string{"/a", "/A", "/*"}},
	}
	var all []string
	for _, region := range set[1].Words {
		for _, year := range set[3].Words {
			for _, file := range set[4].Words {
				all = append(all, "arn:aws:s3:::b/"+region+"/"+year+file)
			}
		}
	}
	patterns := append([]string{
		"*", "arn:aws:s3:::b/us/*", "*/2026/*", "*/eu/2027*", "arn:aws:s3:::b/??/2026/a", "arn:aws:s3:::b/*/a", "*/A", "arn:*", "x", "arn:aws:s3:::b/us/2026/*",
	}, all...)
	operators := []string{
		"StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "ArnLike", "ArnNotLike",
		"ForAnyValue:StringLike", "StringLikeIfExists", "Null", "NumericLessThan",
	}
	rapid.Check(t, func(t *rapid.T) {
		var statements []string
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")
			var conditions []string
			for _, operator := range rapid.SliceOfNDistinct(rapid.SampledFrom(operators), 0, 2, rapid.ID).Draw(t, "operators") {
				values := rapid.SliceOfN(rapid.SampledFrom(patterns), 1, 3).Draw(t, "values")
				if operator == "Null" {
					values = []string{rapid.SampledFrom([]string{"true", "false"}).Draw(t, "null")}
				}
				keys := []string{fmt.Sprintf("%q:[%s]", varies, quoted(values))}
				if rapid.IntRange(0, 5).Draw(t, "via") == 0 {
					keys = append(keys, `"kms:ViaService":"s3.us-east-1.amazonaws.com"`)
				}
				if rapid.IntRange(0, 9).Draw(t, "variable") == 0 {
					keys[0] = fmt.Sprintf("%q:%q", "kms:ViaService", "${"+varies+"}")
					keys = keys[:1]
				}
				conditions = append(conditions, fmt.Sprintf("%q:{%s}", operator, strings.Join(keys, ",")))
			}
			statements = append(statements, fmt.Sprintf(`{"Effect":%q,"Principal":"*","Action":"kms:*","Resource":"*","Condition":{%s}}`,
				effect, strings.Join(conditions, ",")))
		}
		text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		d, err := policy.KMS().Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		r := variedRequest()
		samples := d.Prepare(r, policy.NewBudget(policy.DecisionSteps)).SamplesOf(varies, r.Resource, set)
		if len(samples.List) == 0 || !samples.Complete {
			t.Fatalf("%d samples, complete: %t\n%s", len(samples.List), samples.Complete, text)
		}
		var sampled, each []policy.Decision
		for _, s := range samples.List {
			sampled = append(sampled, s.Decision)
		}
		for _, value := range all {
			one := *r
			one.Context = one.Context.With(varies, policy.Is(value))
			d := d.Decide(&one)
			each = append(each, d)
			if samples.Exhaustive && !slices.ContainsFunc(sampled, func(s policy.Decision) bool { return s.Outcome == d.Outcome }) {
				t.Fatalf("%s is %s, which no sample is\n%s", value, d.Outcome, text)
			}
		}
		open := sampled[0].Outcome == policy.Undetermined && !samples.Exhaustive // they are not told apart
		if got, want := worst(sampled), worst(each); got != want && !open {
			t.Fatalf("the worst sample is %s, the worst of all %s\n%s", got, want, text)
		}
		if open && worst(each) == "0" {
			return // no more than uncertain
		}
		if !open && worst(each) == "0" && worst(sampled) != "0" {
			t.Fatalf("all are allowed, and not the samples\n%s", text)
		}
	})
}

func quoted(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("%q", v)
	}
	return strings.Join(out, ",")
}

// TestSamplesOfIsBounded: patterns without number end with the budget, which says so.
func TestSamplesOfIsBounded(t *testing.T) {
	var conditions []string
	for i := range 400 {
		conditions = append(conditions, fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringLike":{%q:"*a%d*b%d*"}}}`, varies, i, i))
	}
	d, err := policy.KMS().Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(conditions, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := variedRequest()
	budget := policy.NewBudget(2_000_000)
	set := glob.KeySet{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "ab0123456789", Min: 10, Max: 40}}
	samples := d.Prepare(r, budget).SamplesOf(varies, r.Resource, set)
	if samples.Complete || len(samples.List) == 0 || budget.Used() > 4_000_000 {
		t.Errorf("%d samples, complete: %t, %d steps", len(samples.List), samples.Complete, budget.Used())
	}
}
