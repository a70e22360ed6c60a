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

// offlineFlags are the flags of the commands that judge a bucket from files.
type offlineFlags struct {
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
	bucket      delivery.Bucket
	trails      []trail.Trail
	environment trail.Environment
	policy      *policyFile // nil: the bucket has none
}

// load reads the files and checks the flags.
func (f *offlineFlags) load(sys *system) (*inputs, error) {
	if f.Policy == "-" && f.Trails == "-" {
		return nil, errors.New("--policy and --trails cannot both be read from standard input")
	}
	organization, err := parseOrganization(f.OrganizationID)
	if err != nil {
		return nil, err
	}
	if f.Bucket == "" {
		return nil, errors.New("--bucket: expected the name of a bucket")
	}
	if err := checkBucketOwner(f.BucketOwner); err != nil {
		return nil, err
	}
	if f.RequestPayer != "" && f.RequestPayer != delivery.PayerOwner && f.RequestPayer != delivery.PayerRequester {
		return nil, errors.New("--request-payer: expected BucketOwner or Requester")
	}
	in := &inputs{
		bucket: delivery.Bucket{
			Name: f.Bucket, Owner: f.BucketOwner, Region: f.BucketRegion,
			State: delivery.PolicyMissing, Payer: f.RequestPayer,
		},
		environment: trail.Environment{
			Bucket: f.Bucket, BucketOwner: f.BucketOwner, BucketRegion: f.BucketRegion,
			Organization: organization, Now: sys.now(),
		},
	}
	if !f.NoPolicy {
		if in.policy, err = sys.readPolicy(f.Policy, f.Bucket); err != nil {
			return nil, err
		}
		in.bucket.State, in.bucket.Policy = delivery.PolicyRead, in.policy.document
	}
	all, s, err := sys.readTrails(f.Trails)
	if err != nil {
		return nil, err
	}
	in.trails, err = trailsInto(s, all, f.Bucket)
	return in, err
}

const expectTrails = `the output of "aws cloudtrail describe-trails"`

// readTrails reads a file of trails. It also returns the file, for errors about it.
func (sys *system) readTrails(path string) ([]trail.Trail, source, error) {
	s, err := sys.read(path, maxTrailsFile, expectTrails)
	if err != nil {
		return nil, s, err
	}
	trails, err := trail.Parse(s.text)
	if err != nil {
		return nil, s, s.errorf("%w", err)
	}
	return trails, s, nil
}

// trailsInto returns the trails that deliver into a bucket, of which there must
// be one.
func trailsInto(s source, all []trail.Trail, bucket string) ([]trail.Trail, error) {
	var into []trail.Trail
	for _, t := range all {
		if t.Bucket == bucket {
			into = append(into, t)
		}
	}
	if len(into) == 0 {
		return nil, s.errorf("no trail in it delivers into %s; its trails use %s", bucket, strings.Join(bucketsOf(all), ", "))
	}
	return into, nil
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

// checkBucketOwner checks the flag, which is optional.
func checkBucketOwner(owner string) error {
	if owner == "" {
		return nil
	}
	if _, err := arn.ParseAccount(owner); err != nil {
		return fmt.Errorf("--bucket-owner: %w", err)
	}
	return nil
}
