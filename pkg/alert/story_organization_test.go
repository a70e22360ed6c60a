package alert_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// organizationStories are told by the hub of an organization.
func organizationStories() []story {
	return []story{
		{"opened-accounts-unread", alert.Opened, func(s *stage) {
			s.serve("222222222222", "333333333333", "444444444444")
			s.sweep(0)
			s.served.closed = []string{"222222222222", "444444444444"}
			s.nextSweep(6 * time.Hour) // so often all accounts are asked
		}, false},
		{"resolved-accounts-unread", alert.Resolved, func(s *stage) {
			s.serve("222222222222", "333333333333", "444444444444")
			s.served.closed = []string{"222222222222", "444444444444"}
			s.sweep(0)
			s.served.closed = nil
			s.nextSweep(time.Hour)
		}, false},
		{"opened-forwarding-silent", alert.Opened, forwardingFallsSilent, false},
		{"opened-rcp-denied", alert.Opened, perimeterOfAnother, false},
	}
}

// forwardingFallsSilent is a member whose events came, until a policy was changed without one.
func forwardingFallsSilent(s *stage) {
	const member, logs = "222222222222", "payments-logs-222222222222"
	s.serve(member, "333333333333")
	x := trail.Trail{
		Name: "payments", ARN: "arn:aws:cloudtrail:us-east-1:" + member + ":trail/payments", HomeRegion: s.home, Bucket: logs, MultiRegion: true, LogFileValidation: true,
	}
	s.served.trails[member] = []trail.Trail{x}
	policy, err := trail.DocumentedPolicy([]trail.Trail{x}, trail.Environment{Bucket: logs, BucketOwner: member})
	if err != nil {
		s.t.Fatal(err)
	}
	s.PutBucket(inmem.Bucket{Name: logs, Owner: member, Policy: policy})
	s.config.Owners = map[string]string{logs: member}
	s.rebuild()
	s.sweep(0)
	event := s.event("put-bucket-policy", withPolicy(string(policy)))
	event = bytes.ReplaceAll(bytes.ReplaceAll(event, []byte(s.bucket), []byte(logs)), []byte(s.number), []byte(member))
	s.deliver(event)
	changed := strings.Replace(string(policy), `"Statement": [`, `"Statement": [`+onlyTLS(logs)+`,`, 1)
	s.PutBucket(inmem.Bucket{Name: logs, Owner: member, Policy: []byte(changed)})
	s.nextSweep(time.Hour)
	s.nextSweep(time.Hour)
}

// nextSweep is a sweep some time later, until when files have arrived.
func (s *stage) nextSweep(after time.Duration) {
	s.pass(after)
	s.status(func(st *trail.Status) { st.DeliveredAt = s.now.Add(-3 * time.Minute) })
	s.sweep(0)
}

// perimeterOfAnother is AWS's protection from confused deputies as a resource control policy, with
// the id of another organization: somebody took it over from there. It stops the trails of three
// accounts into a central bucket, whose policy lets all of them in.
func perimeterOfAnother(s *stage) {
	s.serve("222222222222", "333333333333")
	trails := []trail.Trail{s.trail}
	for id, name := range map[string]string{"222222222222": "payments", "333333333333": "sandbox"} {
		x := trail.Trail{
			Name: name, ARN: "arn:aws:cloudtrail:us-east-1:" + id + ":trail/" + name, HomeRegion: s.home, Bucket: s.bucket, MultiRegion: true, LogFileValidation: true,
		}
		s.served.trails[id] = []trail.Trail{x}
		trails = append(trails, x)
	}
	slices.SortFunc(trails, func(a, b trail.Trail) int { return strings.Compare(a.ARN, b.ARN) })
	policy, err := trail.DocumentedPolicy(trails, trail.Environment{Bucket: s.bucket, BucketOwner: s.number})
	if err != nil {
		s.t.Fatal(err)
	}
	s.PutBucket(inmem.Bucket{Name: s.bucket, Owner: s.number, Policy: policy})
	s.sweep(0)
	s.served.rcps = []inventory.AttachedRCP{{
		ID: "p-examplercp1", Name: "Data perimeter", Targets: []string{"r-ab12"},
		Content: `{"Version":"2012-10-17","Statement":[{"Sid":"EnforceConfusedDeputyProtection","Effect":"Deny","Principal":"*",` +
			`"Action":["s3:*","sqs:*","kms:*","secretsmanager:*","sts:*"],"Resource":"*","Condition":{` +
			`"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-exampleorg2"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}]}`,
	}}
	s.sweep(time.Hour)
}

// serve makes the account the hub of an organization with these members.
func (s *stage) serve(members ...string) {
	d := s.Describe()
	d.Organization = trail.Organization{Known: true, ID: organization, ManagementAccount: "999999999999", Members: []string{s.number}}
	s.Account = inmem.New(d)
	s.buckets.Buckets = s.Account
	s.served = &served{home: s.Account, number: s.number, members: members, trails: map[string][]trail.Trail{}}
	s.config.Owners = map[string]string{s.bucket: s.number}
	s.rebuild()
}

// served is an organization whose members see their own trails.
type served struct {
	home      *inmem.Account
	number    string
	members   []string
	closed    []string // that may not be read
	trails    map[string][]trail.Trail
	rcps      []inventory.AttachedRCP
	inventory inmem.Inventory
}

// Members lists the accounts.
func (o *served) Members(context.Context) ([]inventory.Member, error) {
	all := []inventory.Member{{ID: o.number, State: inventory.Active}}
	for _, id := range o.members {
		all = append(all, inventory.Member{ID: id, State: inventory.Active})
	}
	return all, nil
}

// RCPs returns the resource control policies.
func (o *served) RCPs(context.Context) ([]inventory.AttachedRCP, error) { return o.rcps, nil }

// Trails lists the trails of an account.
func (o *served) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	if slices.Contains(o.closed, account) {
		return nil, &guardrail.PortError{Op: "sts:AssumeRole", Class: guardrail.Denied, Code: "AccessDenied", Err: errors.New("no role")}
	}
	if account == o.number {
		return o.home.Trails(ctx, account, region)
	}
	return o.trails[account], nil
}

// Status says of a trail that it logs.
func (o *served) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	if account == o.number {
		return o.home.Status(ctx, account, t)
	}
	return t, trail.Status{ARN: t.ARN, Logging: true}, nil
}
