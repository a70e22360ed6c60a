package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// member is the i-th other account.
func member(i int) string { return fmt.Sprintf("2000000000%02d", i) }

// createTrailIn makes a trail in another account, and starts it.
func createTrailIn(t *testing.T, id string) {
	t.Helper()
	for _, call := range []struct {
		operation string
		in        object
	}{
		{"CreateTrail", object{"Name": "main", "S3BucketName": bucket, "IsMultiRegionTrail": true}},
		{"StartLogging", object{"Name": "main"}},
	} {
		header := map[string]string{
			"X-Amz-Target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101." + call.operation,
			"Content-Type": "application/x-amz-json-1.1", accountHeader: id,
		}
		status, out := send(t, "cloudtrail", http.MethodPost, "/", header, encode(t, call.in))
		if status != http.StatusOK {
			t.Fatalf("%s in %s: %d %s", call.operation, id, status, out)
		}
	}
}

// sampleOf is a sample event of another account.
func sampleOf(t *testing.T, id, name string) []byte {
	t.Helper()
	text := strings.ReplaceAll(string(encode(t, sample(t, name))), account, id)
	return []byte(text)
}

// memberTrail is the trail of the i-th other account.
func memberTrail(i int) string {
	return "arn:aws:cloudtrail:" + region + ":" + member(i) + ":trail/main"
}

// centralPolicy lets CloudTrail write for the trails of so many other accounts.
func centralPolicy(n int) string {
	var trails, folders []string
	for i := range n {
		trails = append(trails, `"`+memberTrail(i)+`"`)
		folders = append(folders, `"arn:aws:s3:::`+bucket+`/AWSLogs/`+member(i)+`/*"`)
	}
	arns := "[" + strings.Join(trails, ",") + "]"
	write := strings.Replace(write(arns, "PATH"), `"arn:aws:s3:::`+bucket+`/PATH"`, "["+strings.Join(folders, ",")+"]", 1)
	return policy(aclCheck(arns), write)
}

// Trails of thirty other accounts deliver into one bucket. Its policy is deleted: one
// alert names all thirty, whoever's event comes first. An account more is a change.
func TestThirtyAccountsInOneBucket(t *testing.T) {
	const members = 30
	w := deploy(t, with("ROLE", "trailwarden/reader"), with("BUCKET_OWNERS", bucket+"="+account))
	createBucket(t, bucket)
	putPolicy(t, bucket, centralPolicy(members+1))
	comes := func(events ...[]byte) {
		t.Helper()
		fills(t, events)
		for left := len(events); left > 0; {
			taken, kept := w.polls()
			if taken == 0 || kept != 0 {
				t.Fatalf("of %d records the guard wants %d again", taken, kept)
			}
			left -= taken
		}
	}
	var created, started [][]byte
	for i := range members {
		createTrailIn(t, member(i))
		created = append(created, sampleOf(t, member(i), "create-trail"))
		started = append(started, sampleOf(t, member(i), "start-logging"))
	}
	comes(created...)
	w.told()

	deletePolicy(t, bucket)
	w.happens("delete-bucket-policy")
	alert := w.told("opened")[0]
	for i := range members {
		alert.says(t, member(i))
	}
	comes(started...)
	w.told()
	if a := w.sweeps(); a.ErrorType != "" {
		t.Error(a.ErrorMessage)
	}
	// The bucket's owner has no trail of its own, and none of an organization.
	w.told("opened")[0].says(t, "Account "+account+" has no trail")

	createTrailIn(t, member(members))
	comes(sampleOf(t, member(members), "create-trail"))
	w.told("changed")[0].says(t, member(members))

	putPolicy(t, bucket, centralPolicy(members+1))
	w.happens("put-bucket-policy")
	w.told("resolved")
}

// A grant for a trail of an account that is not read is no mail, but the audit shows it;
// taking it away is one.
func TestGrantForATrailThatIsNotKnown(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	const archive = "acme-archive"
	createBucket(t, archive)
	grant := strings.ReplaceAll(centralPolicy(2), bucket, archive)
	putPolicy(t, archive, grant)
	var submitted object
	decode(t, []byte(grant), &submitted)
	w.happens("put-bucket-policy-terraform", parameter("bucketName", archive), parameter("bucketPolicy", submitted))
	w.told()
	out, code := w.cli("audit", "--table", "ledger")
	if code != 1 || !strings.Contains(out, archive) || !strings.Contains(out, "grant-without-trail") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	deletePolicy(t, archive)
	w.happens("delete-bucket-policy", parameter("bucketName", archive))
	w.told("opened")[0].says(t, archive, "expected-shut-out", member(0), member(1))
	if a := w.sweeps(); a.ErrorType != "" {
		t.Error(a.ErrorMessage)
	}
	w.told()
	putPolicy(t, archive, grant)
	w.happens("put-bucket-policy-terraform", parameter("bucketName", archive), parameter("bucketPolicy", submitted))
	w.told("resolved")
}
