package glob

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// generous limits are far above what the patterns of a test take.
func generous() Limits { return Limits{States: 50_000, Steps: 1 << 22, Classes: 50_000} }

// allStrings lists every string of a small key set.
func allStrings(s KeySet) []string {
	out := []string{""}
	for _, seg := range s {
		words := seg.Words
		if len(words) == 0 {
			words = classWords(seg)
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

func classWords(seg Segment) []string {
	level, out := []string{""}, []string(nil)
	for n := 0; n <= seg.Max; n++ {
		if n >= seg.Min {
			out = append(out, level...)
		}
		var next []string
		for _, head := range level {
			for _, r := range seg.Class {
				next = append(next, head+string(r))
			}
		}
		level = next
	}
	return out
}

func drawKeySet(t *rapid.T) KeySet {
	s := KeySet{{Words: []string{"a:b:"}}}
	for i := range rapid.IntRange(1, 4).Draw(t, "segments") {
		seg := Segment{Name: fmt.Sprint("s", i)}
		if rapid.Bool().Draw(t, "words") {
			seg.Words = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "Ab", "", "/", "ba:"}), 1, 3).Draw(t, "word list")
		} else {
			seg.Class = rapid.SampledFrom([]string{"ab", "a/", "bB", ":ab"}).Draw(t, "class")
			seg.Min = rapid.IntRange(0, 2).Draw(t, "min")
			seg.Max = seg.Min + rapid.IntRange(0, 2).Draw(t, "more")
		}
		s = append(s, seg)
	}
	return s
}

func drawPattern(t *rapid.T) Pattern {
	p := Parse(rapid.SampledFrom([]string{"a:b:", "a:?:", "*"}).Draw(t, "head") +
		rapid.StringOfN(rapid.SampledFrom([]rune("ab/*?:")), 0, 6, -1).Draw(t, "pattern"))
	p.Fold = rapid.Bool().Draw(t, "fold")
	if q, ok := p.InFields(rapid.IntRange(0, 3).Draw(t, "fields")); ok {
		return q
	}
	return p
}

// each makes every pattern a union of its own.
func each(patterns []Pattern) []Union {
	var out []Union
	for _, p := range patterns {
		out = append(out, Union{p})
	}
	return out
}

func drawUnions(t *rapid.T, least, most int) []Union {
	union := rapid.Custom(func(t *rapid.T) Union { return rapid.SliceOfN(rapid.Custom(drawPattern), 1, 3).Draw(t, "union") })
	return rapid.SliceOfN(union, least, most).Draw(t, "unions")
}

// matches is how the unions see a text.
func matches(unions []Union, text string) []bool {
	out := make([]bool, len(unions))
	for i, u := range unions {
		out[i] = slices.ContainsFunc(u, func(p Pattern) bool { return p.Match(TextOf(text)) })
	}
	return out
}

// TestClassesCoverTheKeySet: by brute force, the witnesses are strings of the
// set, matched as is said, no two are alike, and every string of the set is
// like one of them.
func TestClassesCoverTheKeySet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := drawUnions(t, 1, 4)
		set := drawKeySet(t)
		all := map[string]string{}
		for _, text := range allStrings(set) {
			all[text] = fmt.Sprint(matches(patterns, text))
		}
		classes, complete := Classes(patterns, generous(), set)
		if !complete {
			t.Fatal("not complete")
		}
		seen := map[string]bool{}
		for _, c := range classes {
			v, ok := all[c.Text]
			if !ok || seen[v] || v != fmt.Sprint(c.Matches) {
				t.Fatalf("witness %q: in the set %t, like another %t, matched %v and %s", c.Text, ok, seen[v], c.Matches, v)
			}
			seen[v] = true
			joined := "a:b:"
			for i := 1; i < len(set); i++ {
				joined += c.Segments[set[i].Name]
			}
			if joined != c.Text {
				t.Fatalf("witness %q has the segments %q", c.Text, c.Segments)
			}
		}
		for text, v := range all {
			if !seen[v] {
				t.Fatalf("no witness for %q (%s) among %v", text, v, classes)
			}
		}
	})
}

// TestCovers: by brute force over small sets.
func TestCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, sets := drawPattern(t), []KeySet{drawKeySet(t), drawKeySet(t)}
		count, matched := 0, 0
		for _, s := range sets {
			for _, text := range allStrings(s) {
				count++
				if p.Match(TextOf(text)) {
					matched++
				}
			}
		}
		want := Some
		switch matched {
		case count:
			want = All
		case 0:
			want = None
		}
		if got := p.Covers(generous(), sets...); got != want {
			t.Fatalf("%v of %v: %d, want %d", p, sets, got, want)
		}
	})
	if got := Parse("*").Covers(generous()); got != Some {
		t.Errorf("of no strings: %d", got)
	}
	if got := Parse("*a").Covers(Limits{}, KeySet{{Class: "a", Min: 1, Max: 1}}); got != Some {
		t.Errorf("without work: %d", got)
	}
}

// find is Machine.Find for a question that is asked once.
func find(match, avoid []Union, limits Limits, sets ...KeySet) (w Witness, found, complete bool) {
	m, indexes := machineOf(slices.Concat(match, avoid))
	return m.Find(indexes[:len(match)], indexes[len(match):], limits, sets...)
}

// TestFind: by brute force over small sets. A string is found if there is one,
// and within small limits the answer is right or says that it is cut.
func TestFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		match, avoid := drawUnions(t, 0, 2), drawUnions(t, 0, 3)
		sets := []KeySet{drawKeySet(t), drawKeySet(t)}
		wanted := func(text string) bool {
			return !slices.Contains(matches(match, text), false) && !slices.Contains(matches(avoid, text), true)
		}
		all, want := map[string]bool{}, false
		for _, s := range sets {
			for _, text := range allStrings(s) {
				all[text] = true
				want = want || wanted(text)
			}
		}
		right := func(w Witness, found bool) {
			if found && (!all[w.Text] || !wanted(w.Text)) {
				t.Fatalf("found %q, in the sets %t, of the wanted %t", w.Text, all[w.Text], wanted(w.Text))
			}
		}
		w, found, complete := find(match, avoid, generous(), sets...)
		right(w, found)
		if found != want || !complete {
			t.Fatalf("found %t, complete %t, but there is one: %t", found, complete, want)
		}
		w, found, complete = find(match, avoid, Limits{
			States: rapid.IntRange(0, 40).Draw(t, "states"), Steps: rapid.IntRange(0, 400).Draw(t, "steps"),
		}, sets...)
		right(w, found)
		if complete && found != want {
			t.Fatalf("said to be complete: found %t, but there is one: %t", found, want)
		}
	})
}

// TestFindFollowsFew: what has exponentially many classes is found, or found not
// to be there, in a number of steps that grows with the product of the lengths.
func TestFindFollowsFew(t *testing.T) {
	var letters, ends Union
	for c := 'a'; c <= 'z'; c++ {
		letters = append(letters, keyPatterns("arn:aws:s3:::logs/*"+string(c)+"*.gz")...)
		ends = append(ends, keyPatterns("arn:aws:s3:::logs/*"+string(c)+strings.Repeat("?", 12)+string(c)+"*")...)
	}
	file := KeySet{
		{Words: []string{"arn:aws:s3:::logs/"}},
		{Class: "abcdefghijklmnopqrstuvwxyz", Min: 26, Max: 27},
		{Words: []string{".gz"}},
	}
	tests := []struct {
		name         string
		match, avoid []Union
		want         bool
	}{
		{"one letter only", nil, []Union{letters[:25]}, true},
		{"none", nil, []Union{letters}, false},
		{"a letter twice, 13 apart", []Union{ends}, nil, true},
		{"no letter again after 13", nil, []Union{ends}, true},
		{"two of them", []Union{{ends[0]}, {ends[25]}}, nil, true},
	}
	for _, test := range tests {
		steps := 0
		limits := Limits{States: 1 << 16, Steps: 1 << 20, Spend: func(_, n int) { steps += n }}
		w, found, complete := find(test.match, test.avoid, limits, file)
		t.Logf("%s: %q, %d steps", test.name, w.Text, steps)
		if found != test.want || !complete {
			t.Errorf("%s: found %t, complete %t", test.name, found, complete)
		}
	}
}

// TestEverything: whatever is told apart among all strings is told apart among
// those of the set.
func TestEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := drawUnions(t, 1, 3)
		set, ok := Everything(patterns)
		if !ok {
			t.Fatal("there is no half of a character")
		}
		classes, complete := Classes(patterns, generous(), set)
		if !complete {
			t.Fatal("not complete")
		}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abAB/:xyzé𝒂")), 0, 9, -1).Draw(t, "text")
		want := matches(patterns, text)
		for _, c := range classes {
			if cmp.Equal(c.Matches, want) {
				return
			}
		}
		t.Fatalf("no class of %v is like %q: %v", patterns, text, want)
	})
	half := Pattern{Tokens: []Token{{Op: Literal, Text: TextOf("𝒂")[:3]}}}
	if _, ok := Everything([]Union{{half}}); ok {
		t.Error("no string holds half a character")
	}
}

func logFiles() KeySet {
	digits := "0123456789"
	class := func(name, class string, n, m int) Segment {
		return Segment{Name: name, Class: class, Min: n, Max: m}
	}
	word := func(text string) Segment { return Segment{Words: []string{text}} }
	regions := strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 eu-south-1 " +
		"ap-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 ca-central-1 sa-east-1 af-south-1 me-south-1")
	return KeySet{
		word("arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/"),
		{Name: "region", Words: regions},
		word("/"),
		class("year", digits, 4, 4), word("/"), class("month", digits, 2, 2), word("/"), class("day", digits, 2, 2),
		word("/111122223333_CloudTrail_"), class("file", "abcdefghijklmnopqrstuvwxyz0123456789-_", 1, -1), word(".json.gz"),
	}
}

// keyPatterns reads patterns as those of a Resource element are.
func keyPatterns(texts ...string) []Pattern {
	var out []Pattern
	for _, text := range texts {
		p, _ := read(text, inFields)
		out = append(out, p)
	}
	return out
}

func TestClassesOfLogFiles(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		want     []string // region of each witness
	}{
		{"whole prefix", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/*"}, []string{"us-east-1"}},
		{"one region", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/eu-west-1/*"}, []string{"us-east-1", "eu-west-1"}},
		{"region wildcard", []string{"arn:aws:s3:::logs/AWSLogs/*/CloudTrail/us-*/*"}, []string{"us-east-1", "eu-west-1", "eu-west-1"}},
		{"one year", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/*/2026/*"}, []string{"us-east-1", "us-east-1"}},
		{"elsewhere", []string{"arn:aws:s3:::other/*"}, []string{"us-east-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			classes, complete := Classes(each(keyPatterns(test.patterns...)), generous(), logFiles())
			got := map[string]int{}
			for _, c := range classes {
				got[c.Segments["region"]]++
			}
			if !complete {
				t.Error("not complete")
			}
			if test.name == "region wildcard" {
				// "CloudTrail/us-*/*" may also match within the file's name.
				if got["us-east-1"] == 0 || len(got) < 2 {
					t.Errorf("classes %v", classes)
				}
				return
			}
			want := map[string]int{}
			for _, region := range test.want {
				want[region]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%v", diff, classes)
			}
		})
	}
}

func TestClassesAreBounded(t *testing.T) {
	var list []string
	for i := range 24 {
		list = append(list, fmt.Sprintf("arn:aws:s3:::b/*%c*%d", 'a'+i, i%10))
	}
	s := KeySet{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "abcdefghijklmnopqrstuvwxyz0123456789", Max: -1}}
	if _, complete := Classes(each(keyPatterns(list...)), generous(), s); complete {
		t.Error("2^24 classes are said to be covered")
	}
}

// TestBoundsOfLongPatterns: neither patterns nor key sets of great length take
// long.
func TestBoundsOfLongPatterns(t *testing.T) {
	start := time.Now()
	p := keyPatterns("arn:aws:s3:::b/" + strings.Repeat("a*", 500) + "b")
	Classes(each(p), generous(), KeySet{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "ab", Min: 50, Max: 5000}})
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestCutClassesAreRight: what is found within small limits is right, as far
// as it goes.
func TestCutClassesAreRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := drawUnions(t, 1, 4)
		set := drawKeySet(t)
		limits := Limits{
			States: rapid.IntRange(0, 40).Draw(t, "states"), Steps: rapid.IntRange(0, 400).Draw(t, "steps"),
			Classes: rapid.IntRange(0, 8).Draw(t, "classes"),
		}
		full, _ := Classes(patterns, generous(), set)
		part, complete := Classes(patterns, limits, set)
		if complete && len(part) != len(full) {
			t.Fatalf("said to be complete with %d of %d classes", len(part), len(full))
		}
		for _, c := range part {
			if !cmp.Equal(c.Matches, matches(patterns, c.Text)) {
				t.Fatalf("witness %q is said to be matched %v", c.Text, c.Matches)
			}
		}
	})
}

func TestClassesAreStable(t *testing.T) {
	patterns := keyPatterns("arn:aws:s3:::logs/*/eu-*", "arn:aws:s3:::logs/AWSLogs/*2026*")
	first, _ := Classes(each(patterns), generous(), logFiles())
	for range 5 {
		again, _ := Classes(each(patterns), generous(), logFiles())
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestClassesBeyondTheBasicPlane(t *testing.T) {
	s := KeySet{{Words: []string{"arn:aws:s3:::b/"}}, {Name: "key", Words: []string{"𝒂", "é", "𝒂é", "é𝒂", "éé"}}}
	classes, complete := Classes(each(keyPatterns("arn:aws:s3:::b/𝒂é*", "arn:aws:s3:::b/??")), generous(), s)
	var got []string
	for _, c := range classes {
		got = append(got, c.Segments["key"])
	}
	// "𝒂" is two UTF-16 code units, as many as "éé".
	if diff := cmp.Diff([]string{"𝒂é", "é𝒂", "𝒂"}, got); diff != "" || !complete {
		t.Error(diff)
	}
}

func BenchmarkClasses(b *testing.B) {
	patterns := keyPatterns("arn:aws:s3:::logs/AWSLogs/111122223333/*", "arn:aws:s3:::logs/AWSLogs/*/CloudTrail/eu-west-1/*",
		"arn:aws:s3:::logs/*", "arn:aws:s3:::other/*", "arn:aws:s3:::logs")
	s := logFiles()
	b.ReportAllocs()
	for b.Loop() {
		Classes(each(patterns), generous(), s)
	}
}
