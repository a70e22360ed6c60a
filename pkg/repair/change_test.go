package repair_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Each change says which statements of the bucket's policy it edits, and what
// for. Statements that no change names are there as they were.
func TestChangesName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := genPlanned(t, repair.Options{Harden: rapid.Bool().Draw(t, "harden")})
		var edited []int
		for _, c := range p.plan.Changes {
			edited = append(edited, c.Edits...)
			p.isMadeFor(t, c)
		}
		if p.bucket.Policy == nil {
			return
		}
		for i := range p.bucket.Policy.Len() {
			text := p.bucket.Policy.StatementText(i)
			kept := slices.ContainsFunc(slices.Collect(p.texts()), func(s string) bool { return s == string(text) })
			if !kept && !slices.Contains(edited, i) {
				t.Fatalf("statement %d is gone and no change names it: %+v\nbefore: %s\n%s", i, p.plan.Changes, p.bucket.Policy.Text(), text)
			}
		}
	})
}

// isMadeFor: the change is made for something, and edits what is there.
func (p planned) isMadeFor(t *rapid.T, c repair.Change) {
	if slices.ContainsFunc(c.Edits, func(i int) bool { return p.bucket.Policy == nil || i < 0 || i >= p.bucket.Policy.Len() }) {
		t.Fatalf("%+v edits what is not there", c)
	}
	if c.Action == "add" && len(c.Edits) > 0 || c.Action == "mend" && len(c.Edits) != 1 {
		t.Fatalf("%+v edits %d statements", c, len(c.Edits))
	}
	if len(c.Serves) == 0 {
		t.Fatalf("%+v is made for nothing", c)
	}
	for _, s := range c.Serves {
		known := s.Trail == "" && s.Finding != "" ||
			slices.ContainsFunc(p.trails, func(one trail.Trail) bool { return one.ARN == s.Trail })
		_, found := delivery.LookupType(s.Finding)
		if !known || (s.Requirement == "") != found {
			t.Fatalf("%+v is made for %+v", c, s)
		}
	}
}
