package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// auditCommand judges every trail bucket of an account.
type auditCommand struct {
	session
	Trails string `placeholder:"FILE" help:"Further trails, of accounts that cannot be read: the output of \"aws cloudtrail describe-trails\" there."`
	// BucketOwners are by bucket name.
	BucketOwners map[string]string `mapsep:"," placeholder:"BUCKET=ACCOUNT,…" help:"Owners of trail buckets of other accounts, such as a log archive. Read with --role, or with credentials that may."`
	Format       string            `enum:"text,json,sarif,html" default:"text" placeholder:"FORMAT" help:"text, json, sarif (2.1.0) or html."`
	threshold
}

// Run audits and prints.
func (c *auditCommand) Run(ctx context.Context, e *environment) error {
	for bucket, owner := range c.BucketOwners {
		if _, err := arn.ParseAccount(owner); err != nil {
			return fmt.Errorf("--bucket-owners: %s: %w", clean(bucket), err)
		}
	}
	config := guardrail.Config{Owners: c.BucketOwners}
	if c.Trails != "" {
		declared, _, err := e.readTrails(c.Trails)
		if err != nil {
			return err
		}
		config.Trails = declared
	}
	account, err := c.connect(ctx, e, "", config)
	if err != nil {
		return err
	}
	audited, err := account.Audit(ctx, account.account, account.region, e.progressLine("buckets judged"))
	if err != nil && len(audited) == 0 {
		return fmt.Errorf("cannot audit account %s: %w", account.account, err)
	}
	v := newEstate(account.account, account.region, audited)
	if c.Format == "text" {
		e.writeEstate(v)
	} else if renderErr := e.render(c.Format, v, func() any { return estateJSON(v) }); renderErr != nil {
		return renderErr
	}
	if err != nil {
		return fmt.Errorf("the audit is not complete: %w", err)
	}
	return c.result(v)
}

// progressLine returns what shows progress to a person, or nil.
func (e *environment) progressLine(what string) func(done, total int) {
	if !e.progress {
		return nil
	}
	return func(done, total int) {
		if done == total {
			printf(e.stderr, "%s", "\r\x1b[K")
			return
		}
		printf(e.stderr, "\r%d of %d %s", done, total, what)
	}
}

// writeEstate prints a table of the trails, then what was found.
func (e *environment) writeEstate(v *estate) {
	e.writeTrails(v)
	for i := range v.Buckets {
		e.writeBucketFindings(&v.Buckets[i])
	}
}

func (e *environment) writeTrails(v *estate) {
	if len(v.Buckets) == 0 {
		printf(e.stdout, "Account %s has no trails.\n", clean(v.Account))
		return
	}
	trails := table{header: []string{"TRAIL", "BUCKET", "VERDICT", "CLOUDTRAIL SAYS", "FINDINGS"}}
	for i := range v.Buckets {
		addTrails(&trails, &v.Buckets[i], v.Account)
	}
	trails.write(e.stdout, e.screen, 0)
}

// addTrails adds a row for each trail of a bucket. The account is that of the
// audit.
func addTrails(t *table, j *judged, account string) {
	for _, tr := range j.Trails {
		verdict := j.verdict()
		for _, r := range j.Report.Trails {
			if r.ARN == tr.ARN && j.Err == nil {
				verdict = r.Verdict
			}
		}
		found := 0
		for _, f := range j.Report.Findings {
			if f.Trail == tr.ARN || f.Trail == "" {
				found++
			}
		}
		name := tr.Name + ", " + tr.HomeRegion
		if tr.Account() != account {
			name += ", account " + tr.Account()
		}
		t.add(
			cell{clean(name), plain},
			cell{clean(j.Bucket.Name), plain},
			cell{string(verdict), verdictTone(verdict)},
			cell{clean(statusWords(j, tr)), plain},
			cell{fmt.Sprint(found), plain},
		)
	}
}

// statusWords says what CloudTrail itself reports of a trail.
func statusWords(j *judged, t trail.Trail) string {
	s, ok := j.status(t.ARN)
	switch {
	case !ok:
		return "not asked"
	case !s.Logging:
		return "stopped"
	}
	var words []string
	if s.DeliveryError != "" {
		words = append(words, "error "+s.DeliveryError)
	}
	if s.DigestError != "" {
		words = append(words, "digest error "+s.DigestError)
	}
	if s.DeliveredAt.IsZero() {
		words = append(words, "nothing delivered yet")
	} else {
		words = append(words, "delivered "+s.DeliveredAt.UTC().Format("2006-01-02 15:04Z"))
	}
	return strings.Join(words, ", ")
}

func (e *environment) writeBucketFindings(j *judged) {
	if j.Err == nil && len(j.Report.Findings)+len(j.Report.Faults) == 0 {
		return
	}
	printf(e.stdout, "\n%s: %s\n", e.screen.paint(bold, clean(j.Bucket.Name)),
		e.screen.paint(verdictTone(j.verdict()), string(j.verdict())))
	if j.Err != nil {
		e.screen.indented(e.stdout, 2, clean("could not be judged: "+j.Err.Error()))
		return
	}
	e.writeFindings(j.Report)
	if !j.Plan.Empty() {
		printf(e.stdout, "\n  To repair it: trailwarden restore --bucket %s\n", clean(j.Bucket.Name))
	}
}

// The JSON of an audit: for each bucket what check prints, and what only a live
// look tells.
type (
	estateOut struct {
		Account string      `json:"account"`
		Region  string      `json:"region"`
		Buckets []judgedOut `json:"buckets"`
	}
	judgedOut struct {
		delivery.Report
		Owner    string         `json:"owner"`
		Region   string         `json:"region"`
		Statuses []trail.Status `json:"statuses"`
		Plan     *planOut       `json:"plan"` // null: not judged
		Error    string         `json:"error,omitempty"`
	}
)

func estateJSON(v *estate) estateOut {
	out := estateOut{Account: v.Account, Region: v.Region, Buckets: []judgedOut{}}
	for i := range v.Buckets {
		j := &v.Buckets[i]
		b := judgedOut{
			Report: listed(j.Report), Owner: j.Bucket.Owner, Region: j.Bucket.Region, Statuses: orEmpty(j.Statuses),
		}
		b.Bucket, b.Verdict = j.Bucket.Name, j.verdict()
		if j.Err != nil {
			b.Error = j.Err.Error()
		} else {
			plan := planJSON(j.Plan)
			b.Plan = &plan
		}
		out.Buckets = append(out.Buckets, b)
	}
	return out
}
