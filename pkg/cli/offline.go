package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/repair"
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

	Regions            []string `placeholder:"REGION,…" help:"All regions that the trails' accounts have enabled. Default: not known, beside those that every account has."`
	EventSelectors     []string `placeholder:"FILE,…" help:"Outputs of \"aws cloudtrail get-event-selectors\" and get-insight-selectors. Default: not known."`
	EventConfiguration []string `placeholder:"FILE,…" help:"Outputs of \"aws cloudtrail get-event-configuration\". Default: not known."`
	At                 string   `placeholder:"TIME" help:"Judge for this time, as 2030-01-01 or 2030-01-01T12:00:00Z. Default: now."`

	chainFlags
	rcpFlag
}

// inputs is what the flags and files come to.
type inputs struct {
	bucket      delivery.Bucket
	all         []trail.Trail // of the file
	trails      []trail.Trail // that deliver into the bucket
	environment trail.Environment
	policy      *policyFile // nil: the bucket has none
	chain       delivery.Chain
	rcps        []delivery.RCPs // none: they are not known
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
	if f.Bucket, err = parseBucket(f.Bucket); err != nil {
		return nil, err
	}
	if err := checkBucketOwner(f.BucketOwner); err != nil {
		return nil, err
	}
	if f.RequestPayer != "" && f.RequestPayer != delivery.PayerOwner && f.RequestPayer != delivery.PayerRequester {
		return nil, errors.New("--request-payer: expected BucketOwner or Requester")
	}
	at, err := parseTime(f.At, sys.now)
	if err != nil {
		return nil, err
	}
	if err := sys.checkRegions("--bucket-region", f.BucketRegion); err != nil {
		return nil, err
	}
	in := &inputs{
		bucket: delivery.Bucket{
			Name: f.Bucket, Owner: f.BucketOwner, Region: f.BucketRegion,
			State: delivery.PolicyMissing, Payer: f.RequestPayer,
		},
		environment: trail.Environment{
			Bucket: f.Bucket, BucketOwner: f.BucketOwner, BucketRegion: f.BucketRegion,
			Organization: organization, Now: at,
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
	if in.trails, err = trailsInto(s, all, f.Bucket); err != nil {
		return nil, err
	}
	in.all = all
	i := slices.IndexFunc(in.trails, func(t trail.Trail) bool { return t.Organization })
	if f.OrganizationID == "none" && i >= 0 {
		return nil, fmt.Errorf("--organization-id none: %s is an organization trail; expected the organization's id", in.trails[i].ARN)
	}
	if len(f.Regions) > 0 {
		if err := sys.checkRegions("--regions", f.Regions...); err != nil {
			return nil, err
		}
		in.environment.EnabledRegions = map[string][]string{"": f.Regions}
	}
	for _, path := range slices.Concat(f.EventSelectors, f.EventConfiguration) {
		s, err := sys.read(path, maxTrailsFile, `the output of "aws cloudtrail get-event-selectors"`)
		if err != nil {
			return nil, err
		}
		if err := in.addSelectors(s.text); err != nil {
			return nil, s.errorf("%w", err)
		}
	}
	if in.chain, err = f.loadChain(sys, in.trails); err != nil {
		return nil, err
	}
	if in.rcps, err = f.loadRCPs(sys, f.BucketOwner, in.trails); err != nil {
		return nil, err
	}
	return in, nil
}

// addSelectors adds what a file says of event selectors: of trails of the bucket, or of
// another trail of the file, which may log what one of the bucket does not.
func (in *inputs) addSelectors(text []byte) error {
	trails, err := trail.WithSelectors(in.trails, text)
	if err != nil {
		all, ofAll := trail.WithSelectors(in.all, text)
		if ofAll != nil {
			return err
		}
		in.all = all
		return nil
	}
	in.trails = trails
	for i := range in.all {
		for _, t := range trails {
			if t.ARN == in.all[i].ARN {
				in.all[i] = t
			}
		}
	}
	return nil
}

// checkRegions fails for what is no region, and warns of a region that this
// version does not know: it is taken as it is.
func (sys *system) checkRegions(flag string, regions ...string) error {
	for _, r := range regions {
		if r == "" {
			continue
		}
		region, err := arn.ParseRegion(r)
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		if !slices.Contains(trail.Regions(region.Partition()), r) {
			printf(sys.stderr, "trailwarden: warning: %s: %s is no region that this version knows; it is taken as it is\n", flag, r)
		}
	}
	return nil
}

func parseTime(text string, now func() time.Time) (time.Time, error) {
	if text == "" {
		return now(), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("--at: expected a time such as 2030-01-01 or 2030-01-01T12:00:00Z")
}

// judge judges the bucket, with the advice that a plan gives.
func (in *inputs) judge() (delivery.Report, repair.Plan) {
	budget := delivery.NewBudget(in.bucket, in.trails)
	report := delivery.JudgeWithin(budget, in.bucket, in.trails, in.environment)
	report, plan := advise(budget, in.bucket, in.trails, in.environment, report)
	return in.judgeRest(budget, report), plan
}

// judgeRest adds what the trails' keys and topics say, and what resource control policies deny.
func (in *inputs) judgeRest(budget *policy.Budget, report delivery.Report) delivery.Report {
	report = delivery.JudgeChain(budget, report, in.bucket, in.trails, in.environment, in.chain)
	return delivery.JudgeRCPs(budget, report, in.bucket, in.trails, in.environment, in.chain, in.rcps...)
}

// advise returns the report with what restoring would do as its advice, and the plan of it.
func advise(
	budget *policy.Budget, b delivery.Bucket, trails []trail.Trail, env trail.Environment, report delivery.Report,
) (delivery.Report, repair.Plan) {
	plan := repair.For(b, trails, env, report, repair.Options{Budget: budget})
	hardened := repair.Plan{}
	if repair.Hardens(report) {
		hardened = repair.For(b, trails, env, report, repair.Options{Harden: true, Budget: budget})
	}
	return repair.Advise(b.Policy, report, plan, hardened), plan
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

// parseBucket reads the name of a bucket, as it is, in its ARN or in an s3://
// address.
func parseBucket(text string) (string, error) {
	name := text
	if a := arn.Split(text); a.Service == "s3" {
		name = a.Resource
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "s3://"), "/")
	if name == "" || strings.ContainsAny(name, "/:") {
		return "", errors.New("--bucket: expected the name of a bucket, its ARN or s3://NAME")
	}
	return name, nil
}
