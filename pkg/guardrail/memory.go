package guardrail

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// memory is the ledger, or what stands in for it where there is none.
type memory interface {
	Ledger
	// durable reports whether what is saved can be loaded again.
	durable() bool
}

// durable is a ledger that works, or fails soon: memory must not keep anybody from
// being told. What may pass is tried again.
type durable struct {
	ledger Ledger
	run    Runtime
}

func (durable) durable() bool { return true }

// Load returns the record of a bucket.
func (d durable) Load(ctx context.Context, k ledger.Key) (r ledger.Record, err error) {
	err = d.try(ctx, memoryTime, func(ctx context.Context) error { r, err = d.ledger.Load(ctx, k); return err })
	return r, err
}

// Save stores a record. Where a store was made and seemed to fail, the next try is a
// conflict with what this very call has stored.
func (d durable) Save(ctx context.Context, r ledger.Record) (saved ledger.Record, err error) {
	tries := 0
	err = d.try(ctx, memoryTime, func(ctx context.Context) error {
		if tries++; tries == 1 {
			saved, err = d.ledger.Save(ctx, r)
			return err
		}
		if saved, err = d.ledger.Load(ctx, r.Key); err == nil && !follows(saved, r) {
			saved, err = d.ledger.Save(ctx, r)
		}
		return err
	})
	return saved, err
}

// follows reports whether stored is what storing r gives, wherever its alerts are
// kept.
func follows(stored, r ledger.Record) bool {
	r.Version++
	text := func(r ledger.Record) []byte {
		r.Outbox = slices.Clone(r.Outbox)
		for i := range r.Outbox {
			r.Outbox[i].Apart = false
		}
		encoded, err := r.Encode()
		if err != nil {
			return nil
		}
		return encoded
	}
	a := text(stored)
	return a != nil && bytes.Equal(a, text(r))
}

// List returns all records of an account.
func (d durable) List(ctx context.Context, account string) (list []ledger.Record, err error) {
	err = d.try(ctx, listTime, func(ctx context.Context) error { list, err = d.ledger.List(ctx, account); return err })
	return list, err
}

// Keep stores a snapshot.
func (d durable) Keep(ctx context.Context, s ledger.Snapshot) error {
	return d.try(ctx, memoryTime, func(ctx context.Context) error { return d.ledger.Keep(ctx, s) })
}

// Snapshots returns the snapshots of a bucket.
func (d durable) Snapshots(ctx context.Context, k ledger.Key) (list []ledger.Snapshot, err error) {
	err = d.try(ctx, memoryTime, func(ctx context.Context) error { list, err = d.ledger.Snapshots(ctx, k); return err })
	return list, err
}

func (d durable) try(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for try, wait := 1, firstWait/2; ; try, wait = try+1, 2*wait {
		err := call(ctx)
		if err == nil || !Is(err, Transient) || try == readTries || ctx.Err() != nil || d.run.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// noMemory is in the place of a ledger that is not there, or that fails. Nothing is known of any bucket, and nothing is kept.
type noMemory struct {
	// cause is why the ledger cannot be used, for now or for good; nil: none is
	// configured.
	cause error
}

func (noMemory) durable() bool { return false }

// Load returns the record of a bucket of which nothing was ever told.
func (noMemory) Load(_ context.Context, k ledger.Key) (ledger.Record, error) {
	return ledger.Record{Key: k}, nil
}

// Save keeps nothing.
func (noMemory) Save(_ context.Context, r ledger.Record) (ledger.Record, error) { return r, nil }

// List returns nothing.
func (noMemory) List(context.Context, string) ([]ledger.Record, error) { return nil, nil }

// Keep keeps nothing.
func (noMemory) Keep(context.Context, ledger.Snapshot) error { return nil }

// Snapshots fails with [ErrNoLedger].
func (noMemory) Snapshots(context.Context, ledger.Key) ([]ledger.Snapshot, error) {
	return nil, ErrNoLedger
}

// record is what is remembered of a target, as it was last loaded or saved, and
// the memory that it came from.
type record struct {
	ledger.Record
	memory memory
}

// blank is the record of a target before it is loaded.
func (g *Guard) blank(t Target) record {
	return record{Record: ledger.Record{Key: t.Key()}, memory: g.memory}
}

func (r record) durable() bool { return r.memory.durable() }

// memoryFailed reports whether there is a ledger, and it fails.
func (r record) memoryFailed() bool { return r.cause() != nil }

// cause is why the ledger cannot be used, nil if it can, or if there is none.
func (r record) cause() error {
	if m, ok := r.memory.(noMemory); ok {
		return m.cause
	}
	return nil
}

// forget returns the record without its memory, which failed.
func (r record) forget(cause error) record {
	r.memory = noMemory{cause: cause}
	return r
}

// reload returns the record as it was last stored.
func (r record) reload(ctx context.Context) (record, error) {
	loaded, err := r.memory.Load(ctx, r.Key)
	if err != nil {
		return r, &LedgerError{Bucket: r.Bucket, Err: err}
	}
	r.Record = loaded
	return r, nil
}

// save stores next in the record's place. The error is errOvertaken if somebody
// else stored another version first.
func (r record) save(ctx context.Context, next ledger.Record) (record, error) {
	next.Key = r.Key
	saved, err := r.memory.Save(ctx, next)
	if Is(err, Conflict) {
		return r, errOvertaken
	}
	if err != nil {
		return r, &LedgerError{Bucket: r.Bucket, Err: err}
	}
	r.Record = saved
	return r, nil
}

// amend changes the stored record, whatever others store at the same time.
func (r record) amend(ctx context.Context, change func(ledger.Record) ledger.Record) error {
	for range maxRounds {
		current, err := r.reload(ctx)
		if err != nil {
			return err
		}
		if _, err = current.save(ctx, change(current.Record)); !errors.Is(err, errOvertaken) {
			return err
		}
	}
	return &BusyError{Bucket: r.Bucket}
}
