package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// A change is unheard from when a sweep finds it until an event of the bucket comes.
func TestSeen(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2026, 9, 13, 18, minutes, 0, 0, time.UTC) }
	var r ledger.Record
	for _, step := range []struct {
		name string
		do   func(ledger.Record) ledger.Record
		want ledger.Seen
	}{
		{
			"the first look", func(r ledger.Record) ledger.Record { return r.See("a", "eu-west-1", at(0), false) },
			ledger.Seen{Policy: "a", First: at(0), Since: at(0)},
		},
		{
			"nothing new", func(r ledger.Record) ledger.Record { return r.See("a", "eu-west-1", at(1), false) },
			ledger.Seen{Policy: "a", First: at(0), Since: at(0)},
		},
		{
			"an event tells", func(r ledger.Record) ledger.Record { return r.See("b", "eu-west-1", at(2), true) },
			ledger.Seen{Policy: "b", First: at(0), Since: at(2)},
		},
		{
			"a sweep finds", func(r ledger.Record) ledger.Record { return r.See("c", "eu-west-1", at(3), false) },
			ledger.Seen{Policy: "c", First: at(0), Since: at(3), Unheard: true},
		},
		{
			"and once more", func(r ledger.Record) ledger.Record { return r.See("c", "eu-west-1", at(4), false) },
			ledger.Seen{Policy: "c", First: at(0), Since: at(3), Unheard: true},
		},
		{
			"a repair settles nothing", func(r ledger.Record) ledger.Record { return r.Replaced("a", at(5)) },
			ledger.Seen{Policy: "a", First: at(0), Since: at(3), Unheard: true},
		},
		{
			"an event comes", func(r ledger.Record) ledger.Record { return r.See("a", "eu-west-1", at(6), true) },
			ledger.Seen{Policy: "a", First: at(0), Since: at(3)},
		},
		{
			"a repair of what was heard", func(r ledger.Record) ledger.Record { return r.See("d", "eu-west-1", at(7), true).Replaced("a", at(8)) },
			ledger.Seen{Policy: "a", First: at(0), Since: at(8)},
		},
	} {
		r = step.do(r)
		step.want.Region = "eu-west-1"
		if diff := cmp.Diff(&step.want, r.Seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
