package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

// simulation is the guard over an account in memory. Its clock shows the time
// of the event that it handles.
type simulation struct {
	account *inmem.Account
	number  string // of the account
	region  string
	alerts  inmem.Alerts
	ledger  inmem.Ledger
	clock   clock
	ports   guardrail.Ports
	config  guardrail.Config
	runtime guardrail.Runtime
	guard   *guardrail.Guard
	sent    int // alerts of earlier reactions
}

// remember lets the guard know what the trails covered before the events, as it does
// of an account that it has swept.
func (s *simulation) remember(ctx context.Context, d inmem.Description) error {
	for _, b := range d.Buckets {
		key := ledger.Key{Account: cmp.Or(b.Owner, d.Account), Bucket: b.Name}
		var trails []trail.Trail
		for _, t := range d.Trails {
			if t.Bucket == b.Name {
				t.SelectorsKnown = t.CustomSelectors
				trails = append(trails, t)
			}
		}
		if len(trails) == 0 {
			continue
		}
		if _, err := s.ledger.Save(ctx, ledger.Record{Key: key}.Cover(trails, nil, true, s.clock.Now())); err != nil {
			return err
		}
	}
	return nil
}

// reaction is what one event led to.
type reaction struct {
	event     trigger.Event
	at        time.Time
	skipped   string // why the guard was not asked, in a sentence; empty: it was
	unapplied string // that the event did not change the account, and why, in a sentence; empty: it did, or was not to
	results   []guardrail.Result
	diffs     map[string]string // what the guard wrote, by bucket
	alerts    []alert.Message
}

func newSimulation(d inmem.Description, c guardrail.Config, log io.Writer) *simulation {
	s := &simulation{account: inmem.New(d), number: d.Account, region: d.Region}
	c.Format = alert.Text
	// Who owns a bucket in the description is declared, as BucketOwners is in the stack.
	c.Owners = map[string]string{}
	for _, b := range d.Buckets {
		if b.Owner != "" && b.Owner != d.Account {
			c.Owners[b.Name] = b.Owner
		}
	}
	s.config = c
	s.ports = guardrail.Ports{
		Trails: momentary{s.account}, Buckets: s.account, Organizations: s.account, Regions: s.account, Alerts: &s.alerts, Ledger: &s.ledger,
	}
	s.runtime = guardrail.Runtime{
		Now:   s.clock.Now,
		Sleep: s.clock.Sleep,
		Log:   slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	s.guard = guardrail.New(s.ports, s.config, s.runtime)
	return s
}

// momentary is an account as it was at one moment. Its events are of others, so that it says nothing
// how old its last digest files were then.
type momentary struct{ *inmem.Account }

// Status returns the status without the time of the last digest file.
func (m momentary) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	described, status, err := m.Account.Status(ctx, account, t)
	status.DigestDeliveredAt = time.Time{}
	return described, status, err
}

// stormy is what a storm of events led to.
type stormy struct {
	asked  int // how often CloudTrail was asked for the trails of the account
	alerts []alert.Message
}

// countedTrails counts how often the trails are asked for.
type countedTrails struct {
	momentary

	asked atomic.Int64
}

// Trails counts the call and makes it.
func (c *countedTrails) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	c.asked.Add(1)
	return c.Account.Trails(ctx, account, region)
}

// storm lets one event change the account, and gives many to the guard, in batches as the queue
// does. The guard has swept the account before, and knows its trails from that.
func (s *simulation) storm(ctx context.Context, applied []byte, events [][]byte) (stormy, error) {
	s.clock.Set(eventTime(applied))
	ports, trails := s.ports, &countedTrails{momentary: momentary{s.account}}
	ports.Trails, ports.Inventory = trails, &inmem.Inventory{}
	guard := guardrail.New(ports, s.config, s.runtime)
	if _, err := guard.Sweep(ctx, s.number, s.region); err != nil {
		return stormy{}, fmt.Errorf("the sweep before the storm: %w", err)
	}
	s.sent = len(s.alerts.Messages())
	trails.asked.Store(0)
	if err := s.account.Apply(applied); err != nil {
		return stormy{}, err
	}
	for batch := range slices.Chunk(events, batchSize) {
		var requests []guardrail.Request
		for _, payload := range batch {
			event, err := trigger.Parse(payload)
			if err != nil {
				return stormy{}, err
			}
			requests = append(requests, event.Requests...)
		}
		together := guard.Batch(requests)
		for _, r := range requests {
			if _, err := together.Reconcile(ctx, r); err != nil {
				return stormy{}, err
			}
		}
	}
	all := s.alerts.Messages()
	out := stormy{int(trails.asked.Load()), all[s.sent:]}
	s.sent = len(all)
	return out, nil
}

// batchSize is how many events Lambda hands to the guard at once.
const batchSize = 10

// handle changes the account as the event says, where apply is set, and gives
// the event to the guard.
func (s *simulation) handle(ctx context.Context, payload []byte, apply bool) (reaction, error) {
	event, err := trigger.Parse(payload)
	if err != nil {
		return reaction{}, err
	}
	out := reaction{event: event, at: s.clock.Set(eventTime(payload)), diffs: map[string]string{}}
	if event.Skipped != "" {
		out.skipped = "Nothing to look at: " + event.Skipped
	}
	if apply {
		if err := s.account.Apply(payload); err != nil {
			out.unapplied = "The account was not changed: " + err.Error()
		}
	}
	before := s.policies()
	for _, r := range event.Requests {
		if r.Account != s.number {
			out.skipped = "Skipped: the event is of account " + r.Account + ", and what is read in account " + s.number +
				" says nothing of it. So does the function, where it has no role in that account."
			continue
		}
		r.Region = cmp.Or(r.Region, s.region)
		results, err := s.guard.Reconcile(ctx, r)
		out.results = append(out.results, results...)
		if err != nil {
			return out, fmt.Errorf("event %s: %w", event.ID, err)
		}
	}
	for name, after := range s.policies() {
		if diff := repair.Diff(before[name], after); diff != "" {
			out.diffs[name] = diff
		}
	}
	all := s.alerts.Messages()
	out.alerts, s.sent = all[s.sent:], len(all)
	return out, nil
}

// policies returns the policies of all buckets.
func (s *simulation) policies() map[string][]byte {
	policies := map[string][]byte{}
	for _, b := range s.account.Describe().Buckets {
		policies[b.Name] = b.Policy
	}
	return policies
}

// overview judges the account as it is now.
func (s *simulation) overview(ctx context.Context) (*overview, error) {
	d := s.account.Describe()
	audited, err := s.guard.Audit(ctx, d.Account, d.Region, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot judge the account: %w", err)
	}
	return newOverview(d.Account, d.Region, audited), nil
}

// eventTime is the time of an event, or the zero time if it has none.
func eventTime(payload []byte) time.Time {
	var event struct {
		Time time.Time `json:"time"`
	}
	if json.Unmarshal(payload, &event) != nil {
		return time.Time{}
	}
	return event.Time
}

// clock is a clock that only Set and Sleep move. It is safe for use by several
// goroutines.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock, but never back, and returns the time.
func (c *clock) Set(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
	return c.now
}

// Sleep moves the clock instead of waiting.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}
