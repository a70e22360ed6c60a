package start

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	account = "111111111111"
	region  = "us-east-1"
	bucket  = "aws-cloudtrail-logs-111111111111-0123abcd"
)

// runtime hands out the same event again and again.
type runtime struct {
	event  []byte
	asked  chan struct{} // one for each event that is asked for
	hand   chan struct{} // one for each that may be handed out
	answer chan string   // what an invocation came to
}

func (r *runtime) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if !strings.HasSuffix(q.URL.Path, "/next") {
		body, _ := io.ReadAll(q.Body)
		w.WriteHeader(http.StatusAccepted)
		r.answer <- q.URL.Path[strings.LastIndex(q.URL.Path, "/"):] + " " + string(body)
		return
	}
	r.asked <- struct{}{}
	select {
	case <-r.hand:
	case <-q.Context().Done():
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+region+":"+account+":function:guard")
	_, _ = w.Write(r.event)
}

// healthy is AWS with a trail whose bucket has the documented policy, and the event of
// that policy being written.
func healthy(t testing.TB) (*awsfake.Server, []byte) {
	t.Helper()
	fake := awsfake.New(t, account, region)
	main := trail.Trail{
		Name: "management-events", ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/management-events",
		HomeRegion: region, Bucket: bucket, MultiRegion: true, GlobalEvents: true, LogFileValidation: true,
	}
	policy, err := trail.DocumentedPolicy([]trail.Trail{main}, trail.Environment{Bucket: bucket, BucketOwner: account, BucketRegion: region})
	if err != nil {
		t.Fatal(err)
	}
	fake.PutTrail(awsfake.Trail{Trail: main, Status: trail.Status{Logging: true}})
	fake.PutBucket(awsfake.Bucket{Name: bucket, Policy: string(policy)})
	text, err := os.ReadFile("../../events/put-bucket-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Version, ID, Source, Account, Region string
		Type                                 string `json:"detail-type"`
		Time                                 time.Time
		Detail                               map[string]any
	}
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Second)
	event.Detail["eventTime"] = at
	event.Detail["requestParameters"] = map[string]any{"bucketName": bucket, "bucketPolicy": json.RawMessage(policy)}
	out, err := json.Marshal(map[string]any{
		"version": event.Version, "id": event.ID, "detail-type": event.Type, "source": event.Source,
		"account": account, "region": region, "time": at, "detail": event.Detail,
	})
	if err != nil {
		t.Fatal(err)
	}
	return fake, out
}

// BenchmarkWarmEvent measures the CPU that the guard takes for an event of a trail's
// bucket in which nothing is wrong, once it is warm.
func BenchmarkWarmEvent(b *testing.B) {
	program := build(b, "../../functions/guard")
	fake, event := healthy(b)
	r := &runtime{event, make(chan struct{}, 1), make(chan struct{}), make(chan string, 1)}
	server := httptest.NewServer(r)
	b.Cleanup(server.Close)
	var log bytes.Buffer
	cmd := exec.CommandContext(b.Context(), program)
	cmd.Env = append(environment(strings.TrimPrefix(server.URL, "http://")), "AWS_ENDPOINT_URL="+fake.URL)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	invoke := func() {
		<-r.asked
		r.hand <- struct{}{}
		if answer := <-r.answer; !strings.HasPrefix(answer, "/response ") || !strings.Contains(answer, `"delivering"`) {
			b.Fatalf("%s\n%s\n%v", answer, log.String(), fake.Messages())
		}
	}
	for range 5 {
		invoke()
	}
	before := ticks(b, cmd.Process.Pid)
	// The guard's calls of CloudTrail wait for their turn, so that an event takes a
	// while, and no CPU.
	const events = 40
	for b.Loop() {
		for range events {
			invoke()
		}
	}
	spent := float64(ticks(b, cmd.Process.Pid)-before) * 10 // ms: a tick is 10 ms on Linux
	b.ReportMetric(spent/float64(b.N*events), "cpu-ms/event")
}

// ticks is the CPU time of a process.
func ticks(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, errUser := strconv.Atoi(fields[11])
	system, errSystem := strconv.Atoi(fields[12])
	if errUser != nil || errSystem != nil {
		t.Fatal(string(text))
	}
	return user + system
}
