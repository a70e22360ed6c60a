package repair

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name, before, after, want string
	}{
		{"nothing", "", "", ""},
		{"other white space", `{"a":[1,2]}`, "{\n \"a\" : [1,\n2]}\n", ""},
		{
			"a new policy", "", `{"a":1}`,
			"--- policy (now)\n+++ policy (restored)\n@@ -0,0 +1,3 @@\n+{\n+  \"a\": 1\n+}\n",
		},
		{
			"a changed member", `{"a":1,"b":2}`, `{"a":1,"b":3}`,
			"--- policy (now)\n+++ policy (restored)\n@@ -1,4 +1,4 @@\n {\n   \"a\": 1,\n-  \"b\": 2\n+  \"b\": 3\n }\n",
		},
		{
			"two places", `[0,1,2,3,4,5,6,7,8,9,10]`, `[9,1,2,3,4,5,6,7,8,9,11]`,
			"--- policy (now)\n+++ policy (restored)\n" +
				"@@ -1,5 +1,5 @@\n [\n-  0,\n+  9,\n   1,\n   2,\n   3,\n" +
				"@@ -9,5 +9,5 @@\n   7,\n   8,\n   9,\n-  10\n+  11\n ]\n",
		},
		{
			"not JSON", "one\ntwo", "one",
			"--- policy (now)\n+++ policy (restored)\n@@ -1,2 +1,1 @@\n one\n-two\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Diff([]byte(tt.before), []byte(tt.after)); got != tt.want {
				t.Errorf("Diff:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// A diff, applied to the old text, gives the new one, and holds as many lines
// as differ at the least.
func TestDiffApplies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		a := rapid.SliceOfN(line, 0, 30).Draw(t, "a")
		b := rapid.SliceOfN(line, 0, 30).Draw(t, "b")
		edits := compare(a, b)
		var was, is []string
		changed := 0
		for _, e := range edits {
			if e.op != '+' {
				was = append(was, e.line)
			}
			if e.op != '-' {
				is = append(is, e.line)
			}
			if e.op != ' ' {
				changed++
			}
		}
		if fmt.Sprint(was, is) != fmt.Sprint(a, b) {
			t.Fatalf("edits %v do not lead from %v to %v", edits, a, b)
		}
		if want := len(a) + len(b) - 2*common(a, b); changed != want {
			t.Fatalf("%d edits, want %d", changed, want)
		}
		if text := Diff([]byte(strings.Join(a, "\n")), []byte(strings.Join(b, "\n"))); (text == "") != (changed == 0) {
			t.Fatalf("%d edits, and the text is %q", changed, text)
		}
	})
}

// common returns the length of the longest common subsequence.
func common(a, b []string) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			old := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j], row[j+1])
			}
			diagonal = old
		}
	}
	return row[len(b)]
}
