package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// requiredCommand prints the documented policy.
type requiredCommand struct {
	Trails         string `required:"" placeholder:"FILE" help:"The output of \"aws cloudtrail describe-trails\"; - reads standard input."`
	Bucket         string `placeholder:"NAME" help:"The bucket, where the trails use several."`
	OrganizationID string `placeholder:"ID" help:"The organization of the trails' account (o-…), which organization trails need."`
}

// Run prints the policy.
func (c *requiredCommand) Run(sys *system) error {
	organization, err := parseOrganization(c.OrganizationID)
	if err != nil {
		return err
	}
	trails, s, err := sys.readTrails(c.Trails)
	if err != nil {
		return err
	}
	buckets := bucketsOf(trails)
	switch {
	case c.Bucket == "" && len(buckets) > 1:
		return s.errorf("its trails use several buckets (%s); choose one with --bucket", strings.Join(buckets, ", "))
	case c.Bucket == "":
		c.Bucket = buckets[0]
	default:
		if c.Bucket, err = parseBucket(c.Bucket); err != nil {
			return err
		}
	}
	if trails, err = trailsInto(s, trails, c.Bucket); err != nil {
		return err
	}
	text, err := trail.DocumentedPolicy(trails, trail.Environment{Bucket: c.Bucket, Organization: organization})
	switch {
	case errors.Is(err, trail.ErrNoOrganization):
		return s.errorf("%w; give it with --organization-id", err)
	case err != nil:
		return s.errorf("%w", err)
	}
	_, err = fmt.Fprintf(sys.stdout, "%s\n", bytes.TrimRight(text, "\n"))
	return err
}
