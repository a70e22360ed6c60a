package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/sync/errgroup"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Inventory keeps what is known of the trails of all accounts in the table of the
// [Ledger], beside its records:
//
//	pk             sk           attributes
//	organization   organization inventory S (JSON)
//	organization   rcps         inventory S (JSON)
//	organization   account#A    (that there is such an account)
//	organization   bucket#B     (that there is such a bucket) [expires N]
//	account#A      trails       version N, token S, inventory S (JSON)
//	bucket#B       trails       version N, token S, inventory S (JSON) [expires N]
//	bucket#B       trail#ARN    inventory S (JSON) [or expires N alone: it is gone]
//	chain#ARN      bucket#B     (that a trail of the bucket was seen to use the key or topic)
//
// A bucket is one item, and one call reads those of a batch of events. Only of a
// bucket with very many trails some are kept apart, in items of their own. A trail
// that was once kept apart stays so for as long as it is there.
//
// Nothing is deleted, which would take a permission more: what is of no use any
// more expires.
type Inventory struct {
	clients *Clients
	table   string
	now     func() time.Time
}

var _ guardrail.Inventory = (*Inventory)(nil)

// NewInventory returns an inventory in a table of the caller's account and region.
func NewInventory(c *Clients, table string, now func() time.Time) *Inventory {
	return &Inventory{clients: c, table: table, now: now}
}

const (
	organizationItem = "organization"
	accountPrefix    = "account#"
	bucketPrefix     = "bucket#"
	rcpsItem         = "rcps"
	trailsItem       = "trails"
	trailPrefix      = "trail#"
	chainPrefix      = "chain#"

	// most is how many trails the item of a bucket holds, and mostBytes how large
	// they may be: DynamoDB takes items of 400 KB, and each read is paid by size.
	most      = 500
	mostBytes = 200 << 10
	// batchSize is how many items BatchGetItem takes, and batchTries how often it
	// is asked for what it left out.
	batchSize  = 100
	batchTries = 8
	// useless is how long what is of no use any more is kept.
	useless = 30 * 24 * time.Hour
	// putsAtOnce bounds the writes of trails that are kept apart.
	putsAtOnce = 10
)

func (v *Inventory) client() DynamoDBAPI { return v.clients.DynamoDB("", "") }

type tableKey struct{ pk, sk string }

func (k tableKey) item() item { return item{"pk": text(k.pk), "sk": text(k.sk)} }

func keyOf(it item) tableKey { return tableKey{textOf(it, "pk"), textOf(it, "sk")} }

func accountKey(id string) tableKey { return tableKey{accountPrefix + id, trailsItem} }

func bucketKey(name string) tableKey { return tableKey{bucketPrefix + name, trailsItem} }

// Find reads all with one call for each hundred, and the trails that are kept
// apart with one more for each such bucket. All reads are consistent.
func (v *Inventory) Find(ctx context.Context, accounts, buckets []string) (inventory.Part, error) {
	keys := []tableKey{{organizationItem, organizationItem}}
	for _, id := range accounts {
		keys = append(keys, accountKey(id))
	}
	for _, name := range buckets {
		keys = append(keys, bucketKey(name))
	}
	items, err := v.get(ctx, keys)
	if err != nil {
		return inventory.Part{}, err
	}
	p := inventory.Part{Accounts: map[string]inventory.Account{}, Buckets: map[string]inventory.Bucket{}}
	var o organization
	if _, err := decodeItem(items[keys[0]], &o); err != nil {
		return inventory.Part{}, err
	}
	p.Organization, p.OrganizationReadAt = o.Organization, o.ReadAt
	if o.Accounts != "" {
		if p.Organization.Members, err = o.Accounts.IDs(); err != nil {
			return inventory.Part{}, malformed("dynamodb:BatchGetItem", err)
		}
	}
	for _, id := range accounts {
		a := inventory.Account{ID: id}
		version, err := decodeItem(items[accountKey(id)], &a)
		if err != nil {
			return inventory.Part{}, err
		}
		a.Version = version
		p.Accounts[id] = a
	}
	for _, name := range buckets {
		b := inventory.Bucket{Name: name}
		version, err := decodeItem(items[bucketKey(name)], &b)
		if err != nil {
			return inventory.Part{}, err
		}
		b.Version = version
		if b.Apart > 0 && p.Buckets[name].Version == 0 {
			apart, err := v.apart(ctx, name)
			if err != nil {
				return inventory.Part{}, err
			}
			b.Trails = union(b.Trails, apart)
		}
		p.Buckets[name] = b
	}
	return p, nil
}

// organization is what is stored of the organization.
type organization struct {
	trail.Organization

	// Accounts are its members. The first version wrote them one by one, and knew one.
	Accounts inventory.Packed `json:"accounts,omitempty"`
	ReadAt   time.Time        `json:"readAt"`
}

// union returns the trails of both, sorted by ARN. One that is in both is as the
// first has it.
func union(first []inventory.Trail, more map[string]inventory.Trail) []inventory.Trail {
	for _, t := range first {
		more[t.ARN] = t
	}
	all := make([]inventory.Trail, 0, len(more))
	for _, arn := range slices.Sorted(maps.Keys(more)) {
		all = append(all, more[arn])
	}
	return all
}

// decodeItem reads an item and returns its version: 0 if there is none.
func decodeItem(it item, into any) (version int64, err error) {
	if len(it) == 0 {
		return 0, nil
	}
	if err := json.Unmarshal([]byte(textOf(it, "inventory")), into); err != nil {
		return 0, malformed("dynamodb:BatchGetItem", fmt.Errorf("decode %s: %w", textOf(it, "pk"), err))
	}
	if _, versioned := it["version"]; !versioned {
		return 0, nil
	}
	if version, err = numberOf(it, "version"); err != nil {
		return 0, malformed("dynamodb:BatchGetItem", fmt.Errorf("decode %s: %w", textOf(it, "pk"), err))
	}
	return version, nil
}

// get reads the items of the keys, as many as there are.
func (v *Inventory) get(ctx context.Context, keys []tableKey) (map[tableKey]item, error) {
	found := make(map[tableKey]item, len(keys))
	asked := make(map[tableKey]bool, len(keys))
	var some []item
	for i, k := range keys {
		if !asked[k] { // a key that is given twice is refused
			asked[k] = true
			some = append(some, k.item())
		}
		if len(some) == batchSize || i == len(keys)-1 && len(some) > 0 {
			if err := v.getSome(ctx, some, found); err != nil {
				return nil, err
			}
			some = nil
		}
	}
	return found, nil
}

// getSome asks again for what DynamoDB left out: it gives 16 MB at once, and less
// when it is throttled.
func (v *Inventory) getSome(ctx context.Context, keys []item, found map[tableKey]item) error {
	const op = "dynamodb:BatchGetItem"
	left := map[string]types.KeysAndAttributes{v.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	for try := range batchTries {
		if try > 0 {
			if err := smithytime.SleepWithContext(ctx, time.Duration(try)*20*time.Millisecond); err != nil {
				return failure(op, err)
			}
		}
		out, err := v.client().BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left})
		if err != nil {
			return failure(op, err)
		}
		for _, it := range out.Responses[v.table] {
			found[keyOf(it)] = it
		}
		if left = out.UnprocessedKeys; len(left) == 0 {
			return nil
		}
	}
	return &guardrail.PortError{Op: op, Class: guardrail.Transient, Err: errors.New("some items were left out each time")}
}

// apart reads the trails of a bucket that are kept apart, by ARN.
func (v *Inventory) apart(ctx context.Context, bucket string) (map[string]inventory.Trail, error) {
	items, err := (&Ledger{clients: v.clients, table: v.table}).query(ctx, bucketPrefix+bucket, trailPrefix, true)
	if err != nil {
		return nil, err
	}
	trails := map[string]inventory.Trail{}
	for _, it := range items {
		if _, there := it["inventory"]; !there {
			continue // it is gone
		}
		var t inventory.Trail
		if _, err := decodeItem(it, &t); err != nil {
			return nil, err
		}
		trails[t.ARN] = t
	}
	return trails, nil
}

// SaveAccount stores the account if the version that it was read at is still stored.
func (v *Inventory) SaveAccount(ctx context.Context, a inventory.Account) (inventory.Account, error) {
	if a.Version == 0 {
		// First, so that what is stored is always listed.
		if err := v.put(ctx, tableKey{organizationItem, accountPrefix + a.ID}.item()); err != nil {
			return a, err
		}
	}
	if err := v.putOver(ctx, accountKey(a.ID), a, a.Version, false); err != nil {
		return a, err
	}
	a.Version++
	return a, nil
}

// SaveBucket stores the bucket if the version that it was read at is still stored.
//
// What is kept apart is written before the item that all writers go through, and
// taken out after it. So a reader may see a trail too many for a moment, never one
// too few.
func (v *Inventory) SaveBucket(ctx context.Context, b inventory.Bucket) (inventory.Bucket, error) {
	listed := tableKey{organizationItem, bucketPrefix + b.Name}.item()
	if b.Empty() {
		listed["expires"] = number(v.now().Add(useless).Unix())
	}
	if err := v.put(ctx, listed); err != nil {
		return b, err
	}
	head := b
	var changed, gone []item // of trails that are kept apart
	if b.Apart > 0 || tooMany(b.Trails) {
		before, err := v.apart(ctx, b.Name)
		if err != nil {
			return b, err
		}
		var apart []inventory.Trail
		head.Trails, apart = split(b.Trails, before)
		head.Apart = len(apart)
		for _, t := range apart {
			if before[t.ARN] != t {
				it, err := apartItem(b.Name, t)
				if err != nil {
					return b, err
				}
				changed = append(changed, it)
			}
			delete(before, t.ARN)
		}
		for arn := range before {
			it := tableKey{bucketPrefix + b.Name, trailPrefix + arn}.item()
			it["expires"] = number(v.now().Add(useless).Unix())
			gone = append(gone, it)
		}
	}
	if err := v.putAll(ctx, changed); err != nil {
		return b, err
	}
	if err := v.putOver(ctx, bucketKey(b.Name), head, b.Version, b.Empty()); err != nil {
		return b, err
	}
	b.Version, b.Apart = b.Version+1, head.Apart
	return b, v.putAll(ctx, gone)
}

// apartItem is a trail of a bucket that is kept apart.
func apartItem(bucket string, t inventory.Trail) (item, error) {
	encoded, err := json.Marshal(t)
	if err != nil {
		return nil, malformed("dynamodb:PutItem", fmt.Errorf("encode trail %s: %w", t.ARN, err))
	}
	it := tableKey{bucketPrefix + bucket, trailPrefix + t.ARN}.item()
	it["inventory"] = text(string(encoded))
	return it, nil
}

// tooMany reports whether the trails are too many for one item.
func tooMany(trails []inventory.Trail) bool {
	head, _ := split(trails, nil)
	return len(head) < len(trails)
}

// split returns the trails for the item of the bucket, and those that are kept
// apart: those that were so before, and those that are too many.
func split(trails []inventory.Trail, before map[string]inventory.Trail) (head, apart []inventory.Trail) {
	size := 0
	for _, t := range trails {
		encoded, _ := json.Marshal(t) // what cannot be encoded fails when it is put
		size += len(encoded)
		if _, was := before[t.ARN]; was || len(head) == most || size > mostBytes {
			apart = append(apart, t)
		} else {
			head = append(head, t)
		}
	}
	return head, apart
}

// putAll stores items, several at once, and returns the failures.
func (v *Inventory) putAll(ctx context.Context, items []item) error {
	failures := make([]error, len(items))
	var all errgroup.Group
	all.SetLimit(putsAtOnce)
	for i, it := range items {
		all.Go(func() error { failures[i] = v.put(ctx, it); return nil }) // each failure is kept
	}
	_ = all.Wait()
	return errors.Join(failures...)
}

// SaveOrganization stores the organization as it was at a time.
func (v *Inventory) SaveOrganization(ctx context.Context, o trail.Organization, at time.Time) error {
	packed, err := inventory.Pack(o.Members)
	if err != nil {
		return malformed("dynamodb:PutItem", fmt.Errorf("encode organization: %w", err))
	}
	o.Members = nil
	encoded, err := json.Marshal(organization{o, packed, at})
	if err != nil {
		return malformed("dynamodb:PutItem", fmt.Errorf("encode organization: %w", err))
	}
	it := tableKey{organizationItem, organizationItem}.item()
	it["inventory"] = text(string(encoded))
	return v.put(ctx, it)
}

// mostRCPs is how large the item of resource control policies may be. What is larger is said not
// to be known, which is never that there are none.
const mostRCPs = 380 << 10

// SaveRCPs stores the resource control policies of the organization.
func (v *Inventory) SaveRCPs(ctx context.Context, r inventory.RCPs) error {
	encoded, err := json.Marshal(r)
	if len(encoded) > mostRCPs {
		encoded, err = json.Marshal(inventory.RCPs{Unread: "the organization's resource control policies are too many to be kept"})
	}
	if err != nil {
		return malformed("dynamodb:PutItem", fmt.Errorf("encode resource control policies: %w", err))
	}
	it := tableKey{organizationItem, rcpsItem}.item()
	it["inventory"] = text(string(encoded))
	return v.put(ctx, it)
}

// RCPs reads the resource control policies of the organization.
func (v *Inventory) RCPs(ctx context.Context) (inventory.RCPs, error) {
	key := tableKey{organizationItem, rcpsItem}
	items, err := v.get(ctx, []tableKey{key})
	if err != nil {
		return inventory.RCPs{}, err
	}
	var r inventory.RCPs
	_, err = decodeItem(items[key], &r)
	return r, err
}

// List reads what there is with a query for each kind.
func (v *Inventory) List(ctx context.Context) (accounts, buckets []string, err error) {
	read := func(prefix string) ([]string, error) {
		items, err := (&Ledger{clients: v.clients, table: v.table}).query(ctx, organizationItem, prefix, true)
		var names []string
		for _, it := range items {
			names = append(names, strings.TrimPrefix(textOf(it, "sk"), prefix))
		}
		return names, err
	}
	err = both(
		func() (err error) { accounts, err = read(accountPrefix); return err },
		func() (err error) { buckets, err = read(bucketPrefix); return err },
	)
	return accounts, buckets, err
}

// Using reads the buckets of a key or topic with one query.
func (v *Inventory) Using(ctx context.Context, arn string) ([]string, error) {
	items, err := (&Ledger{clients: v.clients, table: v.table}).query(ctx, chainPrefix+arn, bucketPrefix, true)
	var names []string
	for _, it := range items {
		names = append(names, strings.TrimPrefix(textOf(it, "sk"), bucketPrefix))
	}
	return names, err
}

// Use stores that a bucket's trails use a key or topic.
func (v *Inventory) Use(ctx context.Context, arn, bucket string) error {
	return v.put(ctx, tableKey{chainPrefix + arn, bucketPrefix + bucket}.item())
}

func (v *Inventory) put(ctx context.Context, it item) error {
	_, err := v.client().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(v.table), Item: it})
	return failure("dynamodb:PutItem", err)
}

// putOver stores a value as the version after the one that was read, if that is
// still stored.
func (v *Inventory) putOver(ctx context.Context, key tableKey, value any, read int64, expires bool) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return malformed("dynamodb:PutItem", fmt.Errorf("encode %s: %w", key.pk, err))
	}
	it := key.item()
	it["inventory"] = text(string(encoded))
	if expires {
		it["expires"] = number(v.now().Add(useless).Unix())
	}
	return putVersion(ctx, v.client(), v.table, it, read)
}
