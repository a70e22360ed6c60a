package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// answered is a failure as the SDK gives it.
func answered(status int, code, message string) error {
	cause := errors.New("no body")
	if code != "" {
		cause = &smithy.GenericAPIError{Code: code, Message: message}
	}
	return &smithy.OperationError{ServiceID: "S3", OperationName: "Any", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: cause,
	}}
}

func TestFailureClass(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status  int
		code    string
		message string
		want    guardrail.Class
	}{
		{403, "AccessDenied", "Access Denied", guardrail.Denied},
		{403, "AllAccessDisabled", "", guardrail.Denied},
		{403, "Forbidden", "", guardrail.Denied},
		{403, "", "", guardrail.Denied},
		{405, "MethodNotAllowed", "", guardrail.Denied},
		{400, "AccessDeniedException", "", guardrail.Denied},
		{403, "AuthorizationError", "", guardrail.Denied},
		{403, "SignatureDoesNotMatch", "", guardrail.Denied},
		{400, "UnrecognizedClientException", "", guardrail.Denied},
		{403, "InvalidAccessKeyId", "", guardrail.Denied},
		{404, "NoSuchBucket", "", guardrail.Missing},
		{404, "NoSuchBucketPolicy", "", guardrail.Missing},
		{404, "NotFound", "", guardrail.Missing},
		{404, "", "", guardrail.Missing},
		{400, "TrailNotFoundException", "", guardrail.Missing},
		{400, "ResourceNotFoundException", "", guardrail.Missing},
		{400, "MalformedPolicy", "Invalid principal in policy", guardrail.Rejected},
		{400, "MalformedPolicy", "Policy exceeds the maximum allowed document size.", guardrail.Rejected},
		{400, "InvalidPolicyDocument", "", guardrail.Rejected},
		{400, "InvalidArgument", "exceeds the maximum allowed size", guardrail.Rejected},
		{400, "ValidationException", "", guardrail.Rejected},
		{400, "SomethingNew", "", guardrail.Rejected},
		{301, "PermanentRedirect", "", guardrail.Rejected},
		{307, "TemporaryRedirect", "", guardrail.Transient},
		{400, "ConditionalCheckFailedException", "", guardrail.Conflict},
		{412, "PreconditionFailed", "", guardrail.Conflict},
		{409, "OperationAborted", "A conflicting conditional operation is currently in progress", guardrail.Transient},
		{409, "", "", guardrail.Transient},
		{503, "SlowDown", "", guardrail.Transient},
		{400, "ThrottlingException", "", guardrail.Transient},
		{400, "ProvisionedThroughputExceededException", "", guardrail.Transient},
		{429, "", "", guardrail.Transient},
		{400, "RequestTimeout", "", guardrail.Transient},
		{403, "RequestTimeTooSkewed", "", guardrail.Transient},
		{403, "ExpiredToken", "", guardrail.Transient},
		{500, "InternalError", "", guardrail.Transient},
		{502, "", "", guardrail.Transient},
		{503, "SomethingNew", "", guardrail.Transient},
	} {
		t.Run(fmt.Sprintf("%d %s", test.status, test.code), func(t *testing.T) {
			t.Parallel()
			cause := answered(test.status, test.code, test.message)
			err := failure("s3:Any", cause)
			var p *guardrail.PortError
			if !errors.As(err, &p) {
				t.Fatalf("%T is no PortError", err)
			}
			if p.Class != test.want || p.Op != "s3:Any" || p.Code != test.code {
				t.Errorf("class %v, op %q, code %q; want class %v", p.Class, p.Op, p.Code, test.want)
			}
			if !errors.Is(err, cause) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestFailureWithoutAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want guardrail.Class
	}{
		"deadline":      {context.DeadlineExceeded, guardrail.Transient},
		"canceled":      {&smithy.CanceledError{Err: context.Canceled}, guardrail.Transient},
		"reset":         {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, guardrail.Transient},
		"cut off":       {io.ErrUnexpectedEOF, guardrail.Transient},
		"garbled":       {&smithy.DeserializationError{Err: errors.New("bad XML")}, guardrail.Transient},
		"unfit input":   {smithy.InvalidParamsError{Context: "PutBucketPolicyInput"}, guardrail.Rejected},
		"not encodable": {&smithy.SerializationError{Err: errors.New("no")}, guardrail.Rejected},
	} {
		if got := classOf(fmt.Errorf("operation error: %w", test.err)); got != test.want {
			t.Errorf("%s: class %v, want %v", name, got, test.want)
		}
	}
	if failure("s3:Any", nil) != nil {
		t.Error("no failure became one")
	}
	once := failure("s3:First", answered(403, "AccessDenied", ""))
	if again := failure("s3:Second", fmt.Errorf("wrapped: %w", once)); !errors.Is(again, once) || again.Error() != once.Error() {
		t.Errorf("classified twice: %v", again)
	}
}
