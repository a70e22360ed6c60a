package guardrail_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// fault is a way in which a call of a port can go wrong.
type fault string

const (
	throttled  fault = "throttled"     // no effect, may be tried again
	failing5xx fault = "5xx"           // the same, three times in a row
	denied     fault = "denied"        // no effect, and never will have
	timedOut   fault = "timed out"     // no effect, and no time left for more
	lost       fault = "lost response" // it took effect and seems to have failed
	killBefore fault = "killed before" // the process ends before the call
	killAfter  fault = "killed after"  // the process ends after the call
	overtaken  fault = "throttled, then written in between"
	intruded   fault = "written in between" // somebody else writes before the call
	lostThenUp fault = "lost, then killed"  // it took effect; the failure is the last thing seen
)

func faults() []fault {
	return []fault{throttled, failing5xx, denied, timedOut, lost, killBefore, killAfter, lostThenUp, intruded, overtaken}
}

// faulty makes the k-th call of all ports go wrong.
type faulty struct {
	world   *world
	ports   guardrail.Ports
	fault   fault
	at      int
	intrude func()

	mu     sync.Mutex
	calls  int
	ops    []string
	op     string // of the k-th call
	failed int
	down   bool // nothing has an effect any more
	writes int  // that took effect
}

// wrap puts the faults in front of the world's ports.
func wrap(w *world, f fault, at int, intrude func()) *faulty {
	x := &faulty{world: w, ports: w.ports, fault: f, at: at, intrude: intrude}
	w.ports = guardrail.Ports{Trails: x, Buckets: x, Organizations: x, Alerts: x}
	if x.ports.Ledger != nil {
		w.ports.Ledger = x
	}
	if x.ports.Inventory != nil {
		w.ports.Inventory = faultyInventory{x}
	}
	w.rebuild()
	return x
}

// heal lets every call through from now on.
func (x *faulty) heal() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at, x.down, x.failed = 0, false, 3
}

var errFault = errors.New("injected")

func transient(op string) error {
	return &guardrail.PortError{Op: op, Class: guardrail.Transient, Code: "InternalError", Err: errFault}
}

// call carries out a call, or does not, and says how it went.
func (x *faulty) call(op string, do func() error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls++
	x.ops = append(x.ops, op)
	now := x.calls == x.at
	if now {
		x.op = op
	}
	if x.down {
		return context.Canceled
	}
	if x.fault == failing5xx && (now || x.op == op) && x.failed < 3 && x.at > 0 {
		x.failed++
		return transient(op)
	}
	if !now {
		return do()
	}
	switch x.fault {
	case throttled:
		return transient(op)
	case denied:
		return &guardrail.PortError{Op: op, Class: guardrail.Denied, Code: "AccessDenied", Err: errFault}
	case timedOut:
		x.down = true
		return context.DeadlineExceeded
	case killBefore:
		x.down = true
		return context.Canceled
	case killAfter, lostThenUp:
		err := do()
		x.down = true
		if x.fault == killAfter {
			return err
		}
		return transient(op)
	case lost:
		if err := do(); err != nil {
			return err
		}
		return transient(op)
	case overtaken:
		x.intrude()
		return transient(op)
	case intruded:
		x.intrude()
	case failing5xx:
	}
	return do()
}

func (x *faulty) Trails(ctx context.Context, a, r string) (trails []trail.Trail, err error) {
	err = x.call("trails", func() (err error) { trails, err = x.ports.Trails.Trails(ctx, a, r); return err })
	return trails, err
}

func (x *faulty) Status(ctx context.Context, a string, t trail.Trail) (full trail.Trail, s trail.Status, err error) {
	err = x.call("status", func() (err error) { full, s, err = x.ports.Trails.Status(ctx, a, t); return err })
	return full, s, err
}

func (x *faulty) Observe(ctx context.Context, ref guardrail.BucketRef) (b delivery.Bucket, err error) {
	err = x.call("observe", func() (err error) { b, err = x.ports.Buckets.Observe(ctx, ref); return err })
	if guardrail.Is(err, guardrail.Denied) {
		return delivery.Bucket{Name: ref.Name, Owner: ref.Account, Reason: err.Error()}, nil
	}
	return b, err
}

func (x *faulty) PutPolicy(ctx context.Context, ref guardrail.BucketRef, policy []byte) error {
	return x.call("put", func() error {
		err := x.ports.Buckets.PutPolicy(ctx, ref, policy)
		if err == nil {
			x.writes++
		}
		return err
	})
}

func (x *faulty) ResetPayer(ctx context.Context, ref guardrail.BucketRef) error {
	return x.call("payer", func() error {
		err := x.ports.Buckets.ResetPayer(ctx, ref)
		if err == nil {
			x.writes++
		}
		return err
	})
}

func (x *faulty) Organization(ctx context.Context, a string) (o trail.Organization, err error) {
	err = x.call("organization", func() (err error) { o, err = x.ports.Organizations.Organization(ctx, a); return err })
	if guardrail.Is(err, guardrail.Denied) {
		return trail.Organization{}, nil
	}
	return o, err
}

func (x *faulty) Publish(ctx context.Context, m alert.Message) error {
	return x.call("publish", func() error { return x.ports.Alerts.Publish(ctx, m) })
}

func (x *faulty) Load(ctx context.Context, k ledger.Key) (r ledger.Record, err error) {
	err = x.call("load", func() (err error) { r, err = x.ports.Ledger.Load(ctx, k); return err })
	return r, err
}

func (x *faulty) Save(ctx context.Context, r ledger.Record) (saved ledger.Record, err error) {
	err = x.call("save", func() (err error) { saved, err = x.ports.Ledger.Save(ctx, r); return err })
	return saved, err
}

func (x *faulty) List(ctx context.Context, a string) (list []ledger.Record, err error) {
	err = x.call("list", func() (err error) { list, err = x.ports.Ledger.List(ctx, a); return err })
	return list, err
}

func (x *faulty) Keep(ctx context.Context, s ledger.Snapshot) error {
	return x.call("keep", func() error { return x.ports.Ledger.Keep(ctx, s) })
}

func (x *faulty) Snapshots(ctx context.Context, k ledger.Key) (list []ledger.Snapshot, err error) {
	err = x.call("snapshots", func() (err error) { list, err = x.ports.Ledger.Snapshots(ctx, k); return err })
	return list, err
}

// faultyInventory is the inventory behind the faults.
type faultyInventory struct{ *faulty }

func (x faultyInventory) Find(ctx context.Context, accounts, buckets []string) (p inventory.Part, err error) {
	err = x.call("find", func() (err error) { p, err = x.ports.Inventory.Find(ctx, accounts, buckets); return err })
	return p, err
}

func (x faultyInventory) SaveAccount(ctx context.Context, a inventory.Account) (saved inventory.Account, err error) {
	err = x.call("save account", func() (err error) { saved, err = x.ports.Inventory.SaveAccount(ctx, a); return err })
	return saved, err
}

func (x faultyInventory) SaveBucket(ctx context.Context, b inventory.Bucket) (saved inventory.Bucket, err error) {
	err = x.call("save bucket", func() (err error) { saved, err = x.ports.Inventory.SaveBucket(ctx, b); return err })
	return saved, err
}

func (x faultyInventory) SaveOrganization(ctx context.Context, o trail.Organization, at time.Time) error {
	return x.call("save organization", func() error { return x.ports.Inventory.SaveOrganization(ctx, o, at) })
}

func (x faultyInventory) Using(ctx context.Context, arn string) (buckets []string, err error) {
	err = x.call("using", func() (err error) { buckets, err = x.ports.Inventory.Using(ctx, arn); return err })
	return buckets, err
}

func (x faultyInventory) Use(ctx context.Context, arn, bucket string) error {
	return x.call("use", func() error { return x.ports.Inventory.Use(ctx, arn, bucket) })
}

func (x faultyInventory) SaveRCPs(ctx context.Context, r inventory.RCPs) error {
	return x.call("save RCPs", func() error { return x.ports.Inventory.SaveRCPs(ctx, r) })
}

func (x faultyInventory) RCPs(ctx context.Context) (r inventory.RCPs, err error) {
	err = x.call("RCPs", func() (err error) { r, err = x.ports.Inventory.RCPs(ctx); return err })
	return r, err
}

func (x faultyInventory) List(ctx context.Context) (accounts, buckets []string, err error) {
	err = x.call("list inventory", func() (err error) { accounts, buckets, err = x.ports.Inventory.List(ctx); return err })
	return accounts, buckets, err
}
