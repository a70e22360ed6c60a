package policy

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// allStrings lists every string of a small key set.
func allStrings(s glob.KeySet) []string {
	out := []string{""}
	for _, p := range s {
		words := p.Words
		if len(words) == 0 {
			words = classWords(p)
		}
		var next []string
		for _, head := range out {
			for _, w := range words {
				next = append(next, head+w)
			}
		}
		out = next
	}
	return out
}

func classWords(p glob.Segment) []string {
	level, out := []string{""}, []string(nil)
	for n := 0; n <= p.Max; n++ {
		if n >= p.Min {
			out = append(out, level...)
		}
		var next []string
		for _, head := range level {
			for _, r := range p.Class {
				next = append(next, head+string(r))
			}
		}
		level = next
	}
	return out
}

// vector is how the Resource patterns of the document see a resource.
func vector(d *Document, r *Request, text string) string {
	var b strings.Builder
	for _, s := range d.Prepare(r, NewBudget(DecisionSteps)).statements {
		if s.match.Principal == No || s.match.Action == No {
			continue
		}
		for _, e := range s.entries {
			fmt.Fprint(&b, !e.matchesNothing && e.Match(glob.TextOf(text)), e.notARN, e.approximate, " ")
		}
	}
	return b.String()
}

func drawKeySet(t *rapid.T) glob.KeySet {
	s := glob.KeySet{{Words: []string{"arn:aws:s3:::"}}}
	for i := range rapid.IntRange(1, 4).Draw(t, "segments") {
		p := glob.Segment{Name: fmt.Sprint("p", i)}
		if rapid.Bool().Draw(t, "words") {
			p.Words = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "", "/", "ba:"}), 1, 3).Draw(t, "word list")
		} else {
			p.Class = rapid.SampledFrom([]string{"ab", "a/", "b", ":ab"}).Draw(t, "class")
			p.Min = rapid.IntRange(0, 2).Draw(t, "min")
			p.Max = p.Min + rapid.IntRange(0, 2).Draw(t, "more")
		}
		s = append(s, p)
	}
	return s
}

// TestWitnessesCoverTheKeySet: the witnesses are strings of the key set, no two are
// alike, and every string of the key set is like one of them.
func TestWitnessesCoverTheKeySet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any {
			return "arn:aws:s3:::" + rapid.StringOfN(rapid.SampledFrom([]rune("ab/*?:")), 0, 6, -1).Draw(t, "pattern") +
				rapid.SampledFrom([]string{"", "*", "${k:k}", "${k:u}b"}).Draw(t, "tail")
		}), 1, 4).Draw(t, "patterns")
		d := mustParse(t, map[string]any{"Version": currentVersion, "Statement": map[string]any{
			"Effect": "Allow", "Principal": "*", "Action": "*", rapid.SampledFrom([]string{"Resource", "NotResource"}).Draw(t, "element"): patterns,
		}})
		r := cloudTrailRequest(NewContext(Value{State: Either}).With("k:k", Is("ab")))
		keys := drawKeySet(t)
		all := map[string]string{}
		for _, text := range allStrings(keys) {
			all[text] = vector(d, r, text)
		}
		samples := d.Prepare(r, NewBudget(DecisionSteps)).Samples(keys)
		if !samples.Complete || !samples.Exhaustive {
			t.Fatal("not complete")
		}
		seen := map[string]bool{}
		for _, w := range samples.List {
			v, ok := all[w.Text]
			if !ok || seen[v] {
				t.Fatalf("witness %q: in the key set %t, like another %t", w.Text, ok, seen[v])
			}
			seen[v] = true
			joined := "arn:aws:s3:::"
			for i := 1; i < len(keys); i++ {
				joined += w.Segments[keys[i].Name]
			}
			if joined != w.Text {
				t.Fatalf("witness %q has the segments %q", w.Text, w.Segments)
			}
		}
		for text, v := range all {
			if !seen[v] {
				t.Fatalf("no witness for %q (%s) among %v", text, v, samples.List)
			}
		}
	})
}

// drawSearched draws a policy whose statements differ in their resources and in
// few conditions, and the request.
func drawSearched(t *rapid.T) (*Document, *Request) {
	pick := func(label string, of ...any) any { return rapid.SampledFrom(of).Draw(t, label) }
	var list []any
	for range rapid.IntRange(0, 6).Draw(t, "statements") {
		s := map[string]any{
			"Effect": pick("effect", "Allow", "Allow", "Deny", "Deny", "Neither"), "Principal": "*", "Action": pick("action", "s3:*", "s3:*", "s3:*", "s3:Get*"),
			pick("element", "Resource", "Resource", "NotResource").(string): rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any {
				return rapid.SampledFrom([]string{"arn:aws:s3:::", "arn:aws:s3:::", "arn:aws:s3:::", "arn:aws:*"}).Draw(t, "head") +
					rapid.StringOfN(rapid.SampledFrom([]rune("ab/*?")), 0, 5, -1).Draw(t, "pattern") +
					rapid.SampledFrom([]string{"", "*", "*", "${k:known}", "${k:a}*"}).Draw(t, "tail")
			}), 1, 3).Draw(t, "resources"),
		}
		conditions := map[string]any{}
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			conditions[pick("operator", "StringEquals", "StringNotEquals").(string)] = map[string]any{
				pick("key", "k:a", "k:b").(string): pick("value", "x", "y", []any{"x", "y"}),
			}
		}
		if len(conditions) > 0 {
			s["Condition"] = conditions
		}
		if rapid.IntRange(0, 9).Draw(t, "malformed") == 0 {
			s[pick("which", "Resource", "NotResource", "Unknown").(string)] = []any{1}
		}
		list = append(list, s)
	}
	state := func(key string) Value {
		return Value{State: rapid.SampledFrom([]State{Either, Present}).Draw(t, "state of "+key)}
	}
	c := NewContext(Value{}).With("k:known", Is("ab")).With("k:a", state("k:a")).With("k:b", state("k:b"))
	return mustParse(t, map[string]any{"Version": currentVersion, "Statement": list}), cloudTrailRequest(c)
}

// TestSearchAgainstBruteForce: the worst decision found is the worst of all
// strings, and each Deny is shown at its best; with few steps too, or the search
// says that it was cut.
func TestSearchAgainstBruteForce(t *testing.T) {
	cut, worse := 0, [4]int{}
	rapid.Check(t, func(t *rapid.T) {
		d, r := drawSearched(t)
		keys := drawKeySet(t)
		all := d.Prepare(r, NewBudget(DecisionSteps))
		worst, best := allowedForCertain, make([]Truth, d.Len())
		strings := map[string]bool{}
		for _, text := range allStrings(keys) {
			got := all.Decide(text)
			strings[text] = true
			worst = max(worst, badness(got))
			for i, m := range got.Matches {
				best[i] = max(best[i], m.Truth())
			}
		}
		look := func(steps int) (s *search) {
			p := d.Prepare(r, NewBudget(steps))
			s = &search{Prepared: p, keys: keys}
			s.settle()
			for _, x := range s.found {
				is, right := badness(x.Decision), badness(all.Decide(x.Text))
				open := x.Decision.Bounded && x.Decision.Outcome == Undetermined && (is == leftOpen || right == deniedExplicitly)
				if !strings[x.Text] || is != right && !open {
					t.Fatalf("%s\n%q is decided %+v, right is %d", d.Text(), x.Text, x.Decision, right)
				}
				s.cut = s.cut || x.Decision.Bounded
			}
			if s.cut {
				return s
			}
			if s.worst() != worst {
				t.Fatalf("%s\nfound %v, the worst is %d", d.Text(), s.found, worst)
			}
			for i := range d.Len() {
				var shown Truth
				for _, x := range s.found {
					shown = max(shown, x.Decision.Matches[i].Truth())
				}
				if d.statements[i].effect == Deny && all.casesOf(i).truth != No && shown != best[i] {
					t.Fatalf("%s\nstatement %d matches: %s, shown: %s", d.Text(), i, best[i], shown)
				}
			}
			return s
		}
		if look(DecisionSteps).cut {
			cut++
		}
		worse[worst]++
		look(rapid.IntRange(0, 3_000).Draw(t, "steps"))
	})
	t.Logf("cut %d, allowed %d, open %d, denied %d, denied explicitly %d", cut, worse[0], worse[1], worse[2], worse[3])
}
