package inmem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// Ledger is a ledger in memory. It keeps records as JSON, as a real one does.
// It is safe for use by several goroutines. The zero Ledger is empty.
type Ledger struct {
	mu        sync.Mutex
	records   map[ledger.Key][]byte
	snapshots map[ledger.Key][]ledger.Snapshot
}

var _ guardrail.Ledger = (*Ledger)(nil)

// Load returns the record of a bucket.
func (l *Ledger) Load(ctx context.Context, k ledger.Key) (ledger.Record, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Record{}, failure("ledger:Load", guardrail.Transient, "", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.load(k)
}

func (l *Ledger) load(k ledger.Key) (ledger.Record, error) {
	text, ok := l.records[k]
	if !ok {
		return ledger.Record{Key: k}, nil
	}
	var r ledger.Record
	if err := json.Unmarshal(text, &r); err != nil {
		return ledger.Record{}, fmt.Errorf("decode record of %s: %w", k.Bucket, err)
	}
	return r, nil
}

// Save stores a record over the version that it was read at.
func (l *Ledger) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	const op = "ledger:Save"
	if err := ctx.Err(); err != nil {
		return ledger.Record{}, failure(op, guardrail.Transient, "", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, err := l.load(r.Key)
	if err != nil {
		return ledger.Record{}, err
	}
	if stored.Version != r.Version {
		return ledger.Record{}, failure(op, guardrail.Conflict, "", errors.New("another version is stored"))
	}
	r.Version++
	text, err := r.Encode()
	if err != nil {
		return ledger.Record{}, failure(op, guardrail.Rejected, "", fmt.Errorf("encode record: %w", err))
	}
	if l.records == nil {
		l.records = map[ledger.Key][]byte{}
	}
	l.records[r.Key] = text
	return l.load(r.Key)
}

// List returns all records of an account, sorted by bucket.
func (l *Ledger) List(ctx context.Context, account string) ([]ledger.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure("ledger:List", guardrail.Transient, "", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var records []ledger.Record
	for k := range l.records {
		if k.Account != account {
			continue
		}
		r, err := l.load(k)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b ledger.Record) int { return strings.Compare(a.Bucket, b.Bucket) })
	return records, nil
}

// Keep stores a snapshot.
func (l *Ledger) Keep(ctx context.Context, s ledger.Snapshot) error {
	if err := ctx.Err(); err != nil {
		return failure("ledger:Keep", guardrail.Transient, "", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.snapshots == nil {
		l.snapshots = map[ledger.Key][]ledger.Snapshot{}
	}
	s.Policy = slices.Clone(s.Policy)
	l.snapshots[s.Key] = append(l.snapshots[s.Key], s)
	return nil
}

// Snapshots returns the snapshots of a bucket, newest first.
func (l *Ledger) Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure("ledger:Snapshots", guardrail.Transient, "", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.snapshots[k])
	slices.SortStableFunc(list, func(a, b ledger.Snapshot) int { return b.Time.Compare(a.Time) })
	return list, nil
}
