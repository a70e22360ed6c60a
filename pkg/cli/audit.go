package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

// auditCommand judges every trail bucket of an account, or of an organization.
type auditCommand struct {
	liveFlags
	Organization bool   `help:"Judge all accounts of the organization, with --role in each. The credentials are of the management account or of a delegated administrator."`
	Trails       string `placeholder:"FILE" help:"Further trails, of accounts that cannot be read: the output of \"aws cloudtrail describe-trails\" there."`
	// BucketOwners are by bucket name.
	BucketOwners map[string]string `mapsep:"," placeholder:"BUCKET=ACCOUNT,…" help:"Owners of trail buckets of other accounts, such as a log archive. Read with --role, or with credentials that may."`
	Table        string            `placeholder:"NAME" help:"The DynamoDB table of the deployed guard: with what it knows of trails of other accounts and of grants without a trail, and of what trails covered before."`
	Diff         string            `placeholder:"FILE" help:"Also say what changed since an earlier audit: the output of \"trailwarden audit --format json\" then."`
	Format       string            `enum:"text,json,sarif,html,github,markdown" default:"text" placeholder:"FORMAT" help:"text, json, sarif (2.1.0), html, github (annotations) or markdown (a job summary)."`
	sarifLocationFlag
	acceptedFlag
	severityFlag
}

// Run audits and prints. Where only a part could be judged, that part is printed
// before the error is returned.
func (c *auditCommand) Run(ctx context.Context, sys *system) error {
	if err := checkOwners(c.BucketOwners); err != nil {
		return err
	}
	config := guardrail.Config{Owners: c.BucketOwners}
	if c.Trails != "" {
		declared, _, err := sys.readTrails(c.Trails)
		if err != nil {
			return err
		}
		config.Trails = declared
	}
	connect, audit := c.connect, auditAccount
	if c.Organization {
		connect, audit = c.connectOrganization, auditOrganization
	}
	conn, err := connect(ctx, sys, c.Table, config)
	if err != nil {
		return err
	}
	var earlier *overviewJSON
	if c.Diff != "" {
		if earlier, err = sys.readAudit(c.Diff, conn.account, c.Organization); err != nil {
			return err
		}
	}
	began := sys.now().UTC()
	o, auditErr := audit(ctx, sys, conn)
	if o == nil {
		return auditErr
	}
	o.origin = origin{At: began, Caller: conn.caller, Scope: c.scope(o, len(config.Trails))}
	if err := c.accept(sys, o, sys.now()); err != nil {
		return err
	}
	if earlier != nil {
		now := newOverviewJSON(o)
		o.changes = differenceOf(earlier, &now)
	}
	switch c.Format {
	case "json":
		err = printJSON(sys.stdout, newOverviewJSON(o))
	case "sarif":
		err = printJSON(sys.stdout, newSARIF(o, c.places("audit", o.judged(), c.Trails)))
	case "html":
		err = writePage(sys.stdout, o)
	case "github":
		writeOverviewAnnotations(sys, o, c.places("audit", o.judged(), c.Trails))
	case "markdown":
		writeOverviewMarkdown(sys.stdout, o)
	default:
		if o.changes != nil {
			writeDifference(sys.screen, o.changes)
		}
		writeAccounts(sys.screen, o)
		writeTrails(sys.screen, o)
		writeCoverage(sys.screen, o)
		writeCauses(sys.screen, causesOf(o.Buckets), true)
		writeProblems(sys.screen, o)
		writeAccepted(sys.screen, o.Buckets)
	}
	switch {
	case err != nil:
		return err
	case auditErr != nil:
		return fmt.Errorf("the audit is not complete: %w", auditErr)
	}
	return c.exit(o)
}

// auditAccount judges the account. Where nothing could be, there is no overview.
func auditAccount(ctx context.Context, sys *system, conn connection) (*overview, error) {
	audited, err := conn.Audit(ctx, conn.account, conn.region, sys.progress("buckets judged"))
	if err != nil && len(audited) == 0 {
		return nil, fmt.Errorf("cannot audit account %s: %w", conn.account, err)
	}
	return newOverview(conn.account, conn.region, audited), err
}

// checkOwners checks the accounts of --bucket-owners.
func checkOwners(owners map[string]string) error {
	for bucket, owner := range owners {
		if _, err := arn.ParseAccount(owner); err != nil {
			return fmt.Errorf("--bucket-owners: %s: %w", clean(bucket), err)
		}
	}
	return nil
}

// scope says in sentences what was looked at.
func (c *auditCommand) scope(o *overview, declared int) []string {
	trails := 0
	for i := range o.Buckets {
		trails += len(o.Buckets[i].Trails)
	}
	where := "account " + o.Account
	if o.organization != nil {
		where = "the active accounts of organization " + o.organization.Organization.ID
	}
	out := []string{fmt.Sprintf("All trails that CloudTrail lists in %s, of every region, and the buckets that they use: %s, %s.",
		where, count(trails, "trail", "trails"), count(o.buckets(), "bucket", "buckets"))}
	if o.organization != nil {
		out = append(out, o.organization.sentence())
	}
	if declared > 0 {
		out = append(out, fmt.Sprintf("Among them or beside them %s of %s.", count(declared, "trail", "trails"), c.Trails))
	}
	if c.Role != "" {
		return append(out, "Other accounts were read with the role "+c.Role+".")
	}
	return append(out, "No role was assumed: buckets of other accounts were read with these credentials alone.")
}

// mostFine is how many trails without findings are listed in text.
const mostFine = 50

// writeTrails prints a table with a row for each trail. Where very many are fine, only
// the first of these.
func writeTrails(s screen, o *overview) {
	if !slices.ContainsFunc(o.Buckets, func(b bucketOverview) bool { return len(b.Trails) > 0 }) {
		s.printf("%s has no trails.\n", clean(o.subject()))
		return
	}
	trails := table{header: []string{"TRAIL", "BUCKET", "VERDICT", "CLOUDTRAIL SAYS", "FINDINGS"}}
	fine := 0
	for i := range o.Buckets {
		b := &o.Buckets[i]
		for _, t := range b.Trails {
			name := t.Name + ", " + t.HomeRegion
			if t.Account() != o.Account {
				name += ", account " + t.Account()
			}
			findings := 0
			for _, f := range b.Report.Findings {
				if f.Trail == t.ARN || f.Trail == "" {
					findings++
				}
			}
			verdict := b.trailVerdict(t.ARN)
			if verdict == delivery.Delivering && findings == 0 {
				if fine++; fine > mostFine {
					continue
				}
			}
			trails.add(
				cell{clean(name), plain},
				cell{clean(b.Bucket.Name), plain},
				cell{string(verdict), verdictTone(verdict)},
				cell{clean(b.statusText(t.ARN)), plain},
				cell{fmt.Sprint(findings), plain},
			)
		}
	}
	trails.write(s, 0)
	if more := fine - mostFine; more > 0 {
		s.indented(0, fmt.Sprintf("and %d trails more that are delivering, without findings, which --format json and html list", more))
	}
}

// writeProblems prints what else is wrong with buckets, and how to repair those that
// can be repaired.
func writeProblems(s screen, o *overview) {
	var repairable []string
	for i := range o.Buckets {
		b := &o.Buckets[i]
		if _, ofAccount := delivery.AccountOf(b.Bucket.Name); ofAccount {
			continue // writeAccounts names those that could not be read
		}
		for _, note := range b.Notes {
			s.printf("\n%s: %s\n", s.paint(bold, clean(b.Bucket.Name)), s.paint(mild, "not all is of now"))
			s.indented(2, clean(note))
		}
		if b.Err != nil {
			s.printf("\n%s: %s\n", s.paint(bold, clean(b.Bucket.Name)), s.paint(mild, "not judged"))
			s.indented(2, clean(b.Err.Error()))
			continue
		}
		for _, fault := range b.Report.Faults { // S3 has stored it once
			s.printf("\n%s: %s\n", s.paint(bold, clean(b.Bucket.Name)),
				s.paint(bad, "S3 would refuse this policy if it were written anew"))
			s.indented(2, clean(fault))
		}
		if !b.Plan.Empty() {
			repairable = append(repairable, clean(b.Bucket.Name))
		}
	}
	switch len(repairable) {
	case 0:
	case 1:
		s.printf("\nTo repair it: trailwarden restore --bucket %s\n", repairable[0])
	default:
		names := repairable[:min(len(repairable), mostPlaces)]
		if more := len(repairable) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("or one of %d more", more))
		}
		s.printf("\n")
		s.indented(0, "To repair one of them: trailwarden restore --bucket NAME, where NAME is "+strings.Join(names, ", "))
	}
}
