package guardrail_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// weighed is a ledger that weighs what is stored: a record without the texts of its
// alerts, which are items of their own.
type weighed struct {
	*inmem.Ledger

	record, alert int // the largest, in bytes
}

func (w *weighed) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	bare := r
	bare.Outbox = nil
	for _, m := range r.Outbox {
		w.alert = max(w.alert, len(m.Subject)+len(m.Body))
		m.Message = alert.Message{}
		bare.Outbox = append(bare.Outbox, m)
	}
	text, err := bare.Encode()
	if err != nil {
		return r, err
	}
	w.record = max(w.record, len(text))
	return w.Ledger.Save(ctx, r)
}

// largestPolicy is one that S3 takes, with nothing that lets CloudTrail write, and a
// Deny on a part of what it writes with as many "<" as fit into so many bytes.
func largestPolicy(size int) string {
	const form = `{"Version":"2012-10-17","Statement":[{"Sid":"D","Effect":"Deny","Principal":"*","Action":"s3:PutObject",` +
		`"Resource":"arn:aws:s3:::acme-audit-logs/*/CloudTrail-Digest/*","Condition":{"StringNotEquals":{"aws:PrincipalTag/a":["%s","%s"]}}}]}`
	left := size - len(form) + len("%s%s")
	return fmt.Sprintf(form, strings.Repeat("<", left/2), strings.Repeat("<", left-left/2))
}

// TestLargestRecord lets many trails deliver into a bucket with the largest policy that S3
// takes. What is remembered fits DynamoDB's 400 KB with room to spare, and the same is
// told once.
func TestLargestRecord(t *testing.T) {
	for _, test := range []struct {
		size  int
		kinds string
		in    []option
	}{
		{16700, "restored", nil}, // there is room for what is missing
		{20480, "opened", nil},   // there is none
		{20480, "opened", []option{listOnly}},
	} {
		w := newWorld(t, test.in...)
		scale := &weighed{Ledger: w.ledger}
		w.ports.Ledger = scale
		w.rebuild()
		for i := range 12 {
			tr := mainTrail()
			tr.Name, tr.Prefix = fmt.Sprintf("trail-%d", i), fmt.Sprintf("prefix-%d", i%3)
			tr.ARN = strings.Replace(tr.ARN, "trail/main", "trail/"+tr.Name, 1)
			tr.InsightSelectors = true
			w.PutTrail(tr, trail.Status{Logging: true})
		}
		policy := largestPolicy(test.size)
		if len(policy) != test.size {
			t.Fatalf("the policy has %d bytes", len(policy))
		}
		r := w.put(t, policy)
		for range 3 {
			w.reconcile(t, r)
		}
		w.sweep(t)
		w.wantKinds(t, test.kinds)
		if scale.record > 40<<10 || scale.alert > 60<<10 {
			t.Errorf("%d bytes of policy: a record of %d bytes, an alert of %d", test.size, scale.record, scale.alert)
		}
		t.Logf("%d bytes of policy: a record of %d bytes, an alert of %d", test.size, scale.record, scale.alert)
	}
}
