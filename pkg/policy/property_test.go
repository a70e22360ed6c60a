package policy

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// statementsOf are the statements of a drawn policy.
func statementsOf(p map[string]any) []any {
	list, _ := p["Statement"].([]any)
	return list
}

func withStatements(p map[string]any, list []any) map[string]any {
	out := maps.Clone(p)
	out["Statement"] = list
	return out
}

func effectStatement(effect string) any {
	return map[string]any{"Effect": effect, "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::b/*"}
}

func TestOrderOfStatementsIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		c, _ := drawContext(t)
		list := statementsOf(p)
		shuffled := slices.Clone(list)
		if len(shuffled) > 1 {
			shuffled = rapid.Permutation(shuffled).Draw(t, "order")
		}
		a := mustParse(t, p).Decide(cloudTrailRequest(c))
		b := mustParse(t, withStatements(p, shuffled)).Decide(cloudTrailRequest(c))
		if a.Outcome != b.Outcome || a.DeniedEitherWay != b.DeniedEitherWay || len(a.Responsible) != len(b.Responsible) {
			t.Fatalf("%+v, in another order %+v", a, b)
		}
	})
}

func TestAddingStatements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		c, _ := drawContext(t)
		before := mustParse(t, p).Decide(cloudTrailRequest(c))
		add := func(s any) Decision {
			return mustParse(t, withStatements(p, append(slices.Clone(statementsOf(p)), s))).Decide(cloudTrailRequest(c))
		}
		if after := add(effectStatement("Deny")); after.Outcome != ExplicitDeny {
			t.Fatalf("with a Deny of everything: %s", after.Outcome)
		}
		s := drawStatement(t, randomKeys())
		after := add(s)
		denied := before.Outcome == ExplicitDeny || before.Outcome == ImplicitDeny
		switch {
		case s["Effect"] == "Deny" && denied && after.Outcome == Allowed,
			s["Effect"] == "Deny" && before.Outcome == Undetermined && after.Outcome == Allowed,
			s["Effect"] == "Allow" && before.Outcome == Allowed && after.Outcome != Allowed,
			s["Effect"] == "Allow" && (before.Outcome == ExplicitDeny) != (after.Outcome == ExplicitDeny):
			t.Fatalf("%s before a statement with %s, %s after", before.Outcome, s["Effect"], after.Outcome)
		}
	})
}

// TestSpellingIsIrrelevant: neither Sids nor lists of one element change what
// a policy says.
func TestSpellingIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		c, _ := drawContext(t)
		list := []any{}
		for _, s := range statementsOf(p) {
			m, _ := s.(map[string]any)
			m = maps.Clone(m)
			m["Sid"] = rapid.SampledFrom([]string{"", "x", "same"}).Draw(t, "sid")
			for _, name := range []string{"Action", "Resource", "NotAction", "NotResource"} {
				if text, ok := m[name].(string); ok && rapid.Bool().Draw(t, "as list") {
					m[name] = []any{text}
				}
			}
			list = append(list, m)
		}
		a := mustParse(t, p).Decide(cloudTrailRequest(c))
		b := mustParse(t, withStatements(p, list)).Decide(cloudTrailRequest(c))
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
		if len(list) == 1 {
			alone := maps.Clone(p)
			alone["Statement"] = list[0]
			if diff := cmp.Diff(a, mustParse(t, alone).Decide(cloudTrailRequest(c))); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func jsonValue(t interface{ Fatalf(string, ...any) }, text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestEditsTouchNothingElse: With and Compact keep the JSON value of all that
// they are not asked to change, and With its bytes.
func TestEditsTouchNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		text, err := json.Marshal(p)
		if rapid.Bool().Draw(t, "indented") {
			text, err = json.MarshalIndent(p, "", "  ")
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(text)
		if err != nil || string(d.Text()) != string(text) {
			t.Fatalf("the text is not kept: %v", err)
		}
		if !reflect.DeepEqual(jsonValue(t, text), jsonValue(t, d.Compact().Text())) {
			t.Fatal("Compact changes the value")
		}
		replaced := map[int][]byte{}
		want := []string{}
		for i := range d.Len() {
			switch rapid.IntRange(0, 2).Draw(t, "edit") {
			case 0:
				replaced[i] = nil
			case 1:
				replaced[i] = []byte(`{"Sid": "new"}`)
				want = append(want, `{"Sid": "new"}`)
			default:
				want = append(want, string(d.StatementText(i)))
			}
		}
		var added [][]byte
		if rapid.Bool().Draw(t, "add") {
			added = [][]byte{[]byte(`{"Sid":"a"}`), []byte(`{"Sid":"b"}`)}
		}
		out, err := d.With(replaced, added...)
		if err != nil {
			t.Fatal(err)
		}
		if out.Len() != len(want)+len(added) {
			t.Fatalf("%d statements in %s", out.Len(), out.Text())
		}
		for i, w := range want {
			if got := string(out.StatementText(i)); got != w {
				t.Fatalf("statement %d is %s, want %s", i, got, w)
			}
		}
		for i, w := range added {
			if !reflect.DeepEqual(jsonValue(t, out.StatementText(len(want)+i)), jsonValue(t, w)) {
				t.Fatalf("the added statement is %s", out.StatementText(len(want)+i))
			}
		}
	})
}
