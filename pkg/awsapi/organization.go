package awsapi

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// organizationAge is how long an answer is kept. Accounts seldom change their
// organization, and Organizations allows few calls a second.
const organizationAge = 15 * time.Minute

// Organizations reads the organization of an account. It is safe for use by
// several goroutines.
type Organizations struct {
	clients *Clients
	now     func() time.Time

	mu   sync.Mutex
	kept map[string]keptOrganization // by account
}

type keptOrganization struct {
	organization trail.Organization
	at           time.Time
}

var _ guardrail.Organizations = (*Organizations)(nil)

// NewOrganizations returns a reader of organizations.
func NewOrganizations(c *Clients, now func() time.Time) *Organizations {
	return &Organizations{clients: c, now: now, kept: make(map[string]keptOrganization)}
}

// Organization returns what is known of the account's organization, read in
// the last quarter of an hour. Of the members it names only the account
// itself: more would take rights that few roles have.
func (o *Organizations) Organization(ctx context.Context, account string) (trail.Organization, error) {
	if kept, ok := o.fresh(account); ok {
		return kept, nil
	}
	organization, err := o.read(ctx, account)
	if err != nil {
		return trail.Organization{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept[account] = keptOrganization{organization, o.now()}
	return organization, nil
}

func (o *Organizations) fresh(account string) (trail.Organization, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept, ok := o.kept[account]
	return kept.organization, ok && o.now().Sub(kept.at) < organizationAge
}

func (o *Organizations) read(ctx context.Context, account string) (trail.Organization, error) {
	if !o.clients.actsAs(account) {
		// The answer would be about another account's organization.
		return trail.Organization{}, nil
	}
	id, management, err := o.clients.Organizations(account).DescribeOrganization(ctx)
	err = failure("organizations:DescribeOrganization", err)
	switch {
	case codeOf(err) == "AWSOrganizationsNotInUseException":
		return trail.Organization{Known: true}, nil
	case guardrail.Is(err, guardrail.Denied):
		return trail.Organization{}, nil
	case err != nil:
		return trail.Organization{}, err
	case id == "":
		return trail.Organization{}, nil
	}
	return trail.Organization{Known: true, ID: id, ManagementAccount: management, Members: []string{account}}, nil
}

// organizationsClient calls AWS Organizations, which has one endpoint in a
// partition.
// Sources: the API reference of AWS Organizations, DescribeOrganization; "AWS
// Organizations endpoints and quotas" in the AWS General Reference.
type organizationsClient struct{ cfg aws.Config }

func (c organizationsClient) DescribeOrganization(ctx context.Context) (id, managementAccount string, err error) {
	var out struct {
		Organization struct{ Id, MasterAccountId string } //nolint:revive // as in the answer
	}
	err = c.call(ctx, "DescribeOrganization", map[string]any{}, &out)
	return out.Organization.Id, out.Organization.MasterAccountId, err
}

// ListAccounts reads one page of the accounts.
// Source: the API reference of AWS Organizations, ListAccounts: a page may be empty and
// still carry a token. Account: Status was retired in favour of State on 9 September 2026.
func (c organizationsClient) ListAccounts(ctx context.Context, token string) (accounts []inventory.Member, next string, err error) {
	var out struct {
		Accounts []struct {
			Id, Name      string //nolint:revive // as in the answer
			State, Status inventory.State
			Paths         []string
		}
		NextToken string
	}
	if err := c.call(ctx, "ListAccounts", withToken(map[string]any{}, token), &out); err != nil {
		return nil, "", err
	}
	for _, a := range out.Accounts {
		accounts = append(accounts, inventory.Member{ID: a.Id, Name: a.Name, State: cmp.Or(a.State, a.Status), Units: unitsOf(a.Paths)})
	}
	return accounts, out.NextToken, nil
}

// unitsOf are the ids of the root and the units in the path of an account,
// "o-exampleorgid/r-exampleroot/ou-exampleouid/123456789012/".
func unitsOf(paths []string) []string {
	var units []string
	for _, path := range paths {
		for part := range strings.SplitSeq(path, "/") {
			if strings.HasPrefix(part, "r-") || strings.HasPrefix(part, "ou-") {
				units = append(units, part)
			}
		}
	}
	return units
}

// region is where the partition of the caller has the service.
func (c organizationsClient) region() string {
	region := arn.Region(c.cfg.Region)
	switch region.Partition() {
	case arn.China:
		return "cn-northwest-1"
	case arn.GovCloud:
		return "us-gov-west-1"
	case arn.Commercial:
		return "us-east-1"
	default:
		return string(region)
	}
}
