package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A trail that covers less is told at the event, and by the sweep without one, once;
// and resolved once when it is as before.
func TestTrailCoversLess(t *testing.T) {
	w := deploy(t)
	ask(t, "organizations", "CreateOrganization", object{"FeatureSet": "ALL"})
	var described struct{ Organization struct{ ID string } }
	decode(t, ask(t, "organizations", "DescribeOrganization", object{}), &described)
	auditKey := createKey(t, policy(keyOwner, keyEncrypt, keyDescribe))
	createBucket(t, bucket)
	putPolicy(t, bucket, policy(aclCheck(quotedTrail), write(quotedTrail, "AWSLogs/*")))
	createTrail(t, object{
		"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
		"EnableLogFileValidation": true, "KmsKeyId": auditKey,
	})
	w.sweeps()
	w.told()
	set := func(member string, value any) {
		ask(t, "cloudtrail", "UpdateTrail", object{"Name": "main", member: value})
	}
	for _, loss := range []struct {
		member, parameter string
		lost, before      any
		says, severity    string
	}{
		{"IsOrganizationTrail", "isOrganizationTrail", false, true, "members are not recorded", "HIGH"},
		{"IsMultiRegionTrail", "isMultiRegionTrail", false, true, "records us-east-1 alone", "HIGH"},
		{"EnableLogFileValidation", "enableLogFileValidation", false, true, "digest files", "MEDIUM"},
		{"KmsKeyId", "kmsKeyId", "", auditKey, "--kms-key-id " + auditKey, "MEDIUM"},
	} {
		t.Log(loss.member)
		set(loss.member, loss.lost)
		w.happens("update-trail", parameter(loss.parameter, loss.lost))
		told := w.told("opened")[0]
		if words := strings.Join(strings.Fields(told.Message), " "); !strings.Contains(words, loss.says) {
			t.Errorf("does not say %q:\n%s", loss.says, told.Message)
		}
		told.says(t, "trail-covers-less", "UpdateTrail", "dana@acme.example", trailARN)
		if got := told.MessageAttributes["severity"].Value; got != loss.severity {
			t.Errorf("severity %s, want %s", got, loss.severity)
		}
		w.happens("update-trail", parameter(loss.parameter, loss.lost))
		w.sweeps()
		w.told()
		set(loss.member, loss.before)
		w.happens("update-trail", parameter(loss.parameter, loss.before))
		w.sweeps()
		w.told("resolved")

		set(loss.member, loss.lost)
		w.sweeps()
		w.sweeps()
		w.told("opened")[0].says(t, "trail-covers-less", "not known")
		set(loss.member, loss.before)
		w.sweeps()
		w.sweeps()
		w.told("resolved")
	}
}

// What is lost on purpose is accepted on the command line, with a reason and an end.
func TestLossIsAccepted(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	w.sweeps()
	ask(t, "cloudtrail", "UpdateTrail", object{"Name": "main", "IsMultiRegionTrail": false})
	w.happens("update-trail", parameter("isMultiRegionTrail", false))
	w.told("opened")
	out, code := w.cli("accept", "--bucket", bucket, "--trail", "main", "--reason", "one region only", "--until", "2099-01-01", "--table", "ledger")
	if code != 0 || !strings.Contains(out, "regions") {
		t.Fatalf("accept: %d: %s", code, out)
	}
	w.sweeps()
	w.sweeps()
	w.told("resolved")[0].says(t, "covers less, as accepted", "one region only", "2099-01-01")
	if out, code := w.cli("audit", "--table", "ledger", "--severity", "high"); code != 0 {
		t.Errorf("audit: %d: %s", code, out)
	}
	if out, code := w.cli("accept", "--bucket", bucket, "--trail", "main", "--withdraw", "--table", "ledger"); code != 0 {
		t.Fatalf("accept --withdraw: %d: %s", code, out)
	}
	w.sweeps()
	w.told("opened")
	if out, code := w.cli("audit", "--table", "ledger", "--severity", "high"); code != 1 || !strings.Contains(out, "trail-covers-less") {
		t.Errorf("audit: %d: %s", code, out)
	}
}

// A trail that logs no management write events is told, and that the guard is blind with
// it; not where another trail logs them.
func TestTrailSilent(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	w.sweeps()
	selects := func(selectors object) {
		ask(t, "cloudtrail", "PutEventSelectors", object{"TrailName": "main", "EventSelectors": []any{selectors}})
	}
	silent := object{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": false, "DataResources": []any{}}
	all := object{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []any{}}
	inEvent := func(readWrite string, management bool) func(object) {
		return parameter("eventSelectors", []any{object{"readWriteType": readWrite, "includeManagementEvents": management}})
	}

	selects(silent)
	w.happens("put-event-selectors", inEvent("ReadOnly", false))
	w.sweeps()
	told := w.told("opened")[0]
	told.says(t, "CRITICAL", "trail-silent", "Blind ", "PutEventSelectors", "user/dana", "get-event-selectors")
	selects(all)
	w.happens("put-event-selectors", inEvent("All", true))
	w.sweeps()
	w.told("resolved")

	selects(silent)
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "trail-silent")
	if out, code := w.cli("audit", "--severity", "critical"); code != 1 || !strings.Contains(out, "trail-silent") || !strings.Contains(out, "no management") {
		t.Errorf("audit: %d: %s", code, out)
	}

	// Another trail takes them in its place.
	createBucket(t, "others")
	putPolicy(t, "others", strings.ReplaceAll(strings.ReplaceAll(documented(), bucket, "others"), "trail/main", "trail/other"))
	createTrail(t, object{"Name": "other", "S3BucketName": "others", "IsMultiRegionTrail": true})
	w.sweeps()
	w.told("changed")[0].says(t, "trail-covers-less", "all management events")
}

// An account without any trail is told once, and once that it has one again.
func TestAccountWithoutTrail(t *testing.T) {
	w := deploy(t)
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "CRITICAL: no trail records account "+account, "no-trail", "Blind ")
	if out, code := w.cli("audit", "--severity", "critical"); code != 1 || !strings.Contains(out, "no-trail") {
		t.Errorf("audit: %d: %s", code, out)
	}
	w.healthy(documented())
	w.sweeps()
	w.sweeps()
	w.told("resolved")[0].says(t, "a trail records again", "account "+account)
	if out, code := w.cli("audit"); code != 0 {
		t.Errorf("audit: %d: %s", code, out)
	}
}

// A new trail has minutes to be started. Then the sweep tells that it is stopped.
func TestNewTrailIsNotStarted(t *testing.T) {
	w := deploy(t)
	createBucket(t, bucket)
	putPolicy(t, bucket, documented())
	ask(t, "cloudtrail", "CreateTrail", object{"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true})
	w.happens("create-trail")
	w.sweeps()
	w.told()

	w.ages(bucket, "made", time.Hour)
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "trail-stopped", trailARN)
	ask(t, "cloudtrail", "StartLogging", object{"Name": "main"})
	w.happens("start-logging")
	w.told("resolved")
}

// ages makes a time of what a record remembers of coverage older.
func (w *world) ages(bucket, member string, by time.Duration) {
	w.t.Helper()
	key := object{"pk": object{"S": account}, "sk": object{"S": "state#" + bucket}}
	var got struct {
		Item map[string]struct{ S, N string }
	}
	decode(w.t, ask(w.t, "dynamodb", "GetItem", object{"TableName": "ledger", "Key": key}), &got)
	var record map[string]any
	decode(w.t, []byte(got.Item["record"].S), &record)
	for _, c := range record["coverage"].([]any) {
		covered := c.(map[string]any)
		at, err := time.Parse(time.RFC3339, covered[member].(string))
		if err != nil {
			w.t.Fatal(err)
		}
		covered[member] = at.Add(-by).Format(time.RFC3339)
	}
	text, err := json.Marshal(record)
	if err != nil {
		w.t.Fatal(err)
	}
	ask(w.t, "dynamodb", "UpdateItem", object{
		"TableName": "ledger", "Key": key, "UpdateExpression": "SET #r = :r",
		"ExpressionAttributeNames": object{"#r": "record"}, "ExpressionAttributeValues": object{":r": object{"S": string(text)}},
	})
}

// CloudTrail need not say when a delivery was tried. Its error is told even so.
func TestErrorWithoutTheTimeOfTheAttempt(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	w.sweeps()
	shared.aws.mu.Lock()
	shared.aws.status = object{
		"IsLogging": true, "LatestDeliveryError": "AccessDenied", "LatestDeliveryTime": time.Now().Add(-2 * time.Hour).Unix(),
		"StartLoggingTime": time.Now().Add(-400 * time.Hour).Unix(), "LatestDeliveryAttemptTime": "",
	}
	shared.aws.mu.Unlock()
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "delivery-failing", "AccessDenied")
}

// A trail whose digest files stop, with everything permitted and no error, is told once; and resolved
// once when a file comes again.
func TestFilesThatStop(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	delivered := func(log, digest time.Duration) {
		shared.aws.mu.Lock()
		defer shared.aws.mu.Unlock()
		shared.aws.status = object{
			"IsLogging": true, "StartLoggingTime": ago(400 * time.Hour), "LatestDeliveryTime": ago(log), "LatestDigestDeliveryTime": ago(digest),
			"LatestDeliveryAttemptTime": "", "LatestDeliveryAttemptSucceeded": "",
		}
	}
	delivered(2*time.Minute, time.Hour)
	w.sweeps()
	w.told()
	delivered(5*time.Hour, 4*time.Hour)
	w.sweeps()
	w.sweeps()
	w.told("opened")[0].says(t, "delivery-stale")
	delivered(-2*time.Second, -2*time.Second) // after it was told, by a clock of whole seconds
	w.sweeps()
	w.sweeps()
	w.told("resolved")
}
