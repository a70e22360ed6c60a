package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The storm: 1,000 doubled and shuffled events over 50 buckets, through the queue,
// to as many environments of the guard as the template allows at once.
const (
	stormBuckets = 50
	stormEvents  = 1000
	stormBudget  = 3
)

// storm is the buckets and what is expected of them.
type storm struct {
	w            *world
	environments []*function
}

func stormBucket(i int) string { return fmt.Sprintf("storm-logs-%02d", i) }

// restored reports whether a bucket is opted in: every second one is.
func restoredInStorm(i int) bool { return i%2 == 0 }

func stormPolicy(i int) string {
	own := strings.NewReplacer(bucket, stormBucket(i), "trail/main", fmt.Sprintf("trail/t%02d", i))
	return own.Replace(policy(aclCheck(quotedTrail), write(quotedTrail, ownPath), reader))
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	var optedIn []string
	for i := range stormBuckets {
		if restoredInStorm(i) {
			optedIn = append(optedIn, stormBucket(i))
		}
	}
	w := deploy(t, restoring(optedIn...), with("REPAIR_BUDGET", fmt.Sprint(stormBudget)))
	for i := range stormBuckets {
		createBucket(t, stormBucket(i))
		putPolicy(t, stormBucket(i), stormPolicy(i))
		createTrail(t, object{"Name": fmt.Sprintf("t%02d", i), "S3BucketName": stormBucket(i), "IsMultiRegionTrail": true})
	}
	s := &storm{w: w}
	for range w.mapping.environments {
		s.environments = append(s.environments, startFunction(t, "guard", w.env))
	}
	return s
}

// deliver puts n events into the queue, evenly over the buckets, each at least
// twice, shuffled, and lets the guard work until the queue is empty.
func (s *storm) deliver(t *testing.T, round, n int) (again, most int) {
	t.Helper()
	var events [][]byte
	for i := 0; len(events) < n; i = (i + 1) % stormBuckets {
		one := encode(t, s.event(t, round, i))
		events = append(events, one, one)
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	fills(t, events)
	return s.w.mapping.drain(t, s.environments)
}

// alertsByBucket returns the alerts of each bucket since the last call.
func alertsByBucket(t *testing.T) map[string][]notice {
	t.Helper()
	notices := map[string][]notice{}
	for _, body := range drain(t, "alerts") {
		var n notice
		decode(t, []byte(body), &n)
		name := n.MessageAttributes["bucket"].Value
		notices[name] = append(notices[name], n)
	}
	return notices
}

// kindsOf are the kinds of alerts.
func kindsOf(notices []notice) []string {
	var kinds []string
	for _, n := range notices {
		kinds = append(kinds, n.kind())
	}
	return kinds
}

// withoutMemory reports whether an alert says that it may have been told before.
func (n notice) withoutMemory() bool {
	return strings.Contains(strings.Join(strings.Fields(n.Message), " "), "may have been told before")
}

// An opted-in bucket is broken in each of the first rounds, once more often
// than the budget allows to repair it. The others are broken and mended in
// turn. In the last round nothing happens, only events.
const stormRounds = stormBudget + 2

func (s *storm) breaks(t *testing.T, round, i int) {
	t.Helper()
	switch {
	case round == stormRounds-1:
	case deletedInStorm(round, i):
		deletePolicy(t, stormBucket(i))
	default:
		putPolicy(t, stormBucket(i), stormPolicy(i))
	}
}

func deletedInStorm(round, i int) bool { return restoredInStorm(i) || round%2 == 0 }

// event is the event of a bucket in a round.
func (s *storm) event(t *testing.T, round, i int) object {
	t.Helper()
	switch {
	case round == stormRounds-1:
		return sample(t, "start-logging", parameter("name", fmt.Sprintf("t%02d", i)))
	case deletedInStorm(round, i):
		return sample(t, "delete-bucket-policy", parameter("bucketName", stormBucket(i)))
	default:
		var submitted object
		decode(t, []byte(stormPolicy(i)), &submitted)
		return sample(t, "put-bucket-policy-terraform",
			parameter("bucketName", stormBucket(i)), parameter("bucketPolicy", submitted))
	}
}

// expects returns what is told of a bucket after a round, and whether its
// policy then lets CloudTrail write.
func (s *storm) expects(round, i int) (alert string, delivers bool) {
	switch {
	case restoredInStorm(i) && round < stormBudget:
		return "restored", true
	case restoredInStorm(i) && round == stormBudget:
		return "fight", false
	case restoredInStorm(i):
		return "", false
	case round == stormRounds-1:
		return "", round%2 == 0
	case round%2 == 0:
		return "opened", false
	default:
		return "resolved", true
	}
}

func TestStorm(t *testing.T) {
	s := newStorm(t)
	began := time.Now()
	retried, told, doubled, largest := 0, 0, 0, 0
	for round := range stormRounds {
		for i := range stormBuckets {
			s.breaks(t, round, i)
		}
		again, most := s.deliver(t, round, stormEvents/stormRounds)
		retried, largest = retried+again, max(largest, most)
		once, twice := s.check(t, round)
		told, doubled = told+once, doubled+twice
	}
	writes, most := 0, 0
	givenUp := callsGivenUp()
	for name, n := range writesByBucket() {
		writes += n
		// A write without an answer is made again.
		most = max(most, n-givenUp["s3:PutBucketPolicy "+name])
	}
	// An alert is sent at least once: the answer to a call that was given up would have
	// said that it was sent, or that this is remembered.
	excused := givenUp["sns:Publish"] + givenUp["dynamodb:PutItem"] + givenUp["dynamodb:GetItem"]
	if doubled > excused {
		t.Errorf("%d alerts are sent twice or without memory, and %d calls were given up that may be why", doubled, excused)
	}
	t.Logf("%d events over %d buckets by %d environments in batches of up to %d in %s: %d alerts, one for each transition, %d doubled; "+
		"%d writes, at most %d for a bucket with a budget of %d; %d records tried again",
		stormEvents, stormBuckets, len(s.environments), largest, time.Since(began).Round(time.Second),
		told, doubled, writes, most, stormBudget, retried)
	if most != stormBudget {
		t.Errorf("a bucket was written %d times, want the whole budget of %d", most, stormBudget)
	}
}

// callsGivenUp counts the calls of the functions whose answer took longer than they wait,
// by operation, and by operation and bucket.
func callsGivenUp() map[string]int {
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	counts := map[string]int{}
	for _, c := range shared.aws.gaveUp {
		counts[c.Op]++
		counts[c.Op+" "+c.Bucket]++
	}
	return counts
}

// check fails unless every bucket is right and exactly its transition was told. It
// returns how many were, and how many alerts came besides, that were told already.
func (s *storm) check(t *testing.T, round int) (told, again int) {
	t.Helper()
	alerts := alertsByBucket(t)
	for i := range stormBuckets {
		name := stormBucket(i)
		alert, delivers := s.expects(round, i)
		remembered := slices.DeleteFunc(slices.Clone(alerts[name]), notice.withoutMemory)
		again += len(alerts[name]) - len(remembered)
		kinds := kindsOf(remembered)
		if len(kinds) == 2 && kinds[0] == kinds[1] {
			kinds, again = kinds[:1], again+1
		}
		if got := strings.Join(kinds, ","); got != alert {
			t.Errorf("round %d: alerts of %s are %q, want %q", round, name, kindsOf(alerts[name]), alert)
		}
		told += len(kinds)
		text := policyOf(t, name)
		if got := strings.Contains(text, "AWSCloudTrailWrite20150319"); got != delivers {
			t.Errorf("round %d: the policy of %s lets CloudTrail write: %v, want %v:\n%s", round, name, got, delivers, text)
		}
	}
	return told, again
}

// writesByBucket returns how often the functions wrote the policy of each bucket.
func writesByBucket() map[string]int {
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	counts := map[string]int{}
	for _, c := range shared.aws.calls {
		if c.Op == "s3:PutBucketPolicy" {
			counts[c.Bucket]++
		}
	}
	return counts
}
