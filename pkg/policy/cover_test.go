package policy

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestCoverAgainstEnumeration: boxes cover a region if each of its cases is in
// one of them.
func TestCoverAgainstEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.IntRange(1, 4).Draw(t, "keys")
		region := make([][]int, keys)
		sizes := make([]int, keys)
		for k := range region {
			sizes[k] = rapid.IntRange(1, 4).Draw(t, "values")
			for v := range sizes[k] {
				if v == 0 || rapid.Bool().Draw(t, "in the region") {
					region[k] = append(region[k], v)
				}
			}
		}
		c := cover{left: maxCoverSteps, narrowed: make([]int, keys)}
		var live []int
		for i := range rapid.IntRange(0, 7).Draw(t, "boxes") {
			var b box
			for k := range keys {
				if rapid.IntRange(0, 2).Draw(t, "tested") == 0 {
					continue
				}
				one := side{k, make([]bool, sizes[k])}
				for v := range one.in {
					one.in[v] = rapid.IntRange(0, 2).Draw(t, "in the box") > 0
				}
				b = append(b, one)
			}
			c.boxes, live = append(c.boxes, b), append(live, i)
		}
		want := true
		at := make([]int, keys)
		var each func(k int)
		each = func(k int) {
			if k == keys {
				want = want && slices.ContainsFunc(c.boxes, func(b box) bool {
					return !slices.ContainsFunc(b, func(s side) bool { return !s.in[at[s.key]] })
				})
				return
			}
			for _, v := range region[k] {
				at[k] = v
				each(k + 1)
			}
		}
		each(0)
		if got := c.covered(region, live); got != want || c.left < 0 {
			t.Fatalf("covered %t, want %t, %d steps left: region %v, boxes %v", got, want, c.left, region, c.boxes)
		}
		few := cover{boxes: c.boxes, narrowed: c.narrowed, left: rapid.IntRange(0, 60).Draw(t, "steps")}
		if few.covered(region, live) && !want {
			t.Fatal("covered for want of steps")
		}
	})
}

// TestCasesAgainstEnumeration: decided by cases is as decided in all combinations
// of values of up to three keys. The values are so many that each class of texts
// has one.
func TestCasesAgainstEnumeration(t *testing.T) {
	values := []Value{{}}
	for _, text := range []string{"a", "b", "ab", "ba", "aa", "bb", "aab", "aba", "abb", "baa", "bab", "bba", "x", "ax", "xa", "bx", "xb", "axa", "axb", "bxa", "bxb", "a*", "*b", "?", "*"} {
		values = append(values, Is(text))
	}
	open, certain := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		keys := []string{"k:a", "k:b", "k:c"}[:rapid.IntRange(1, 3).Draw(t, "keys")]
		of := make([][]Value, len(keys))
		c := NewContext(Value{})
		for i, key := range keys {
			v := Value{State: rapid.SampledFrom([]State{Either, Present}).Draw(t, "state")}
			of[i] = values
			if v.State == Present {
				of[i] = values[1:]
			}
			if rapid.Bool().Draw(t, "one of") {
				v.OneOf = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"b", "a", "ab", "x"}), 1, 3, rapid.ID).Draw(t, "values")
				of[i] = concrete(v)
			}
			c = c.With(key, v)
		}
		var list []any
		for range rapid.IntRange(1, 6).Draw(t, "statements") {
			conditions := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, "conditions") {
				operator := rapid.SampledFrom([]string{
					"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotLikeIfExists", "Null",
				}).Draw(t, "operator")
				operands := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "ab", "a*", "*b", "?", "*"}), 1, 2).Draw(t, "operands")
				if operator == "Null" {
					operands = []string{rapid.SampledFrom([]string{"true", "false"}).Draw(t, "null")}
				}
				conditions[operator] = map[string]any{rapid.SampledFrom(keys).Draw(t, "key"): operands}
			}
			list = append(list, map[string]any{
				"Effect": rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"), "Principal": "*", "Action": "*",
				"Resource": "arn:aws:s3:::b/*", "Condition": conditions,
			})
		}
		d := mustParse(t, map[string]any{"Version": currentVersion, "Statement": list})
		got := d.Decide(cloudTrailRequest(c))

		var outcomes []Outcome
		deniedEitherWay := true
		truths := make([][]Truth, len(list))
		var each func(i int, c Context)
		each = func(i int, c Context) {
			if i == len(keys) {
				one := d.Decide(cloudTrailRequest(c))
				if !slices.Contains(outcomes, one.Outcome) {
					outcomes = append(outcomes, one.Outcome)
				}
				deniedEitherWay = deniedEitherWay && one.Outcome != Allowed
				for k, m := range one.Matches {
					truths[k] = append(truths[k], m.Truth())
				}
				return
			}
			for _, v := range of[i] {
				each(i+1, c.With(keys[i], v))
			}
		}
		each(0, c)
		want := Undetermined
		if len(outcomes) == 1 {
			want = outcomes[0]
			certain++
		} else {
			open++
		}
		if got.Outcome != want || got.Bounded || got.DeniedEitherWay != deniedEitherWay {
			t.Fatalf("%s\n%+v\n%s, bounded %t, denied either way %t; in all cases %v", d.Text(), c.of, got.Outcome, got.Bounded, got.DeniedEitherWay, outcomes)
		}
		if got.Outcome != Undetermined {
			return
		}
		for k, m := range got.Matches {
			always := slices.Compact(slices.Sorted(slices.Values(truths[k])))
			if want := append(always, Maybe)[0]; len(always) == 1 && m.Truth() != want || len(always) > 1 && m.Truth() != Maybe {
				t.Fatalf("%s\nstatement %d: %s; in all cases %v", d.Text(), k, m.Truth(), always)
			}
		}
	})
	t.Log(fmt.Sprint(open, " open, ", certain, " certain"))
}
