package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	smithytime "github.com/aws/smithy-go/time"
	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inmem"
	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// queued is a batch of the bodies, with the ids m0, m1 and so on.
func queued(t *testing.T, bodies ...string) json.RawMessage {
	t.Helper()
	var records []map[string]any
	for i, body := range bodies {
		records = append(records, map[string]any{
			"messageId": fmt.Sprintf("m%d", i), "receiptHandle": "AQEB", "body": body, "eventSource": "aws:sqs", "awsRegion": region,
			"attributes":        map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": fmt.Sprint(1789322711000 + i)},
			"messageAttributes": map[string]any{}, "md5OfBody": "-", "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:events",
		})
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// again returns the ids that an answer names, and fails for an answer that
// Lambda would not take.
func again(t *testing.T, answer json.RawMessage) string {
	t.Helper()
	var a map[string][]map[string]string
	if err := json.Unmarshal(answer, &a); err != nil || len(a) != 1 || a["batchItemFailures"] == nil {
		t.Fatalf("the answer is %s, %v", answer, err)
	}
	var ids []string
	for _, failure := range a["batchItemFailures"] {
		if len(failure) != 1 || failure["itemIdentifier"] == "" {
			t.Fatalf("the answer is %s", answer)
		}
		ids = append(ids, failure["itemIdentifier"])
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// changed is an event of a bucket whose policy was deleted, by somebody, so many
// seconds into the minute.
func changed(bucket, by string, second int) string {
	return fmt.Sprintf(`{"version":"0","id":"e-%[1]s-%[2]s-%[3]d","detail-type":"AWS API Call via CloudTrail","source":"aws.s3",
		"account":"111111111111","time":"2026-09-13T17:50:%02[3]dZ","region":"us-east-1","resources":[],
		"detail":{"eventID":"c-%[1]s-%[2]s-%[3]d","eventTime":"2026-09-13T17:50:%02[3]dZ",
		"eventSource":"s3.amazonaws.com","eventName":"DeleteBucketPolicy","awsRegion":"us-east-1","recipientAccountId":"111111111111",
		"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111111111111:user/%[2]s"},
		"requestParameters":{"bucketName":"%[1]s"}}}`, bucket, by, second)
}

// stopped is an event of the trail logs, which was stopped.
func stopped(second int) string {
	return strings.NewReplacer(
		"aws.s3", "aws.cloudtrail", "s3.amazonaws.com", "cloudtrail.amazonaws.com", "DeleteBucketPolicy", "StopLogging", "bucketName", "name",
	).Replace(changed("logs", "dana", second))
}

func TestGuardTakesBatches(t *testing.T) {
	t.Parallel()
	b := newHarness(t, brokenOne, nil)
	other := string(event(t, "delete-bucket-policy-other-bucket"))
	answer, err := b.Guard(t.Context(), queued(t, other, "no event", string(event(t, "put-bucket-policy")), "{}", other))
	if err != nil || again(t, answer) != "" {
		t.Errorf("answer %s, %v", answer, err)
	}
	if messages := b.fake.Messages(); len(messages) != 1 || messages[0].Attributes["kind"] != "opened" {
		t.Errorf("messages: %+v", messages)
	}
	for name, want := range map[string]float64{MetricEvents: 5, MetricEventsFailed: 2, MetricAlertsSent: 1} {
		if got := b.sum(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n := strings.Count(b.log.String(), `"level":"ERROR","msg":"malformed event"`); n != 2 {
		t.Errorf("%d malformed events are logged: %s", n, b.log)
	}
}

func TestGuardTellsBatchesFromEvents(t *testing.T) {
	t.Parallel()
	check := func(payload string, batch bool) {
		b := newHarness(t, healthyOne(), nil)
		answer, err := b.Guard(t.Context(), json.RawMessage(payload))
		if err != nil {
			t.Errorf("%.60s: %v", payload, err)
			return
		}
		if got := strings.Contains(string(answer), "batchItemFailures"); got != batch {
			t.Errorf("%.60s: is taken for a batch: %v", payload, got)
		}
		if batch && again(t, answer) != "" {
			t.Errorf("%.60s: %s is tried again", payload, answer)
		}
	}
	for _, batch := range []string{
		`{"Records":[]}`,
		`{"Records":[null,1,"x",[],{},{"messageId":"a"}]}`,
		`{"Records":[{"body":"x"}]}`,
		`{"Records":[{"messageId":1,"body":2},{"messageId":"a","body":2}]}`,
	} {
		check(batch, true)
	}
	for _, other := range []string{
		`{"Records":[null]}`,
		`{"Records":[{"messageId":1,"body":2}]}`,
		`{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"logs"}}}]}`,
		`{"Records":[{"eventVersion":"1.11","eventName":"PutBucketPolicy"}]}`,
		`{"Records":null}`,
		`{"Records":{}}`,
		`{"Records":"x"}`,
		`{"Records":[],"detail-type":"x"}`,
		`{"records":[],"detail-type":"x"}`,
		changed("logs", "dana", 1),
		`{"Records":[` + changed("x", "y", 1),
		strings.Repeat(`{"Records":[`, 100000),
	} {
		check(other, false)
	}
}

// world is an account in memory, in time that the test lets pass.
type world struct {
	*inmem.Account
	alerts *inmem.Alerts
	ledger *inmem.Ledger
	ports  guardrail.Ports
	log    *bytes.Buffer
}

// newWorld has a trail for each of the buckets, none of which has a policy.
func newWorld(buckets ...string) *world {
	w := &world{
		Account: inmem.New(inmem.Description{Account: account, Region: region, Organization: trail.Organization{Known: true}}),
		alerts:  &inmem.Alerts{}, ledger: &inmem.Ledger{}, log: &bytes.Buffer{},
	}
	for _, name := range buckets {
		w.PutBucket(inmem.Bucket{Name: name, Owner: account, Region: region})
		w.PutTrail(trail.Trail{
			Name: name, ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/" + name, HomeRegion: region, Bucket: name, MultiRegion: true,
		}, trail.Status{Logging: true})
	}
	w.ports = guardrail.Ports{Trails: w.Account, Buckets: w.Account, Organizations: w.Account, Alerts: w.alerts, Ledger: w.ledger}
	return w
}

// guard hands a payload to the guard in an invocation of a minute, and returns
// the answer and how long it took.
func (w *world) guard(t *testing.T, payload json.RawMessage) (json.RawMessage, time.Duration) {
	t.Helper()
	r := guardrail.Runtime{Now: time.Now, Sleep: smithytime.SleepWithContext, Log: slog.New(slog.NewJSONHandler(w.log, nil))}
	f := newFunctions(Config{Account: account, Region: region}, w.ports, r, "guard", io.Discard)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, err := f.Guard(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	return answer, time.Since(began)
}

// told returns the buckets that were told of, sorted.
func (w *world) told() string {
	var names []string
	for _, m := range w.alerts.Messages() {
		names = append(names, m.Attributes["bucket"])
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// odd are buckets that do something else when they are read.
type odd struct {
	guardrail.Buckets
	observe map[string]func(context.Context) error
}

func (o odd) Observe(ctx context.Context, ref guardrail.BucketRef) (delivery.Bucket, error) {
	if do := o.observe[ref.Name]; do != nil {
		if err := do(ctx); err != nil {
			return delivery.Bucket{}, err
		}
	}
	return o.Buckets.Observe(ctx, ref)
}

func TestOneBadRecordDoesNotKeepTheOthers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(context.Context) error
		told string        // that the bad one cannot be read is told where that is known in time
		took time.Duration // at most
	}{
		"fails":   {func(context.Context) error { return errors.New("not now") }, "bad good", 5 * time.Second},
		"panics":  {func(context.Context) error { panic("crafted") }, "bad good", 5 * time.Second},
		"hangs":   {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "bad good", 50 * time.Second},
		"is deaf": {func(ctx context.Context) error { time.Sleep(time.Hour); return nil }, "good", time.Minute - answering/2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("bad", "good")
				w.ports.Buckets = odd{w.Account, map[string]func(context.Context) error{"bad": test.do}}
				told := make(chan time.Duration, 1)
				began := time.Now()
				go func() {
					for len(w.alerts.Messages()) == 0 {
						time.Sleep(10 * time.Millisecond)
					}
					told <- time.Since(began)
				}()
				answer, took := w.guard(t, queued(t, changed("bad", "mallory", 1), changed("good", "dana", 2), changed("bad", "mallory", 3)))
				if got := again(t, answer); got != "m0 m2" {
					t.Errorf("tried again: %q; log: %s", got, w.log)
				}
				if w.told() != test.told {
					t.Errorf("told: %q, want %q", w.told(), test.told)
				}
				if at := <-told; at > 5*time.Second {
					t.Errorf("the good one was told after %s", at)
				}
				if took > test.took {
					t.Errorf("the answer came after %s", took)
				}
				time.Sleep(2 * time.Hour) // the deaf one ends
			})
		})
	}
}

// A panic in an adapter's own goroutines is that of its record alone, and so is
// one of the engine.
func TestPanicIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld("bad")
	w.ports.Alerts = panicking{}
	answer, _ := w.guard(t, queued(t, changed("bad", "mallory", 1)))
	log := w.log.String()
	if again(t, answer) != "m0" || !strings.Contains(log, "crafted alert") || !strings.Contains(log, "goroutine") {
		t.Errorf("answer %s, log %s", answer, log)
	}
}

type panicking struct{ guardrail.Alerts }

func (panicking) Publish(context.Context, alert.Message) error { panic("crafted alert") }

// More groups than are worked on at once, all but the last of which hang: each has
// its share of the time.
func TestHangingRecordsLeaveTimeForTheRest(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]func(context.Context) error{
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"is deaf": func(ctx context.Context) error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var names, bodies, failed []string
				do := map[string]func(context.Context) error{}
				for i := range 5 * together {
					bucket := fmt.Sprintf("bucket-%03d", i)
					names, bodies = append(names, bucket), append(bodies, changed(bucket, "x", 1))
					failed = append(failed, fmt.Sprintf("m%d", i))
					do[bucket] = hang
				}
				last := len(names) - 1
				delete(do, names[last])
				w := newWorld(names...)
				w.ports.Buckets = odd{w.Account, do}
				answer, took := w.guard(t, queued(t, bodies...))
				slices.Sort(failed[:last])
				if got := again(t, answer); got != strings.Join(failed[:last], " ") {
					t.Errorf("tried again: %s", got)
				}
				want := names[last]
				if name == "hangs" { // that they cannot be read is known in time
					want = strings.Join(names, " ")
				}
				if w.told() != want || took >= time.Minute {
					t.Errorf("told %q after %s", w.told(), took)
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// What is only wanted hangs, each time for as long as a client tries. It is given up
// after three seconds, and what is known is told.
func TestWhatIsOnlyWantedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("logs")
		w.ports.Organizations = hanging{}
		began := time.Now()
		w.guard(t, queued(t, changed("logs", "dana", 1)))
		if w.told() != "logs" {
			t.Errorf("told %q; log %s", w.told(), w.log)
		}
		if at := time.Since(began); at > 5*time.Second {
			t.Errorf("told after %s", at)
		}
	})
}

type hanging struct{}

func (hanging) Organization(ctx context.Context, _ string) (trail.Organization, error) {
	return trail.Organization{}, errors.Join(smithytime.SleepWithContext(ctx, 33*time.Second), errors.New("no answer"))
}

// One look does for all calls of a batch on a bucket, and whoever can be to blame is
// named.
func TestNoActorOfABatchIsLost(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"in order": {0, 1, 2}, "reversed": {2, 1, 0}, "mixed": {1, 2, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("logs")
			events := []string{changed("logs", "alice", 1), changed("logs", "bob", 2), changed("logs", "carol", 3)}
			var bodies []string
			for _, i := range order {
				bodies = append(bodies, events[i])
			}
			answer, _ := w.guard(t, queued(t, bodies...))
			if again(t, answer) != "" || w.told() != "logs" {
				t.Fatalf("answer %s, told %q", answer, w.told())
			}
			for _, actor := range []string{"carol", "bob", "alice"} {
				if alert := w.alerts.Messages()[0].Body; !strings.Contains(alert, "user/"+actor) {
					t.Errorf("the alert does not name %s:\n%s", actor, alert)
				}
			}
			record, err := w.ledger.Load(t.Context(), ledger.Key{Account: account, Bucket: "logs"})
			if err != nil {
				t.Fatal(err)
			}
			var actors []string
			for _, c := range record.Changes {
				actors = append(actors, c.Actor[strings.LastIndex(c.Actor, "/")+1:])
			}
			if diff := cmp.Diff([]string{"carol", "bob", "alice"}, actors); diff != "" {
				t.Errorf("actors that are remembered (-want +got):\n%s", diff)
			}
		})
	}
}

// counting counts the surveys.
type counting struct {
	*inmem.Account
	mu sync.Mutex
	n  int
}

func (c *counting) Trails(ctx context.Context, account, region string) ([]trail.Trail, error) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return c.Account.Trails(ctx, account, region)
}

func TestWhatIsAskedTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	one := changed("logs", "dana", 1)
	for name, test := range map[string]struct {
		bodies []string
		want   int
	}{
		"the same call":                    {[]string{one, one, one}, 1},
		"calls on a bucket of no trail":    {[]string{changed("holiday", "a", 1), changed("holiday", "b", 2), changed("holiday", "c", 3)}, 1},
		"calls on a trail bucket":          {[]string{one, changed("logs", "erin", 2)}, 1},
		"calls on buckets of no trail":     {[]string{changed("holiday", "a", 1), changed("birthday", "a", 1)}, 1},
		"the same call, and an older one":  {[]string{changed("logs", "erin", 0), one, one}, 1},
		"calls on a trail":                 {[]string{stopped(1), stopped(2)}, 1},
		"the same call on a trail":         {[]string{stopped(1), stopped(1)}, 1},
		"the same call in another account": {[]string{one, strings.ReplaceAll(one, account, "222222222222")}, 1}, // none is asked without a role
	} {
		w := newWorld("logs")
		trails := &counting{Account: w.Account}
		w.ports.Trails = trails
		if answer, _ := w.guard(t, queued(t, test.bodies...)); again(t, answer) != "" {
			t.Errorf("%s: %s", name, answer)
		}
		if trails.n != test.want {
			t.Errorf("%s: the trails were listed %d times, want %d", name, trails.n, test.want)
		}
	}
}

// A witness with which the guard panics is one record's own. The others of the
// bucket are handled without it.
func TestPanicOverAWitness(t *testing.T) {
	t.Parallel()
	w := newWorld("logs")
	w.ports.Ledger = allergic{w.ledger}
	answer, _ := w.guard(t, queued(t, changed("logs", "mallory", 1), changed("logs", "dana", 2), changed("logs", "mallory", 3)))
	if got := again(t, answer); got != "m0 m2" || w.told() != "logs" {
		t.Errorf("tried again: %q, told %q, log %s", got, w.told(), w.log)
	}
}

// allergic panics over a record that names mallory.
type allergic struct{ *inmem.Ledger }

func (a allergic) Save(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if slices.ContainsFunc(r.Changes, func(c delivery.Change) bool { return strings.HasSuffix(c.Actor, "mallory") }) {
		panic("mallory")
	}
	return a.Ledger.Save(ctx, r)
}

func TestDoublesFailTogether(t *testing.T) {
	t.Parallel()
	w := newWorld("logs")
	w.ports.Trails = failing{}
	one := changed("logs", "dana", 1)
	if answer, _ := w.guard(t, queued(t, one, one)); again(t, answer) != "m0 m1" {
		t.Errorf("answer %s", answer)
	}
}

// A record that must be tried again and has no id cannot be named: all of them
// come again then.
func TestRecordWithoutID(t *testing.T) {
	t.Parallel()
	w := newWorld("logs")
	w.ports.Trails = failing{}
	r := guardrail.Runtime{Now: time.Now, Sleep: smithytime.SleepWithContext, Log: slog.New(slog.DiscardHandler)}
	f := newFunctions(Config{Account: account, Region: region}, w.ports, r, "guard", io.Discard)
	text := strings.Replace(string(queued(t, changed("logs", "dana", 1))), `"messageId":"m0"`, `"messageId":""`, 1)
	if answer, err := f.Guard(t.Context(), json.RawMessage(text)); err == nil {
		t.Errorf("answer %s", answer)
	}
}

func FuzzGuardBatch(f *testing.F) {
	f.Add(`{"Records":[{"messageId":"a","body":"{}"},{"messageId":"a","body":null},{"body":"x"}]}`)
	f.Add(`{"Records":[{"messageId":"a","body":"{\"detail-type\":\"AWS API Call via CloudTrail\"}","attributes":{"SentTimestamp":"-1"}}]}`)
	f.Fuzz(func(t *testing.T, payload string) {
		records, ok := readBatch([]byte(payload))
		if !ok {
			return
		}
		w := newWorld("logs")
		w.ports.Trails = failing{}
		r := guardrail.Runtime{Now: time.Now, Sleep: smithytime.SleepWithContext, Log: slog.New(slog.DiscardHandler)}
		functions := newFunctions(Config{Account: account, Region: region}, w.ports, r, "guard", io.Discard)
		answer, err := functions.Guard(t.Context(), json.RawMessage(payload))
		if err != nil {
			return
		}
		for id := range strings.FieldsSeq(again(t, answer)) {
			if !slices.ContainsFunc(records, func(r record) bool { return strings.Contains(r.ID, id) }) {
				t.Errorf("%q is to be tried again, and was not in the batch", id)
			}
		}
	})
}

type failing struct{ *inmem.Account }

func (failing) Trails(context.Context, string, string) ([]trail.Trail, error) {
	return nil, errors.New("not now")
}

// The sample is what `sam local invoke` is given.
func TestSampleBatch(t *testing.T) {
	t.Parallel()
	b := newHarness(t, brokenOne, nil)
	answer, err := b.Guard(t.Context(), event(t, "queue/batch"))
	if err != nil || again(t, answer) != "" || len(b.fake.Messages()) != 1 ||
		b.sum(t, MetricEvents) != 2 || b.sum(t, MetricEventsFailed) != 0 {
		t.Errorf("answer %s, %v, messages %v, metrics %s", answer, err, b.fake.Messages(), b.metrics)
	}
}
