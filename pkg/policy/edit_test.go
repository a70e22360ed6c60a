package policy_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

func TestWith(t *testing.T) {
	one := []byte(`{"Sid":"n","Action":["a"]}`)
	tests := []struct {
		name, text string
		replaced   map[int][]byte
		added      [][]byte
		want       string
	}{
		{"nothing", ` { "Statement" : [ {} , {} ] } `, nil, nil, ` { "Statement" : [ {} , {} ] } `},
		{"no statement element", `{"Version":"2012-10-17"}`, nil, [][]byte{one}, `{"Version":"2012-10-17","Statement":[{"Sid":"n","Action":["a"]}]}`},
		{"empty object", `{}`, nil, [][]byte{one}, `{"Statement":[{"Sid":"n","Action":["a"]}]}`},
		{"empty list", `{"Statement":[ ]}`, nil, [][]byte{one, one}, `{"Statement":[{"Sid":"n","Action":["a"]},{"Sid":"n","Action":["a"]}]}`},
		{"single object", `{"Statement": {"Sid":"x"} ,"Id":"i"}`, nil, [][]byte{one}, `{"Statement": [{"Sid":"x"},{"Sid":"n","Action":["a"]}] ,"Id":"i"}`},
		{"single object replaced", `{"Statement": {"Sid":"x"}}`, map[int][]byte{0: one}, nil, `{"Statement": {"Sid":"n","Action":["a"]}}`},
		{"single object removed", `{"Statement": {"Sid":"x"}}`, map[int][]byte{0: nil}, nil, `{"Statement": []}`},
		{"first removed", `{"Statement":[ {"Sid":"x"},  {"Sid":"y"} ]}`, map[int][]byte{0: nil}, nil, `{"Statement":[ {"Sid":"y"} ]}`},
		{"last removed, one added", `{"Statement":[{"Sid":"x"},{"Sid":"y"}]}`, map[int][]byte{1: nil}, [][]byte{one}, `{"Statement":[{"Sid":"x"},{"Sid":"n","Action":["a"]}]}`},
		{
			"indented", "{\n  \"Statement\": [\n    {\n      \"Sid\": \"x\"\n    }\n  ]\n}\n", nil,
			[][]byte{one},
			"{\n  \"Statement\": [\n    {\n      \"Sid\": \"x\"\n    },\n    {\n      \"Sid\": \"n\",\n      \"Action\": [\n        \"a\"\n      ]\n    }\n  ]\n}\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.With(test.replaced, test.added...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got.Text())); diff != "" {
				t.Error(diff)
			}
			if string(d.Text()) != test.text {
				t.Error("the document itself has changed")
			}
		})
	}
}

func TestWithRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		replaced   map[int][]byte
		added      [][]byte
		want       error
	}{
		{"no such statement", `{"Statement":[{}]}`, map[int][]byte{1: nil}, nil, policy.ErrEdit},
		{"two Statement elements", `{"Statement":[],"Statement":[]}`, nil, [][]byte{[]byte(`{}`)}, policy.ErrEdit},
		{"Statement is a text", `{"Statement":"x"}`, nil, [][]byte{[]byte(`{}`)}, policy.ErrEdit},
		{"added text is no object", `{"Statement":[]}`, nil, [][]byte{[]byte(`[]`)}, policy.ErrSyntax},
		{"replacing text is no JSON", `{"Statement":[{}]}`, map[int][]byte{0: []byte(`{`)}, nil, policy.ErrSyntax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := policy.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.With(test.replaced, test.added...); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", `"x"`, "null", "{", `{"a":1}x`, "{}{}", "\ufeff{}", "{'a':1}"} {
		if _, err := policy.Parse([]byte(text)); !errors.Is(err, policy.ErrSyntax) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestMembers(t *testing.T) {
	path := []string{"Condition", "StringEquals", "aws:SourceArn"}
	tests := []struct {
		name, text string
		values     []string // nil deletes
		path       []string
		want       string
	}{
		{"text to text", `{"Condition": {"StringEquals":{"aws:SourceArn":"x" , "k":1.0}}}`, []string{"a"}, path, `{"Condition": {"StringEquals":{"aws:SourceArn":"a" , "k":1.0}}}`},
		{"text to list", `{"Action":"x"}`, []string{"a", "b"}, []string{"Action"}, `{"Action":["a","b"]}`},
		{"list stays list", `{"Action":["x","y"],"Sid":"s"}`, []string{"a"}, []string{"Action"}, `{"Action":["a"],"Sid":"s"}`},
		{"new member", `{"Condition":{"StringEquals":{"k":"v"}}}`, []string{"a"}, path, `{"Condition":{"StringEquals":{"k":"v","aws:SourceArn":"a"}}}`},
		{"new path", `{"Sid":"s"}`, []string{"a"}, path, `{"Sid":"s","Condition":{"StringEquals":{"aws:SourceArn":"a"}}}`},
		{"into an empty object", `{}`, []string{"<&>"}, []string{"Sid"}, `{"Sid":"<&>"}`},
		{"layout", "{\n  \"Sid\": \"s\",\n  \"Effect\": \"Allow\"\n}", []string{"a"}, []string{"Action"}, "{\n  \"Sid\": \"s\",\n  \"Effect\": \"Allow\",\n  \"Action\": \"a\"\n}"},
		{"layout of one member", "{\n  \"Sid\": \"s\"\n}", []string{"a"}, []string{"Action"}, "{\n  \"Sid\": \"s\",\n  \"Action\": \"a\"\n}"},
		{"delete the first", `{ "a":1, "b":2 }`, nil, []string{"a"}, `{ "b":2 }`},
		{"delete the last", `{ "a":1 , "b":2 }`, nil, []string{"b"}, `{ "a":1 }`},
		{"delete the only one", `{"Condition":{ "a":{} }}`, nil, []string{"Condition", "a"}, `{"Condition":{}}`},
		{"delete what is not there", `{"a": 1}`, nil, []string{"b", "c"}, `{"a": 1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []byte
			var err error
			if test.values == nil {
				got, err = policy.DeleteMember([]byte(test.text), test.path...)
			} else {
				got, err = policy.SetMember([]byte(test.text), test.values, test.path...)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, text := range []string{`{"Condition":[]}`, `{"Condition":{},"Condition":{}}`} {
		if _, err := policy.SetMember([]byte(text), []string{"a"}, path...); !errors.Is(err, policy.ErrEdit) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}
