package policy_test

import (
	"testing"

	"github.com/trailwarden/trailwarden/pkg/policy"
)

func TestStatements(t *testing.T) {
	d, err := policy.Parse([]byte(`{"Statement":[{"Sid":"first","Effect":"Deny"},{"Effect":"Allow"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	labels := []string{"first", "#1"}
	if d.Len() != len(labels) {
		t.Fatalf("%d statements", d.Len())
	}
	seen := 0
	for i, s := range d.All() {
		if i != seen || s != d.At(i) || s.Index != i {
			t.Errorf("at %d: statement %d, %+v", seen, i, s)
		}
		if s.Label() != labels[i] || d.Label(i) != labels[i] {
			t.Errorf("statement %d is called %q, %q", i, s.Label(), d.Label(i))
		}
		seen++
	}
	if seen != d.Len() {
		t.Errorf("walked over %d statements", seen)
	}
	for range d.All() {
		break // a walk may end early
	}
	if got := testing.AllocsPerRun(10, func() {
		for i := range d.All() {
			d.At(i)
		}
	}); got > 0 {
		t.Errorf("a walk over the statements allocates %v times", got)
	}
}
