package awsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// failure classifies a failed call. It is the only place that does.
func failure(op string, err error) error {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*guardrail.PortError](err); ok {
		return p
	}
	return &guardrail.PortError{Op: op, Class: classOf(err), Code: codeOf(err), Err: err}
}

// codeOf returns the service's error code. S3 gives none for a HEAD request:
// the SDK then makes one up from the status.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// statusOf returns the HTTP status of the answer, or 0 if there was none.
func statusOf(err error) int {
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return r.HTTPStatusCode()
	}
	return 0
}

// classOf says what a failed call means. What is not known counts as
// transient, so that it is tried again and not lost.
func classOf(err error) guardrail.Class {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return guardrail.Transient
	}
	if class, ok := classOfCode(codeOf(err)); ok {
		return class
	}
	if status := statusOf(err); status != 0 {
		return classOfStatus(status)
	}
	if refusedBySDK(err) {
		return guardrail.Rejected
	}
	return guardrail.Transient
}

// refusedBySDK reports whether the SDK found the input unfit to be sent.
func refusedBySDK(err error) bool {
	if _, ok := errors.AsType[smithy.InvalidParamsError](err); ok {
		return true
	}
	_, ok := errors.AsType[*smithy.SerializationError](err)
	return ok
}

// classOfCode classifies the codes whose HTTP status does not say enough.
// Sources: the error pages of each service's API reference.
func classOfCode(code string) (guardrail.Class, bool) {
	switch code {
	case "OperationAborted", "ConditionalRequestConflict", "RequestTimeout", "RequestTimeoutException",
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "RequestLimitExceededException", "TooManyRequestsException", "BandwidthLimitExceeded",
		"LimitExceededException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
		"PriorRequestNotComplete", "SlowDown", "EC2ThrottledException", "KMSThrottling", "KMSThrottlingException",
		"InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "ServiceException",
		"ConflictException", "TransactionConflictException",
		"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed":
		return guardrail.Transient, true
	case "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AccountProblem", "AuthorizationError",
		"AuthorizationErrorException", "AuthFailure", "Forbidden", "InvalidAccessKeyId", "InvalidClientTokenId",
		"InvalidSecurity", "InvalidToken", "KMSAccessDenied", "KMSAccessDeniedException", "MethodNotAllowed",
		"MissingAuthenticationToken", "NotAuthorized", "NotSignedUp", "OptInRequired", "SignatureDoesNotMatch",
		"UnauthorizedAccess", "UnauthorizedOperation", "UnrecognizedClientException":
		return guardrail.Denied, true
	case "NoSuchBucket", "NoSuchBucketPolicy", "NotFound", "NotFoundException", "ResourceNotFoundException",
		"TrailNotFoundException", "PolicyNotFoundException", "AWSOrganizationsNotInUseException":
		return guardrail.Missing, true
	case "MalformedPolicy", "MalformedPolicyDocument", "InvalidPolicyDocument", "PolicyTooLarge", "ValidationException",
		"ValidationError", "EntityTooLarge", "InvalidArgument", "InvalidRequest", "InvalidBucketName",
		"InvalidParameter", "InvalidParameterException", "InvalidParameterValue":
		return guardrail.Rejected, true
	case "ConditionalCheckFailedException", "PreconditionFailed":
		return guardrail.Conflict, true
	}
	return 0, false
}

func classOfStatus(status int) guardrail.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		return guardrail.Denied
	case http.StatusNotFound, http.StatusGone:
		return guardrail.Missing
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusTemporaryRedirect:
		return guardrail.Transient
	case http.StatusPreconditionFailed:
		return guardrail.Conflict
	}
	if status >= http.StatusMultipleChoices && status < http.StatusInternalServerError {
		return guardrail.Rejected
	}
	return guardrail.Transient
}
