package guardrail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// BucketRef names a bucket and where it is.
type BucketRef struct {
	Name    string
	Account string // the account that is expected to own it
	Region  string // where to ask first; the adapter finds the right one
}

// Trails reads trails.
type Trails interface {
	// Trails returns every trail that the account sees, of all regions, each
	// once: its own, and organization trails that cover it. Region is where
	// to ask first. A trail that cannot be read is an error, never left out.
	Trails(ctx context.Context, account, region string) ([]trail.Trail, error)
	// Status returns what CloudTrail reports of the trail's deliveries, and
	// the trail with what only its event selectors tell. If only the selectors
	// cannot be read, the status is returned with the error; else a failed
	// call's status has no ARN.
	Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error)
}

// Buckets reads and writes buckets.
type Buckets interface {
	// Observe reads the bucket's policy and request payer. What cannot be read
	// for good (access denied, no such bucket, another owner) is a
	// state of the result; an error is one that may pass.
	Observe(ctx context.Context, b BucketRef) (delivery.Bucket, error)
	// PutPolicy replaces the bucket's policy; an empty policy deletes it.
	// It never writes to a bucket of another account than b.Account.
	PutPolicy(ctx context.Context, b BucketRef, policy []byte) error
	// ResetPayer sets the request payer back to the bucket's owner.
	ResetPayer(ctx context.Context, b BucketRef) error
}

// Organizations reads the organization of an account.
type Organizations interface {
	// Organization returns what is known of the account's organization. That
	// it may not be read is no error: the result is then not Known.
	Organization(ctx context.Context, account string) (trail.Organization, error)
}

// Owners tells whose buckets are whose.
type Owners interface {
	// Owned returns the names of the buckets that an account owns.
	Owned(ctx context.Context, account string) ([]string, error)
}

// Folders tells whose files a bucket has.
type Folders interface {
	// Folders returns the names of the folders directly under a prefix, which is empty or ends with
	// "/": the first [MaxFolders] of them.
	Folders(ctx context.Context, b BucketRef, prefix string) ([]string, error)
}

// MaxFolders is how many folders are listed. One call of S3 names a thousand.
const MaxFolders = 10_000

// Members lists the accounts of the organization in which the guard runs.
type Members interface {
	// Members returns all accounts of the organization, whatever their state. What cannot
	// be read whole is an error, never a part.
	Members(ctx context.Context) ([]inventory.Member, error)
}

// RCPs reads the resource control policies of the organization in which the guard runs.
type RCPs interface {
	// RCPs returns those that may deny something of a bucket or a key, with what each is attached
	// to. What cannot be read whole is an error, never a part.
	RCPs(ctx context.Context) ([]inventory.AttachedRCP, error)
}

// Stacks reads the stacks of accounts.
type Stacks interface {
	// Stacks returns the stacks of an account in a region that have a guard of their own.
	Stacks(ctx context.Context, account, region string) ([]Stack, error)
}

// Regions reads which regions an account has enabled.
type Regions interface {
	// EnabledRegions returns all regions that the account has enabled, those
	// included that every account has. That it may not be read is no error: the
	// list is then nil.
	EnabledRegions(ctx context.Context, account string) ([]string, error)
}

// Accounts says what accounts are called.
type Accounts interface {
	// AccountName returns the name that the owner gave the account. That it may not
	// be read is no error: the name is then empty.
	AccountName(ctx context.Context, account string) (string, error)
}

// Alerts tells the security team.
type Alerts interface {
	Publish(ctx context.Context, m alert.Message) error
}

// Ledger keeps records and snapshots.
type Ledger interface {
	// Load returns the record of a bucket, or one of version 0. It reads what
	// was last stored, not an older copy.
	Load(ctx context.Context, k ledger.Key) (ledger.Record, error)
	// Save stores the record over version r.Version and returns it with the new
	// version. It fails with class Conflict if another version is stored.
	Save(ctx context.Context, r ledger.Record) (ledger.Record, error)
	// List returns all records of an account. The texts of their alerts may be
	// missing.
	List(ctx context.Context, account string) ([]ledger.Record, error)
	// Keep stores a snapshot.
	Keep(ctx context.Context, s ledger.Snapshot) error
	// Snapshots returns the snapshots of a bucket, newest first.
	Snapshots(ctx context.Context, k ledger.Key) ([]ledger.Snapshot, error)
}

// Inventory keeps what is known of the trails of all accounts.
type Inventory interface {
	// Find returns what is known of the accounts, the buckets and the
	// organization, in one read. One of which nothing is stored has version 0. It
	// reads what was last stored, not an older copy.
	Find(ctx context.Context, accounts, buckets []string) (inventory.Part, error)
	// SaveAccount and SaveBucket store over the version that was read, as
	// Ledger.Save does, and return what is stored then.
	SaveAccount(ctx context.Context, a inventory.Account) (inventory.Account, error)
	SaveBucket(ctx context.Context, b inventory.Bucket) (inventory.Bucket, error)
	// SaveOrganization stores the organization as it was at a time, over whatever is
	// stored.
	SaveOrganization(ctx context.Context, o trail.Organization, at time.Time) error
	// Using returns the names of the buckets whose trails were ever seen to use a key or a topic,
	// by its ARN, and Use stores one. What is stored stays: whether it is still so, the
	// bucket says.
	Using(ctx context.Context, arn string) (buckets []string, err error)
	Use(ctx context.Context, arn, bucket string) error
	// SaveRCPs stores the resource control policies of the organization, over whatever is stored.
	SaveRCPs(ctx context.Context, r inventory.RCPs) error
	// RCPs returns those that are stored; with a zero time: none ever were.
	RCPs(ctx context.Context) (inventory.RCPs, error)
	// List returns the accounts and the buckets of which something is stored.
	List(ctx context.Context) (accounts, buckets []string, err error)
}

// Class says what a failed call means for the caller.
type Class uint8

// The classes.
const (
	// Transient: it may work when tried again (throttling, time-out, 5xx).
	Transient Class = iota
	// Denied: the caller may not do it.
	Denied
	// Missing: the thing is not there.
	Missing
	// Rejected: what was to be written is not acceptable.
	Rejected
	// Conflict: something else was written in between.
	Conflict
)

// String returns the class in words.
func (c Class) String() string {
	switch c {
	case Transient:
		return "transient"
	case Denied:
		return "denied"
	case Missing:
		return "missing"
	case Rejected:
		return "rejected"
	case Conflict:
		return "conflict"
	}
	return fmt.Sprintf("class %d", c)
}

// PortError is a failed call of a port. Adapters classify each failure once.
type PortError struct {
	Op    string // "s3:PutBucketPolicy"
	Class Class
	Code  string // the service's error code, if it gave one
	Err   error
}

// Error returns the operation, the class and the cause.
func (e *PortError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Class, e.Err)
}

// Unwrap returns the cause.
func (e *PortError) Unwrap() error { return e.Err }

// Is reports whether err is a failed call of the given class. An error that is
// no PortError counts as transient, so that it is tried again and not lost.
func Is(err error, c Class) bool {
	if err == nil {
		return false
	}
	var p *PortError
	if !errors.As(err, &p) {
		return c == Transient
	}
	return p.Class == c
}
