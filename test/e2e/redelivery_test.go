package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// failsFor lets the bucket not be read for now. The SDK does not try again by itself.
func (w *world) failsFor(bucket string) {
	w.breaks(func(c apiCall) *failure {
		if c.Op != "s3:GetBucketPolicy" || c.Bucket != bucket {
			return nil
		}
		return &failure{http.StatusConflict, "OperationAborted"}
	})
}

// A batch with a record that cannot be read, one that must be tried again and one
// that is fine: the first is dropped, the second stays, and two are told: what is wrong
// with the third, and that it could not be found out of the second.
func TestOneRecordOfABatchFails(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	deletePolicy(t, bucket)
	createBucket(t, "second-logs")
	createTrail(t, object{"Name": "second", "S3BucketName": "second-logs"})
	w.failsFor("second-logs")

	second := encode(t, sample(t, "delete-bucket-policy", parameter("bucketName", "second-logs")))
	fills(t, [][]byte{[]byte("not JSON"), second, encode(t, sample(t, "delete-bucket-policy"))})
	if taken, kept := w.polls(); taken != 3 || kept != 1 {
		t.Errorf("of %d records %d are tried again", taken, kept)
	}
	for _, n := range w.told("opened", "opened") {
		if n.MessageAttributes["bucket"].Value == bucket {
			n.says(t, "DeleteBucketPolicy", "dana@acme.example")
		} else {
			n.says(t, "second-logs", "answered OperationAborted")
		}
	}

	w.breaks(nil)
	w.later()
	if taken, kept := w.polls(); taken != 1 || kept != 0 {
		t.Errorf("then, of %d records %d are tried again", taken, kept)
	}
	w.told("changed")[0].says(t, "second-logs", "DeleteBucketPolicy", "dana@acme.example")
}

func TestEventsThatFailAreKeptAndComeBack(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	deletePolicy(t, bucket)
	w.failsFor(bucket)
	w.put(sample(t, "delete-bucket-policy"))
	for try := range w.mapping.receives {
		if taken, kept := w.polls(); taken != 1 || kept != 1 {
			t.Fatalf("try %d: of %d records %d are tried again", try+1, taken, kept)
		}
		w.later()
	}
	if taken, _ := w.polls(); taken != 0 {
		t.Errorf("the record comes more than %d times", w.mapping.receives)
	}
	kept := drain(t, failedQueue)
	if len(kept) != 1 || !strings.Contains(kept[0], "DeleteBucketPolicy") {
		t.Fatalf("the dead-letter queue has %q", kept)
	}
	// That nothing could be found out was told with the first try.
	w.told("opened")[0].says(t, bucket, "answered OperationAborted")

	// What `aws sqs start-message-move-task` does, once the cause is mended.
	w.breaks(nil)
	fills(t, [][]byte{[]byte(kept[0])})
	if taken, kept := w.polls(); taken != 1 || kept != 0 {
		t.Errorf("of %d records %d are tried again", taken, kept)
	}
	w.told("restored")[0].says(t, "dana@acme.example")
	w.delivers()
}

// mortal is an environment that is killed at its n-th call: before the call is made,
// or after it, when the answer is on its way.
type mortal struct {
	*function

	mu    sync.Mutex
	life  int // counts the processes
	calls int // of this one
	at    int // the call at which it is killed
	after bool
	dead  bool
}

// startMortal starts an environment whose invocations are short, so that what it
// leaves behind is soon free for others.
func (w *world) startMortal(timeout int) *mortal {
	w.t.Helper()
	m := &mortal{}
	front := shared.aws.front(m.comes)
	w.t.Cleanup(front.Close)
	env := maps.Clone(w.env)
	env["AWS_ENDPOINT_URL"], env["AWS_LAMBDA_FUNCTION_TIMEOUT"] = front.URL, strconv.Itoa(timeout)
	m.function = startFunction(w.t, "guard", env)
	return m
}

// comes is asked of each call. Calls are made side by side: those of a process that
// is dead are not made or answered any more.
func (m *mortal) comes() (made func() bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	life, call := m.life, m.calls
	if m.dead || call == m.at && !m.after {
		m.die()
		return nil
	}
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		if life == m.life && call == m.at {
			m.die()
		}
		return life == m.life && !m.dead
	}
}

func (m *mortal) die() {
	if !m.dead {
		m.dead = true
		_ = m.kill()
	}
}

// dies hands the environment one record from the queue. It returns the record if it is
// wanted again, and whether the environment was killed over it.
func (m *mortal) dies(t *testing.T, at int, after bool) (kept []message, killed bool) {
	t.Helper()
	m.mu.Lock()
	m.life, m.calls, m.dead, m.at, m.after = m.life+1, 0, false, at, after
	m.mu.Unlock()
	taken, kept, err := mapping{batch: 1}.poll(t.Context(), m.function)
	if err != nil || len(taken) != 1 {
		t.Fatalf("%d records, %v", len(taken), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead && len(kept) == 0 {
		t.Fatalf("killed at call %d, and the record does not stay", at)
	}
	return kept, m.dead
}

// An environment is killed at each of its calls, before and after it, while it
// restores a bucket and while it only tells. The records come again: at once, doubled
// and in another order, while what the dead have claimed is still theirs; and once
// more when their visibility timeout is over. Nothing is lost then.
func TestKilledAnywhere(t *testing.T) {
	const timeout, visibility = 8, 9 // seconds; the template has 60 and 360
	const most = 40                  // calls of one invocation, or fewer
	forms := []string{"restored-%03d", "told-%03d"}
	var restored []string
	for i := range 2 * most {
		restored = append(restored, fmt.Sprintf(forms[0], i))
	}
	w := deploy(t, restoring(restored...))
	for i := range 2 * most {
		for _, form := range forms {
			name := fmt.Sprintf(form, i)
			createBucket(t, name)
			createTrail(t, object{"Name": name, "S3BucketName": name})
			putPolicy(t, name, policy(tlsOnly)) // CloudTrail's statements are gone
		}
	}
	// The inventory has all trails, so that the calls are those of a common event.
	w.healthy(documented())
	w.happens("put-bucket-policy")
	w.told()
	m := w.startMortal(timeout)
	var names []string
	var events [][]byte
	var left []message
	for _, form := range forms {
		position := 0
		for i := 0; ; i++ {
			if i == 2*most {
				t.Fatalf("one invocation makes more than %d calls", most)
			}
			name := fmt.Sprintf(form, i)
			event := encode(t, sample(t, "delete-bucket-policy", parameter("bucketName", name)))
			fills(t, [][]byte{event})
			kept, killed := m.dies(t, position/2+1, position%2 == 1)
			left = append(left, kept...)
			if len(kept) > 0 && !killed {
				// On a machine that has much to do, the emulator may take so long to
				// answer that the guard gives up. That tells nothing of the kill: another
				// bucket takes its place.
				t.Logf("the emulator was too slow with %s", name)
				continue
			}
			names, events = append(names, name), append(events, event)
			if !killed {
				break // it made no more calls
			}
			position++
		}
	}

	for _, m := range left {
		m.comesAfter(t, visibility)
	}
	doubles := slices.Concat(events, events)
	rand.Shuffle(len(doubles), func(i, j int) { doubles[i], doubles[j] = doubles[j], doubles[i] })
	fills(t, doubles)
	var environments []*function
	for range w.mapping.environments {
		environments = append(environments, startFunction(t, "guard", w.env))
	}
	again, _ := w.mapping.drain(t, environments)

	alerts, writes := alertsByBucket(t), writesByBucket()
	twice := 0
	for _, name := range names {
		kind, delivers, wrote := "opened", false, 0
		if strings.HasPrefix(name, "restored") {
			kind, delivers, wrote = "restored", true, 1
		}
		told := kindsOf(alerts[name])
		if len(told) == 2 {
			twice++
		}
		// An alert that is out, and whose sender cannot say so any more, is sent again.
		if len(told) < 1 || len(told) > 2 || slices.ContainsFunc(told, func(k string) bool { return k != kind }) {
			t.Errorf("%s: alerts are %q, want %q", name, told, kind)
		}
		text := policyOf(t, name)
		if !strings.Contains(text, tlsOnly) || strings.Contains(text, "AWSCloudTrailWrite20150319") != delivers {
			t.Errorf("%s: the policy is %s", name, text)
		}
		if writes[name] < wrote || writes[name] > 2*wrote {
			t.Errorf("%s was written %d times", name, writes[name])
		}
	}
	t.Logf("killed at %d calls; %d records stayed once more; %d of %d alerts are doubled, none is lost", len(left), again, twice, len(names))
}
