package guardrail_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const auditKey = "arn:aws:kms:us-east-1:111111111111:key/1c7a1b2e-5f0d-4f5e-9a55-3c1f6a0b7d21"

func nothing() trail.Unlogged { return trail.Unlogged{Reads: true, Writes: true} }

// wideTrail covers all that a trail can.
func wideTrail(change ...func(*trail.Trail)) trail.Trail {
	t := mainTrail()
	t.Organization, t.GlobalEvents, t.KMSKeyID = true, true, auditKey
	for _, c := range change {
		c(&t)
	}
	return t
}

func silenced(t *trail.Trail) { t.CustomSelectors, t.Unlogged = true, nothing() }

// covering is a world of which the guard has seen the trail.
func covering(t *testing.T, tr trail.Trail, options ...option) *world {
	t.Helper()
	w := newWorld(t, append([]option{listOnly, func(w *world) {
		d := w.Describe()
		d.Organization = trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: account}
		d.Trails, d.Statuses = []trail.Trail{tr}, nil
		d.Buckets[0].Policy = []byte(documentedIn(t, d.Organization, tr))
		w.Account = inmem.New(d)
		w.ports.Trails, w.ports.Buckets, w.ports.Organizations = w.Account, w.Account, w.Account
	}}, options...)...)
	w.sweep(t)
	w.wantKinds(t, "")
	return w
}

func documentedIn(t testing.TB, o trail.Organization, trails ...trail.Trail) string {
	t.Helper()
	statements, err := trail.Documented(trails, trail.Environment{Bucket: bucket, BucketOwner: account, Organization: o})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range statements {
		texts = append(texts, string(s.Text()))
	}
	return policyOf(texts...)
}

func logging() trail.Status { return trail.Status{Logging: true} }

// trailCall is an event of a call that took parts away.
func (w *world) trailCall(name string, parts ...trail.Part) guardrail.Request {
	r := w.trailEvent(name)
	r.Change.Effect = delivery.TakesAway(parts...)
	return r
}

// losses are ways in which a trail covers less, each with the call that does it.
func losses() map[string]struct {
	change   func(*trail.Trail)
	call     string
	part     trail.Part
	id       string
	severity string
	says     string
} {
	type loss = struct {
		change   func(*trail.Trail)
		call     string
		part     trail.Part
		id       string
		severity string
		says     string
	}
	return map[string]loss{
		"members":    {func(t *trail.Trail) { t.Organization = false }, "UpdateTrail", trail.PartMembers, "trail-covers-less", "HIGH", "--is-organization-trail"},
		"regions":    {func(t *trail.Trail) { t.MultiRegion = false }, "UpdateTrail", trail.PartRegions, "trail-covers-less", "HIGH", "records us-east-1 alone"},
		"validation": {func(t *trail.Trail) { t.LogFileValidation = false }, "UpdateTrail", trail.PartValidation, "trail-covers-less", "MEDIUM", "digest files"},
		"key":        {func(t *trail.Trail) { t.KMSKeyID = "" }, "UpdateTrail", trail.PartKey, "trail-covers-less", "MEDIUM", "--kms-key-id " + auditKey},
		"KMS": {
			func(t *trail.Trail) {
				t.CustomSelectors, t.Unlogged = true, trail.Unlogged{Sources: "kms.amazonaws.com"}
			},
			"PutEventSelectors", trail.PartManagement, "trail-covers-less", "HIGH", "management events of kms.amazonaws.com",
		},
		"writes": {silenced, "PutEventSelectors", delivery.PartWrites, "trail-silent", "CRITICAL", "get-event-selectors"},
	}
}

// Whatever a trail covers less is told at the event and by the sweep without one, once,
// and resolved once when it is as before.
func TestLessIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, loss := range losses() {
		for _, byEvent := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", by event", false: ", by sweep"}[byEvent], func(t *testing.T) {
				t.Parallel()
				w := covering(t, wideTrail())
				less := wideTrail(loss.change)
				w.PutTrail(less, logging())
				if byEvent {
					r := w.trailCall(loss.call, loss.part)
					w.reconcile(t, r)
					w.reconcile(t, r)
				}
				w.sweep(t)
				w.sweep(t)
				w.wantKinds(t, "opened")
				told := w.alerts.Messages()[0]
				if told.Attributes["severity"] != loss.severity || !strings.Contains(told.Body, loss.id) ||
					!strings.Contains(strings.Join(strings.Fields(told.Body), " "), loss.says) {
					t.Errorf("severity %s, subject %q:\n%s", told.Attributes["severity"], told.Subject, told.Body)
				}
				if blamed := strings.Contains(told.Subject, "by user dana") || strings.Contains(told.Subject, "by dana"); blamed != byEvent {
					t.Errorf("subject %q", told.Subject)
				}
				w.PutTrail(wideTrail(), logging())
				w.sweep(t)
				w.sweep(t)
				w.wantKinds(t, "opened resolved")
			})
		}
	}
}

// Without memory nothing is known of before, and a silent trail is told even so.
func TestLessWithoutMemory(t *testing.T) {
	t.Parallel()
	w := covering(t, wideTrail(), stateless)
	w.PutTrail(wideTrail(func(t *trail.Trail) { t.Organization = false }), logging())
	w.reconcile(t, w.trailCall("UpdateTrail", trail.PartMembers))
	w.wantKinds(t, "")
	w.PutTrail(wideTrail(silenced), logging())
	w.reconcile(t, w.trailCall("PutEventSelectors", delivery.PartWrites))
	w.wantKinds(t, "opened")
}

// A trail that takes another bucket in the same call is to cover what it did.
func TestLessWithAnotherBucket(t *testing.T) {
	t.Parallel()
	for name, byEvent := range map[string]bool{"by event": true, "by sweep": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := covering(t, wideTrail())
			moved := wideTrail(func(t *trail.Trail) { t.Bucket, t.Organization = "elsewhere", false })
			policy := strings.ReplaceAll(documentedIn(t, trail.Organization{Known: true, ID: "o-exampleorg1"}, wideTrail()), bucket, "elsewhere")
			w.PutBucket(inmem.Bucket{Name: "elsewhere", Policy: []byte(policy)})
			w.PutTrail(moved, logging())
			if byEvent {
				r := w.trailCall("UpdateTrail", trail.PartMembers)
				r.Bucket = "elsewhere"
				w.reconcile(t, r)
			}
			w.sweep(t)
			w.sweep(t)
			w.wantKinds(t, "opened")
			if !strings.Contains(w.lastAlert(t), "trail-covers-less") {
				t.Error(w.lastAlert(t))
			}
		})
	}
}

// A trail that is deleted and made again with less is told of both.
func TestLessMadeAnew(t *testing.T) {
	t.Parallel()
	w := covering(t, wideTrail())
	w.DeleteTrail(mainTrail().ARN)
	w.reconcile(t, w.trailEvent("DeleteTrail"))
	w.sweep(t)
	w.PutTrail(wideTrail(func(t *trail.Trail) { t.MultiRegion = false }), logging())
	w.sweep(t)
	w.sweep(t)
	// The trail and its bucket are looked at side by side, so that either may come first.
	if got := strings.Fields(w.kinds()); len(got) != 3 || strings.Count(w.kinds(), "opened") != 2 || !strings.Contains(w.kinds(), "resolved") {
		t.Errorf("told %q", w.kinds())
	}
	if !slices.ContainsFunc(w.alerts.Messages(), func(m alert.Message) bool { return strings.Contains(m.Body, "trail-covers-less") }) {
		t.Error("it is not told that the trail covers less")
	}
}

// What the owner accepts is told as resolved, once, and again when its time is up. What
// is lost beyond it is told.
func TestAcceptedLess(t *testing.T) {
	t.Parallel()
	w := covering(t, wideTrail())
	accept := func() []trail.Part {
		t.Helper()
		parts, err := w.guard.Accept(t.Context(), ref(), "main", "one account only", "dana", w.clock.Now().Add(30*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return parts
	}
	if parts := accept(); len(parts) != 0 || len(w.record(t).Accepted) != 0 {
		t.Errorf("nothing is lost, and accepted: %v", parts)
	}
	w.PutTrail(wideTrail(func(t *trail.Trail) { t.Organization = false }), logging())
	w.sweep(t)
	if parts := accept(); !slices.Equal(parts, []trail.Part{trail.PartMembers}) {
		t.Errorf("accepted %v", parts)
	}
	w.sweep(t)
	w.sweep(t)
	w.wantKinds(t, "opened resolved")
	if accepted, err := w.guard.Accepted(t.Context(), ref()); err != nil || len(accepted) != 1 || accepted[0].Reason != "one account only" {
		t.Errorf("%v, %v", accepted, err)
	}
	if told := w.lastAlert(t); !strings.Contains(strings.Join(strings.Fields(told), " "), "accepted by dana") {
		t.Errorf("the alert does not say that it is accepted:\n%s", told)
	}

	w.PutTrail(wideTrail(func(t *trail.Trail) { t.Organization, t.KMSKeyID = false, "" }), logging())
	w.sweep(t)
	w.wantKinds(t, "opened resolved opened")
	w.PutTrail(wideTrail(func(t *trail.Trail) { t.Organization = false }), logging())
	w.sweep(t)
	w.wantKinds(t, "opened resolved opened resolved")

	w.clock.pass(30 * 24 * time.Hour)
	w.sweep(t)
	w.sweep(t)
	w.wantKinds(t, "opened resolved opened resolved opened")
	accept()
	w.sweep(t)
	for _, want := range []bool{true, false} {
		if withdrawn, err := w.guard.Withdraw(t.Context(), ref(), "main"); err != nil || withdrawn != want {
			t.Fatal(withdrawn, err)
		}
	}
	w.sweep(t)
	w.wantKinds(t, "opened resolved opened resolved opened resolved opened")
	if _, err := w.guard.Accept(t.Context(), ref(), "other", "r", "dana", w.clock.Now()); err == nil {
		t.Error("a trail that there is not is accepted")
	}
}

// lateTrails lists trails as they were for as many times as it says.
type lateTrails struct {
	*inmem.Account
	before trail.Trail
	times  *int
}

func (l lateTrails) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	if *l.times--; *l.times >= 0 {
		return []trail.Trail{l.before}, nil
	}
	return l.Account.Trails(ctx, account, region)
}

// CloudTrail may list a trail as it was for a while after the call.
func TestLessThatIsListedLate(t *testing.T) {
	t.Parallel()
	for name, loss := range losses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := covering(t, wideTrail())
			w.PutTrail(wideTrail(loss.change), logging())
			times := 1
			w.ports.Trails = lateTrails{w.Account, wideTrail(), &times}
			w.rebuild()
			w.reconcile(t, w.trailCall(loss.call, loss.part))
			w.wantKinds(t, "opened")
		})
	}
}

func otherTrail(change ...func(*trail.Trail)) trail.Trail {
	return wideTrail(append([]func(*trail.Trail){func(t *trail.Trail) {
		t.Name, t.ARN, t.Bucket = "other", strings.Replace(t.ARN, "trail/main", "trail/other", 1), "other-logs"
	}}, change...)...)
}

// A trail of data events alone, beside one of management events, is as it should be, until
// that one is stopped. The guard is blind when no trail logs management events.
func TestSilentBesideAnotherTrail(t *testing.T) {
	t.Parallel()
	w := covering(t, wideTrail(silenced), func(w *world) {
		other := otherTrail()
		w.PutTrail(other, logging())
		other.Bucket = bucket
		policy := documentedIn(t, trail.Organization{Known: true, ID: "o-exampleorg1"}, other)
		w.PutBucket(inmem.Bucket{Name: "other-logs", Policy: []byte(strings.ReplaceAll(policy, bucket, "other-logs"))})
	})
	w.PutStatus(trail.Status{ARN: otherTrail().ARN, StoppedLoggingAt: w.clock.Now()})
	r := w.event("StopLogging")
	r.Trail, r.Change.Trail = "other", "other"
	w.reconcile(t, r)
	w.wantKinds(t, "opened")
	if told := w.lastAlert(t); !strings.Contains(told, "trail-stopped") || !strings.Contains(told, "Blind ") {
		t.Errorf("not told as blind:\n%s", told)
	}
	w.sweep(t)
	w.wantKinds(t, "opened opened")
	if told := w.lastAlert(t); !strings.Contains(told, "trail-silent") || !strings.Contains(told, "Blind ") {
		t.Errorf("not told as silent and blind:\n%s", told)
	}
	w.PutStatus(trail.Status{ARN: otherTrail().ARN, Logging: true})
	w.sweep(t)
	w.wantKinds(t, "opened opened resolved resolved")
}

// Selectors that may not be read settle nothing.
func TestSilentThatMayNotBeReadAnyMore(t *testing.T) {
	t.Parallel()
	w := covering(t, wideTrail())
	w.PutTrail(wideTrail(silenced), logging())
	w.sweep(t)
	w.wantKinds(t, "opened")
	w.ports.Trails = closedTrails{w.Account, trail.Status{ARN: mainTrail().ARN, Logging: true}}
	w.rebuild()
	w.sweep(t)
	w.wantKinds(t, "opened")
}

// A new trail has minutes to be started. Then it is stopped, which the sweep tells.
func TestNewTrailIsNotStopped(t *testing.T) {
	t.Parallel()
	second := func(w *world) trail.Trail {
		other := mainTrail()
		other.Name, other.ARN = "second", strings.Replace(other.ARN, "trail/main", "trail/second", 1)
		w.put(t, documented(t, mainTrail(), other))
		return other
	}
	created := func(w *world, tr trail.Trail) guardrail.Request {
		r := w.event("CreateTrail")
		r.Trail, r.Bucket, r.Change.Trail = tr.ARN, bucket, tr.ARN
		return r
	}
	for name, test := range map[string]struct {
		known, byEvent, started bool
		want                    string
	}{
		"by event, and started":      {true, true, true, ""},
		"by event, and never":        {true, true, false, "opened"},
		"of a new bucket, and never": {false, true, false, "opened"},
		"by sweep, and never":        {true, false, false, "opened"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, listOnly)
			if test.known {
				w.sweep(t)
			}
			tr := second(w)
			w.PutTrail(tr, trail.Status{})
			if test.byEvent {
				results := w.reconcile(t, created(w, tr))
				if got := results[0].Report.Findings; len(got) != 1 || got[0].ID != "trail-not-started" {
					t.Errorf("findings %+v", got)
				}
			}
			w.sweep(t)
			w.wantKinds(t, "")
			if test.started {
				w.PutStatus(trail.Status{ARN: tr.ARN, Logging: true, StartedLoggingAt: w.clock.Now()})
				r := w.event("StartLogging")
				r.Trail, r.Change.Trail = tr.ARN, tr.ARN
				w.reconcile(t, r)
			}
			w.clock.pass(time.Hour)
			w.sweep(t)
			w.sweep(t)
			w.wantKinds(t, test.want)
			if test.want != "" && !strings.Contains(w.lastAlert(t), "trail-stopped") {
				t.Error(w.lastAlert(t))
			}
		})
	}
}

// An error of which it is not told when it was is told, unless the bucket was just
// changed.
func TestErrorWithoutTheTimeOfTheAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sweep(t)
	failing := trail.Status{ARN: mainTrail().ARN, Logging: true, DeliveryError: "AccessDenied", DeliveredAt: w.clock.Now()}
	w.PutStatus(failing)
	w.reconcile(t, w.put(t, readerOnly())) // is restored, and CloudTrail has not tried since
	w.wantKinds(t, "restored")
	w.sweep(t)
	w.wantKinds(t, "restored")
	w.clock.pass(20 * time.Minute)
	w.sweep(t)
	w.sweep(t)
	w.wantKinds(t, "restored opened")
	if !strings.Contains(w.lastAlert(t), "delivery-failing") {
		t.Error(w.lastAlert(t))
	}
	// Somebody who keeps writing keeps nobody from being told.
	w = newWorld(t)
	w.sweep(t)
	w.PutStatus(failing)
	for range 3 {
		w.reconcile(t, w.put(t, documented(t, mainTrail())))
		w.clock.pass(5 * time.Minute)
	}
	w.sweep(t)
	w.wantKinds(t, "opened")
}

// An account without any trail is told once, and once that it has one again.
func TestNoTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.Account = inmem.New(inmem.Description{Account: account, Region: region, Organization: trail.Organization{Known: true}})
		w.ports.Trails, w.ports.Buckets, w.ports.Organizations = w.Account, w.Account, w.Account
		w.config.RemindEvery = 0
	})
	audited, err := w.guard.Audit(t.Context(), account, region, nil)
	if err != nil || len(audited) != 1 || len(audited[0].Report.Findings) != 1 || audited[0].Report.Findings[0].ID != "no-trail" {
		t.Errorf("%+v, %v", audited, err)
	}
	for range 3 {
		w.sweep(t)
	}
	w.wantKinds(t, "opened")
	told := w.alerts.Messages()[0]
	if want := "CRITICAL: no trail records account " + account; told.Subject != want || !strings.Contains(told.Body, "Blind ") {
		t.Errorf("subject %q, want %q:\n%s", told.Subject, want, told.Body)
	}
	tr := mainTrail() // of the organization, seen by a member
	tr.Organization, tr.ARN = true, strings.Replace(tr.ARN, account, "222222222222", 1)
	w.PutTrail(tr, logging())
	o := trail.Organization{Known: true, ID: "o-exampleorg1", ManagementAccount: "222222222222"}
	w.PutBucket(inmem.Bucket{Name: bucket, Owner: account, Policy: []byte(documentedIn(t, o, tr))})
	for range 3 {
		w.sweep(t)
	}
	if got := strings.Fields(w.kinds()); got[0] != "opened" || !slices.Contains(got, "resolved") || strings.Count(w.kinds(), "resolved") != 1 {
		t.Errorf("told %q", w.kinds())
	}
	if audited, err = w.guard.Audit(t.Context(), account, region, nil); err != nil || slices.ContainsFunc(audited, func(a guardrail.Audited) bool {
		return slices.ContainsFunc(a.Report.Findings, func(f delivery.Finding) bool { return f.ID == "no-trail" })
	}) {
		t.Errorf("%+v, %v", audited, err)
	}
}

// TestCoverageModel lets a trail change at random, with and without an event that is told
// of, and sweeps. Afterwards the team knows what is lost of the most that the guard
// has seen, and was told once of each change of that.
func TestCoverageModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, listOnly, func(w *world) { w.config.RemindEvery = 0 })
		w.sweep(t)
		most, told, open := mainTrail().Coverage(), []string{}, ""
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now := mainTrail()
			now.MultiRegion = rapid.Bool().Draw(rt, "regions")
			now.LogFileValidation = rapid.Bool().Draw(rt, "validation")
			now.KMSKeyID = rapid.SampledFrom([]string{"", auditKey}).Draw(rt, "key")
			now.Unlogged = rapid.SampledFrom([]trail.Unlogged{{}, {Writes: true}, nothing(), {Sources: "kms.amazonaws.com"}}).Draw(rt, "events")
			now.CustomSelectors = now.Unlogged != (trail.Unlogged{})
			w.PutTrail(now, logging())
			if rapid.Bool().Draw(rt, "event") {
				w.reconcile(t, w.trailCall("UpdateTrail"))
			}
			w.clock.pass(time.Hour)
			w.sweep(t)

			seen := now
			seen.SelectorsKnown = now.CustomSelectors
			parts := seen.Coverage().Less(most)
			if seen.Unlogged.Writes {
				parts = append([]trail.Part{"silent"}, slices.DeleteFunc(parts, func(p trail.Part) bool { return p == trail.PartManagement })...)
			}
			most = most.With(seen.Coverage())
			lost := fmt.Sprint(parts)
			switch {
			case lost == open || lost == "[]" && open == "":
			case lost == "[]":
				told, open = append(told, "resolved"), ""
			case open == "":
				told, open = append(told, "opened"), lost
			default:
				told, open = append(told, "changed"), lost
			}
			if got := w.kinds(); got != strings.Join(told, " ") {
				rt.Fatalf("told %q, want %q; lost %s", got, told, lost)
			}
			if w.record(t).Open() != (open != "") {
				rt.Fatalf("open %v, lost %s", w.record(t).Open(), lost)
			}
		}
	})
}

// A trail that is declared otherwise than before is the owner's word.
func TestDeclaredTrailCoversNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, listOnly)
	declared := otherTrail(func(t *trail.Trail) {
		t.Bucket, t.Organization, t.KMSKeyID, t.ARN = bucket, false, "", strings.Replace(t.ARN, account, "222222222222", 1)
	})
	policy := documented(t, mainTrail(), declared)
	w.put(t, policy)
	w.config.Trails = []trail.Trail{declared}
	w.rebuild()
	w.sweep(t)
	declared.MultiRegion = false
	w.config.Trails = []trail.Trail{declared}
	w.rebuild()
	w.sweep(t)
	w.wantKinds(t, "")
}

// An account that sees no trail any more, and was told of an old one that is gone only, is
// told that it has none.
func TestNoTrailBesideAnOldDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ofMember)
	w.sweep(t)
	w.DeleteTrail(mainTrail().ARN)
	w.reconcile(t, w.trailEvent("DeleteTrail"))
	// The organization's trail is seen no more, and its account does not answer.
	w.DeleteTrail(organizationTrail().ARN)
	w.ports.Trails = &elsewhere{port: w.Account, err: &guardrail.PortError{Op: "cloudtrail:DescribeTrails", Class: guardrail.Transient, Err: errFault}}
	w.rebuild()
	for range 2 {
		if _, err := w.guard.Sweep(t.Context(), account, region); err == nil {
			t.Error("the sweep does not say that it could not read an account")
		}
	}
	told := slices.DeleteFunc(w.alerts.Messages(), func(m alert.Message) bool { return !strings.Contains(m.Body, "no-trail") })
	if len(told) != 1 || told[0].Attributes["kind"] != "opened" {
		t.Errorf("told %v", told)
	}
}
