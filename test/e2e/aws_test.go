package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The tests speak the services' own protocols, and not through the SDK that
// the functions use: what they set up and see is then independent of it.

// send sends one request to moto and returns the answer, whatever it is.
func send(t *testing.T, service, method, path string, header map[string]string, body []byte) (int, []byte) {
	t.Helper()
	status, text, err := transmit(t.Context(), service, method, path, header, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}

func transmit(ctx context.Context, service, method, path string, header map[string]string, body []byte) (int, []byte, error) {
	return transmitTo(ctx, region, service, method, path, header, body)
}

func transmitTo(ctx context.Context, region, service, method, path string, header map[string]string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, shared.aws.direct+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	// moto finds the service in the credential scope and checks no signature.
	r.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set(accountHeader, account)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// object is a JSON object.
type object = map[string]any

// ask calls an operation of a service that speaks JSON.
func ask(t *testing.T, service, operation string, in object) []byte {
	t.Helper()
	out, err := call(t.Context(), service, operation, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func call(ctx context.Context, service, operation string, in object) ([]byte, error) {
	return callIn(ctx, region, service, operation, in)
}

// callIn is call in a region.
func callIn(ctx context.Context, region, service, operation string, in object) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	prefix := map[string]string{
		"cloudtrail":    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
		"events":        "AWSEvents",
		"sqs":           "AmazonSQS",
		"dynamodb":      "DynamoDB_20120810",
		"organizations": "AWSOrganizationsV20161128",
		"kms":           "TrentService",
	}[service]
	if service == "sqs" {
		shared.aws.queues.Lock()
		defer shared.aws.queues.Unlock()
	}
	status, out, err := transmitTo(ctx, region, service, http.MethodPost, "/", map[string]string{
		"X-Amz-Target": prefix + "." + operation,
		"Content-Type": "application/x-amz-json-1.1",
	}, body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s:%s: %d %s", service, operation, status, out)
	}
	return out, err
}

// sns calls an operation of Amazon SNS.
func sns(t *testing.T, action string, in map[string]string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-03-31"}}
	for name, value := range in {
		form.Set(name, value)
	}
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	status, out := send(t, "sns", http.MethodPost, "/", header, []byte(form.Encode()))
	if status != http.StatusOK {
		t.Fatalf("sns:%s: %d %s", action, status, out)
	}
}

// putPolicy sets a bucket's policy, as the text that it is.
func putPolicy(t *testing.T, bucket, policy string) {
	t.Helper()
	if status, out := send(t, "s3", http.MethodPut, "/"+bucket+"?policy", nil, []byte(policy)); status >= 300 {
		t.Fatalf("put the policy of %s: %d %s", bucket, status, out)
	}
}

func deletePolicy(t *testing.T, bucket string) {
	t.Helper()
	if status, out := send(t, "s3", http.MethodDelete, "/"+bucket+"?policy", nil, nil); status >= 300 {
		t.Fatalf("delete the policy of %s: %d %s", bucket, status, out)
	}
}

// policyOf returns a bucket's policy as S3 keeps it, or "" for none.
func policyOf(t *testing.T, bucket string) string {
	t.Helper()
	status, out := send(t, "s3", http.MethodGet, "/"+bucket+"?policy", nil, nil)
	switch {
	case status == http.StatusOK:
		return string(out)
	case status == http.StatusNotFound && strings.Contains(string(out), "NoSuchBucketPolicy"):
		return ""
	}
	t.Fatalf("get the policy of %s: %d %s", bucket, status, out)
	return ""
}

func createBucket(t *testing.T, bucket string) {
	t.Helper()
	if status, out := send(t, "s3", http.MethodPut, "/"+bucket, nil, nil); status >= 300 {
		t.Fatalf("create %s: %d %s", bucket, status, out)
	}
}

// createTrail creates a trail that logs. The fields are those of CreateTrail.
func createTrail(t *testing.T, fields object) {
	t.Helper()
	ask(t, "cloudtrail", "CreateTrail", fields)
	ask(t, "cloudtrail", "StartLogging", object{"Name": fields["Name"]})
}

func createQueue(t *testing.T, name string) {
	t.Helper()
	ask(t, "sqs", "CreateQueue", object{"QueueName": name})
}

// drain takes all messages out of a queue.
func drain(t *testing.T, queue string) []string {
	t.Helper()
	address := fmt.Sprintf("%s/%s/%s", shared.aws.direct, account, queue)
	var bodies []string
	for {
		var out struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		decode(t, ask(t, "sqs", "ReceiveMessage", object{"QueueUrl": address, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}), &out)
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, m.Body)
			ask(t, "sqs", "DeleteMessage", object{"QueueUrl": address, "ReceiptHandle": m.ReceiptHandle})
		}
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
