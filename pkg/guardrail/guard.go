package guardrail

import (
	"context"
	"log/slog"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Ports are what the guard works with. Trails, Buckets and
// Organizations are required.
type Ports struct {
	Trails        Trails
	Buckets       Buckets
	Organizations Organizations
	// Regions may be nil: which regions are enabled is then not known.
	Regions Regions
	// Members may be nil: the guard then serves one account. Else it serves the
	// organization, and needs an Inventory.
	Members Members
	// RCPs may be nil: resource control policies are then not looked at. It needs Members.
	RCPs RCPs
	// Chain may be nil: the keys and topics of trails are then not looked at.
	Chain Chain
	// Accounts may be nil: alerts then name accounts by their ids alone.
	Accounts Accounts
	// Owners may be nil: of a bucket whose owner nobody has declared and no event has told, it
	// is then not known.
	Owners Owners
	// Folders may be nil: what is in buckets is then no evidence of who delivers.
	Folders Folders
	// Stacks may be nil: nobody is then asked for stacks.
	Stacks Stacks
	// Alerts may be nil for work by hand: what is to be told is then remembered,
	// and a guard that can send it does so with its next reconciliation.
	Alerts Alerts
	// Ledger may be nil: the guard then works without memory.
	Ledger Ledger
	// Inventory may be nil: the guard then knows of the trails of an event's account
	// alone, and asks CloudTrail with each batch of events.
	Inventory Inventory
}

// Config is what the owner decides.
type Config struct {
	// Restore are the names of the buckets that may be written to.
	Restore []string
	Harden  bool
	Format  alert.Format
	// Chat composes each alert for a chat too.
	Chat bool
	// JSON composes each alert in JSON too, for functions that subscribe.
	JSON bool
	// Severity is from where on weaknesses are told, and what is not certain; see
	// [ledger.Settings.Severity].
	Severity delivery.Severity
	// Stack is what the alerts say of the deployment.
	Stack alert.Stack
	// Budget is how many repairs of one bucket are allowed in Window: at most
	// ledger.MaxRepairs, since a record remembers no more.
	Budget int
	Window time.Duration
	// RemindEvery is how often an outage that lasts is told again; 0: never.
	RemindEvery time.Duration
	// KeepSnapshots is how long replaced policies are kept.
	KeepSnapshots time.Duration
	// Trails are declared trails of accounts that cannot be read.
	Trails []trail.Trail
	// Owners are declared owners of buckets, by bucket name, where it is not
	// the account in which the guard runs.
	Owners map[string]string
	// Accepted are weaknesses that the owner accepts. They are neither told nor hardened.
	Accepted []delivery.Acceptance
	// InventoryAge is how long what was read of an account counts as known. It is
	// longer than the time between two sweeps.
	InventoryAge time.Duration
	// Parallel is how many buckets a sweep reconciles at once.
	Parallel int
}

// Runtime is what differs between a real run and a test.
type Runtime struct {
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	Log   *slog.Logger
}

// Guard keeps buckets able to receive their trails. It is safe for use by
// several goroutines.
type Guard struct {
	ports  Ports
	memory memory
	config Config
	run    Runtime
	kept   keptSurveys
	turns  turns
}

// The defaults of Config.
const (
	DefaultBudget        = 3
	DefaultWindow        = time.Hour
	DefaultKeepSnapshots = 90 * 24 * time.Hour
	DefaultInventoryAge  = 3 * time.Hour
	DefaultParallel      = 4 // keeps a sweep within CloudTrail's ten reads a second
	// DefaultReminder is for those who read a configuration; in Config zero
	// means never.
	DefaultReminder = 24 * time.Hour
)

// New returns a guard. Of the configuration, Budget, Window, KeepSnapshots,
// InventoryAge and Parallel have a default where they are zero. The runtime has none.
func New(p Ports, c Config, r Runtime) *Guard {
	if c.Budget <= 0 {
		c.Budget = DefaultBudget
	}
	c.Budget = min(c.Budget, ledger.MaxRepairs)
	if c.Window <= 0 {
		c.Window = DefaultWindow
	}
	if c.KeepSnapshots <= 0 {
		c.KeepSnapshots = DefaultKeepSnapshots
	}
	if c.InventoryAge <= 0 {
		c.InventoryAge = DefaultInventoryAge
	}
	if c.Parallel <= 0 {
		c.Parallel = DefaultParallel
	}
	g := &Guard{ports: p, memory: noMemory{}, config: c, run: r}
	if p.Ledger != nil {
		g.memory = durable{p.Ledger, r}
	}
	return g
}

// Request asks to reconcile what an event may have changed. It carries
// identity only; the state is read fresh.
type Request struct {
	Account string
	Region  string
	// Bucket is the bucket that was changed, or empty: the bucket of Trail.
	Bucket string
	// Trail is the name or ARN of a trail that was changed, or empty.
	Trail string
	// Chain is the ARN of a KMS key or of an SNS topic that was changed, or empty: trails may use
	// it.
	Chain string
	// Prefix is the key prefix that Trail has after the call, nil if the event does
	// not tell.
	Prefix *string
	// Organization says that the organization of the account was changed, so
	// that all its organization trails may be concerned.
	Organization bool
	// Change is the API call that led here, nil for a sweep.
	Change *delivery.Change
	// SubmittedPolicy is the policy that the call wrote, as its event tells;
	// empty: there is none, it is not known, or it is longer than a policy can
	// be. It is never judged. It only tells our own writes from others', and
	// is shown where a repair overwrote it unseen.
	SubmittedPolicy []byte
	// Earlier are calls on the same bucket or trail before Change, newest first,
	// whose events came together with it. They are witnesses as Change is, so
	// that one reconciliation does for all: each may be to blame, our own write,
	// or what a repair overwrote.
	Earlier []Call
}

// Call is an API call as its event tells of it.
type Call struct {
	delivery.Change
	// SubmittedPolicy is the policy that it wrote; see [Request.SubmittedPolicy].
	SubmittedPolicy []byte
}

// Result is what reconciling one target came to.
type Result struct {
	Bucket   string // or the ARN of a deleted trail
	InUse    bool   // a trail delivers into the bucket
	Report   delivery.Report
	Plan     repair.Plan
	Repaired bool // something was written, and it was verified
	Wrote    bool // something was written
	// Notified are the kinds of the alerts that were sent.
	Notified []alert.Kind
	// Accepted are weaknesses that the owner accepts; the report leaves them out.
	Accepted []delivery.AcceptedFinding
	// Stranger says that the event was of an account that is not of the organization:
	// nothing was looked at.
	Stranger bool

	bucket delivery.Bucket // as it was last observed
}

func resultOf(t Target) Result {
	return Result{Bucket: t.Key().Bucket, InUse: len(t.trails()) > 0}
}

// with returns the result with what a round came to. Plan stays the one that led
// to a write.
func (r Result) with(out outcome, done attempt) Result {
	r.Report, r.Accepted = out.report, out.accepted
	r.bucket = out.judged.bucket
	if !done.made() && !r.Wrote {
		r.Plan = out.plan
	}
	r.Wrote = r.Wrote || done.wrote
	r.Repaired = r.Repaired || done.succeeded()
	return r
}

// SweepResult is what a sweep came to.
type SweepResult struct {
	Trails  int // that were listed or declared; 0: they could not be listed
	Results []Result
}

// Audited is one bucket of an audit.
type Audited struct {
	Bucket   delivery.Bucket
	Trails   []trail.Trail
	Statuses []trail.Status
	Report   delivery.Report
	Plan     repair.Plan // what restoring would do
	Err      error       // why the bucket could not be judged
	Notes    []string    // sentences: how old some of what was judged is
}

// Restoration is what restoring one bucket by hand came to.
type Restoration struct {
	Before, After delivery.Report
	Plan          repair.Plan
	Wrote         bool
}
