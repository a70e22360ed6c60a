package awsapi

import (
	"context"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/policy"
)

const (
	// maxPolicyPages bounds a list of policies, or of what one is attached to. An organization
	// has at most 2,000 resource control policies, and a unit or account takes five.
	maxPolicyPages = 5_000
	// describePace and policyPace stay below what an account may ask of AWS Organizations:
	// DescribePolicy twice a second, ListPolicies and ListTargetsForPolicy five times.
	// Source: orgs_reference_limits.html of the Organizations user guide.
	describePace = 1.5
	policyPace   = 4
)

// rcpServices are the services whose requests resource control policies are read for.
func rcpServices() []string { return []string{policy.S3().Service, policy.KMS().Service} }

var _ guardrail.RCPs = Members{}

// RCPs reads the resource control policies of the caller's organization that may deny something
// of a bucket or a key, with what they are attached to: one call for each policy, and one more
// for each of those. The cost grows with the policies, not with the accounts. AWS's own policy
// denies nothing and is not read.
func (m Members) RCPs(ctx context.Context) ([]inventory.AttachedRCP, error) {
	client := m.clients.Organizations("")
	describing, listing := rate.NewLimiter(describePace, 2), rate.NewLimiter(policyPace, 4)
	var found []inventory.AttachedRCP
	err := eachPage(ctx, listing, "organizations:ListPolicies", maxPolicyPages, func(token string) (string, error) {
		page, next, err := client.ListPolicies(ctx, token)
		for _, p := range page {
			if !p.AWSManaged {
				found = append(found, inventory.AttachedRCP{ID: p.ID, Name: p.Name})
			}
		}
		return next, err
	})
	if err != nil {
		return nil, err
	}
	out := found[:0]
	for _, p := range found {
		if err := describing.Wait(ctx); err != nil {
			return nil, failure("organizations:DescribePolicy", fmt.Errorf("wait for a turn: %w", err))
		}
		var err error
		if p.Content, err = client.DescribePolicy(ctx, p.ID); err != nil {
			if err = failure("organizations:DescribePolicy", err); guardrail.Is(err, guardrail.Missing) {
				continue // it was deleted meanwhile
			}
			return nil, err
		}
		if parsed, err := policy.ParseRCP(p.ID, p.Name, []byte(p.Content)); err == nil && !parsed.Denies(rcpServices()...) {
			continue
		}
		err = eachPage(ctx, listing, "organizations:ListTargetsForPolicy", maxPolicyPages, func(token string) (string, error) {
			targets, next, err := client.ListTargetsForPolicy(ctx, p.ID, token)
			p.Targets = append(p.Targets, targets...)
			return next, err
		})
		switch {
		case guardrail.Is(err, guardrail.Missing):
			continue
		case err != nil:
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// PolicySummary is a policy of AWS Organizations without its text.
type PolicySummary struct {
	ID, Name   string
	AWSManaged bool
}

const typeRCP = "RESOURCE_CONTROL_POLICY"

// ListPolicies reads one page of the resource control policies.
func (c organizationsClient) ListPolicies(ctx context.Context, token string) (policies []PolicySummary, next string, err error) {
	var out struct {
		Policies  []PolicySummary
		NextToken string
	}
	err = c.call(ctx, "ListPolicies", withToken(map[string]any{"Filter": typeRCP}, token), &out)
	return out.Policies, out.NextToken, err
}

// DescribePolicy reads the text of a policy.
func (c organizationsClient) DescribePolicy(ctx context.Context, id string) (content string, err error) {
	var out struct{ Policy struct{ Content string } }
	err = c.call(ctx, "DescribePolicy", map[string]any{"PolicyId": id}, &out)
	return out.Policy.Content, err
}

// ListTargetsForPolicy reads one page of what a policy is attached to.
func (c organizationsClient) ListTargetsForPolicy(ctx context.Context, id, token string) (targets []string, next string, err error) {
	var out struct {
		Targets   []struct{ TargetID string }
		NextToken string
	}
	err = c.call(ctx, "ListTargetsForPolicy", withToken(map[string]any{"PolicyId": id}, token), &out)
	for _, t := range out.Targets {
		targets = append(targets, t.TargetID)
	}
	return targets, out.NextToken, err
}

func withToken(in map[string]any, token string) map[string]any {
	if token != "" {
		in["NextToken"] = token
	}
	return in
}

// call calls an operation of AWS Organizations.
func (c organizationsClient) call(ctx context.Context, operation string, in, out any) error {
	call := signedCall{
		service: "organizations", region: c.region(), path: "/",
		target: "AWSOrganizationsV20161128." + operation, contentType: "application/x-amz-json-1.1",
	}
	return call.send(ctx, c.cfg, in, out)
}
