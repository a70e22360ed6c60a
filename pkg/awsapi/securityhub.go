package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/trailwarden/trailwarden/pkg/asff"
)

// Findings puts findings into AWS Security Hub CSPM.
type Findings struct{ api SecurityHubAPI }

// NewFindings returns a writer to Security Hub of the configuration's account and region.
func NewFindings(c *Clients) Findings { return Findings{securityHubClient{c.base}} }

// Put imports the finding and, where it is settled, says so in its workflow, which an import
// leaves as it is. Both may be repeated. A failure is a [guardrail.PortError].
func (f Findings) Put(ctx context.Context, finding asff.Finding) error {
	if err := failure("securityhub:BatchImportFindings", f.api.BatchImportFindings(ctx, finding)); err != nil {
		return err
	}
	if !finding.Settled() {
		return nil
	}
	return failure("securityhub:BatchUpdateFindings", f.api.BatchUpdateFindings(ctx, finding))
}

// securityHubClient calls Security Hub. Its client in the SDK describes every kind of resource
// of AWS, which makes it larger than all others together.
// Sources: BatchImportFindings and BatchUpdateFindings in the API reference of Security Hub.
type securityHubClient struct{ cfg aws.Config }

func (c securityHubClient) BatchImportFindings(ctx context.Context, f asff.Finding) error {
	var out struct {
		FailedCount    int
		FailedFindings []struct{ ErrorCode, ErrorMessage string }
	}
	call := signedCall{service: "securityhub", region: c.cfg.Region, path: "/findings/import", contentType: "application/json"}
	if err := call.send(ctx, c.cfg, map[string]any{"Findings": []asff.Finding{f}}, &out); err != nil {
		return err
	}
	if len(out.FailedFindings) > 0 {
		return refused(out.FailedFindings[0].ErrorCode, out.FailedFindings[0].ErrorMessage)
	}
	if out.FailedCount > 0 {
		return fmt.Errorf("%d findings failed, without a reason", out.FailedCount)
	}
	return nil
}

func (c securityHubClient) BatchUpdateFindings(ctx context.Context, f asff.Finding) error {
	var out struct {
		UnprocessedFindings []struct{ ErrorCode, ErrorMessage string }
	}
	in := map[string]any{
		"FindingIdentifiers": []map[string]string{{"Id": f.ID, "ProductArn": f.ProductArn}},
		"Workflow":           f.Workflow,
	}
	call := signedCall{
		service: "securityhub", region: c.cfg.Region, method: "PATCH", path: "/findings/batchupdate", contentType: "application/json",
	}
	if err := call.send(ctx, c.cfg, in, &out); err != nil {
		return err
	}
	if len(out.UnprocessedFindings) > 0 {
		return refused(out.UnprocessedFindings[0].ErrorCode, out.UnprocessedFindings[0].ErrorMessage)
	}
	return nil
}

// refused is the failure of one finding in a call that succeeded. It may pass: the finding was
// imported a moment ago and cannot be found yet, or is being written.
func refused(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultServer}
}
