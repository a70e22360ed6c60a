package awsapi

import (
	"context"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/inventory"
)

// Members lists the accounts of the caller's organization. The caller's account is its
// management account, or a delegated administrator of some service.
type Members struct{ clients *Clients }

var _ guardrail.Members = Members{}

// NewMembers returns a reader of an organization's accounts.
func NewMembers(c *Clients) Members { return Members{clients: c} }

const (
	// maxMemberPages is more than the largest organization has: 50,000 accounts, 20 to a
	// page, and room for empty ones.
	maxMemberPages = 10_000
	// memberPace and memberBurst stay below the eight calls a second, and twelve at once,
	// that an account may make.
	// Source: orgs_reference_limits.html of the Organizations user guide.
	memberPace  = 6
	memberBurst = 6
)

// Members reads page after page, at a pace that leaves room for others. A page that
// cannot be read is an error: a part of the accounts would look like an organization
// that others have left.
func (m Members) Members(ctx context.Context) ([]inventory.Member, error) {
	const op = "organizations:ListAccounts"
	client := m.clients.Organizations("")
	var all []inventory.Member
	err := eachPage(ctx, rate.NewLimiter(memberPace, memberBurst), op, maxMemberPages, func(token string) (string, error) {
		page, next, err := client.ListAccounts(ctx, token)
		all = append(all, page...)
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads page after page, until there is no token for a next one. A part of a list is
// never taken for all.
func eachPage(ctx context.Context, pace *rate.Limiter, op string, most int, read func(token string) (next string, err error)) error {
	token := ""
	for range most {
		if err := pace.Wait(ctx); err != nil {
			return failure(op, fmt.Errorf("wait for a turn: %w", err))
		}
		next, err := read(token)
		if err != nil {
			return failure(op, err)
		}
		if token = next; token == "" {
			return nil
		}
	}
	return &guardrail.PortError{Op: op, Class: guardrail.Transient, Err: fmt.Errorf("more than %d pages", most)}
}
