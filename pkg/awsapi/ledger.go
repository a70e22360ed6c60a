package awsapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// Ledger keeps records and snapshots in a DynamoDB table.
//
// The table has the partition key "pk" and the sort key "sk", both strings, no
// secondary index, and "expires" as the attribute of its time to live:
//
//	KeySchema:            pk HASH, sk RANGE
//	AttributeDefinitions: pk S, sk S
//	TimeToLive:           expires
//
// The records of an account are one partition, so that one consistent query
// reads them all; the snapshots of each bucket are another:
//
//	pk               sk                                        attributes
//	account          state#bucket                              version N, token S, record S (JSON)
//	account#bucket   snapshot#2026-01-02T03:04:05.000000000Z   policy B, region S, reason S, expires N
//	account#bucket   alert#id                                  alert S (JSON), expires N
//
// An alert that waits is an item of its own, since a record with four of them might be
// larger than an item may be. It is stored before the record that names it, and never
// changes; what no record names any more expires.
type Ledger struct {
	clients *Clients
	table   string
}

var _ guardrail.Ledger = (*Ledger)(nil)

// NewLedger returns a ledger in a table of the caller's account and region.
func NewLedger(c *Clients, table string) *Ledger { return &Ledger{clients: c, table: table} }

const (
	statePrefix    = "state#"
	snapshotPrefix = "snapshot#"
	alertPrefix    = "alert#"
	// snapshotTime has a fixed width, so that keys sort as times do.
	snapshotTime = "2006-01-02T15:04:05.000000000Z"
)

// alertAge is how long the text of an alert is kept. The record names it for as long
// as it is not published.
const alertAge = 90 * 24 * time.Hour

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func (l *Ledger) client() DynamoDBAPI { return l.clients.DynamoDB("", "") }

// Load reads the record with a consistent read.
func (l *Ledger) Load(ctx context.Context, k ledger.Key) (ledger.Record, error) {
	out, err := l.client().GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(l.table),
		Key:            item{"pk": text(k.Account), "sk": text(statePrefix + k.Bucket)},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return ledger.Record{}, failure("dynamodb:GetItem", err)
	}
	if len(out.Item) == 0 {
		return ledger.Record{Key: k}, nil
	}
	r, err := recordOf(out.Item)
	if err != nil {
		return ledger.Record{}, err
	}
	return l.withAlerts(ctx, r)
}

// Save stores the record if the version that it was read at is still stored.
func (l *Ledger) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	read := r.Version
	r.Version++
	r, stored, err := l.keepAlerts(ctx, r)
	if err != nil {
		return ledger.Record{}, err
	}
	encoded, err := stored.Encode()
	if err != nil {
		return ledger.Record{}, malformed("dynamodb:PutItem", fmt.Errorf("encode record of %s: %w", r.Bucket, err))
	}
	it := item{"pk": text(r.Account), "sk": text(statePrefix + r.Bucket), "record": text(string(encoded))}
	if err := putVersion(ctx, l.client(), l.table, it, read); err != nil {
		return ledger.Record{}, err
	}
	return r, nil
}

// putVersion stores an item as the version after the one that was read, if that is
// still stored.
func putVersion(ctx context.Context, client DynamoDBAPI, table string, it item, read int64) error {
	token := rand.Text()
	it["version"], it["token"] = number(read+1), text(token)
	put := &dynamodb.PutItemInput{
		TableName: aws.String(table), Item: it,
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if read != 0 {
		put.ConditionExpression = aws.String("version = :read")
		put.ExpressionAttributeValues = item{":read": number(read)}
	}
	if _, err := client.PutItem(ctx, put); err != nil && !isStored(err, token) {
		return failure("dynamodb:PutItem", err)
	}
	return nil
}

// isStored reports whether the item that is in the way is the very one that was
// to be written: then an earlier attempt of the SDK did write it, and only the
// answer was lost.
func isStored(err error, token string) bool {
	conflict, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok && textOf(conflict.Item, "token") == token
}

// List reads the records of an account with a consistent query, without the texts of
// their alerts.
func (l *Ledger) List(ctx context.Context, account string) ([]ledger.Record, error) {
	items, err := l.query(ctx, account, statePrefix, true)
	if err != nil {
		return nil, err
	}
	records := make([]ledger.Record, len(items))
	for i, it := range items {
		if records[i], err = recordOf(it); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// query returns the items of a partition whose sort key has the prefix.
func (l *Ledger) query(ctx context.Context, pk, prefix string, forward bool) ([]item, error) {
	pages := dynamodb.NewQueryPaginator(l.client(), &dynamodb.QueryInput{
		TableName:                 aws.String(l.table),
		KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: item{":pk": text(pk), ":prefix": text(prefix)},
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(forward),
	})
	var all []item
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure("dynamodb:Query", err)
		}
		all = append(all, page.Items...)
	}
	return all, nil
}

// keepAlerts stores the texts of alerts that are new in the record. It returns the
// record with and without texts.
func (l *Ledger) keepAlerts(ctx context.Context, r ledger.Record) (with, without ledger.Record, err error) {
	with, without = r, r
	with.Outbox, without.Outbox = slices.Clone(r.Outbox), slices.Clone(r.Outbox)
	for i, m := range r.Outbox {
		if !m.Apart {
			if err := l.keepAlert(ctx, r.Key, m); err != nil {
				return r, r, err
			}
		}
		with.Outbox[i].Apart, without.Outbox[i].Apart = true, true
		without.Outbox[i].Message = alert.Message{}
	}
	return with, without, nil
}

func (l *Ledger) keepAlert(ctx context.Context, k ledger.Key, m ledger.Message) error {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	// JSON for web pages would spell "<" in six bytes, and three forms of 48 KB would not fit an item.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m.Message); err != nil {
		return malformed("dynamodb:PutItem", fmt.Errorf("encode alert %s: %w", m.ID, err))
	}
	it := alertKey(k, m.ID)
	it["alert"], it["expires"] = text(encoded.String()), number(m.At.Add(alertAge).Unix())
	_, err := l.client().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(l.table), Item: it})
	return failure("dynamodb:PutItem", err)
}

// withAlerts returns the record with the texts of its alerts. One that was dropped
// after its time is left out.
func (l *Ledger) withAlerts(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	var outbox []ledger.Message
	for _, m := range r.Outbox {
		if !m.Apart { // of a record of the first version
			outbox = append(outbox, m)
			continue
		}
		out, err := l.client().GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(l.table), Key: alertKey(r.Key, m.ID), ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			return r, failure("dynamodb:GetItem", err)
		}
		if len(out.Item) == 0 {
			continue
		}
		if err := json.Unmarshal([]byte(textOf(out.Item, "alert")), &m.Message); err != nil {
			return r, malformed("dynamodb:GetItem", fmt.Errorf("decode alert %s: %w", m.ID, err))
		}
		outbox = append(outbox, m)
	}
	r.Outbox = outbox
	return r, nil
}

func alertKey(k ledger.Key, id string) item {
	return item{"pk": text(k.Account + "#" + k.Bucket), "sk": text(alertPrefix + id)}
}

// Keep stores a snapshot.
func (l *Ledger) Keep(ctx context.Context, s ledger.Snapshot) error {
	// No policy is kept as an empty one: an item without any is not a snapshot.
	policy := append([]byte{}, s.Policy...)
	it := item{
		"pk": text(s.Account + "#" + s.Bucket), "sk": text(snapshotPrefix + s.Time.UTC().Format(snapshotTime)),
		"account": text(s.Account), "bucket": text(s.Bucket),
		"policy": &types.AttributeValueMemberB{Value: policy}, "region": text(s.Region), "reason": text(s.Reason),
	}
	if !s.Expires.IsZero() {
		it["expires"] = number(s.Expires.Unix())
	}
	_, err := l.client().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(l.table), Item: it})
	return failure("dynamodb:PutItem", err)
}

// Snapshots reads the snapshots of a bucket, newest first.
func (l *Ledger) Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error) {
	items, err := l.query(ctx, k.Account+"#"+k.Bucket, snapshotPrefix, false)
	if err != nil {
		return nil, err
	}
	snapshots := make([]ledger.Snapshot, len(items))
	for i, it := range items {
		if snapshots[i], err = snapshotOf(k, it); err != nil {
			return nil, err
		}
	}
	return snapshots, nil
}

func recordOf(it item) (ledger.Record, error) {
	var r ledger.Record
	if err := json.Unmarshal([]byte(textOf(it, "record")), &r); err != nil {
		return ledger.Record{}, malformed("dynamodb:GetItem", fmt.Errorf("decode record %s: %w", textOf(it, "sk"), err))
	}
	version, err := numberOf(it, "version")
	if err != nil {
		return ledger.Record{}, malformed("dynamodb:GetItem", fmt.Errorf("decode record %s: %w", textOf(it, "sk"), err))
	}
	r.Version = version
	return r, nil
}

func snapshotOf(k ledger.Key, it item) (ledger.Snapshot, error) {
	at, err := time.Parse(snapshotPrefix+snapshotTime, textOf(it, "sk"))
	if err != nil {
		return ledger.Snapshot{}, malformed("dynamodb:Query", fmt.Errorf("decode snapshot: %w", err))
	}
	policy, ok := it["policy"].(*types.AttributeValueMemberB)
	if !ok {
		return ledger.Snapshot{}, malformed("dynamodb:Query", fmt.Errorf("decode snapshot %s: no policy", textOf(it, "sk")))
	}
	s := ledger.Snapshot{Key: k, Time: at, Policy: policy.Value, Region: textOf(it, "region"), Reason: textOf(it, "reason")}
	if _, expires := it["expires"]; expires {
		seconds, err := numberOf(it, "expires")
		if err != nil {
			return ledger.Snapshot{}, malformed("dynamodb:Query", fmt.Errorf("decode snapshot %s: %w", textOf(it, "sk"), err))
		}
		s.Expires = time.Unix(seconds, 0).UTC()
	}
	return s, nil
}

// malformed is the failure of data that cannot be read or written. Trying
// again is of no use.
func malformed(op string, err error) error {
	return &guardrail.PortError{Op: op, Class: guardrail.Rejected, Err: err}
}

func textOf(it item, name string) string {
	if s, ok := it[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func numberOf(it item, name string) (int64, error) {
	n, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("no number %q", name)
	}
	return strconv.ParseInt(n.Value, 10, 64)
}
