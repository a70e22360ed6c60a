package awsapi

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

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

// Accounts reads what accounts are called. It is safe for use by several goroutines.
type Accounts struct {
	clients *Clients

	mu    sync.Mutex
	names map[string]string // by account
}

var _ guardrail.Accounts = (*Accounts)(nil)

// NewAccounts returns a reader of the names of accounts.
func NewAccounts(c *Clients) *Accounts { return &Accounts{clients: c, names: make(map[string]string)} }

// AccountName returns the name of the account, which is asked for once. An account that may not
// be read has none.
func (a *Accounts) AccountName(ctx context.Context, id string) (string, error) {
	if !a.clients.actsAs(id) {
		return "", nil // the answer would be about another account
	}
	a.mu.Lock()
	name, known := a.names[id]
	a.mu.Unlock()
	if known {
		return name, nil
	}
	name, err := a.clients.Account(id).GetAccountInformation(ctx)
	err = failure("account:GetAccountInformation", err)
	if err != nil && !guardrail.Is(err, guardrail.Denied) {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names[id] = name
	return name, nil
}

// accountClient calls Account Management, which has one endpoint in a partition.
// Sources: the API reference of AWS Account Management, ListRegions and GetAccountInformation;
// "AWS Account Management endpoints and quotas" in the AWS General Reference. Other
// partitions have no regions to opt in to.
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
	if err := c.call("/listRegions").send(ctx, c.cfg, in, &out); err != nil {
		return nil, "", err
	}
	for _, r := range out.Regions {
		regions = append(regions, r.RegionName)
	}
	return regions, out.NextToken, nil
}

func (c accountClient) GetAccountInformation(ctx context.Context) (name string, err error) {
	var out struct{ AccountName string }
	err = c.call("/getAccountInformation").send(ctx, c.cfg, map[string]any{}, &out)
	return out.AccountName, err
}

func (c accountClient) call(path string) signedCall {
	region := "us-east-1"
	if arn.Region(c.cfg.Region).Partition() == arn.China {
		region = "cn-northwest-1"
	}
	return signedCall{service: "account", region: region, path: path, contentType: "application/json"}
}
