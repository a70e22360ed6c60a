package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startHanging starts a guard of which one call is never answered.
func (w *world) startHanging(op string, timeout int) *function {
	w.t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if identify(r, body).Op == op {
			<-r.Context().Done() // until the guard gives it up
			panic(http.ErrAbortHandler)
		}
		shared.aws.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(front.Close)
	env := maps.Clone(w.env)
	env["AWS_ENDPOINT_URL"], env["AWS_LAMBDA_FUNCTION_TIMEOUT"] = front.URL, strconv.Itoa(timeout)
	return startFunction(w.t, "guard", env)
}

// The policy of an opted-in bucket is deleted, and one call of the guard that looks at
// it is never answered. The outage is told in the same invocation, but where it is the
// topic that does not answer, and the bucket is restored unless the repair needs the call.
func TestEveryCallThatHangs(t *testing.T) {
	const timeout = 20 // seconds; the template has 60
	calls := []struct {
		op       string
		told     string
		restored bool
		again    bool // the record is to be tried again
	}{
		{"organizations:DescribeOrganization", "restored", true, false},
		{"cloudtrail:GetTrailStatus", "restored", true, true},
		{"cloudtrail:ListTrails", "", false, true}, // nothing is known of the account yet
		{"dynamodb:BatchGetItem", "restored", true, true},
		{"dynamodb:GetItem", "opened", false, true},
		{"dynamodb:PutItem", "opened", false, true},
		{"s3:GetBucketPolicy", "opened", false, true},
		{"s3:GetBucketRequestPayment", "opened", false, true},
		{"s3:PutBucketPolicy", "restore-failed", false, true},
		{"sns:Publish", "", true, true},
	}
	name := func(i int) string { return fmt.Sprintf("hanging-%d", i) }
	var names []string
	for i := range calls {
		names = append(names, name(i))
	}
	w := deploy(t, restoring(names...))
	for i := range calls { // all of them before anybody lists the trails
		createBucket(t, name(i))
		createTrail(t, object{"Name": name(i), "S3BucketName": name(i)})
	}
	var all sync.WaitGroup
	for i, call := range calls {
		payload, err := batchOf([]message{{
			MessageID: name(i), Body: string(encode(t, sample(t, "delete-bucket-policy", parameter("bucketName", name(i))))),
		}})
		if err != nil {
			t.Fatal(err)
		}
		f := w.startHanging(call.op, timeout)
		all.Go(func() {
			began := time.Now()
			answer, err := f.post(payload)
			if took := time.Since(began); took > timeout*time.Second {
				t.Errorf("%s: the answer came after %s", call.op, took)
			}
			keep, badAnswer := failures([]message{{MessageID: name(i)}}, answer)
			if err != nil || badAnswer != nil || keep[name(i)] != call.again {
				t.Errorf("%s: answer %s, %v", call.op, answer, err)
			}
		})
	}
	all.Wait()
	alerts := alertsByBucket(t)
	for i, call := range calls {
		if got := strings.Join(kindsOf(alerts[name(i)]), " "); got != call.told {
			t.Errorf("%s: told %q, want %q", call.op, got, call.told)
		}
		if policy := policyOf(t, name(i)); strings.Contains(policy, "AWSCloudTrailWrite20150319") != call.restored {
			t.Errorf("%s: restored should be %t, the policy is %s", call.op, call.restored, policy)
		}
	}
}
