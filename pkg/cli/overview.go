package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// overview is how buckets fare: those of an account, or the one of a file. What
// check and audit print, in any format, and every exit code is read from it.
type overview struct {
	// Account and Region are those of an audit; empty for files.
	Account, Region string
	origin
	// organization is that of an audit of all its accounts; nil: it is of one account.
	organization *organizationOverview
	Buckets      []bucketOverview
	changes      *difference // since an earlier audit; nil: that was not asked
}

// subject is what was judged, as the beginning of a sentence.
func (o *overview) subject() string {
	if o.organization != nil {
		return "Organization " + o.organization.Organization.ID
	}
	return "Account " + o.Account
}

// judged is the id of what was judged.
func (o *overview) judged() string {
	if o.organization != nil {
		return o.organization.Organization.ID
	}
	return o.Account
}

// origin is how an overview came about, for whoever files it.
type origin struct {
	At     time.Time // when it was judged; zero: that is not told
	Caller string    // ARN of whose credentials were used; empty: none
	Scope  []string  // sentences: what was looked at
}

// unread is what could not be read, so that nothing is known of it.
type unread struct {
	Bucket string `json:"bucket"`
	Reason string `json:"reason"`
}

// unread returns what could not be read.
func (o *overview) unread() []unread {
	var out []unread
	for i := range o.Buckets {
		b := &o.Buckets[i]
		if b.Err != nil {
			out = append(out, unread{b.Bucket.Name, b.Err.Error()})
			continue
		}
		for _, f := range b.Report.Findings {
			if t, ok := delivery.LookupType(f.ID); ok && t.Source == delivery.SourceBucket && t.Kind == delivery.Unknown {
				out = append(out, unread{b.Bucket.Name, f.Message})
			}
		}
	}
	return out
}

// count says how many there are of something, in words.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// bucketOverview is how one bucket fares.
type bucketOverview struct {
	guardrail.Audited
	file     *policyFile                // that the policy was read from; nil: it was not
	accepted []delivery.AcceptedFinding // that were taken out of the report
}

func newOverview(account, region string, audited []guardrail.Audited) *overview {
	o := &overview{Account: account, Region: region}
	for _, a := range audited {
		a.Report.MaybeFaults, a.Plan.MaybeFaults = nil, nil // S3 has stored the policy
		o.Buckets = append(o.Buckets, bucketOverview{Audited: a})
	}
	return o
}

// unreadAccount reports whether it stands for an account that could not be read.
func (b *bucketOverview) unreadAccount() bool {
	_, ofAccount := delivery.AccountOf(b.Bucket.Name)
	return ofAccount && b.Err != nil
}

// buckets is how many of them are buckets: an account without trails stands among
// them.
func (o *overview) buckets() int {
	n := 0
	for i := range o.Buckets {
		if _, ofAccount := delivery.AccountOf(o.Buckets[i].Bucket.Name); !ofAccount {
			n++
		}
	}
	return n
}

// status returns what CloudTrail itself says of a trail, if it was asked.
func (b *bucketOverview) status(arn string) (trail.Status, bool) {
	i := slices.IndexFunc(b.Statuses, func(s trail.Status) bool { return s.ARN == arn })
	if i < 0 {
		return trail.Status{}, false
	}
	return b.Statuses[i], true
}

// verdict is the bucket's verdict. A bucket that could not be judged is never
// delivering.
func (b *bucketOverview) verdict() delivery.Verdict {
	if b.Err != nil || b.Report.Verdict == "" {
		return delivery.Undetermined
	}
	return b.Report.Verdict
}

// trailVerdict is the verdict of one trail: the bucket's, where there is none
// of the trail alone.
func (b *bucketOverview) trailVerdict(arn string) delivery.Verdict {
	if report, ok := b.trailReport(arn); ok {
		return report.Verdict
	}
	return b.verdict()
}

func (b *bucketOverview) trailReport(arn string) (delivery.TrailReport, bool) {
	i := slices.IndexFunc(b.Report.Trails, func(r delivery.TrailReport) bool { return r.ARN == arn })
	if i < 0 || b.Err != nil {
		return delivery.TrailReport{}, false
	}
	return b.Report.Trails[i], true
}

// statusText says what CloudTrail itself reports of a trail.
func (b *bucketOverview) statusText(arn string) string {
	s, ok := b.status(arn)
	switch {
	case !ok:
		return "not asked"
	case s.NeverStarted():
		return "never started"
	case !s.Logging:
		return "stopped"
	}
	var parts []string
	if s.DeliveryError != "" {
		parts = append(parts, "error "+s.DeliveryError)
	}
	if s.DigestError != "" {
		parts = append(parts, "digest error "+s.DigestError)
	}
	if s.NotificationError != "" {
		parts = append(parts, "notification error "+s.NotificationError)
	}
	if s.LogsError != "" {
		parts = append(parts, "CloudWatch Logs error "+s.LogsError)
	}
	if s.DeliveredAt.IsZero() {
		parts = append(parts, "nothing delivered yet")
	} else {
		parts = append(parts, "delivered "+s.DeliveredAt.UTC().Format("2006-01-02 15:04Z"))
	}
	return strings.Join(parts, ", ")
}

// severityFlag is the flag of the commands that end with 1 on findings.
type severityFlag struct {
	Severity string `placeholder:"LEVEL" enum:"critical,high,medium,low,informational" default:"informational" help:"Exit with 1 only on findings of this severity or above: critical, high, medium, low, informational. All findings are printed."`
}

// exit ends a command that judged buckets: with errFindings if one has a finding
// of the severity. A policy that S3 would refuse, a bucket that could not be
// judged and a blocked verdict always count.
func (f severityFlag) exit(o *overview) error {
	for i := range o.Buckets {
		b := &o.Buckets[i]
		severe := slices.ContainsFunc(b.Report.Findings, func(found delivery.Finding) bool { return f.counts(found.Severity) })
		if severe || b.Err != nil || len(b.Report.Faults) > 0 || b.verdict() == delivery.Blocked {
			return errFindings
		}
	}
	return nil
}

// counts reports whether a severity is at or above the bar.
func (f severityFlag) counts(s delivery.Severity) bool {
	return s.Rank() <= delivery.Severity(strings.ToUpper(f.Severity)).Rank()
}
