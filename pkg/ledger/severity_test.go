package ledger_test

import (
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// Weaknesses, and what was not certain already when a bucket was first looked at, are told
// from a severity on. What becomes uncertain, and every outage, is told whatever that is.
func TestSeverity(t *testing.T) {
	const high, low = delivery.High, delivery.Low
	key := ledger.Key{Account: "111111111111", Bucket: "logs"}
	call := delivery.Change{Event: "PutBucketPolicy", EventID: "1", Time: start()}
	open := func(s delivery.Severity) delivery.Finding {
		return delivery.Finding{ID: "undetermined", Kind: delivery.Unknown, Severity: s, Trail: arn}
	}
	weak := func(s delivery.Severity) delivery.Finding {
		return delivery.Finding{ID: "weak", Kind: delivery.Weakness, Severity: s}
	}
	outage := delivery.Finding{ID: "log-files-denied", Kind: delivery.Outage, Severity: delivery.Low, Trail: arn}
	type look struct {
		findings []delivery.Finding
		by       *delivery.Change
		want     alert.Kind
	}
	all := func(f ...delivery.Finding) []delivery.Finding { return f }
	for _, tt := range []struct {
		name     string
		severity delivery.Severity
		looks    []look
	}{
		{"at the first look", high, []look{{all(open(low)), nil, alert.Nothing}, {all(open(low)), nil, alert.Nothing}}},
		{"at the first look, severe", high, []look{{all(open(high)), nil, alert.Opened}, {all(open(high)), nil, alert.Nothing}, {nil, nil, alert.Resolved}}},
		{"it becomes so, and nobody knows by what", high, []look{
			{nil, nil, alert.Nothing}, {all(open(low)), nil, alert.Opened}, {all(open(low)), nil, alert.Nothing}, {nil, nil, alert.Resolved},
		}},
		{"somebody brings it about", high, []look{{all(open(low)), &call, alert.Opened}, {all(open(low)), nil, alert.Nothing}, {nil, nil, alert.Resolved}}},
		{"quiet, gone, and back", high, []look{{all(open(low)), nil, alert.Nothing}, {nil, nil, alert.Nothing}, {all(open(low)), nil, alert.Opened}}},
		{"an outage beside it", high, []look{{all(open(low)), nil, alert.Nothing}, {all(open(low), outage), nil, alert.Opened}, {all(open(low)), nil, alert.Resolved}}},
		{"a weakness below", high, []look{{all(weak(low)), nil, alert.Nothing}, {all(weak(low)), &call, alert.Nothing}}},
		{"a weakness", low, []look{{all(weak(low)), nil, alert.Opened}, {all(weak(low)), nil, alert.Nothing}, {nil, nil, alert.Resolved}}},
		{"an outage, then a weakness", low, []look{{all(outage, weak(low)), nil, alert.Opened}, {all(weak(low)), nil, alert.Changed}, {nil, nil, alert.Resolved}}},
		{"no severity is given", "", []look{{all(open(low), weak(high)), nil, alert.Opened}, {all(weak(high)), nil, alert.Resolved}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := settings()
			s.Severity = tt.severity
			r := ledger.Record{Key: key}
			for i, l := range tt.looks {
				next, kind, _ := ledger.Next(r, ledger.Facts{Findings: l.findings, Change: l.by, Blamed: l.by != nil}, start().Add(time.Duration(i)*time.Hour), s)
				if kind != l.want {
					t.Errorf("look %d: %q, want %q", i+1, kind, l.want)
				}
				r = next
				r.Version++ // it is stored
			}
		})
	}
}

// What cannot be read for now neither tells nor forgets what is quiet.
func TestQuietWhileNotRead(t *testing.T) {
	s := settings()
	s.Severity = delivery.High
	open := []delivery.Finding{{ID: "undetermined", Kind: delivery.Unknown, Severity: delivery.Medium, Trail: arn}}
	r, _, _ := ledger.Next(ledger.Record{Key: ledger.Key{Account: "111111111111", Bucket: "logs"}}, ledger.Facts{Findings: open}, start(), s)
	r.Version = 1
	r, kind, changed := ledger.Next(r, ledger.Facts{Partial: true}, start(), s)
	if kind != alert.Nothing || changed {
		t.Errorf("partial: %q, stored: %t", kind, changed)
	}
	if _, kind, _ := ledger.Next(r, ledger.Facts{Findings: open}, start(), s); kind != alert.Nothing {
		t.Errorf("read again: %q", kind)
	}
}
