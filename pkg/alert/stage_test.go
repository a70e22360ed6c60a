package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
	"github.com/trailwarden/trailwarden/pkg/trigger"
)

// stage is an account in memory with a guard in front of it, in which a story is
// played. Its clock is moved by the events.
type stage struct {
	*inmem.Account
	clock

	t       testing.TB
	number  string // of the account
	home    string // its region
	bucket  string
	trail   trail.Trail
	buckets hindered
	config  guardrail.Config
	alerts  inmem.Alerts
	ledger  inmem.Ledger
	names   accountNames
	served  *served // the organization, if the guard serves one
	guard   *guardrail.Guard
	events  int
	sealed  bool // the trail has its key and a topic, which are looked at
}

// The names are as long as AWS makes them: the console's bucket for a trail, and that
// of Control Tower.
const (
	consoleBucket = "aws-cloudtrail-logs-111111111111-0123abcd"
	towerBucket   = "aws-controltower-logs-222222222222-us-east-1"
	organization  = "o-exampleorg1"
)

// newStage is an account with one trail for all regions, as the console makes it, and the
// policy that the console writes, beside a statement that most buckets have.
func newStage(t testing.TB, f alert.Format) *stage {
	t.Helper()
	tr := trail.Trail{
		Name: "management-events", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events",
		HomeRegion: "us-east-1", Bucket: consoleBucket, MultiRegion: true, LogFileValidation: true,
		KMSKeyID: "arn:aws:kms:us-east-1:111111111111:key/1c7a1b2e-5f0d-4f5e-9a55-3c1f6a0b7d21",
	}
	return newStageOf(t, f, tr, inmem.Description{
		Account: "111111111111", Region: "us-east-1", Organization: trail.Organization{Known: true},
	})
}

// newTowerStage is the log archive account of a landing zone, which sees the trail
// of the organization.
func newTowerStage(t testing.TB, f alert.Format) *stage {
	t.Helper()
	tr := trail.Trail{
		Name: "aws-controltower-BaselineCloudTrail", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/aws-controltower-BaselineCloudTrail",
		HomeRegion: "us-east-1", Bucket: towerBucket, Prefix: organization, MultiRegion: true, LogFileValidation: true, Organization: true,
	}
	return newStageOf(t, f, tr, inmem.Description{
		Account: "222222222222", Region: "us-east-1",
		Organization: trail.Organization{Known: true, ID: organization, ManagementAccount: "111111111111", Members: []string{"111111111111", "222222222222"}},
	})
}

func newStageOf(t testing.TB, f alert.Format, tr trail.Trail, d inmem.Description) *stage {
	t.Helper()
	s := &stage{
		t: t, number: d.Account, home: d.Region, bucket: tr.Bucket, trail: tr,
		clock: clock{now: time.Date(2026, time.September, 13, 17, 50, 31, 0, time.UTC)},
		config: guardrail.Config{
			Format: f, RemindEvery: 24 * time.Hour,
			Stack: alert.Stack{Account: d.Account, Region: d.Region, Table: "trailwarden-Table-1J8XK2M4N6P8Q", Runbook: "https://wiki.acme.example/cloudtrail"},
		},
	}
	d.Trails = []trail.Trail{tr}
	d.Statuses = []trail.Status{{ARN: tr.ARN, Logging: true, DeliveredAt: s.now.Add(-3 * time.Minute), StartedLoggingAt: s.now.Add(-400 * 24 * time.Hour)}}
	policy, err := trail.Documented(d.Trails, trail.Environment{Bucket: tr.Bucket, Organization: d.Organization})
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{onlyTLS(tr.Bucket)}
	for _, st := range policy {
		statements = append(statements, string(st.Text()))
	}
	d.Buckets = []inmem.Bucket{{Name: tr.Bucket, Policy: []byte(policyOf(statements...))}}
	s.Account = inmem.New(d)
	s.buckets.Buckets = s.Account
	s.rebuild()
	return s
}

// rebuild makes the guard anew, after its configuration was changed.
func (s *stage) rebuild() {
	ports := guardrail.Ports{
		Trails: s.Account, Buckets: &s.buckets, Organizations: s.Account, Regions: s.Account, Alerts: &s.alerts, Ledger: &s.ledger,
		Accounts: s.names,
	}
	if s.sealed {
		ports.Chain = s.Account
	}
	if s.served != nil {
		ports.Trails, ports.Members, ports.RCPs, ports.Inventory = s.served, s.served, s.served, &s.served.inventory
	}
	s.guard = guardrail.New(ports, s.config, guardrail.Runtime{Now: s.Now, Sleep: s.Sleep, Log: slog.New(slog.DiscardHandler)})
}

// accountNames are what accounts are called, by id.
type accountNames map[string]string

// AccountName returns the name of an account.
func (n accountNames) AccountName(_ context.Context, account string) (string, error) {
	return n[account], nil
}

// optIn lists the bucket for restoring.
func (s *stage) optIn() {
	s.config.Restore = []string{s.bucket}
	s.rebuild()
}

// edit changes a recorded event. The members are those of its detail.
type edit func(detail map[string]any)

// call lets a recorded event of events/ happen now, to this stage's bucket and trail, and
// gives it to the guard seven seconds later.
func (s *stage) call(recorded string, edits ...edit) {
	s.t.Helper()
	payload := s.event(recorded, edits...)
	if err := s.Apply(payload); err != nil {
		s.t.Fatal(err)
	}
	s.deliver(payload)
}

// deliver gives an event to the guard.
func (s *stage) deliver(payload []byte) {
	s.t.Helper()
	s.pass(7 * time.Second)
	event, err := trigger.Parse(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range event.Requests {
		if _, err := s.guard.Reconcile(s.t.Context(), r); err != nil {
			s.t.Fatal(err)
		}
	}
}

// event is a recorded event as it happens now.
func (s *stage) event(recorded string, edits ...edit) []byte {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("../../events", recorded+".json"))
	if err != nil {
		s.t.Fatal(err)
	}
	names := strings.NewReplacer(
		"acme-audit-logs", s.bucket, `"name": "main"`, `"name": "`+s.trail.Name+`"`, "trail/main", "trail/"+s.trail.Name, "111111111111", s.number,
	)
	var e map[string]any
	if err := json.Unmarshal([]byte(names.Replace(string(text))), &e); err != nil {
		s.t.Fatal(err)
	}
	detail := e["detail"].(map[string]any)
	s.events++
	at := s.Now().UTC().Format(time.RFC3339)
	e["time"], detail["eventTime"] = at, at
	detail["eventID"] = fmt.Sprintf("5f0f4d3e-7a1c-4e53-9b0a-%012d", s.events)
	for _, edit := range edits {
		edit(detail)
	}
	out, err := json.Marshal(e)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// withPolicy says which policy the call wrote.
func withPolicy(policy string) edit {
	return func(detail map[string]any) {
		detail["requestParameters"].(map[string]any)["bucketPolicy"] = json.RawMessage(policy)
	}
}

// by says that a session of a role made the call.
func by(account, role, session string, more map[string]any) edit {
	return func(detail map[string]any) {
		name := role[strings.LastIndex(role, "/")+1:]
		identity := map[string]any{
			"type": "AssumedRole", "principalId": "AROAEXAMPLE6B76735E29:" + session, "accountId": account, "accessKeyId": "ASIAEXAMPLE3SESSION01",
			"arn": "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session,
			"sessionContext": map[string]any{
				"sessionIssuer": map[string]any{"type": "Role", "arn": "arn:aws:iam::" + account + ":role/" + role, "accountId": account, "userName": name},
				"attributes":    map[string]any{"mfaAuthenticated": "false", "creationDate": "2026-09-13T17:40:11Z"},
			},
		}
		session := identity["sessionContext"].(map[string]any)
		for k, v := range more {
			if k == "sourceIdentity" {
				session[k] = v
				continue
			}
			identity[k] = v
		}
		detail["userIdentity"] = identity
	}
}

// from says from where the call came, and with what.
func from(address, agent string) edit {
	return func(detail map[string]any) { detail["sourceIPAddress"], detail["userAgent"] = address, agent }
}

// sweep lets an hour pass and looks at everything.
func (s *stage) sweep(after time.Duration) {
	s.t.Helper()
	s.pass(after)
	if _, err := s.guard.Sweep(s.t.Context(), s.number, s.home); err != nil {
		s.t.Fatal(err)
	}
}

// policy is the bucket's policy as it is.
func (s *stage) policy() string {
	s.t.Helper()
	b, ok := s.Bucket(s.bucket)
	if !ok {
		s.t.Fatal("no bucket")
	}
	return string(b.Policy)
}

// status says what CloudTrail reports of the trail.
func (s *stage) status(change func(*trail.Status)) {
	for _, st := range s.Describe().Statuses {
		if st.ARN == s.trail.ARN {
			change(&st)
			s.PutStatus(st)
		}
	}
}

// undo puts the policy back that the last repair replaced, by hand.
func (s *stage) undo() {
	s.t.Helper()
	ref := guardrail.BucketRef{Name: s.bucket, Account: s.number, Region: s.home}
	kept, err := s.guard.Snapshots(s.t.Context(), ledger.Key{Account: s.number, Bucket: s.bucket})
	if err != nil || len(kept) == 0 {
		s.t.Fatal("no snapshot", err)
	}
	yes := func(string) (bool, error) { return true, nil }
	if err := s.guard.Undo(s.t.Context(), ref, kept[0], "dana with credentials of account "+s.number, yes); err != nil {
		s.t.Fatal(err)
	}
}

// hindered lets somebody act just before a write, or refuses it.
type hindered struct {
	guardrail.Buckets
	before  func()
	refused string
}

// PutPolicy writes a policy unless it is refused.
func (h *hindered) PutPolicy(ctx context.Context, b guardrail.BucketRef, policy []byte) error {
	if act := h.before; act != nil {
		h.before = nil
		act()
	}
	if h.refused != "" {
		return &guardrail.PortError{Op: "s3:PutBucketPolicy", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New(h.refused)}
	}
	return h.Buckets.PutPolicy(ctx, b, policy)
}

// clock is a clock that only events and waiting move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.pass(d)
	return ctx.Err()
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// statementsOf are the statements of a policy.
func statementsOf(t testing.TB, policy string) []string {
	t.Helper()
	var p struct{ Statement []json.RawMessage }
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range p.Statement {
		texts = append(texts, string(s))
	}
	return texts
}

// both are the ARNs of a bucket and of what is in it.
func both(bucket string) string {
	return fmt.Sprintf(`["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]`, bucket, bucket)
}

// onlyTLS is the statement of the Config rule s3-bucket-ssl-requests-only, which does CloudTrail no harm.
func onlyTLS(bucket string) string {
	return `{"Sid":"AllowSSLRequestsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":` + both(bucket) +
		`,"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
}

// onlyFromEndpoint is the usual statement against requests from outside the network, which CloudTrail does not get past.
func onlyFromEndpoint(bucket string) string {
	return `{"Sid":"DenyOutsideVpcEndpoint","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":` + both(bucket) +
		`,"Condition":{"StringNotEquals":{"aws:SourceVpce":["vpce-0a1b2c3d4e5f67890","vpce-0f9e8d7c6b5a43210"]}}}`
}
