package guardrail_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	filesTopic = "arn:aws:sns:us-east-1:111111111111:cloudtrail-files"
	rootOnly   = `{"Sid":"EnableIAMUserPermissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}`
	keyDeny    = `{"Sid":"OnlyPlatform","Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey*","Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/platform-*"}}}`
)

// sealed is the main trail, with a key and a topic.
func sealed() trail.Trail {
	t := mainTrail()
	t.KMSKeyID, t.SNSTopic = auditKey, filesTopic
	return t
}

// chain counts what is read of keys and topics.
type chain struct {
	guardrail.Chain
	mu      sync.Mutex
	reads   []string
	failing error
}

func (c *chain) Key(ctx context.Context, name string) (delivery.Key, error) {
	c.mu.Lock()
	c.reads = append(c.reads, name)
	err := c.failing
	c.mu.Unlock()
	if err != nil {
		return delivery.Key{}, err
	}
	return c.Chain.Key(ctx, name)
}

// read is how many keys were read since the last call.
func (c *chain) read() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.reads)
	c.reads = nil
	return n
}

func (c *chain) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing = err
}

// keyed is a world whose trail has a key and a topic that let CloudTrail in.
type keyed struct {
	*known
	chain *chain
}

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	k := &keyed{known: newKnown(t)}
	k.chain = &chain{Chain: k.Account}
	k.ports.Chain = k.chain
	k.accounts.set(account, sealed())
	k.setKey("Enabled", keyPolicy(t, sealed()))
	k.setTopic(topicPolicy(t, sealed()))
	k.rebuild()
	return k
}

func (k *keyed) setKey(state, policy string) {
	k.PutKey(inmem.Key{
		Key:    trail.Key{ARN: auditKey, State: state, Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Manager: "CUSTOMER", Origin: "AWS_KMS", MultiRegion: "false"},
		Policy: policy,
	})
}

func (k *keyed) setTopic(policy string) { k.PutTopic(trail.Topic{ARN: filesTopic, Policy: policy}) }

// keyPolicy is the documented policy of a key for the trails, with more statements.
func keyPolicy(t testing.TB, of trail.Trail, more ...string) string {
	t.Helper()
	texts := append([]string{rootOnly}, more...)
	for _, s := range trail.KeyStatements([]trail.Trail{of}, trail.Off) {
		texts = append(texts, string(s.Text()))
	}
	return policyOf(texts...)
}

func topicPolicy(t testing.TB, of trail.Trail) string {
	t.Helper()
	var texts []string
	for _, s := range trail.TopicStatements([]trail.Trail{of}, filesTopic) {
		texts = append(texts, string(s.Text()))
	}
	return policyOf(texts...)
}

// of is the event of a call on a key or topic.
func (k *keyed) of(event, arn string) guardrail.Request {
	r := k.event(event)
	r.Chain, r.Change.Chain = arn, arn
	return r
}

// Whatever stops a key is told with its event, once, and resolved with the event that mends it, once.
// Another event of the same, and sweeps, say nothing more.
func TestBrokenKeyIsToldOnceAndResolvedOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event, state string
		policy       func(testing.TB) string
		finding      string
		says         []string
		mended       string
	}{
		"disabled": {
			"DisableKey", "Disabled", func(t testing.TB) string { return keyPolicy(t, sealed()) }, delivery.KeyUnusableID,
			[]string{auditKey, "it is disabled", "aws kms enable-key", "user/dana", "DisableKey"},
			"EnableKey",
		},
		"waits for deletion": {
			"ScheduleKeyDeletion", "PendingDeletion", func(t testing.TB) string { return keyPolicy(t, sealed()) }, delivery.KeyUnusableID,
			[]string{auditKey, "deletion", "ScheduleKeyDeletion"},
			"CancelKeyDeletion",
		},
		"loses CloudTrail": {
			"PutKeyPolicy", "Enabled", func(testing.TB) string { return policyOf(rootOnly) }, "key-encrypt-denied",
			[]string{auditKey, "no statement allows kms:GenerateDataKey", "PutKeyPolicy", "https://us-east-1.console.aws.amazon.com/kms/home?region=us-east-1#/kms/keys/1c7a1b2e-"},
			"PutKeyPolicy",
		},
		"denies": {
			"PutKeyPolicy", "Enabled", func(t testing.TB) string { return keyPolicy(t, sealed(), keyDeny) }, "key-encrypt-denied",
			[]string{auditKey, "OnlyPlatform", "PutKeyPolicy"},
			"PutKeyPolicy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyed(t)
			k.sweep(t)
			k.wantKinds(t, "")
			before := k.policy(t)
			k.setKey(test.state, test.policy(t))
			broken := k.of(test.event, auditKey)
			results := k.reconcile(t, broken)
			k.wantKinds(t, "opened")
			if len(results) != 1 || results[0].Report.Verdict != delivery.Blocked || results[0].Report.Findings[0].ID != test.finding {
				t.Fatalf("%+v", results)
			}
			for _, says := range test.says {
				if !strings.Contains(k.told(t), says) {
					t.Errorf("the alert does not say %q:\n%s", says, k.lastAlert(t))
				}
			}
			k.reconcile(t, broken)
			k.clock.pass(time.Hour)
			k.sweep(t)
			k.sweep(t)
			k.wantKinds(t, "opened")
			k.setKey("Enabled", keyPolicy(t, sealed()))
			mended := k.of(test.mended, auditKey)
			k.reconcile(t, mended)
			k.reconcile(t, mended)
			k.sweep(t)
			k.wantKinds(t, "opened resolved")
			if k.policy(t) != before {
				t.Error("the bucket's policy was written")
			}
		})
	}
}

// A sweep finds without an event what an event would have told.
func TestSweepFindsBrokenKey(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.sweep(t)
	k.setKey("Disabled", keyPolicy(t, sealed()))
	k.sweep(t)
	k.sweep(t)
	k.setKey("Enabled", keyPolicy(t, sealed()))
	k.sweep(t)
	k.wantKinds(t, "opened resolved")
}

// A sweep reads a key once, however many buckets hang on it, as long as it is right.
func TestSweepReadsKeyOnce(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	var trails []trail.Trail
	for _, name := range []string{"acme-audit-logs-a", "acme-audit-logs-b", "acme-audit-logs-c"} {
		other := sealed()
		other.Name, other.ARN, other.Bucket = name, strings.Replace(other.ARN, "trail/main", "trail/"+name, 1), name
		trails = append(trails, other)
	}
	k.accounts.set(account, append(trails, sealed())...)
	for _, other := range trails {
		k.PutBucket(inmem.Bucket{Name: other.Bucket, Policy: []byte(strings.NewReplacer(":::"+bucket, ":::"+other.Bucket, "trail/main", "trail/"+other.Name).Replace(documented(t, mainTrail())))})
	}
	k.setKey("Enabled", policyOf(rootOnly, `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}`))
	if swept := k.sweep(t); len(swept.Results) != 4 || k.chain.read() != 1 {
		t.Errorf("%d buckets", len(swept.Results))
	}
	k.wantKinds(t, "")
}

// An event of a key that no trail uses costs no call of CloudTrail, and none of KMS.
func TestForeignKeyCostsNoCall(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.sweep(t)
	k.accounts.calls()
	k.chain.read()
	for _, arn := range []string{strings.Replace(auditKey, "1c7a1b2e", "2c7a1b2e", 1), filesTopic + "-of-others"} {
		results := k.reconcile(t, k.of("PutKeyPolicy", arn))
		if calls := k.accounts.calls(); calls != "" || k.chain.read() != 0 || len(results) != 1 || results[0].InUse {
			t.Errorf("%s: %q, %+v", arn, calls, results)
		}
	}
	if results := k.reconcile(t, k.of("PutKeyPolicy", auditKey)); len(results) != 1 || !results[0].InUse || k.chain.read() != 1 {
		t.Errorf("%+v", results)
	}
	k.wantKinds(t, "")
}

// The key of a central bucket is of the account that owns it, and the trails are of others: the
// inventory knows which trails an event of the key concerns. What an earlier version has stored
// is known after the next sweep.
func TestKeyOfTrailsOfOthers(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.owns(t)
	k.config.Restore = nil
	member := theirs("222222222222")
	member.KMSKeyID = auditKey
	k.accounts.set("222222222222", member)
	k.setKey("Enabled", keyPolicy(t, member))
	b, _ := k.Bucket(bucket)
	b.Policy = []byte(documented(t, member))
	k.PutBucket(b)
	k.rebuild()
	earlier := inventory.Bucket{Name: bucket, Owner: account, Trails: []inventory.Trail{{Trail: member, By: "222222222222", At: k.clock.Now()}}}
	if _, err := k.inventory.SaveBucket(t.Context(), earlier); err != nil {
		t.Fatal(err)
	}
	if _, err := k.inventory.SaveAccount(t.Context(), inventory.Account{ID: "222222222222", Trails: []trail.Trail{member}, ReadAt: k.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	k.clock.pass(time.Hour)
	k.sweep(t)
	k.wantKinds(t, "")
	k.setKey("Disabled", keyPolicy(t, member))
	k.reconcile(t, k.of("DisableKey", auditKey))
	k.wantKinds(t, "opened")
	if !strings.Contains(k.told(t), member.ARN) {
		t.Error(k.lastAlert(t))
	}
}

// reporting is what CloudTrail reports of the main trail.
type reporting struct {
	*accounts
	mu        sync.Mutex
	delivered time.Time
}

func (r *reporting) Status(ctx context.Context, account string, t trail.Trail) (trail.Trail, trail.Status, error) {
	full, s, err := r.accounts.Status(ctx, account, t)
	r.mu.Lock()
	defer r.mu.Unlock()
	s.DeliveredAt = r.delivered
	return full, s, err
}

func (r *reporting) deliver(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delivered = at
}

// A key that may not be read is never fine. It sends no mail while CloudTrail reports deliveries,
// and one when it does not.
func TestUnreadableKey(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	status := &reporting{accounts: k.accounts}
	k.ports.Trails = status
	k.rebuild()
	k.sweep(t)
	k.PutKey(inmem.Key{Key: trail.Key{ARN: auditKey, State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}, Secret: true})
	for range 3 {
		k.clock.pass(time.Hour)
		status.deliver(k.clock.Now().Add(-4 * time.Minute))
		swept := k.sweep(t)
		if r := swept.Results[0].Report; r.Verdict != delivery.Undetermined || r.Findings[0].ID != delivery.KeyUnreadableID {
			t.Fatalf("%+v", r)
		}
	}
	k.wantKinds(t, "")
	k.clock.pass(25 * time.Hour)
	k.sweep(t)
	k.sweep(t)
	k.wantKinds(t, "opened")
	if !strings.Contains(k.told(t), "AccessDenied") {
		t.Error(k.lastAlert(t))
	}
	status.deliver(k.clock.Now().Add(time.Second))
	k.clock.pass(time.Minute)
	k.sweep(t)
	k.wantKinds(t, "opened resolved")
}

// Who takes the guard's own permission away together with CloudTrail's is told of at once.
func TestKeyThatIsHiddenByItsPolicy(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	status := &reporting{accounts: k.accounts}
	k.ports.Trails = status
	k.rebuild()
	status.deliver(k.clock.Now().Add(-4 * time.Minute))
	k.sweep(t)
	k.PutKey(inmem.Key{Key: trail.Key{ARN: auditKey, State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}, Secret: true})
	k.reconcile(t, k.of("PutKeyPolicy", auditKey))
	k.wantKinds(t, "opened")
}

// A key that cannot be read for now is asked for again; what was told of it still holds, and that it
// is not known is no news.
func TestKeyThatCannotBeReadForNow(t *testing.T) {
	t.Parallel()
	slow := &guardrail.PortError{Op: "kms:DescribeKey", Class: guardrail.Transient, Code: "ThrottlingException", Err: errors.New("slow down")}
	k := newKeyed(t)
	k.sweep(t)
	k.chain.fail(slow)
	if _, err := k.guard.Reconcile(t.Context(), k.of("PutKeyPolicy", auditKey)); !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%v", err)
	}
	k.wantKinds(t, "")
	k.chain.fail(nil)
	k.setKey("Disabled", keyPolicy(t, sealed()))
	k.reconcile(t, k.of("DisableKey", auditKey))
	k.wantKinds(t, "opened")
	k.chain.fail(slow)
	if _, err := k.guard.Sweep(t.Context(), account, region); err == nil {
		t.Error("a sweep that could not read a key says that it was complete")
	}
	k.wantKinds(t, "opened")
	k.chain.fail(nil)
	k.sweep(t)
	k.wantKinds(t, "opened")
}

// The bucket is restored though the trail's key is broken, and a broken key alone is no reason to
// write.
func TestBrokenKeyKeepsNothingFromBeingRestored(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.sweep(t)
	k.setKey("Disabled", keyPolicy(t, sealed()))
	k.reconcile(t, k.of("DisableKey", auditKey))
	k.clock.pass(time.Hour)
	results := k.reconcile(t, k.put(t, policyOf(reader)))
	if !results[0].Repaired || !strings.Contains(k.policy(t), "cloudtrail.amazonaws.com") || !hasStatement(t, k.policy(t), reader) {
		t.Errorf("%+v\n%s", results, k.policy(t))
	}
	k.wantKinds(t, "opened restored")
	if told := k.told(t); !strings.Contains(told, "The bucket was restored") || !strings.Contains(told, auditKey) {
		t.Error(k.lastAlert(t))
	}
	k.setKey("Enabled", keyPolicy(t, sealed()))
	k.reconcile(t, k.of("EnableKey", auditKey))
	k.wantKinds(t, "opened restored resolved")
}

// A key's policy is written by others. One that costs all that a judgement may take keeps the
// bucket from nothing.
func TestCostlyKeyPolicyKeepsNothingFromBeingRestored(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	k.sweep(t)
	var costly []string
	for i := range 60 {
		stars := strings.Repeat("*a?b*", 12)
		costly = append(costly, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"`+
			stars+strings.Repeat("*c", i)+`","aws:PrincipalTag/t`+strings.Repeat("x", i)+`":"`+stars+`"}}}`)
	}
	k.setKey("Enabled", keyPolicy(t, sealed(), costly...))
	results := k.reconcile(t, k.put(t, policyOf(reader)))
	if !results[0].Repaired || !strings.Contains(k.policy(t), "cloudtrail.amazonaws.com") {
		t.Errorf("%+v", results)
	}
}

// A trail that leaves out the events of KMS brings none of the key. That is said.
func TestKeyWithoutEvents(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	blind := sealed()
	blind.CustomSelectors, blind.SelectorsKnown, blind.Unlogged = true, true, trail.Unlogged{Sources: "kms.amazonaws.com"}
	other := mainTrail()
	other.Name, other.ARN, other.Bucket = "other", strings.Replace(other.ARN, "trail/main", "trail/other", 1), "other-logs"
	k.PutBucket(inmem.Bucket{Name: "other-logs", Policy: []byte(strings.NewReplacer(":::"+bucket, ":::other-logs", "trail/main", "trail/other").Replace(documented(t, mainTrail())))})
	for want, trails := range map[int][]trail.Trail{1: {blind}, 0: {blind, other}} {
		k.accounts.set(account, trails...)
		audited, err := k.guard.Audit(t.Context(), account, region, nil)
		if err != nil || len(audited[0].Notes) != want || want > 0 && !strings.Contains(audited[0].Notes[0], auditKey) {
			t.Errorf("%v, %q", err, audited[0].Notes)
		}
	}
	k.accounts.set(account, blind)
	k.sweep(t)
	k.setKey("Disabled", keyPolicy(t, sealed()))
	k.sweep(t)
	if !strings.Contains(k.told(t), "no event tells of a change to key "+auditKey) {
		t.Error(k.lastAlert(t))
	}
}

// A topic that fails is a weakness: told only from its severity on, and never blocked.
func TestFailingTopic(t *testing.T) {
	t.Parallel()
	for severity, want := range map[delivery.Severity]string{delivery.Medium: "opened resolved", delivery.High: ""} {
		k := newKeyed(t)
		k.config.Severity = severity
		k.rebuild()
		k.sweep(t)
		k.setTopic(policyOf(`{"Sid":"Owner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SNS:Publish","Resource":"` + filesTopic + `"}`))
		results := k.reconcile(t, k.of("SetTopicAttributes", filesTopic))
		if r := results[0].Report; r.Verdict != delivery.Delivering || r.Trails[0].Notification != delivery.Blocked {
			t.Errorf("%+v", r)
		}
		k.setTopic(topicPolicy(t, sealed()))
		k.reconcile(t, k.of("SetTopicAttributes", filesTopic))
		k.wantKinds(t, want)
	}
}

// Another key's call is not to blame.
func TestOtherKeyIsNotBlamed(t *testing.T) {
	t.Parallel()
	k := newKeyed(t)
	other := sealed()
	other.Name, other.ARN, other.KMSKeyID = "other", strings.Replace(other.ARN, "trail/main", "trail/other", 1), strings.Replace(auditKey, "1c7a1b2e", "2c7a1b2e", 1)
	k.PutKey(inmem.Key{Key: trail.Key{ARN: other.KMSKeyID, State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}, Policy: keyPolicy(t, other)})
	k.accounts.set(account, sealed(), other)
	b, _ := k.Bucket(bucket)
	b.Policy = []byte(documented(t, sealed(), other))
	k.PutBucket(b)
	k.setTopic(policyOf(`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"` + filesTopic + `"}`))
	k.sweep(t)
	k.wantKinds(t, "")
	k.setKey("Disabled", keyPolicy(t, sealed()))
	k.reconcile(t, k.of("DisableKey", other.KMSKeyID)) // and enabled again since
	k.wantKinds(t, "opened")
	if told := k.told(t); !strings.Contains(told, "noticed at a call that is not to blame") || !strings.Contains(told, auditKey) {
		t.Error(k.lastAlert(t))
	}
}
