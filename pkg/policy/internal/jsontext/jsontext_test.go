package jsontext

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decoded is what encoding/json reads of a node's own text.
func decoded(t *testing.T, text []byte, n *Node) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text[n.Start:n.End])))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text[n.Start:n.End], err)
	}
	return v
}

// checkPlaces checks each node against what encoding/json reads at its place.
func checkPlaces(t *testing.T, text []byte, n *Node) {
	t.Helper()
	switch v := decoded(t, text, n).(type) {
	case string:
		if n.Kind != String || n.Text != v {
			t.Errorf("%c %q is the string %q", n.Kind, n.Text, v)
		}
	case json.Number:
		if n.Kind != Number || n.Text != v.String() {
			t.Errorf("%c %q is the number %q", n.Kind, n.Text, v)
		}
	case bool:
		if v && n.Kind != True || !v && n.Kind != False {
			t.Errorf("%c %q is %t", n.Kind, n.Text, v)
		}
	case nil:
		if n.Kind != Null {
			t.Errorf("%c %q is null", n.Kind, n.Text)
		}
	case []any:
		if n.Kind != Array || len(n.Items) != len(v) {
			t.Errorf("%c with %d items is an array of %d", n.Kind, len(n.Items), len(v))
		}
		for _, item := range n.Items {
			checkPlaces(t, text, item)
		}
	case map[string]any:
		if n.Kind != Object {
			t.Errorf("%c is an object", n.Kind)
		}
		for _, m := range n.Members {
			var name string
			if err := json.Unmarshal(text[m.start:m.mid], &name); err != nil || name != m.Name {
				t.Errorf("member %q stands at %q", m.Name, text[m.start:m.mid])
			}
			checkPlaces(t, text, m.Value)
		}
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{
		` {"a":[1, -2.50e3 ,true,false,null,"x\n\u00e9\"\\"] , "b":{ } , "é":"𝒂", "a":[] }` + "\n",
		`[[],[[]],{"":{"":0}}]`, `"\ud835\udc82"`, `-0`, `null`,
	} {
		root, ok := Parse([]byte(text))
		if !ok {
			t.Errorf("%s is not read", text)
			continue
		}
		checkPlaces(t, []byte(text), root)
	}
	for _, text := range []string{"", "{", `{"a":1}x`, "{}{}", "\ufeff{}", "{'a':1}", "[1,]", `"`, "nul"} {
		if _, ok := Parse([]byte(text)); ok {
			t.Errorf("%q is read", text)
		}
	}
}

func TestMembers(t *testing.T) {
	root, _ := Parse([]byte(`{"a":1,"A":2,"a":3}`))
	if m, count := root.Member("a"); count != 2 || m.Value.Text != "3" {
		t.Errorf("%d members, the last %+v", count, m)
	}
	if m, count := root.Member("b"); count != 0 || m != nil {
		t.Errorf("%d members %+v", count, m)
	}
	if got := root.Duplicate(); got != "a" {
		t.Errorf("%q stands twice", got)
	}
	if got := root.DuplicateBy(strings.ToUpper); got != "A" {
		t.Errorf("%q stands twice without regard to case", got)
	}
	many, _ := Parse([]byte(`{` + strings.Repeat(`"x":0,`, 20) + `"y":0}`))
	if got := many.Duplicate(); got != "x" {
		t.Errorf("%q stands twice", got)
	}
}

func TestEditElements(t *testing.T) {
	added := [][]byte{[]byte(`{"n":1}`)}
	tests := []struct {
		name, text string
		replaced   map[int][]byte
		added      [][]byte
		want       string
	}{
		{"nothing", ` [ {} , {} ] `, nil, nil, ` [ {} , {} ] `},
		{"replace", `[ 1 , 2 ]`, map[int][]byte{0: []byte("3")}, nil, `[ 3 , 2 ]`},
		{"remove all", `[ 1 , 2 ]`, map[int][]byte{0: nil, 1: nil}, nil, `[  ]`},
		{"add to none", ` [ ] `, nil, added, ` [{"n":1}] `},
		{"add to a single object", ` {"a":1} `, nil, added, ` [{"a":1},{"n":1}] `},
		{"remove the single object", ` {"a":1} `, map[int][]byte{0: nil}, nil, ` [] `},
		{"tabs", "[\n\t{\n\t\t\"a\": 1\n\t}\n]", nil, added, "[\n\t{\n\t\t\"a\": 1\n\t},\n\t{\n\t\t\"n\": 1\n\t}\n]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root, ok := Parse([]byte(test.text))
			if !ok {
				t.Fatal("not read")
			}
			if diff := cmp.Diff(test.want, string(EditElements([]byte(test.text), root, test.replaced, test.added))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	root, _ := Parse([]byte(`{"a":[],"b":1,"b":2}`))
	for _, path := range [][]string{{}, {"a", "x"}, {"b"}} {
		if _, err := SetMember(nil, root, []string{"v"}, path...); !errors.Is(err, ErrEdit) {
			t.Errorf("set %q: %v", path, err)
		}
		if _, err := DeleteMember(nil, root, path...); !errors.Is(err, ErrEdit) {
			t.Errorf("delete %q: %v", path, err)
		}
	}
}

// FuzzEdit: whatever is JSON is read as encoding/json reads it, and what is
// edited is JSON again.
func FuzzEdit(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"x"]},"c":"\u00e9"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		root, ok := Parse(text)
		if ok != json.Valid(text) {
			t.Fatalf("read: %t", ok)
		}
		if !ok {
			return
		}
		if len(text) < 1000 {
			checkPlaces(t, text, root)
		}
		switch root.Kind {
		case Object:
			out, err := SetMember(text, root, []string{"v", "w"}, "a", "b")
			if err == nil && !json.Valid(out) {
				t.Errorf("setting a member makes %s", out)
			}
			if out, err = DeleteMember(text, root, "a"); err == nil && !json.Valid(out) {
				t.Errorf("deleting a member makes %s", out)
			}
			fallthrough
		case Array:
			out := EditElements(text, root, map[int][]byte{0: nil}, [][]byte{[]byte("{}")})
			if !json.Valid(out) {
				t.Errorf("editing elements makes %s", out)
			}
		case String, Number, True, False, Null:
		}
	})
}
