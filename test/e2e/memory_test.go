package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestOneAlertForEachChangeOfState(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	deletePolicy(t, bucket)

	event := sample(t, "delete-bucket-policy")
	w.comes(event)
	w.comes(event) // EventBridge delivers at least once, and so does SQS
	w.happens("put-bucket-policy-terraform")
	w.sweeps()
	w.told("opened")
	w.writes(0)

	// The stack is updated to restore the bucket. The next event of it does so.
	restoring(bucket)(w.env)
	w.guard, w.sweep = nil, nil
	w.sweeps()
	w.comes(event)
	w.told("restored")
	w.writes(1)
	w.delivers()
}

func TestFightStopsAtTheBudget(t *testing.T) {
	const budget = 2
	w := deploy(t, restoring(bucket), with("REPAIR_BUDGET", "2"))
	w.healthy(documented())
	for range budget {
		deletePolicy(t, bucket)
		w.happens("delete-bucket-policy")
		w.told("restored")
	}
	w.writes(budget)

	deletePolicy(t, bucket)
	w.happens("delete-bucket-policy")
	w.told("fight")[0].says(t, "dana@acme.example", "DeleteBucketPolicy")
	for range 3 {
		w.happens("delete-bucket-policy")
	}
	w.sweeps()
	w.told()
	w.writes(0)
	if got := policyOf(t, bucket); got != "" {
		t.Errorf("the policy is %s", got)
	}
}

func TestSweepFindsWhatEventsMissed(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(policy(aclCheck(quotedTrail), write(quotedTrail, ownPath), reader))
	w.sweeps()
	w.told()
	putPolicy(t, bucket, policy(reader))

	w.sweeps()
	w.told("restored")[0].says(t, trailARN)
	w.keeps(reader)
	w.delivers()
}

func TestOneBadBucketDoesNotStopTheSweep(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	deletePolicy(t, bucket)
	createBucket(t, "a-throttled-bucket")
	createTrail(t, object{"Name": "throttled", "S3BucketName": "a-throttled-bucket"})
	w.breaks(func(c apiCall) *failure {
		if c.Bucket != "a-throttled-bucket" {
			return nil
		}
		return &failure{http.StatusServiceUnavailable, "SlowDown"}
	})

	a := w.sweeps()
	if a.ErrorType == "" || !strings.Contains(a.ErrorMessage, "a-throttled-bucket") {
		t.Errorf("the sweep did not fail for the bucket: %+v", a)
	}
	w.told("opened")[0].says(t, bucket)
}

func TestUndoIsRespected(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	wanted := policy(reader)
	putPolicy(t, bucket, wanted)
	w.happens("put-bucket-policy")
	w.told("restored")

	out, code := w.cli("undo", "--bucket", bucket, "--table", "ledger", "--yes")
	if code != 0 {
		t.Fatalf("undo: %d: %s", code, out)
	}
	w.is(wanted)
	w.calls()

	w.happens("put-bucket-policy")
	w.sweeps()
	w.writes(0)
	w.is(wanted)
	w.told("opened")[0].says(t, "undo")

	// Another change of the policy ends the hold.
	deletePolicy(t, bucket)
	w.happens("delete-bucket-policy")
	w.told("restored")
	w.delivers()
}

func TestRestoreByHand(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	putPolicy(t, bucket, policy(reader))
	w.happens("put-bucket-policy")
	w.told("opened")

	out, code := w.cli("restore", "--bucket", bucket, "--yes", "--table", "ledger")
	if code != 0 || !strings.Contains(out, "delivering") {
		t.Fatalf("restore: %d: %s", code, out)
	}
	w.keeps(reader)
	w.delivers()
}
