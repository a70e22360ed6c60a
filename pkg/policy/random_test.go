package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// randomKey is a condition key with the values that requests and policies of
// the property tests have for it.
type randomKey struct {
	name      string
	operators []string
	operands  []string
	values    []string
	multi     bool
}

func randomKeys() []randomKey {
	texts := []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Null"}
	patterns := []string{"a", "A", "ab", "a*", "*b", "?", "*", "a?", "*a*", "", "${t:b}", "a${t:b, 'x'}", "${*}", "k", "\u212a*", "${ t:b }", "a${t:b"}
	values := []string{"a", "A", "ab", "aB", "b", "", "aab", "*", "x", "a:b", "𝒂", "k", "\u212a"}
	return []randomKey{
		{"t:a", append(texts, "Bool", "BinaryEquals", "Nonsense"), append(patterns, "true", "QUI="), append(values, "true", "false", "QUI="), false},
		{"t:b", texts, patterns, values, false},
		{"t:arn", []string{"ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike", "Null"}, []string{"arn:aws:s:r:*:a", "arn:aws:s:*:1:*", "arn:*:s:r:1:a?", "*", "arn:aws:s:1:a", "arn:aws:s:r:${t:b}:a", "arn:aws:s:r:${ t:b }:a"}, []string{"arn:aws:s:r:1:a", "arn:aws:s:r:1:ab", "arn:aws:s:q:1:a:b", "arn:aws:s:r:2:a", "x", ""}, false},
		{"aws:SourceArn", []string{"ArnLike", "ArnNotLike", "StringNotLike", "Null"}, []string{"arn:aws:s:r:*:a", "arn:aws:s:*:1:*", "*", "arn:aws:s:1:a"}, []string{"arn:aws:s:r:1:a", "arn:aws:s:q:1:a:b", "arn:aws:t:r:2:a"}, false},
		{"t:n", []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals", "Null"}, []string{"1", "1", "2", "1.5", "x"}, []string{"1", "2", "1.5", "0", "-4", "9", "x", "1e0"}, false},
		{"s3:max-keys", []string{"NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericEquals"}, []string{"1", "2", "1e1"}, []string{"0", "1", "1.5", "2", "10", "11"}, false},
		{"aws:CurrentTime", []string{"DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"}, []string{"2026-01-01T00:00:00Z", "2027", "0", "2026-02-01", "01T", "+1"}, []string{"2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z", "2030-01-01T00:00:00Z", "2026-02-01", "1", "2027-06-01"}, false},
		{"aws:SourceIp", []string{"IpAddress", "NotIpAddress"}, []string{"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1/32", "10.0.0.1", "::ffff:10.0.0.0/104", "010.0.0.0/+8"}, []string{"10.0.0.1", "010.0.0.1", "10.1.2.3", "11.0.0.0", "9.255.255.255", "2001:db8::5", "::1", "::ffff:10.0.0.1"}, false},
		{"aws:TagKeys", []string{"ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotEquals", "ForAllValues:StringNotLike", "ForAllValues:StringEqualsIfExists", "StringEquals", "Null", "ForAllValues:Null", "ForAnyValue:Null", "ForAllValues:ArnNotLike"}, []string{"a", "a*", "b", "", "*"}, []string{"a", "ab", "b", "", "c"}, true},
	}
}

// drawPolicy draws the JSON value of a policy.
func drawPolicy(t *rapid.T) map[string]any {
	// Few keys, so that statements often speak of the same.
	keys := rapid.SliceOfN(rapid.SampledFrom(randomKeys()), 1, 3).Draw(t, "keys")
	list := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "statements") {
		list = append(list, drawStatement(t, keys))
	}
	return map[string]any{"Version": rapid.SampledFrom([]string{currentVersion, currentVersion, currentVersion, oldVersion}).Draw(t, "version"), "Statement": list}
}

func drawStatement(t *rapid.T, keys []randomKey) map[string]any {
	pick := func(label string, of ...any) any { return rapid.SampledFrom(of).Draw(t, label) }
	s := map[string]any{
		"Effect":    pick("effect", "Allow", "Allow", "Deny", "Deny", "Deny"),
		"Principal": pick("principal", "*", "*", "*", map[string]any{"Service": "cloudtrail.amazonaws.com"}, map[string]any{"AWS": "111122223333"}),
		pick("action element", "Action", "Action", "Action", "NotAction").(string):           pick("action", "s3:PutObject", "s3:PutObject", "s3:*", "s3:Get*", []any{"s3:a", "S3:putobject"}),
		pick("resource element", "Resource", "Resource", "Resource", "NotResource").(string): pick("resource", "arn:aws:s3:::b/*", "arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::b/${t:a}/x", "arn:aws:s3:::b/a*x"),
	}
	conditions := map[string]any{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		k := rapid.SampledFrom(keys).Draw(t, "key")
		o := rapid.SampledFrom(k.operators).Draw(t, "operator")
		operands := rapid.SliceOfN(rapid.SampledFrom(k.operands), 1, 2).Draw(t, "operands")
		if strings.HasSuffix(o, "Null") {
			operands = []string{rapid.SampledFrom([]string{"true", "false"}).Draw(t, "null")}
		} else if !k.multi && rapid.Bool().Draw(t, "if exists") {
			o += "IfExists"
		}
		conditions[o] = map[string]any{k.name: operands}
	}
	if len(conditions) > 0 {
		s["Condition"] = conditions
	}
	return s
}

func mustParse(t rapid.TB, value any) *Document {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// drawContext draws a context in which little need be known, and a function
// that draws contexts that it may be.
func drawContext(t *rapid.T) (open Context, complete func() Context) {
	open = NewContext(Value{})
	keys := randomKeys()
	states := make([]Value, len(keys))
	for i, k := range keys {
		states[i] = drawState(t, k)
		open = open.With(k.name, states[i])
	}
	return open, func() Context {
		c := NewContext(Value{})
		for i, k := range keys {
			c = c.With(k.name, drawCompletion(t, k, states[i]))
		}
		return c
	}
}

func drawState(t *rapid.T, k randomKey) Value {
	state := rapid.SampledFrom([]State{Absent, Present, Either}).Draw(t, "state of "+k.name)
	v := Value{State: state, Multi: k.multi}
	if state == Absent {
		return Value{}
	}
	switch rapid.IntRange(0, 5).Draw(t, "knowledge of "+k.name) {
	case 0, 1:
		v.Known = true
		v.Values = drawValues(t, k, k.values)
	case 2:
		v.OneOf = rapid.SliceOfN(rapid.SampledFrom(k.values), 1, 3).Draw(t, "one of")
	case 4:
		v.AWSOwned = true
	case 3:
		v.Within = []glob.KeySet{{{Words: []string{"a", "arn:aws:s:r:1:"}}, {Class: "ab:", Max: 2}}}
		if strings.HasPrefix(k.name, "aws:S") || strings.HasPrefix(k.name, "aws:C") || strings.HasPrefix(k.name, "s3:") {
			v.Within = nil
		}
	}
	if k.multi && !v.Known && rapid.Bool().Draw(t, "includes of "+k.name) {
		v.Includes = drawValues(t, k, k.values)
	}
	return v
}

func drawValues(t *rapid.T, k randomKey, from []string) []string {
	if k.multi {
		return rapid.SliceOfN(rapid.SampledFrom(from), 0, 3).Draw(t, "values of "+k.name)
	}
	return []string{rapid.SampledFrom(from).Draw(t, "value of "+k.name)}
}

func drawCompletion(t *rapid.T, k randomKey, v Value) Value {
	if v.State == Absent || v.State == Either && rapid.Bool().Draw(t, "absent "+k.name) {
		return Value{}
	}
	from := k.values
	switch {
	case v.Known:
		return Value{State: Present, Known: true, Multi: k.multi, Values: v.Values}
	case len(v.OneOf) > 0:
		from = v.OneOf
	case v.AWSOwned && k.name == "aws:SourceIp":
		from = []string{"52.1.2.3", "2a05::1", "0.0.0.1"} // in no range that names somebody
	case v.AWSOwned && k.name == "aws:SourceArn":
		from = []string{"arn:aws:s:r::a", "arn:aws:z:z:9:z"} // of no account that the patterns name
	case v.AWSOwned && !slices.Contains([]string{"t:n", "s3:max-keys", "aws:CurrentTime"}, k.name):
		from = []string{"zz", "z", "", "q:q"} // nothing of the patterns' text
	case len(v.Within) > 0:
		from = nil
		for _, head := range v.Within[0][0].Words {
			for _, tail := range []string{"", "a", "b", ":", "aa", "ab", ":a", "ba", "bb", "b:", "::"} {
				from = append(from, head+tail)
			}
		}
	}
	values := append(slices.Clip(v.Includes), drawValues(t, k, from)...)
	return Value{State: Present, Known: true, Multi: k.multi, Values: values}
}

func cloudTrailRequest(c Context) *Request {
	return &Request{
		Caller:   Caller{Principal: Principal{Service, "cloudtrail.amazonaws.com"}},
		Action:   "s3:PutObject",
		Resource: "arn:aws:s3:::b/a/x",
		Context:  c,
	}
}

// TestUnknownKeysAreSound: what is answered without knowing some keys is never
// contradicted once they are known.
func TestUnknownKeysAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := mustParse(t, drawPolicy(t))
		open, complete := drawContext(t)
		got := d.Decide(cloudTrailRequest(open))
		for range 12 {
			r := cloudTrailRequest(complete())
			if emptied(d, open, r.Context) {
				continue
			}
			want := d.Decide(r)
			if err := contradiction(got, want); err != nil {
				t.Fatalf("%s\n%v\nopen: %+v\ncomplete: %+v\ngot %+v\nwant %+v", d.Text(), err, open, r.Context, got, want)
			}
		}
	})
}

// emptied reports whether a key of a Null condition, of which the value is not known, has
// an empty one when it is known: it is taken not to have, see assumeEmptyValue.
func emptied(d *Document, open, complete Context) bool {
	for i := range d.statements {
		for _, c := range d.statements[i].conditions {
			was, is := open.Lookup(c.key), complete.Lookup(c.key)
			if c.operator.kind == nullOperator && is.mayBeEmpty() && !was.mayBeEmpty() {
				return true
			}
		}
	}
	return false
}

func contradiction(got, want Decision) error {
	if got.Outcome != Undetermined && got.Outcome != want.Outcome {
		return fmt.Errorf("answered %s, but it is %s", got.Outcome, want.Outcome)
	}
	if got.DeniedEitherWay && want.Outcome == Allowed {
		return fmt.Errorf("said to be denied either way, but it is %s", want.Outcome)
	}
	for i := range got.Matches {
		if g, w := got.Matches[i].Truth(), want.Matches[i].Truth(); g != Maybe && g != w {
			return fmt.Errorf("statement %d: answered %s, but it is %s", i, g, w)
		}
	}
	return nil
}

// TestListedValuesAreExact: where all values that one unknown key may have are
// listed and give the same answer, that is the answer.
func TestListedValuesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(randomKeys()).Draw(t, "key")
		k.operands = slices.DeleteFunc(slices.Clone(k.operands), func(s string) bool { return strings.Contains(s, "${t") })
		var list []any
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			s := drawStatement(t, []randomKey{k})
			s["Resource"] = "arn:aws:s3:::b/*"
			delete(s, "NotResource")
			list = append(list, s)
		}
		d := mustParse(t, map[string]any{"Version": currentVersion, "Statement": list})
		v := Value{State: rapid.SampledFrom([]State{Present, Either}).Draw(t, "state"), Multi: k.multi}
		v.OneOf = rapid.SliceOfNDistinct(rapid.SampledFrom(k.values), 1, 4, rapid.ID).Draw(t, "one of")
		ask := func(v Value) Outcome {
			return d.Decide(cloudTrailRequest(NewContext(Value{}).With(k.name, v))).Outcome
		}
		want := Outcome("")
		for _, one := range concrete(v) {
			switch o := ask(one); want {
			case "", o:
				want = o
			default:
				want = Undetermined
			}
		}
		if got := ask(v); got != want {
			t.Fatalf("%s\n%+v\nanswered %s, want %s", d.Text(), v, got, want)
		}
	})
}

// concrete lists all that v may be, for a value of which OneOf is known.
func concrete(v Value) []Value {
	var out []Value
	if v.State == Either {
		out = append(out, Value{})
	}
	if !v.Multi {
		for _, one := range v.OneOf {
			out = append(out, Is(one))
		}
		return out
	}
	for subset := range 1 << len(v.OneOf) {
		set := Set()
		for i, one := range v.OneOf {
			if subset&(1<<i) != 0 {
				set.Values = append(set.Values, one)
			}
		}
		out = append(out, set)
	}
	return out
}
