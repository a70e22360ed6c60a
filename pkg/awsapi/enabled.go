package awsapi

import (
	"bytes"
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

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// Regions reads which regions an account has enabled.
type Regions struct{ clients *Clients }

var _ guardrail.Regions = Regions{}

// NewRegions returns a reader of regions.
func NewRegions(c *Clients) Regions { return Regions{clients: c} }

// maxRegionPages bounds how often the next page is asked for.
const maxRegionPages = 10

// EnabledRegions returns the regions that the account has enabled, those that
// are being disabled included: files are still written there. An account that
// may not be read has nil.
func (r Regions) EnabledRegions(ctx context.Context, id string) ([]string, error) {
	if !r.clients.actsAs(id) {
		return nil, nil // the answer would be about another account
	}
	client := r.clients.Account(id)
	regions, token := []string{}, ""
	for range maxRegionPages {
		page, next, err := client.ListRegions(ctx, token)
		err = failure("account:ListRegions", err)
		if guardrail.Is(err, guardrail.Denied) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if regions, token = append(regions, page...), next; token == "" {
			return regions, nil
		}
	}
	return nil, &guardrail.PortError{
		Op: "account:ListRegions", Class: guardrail.Transient, Err: fmt.Errorf("more than %d pages of regions", maxRegionPages),
	}
}

// accountClient calls Account Management. It has one operation, and is needed
// where a policy names regions only: the SDK's client would make each function
// 260 KB larger, and its start slower.
// Source: the API reference of AWS Account Management, ListRegions.
type accountClient struct{ cfg aws.Config }

func (c accountClient) ListRegions(ctx context.Context, token string) (regions []string, next string, err error) {
	in := map[string]any{
		"MaxResults":              50,
		"RegionOptStatusContains": []string{"ENABLED_BY_DEFAULT", "ENABLED", "ENABLING", "DISABLING"},
	}
	if token != "" {
		in["NextToken"] = token
	}
	var out struct {
		Regions   []struct{ RegionName string }
		NextToken string
	}
	if err := c.call(ctx, "/listRegions", in, &out); err != nil {
		return nil, "", err
	}
	for _, r := range out.Regions {
		regions = append(regions, r.RegionName)
	}
	return regions, out.NextToken, nil
}

// address is where a partition has Account Management, and the region that
// requests there are signed for.
// Source: "AWS Account Management endpoints and quotas" in the AWS General
// Reference. Other partitions have no regions to opt in to.
func (c accountClient) address() (url, region string) {
	region, suffix := "us-east-1", "amazonaws.com"
	if arn.Region(c.cfg.Region).Partition() == arn.China {
		region, suffix = "cn-northwest-1", "amazonaws.com.cn"
	}
	if c.cfg.BaseEndpoint != nil {
		return strings.TrimSuffix(*c.cfg.BaseEndpoint, "/"), region
	}
	return "https://account." + region + "." + suffix, region
}

// maxAnswer is more than all regions there are take.
const maxAnswer = 1 << 20

// call posts a request in JSON, signed with version 4, and reads the answer.
func (c accountClient) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	url, region := c.address()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	credentials, err := c.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "account", region, time.Now()); err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	answer, err := c.cfg.HTTPClient.Do(request)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read, or is of no use
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		code, _, _ := strings.Cut(answer.Header.Get("X-Amzn-ErrorType"), ":")
		if code == "" {
			code = http.StatusText(answer.StatusCode)
		}
		fault := smithy.FaultClient
		if answer.StatusCode >= http.StatusInternalServerError {
			fault = smithy.FaultServer
		}
		return &smithy.GenericAPIError{Code: code, Message: string(text[:min(len(text), 300)]), Fault: fault}
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
