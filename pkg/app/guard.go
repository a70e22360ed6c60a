package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

// Guard handles what EventBridge has to tell: a batch of events from the queue,
// or one bare event, as `sam local invoke` sends it.
//
// Of a batch it answers which records are to be tried again, and it fails only
// where it cannot name them. Of a bare event it answers what came of it, and it
// fails if the event must be tried again.
func (f *Functions) Guard(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
	if records, ok := readBatch(payload); ok {
		return f.guardBatch(ctx, records)
	}
	return f.guardEvent(ctx, payload)
}

func (f *Functions) guardEvent(ctx context.Context, event json.RawMessage) (json.RawMessage, error) {
	read, err := f.read(ctx, f.log, event)
	if dropped(err) {
		return json.Marshal(outcome{Skipped: err.Error()})
	}
	done := outcome{Skipped: read.skipped, Warning: read.warning, Buckets: []bucketOutcome{}}
	failures := []error{err}
	for _, r := range f.handle(ctx, read.requests) {
		failures = append(failures, r.err)
		for _, result := range r.results {
			done.Buckets = append(done.Buckets, outcomeOf(result))
		}
	}
	return answer(done, failures...)
}

// guardBatch handles all that the records ask for at once.
func (f *Functions) guardBatch(ctx context.Context, records []record) (json.RawMessage, error) {
	again := make([]error, len(records)) // why a record is to be tried again
	failed := 0
	var requests []request
	var from []int // the record of each
	for i, r := range records {
		read, err := f.read(ctx, f.log.With("record", r.ID), []byte(r.Body))
		if dropped(err) {
			failed++
		} else {
			again[i] = err
		}
		for _, request := range read.requests {
			request.sent = r.sent()
			requests, from = append(requests, request), append(from, i)
		}
	}
	for i, r := range f.handle(ctx, requests) {
		again[from[i]] = errors.Join(again[from[i]], r.err)
	}
	a := batchAnswer{Failures: []batchFailure{}}
	var unnamed []error
	for i, err := range again {
		if err == nil {
			continue
		}
		failed++
		r := records[i]
		f.log.ErrorContext(ctx, "event is tried again", "record", r.ID, "received", r.Attributes.Received, "error", err)
		if r.ID == "" {
			unnamed = append(unnamed, err)
			continue
		}
		a.Failures = append(a.Failures, batchFailure{ID: r.ID})
	}
	f.meter.emit(nil, count(MetricEvents, len(records)), count(MetricEventsFailed, failed))
	if len(unnamed) > 0 {
		return nil, errors.Join(unnamed...)
	}
	return json.Marshal(a)
}

// request is what an event asks for.
type request struct {
	guardrail.Request
	log  *slog.Logger
	sent time.Time // when the queue took the event; zero: it did not
}

// reading is what one event asks for.
type reading struct {
	requests []request
	skipped  string // why it asks for nothing, or for less
	warning  string // what is strange about it
}

// read reads one event. What cannot be read and what is not followed up is logged.
func (f *Functions) read(ctx context.Context, log *slog.Logger, text []byte) (read reading, err error) {
	defer recovered(&err)
	parsed, err := trigger.Parse(text)
	if err != nil {
		log.ErrorContext(ctx, "malformed event", "reason", err.Error())
		return reading{}, err
	}
	log = log.With("event", parsed.Name, "eventID", parsed.ID)
	read = reading{skipped: parsed.Skipped, warning: parsed.Warning}
	if parsed.Skipped != "" {
		log.InfoContext(ctx, "event skipped", "reason", parsed.Skipped)
	}
	if parsed.Warning != "" {
		log.WarnContext(ctx, "strange event", "warning", parsed.Warning)
	}
	for _, r := range parsed.Requests {
		// The function gets the events of its own region, and those that others send there.
		r.Region = cmp.Or(r.Region, f.region)
		if r.Account != f.account && !f.assumesRole {
			// What is read with this account's rights says nothing of another.
			read.skipped = "the event is of account " + r.Account + ", and no role is set to look there (TRAILWARDEN_ROLE)"
			log.WarnContext(ctx, "event skipped", "reason", read.skipped)
			continue
		}
		read.requests = append(read.requests, request{Request: r, log: log})
	}
	return read, nil
}

// dropped reports whether an event is malformed. Trying again gives the same, so
// that it is not to keep the rest of a batch in the queue.
func dropped(err error) bool {
	_, malformed := errors.AsType[*trigger.MalformedError](err)
	return malformed
}
