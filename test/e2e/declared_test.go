package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// putObject puts an object into a bucket of its own.
func putObject(t *testing.T, key, text string) {
	t.Helper()
	createBucket(t, "lists")
	if status, out := send(t, "s3", http.MethodPut, "/lists/"+key, nil, []byte(text)); status >= 300 {
		t.Fatalf("put %s: %d %s", key, status, out)
	}
}

// A trail that cannot be seen from here is declared in an object.
func TestTrailsDeclaredInAnObject(t *testing.T) {
	const declared = "arn:aws:cloudtrail:us-east-1:222222222222:trail/theirs"
	w := deploy(t, with("TRAILS_OBJECT", "s3://lists/a/trails=1.json"))
	putObject(t, "a/trails=1.json", `{"trailList":[{"TrailARN":"`+declared+`","S3BucketName":"`+bucket+`","IsMultiRegionTrail":true}]}`)
	createBucket(t, bucket)

	w.happens("delete-bucket-policy")
	w.told("opened")[0].says(t, bucket, declared)
}

// A list that cannot be read stops the start, in one line. Events stay in the queue.
func TestAListThatCannotBeReadStopsTheStart(t *testing.T) {
	for text, says := range map[string]string{"": "NoSuchKey", `{"trailList":[]}`: "no trails in it"} {
		w := deploy(t, with("TRAILS_OBJECT", "s3://lists/trails.json"))
		w.healthy(documented())
		if putObject(t, "other", "text"); text != "" {
			putObject(t, "trails.json", text)
		}
		w.put(sample(t, "delete-bucket-policy"))
		if taken, kept := w.polls(); taken != 1 || kept != 1 {
			t.Errorf("of %d records %d stay", taken, kept)
		}
		w.told()
		var lines []string
		for line := range strings.Lines(w.guard.process.output()) {
			if strings.HasPrefix(line, "trailwarden guard:") {
				lines = append(lines, line)
			}
		}
		if len(lines) != 1 || !strings.Contains(lines[0], `TRAILWARDEN_TRAILS_OBJECT is "s3://lists/trails.json"`) || !strings.Contains(lines[0], says) {
			t.Errorf("the function says %q, want one line with %q", lines, says)
		}
	}
}
