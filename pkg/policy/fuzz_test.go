package policy

import (
	"encoding/json"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/glob"
	"github.com/trailwarden/trailwarden/test/corpus"
)

// seeds adds the policies of the corpus.
func seeds(f *testing.F, add func(policy []byte)) {
	f.Helper()
	for _, line := range corpus.Lines(f, "testdata/decisions.jsonl", 1) {
		var c struct{ Policy json.RawMessage }
		if err := json.Unmarshal(line.Text, &c); err == nil && c.Policy != nil {
			add(c.Policy)
		}
	}
}

// FuzzParse: whatever parses can be written, edited and judged, and means the
// same when it is read again.
func FuzzParse(f *testing.F) {
	seeds(f, func(p []byte) { f.Add(p) })
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		if string(d.Text()) != string(text) {
			t.Error("the text is not kept")
		}
		d.Faults("arn:aws:s3:::logs")
		d.Faults("")
		compact := d.Compact()
		for i := range d.Len() {
			if len(d.StatementText(i)) == 0 {
				t.Error("a statement without text")
			}
		}
		if compact.Len() != d.Len() {
			t.Error("compacting changes the number of statements")
		}
		same, err := d.With(nil)
		if err == nil && string(same.Text()) != string(text) {
			t.Errorf("no edit makes %s", same.Text())
		}
		added, err := d.With(nil, []byte(`{"Sid":"added"}`))
		if err == nil && added.Len() != d.Len()+1 {
			t.Errorf("a statement is lost: %s", added.Text())
		}
		if out, err := SetMember(text, []string{"v"}, "a", "b"); err == nil {
			if _, err := Parse(out); err != nil {
				t.Errorf("setting a member makes %s", out)
			}
			if out, err = DeleteMember(out, "a", "b"); err != nil || !json.Valid(out) {
				t.Errorf("deleting a member makes %s: %v", out, err)
			}
		}
	})
}

// FuzzDecide: an answer under unknown keys is not contradicted by the one with
// every key absent or with values.
func FuzzDecide(f *testing.F) {
	seeds(f, func(p []byte) { f.Add(p, "arn:aws:s3:::logs/AWSLogs/x", "111122223333") })
	f.Fuzz(func(t *testing.T, text []byte, resource, value string) {
		d, err := Parse(text)
		if err != nil || len(text) > 4096 || len(value) > 256 {
			return
		}
		ask := func(rest Value) Decision {
			r := cloudTrailRequest(NewContext(rest))
			r.Resource = resource
			d.Explain(r)
			return d.Decide(r)
		}
		open := ask(Value{State: Either})
		for _, rest := range []Value{{}, Is(value)} {
			got := ask(rest)
			if rest.State == Present && speaksOfTypedKeys(d) {
				continue // the value may be none that the key can have
			}
			if err := contradiction(open, got); err != nil {
				t.Errorf("%s\n%q: %v", text, value, err)
			}
		}
		d.Prepare(cloudTrailRequest(NewContext(Value{State: Either})), NewBudget(DecisionSteps)).
			Samples(glob.KeySet{{Words: []string{"arn:aws:s3:::logs/"}}, {Class: "ab/1", Max: 4}})
	})
}

func speaksOfTypedKeys(d *Document) bool {
	found := false
	see := func(key, _ string) {
		found = found || keyKind(key) != unknownOperator || multivalued(key)
	}
	for _, s := range d.statements {
		for i := range s.resource.patterns {
			s.resource.patterns[i].variables(see)
		}
		for _, c := range s.conditions {
			see(c.key, "")
			for i := range c.operands {
				c.operands[i].pattern.variables(see)
			}
		}
	}
	return found
}
