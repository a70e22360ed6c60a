package guardrail_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	account = "111111111111"
	region  = "us-east-1"
	bucket  = "acme-audit-logs"
)

// reader is a statement that serves somebody else.
const reader = `{"Sid":"Reader","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/log-reader"},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::acme-audit-logs/*"]}`

func key() ledger.Key { return ledger.Key{Account: account, Bucket: bucket} }

func ref() guardrail.BucketRef {
	return guardrail.BucketRef{Name: bucket, Account: account, Region: region}
}

// clock is a clock that only sleeping moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.pass(d)
	return ctx.Err()
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is an account with a guard in front of it.
type world struct {
	*inmem.Account
	clock  *clock
	ledger *inmem.Ledger
	alerts *inmem.Alerts
	ports  guardrail.Ports
	config guardrail.Config
	guard  *guardrail.Guard
	events int
}

func mainTrail() trail.Trail {
	return trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/main",
		HomeRegion: region, Bucket: bucket, MultiRegion: true, LogFileValidation: true,
	}
}

// documented is the policy that AWS documents for the trails, with a statement
// of somebody else.
func documented(t testing.TB, trails ...trail.Trail) string {
	t.Helper()
	statements, err := trail.Documented(trails, trail.Environment{Bucket: bucket, BucketOwner: account})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{reader}
	for _, s := range statements {
		texts = append(texts, string(s.Text()))
	}
	return policyOf(texts...)
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

type option func(*world)

func stateless(w *world) { w.ports.Ledger = nil }

func listOnly(w *world) { w.config.Restore = nil }

// reserializing gives policies back in a spelling of its own, as S3 may.
func reserializing(w *world) {
	d := w.Describe()
	d.Reserialize = true
	w.Account = inmem.New(d)
	w.ports.Trails, w.ports.Buckets, w.ports.Organizations = w.Account, w.Account, w.Account
}

// newWorld is a healthy account with one trail, whose bucket is opted in.
func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{
		Account: inmem.New(inmem.Description{
			Account: account, Region: region, Organization: trail.Organization{Known: true},
			Trails:  []trail.Trail{mainTrail()},
			Buckets: []inmem.Bucket{{Name: bucket, Policy: []byte(documented(t, mainTrail()))}},
		}),
		clock:  &clock{now: time.Date(2026, 9, 13, 18, 0, 0, 0, time.UTC)},
		ledger: &inmem.Ledger{}, alerts: &inmem.Alerts{},
	}
	w.ports = guardrail.Ports{Trails: w.Account, Buckets: w.Account, Organizations: w.Account, Alerts: w.alerts, Ledger: w.ledger}
	w.config = guardrail.Config{Restore: []string{bucket}, RemindEvery: 24 * time.Hour}
	for _, o := range options {
		o(w)
	}
	w.rebuild()
	return w
}

func (w *world) rebuild() {
	w.guard = guardrail.New(w.ports, w.config, guardrail.Runtime{Now: w.clock.Now, Sleep: w.clock.Sleep, Log: slog.New(slog.DiscardHandler)})
}

// put writes a policy past the guard and returns the request of its event.
func (w *world) put(t testing.TB, policy string) guardrail.Request {
	t.Helper()
	b, ok := w.Bucket(bucket)
	if !ok {
		t.Fatal("no bucket")
	}
	b.Policy = []byte(policy)
	w.PutBucket(b)
	r := w.event("PutBucketPolicy")
	r.Bucket, r.SubmittedPolicy = bucket, []byte(policy)
	if policy == "" {
		r.Change.Event, r.SubmittedPolicy = "DeleteBucketPolicy", nil
	}
	return r
}

// event is a call of now that is told of six seconds later.
func (w *world) event(name string) guardrail.Request {
	w.events++
	at := w.clock.Now().Truncate(time.Second)
	w.clock.pass(6 * time.Second)
	return guardrail.Request{
		Account: account, Region: region,
		Change: &delivery.Change{
			Event: name, Time: at, Actor: "arn:aws:iam::111111111111:user/dana",
			EventID: "event-" + strconv.Itoa(w.events), Account: account, Region: region,
		},
	}
}

func (w *world) trailEvent(name string) guardrail.Request {
	r := w.event(name)
	r.Trail, r.Change.Trail = "main", "main"
	return r
}

func (w *world) reconcile(t testing.TB, r guardrail.Request) []guardrail.Result {
	t.Helper()
	results, err := w.guard.Reconcile(t.Context(), r)
	if err != nil {
		t.Fatalf("Reconcile: %v", err)
	}
	return results
}

func (w *world) sweep(t testing.TB) guardrail.SweepResult {
	t.Helper()
	result, err := w.guard.Sweep(t.Context(), account, region)
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	return result
}

// kinds are the kinds of the alerts that were published, in order.
func (w *world) kinds() string {
	var kinds []string
	for _, m := range w.alerts.Messages() {
		kinds = append(kinds, m.Attributes["kind"])
	}
	return strings.Join(kinds, " ")
}

func (w *world) wantKinds(t testing.TB, want string) {
	t.Helper()
	if got := w.kinds(); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func (w *world) lastAlert(t testing.TB) string {
	t.Helper()
	messages := w.alerts.Messages()
	if len(messages) == 0 {
		t.Fatal("nothing was told")
	}
	return messages[len(messages)-1].Body
}

func (w *world) policy(t testing.TB) string {
	t.Helper()
	b, _ := w.Bucket(bucket)
	return string(b.Policy)
}

func (w *world) record(t testing.TB) ledger.Record {
	t.Helper()
	r, err := w.ledger.Load(context.Background(), key())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// healthy reports whether CloudTrail can deliver now.
func (w *world) healthy(t testing.TB) bool {
	t.Helper()
	seen, err := w.Observe(context.Background(), ref())
	if err != nil {
		t.Fatal(err)
	}
	trails, err := w.Trails(context.Background(), account, region)
	if err != nil {
		t.Fatal(err)
	}
	s := trail.Environment{Bucket: bucket, BucketOwner: account, BucketRegion: region, Organization: w.Describe().Organization, Now: w.clock.Now()}
	return delivery.Judge(seen, trails, s).Verdict == delivery.Delivering
}

// hasStatement reports whether the policy has the statement with the Sid as it
// is given.
func hasStatement(t testing.TB, policy, statement string) bool {
	t.Helper()
	var p struct{ Statement []json.RawMessage }
	if policy == "" {
		return false
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(p.Statement, func(s json.RawMessage) bool {
		return ledger.Fingerprint(s) == ledger.Fingerprint([]byte(statement))
	})
}
