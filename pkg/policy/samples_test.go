package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// strings lists every string of a small space.
func allStrings(s Space) []string {
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

func classWords(p Part) []string {
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
		if p, _ := ev.principal(&d.statements[i]); p == No || ev.actionOf(&d.statements[i]) == No {
			continue
		}
		for j := range d.statements[i].resource.list {
			t, _ := ev.resourceMatch(&d.statements[i].resource.list[j])
			fmt.Fprint(&b, t, " ")
		}
	}
	return b.String()
}

func drawSpace(t *rapid.T) Space {
	s := Space{{Words: []string{"arn:aws:s3:::"}}}
	for i := range rapid.IntRange(1, 4).Draw(t, "parts") {
		p := Part{Name: fmt.Sprint("p", i)}
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

// TestSamplesCoverTheSpace: the samples are strings of the space, no two are
// alike, and every string of the space is like one of them.
func TestSamplesCoverTheSpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any {
			return "arn:aws:s3:::" + rapid.StringOfN(rapid.SampledFrom([]rune("ab/*?:")), 0, 6, -1).Draw(t, "pattern") +
				rapid.SampledFrom([]string{"", "*", "${k:k}", "${k:u}b"}).Draw(t, "tail")
		}), 1, 4).Draw(t, "patterns")
		d := mustParse(t, map[string]any{"Version": currentVersion, "Statement": map[string]any{
			"Effect": "Allow", "Principal": "*", "Action": "*", rapid.SampledFrom([]string{"Resource", "NotResource"}).Draw(t, "element"): patterns,
		}})
		r := cloudTrailRequest(NewContext(Value{State: Either}).With("k:k", Is("ab")))
		space := drawSpace(t)
		all := map[string]string{}
		for _, text := range allStrings(space) {
			all[text] = vector(d, r, text)
		}
		samples, complete := d.Samples(space, r)
		if !complete {
			t.Fatal("not complete")
		}
		seen := map[string]bool{}
		for _, s := range samples {
			v, ok := all[s.Text]
			if !ok || seen[v] {
				t.Fatalf("sample %q: in the space %t, like another %t", s.Text, ok, seen[v])
			}
			seen[v] = true
			joined := "arn:aws:s3:::"
			for i := 1; i < len(space); i++ {
				joined += s.Parts[space[i].Name]
			}
			if joined != s.Text {
				t.Fatalf("sample %q has the parts %q", s.Text, s.Parts)
			}
		}
		for text, v := range all {
			if !seen[v] {
				t.Fatalf("no sample for %q (%s) among %q", text, v, samples)
			}
		}
	})
}

func logFiles() Space {
	digits := "0123456789"
	part := func(name, class string, n, m int) Part { return Part{Name: name, Class: class, Min: n, Max: m} }
	word := func(text string) Part { return Part{Words: []string{text}} }
	regions := strings.Fields("us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 eu-south-1 ap-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2 ca-central-1 sa-east-1 af-south-1 me-south-1")
	return Space{
		word("arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/"),
		{Name: "region", Words: regions},
		word("/"),
		part("year", digits, 4, 4), word("/"), part("month", digits, 2, 2), word("/"), part("day", digits, 2, 2),
		word("/111122223333_CloudTrail_"), part("file", "abcdefghijklmnopqrstuvwxyz0123456789-_", 1, -1), word(".json.gz"),
	}
}

func TestSamplesOfLogFiles(t *testing.T) {
	resources := func(of ...string) *Document {
		return mustParse(t, map[string]any{"Version": currentVersion, "Statement": map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": of}})
	}
	tests := []struct {
		name      string
		resources []string
		want      []string // region of each sample
	}{
		{"whole prefix", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/*"}, []string{"us-east-1"}},
		{"one region", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/eu-west-1/*"}, []string{"us-east-1", "eu-west-1"}},
		{"region wildcard", []string{"arn:aws:s3:::logs/AWSLogs/*/CloudTrail/us-*/*"}, []string{"us-east-1", "eu-west-1", "eu-west-1"}},
		{"one year", []string{"arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/*/2026/*"}, []string{"us-east-1", "us-east-1"}},
		{"elsewhere", []string{"arn:aws:s3:::other/*"}, []string{"us-east-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			samples, complete := resources(test.resources...).Samples(logFiles(), cloudTrailRequest(NewContext(Value{})))
			got := map[string]int{}
			for _, s := range samples {
				got[s.Parts["region"]]++
			}
			if !complete {
				t.Error("not complete")
			}
			if test.name == "region wildcard" {
				// "CloudTrail/us-*/*" may also match within the file's name.
				if got["us-east-1"] == 0 || len(got) < 2 {
					t.Errorf("samples %q", samples)
				}
				return
			}
			want := map[string]int{}
			for _, region := range test.want {
				want[region]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%q", diff, samples)
			}
		})
	}
}

func TestSamplesAreBounded(t *testing.T) {
	var list []string
	for i := range 24 {
		list = append(list, fmt.Sprintf("arn:aws:s3:::b/*%c*%d", 'a'+i, i%10))
	}
	d := mustParse(t, map[string]any{"Statement": map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": list}})
	s := Space{{Words: []string{"arn:aws:s3:::b/"}}, {Class: "abcdefghijklmnopqrstuvwxyz0123456789", Max: -1}}
	if _, complete := d.Samples(s, cloudTrailRequest(NewContext(Value{}))); complete {
		t.Error("2^24 classes are said to be covered")
	}
}

func TestSamplesAreStable(t *testing.T) {
	d := mustParse(t, json.RawMessage(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":["arn:aws:s3:::logs/*/eu-*","arn:aws:s3:::logs/AWSLogs/*2026*"]}}`))
	first, _ := d.Samples(logFiles(), cloudTrailRequest(NewContext(Value{})))
	for range 5 {
		again, _ := d.Samples(logFiles(), cloudTrailRequest(NewContext(Value{})))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestSamplesBeyondTheBasicPlane(t *testing.T) {
	d := mustParse(t, map[string]any{"Statement": map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": []string{"arn:aws:s3:::b/𝒂é*", "arn:aws:s3:::b/??"}}})
	s := Space{{Words: []string{"arn:aws:s3:::b/"}}, {Name: "key", Words: []string{"𝒂", "é", "𝒂é", "é𝒂", "éé"}}}
	samples, complete := d.Samples(s, cloudTrailRequest(NewContext(Value{})))
	var got []string
	for _, sample := range samples {
		got = append(got, sample.Parts["key"])
	}
	// "𝒂" is two UTF-16 code units, as many as "éé".
	if diff := cmp.Diff([]string{"𝒂é", "é𝒂", "𝒂"}, got); diff != "" || !complete {
		t.Error(diff)
	}
}
