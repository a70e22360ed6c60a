package guardrail

import (
	"context"
	"errors"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// An alert that is stored is published by whoever claims it first, and taken out of the
// record then.

// claim claims the alerts that wait. Without a topic they are left for those who
// can send them.
func (g *Guard) claim(ctx context.Context, t Target, r ledger.Record) (ledger.Record, []ledger.Message) {
	if g.ports.Alerts == nil {
		return r, nil
	}
	return r.Claim(g.now(), g.claimEnd(ctx), t.own)
}

// publish sends alerts that were claimed and takes them out of the record. One
// that cannot be sent stays there and is free for the next reconciliation.
func (g *Guard) publish(ctx context.Context, rec record, claimed []ledger.Message) (_ record, sent []alert.Kind, _ error) {
	if len(claimed) == 0 {
		return rec, nil, nil
	}
	published := map[string]bool{}
	var errs []error
	publishing, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	for _, m := range claimed {
		if err := g.send(publishing, rec.Bucket, m); err != nil {
			errs = append(errs, err)
			continue
		}
		published[m.ID] = true
		sent = append(sent, m.Kind)
	}
	rec, err := g.releaseClaims(ctx, rec, claimed, published)
	return rec, sent, join(append(errs, err))
}

func (g *Guard) send(ctx context.Context, bucket string, m ledger.Message) error {
	if err := g.ports.Alerts.Publish(ctx, m.Message); err != nil {
		return &PublishError{Bucket: bucket, Err: err}
	}
	g.run.Log.InfoContext(ctx, "alert sent", "kind", m.Kind, "bucket", bucket)
	return nil
}

// releaseClaims takes published alerts out of the record and frees the other ones that
// were claimed. Whatever somebody else stored meanwhile is kept. A store that
// fails for a moment is tried again, since an alert that is not taken out is
// sent twice.
func (g *Guard) releaseClaims(ctx context.Context, rec record, claimed []ledger.Message, published map[string]bool) (record, error) {
	for try, wait := 1, firstWait; ; try, wait = try+1, min(2*wait, longestWait) {
		next := rec.Record
		for _, m := range claimed {
			if published[m.ID] {
				next = next.Published(m.ID)
			} else {
				next = next.Free(m.ID)
			}
		}
		saved, err := rec.save(ctx, next)
		if err == nil {
			return saved, nil
		}
		overtaken := errors.Is(err, errOvertaken)
		if overtaken {
			err = &BusyError{Bucket: rec.Bucket}
		}
		if try == maxTries || !overtaken && !Is(err, Transient) || !g.pause(ctx, wait, time.Second) {
			return rec, err
		}
		if reloaded, loadErr := rec.reload(ctx); loadErr == nil {
			rec = reloaded
		}
	}
}

// publishWaiting sends the alerts that wait, and waits for others who may be sending
// them: a process may have ended between its claim and its call. The error is a
// *BusyError if there was no time left to see what became of an alert. Nobody may
// call an event done of which an alert may be unsent.
func (g *Guard) publishWaiting(ctx context.Context, t Target, rec record) (sent []alert.Kind, _ error) {
	if g.ports.Alerts == nil || !rec.durable() {
		return nil, nil
	}
	for wait := firstWait / 2; len(rec.Outbox) > 0; wait = min(2*wait, longestWait) {
		next, claimed := g.claim(ctx, t, rec.Record)
		if len(claimed) > 0 {
			saved, err := rec.save(ctx, next)
			if err == nil {
				var kinds []alert.Kind
				rec, kinds, err = g.publish(ctx, saved, claimed)
				sent = append(sent, kinds...)
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, errOvertaken) {
				return sent, err
			}
		}
		if !g.pause(ctx, wait, longestWait) {
			return sent, &BusyError{Bucket: rec.Bucket}
		}
		var err error
		if rec, err = rec.reload(ctx); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// flush sends the alerts that wait, without looking at the target.
func (g *Guard) flush(ctx context.Context, t Target) (Result, error) {
	res := resultOf(t)
	rec, err := g.blank(t).reload(ctx)
	if err == nil {
		res.Notified, err = g.publishWaiting(ctx, t, rec)
	}
	return res, err
}
