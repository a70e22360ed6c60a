package inmem

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Inventory is an inventory in memory. It keeps accounts and buckets as JSON, as a
// real one does. It is safe for use by several goroutines. The zero Inventory is
// empty.
type Inventory struct {
	mu           sync.Mutex
	accounts     map[string]stored          // by id
	buckets      map[string]stored          // by name
	uses         map[string]map[string]bool // names of buckets by ARN
	organization trail.Organization
	readAt       time.Time
	rcps         inventory.RCPs
}

type stored struct {
	version int64
	text    []byte
}

var _ guardrail.Inventory = (*Inventory)(nil)

// Find returns what is known of accounts, buckets and the organization.
func (v *Inventory) Find(ctx context.Context, accounts, buckets []string) (inventory.Part, error) {
	if err := ctx.Err(); err != nil {
		return inventory.Part{}, failure("inventory:Find", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p := inventory.Part{
		Accounts: map[string]inventory.Account{}, Buckets: map[string]inventory.Bucket{},
		Organization: v.organization, OrganizationReadAt: v.readAt,
	}
	p.Organization.Members = slices.Clone(v.organization.Members)
	for _, id := range accounts {
		a := inventory.Account{ID: id}
		if err := v.accounts[id].decode(&a); err != nil {
			return inventory.Part{}, err
		}
		a.Version = v.accounts[id].version
		p.Accounts[id] = a
	}
	for _, name := range buckets {
		b := inventory.Bucket{Name: name}
		if err := v.buckets[name].decode(&b); err != nil {
			return inventory.Part{}, err
		}
		b.Version = v.buckets[name].version
		p.Buckets[name] = b
	}
	return p, nil
}

func (s stored) decode(into any) error {
	if s.version == 0 {
		return nil
	}
	if err := json.Unmarshal(s.text, into); err != nil {
		return failure("inventory:Find", guardrail.Rejected, "", err)
	}
	return nil
}

// SaveAccount stores an account over the version that it was read at.
func (v *Inventory) SaveAccount(ctx context.Context, a inventory.Account) (inventory.Account, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	version, err := save(ctx, &v.accounts, a.ID, a.Version, a)
	a.Version = version
	return a, err
}

// SaveBucket stores a bucket over the version that it was read at.
func (v *Inventory) SaveBucket(ctx context.Context, b inventory.Bucket) (inventory.Bucket, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	version, err := save(ctx, &v.buckets, b.Name, b.Version, b)
	b.Version = version
	return b, err
}

func save(ctx context.Context, all *map[string]stored, key string, version int64, value any) (int64, error) {
	const op = "inventory:Save"
	if err := ctx.Err(); err != nil {
		return version, failure(op, guardrail.Transient, "", err)
	}
	if (*all)[key].version != version {
		return version, failure(op, guardrail.Conflict, "", errors.New("another version is stored"))
	}
	text, err := json.Marshal(value)
	if err != nil {
		return version, failure(op, guardrail.Rejected, "", err)
	}
	if *all == nil {
		*all = map[string]stored{}
	}
	(*all)[key] = stored{version + 1, text}
	return version + 1, nil
}

// SaveOrganization stores the organization as it was at a time.
func (v *Inventory) SaveOrganization(ctx context.Context, o trail.Organization, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return failure("inventory:Save", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	o.Members = slices.Clone(o.Members)
	v.organization, v.readAt = o, at
	return nil
}

// SaveRCPs stores the resource control policies of the organization.
func (v *Inventory) SaveRCPs(ctx context.Context, r inventory.RCPs) error {
	if err := ctx.Err(); err != nil {
		return failure("inventory:Save", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rcps = r
	return nil
}

// RCPs returns the resource control policies of the organization.
func (v *Inventory) RCPs(ctx context.Context) (inventory.RCPs, error) {
	if err := ctx.Err(); err != nil {
		return inventory.RCPs{}, failure("inventory:Find", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rcps, nil
}

// Using returns the buckets of which it is stored that their trails use a key or topic, sorted.
func (v *Inventory) Using(ctx context.Context, arn string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, failure("inventory:Using", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Sorted(maps.Keys(v.uses[arn])), nil
}

// Use stores that a bucket's trails use a key or topic.
func (v *Inventory) Use(ctx context.Context, arn, bucket string) error {
	if err := ctx.Err(); err != nil {
		return failure("inventory:Use", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.uses == nil {
		v.uses = map[string]map[string]bool{}
	}
	if v.uses[arn] == nil {
		v.uses[arn] = map[string]bool{}
	}
	v.uses[arn][bucket] = true
	return nil
}

// List returns the accounts and buckets of which something is stored, sorted.
func (v *Inventory) List(ctx context.Context) (accounts, buckets []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, failure("inventory:List", guardrail.Transient, "", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Sorted(maps.Keys(v.accounts)), slices.Sorted(maps.Keys(v.buckets)), nil
}
