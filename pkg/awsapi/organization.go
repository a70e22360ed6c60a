package awsapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
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
	out, err := o.clients.Organizations(account).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if _, ok := errors.AsType[*types.AWSOrganizationsNotInUseException](err); ok {
		return trail.Organization{Known: true}, nil
	}
	err = failure("organizations:DescribeOrganization", err)
	if guardrail.Is(err, guardrail.Denied) {
		return trail.Organization{}, nil
	}
	if err != nil {
		return trail.Organization{}, err
	}
	if out.Organization == nil {
		return trail.Organization{}, nil
	}
	return trail.Organization{
		Known:             true,
		ID:                aws.ToString(out.Organization.Id),
		ManagementAccount: aws.ToString(out.Organization.MasterAccountId),
		Members:           []string{account},
	}, nil
}
