package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/repair"
)

// scanCommand judges infrastructure as code before it is deployed.
type scanCommand struct {
	Paths []string `arg:"" name:"path" help:"A plan or state as \"terraform show -json\" or \"tofu show -json\" prints it, a CloudFormation template or change set, or a cdk.out folder; - reads standard input."`

	OrganizationID string   `placeholder:"ID" help:"The organization of the trails' account (o-…), or none. Default: not known."`
	Account        string   `placeholder:"ACCOUNT" help:"The account that is deployed to, where the plan or template does not tell."`
	Region         string   `placeholder:"REGION" help:"The region that is deployed to, where the plan or template does not tell."`
	Trails         string   `placeholder:"FILE" help:"Trails that are not in the plan: the output of \"aws cloudtrail describe-trails\"."`
	Regions        []string `placeholder:"REGION,…" help:"All regions that the trails' accounts have enabled. Default: not known, beside those that every account has."`
	Parameters     string   `placeholder:"FILE" help:"Values of a template's parameters, as \"aws cloudformation\" takes them, or one object of names and values."`
	Base           string   `placeholder:"FILE" help:"The template, or cdk.out folder, that is deployed now: \"aws cloudformation get-template\" prints it. Default: a template is judged as if its stack were made anew."`
	Source         string   `placeholder:"DIR" help:"The folder of the root module, to find lines in. Default: the plan's folder, then the current one."`
	All            bool     `help:"Exit with 1 also for what was broken before, and show what does not change."`
	Strict         bool     `help:"Exit with 1 also for new buckets of which it is known only after the change whether they take their trail."`
	At             string   `placeholder:"TIME" help:"Judge for this time, as 2030-01-01 or 2030-01-01T12:00:00Z. Default: now."`
	Format         string   `enum:"text,json,sarif,github,markdown" default:"text" placeholder:"FORMAT" help:"text, json, sarif (2.1.0), github (annotations) or markdown (a job summary)."`
	acceptedFlag
}

// scanned is what was found in one source.
type scanned struct {
	source  string // the path as it was given
	partial string // why it is a part only; empty: it is whole
	assumed []string
	buckets []scannedBucket
}

// scannedBucket is a bucket with what would mend it.
type scannedBucket struct {
	iac.BucketReport

	// plan is what would mend it, where all is known.
	plan *repair.Plan
	// proposals are statements that keys and topics lack.
	proposals []repair.Proposal
	// accepted are weaknesses that were taken out of the findings.
	accepted []delivery.AcceptedFinding
	// statements are the places of statements that were found in the sources, by Sid.
	statements map[string]iac.Origin
}

// Run scans and prints.
func (c *scanCommand) Run(sys *system) error {
	set, err := c.setting(sys)
	if err != nil {
		return err
	}
	entries, err := c.acceptances(sys)
	if err != nil {
		return err
	}
	if n := len(c.Paths); n > 1 && slices.Contains(c.Paths, "-") {
		return errors.New("standard input is read alone: give - and no other path")
	}
	var all []scanned
	for _, path := range c.Paths {
		s, err := c.scan(sys, path, set, entries)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	var accepted []delivery.AcceptedFinding
	judged := map[string]bool{}
	for _, s := range all {
		for _, b := range s.buckets {
			accepted = append(accepted, b.accepted...)
			judged[b.Bucket], judged[b.Address] = true, true
		}
	}
	c.warn(sys, entries, accepted, func(a delivery.Acceptance) bool { return judged[a.Bucket] }, set.Now)
	switch c.Format {
	case "json":
		err = printJSON(sys.stdout, newScanJSON(all))
	case "sarif":
		err = printJSON(sys.stdout, newScanSARIF(all))
	case "github":
		c.writeAnnotations(sys, all)
	case "markdown":
		c.writeMarkdown(sys.stdout, all)
	default:
		c.writeScan(sys.screen, all)
	}
	if err != nil {
		return err
	}
	return c.exit(all)
}

// setting is what the flags say beside the plan.
func (c *scanCommand) setting(sys *system) (iac.Setting, error) {
	organization, err := parseOrganization(c.OrganizationID)
	if err != nil {
		return iac.Setting{}, err
	}
	at, err := parseTime(c.At, sys.now)
	if err != nil {
		return iac.Setting{}, err
	}
	if c.Account != "" {
		if _, err := arn.ParseAccount(c.Account); err != nil {
			return iac.Setting{}, fmt.Errorf("--account: %w", err)
		}
	}
	if err := sys.checkRegions("--region", c.Region); err != nil {
		return iac.Setting{}, err
	}
	set := iac.Setting{Organization: organization, Now: at}
	if len(c.Regions) > 0 {
		if err := sys.checkRegions("--regions", c.Regions...); err != nil {
			return iac.Setting{}, err
		}
		set.EnabledRegions = map[string][]string{"": c.Regions}
	}
	if c.Trails != "" {
		if set.Trails, _, err = sys.readTrails(c.Trails); err != nil {
			return iac.Setting{}, err
		}
	}
	return set, nil
}

// scan reads a source and judges it.
func (c *scanCommand) scan(sys *system, path string, set iac.Setting, entries []delivery.Acceptance) (scanned, error) {
	in, err := c.read(sys, path)
	if err != nil {
		return scanned{}, err
	}
	out := scanned{source: path, partial: in.Partial, assumed: in.Assumed}
	find := newSourceFinder(c.Source, path)
	for _, r := range iac.Assess(in, set) {
		r.Origin = find.locate(r.Origin)
		open, accepted := acceptedIn(r, entries, set.Now)
		r.Findings = open
		b := advised(r)
		b.accepted, b.proposals = accepted, proposed(r)
		b.statements = map[string]iac.Origin{}
		for _, f := range b.Findings {
			for _, sid := range f.Statements {
				if o, ok := find.statement(r.Origin, sid); ok && !r.Sensitive {
					b.statements[sid] = o
				}
			}
		}
		out.buckets = append(out.buckets, b)
	}
	return out, nil
}

// acceptedIn takes out of the findings on a bucket what entries accept. They name it by its name, or by its
// address where the name is not known.
func acceptedIn(r iac.BucketReport, entries []delivery.Acceptance, now time.Time) (open []delivery.Finding, accepted []delivery.AcceptedFinding) {
	report := delivery.Report{Findings: r.Findings}
	for _, name := range []string{r.Bucket, r.Address} {
		if name == "" {
			continue
		}
		var more []delivery.AcceptedFinding
		report.Bucket = name
		report, more = delivery.Accept(report, entries, now)
		accepted = append(accepted, more...)
	}
	return report.Findings, accepted
}

// advised adds what would mend a bucket, where nothing of it is made up or hidden.
func advised(r iac.BucketReport) scannedBucket {
	s := r.Subject
	out := scannedBucket{BucketReport: r}
	if !s.Exact || r.Sensitive || r.After == iac.NotThere || len(r.Findings) == 0 {
		return out
	}
	report := delivery.Report{Bucket: r.Bucket, Verdict: r.After, Findings: r.Findings, Faults: r.Faults, MaybeFaults: r.MaybeFaults}
	for _, t := range r.Trails {
		if t.After != iac.NotThere {
			report.Trails = append(report.Trails, t.TrailReport)
		}
	}
	report, plan := advise(delivery.NewBudget(s.Bucket, s.Trails), s.Bucket, s.Trails, s.Environment, report)
	out.Findings = report.Findings
	for i, k := 0, 0; i < len(out.Trails) && k < len(report.Trails); i++ {
		if out.Trails[i].After != iac.NotThere {
			out.Trails[i].TrailReport = report.Trails[k]
			k++
		}
	}
	if !plan.Empty() {
		out.plan = &plan
	}
	return out
}

// proposed are the statements that the policies of keys and topics lack, with addresses in the place of
// names that are not known.
func proposed(r iac.BucketReport) []repair.Proposal {
	s := r.Subject
	if r.Sensitive || !slices.ContainsFunc(r.Findings, func(f delivery.Finding) bool { return f.Chain != "" }) {
		return nil
	}
	budget := delivery.NewBudget(s.Bucket, s.Linked)
	report := delivery.JudgeWithin(budget, s.Bucket, s.Linked, s.Environment)
	report = delivery.JudgeChain(budget, report, s.Bucket, s.Linked, s.Environment, s.Chain)
	proposals, _ := repair.Propose(budget, s.Bucket, s.Linked, s.Environment, s.Chain, report)
	for i, p := range proposals {
		proposals[i].ARN, proposals[i].Statement = r.Shown(p.ARN), json.RawMessage(r.Shown(string(p.Statement)))
	}
	return proposals
}

// exit ends the command: with errFindings for what the change breaks or removes, for what is not known
// any more, and for a new trail that is known not to be delivered, or to tell its topic nothing.
func (c *scanCommand) exit(all []scanned) error {
	for _, s := range all {
		for _, b := range s.buckets {
			refused := len(b.Faults) > 0 && b.Change != iac.Unchanged
			counts := func(t iac.TrailChange) bool { return c.counts(b, t) }
			if slices.ContainsFunc(b.Trails, counts) || c.All && b.After == delivery.Blocked || refused {
				return errFindings
			}
		}
	}
	return nil
}

func (c *scanCommand) counts(b scannedBucket, t iac.TrailChange) bool {
	// Files arrive all the same, so that it is no change of the trail, and can be accepted.
	failing := func(f delivery.Finding) bool { return f.ID == delivery.NotificationFailingID && f.Trail == t.ARN }
	if slices.ContainsFunc(b.Findings, failing) && (t.NotificationBefore != delivery.Blocked || c.All) {
		return true
	}
	switch t.Change {
	case iac.Broken:
		return true
	case iac.Uncertain:
		return t.Before != delivery.Undetermined || c.Strict
	case iac.Removed:
		accepted := !slices.ContainsFunc(b.Findings, func(f delivery.Finding) bool { return f.ID == delivery.TrailRemovedID && f.Trail == t.ARN })
		return !accepted && (t.Before != delivery.Blocked || c.All) // what was not delivered is not lost
	case iac.StillBroken:
		return c.All
	case iac.New:
		return t.After == delivery.Blocked || c.Strict && t.After == delivery.Undetermined
	case iac.Mended, iac.Unchanged:
	}
	return false
}
