package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// offline are the flags of the commands that judge a bucket from files.
type offline struct {
	Bucket         string `required:"" placeholder:"NAME" help:"The bucket that the trails deliver into."`
	Policy         string `required:"" xor:"policy" placeholder:"FILE" help:"Its policy, bare or as \"aws s3api get-bucket-policy\" prints it; - reads standard input."`
	NoPolicy       bool   `required:"" xor:"policy" help:"The bucket has no policy."`
	Trails         string `required:"" placeholder:"FILE" help:"The output of \"aws cloudtrail describe-trails\"; - reads standard input."`
	OrganizationID string `placeholder:"ID" help:"The organization of the trails' account (o-…), or none. Default: not known."`
	BucketOwner    string `placeholder:"ACCOUNT" help:"The account that owns the bucket. Default: not known."`
	BucketRegion   string `placeholder:"REGION" help:"The bucket's region. Default: not known."`
	RequestPayer   string `placeholder:"PAYER" help:"BucketOwner or Requester, as \"aws s3api get-bucket-request-payment\" says. Default: not known."`
}

// inputs is what the flags and files come to.
type inputs struct {
	bucket  delivery.Bucket
	trails  []trail.Trail
	setting trail.Environment
	policy  *policyFile // nil: the bucket has none
}

func (o *offline) load(e *environment) (*inputs, error) {
	if o.Policy == "-" && o.Trails == "-" {
		return nil, errors.New("--policy and --trails cannot both be read from standard input")
	}
	organization, err := parseOrganization(o.OrganizationID)
	if err != nil {
		return nil, err
	}
	if o.Bucket == "" {
		return nil, errors.New("--bucket: expected the name of a bucket")
	}
	if err := checkBucketOwner(o.BucketOwner); err != nil {
		return nil, err
	}
	switch {
	case o.RequestPayer != "" && o.RequestPayer != delivery.PayerOwner && o.RequestPayer != delivery.PayerRequester:
		return nil, errors.New("--request-payer: expected BucketOwner or Requester")
	}
	in := &inputs{
		bucket: delivery.Bucket{
			Name: o.Bucket, Owner: o.BucketOwner, Region: o.BucketRegion,
			State: delivery.PolicyMissing, Payer: o.RequestPayer,
		},
		setting: trail.Environment{
			Bucket: o.Bucket, BucketOwner: o.BucketOwner, BucketRegion: o.BucketRegion,
			Organization: organization, Now: e.now(),
		},
	}
	if !o.NoPolicy {
		if in.policy, err = e.readPolicy(o.Policy, o.Bucket); err != nil {
			return nil, err
		}
		in.bucket.State, in.bucket.Policy = delivery.PolicyRead, in.policy.document
	}
	all, s, err := e.readTrails(o.Trails)
	if err != nil {
		return nil, err
	}
	in.trails, err = trailsOf(s, all, o.Bucket)
	return in, err
}

const expectTrails = `the output of "aws cloudtrail describe-trails"`

func (e *environment) readTrails(path string) ([]trail.Trail, source, error) {
	s, err := e.read(path, maxTrailsFile, expectTrails)
	if err != nil {
		return nil, s, err
	}
	trails, err := trail.Parse(s.text)
	if err != nil {
		return nil, s, s.errorf("%w", err)
	}
	return trails, s, nil
}

// trailsOf returns the trails that deliver into a bucket, of which there must
// be one.
func trailsOf(s source, all []trail.Trail, bucket string) ([]trail.Trail, error) {
	var of []trail.Trail
	for _, t := range all {
		if t.Bucket == bucket {
			of = append(of, t)
		}
	}
	if len(of) == 0 {
		return nil, s.errorf("no trail in it delivers into %s; its trails use %s", bucket, strings.Join(bucketsOf(all), ", "))
	}
	return of, nil
}

// bucketsOf returns the buckets of trails, sorted.
func bucketsOf(trails []trail.Trail) []string {
	var names []string
	for _, t := range trails {
		names = append(names, t.Bucket)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func parseOrganization(id string) (trail.Organization, error) {
	switch {
	case id == "":
		return trail.Organization{}, nil
	case id == "none":
		return trail.Organization{Known: true}, nil
	case regexp.MustCompile(`^o-[a-z0-9]{10,32}$`).MatchString(id):
		return trail.Organization{Known: true, ID: id}, nil
	default:
		return trail.Organization{}, errors.New("--organization-id: expected an id such as o-exampleorg1, or none")
	}
}

// checkBucketOwner checks the flag, which may be left out.
func checkBucketOwner(owner string) error {
	if owner == "" {
		return nil
	}
	if _, err := arn.ParseAccount(owner); err != nil {
		return fmt.Errorf("--bucket-owner: %w", err)
	}
	return nil
}
