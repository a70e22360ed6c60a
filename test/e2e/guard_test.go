package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestHealthyBucket(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	for _, event := range []string{"put-bucket-policy", "put-bucket-request-payment", "create-trail", "start-logging", "update-trail"} {
		w.happens(event)
	}
	w.writes(0)
	w.told()
	w.is(documented())
}

func TestPolicyDeletedAndRestored(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	deletePolicy(t, bucket)

	w.happens("delete-bucket-policy")
	w.told("restored")[0].says(t, bucket, "DeleteBucketPolicy", "dana@acme.example", "203.0.113.24", trailARN)
	w.delivers()
	w.keeps("AWSCloudTrailAclCheck20150319", "AWSCloudTrailWrite20150319")
}

func TestWriteStatementRemovedOnListOnlyBucket(t *testing.T) {
	w := deploy(t)
	broken := policy(aclCheck(quotedTrail), tlsOnly, reader)
	w.healthy(documented())
	putPolicy(t, bucket, broken)

	w.happens("put-bucket-policy")
	w.told("opened")[0].says(t, bucket, trailARN, "PutBucketPolicy", "user/dana", "203.0.113.24")
	w.writes(0)
	w.is(broken)

	putPolicy(t, bucket, documented())
	w.happens("put-bucket-policy-terraform")
	w.told("resolved")
}

func TestTrailMovedToNewPrefix(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(policy(aclCheck(quotedTrail), write(quotedTrail, ownPath), reader))
	ask(t, "cloudtrail", "UpdateTrail", object{"Name": "main", "S3KeyPrefix": "audit"})

	w.happens("update-trail")
	w.told("restored")[0].says(t, "UpdateTrail", trailARN)
	w.keeps(reader, "/audit/AWSLogs/"+account+"/*")
	w.delivers()
}

func TestOrganizationTrail(t *testing.T) {
	w := deploy(t, restoring(bucket))
	ask(t, "organizations", "CreateOrganization", object{"FeatureSet": "ALL"})
	var described struct{ Organization struct{ ID string } }
	decode(t, ask(t, "organizations", "DescribeOrganization", object{}), &described)
	id := described.Organization.ID
	createBucket(t, bucket)
	arn := strings.Replace(quotedTrail, "trail/main", "trail/org", 1)
	putPolicy(t, bucket, policy(aclCheck(arn), write(arn, ownPath)))
	createTrail(t, object{"Name": "org", "S3BucketName": bucket, "IsMultiRegionTrail": true, "IsOrganizationTrail": true})

	w.happens("create-trail-organization")
	w.told("restored")[0].says(t, id)
	w.keeps(bucket+"/AWSLogs/"+id+"/*", bucket+"/AWSLogs/"+account+"/*")
	w.delivers()
}

// What takes organization trails away, and what changes which files are written, gets
// through the rules and leads to a look.
func TestEventsBesideThoseOfBuckets(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	for _, event := range []string{
		"disable-aws-service-access", "leave-organization", "remove-account-from-organization", "close-account",
		"account-departed-organization", "put-event-configuration",
	} {
		w.happens(event)
	}
	w.told()

	deletePolicy(t, bucket)
	w.happens("put-event-configuration")
	w.told("opened")[0].says(t, bucket, trailARN, "PutEventConfiguration")

	putPolicy(t, bucket, documented())
	w.happens("put-event-configuration")
	w.told("resolved")
	// The bucket of an organization trail is looked at for a call that names no trail.
	ask(t, "organizations", "CreateOrganization", object{"FeatureSet": "ALL"})
	createTrail(t, object{"Name": "org", "S3BucketName": bucket, "IsMultiRegionTrail": true, "IsOrganizationTrail": true})
	w.happens("disable-aws-service-access")
	w.told("opened")[0].says(t, bucket, "trail/org", "DisableAWSServiceAccess", "cloudtrail.amazonaws.com")
}

func TestBucketThatNoTrailUses(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	createBucket(t, "acme-web-assets")

	// The first event finds out what trails there are, and the next ones know.
	for _, services := range [][]string{{"cloudtrail:", "dynamodb:"}, {"dynamodb:BatchGetItem"}, {"dynamodb:BatchGetItem"}} {
		a := w.handle(encode(t, sample(t, "delete-bucket-policy-other-bucket")))
		if len(a.Buckets) != 1 || a.Buckets[0].InUse {
			t.Errorf("the bucket is said to be in use: %+v", a)
		}
		for op, n := range w.calls() {
			if !slices.ContainsFunc(services, func(s string) bool { return strings.HasPrefix(op, s) }) {
				t.Errorf("%s was called %d times: only trails are to be looked up", op, n)
			}
		}
	}
	w.happens("delete-bucket-policy-other-bucket")
	w.told()
}

func TestTwoTrailsOnOneBucket(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	second := strings.Replace(trailARN, "trail/main", "trail/second", 1)
	createTrail(t, object{"Name": "second", "S3BucketName": bucket, "S3KeyPrefix": "second"})
	putPolicy(t, bucket, policy(reader))

	w.happens("put-bucket-policy")
	w.told("restored")[0].says(t, trailARN, second)
	w.keeps(reader, trailARN, second, bucket+"/AWSLogs/"+account+"/*", bucket+"/second/AWSLogs/"+account+"/*")
	w.delivers()
}

func TestOwnWriteChangesNothing(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	deletePolicy(t, bucket)
	w.happens("delete-bucket-policy")
	w.told("restored")
	restored := policyOf(t, bucket)
	w.calls()

	var written object
	decode(t, []byte(restored), &written)
	w.happens("put-bucket-policy-own", parameter("bucketPolicy", written))
	w.writes(0)
	w.told()
	w.is(restored)
}

func TestAlertThatCannotBeSentIsSentByTheRetry(t *testing.T) {
	for name, settings := range map[string][]setting{
		"with memory":    {restoring(bucket)},
		"without memory": {with("TABLE", "")},
	} {
		t.Run(name, func(t *testing.T) {
			w := deploy(t, settings...)
			w.healthy(documented())
			deletePolicy(t, bucket)
			w.breaks(func(c apiCall) *failure {
				if c.Op != "sns:Publish" {
					return nil
				}
				return &failure{http.StatusServiceUnavailable, "ServiceUnavailable"}
			})
			w.put(sample(t, "delete-bucket-policy"))
			if taken, kept := w.polls(); taken != 1 || kept != 1 {
				t.Errorf("of %d records %d are tried again", taken, kept)
			}
			w.told()

			w.breaks(nil)
			w.later()
			if taken, kept := w.polls(); taken != 1 || kept != 0 {
				t.Errorf("then, of %d records %d are tried again", taken, kept)
			}
			want := "opened"
			if w.env["TRAILWARDEN_RESTORE_BUCKETS"] != "" {
				want = "restored"
				w.delivers()
			}
			w.told(want)
		})
	}
}

func TestRulesLeaveOutFailedCalls(t *testing.T) {
	w := deploy(t)
	for _, name := range []string{"put-bucket-policy-denied", "delete-bucket-not-empty", "update-trail-failed"} {
		w.put(sample(t, name))
		if routed := drain(t, eventsQueue); len(routed) != 0 {
			t.Errorf("the rules let %s through", name)
		}
	}
}

func TestFailedCallsThatArriveAllTheSame(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	for _, name := range []string{"put-bucket-policy-denied", "delete-bucket-not-empty", "update-trail-failed"} {
		if a := w.handle(encode(t, sample(t, name))); a.ErrorType != "" {
			t.Errorf("%s: %s", name, a.ErrorMessage)
		}
	}
	for _, event := range []string{
		`{}`, `[]`, `"text"`, `{"detail-type":"x","source":"aws.s3","detail":null}`,
		`{"source":"aws.s3","detail-type":"AWS API Call via CloudTrail",` +
			`"detail":{"eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","requestParameters":[]}}`,
	} {
		if a := w.handle([]byte(event)); a.ErrorType != "" {
			t.Errorf("%s: %s", event, a.ErrorMessage)
		}
	}
	w.writes(0)
	w.told()
	w.is(documented())
}

func TestTrailStoppedAndDeleted(t *testing.T) {
	w := deploy(t)
	w.healthy(documented())
	ask(t, "cloudtrail", "StopLogging", object{"Name": "main"})
	w.happens("stop-logging")
	w.told("opened")[0].says(t, "StopLogging", trailARN)

	ask(t, "cloudtrail", "StartLogging", object{"Name": "main"})
	w.happens("start-logging")
	w.told("resolved")

	ask(t, "cloudtrail", "DeleteTrail", object{"Name": "main"})
	w.happens("delete-trail")
	w.told("opened")[0].says(t, "DeleteTrail", trailARN)
}
