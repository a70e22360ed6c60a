package awsapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithytime "github.com/aws/smithy-go/time"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// signedCall is one operation of a service, which takes and gives JSON or what its
// content type says, called without the SDK's client for the service. The SDK signs it
// and sends it. Each client that is left out makes a function some 200 KB smaller, and its
// start shorter; so it is for services of which one or two operations are called, now and then.
type signedCall struct {
	service     string // "account", as it is signed
	region      string // of the service's endpoint in the partition
	method      string // empty: POST
	path        string // "/listRegions", or "/"
	target      string // of the header X-Amz-Target, empty: none
	contentType string
}

// maxAnswer is more than any of the answers takes. A page of stacks has up to 1 MB.
const maxAnswer = 4 << 20

// send sends a request and reads the answer, and tries again what may pass.
func (c signedCall) send(ctx context.Context, cfg aws.Config, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	text, err := c.exchange(ctx, cfg, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// exchange sends a request, and tries again what may pass. It returns the answer.
func (c signedCall) exchange(ctx context.Context, cfg aws.Config, body []byte) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		text, err := c.once(ctx, cfg, body)
		if err == nil || attempt == attempts || classOf(err) != guardrail.Transient {
			return text, err
		}
		if smithytime.SleepWithContext(ctx, time.Duration(attempt)*200*time.Millisecond) != nil {
			return nil, err
		}
	}
}

func (c signedCall) once(ctx context.Context, cfg aws.Config, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, cmp.Or(c.method, http.MethodPost), c.address(cfg)+c.path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Content-Type", c.contentType)
	if c.target != "" {
		request.Header.Set("X-Amz-Target", c.target)
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), c.service, c.region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	answer, err := cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read, or is of no use
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, apiError(answer, text)
	}
	return text, nil
}

// apiError is the error of an answer. Its code is in a header, in JSON as __type, in XML as
// Code, or not there: then the status says what it is.
func apiError(answer *http.Response, text []byte) error {
	var body struct {
		Type string `json:"__type"`
	}
	code := answer.Header.Get("X-Amzn-ErrorType")
	if code == "" && json.Unmarshal(text, &body) == nil {
		code = body.Type
	}
	if _, rest, ok := strings.Cut(string(text), "<Code>"); code == "" && ok {
		code, _, _ = strings.Cut(rest, "</Code>")
	}
	code, _, _ = strings.Cut(code, ":")
	code = code[strings.LastIndex(code, "#")+1:]
	if code == "" {
		code = http.StatusText(answer.StatusCode)
	}
	fault := smithy.FaultClient
	if answer.StatusCode >= http.StatusInternalServerError {
		fault = smithy.FaultServer
	}
	// With the status, which says what a code means that is not known.
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: answer},
		Err:      &smithy.GenericAPIError{Code: code, Message: string(text[:min(len(text), 300)]), Fault: fault},
	}
}

func (c signedCall) address(cfg aws.Config) string {
	if cfg.BaseEndpoint != nil {
		return strings.TrimSuffix(*cfg.BaseEndpoint, "/")
	}
	suffix := "amazonaws.com"
	if arn.Region(c.region).Partition() == arn.China {
		suffix = "amazonaws.com.cn"
	}
	return "https://" + c.service + "." + c.region + "." + suffix
}
