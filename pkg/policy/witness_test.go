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
	q := *r
	q.Resource = text
	ev := newEvaluator(&q)
	var b strings.Builder
	for i := range d.statements {
		s := &d.statements[i]
		if p, _ := s.principal.match(&q.Caller, s.effect); p == No || s.action.match(ev.action) == No {
			continue
		}
		for j := range s.resource.patterns {
			t, _ := ev.matchResource(&s.resource.patterns[j])
			fmt.Fprint(&b, t, " ")
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
		witnesses, complete := d.Witnesses(keys, r)
		if !complete {
			t.Fatal("not complete")
		}
		seen := map[string]bool{}
		for _, w := range witnesses {
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
				t.Fatalf("no witness for %q (%s) among %q", text, v, witnesses)
			}
		}
	})
}
